// SPDX-License-Identifier: Apache-2.0
/*
 * AlterConfigs and IncrementalAlterConfigs: the settings of topics, and those of
 * the broker that can be changed while it runs.
 */
#include <errno.h>
#include <string.h>

#include "daemon/controller/controller.h"
#include "daemon/kafka/config_change.h"
#include "daemon/kafka/config_view.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/names.h"
#include "daemon/kafka/request_text.h"
#include "daemon/log/topic_settings.h"
#include "daemon/worker.h"

/** struct alter_resource - one resource of a request, and its answer */
struct alter_resource {
	int8_t type;
	struct kafka_str name;
	struct config_change *changes;
	size_t n_changes;
	int16_t error_code;
	struct kafka_str error_message;
};

/**
 * struct alter_call - a request at work; in its arena
 * @names: of the resources
 * @replace: settings that are not named are taken back (AlterConfigs)
 */
struct alter_call {
	struct controller_call call;
	struct request *request;
	struct alter_resource *resources;
	size_t n_resources;
	struct names names;
	bool replace;
	bool validate_only;
};

static int16_t fail(struct alter_resource *res, int16_t code, const char *why)
{
	res->error_code = code;
	res->error_message = kafka_str_from(why);
	return code;
}

/* What @d says of the topic's settings does not change until it is closed. */
static void alter_locked(struct controller *c, const struct alter_call *ac,
			 struct alter_resource *res, const struct image_topic *topic,
			 const struct log_dir *d)
{
	struct log_dir_error err;
	struct config_plan plan = {
		.request = ac->request,
		.replace = ac->replace,
		.config = controller_config(c),
	};
	struct topic_settings own;
	int ret = topic_settings_read(d->topics_fd, topic->name, TOPIC_EXISTS, &own, &err);

	if (ret) {
		fail(res, kafka_error_from_errno(ret), request_copy_text(ac->request, err.text));
		return;
	}
	plan.own = own.items;
	plan.n_own = own.n;
	if (config_plan_make(&plan, res->changes, res->n_changes)) {
		fail(res, plan.error_code, plan.why);
	} else {
		ret = controller_topic_alter(c, d, topic->name, plan.settings, plan.n_settings,
					     ac->validate_only, &err);
		if (ret)
			fail(res,
			     ret == -EINVAL ? KAFKA_ERROR_INVALID_CONFIG
					    : kafka_error_from_errno(ret),
			     request_copy_text(ac->request, err.text));
	}
	topic_settings_free(&own);
}

static void alter_topic(struct controller *c, const struct alter_call *ac,
			struct alter_resource *res)
{
	const char *name = request_text(ac->request, res->name);
	const struct image_topic *topic;
	struct log_dir_error err;
	struct log_dir d;
	int ret;

	if (!res->name.len) {
		fail(res, KAFKA_ERROR_INVALID_REQUEST, "topics have no defaults in common");
		return;
	}
	if (!name || log_dir_topic_check(name, 1, NULL, 0, &err)) {
		fail(res, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION,
		     name ? request_copy_text(ac->request, err.text) : NULL);
		return;
	}
	topic = controller_topic(c, res->name.p, (size_t)res->name.len);
	if (!topic) {
		fail(res, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, NULL);
		return;
	}
	ret = log_dir_open(topic->data_dir, /* make= */ false, &d, &err);
	if (ret) {
		fail(res, KAFKA_ERROR_UNKNOWN_SERVER_ERROR,
		     request_copy_text(ac->request, err.text));
		return;
	}
	alter_locked(c, ac, res, topic, &d);
	log_dir_close(&d);
}

static void alter_scope(struct controller *c, const struct alter_call *ac,
			struct alter_resource *res, enum config_scope scope)
{
	const struct config_layers *now = controller_config(c);
	struct config_plan plan = {
		.request = ac->request,
		.replace = ac->replace,
		.config = now,
		.broker = true,
		.own = now->dynamic.scopes[scope].items,
		.n_own = now->dynamic.scopes[scope].n,
	};
	struct log_dir_error err = {.text = "out of memory"};
	struct dynamic_config changed = {0};
	int ret;

	if (config_plan_make(&plan, res->changes, res->n_changes)) {
		fail(res, plan.error_code, plan.why);
		return;
	}
	ret = dynamic_config_copy(&changed, &now->dynamic);
	for (size_t i = 0; !ret && i < plan.n_settings; i++)
		ret = dynamic_config_set(&changed, scope, plan.settings[i].key,
					 plan.settings[i].value);
	if (!ret && plan.n_settings)
		ret = controller_config_set(c, &changed, ac->validate_only, &err);
	if (ret)
		fail(res,
		     ret == -EINVAL ? KAFKA_ERROR_INVALID_REQUEST : kafka_error_from_errno(ret),
		     request_copy_text(ac->request, err.text));
	dynamic_config_free(&changed);
}

static void alter_broker(struct controller *c, const struct alter_call *ac,
			 struct alter_resource *res)
{
	enum config_scope scope;
	const char *why;

	if (config_scope_of(ac->request, res->name, /* describe= */ false, &scope, &why))
		alter_scope(c, ac, res, scope);
	else
		fail(res, KAFKA_ERROR_INVALID_REQUEST, why);
}

