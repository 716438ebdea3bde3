// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl config: settings of a broker, over the Kafka protocol.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/sluicectl/kafka_client.h"

#define CHANGES_MAX	       100
#define CONFIG_RESOURCE_BROKER 4
#define CONFIG_SET	       0
#define CONFIG_DELETE	       1
#define OPTION_ALL_BROKERS     CTL_OPTION_FIRST_FREE
#define BOOTSTRAP_DEFAULT      "localhost:9092"

KAFKA_CLIENT_MESSAGE(metadata)
KAFKA_CLIENT_MESSAGE(describe_configs)
KAFKA_CLIENT_MESSAGE(incremental_alter_configs)

typedef struct kafka_describe_configs_response_config described;

/** struct options - of the command line; @name: the resource: a broker's number, or "" */
struct options {
	struct kafka_incremental_alter_configs_request_config changes[CHANGES_MAX];
	int32_t n;
	bool all_brokers;
	char name[16];
};

static int add_change(struct ctl *ctl, struct options *o, const char *key, const char *value)
{
	struct kafka_incremental_alter_configs_request_config *c = &o->changes[o->n];

	if (o->n == CHANGES_MAX)
		return ctl_usage(ctl, "more than %d settings", CHANGES_MAX);
	kafka_incremental_alter_configs_request_config_init(c);
	c->name = kafka_str_from(key);
	c->value = kafka_str_from(value);
	c->config_operation = value ? CONFIG_SET : CONFIG_DELETE;
	o->n++;
	return -1;
}

static int parse_option(struct ctl *ctl, struct options *o, int option)
{
	char *value;

	switch (option) {
	case 'c':
		value = strchr(optarg, '=');
		if (!value || value == optarg)
			return ctl_usage(ctl, "-c takes KEY=VALUE, not '%s'", optarg);
		*value++ = '\0';
		return add_change(ctl, o, optarg, value);
	case 'd': return add_change(ctl, o, optarg, NULL);
	case OPTION_ALL_BROKERS: o->all_brokers = true; return -1;
	}
	return ctl_common_option(ctl, option);
}

/* A broker answers for itself alone, under its number. */
static int ask_name(struct kafka_client *c, struct options *o)
{
	struct kafka_metadata_request request;
	struct kafka_metadata_response response;
	int status;

	if (o->all_brokers)
		return CTL_OK;
	kafka_metadata_request_init(&request);
	request.topics.n = 0;
	status = kafka_client_call(c, KAFKA_API_METADATA, encode_metadata, &request,
				   decode_metadata, &response);
	if (status != CTL_OK)
		return status;
	if (response.brokers.n != 1)
		return ctl_fail(-EOPNOTSUPP, "there are %" PRId32 " brokers: only --all-brokers",
				response.brokers.n);
	snprintf(o->name, sizeof(o->name), "%" PRId32, response.brokers.v[0].node_id);
	return CTL_OK;
}

static int change(struct kafka_client *c, const struct options *o)
{
	struct kafka_incremental_alter_configs_request_resource resource;
	struct kafka_incremental_alter_configs_request request;
	struct kafka_incremental_alter_configs_response response;
	int status;

	kafka_incremental_alter_configs_request_resource_init(&resource);
	resource.resource_type = CONFIG_RESOURCE_BROKER;
	resource.resource_name = kafka_str_from(o->name);
	resource.configs.v = (void *)o->changes;
	resource.configs.n = o->n;
	kafka_incremental_alter_configs_request_init(&request);
	request.resources.v = &resource;
	request.resources.n = 1;
	status = kafka_client_call(c, KAFKA_API_INCREMENTAL_ALTER_CONFIGS,
				   encode_incremental_alter_configs, &request,
				   decode_incremental_alter_configs, &response);
	if (status != CTL_OK)
		return status;
	if (response.responses.n != 1)
		return ctl_fail(-EBADMSG, "the broker answers for something else");
	if (response.responses.v[0].error_code)
		return kafka_client_fail(response.responses.v[0].error_code,
					 response.responses.v[0].error_message, NULL);
	return CTL_OK;
}

