// SPDX-License-Identifier: Apache-2.0
/*
 * DescribeConfigs: of topics and of this broker, from the tables of settings.
 * A topic's own settings are in a file, which the controller's thread reads.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/config/topic_default.h"
#include "daemon/controller/controller.h"
#include "daemon/kafka/config_view.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/request_text.h"
#include "daemon/worker.h"

#define SYNONYMS_MAX 5

typedef struct kafka_describe_configs_request_resource resource_in;
typedef struct kafka_describe_configs_response_result result_out;
typedef struct kafka_describe_configs_response_config config_out;

/** struct describe_call - a request at work; in its arena */
struct describe_call {
	struct controller_call call;
	struct request *request;
	struct kafka_describe_configs_request m;
	struct kafka_describe_configs_response answer;
};

static void fail(result_out *out, int16_t code, const char *why)
{
	out->error_code = code;
	out->error_message = kafka_str_from(why);
	out->configs.n = 0;
}

static bool wanted(const resource_in *in, const char *key)
{
	struct kafka_str name = kafka_str_from(key);

	if (in->configuration_keys.n <= 0)
		return true;
	for (int32_t i = 0; i < in->configuration_keys.n; i++) {
		if (kafka_str_equal(in->configuration_keys.v[i], name))
			return true;
	}
	return false;
}

/*
 * The next element of a result, for which there is room. Values are copied: the
 * answer is written when what they were taken from may be gone.
 */
static config_out *add(const struct describe_call *dc, result_out *out, const char *key,
		       const char *value, int8_t type, int8_t source, const char *doc)
{
	config_out *config = &out->configs.v[out->configs.n++];

	kafka_describe_configs_response_config_init(config);
	config->name = kafka_str_from(key);
	config->value = kafka_str_from(request_copy_text(dc->request, value));
	config->config_source = source;
	config->config_type = type;
	config->documentation = kafka_str_from(dc->m.include_documentation ? doc : NULL);
	if (dc->m.include_synonyms)
		config->synonyms.v =
			request_alloc(dc->request, SYNONYMS_MAX, sizeof(*config->synonyms.v));
	return config;
}

static void add_synonym(const struct describe_call *dc, config_out *config, const char *key,
			const char *value, int8_t source)
{
	if (!value || !config->synonyms.v)
		return;
	config->synonyms.v[config->synonyms.n++] = (struct kafka_describe_configs_response_synonym){
		.name = kafka_str_from(request_copy_text(dc->request, key)),
		.value = kafka_str_from(request_copy_text(dc->request, value)),
		.source = source,
	};
}

/* What was changed while the broker runs, before the file. */
static void add_dynamic(const struct describe_call *dc, config_out *config,
			const struct config_layers *l, const char *key)
{
	add_synonym(dc, config, key, dynamic_config_get(&l->dynamic, CONFIG_SCOPE_BROKER, key),
		    CONFIG_SOURCE_DYNAMIC_BROKER);
	add_synonym(dc, config, key, dynamic_config_get(&l->dynamic, CONFIG_SCOPE_DEFAULT, key),
		    CONFIG_SOURCE_DYNAMIC_DEFAULT);
}

static int reserve(const struct describe_call *dc, result_out *out, size_t n)
{
	out->configs.v = request_alloc(dc->request, n, sizeof(*out->configs.v));
	if (out->configs.v)
		return 0;
	fail(out, KAFKA_ERROR_UNKNOWN_SERVER_ERROR, "out of memory");
	return -ENOMEM;
}

static void describe_topic_settings(const struct config_layers *l, const struct describe_call *dc,
				    const resource_in *in, const struct log_dir_setting *own,
				    size_t n_own, result_out *out)
{
	const struct topic_config_item *items;
	size_t n;

	items = topic_config_items(&n);
	if (reserve(dc, out, n))
		return;
	for (size_t i = 0; i < n; i++) {
		const struct topic_config_item *item = &items[i];
		const struct config_topic_default *given =
			config_topic_default_given(&l->base, item->key);
		const char *origin = item->broker_key ? item->broker_key : item->key;
		const char *origin_default = item->default_value;
		const char *mine;
		const char *value;
		int8_t source;
		config_out *config;

		if (!wanted(in, item->key))
			continue;
		mine = config_own(own, n_own, item->key);
		value = config_in_force(l, item, own, n_own, &source);
		config = add(dc, out, item->key, value, (int8_t)item->type, source, item->doc);
		add_synonym(dc, config, item->key, mine, CONFIG_SOURCE_TOPIC);
		if (item->broker_key)
			add_dynamic(dc, config, l, item->broker_key);
		if (given)
			add_synonym(dc, config, given->broker_key, given->broker_value,
				    CONFIG_SOURCE_BROKER);
		topic_default_origin(item->key, &origin, &origin_default);
		/* What brokers have no setting for has no other name. */
		if (item->broker_key)
			add_synonym(dc, config, origin, origin_default, CONFIG_SOURCE_DEFAULT);
	}
}

static void describe_topic(struct controller *c, const struct describe_call *dc,
			   const resource_in *in, result_out *out)
{
	const struct image_topic *topic =
		controller_topic(c, in->resource_name.p, (size_t)in->resource_name.len);
	const char *name = request_text(dc->request, in->resource_name);
	struct log_dir_setting *own;
	struct log_dir_error err;
	size_t n_own;
	int ret;

	if (!name || log_dir_topic_check(name, 1, NULL, 0, &err)) {
		fail(out, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION,
		     name ? request_copy_text(dc->request, err.text) : NULL);
		return;
	}
	if (!topic) {
		fail(out, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, NULL);
		return;
	}
	ret = log_dir_topic_settings(topic->data_dir, topic->name, &own, &n_own, &err);
	if (ret) {
		fail(out, kafka_error_from_errno(ret), request_copy_text(dc->request, err.text));
		return;
	}
	describe_topic_settings(controller_config(c), dc, in, own, n_own, out);
	log_dir_settings_free(own, n_own);
}

