// SPDX-License-Identifier: Apache-2.0
/*
 * The topic commands when -b names a broker.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/kafka/error_code.h"
#include "tools/sluicectl/kafka_client.h"

#define CONFIG_RESOURCE_TOPIC 2
#define CONFIG_SOURCE_TOPIC   1

KAFKA_CLIENT_MESSAGE(metadata)
KAFKA_CLIENT_MESSAGE(create_topics)
KAFKA_CLIENT_MESSAGE(delete_topics)
KAFKA_CLIENT_MESSAGE(describe_configs)

static int create_one(struct ctl *ctl, struct kafka_client *c, const char *name,
		      const struct kafka_topic_settings *s)
{
	struct kafka_create_topics_request_config *configs =
		calloc(s->n_settings + 1, sizeof(*configs));
	struct kafka_create_topics_request_topic topic;
	struct kafka_create_topics_request request;
	struct kafka_create_topics_response response;
	int status;

	if (!configs)
		return ctl_fail(-ENOMEM, "out of memory");
	for (size_t i = 0; i < s->n_settings; i++) {
		configs[i].name = kafka_str_from(s->settings[i].key);
		configs[i].value = kafka_str_from(s->settings[i].value);
	}
	kafka_create_topics_request_topic_init(&topic);
	topic.name = kafka_str_from(name);
	topic.num_partitions = (int32_t)s->partition_count;
	topic.replication_factor = (int16_t)s->replication_factor;
	topic.configs.v = configs;
	topic.configs.n = (int32_t)s->n_settings;
	kafka_create_topics_request_init(&request);
	request.topics.v = &topic;
	request.topics.n = 1;
	status = kafka_client_call(c, KAFKA_API_CREATE_TOPICS, encode_create_topics, &request,
				   decode_create_topics, &response);
	free(configs);
	if (status != CTL_OK)
		return status;
	if (response.topics.n != 1)
		return ctl_fail(-EBADMSG, "%s: the broker answers for another topic", name);
	if (response.topics.v[0].error_code == KAFKA_ERROR_TOPIC_ALREADY_EXISTS && s->if_not_exists)
		return CTL_OK;
	if (response.topics.v[0].error_code)
		return kafka_client_fail(response.topics.v[0].error_code,
					 response.topics.v[0].error_message, name);
	if (ctl->json)
		return ctl_print_json(json_pack("{sssi}", "topic", name, "partitions",
						(int)response.topics.v[0].num_partitions));
	printf("created topic %s\n", name);
	return CTL_OK;
}

int kafka_topic_create(struct ctl *ctl, char *const *names, size_t n,
		       const struct kafka_topic_settings *settings)
{
	struct kafka_client *c;
	int one, status = kafka_client_open(ctl, &c);

	if (status != CTL_OK)
		return status;
	for (size_t i = 0; i < n; i++) {
		one = create_one(ctl, c, names[i], settings);
		if (one != CTL_OK)
			status = one;
	}
	kafka_client_close(c);
	return status;
}

static int delete_one(struct ctl *ctl, struct kafka_client *c, const char *name, bool if_exists)
{
	struct kafka_delete_topics_request_topic topic;
	struct kafka_str name_str = kafka_str_from(name);
	struct kafka_delete_topics_request request;
	struct kafka_delete_topics_response response;
	int16_t code;
	int status;

	kafka_delete_topics_request_topic_init(&topic);
	topic.name = name_str;
	kafka_delete_topics_request_init(&request);
	request.topics.v = &topic;
	request.topics.n = 1;
	request.topic_names.v = &name_str;
	request.topic_names.n = 1;
	request.timeout_ms = 60000;
	status = kafka_client_call(c, KAFKA_API_DELETE_TOPICS, encode_delete_topics, &request,
				   decode_delete_topics, &response);
	if (status != CTL_OK)
		return status;
	if (response.responses.n != 1)
		return ctl_fail(-EBADMSG, "%s: the broker answers for another topic", name);
	code = response.responses.v[0].error_code;
	if (code == KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION && if_exists)
		return CTL_OK;
	if (code)
		return kafka_client_fail(code, response.responses.v[0].error_message, name);
	if (ctl->json)
		return ctl_print_json(json_pack("{ss}", "topic", name));
	printf("deleted topic %s\n", name);
	return CTL_OK;
}

int kafka_topic_delete(struct ctl *ctl, char *const *names, size_t n, bool if_exists)
{
	struct kafka_client *c;
	int one, status = kafka_client_open(ctl, &c);

	if (status != CTL_OK)
		return status;
	for (size_t i = 0; i < n; i++) {
		one = delete_one(ctl, c, names[i], if_exists);
		if (one != CTL_OK)
			status = one;
	}
	kafka_client_close(c);
	return status;
}

static int ask_metadata(struct kafka_client *c, const char *name,
			struct kafka_metadata_response *response)
{
	struct kafka_metadata_request_topic topic;
	struct kafka_metadata_request request;
	int status;

	kafka_metadata_request_topic_init(&topic);
	topic.name = kafka_str_from(name);
	kafka_metadata_request_init(&request);
	request.allow_auto_topic_creation = false;
	request.topics.v = &topic;
	request.topics.n = name ? 1 : -1;
	status = kafka_client_call(c, KAFKA_API_METADATA, encode_metadata, &request,
				   decode_metadata, response);
	if (status == CTL_OK && name && response->topics.n != 1)
		status = ctl_fail(-EBADMSG, "%s: the broker answers for another topic", name);
	return status;
}

static int compare_names(const void *a, const void *b)
{
	const struct kafka_metadata_response_topic *x = a, *y = b;
	size_t len = (size_t)(x->name.len < y->name.len ? x->name.len : y->name.len);
	int order = memcmp(x->name.p, y->name.p, len);

	return order ? order : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

static json_t *topic_json(const struct kafka_metadata_response_topic *t)
{
	char id_text[32];

	return json_pack("{sosssi}", "topic", ctl_string_json(t->name.p, (size_t)t->name.len), "id",
			 ctl_id_text(t->topic_id.b, id_text), "partitions", (int)t->partitions.n);
}

static int print_list(struct ctl *ctl, const struct kafka_metadata_response *m, bool quiet)
{
	static const char *const titles[] = {"TOPIC", "PARTITIONS", "REPLICAS", "ID"};
	const struct kafka_metadata_response_topic *t;
	json_t *list = json_array();
	struct ctl_table table;
	char id_text[32];

	if (m->topics.n > 0)
		qsort(m->topics.v, (size_t)m->topics.n, sizeof(*m->topics.v), compare_names);
	ctl_table_begin(&table, 4, titles);
	for (int32_t i = 0; i < m->topics.n; i++) {
		t = &m->topics.v[i];
		if (ctl->json)
			json_array_append_new(list, topic_json(t));
		else if (quiet)
			printf("%.*s\n", t->name.len, t->name.p);
		ctl_cell(&table, "%.*s", t->name.len, t->name.p);
		ctl_cell(&table, "%" PRId32, t->partitions.n);
		ctl_cell(&table, "%" PRId32,
			 t->partitions.n > 0 ? t->partitions.v[0].replica_nodes.n : 0);
		ctl_cell(&table, "%s", ctl_id_text(t->topic_id.b, id_text));
	}
	if (ctl->json || quiet) {
		ctl_table_free(&table);
		if (ctl->json)
			return ctl_print_json(json_pack("{so}", "topics", list));
		json_decref(list);
		return ctl_flush();
	}
	json_decref(list);
	return ctl_table_print(&table);
}

int kafka_topic_list(struct ctl *ctl, bool quiet)
{
	struct kafka_metadata_response response;
	struct kafka_client *c;
	int status = kafka_client_open(ctl, &c);

	if (status != CTL_OK)
		return status;
	status = ask_metadata(c, NULL, &response);
	if (status == CTL_OK)
		status = print_list(ctl, &response, quiet);
	kafka_client_close(c);
	return status;
}

static void join_nodes(const struct kafka_int32_array *nodes, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (int32_t i = 0; i < nodes->n && len + 16 < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%" PRId32, i ? "," : "",
					nodes->v[i]);
}

static json_t *nodes_json(const struct kafka_int32_array *nodes)
{
	json_t *list = json_array();

	for (int32_t i = 0; i < nodes->n; i++)
		json_array_append_new(list, json_integer(nodes->v[i]));
	return list;
}

static int compare_indexes(const void *a, const void *b)
{
	const struct kafka_metadata_response_partition *x = a, *y = b;

	return (x->partition_index > y->partition_index) -
	       (x->partition_index < y->partition_index);
}

static void add_partition(json_t *list, struct ctl_table *table,
			  const struct kafka_metadata_response_partition *p)
{
	char replicas[256], isr[256];

	json_array_append_new(
		list, json_pack("{sisisisoso}", "partition", (int)p->partition_index, "leader",
				(int)p->leader_id, "leader_epoch", (int)p->leader_epoch, "replicas",
				nodes_json(&p->replica_nodes), "isr", nodes_json(&p->isr_nodes)));
	join_nodes(&p->replica_nodes, replicas, sizeof(replicas));
	join_nodes(&p->isr_nodes, isr, sizeof(isr));
	ctl_cell(table, "%" PRId32, p->partition_index);
	ctl_cell(table, "%" PRId32, p->leader_id);
	ctl_cell(table, "%s", replicas);
	ctl_cell(table, "%s", isr);
	ctl_cell(table, "%s", p->error_code ? kafka_error_name(p->error_code) : "online");
}

/* The topic's own settings; what it has by default is not told. */
static int ask_settings(struct kafka_client *c, const char *name, json_t *settings)
{
	const struct kafka_describe_configs_response_config *config;
	struct kafka_describe_configs_request_resource resource;
	struct kafka_describe_configs_request request;
	struct kafka_describe_configs_response response;
	int status;
	char *key;

	kafka_describe_configs_request_resource_init(&resource);
	resource.resource_type = CONFIG_RESOURCE_TOPIC;
	resource.resource_name = kafka_str_from(name);
	resource.configuration_keys.n = -1;
	kafka_describe_configs_request_init(&request);
	request.resources.v = &resource;
	request.resources.n = 1;
	status = kafka_client_call(c, KAFKA_API_DESCRIBE_CONFIGS, encode_describe_configs, &request,
				   decode_describe_configs, &response);
	if (status != CTL_OK)
		return status;
	if (response.results.n != 1)
		return ctl_fail(-EBADMSG, "%s: the broker answers for another topic", name);
	if (response.results.v[0].error_code)
		return kafka_client_fail(response.results.v[0].error_code,
					 response.results.v[0].error_message, name);
	for (int32_t i = 0; i < response.results.v[0].configs.n; i++) {
		config = &response.results.v[0].configs.v[i];
		if (config->config_source != CONFIG_SOURCE_TOPIC || config->value.len < 0)
			continue;
		key = strndup(config->name.p, (size_t)config->name.len);
		if (!key)
			return ctl_fail(-ENOMEM, "out of memory");
		json_object_set_new(settings, key,
				    ctl_string_json(config->value.p, (size_t)config->value.len));
		free(key);
	}
	return CTL_OK;
}