static const char *source_text(int8_t source)
{
	switch (source) {
	case 2: return "broker";
	case 3: return "all brokers";
	case 4: return "file";
	case 5: return "default";
	}
	return "other";
}

static int print_settings(struct ctl *ctl, const struct options *o, const described *v, int32_t n)
{
	static const char *const titles[] = {"SETTING", "VALUE", "FROM", "CHANGES"};
	json_t *settings = json_object();
	struct ctl_table table;

	ctl_table_begin(&table, 4, titles);
	for (int32_t i = 0; i < n; i++) {
		int key_len = v[i].name.len, value_len = v[i].value.len > 0 ? v[i].value.len : 0;
		const char *from = source_text(v[i].config_source);
		char *key = strndup(v[i].name.p, (size_t)key_len);

		if (key)
			json_object_set_new(
				settings, key,
				json_pack("{sosssb}", "value",
					  v[i].value.len < 0 ? json_null()
							     : ctl_string_json(v[i].value.p,
									       (size_t)value_len),
					  "from", from, "read_only", (int)v[i].read_only));
		free(key);
		ctl_cell(&table, "%.*s", key_len, v[i].name.p);
		ctl_cell(&table, "%.*s", value_len, v[i].value.p);
		ctl_cell(&table, "%s", from);
		ctl_cell(&table, "%s", v[i].read_only ? "by restart" : "at once");
	}
	if (ctl->json) {
		ctl_table_free(&table);
		return ctl_print_json(json_pack("{ssso}", "broker", o->name, "settings", settings));
	}
	json_decref(settings);
	return ctl_table_print(&table);
}

static int show(struct ctl *ctl, struct kafka_client *c, const struct options *o)
{
	struct kafka_describe_configs_request_resource resource;
	struct kafka_describe_configs_request request;
	struct kafka_describe_configs_response response;
	int status;

	kafka_describe_configs_request_resource_init(&resource);
	resource.resource_type = CONFIG_RESOURCE_BROKER;
	resource.resource_name = kafka_str_from(o->name);
	resource.configuration_keys.n = -1;
	kafka_describe_configs_request_init(&request);
	request.resources.v = &resource;
	request.resources.n = 1;
	status = kafka_client_call(c, KAFKA_API_DESCRIBE_CONFIGS, encode_describe_configs, &request,
				   decode_describe_configs, &response);
	if (status != CTL_OK)
		return status;
	if (response.results.n != 1)
		return ctl_fail(-EBADMSG, "the broker answers for something else");
	if (response.results.v[0].error_code)
		return kafka_client_fail(response.results.v[0].error_code,
					 response.results.v[0].error_message, NULL);
	return print_settings(ctl, o, response.results.v[0].configs.v,
			      response.results.v[0].configs.n);
}

static int run(struct ctl *ctl, struct options *o)
{
	struct kafka_client *c;
	int status = kafka_client_open(ctl, &c);

	if (status != CTL_OK)
		return status;
	status = ask_name(c, o);
	if (status == CTL_OK && o->n)
		status = change(c, o);
	/* After a change what was changed is known; JSON tells it all the same. */
	if (status == CTL_OK && (!o->n || ctl->json))
		status = show(ctl, c, o);
	kafka_client_close(c);
	return status;
}

int cmd_config(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG_OPTIONS,
		{"config", required_argument, NULL, 'c'},
		{"delete", required_argument, NULL, 'd'},
		{"all-brokers", no_argument, NULL, OPTION_ALL_BROKERS},
		{0}};
	static struct options o;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:d:" CTL_SHORT_OPTIONS, options, NULL)) != -1) {
		status = parse_option(ctl, &o, option);
		if (status >= 0)
			return status;
	}
	if (argc != optind)
		return ctl_usage(ctl, "what is '%s'?", argv[optind]);
	if (!ctl->bootstrap)
		ctl->bootstrap = BOOTSTRAP_DEFAULT;
	return run(ctl, &o);
}