static void describe_own_items(const struct config_layers *l, const struct describe_call *dc,
			       const resource_in *in, result_out *out)
{
	for (int id = 0; id < CONFIG_ITEM_COUNT; id++) {
		const struct config_item *item = &config_items[id];
		bool given = l->base.given[id];
		config_out *config;

		if (!wanted(in, item->key))
			continue;
		config = add(dc, out, item->key, l->now.text[id], (int8_t)item->type,
			     config_source_of(l, item->key, given), item->doc);
		config->read_only = !item->dynamic;
		add_dynamic(dc, config, l, item->key);
		add_synonym(dc, config, item->key, given ? l->base.text[id] : NULL,
			    CONFIG_SOURCE_BROKER);
		add_synonym(dc, config, item->key, item->default_value, CONFIG_SOURCE_DEFAULT);
	}
}

static void describe_topic_defaults(const struct config_layers *l, const struct describe_call *dc,
				    const resource_in *in, result_out *out)
{
	size_t n;
	const struct topic_config_item *items = topic_config_items(&n);

	for (size_t i = 0; i < n; i++) {
		const char *key = items[i].broker_key;
		const char *given = config_topic_default(&l->base, items[i].key);
		const char *value = config_topic_default(&l->now, items[i].key);
		config_out *config;

		if (!key || !wanted(in, key))
			continue;
		config = add(dc, out, key, value ? value : items[i].default_value,
			     (int8_t)items[i].type, config_source_of(l, key, given), items[i].doc);
		add_dynamic(dc, config, l, key);
		add_synonym(dc, config, key, given, CONFIG_SOURCE_BROKER);
		add_synonym(dc, config, key, items[i].default_value, CONFIG_SOURCE_DEFAULT);
	}
}

/* What all brokers have set, and nothing else. */
static void describe_all_brokers(const struct config_layers *l, const struct describe_call *dc,
				 const resource_in *in, result_out *out)
{
	const struct config_settings *set = &l->dynamic.scopes[CONFIG_SCOPE_DEFAULT];

	if (reserve(dc, out, set->n))
		return;
	for (size_t i = 0; i < set->n; i++) {
		const char *key = set->items[i].key;
		enum config_id id = config_item_find(key);
		const struct topic_config_item *item = NULL;
		struct topic_default d;
		config_out *config;

		if (topic_default_find(key, &d))
			item = topic_config_find(d.topic_key);
		if (!wanted(in, key))
			continue;
		config =
			add(dc, out, key, set->items[i].value,
			    item ? (int8_t)item->type : (int8_t)config_items[id].type,
			    CONFIG_SOURCE_DYNAMIC_DEFAULT, item ? item->doc : config_items[id].doc);
		add_synonym(dc, config, key, set->items[i].value, CONFIG_SOURCE_DYNAMIC_DEFAULT);
	}
}

static void describe_broker(const struct config_layers *l, const struct describe_call *dc,
			    const resource_in *in, result_out *out)
{
	enum config_scope scope;
	const char *why;
	size_t n;

	if (!config_scope_of(dc->request, in->resource_name, /* describe= */ true, &scope, &why)) {
		fail(out, KAFKA_ERROR_INVALID_REQUEST, why);
		return;
	}
	if (scope == CONFIG_SCOPE_DEFAULT) {
		describe_all_brokers(l, dc, in, out);
		return;
	}
	topic_config_items(&n);
	if (reserve(dc, out, n + CONFIG_ITEM_COUNT))
		return;
	describe_own_items(l, dc, in, out);
	describe_topic_defaults(l, dc, in, out);
}

static void work(struct controller *c, struct controller_call *call)
{
	struct describe_call *dc = list_entry(call, struct describe_call, call);

	for (int32_t i = 0; i < dc->m.resources.n; i++) {
		const resource_in *in = &dc->m.resources.v[i];
		result_out *out = &dc->answer.results.v[i];

		kafka_describe_configs_response_result_init(out);
		out->error_message = kafka_str_from(NULL);
		out->resource_type = in->resource_type;
		out->resource_name = in->resource_name;
		if (in->resource_type == CONFIG_RESOURCE_TOPIC)
			describe_topic(c, dc, in, out);
		else if (in->resource_type == CONFIG_RESOURCE_BROKER)
			describe_broker(controller_config(c), dc, in, out);
		else
			fail(out, KAFKA_ERROR_INVALID_REQUEST,
			     "only topics and brokers have settings here");
	}
}

static void reply(struct controller_call *call)
{
	struct describe_call *dc = list_entry(call, struct describe_call, call);
	struct request *r = dc->request;

	kafka_describe_configs_response_encode(response_begin(r), request_version(r), &dc->answer);
	request_finish(r, response_end(r));
}

enum handled handle_describe_configs(struct request *r)
{
	struct describe_call *dc = request_alloc(r, 1, sizeof(*dc));
	int err = dc ? 0 : -ENOMEM;

	if (!err)
		err = kafka_describe_configs_request_decode(&r->body, &r->arena, request_version(r),
							    &dc->m);
	if (err)
		return request_malformed(r, err);
	kafka_describe_configs_response_init(&dc->answer);
	dc->answer.results.n = dc->m.resources.n;
	dc->answer.results.v =
		request_alloc(r, (size_t)dc->m.resources.n, sizeof(*dc->answer.results.v));
	if (!dc->answer.results.v)
		return request_malformed(r, -ENOMEM);
	dc->request = r;
	return request_park(r, &dc->call, work, reply);
}