static int print_description(struct ctl *ctl, json_t *object, json_t *settings, json_t *partitions,
			     struct ctl_table *table)
{
	const char *key;
	json_t *value;

	if (ctl->json) {
		ctl_table_free(table);
		json_object_set(object, "settings", settings);
		json_object_set(object, "partition_list", partitions);
		return ctl_print_json(json_incref(object));
	}
	printf("topic       %s\nid          %s\npartitions  %lld\n",
	       json_string_value(json_object_get(object, "topic")),
	       json_string_value(json_object_get(object, "id")),
	       (long long)json_integer_value(json_object_get(object, "partitions")));
	json_object_foreach(settings, key, value)
		printf("setting     %s=%s\n", key, json_string_value(value));
	putchar('\n');
	return ctl_table_print(table);
}

static int describe_one(struct ctl *ctl, struct kafka_client *c, const char *name)
{
	static const char *const titles[] = {"PARTITION", "LEADER", "REPLICAS", "ISR", "STATE"};
	json_t *object, *settings = json_object(), *partitions = json_array();
	struct kafka_metadata_response_topic *t;
	struct kafka_metadata_response m;
	struct ctl_table table;
	int status;

	status = ask_metadata(c, name, &m);
	if (status == CTL_OK && m.topics.v[0].error_code)
		status = kafka_client_fail(m.topics.v[0].error_code, (struct kafka_str){NULL, -1},
					   name);
	if (status != CTL_OK)
		goto free_json;
	t = &m.topics.v[0];
	object = topic_json(t);
	if (t->partitions.n > 0)
		qsort(t->partitions.v, (size_t)t->partitions.n, sizeof(*t->partitions.v),
		      compare_indexes);
	ctl_table_begin(&table, 5, titles);
	for (int32_t i = 0; i < t->partitions.n; i++)
		add_partition(partitions, &table, &t->partitions.v[i]);
	/* The next call takes the metadata away. */
	status = ask_settings(c, name, settings);
	if (status == CTL_OK)
		status = print_description(ctl, object, settings, partitions, &table);
	else
		ctl_table_free(&table);
	json_decref(object);
free_json:
	json_decref(settings);
	json_decref(partitions);
	return status;
}

int kafka_topic_describe(struct ctl *ctl, char *const *names, size_t n)
{
	struct kafka_client *c;
	int one, status = kafka_client_open(ctl, &c);

	if (status != CTL_OK)
		return status;
	for (size_t i = 0; i < n; i++) {
		one = describe_one(ctl, c, names[i]);
		if (one != CTL_OK)
			status = one;
	}
	kafka_client_close(c);
	return status;
}