static void work(struct controller *c, struct controller_call *call)
{
	struct alter_call *ac = list_entry(call, struct alter_call, call);

	for (size_t i = 0; i < ac->n_resources; i++) {
		struct alter_resource *res = &ac->resources[i];

		if (names_twice(&ac->names, res->type, res->name))
			fail(res, KAFKA_ERROR_INVALID_REQUEST, "the request names it twice");
		else if (res->type == CONFIG_RESOURCE_TOPIC)
			alter_topic(c, ac, res);
		else if (res->type == CONFIG_RESOURCE_BROKER)
			alter_broker(c, ac, res);
		else
			fail(res, KAFKA_ERROR_INVALID_REQUEST,
			     "only topics and brokers have settings here");
	}
	names_free(&ac->names);
}

/* The two APIs differ in names, and in what a change is. */

static void reply_alter(struct controller_call *call)
{
	struct alter_call *ac = list_entry(call, struct alter_call, call);
	struct kafka_alter_configs_response answer;
	struct request *r = ac->request;

	kafka_alter_configs_response_init(&answer);
	answer.responses.v = request_alloc(r, ac->n_resources, sizeof(*answer.responses.v));
	for (size_t i = 0; answer.responses.v && i < ac->n_resources; i++)
		answer.responses.v[answer.responses.n++] =
			(struct kafka_alter_configs_response_resource){
				.error_code = ac->resources[i].error_code,
				.error_message = ac->resources[i].error_message,
				.resource_type = ac->resources[i].type,
				.resource_name = ac->resources[i].name,
			};
	kafka_alter_configs_response_encode(response_begin(r), request_version(r), &answer);
	request_finish(r, response_end(r));
}

static void reply_incremental(struct controller_call *call)
{
	struct alter_call *ac = list_entry(call, struct alter_call, call);
	struct kafka_incremental_alter_configs_response answer;
	struct request *r = ac->request;

	kafka_incremental_alter_configs_response_init(&answer);
	answer.responses.v = request_alloc(r, ac->n_resources, sizeof(*answer.responses.v));
	for (size_t i = 0; answer.responses.v && i < ac->n_resources; i++)
		answer.responses.v[answer.responses.n++] =
			(struct kafka_incremental_alter_configs_response_resource){
				.error_code = ac->resources[i].error_code,
				.error_message = ac->resources[i].error_message,
				.resource_type = ac->resources[i].type,
				.resource_name = ac->resources[i].name,
			};
	kafka_incremental_alter_configs_response_encode(response_begin(r), request_version(r),
							&answer);
	request_finish(r, response_end(r));
}

/* The next element of a request, with room for its changes. */
static struct alter_resource *add(struct alter_call *ac, int8_t type, struct kafka_str name,
				  int32_t n_changes)
{
	struct alter_resource *res = &ac->resources[ac->n_resources++];

	res->type = type;
	res->name = name;
	res->error_message = kafka_str_from(NULL);
	res->changes = request_alloc(ac->request, (size_t)n_changes, sizeof(*res->changes));
	if (names_note(&ac->names, ac->request, type, name))
		return NULL;
	return res->changes ? res : NULL;
}

static int take_alter(struct alter_call *ac)
{
	struct request *r = ac->request;
	struct kafka_alter_configs_request m;
	int err = kafka_alter_configs_request_decode(&r->body, &r->arena, request_version(r), &m);

	if (err)
		return err;
	ac->replace = true;
	ac->validate_only = m.validate_only;
	ac->resources = request_alloc(r, (size_t)m.resources.n, sizeof(*ac->resources));
	for (int32_t i = 0; ac->resources && i < m.resources.n; i++) {
		const struct kafka_alter_configs_request_resource *in = &m.resources.v[i];
		struct alter_resource *res =
			add(ac, in->resource_type, in->resource_name, in->configs.n);

		for (int32_t j = 0; res && j < in->configs.n; j++)
			res->changes[res->n_changes++] = (struct config_change){
				.name = in->configs.v[j].name,
				.operation = CONFIG_SET,
				.value = in->configs.v[j].value,
			};
		if (!res)
			return -ENOMEM;
	}
	return ac->resources ? 0 : -ENOMEM;
}

static int take_incremental(struct alter_call *ac)
{
	struct request *r = ac->request;
	struct kafka_incremental_alter_configs_request m;
	int err = kafka_incremental_alter_configs_request_decode(&r->body, &r->arena,
								 request_version(r), &m);

	if (err)
		return err;
	ac->validate_only = m.validate_only;
	ac->resources = request_alloc(r, (size_t)m.resources.n, sizeof(*ac->resources));
	for (int32_t i = 0; ac->resources && i < m.resources.n; i++) {
		const struct kafka_incremental_alter_configs_request_resource *in =
			&m.resources.v[i];
		struct alter_resource *res =
			add(ac, in->resource_type, in->resource_name, in->configs.n);

		for (int32_t j = 0; res && j < in->configs.n; j++)
			res->changes[res->n_changes++] = (struct config_change){
				.name = in->configs.v[j].name,
				.operation = in->configs.v[j].config_operation,
				.value = in->configs.v[j].value,
			};
		if (!res)
			return -ENOMEM;
	}
	return ac->resources ? 0 : -ENOMEM;
}

static enum handled handle(struct request *r, int (*take)(struct alter_call *ac),
			   void (*reply)(struct controller_call *call))
{
	struct alter_call *ac = request_alloc(r, 1, sizeof(*ac));
	int err;

	if (!ac)
		return request_malformed(r, -ENOMEM);
	ac->request = r;
	err = take(ac);
	if (err) {
		names_free(&ac->names);
		return request_malformed(r, err);
	}
	return request_park(r, &ac->call, work, reply);
}

enum handled handle_alter_configs(struct request *r)
{
	return handle(r, take_alter, reply_alter);
}

enum handled handle_incremental_alter_configs(struct request *r)
{
	return handle(r, take_incremental, reply_incremental);
}
