// SPDX-License-Identifier: Apache-2.0
/*
 * CreateTopics: checked and made by the controller's thread; the answer tells
 * the settings of each new topic.
 */
#include <string.h>

#include "daemon/controller/controller.h"
#include "daemon/kafka/config_view.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/names.h"
#include "daemon/kafka/request_text.h"
#include "daemon/log/log_dir_open.h"
#include "daemon/log/topic_config.h"
#include "daemon/worker.h"

#define PARTITIONS_MAX 100000

/** struct create_call - a request at work; in its arena */
struct create_call {
	struct controller_call call;
	struct request *request;
	struct kafka_create_topics_request m;
	struct names names;
	struct kafka_create_topics_response answer;
};

/** struct new_topic - one topic of a request, as it is to be made */
struct new_topic {
	const char *name;
	uint32_t partition_count;
	struct log_dir_setting *settings;
	size_t n_settings;
};

static int16_t fail(struct kafka_create_topics_response_topic *out, int16_t code, const char *why)
{
	out->error_code = code;
	out->error_message = kafka_str_from(why);
	return code;
}

/* Replicas chosen by hand: every partition from 0 on once, and always this broker alone. */
static int16_t check_assignments(const struct config *config,
				 const struct kafka_create_topics_request_topic *in,
				 struct kafka_create_topics_response_topic *out)
{
	for (int32_t i = 0; i < in->assignments.n; i++) {
		const struct kafka_create_topics_request_assignment *a = &in->assignments.v[i];

		if (a->partition_index < 0 || a->partition_index >= in->assignments.n)
			return fail(out, KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT,
				    "the partitions must be numbered from 0 without a gap");
		for (int32_t j = 0; j < i; j++) {
			if (in->assignments.v[j].partition_index == a->partition_index)
				return fail(out, KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT,
					    "a partition is assigned twice");
		}
		if (a->broker_ids.n != 1 || a->broker_ids.v[0] != config->node_id)
			return fail(out, KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT,
				    "this broker is the only one that replicas can be assigned to");
	}
	return KAFKA_ERROR_NONE;
}

static int16_t check_size(const struct create_call *cc,
			  const struct kafka_create_topics_request_topic *in,
			  struct kafka_create_topics_response_topic *out, struct new_topic *t)
{
	const struct config *config = cc->request->worker->broker->config;
	int32_t count = in->num_partitions;
	int16_t replicas = in->replication_factor;

	if (in->assignments.n > 0) {
		if (count != -1 || replicas != -1)
			return fail(
				out, KAFKA_ERROR_INVALID_REQUEST,
				"with assignments, partitions and replication factor must be -1");
		t->partition_count = (uint32_t)in->assignments.n;
		if (t->partition_count > PARTITIONS_MAX)
			return fail(out, KAFKA_ERROR_INVALID_PARTITIONS,
				    "at most 100000 partitions");
		return check_assignments(config, in, out);
	}
	if (count == -1)
		count = config->num_partitions;
	if (replicas == -1)
		replicas = config->default_replication_factor;
	if (count < 1 || count > PARTITIONS_MAX)
		return fail(out, KAFKA_ERROR_INVALID_PARTITIONS,
			    "the number of partitions must be 1 to 100000, or -1 for the default");
	if (replicas != 1)
		return fail(out, KAFKA_ERROR_INVALID_REPLICATION_FACTOR,
			    "the replication factor must be 1: there is one broker");
	t->partition_count = (uint32_t)count;
	return KAFKA_ERROR_NONE;
}

static int16_t check_settings(const struct create_call *cc,
			      const struct kafka_create_topics_request_topic *in,
			      struct kafka_create_topics_response_topic *out, struct new_topic *t)
{
	struct request *r = cc->request;
	struct log_dir_error err;
	const char *why;

	t->settings = request_alloc(r, (size_t)in->configs.n, sizeof(*t->settings));
	if (!t->settings)
		return fail(out, KAFKA_ERROR_UNKNOWN_SERVER_ERROR, "out of memory");
	for (int32_t i = 0; i < in->configs.n; i++) {
		struct log_dir_setting *s = &t->settings[i];

		if (in->configs.v[i].value.len < 0)
			return fail(out, KAFKA_ERROR_INVALID_CONFIG, "a setting has no value");
		s->key = request_text(r, in->configs.v[i].name);
		s->value = request_text(r, in->configs.v[i].value);
		if (!s->key || !s->value)
			return fail(out, KAFKA_ERROR_INVALID_CONFIG,
				    "a setting has a NUL character in it");
		if (topic_config_check_kafka(s->key, s->value, &why)) {
			log_dir_fail(&err, -EINVAL, "%.100s=%.100s: %s", s->key, s->value, why);
			return fail(out, KAFKA_ERROR_INVALID_CONFIG,
				    request_copy_text(r, err.text));
		}
		t->n_settings++;
	}
	if (log_dir_topic_check(t->name, t->partition_count, t->settings, t->n_settings, &err))
		return fail(out, KAFKA_ERROR_INVALID_CONFIG, request_copy_text(r, err.text));
	return KAFKA_ERROR_NONE;
}

static int16_t check_name(struct controller *c, const struct create_call *cc, int32_t index,
			  struct kafka_create_topics_response_topic *out, struct new_topic *t)
{
	struct kafka_str name = cc->m.topics.v[index].name;
	struct log_dir_error err;

	if (names_twice(&cc->names, CONFIG_RESOURCE_TOPIC, name))
		return fail(out, KAFKA_ERROR_INVALID_REQUEST, "the request names the topic twice");
	t->name = request_text(cc->request, name);
	if (!t->name)
		return fail(out, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION,
			    "the name has a NUL character in it");
	if (log_dir_topic_check(t->name, 1, NULL, 0, &err))
		return fail(out, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION,
			    request_copy_text(cc->request, err.text));
	if (controller_topic(c, name.p, (size_t)name.len))
		return fail(out, KAFKA_ERROR_TOPIC_ALREADY_EXISTS, "the topic exists already");
	return KAFKA_ERROR_NONE;
}

static int16_t make(struct controller *c, const struct create_call *cc, const struct new_topic *t,
		    struct kafka_create_topics_response_topic *out)
{
	struct log_dir_error err;
	int ret;

	if (cc->m.validate_only)
		return KAFKA_ERROR_NONE;
	ret = controller_topic_create(c, t->name, t->partition_count, t->settings, t->n_settings,
				      out->topic_id.b, &err);
	if (!ret)
		return KAFKA_ERROR_NONE;
	/* Everything of the request was checked: what is left is the broker's trouble. */
	return fail(out,
		    ret == -EINVAL ? KAFKA_ERROR_UNKNOWN_SERVER_ERROR : kafka_error_from_errno(ret),
		    request_copy_text(cc->request, err.text));
}

/* Which settings the topic has now; that they cannot be told is no error. */
static void tell_settings(struct controller *c, const struct create_call *cc,
			  const struct new_topic *t, struct kafka_create_topics_response_topic *out)
{
	size_t n;
	const struct topic_config_item *items = topic_config_items(&n);

	out->num_partitions = (int32_t)t->partition_count;
	out->replication_factor = 1;
	out->configs.v = request_alloc(cc->request, n, sizeof(*out->configs.v));
	if (!out->configs.v)
		return;
	out->configs.n = (int32_t)n;
	for (size_t i = 0; i < n; i++) {
		struct kafka_create_topics_response_config *config = &out->configs.v[i];

		kafka_create_topics_response_config_init(config);
		config->name = kafka_str_from(items[i].key);
		/* A copy: the answer is written when other settings may be in force. */
		config->value = kafka_str_from(request_copy_text(
			cc->request, config_in_force(controller_config(c), &items[i], t->settings,
						     t->n_settings, &config->config_source)));
	}
}

static void work(struct controller *c, struct controller_call *call)
{
	struct create_call *cc = list_entry(call, struct create_call, call);

	for (int32_t i = 0; i < cc->m.topics.n; i++) {
		const struct kafka_create_topics_request_topic *in = &cc->m.topics.v[i];
		struct kafka_create_topics_response_topic *out = &cc->answer.topics.v[i];
		struct new_topic t = {0};

		kafka_create_topics_response_topic_init(out);
		out->name = in->name;
		out->error_message = kafka_str_from(NULL);
		if (!check_name(c, cc, i, out, &t) && !check_size(cc, in, out, &t) &&
		    !check_settings(cc, in, out, &t) && !make(c, cc, &t, out))
			tell_settings(c, cc, &t, out);
	}
	names_free(&cc->names);
}

static void reply(struct controller_call *call)
{
	struct create_call *cc = list_entry(call, struct create_call, call);
	struct request *r = cc->request;

	kafka_create_topics_response_encode(response_begin(r), request_version(r), &cc->answer);
	request_finish(r, response_end(r));
}

static int prepare(struct create_call *cc)
{
	struct request *r = cc->request;
	int err =
		kafka_create_topics_request_decode(&r->body, &r->arena, request_version(r), &cc->m);

	for (int32_t i = 0; !err && i < cc->m.topics.n; i++)
		err = names_note(&cc->names, r, CONFIG_RESOURCE_TOPIC, cc->m.topics.v[i].name);
	if (err)
		return err;
	kafka_create_topics_response_init(&cc->answer);
	cc->answer.topics.n = cc->m.topics.n;
	cc->answer.topics.v =
		request_alloc(r, (size_t)cc->m.topics.n, sizeof(*cc->answer.topics.v));
	return cc->answer.topics.v ? 0 : -ENOMEM;
}

enum handled handle_create_topics(struct request *r)
{
	struct create_call *cc = request_alloc(r, 1, sizeof(*cc));
	int err;

	if (!cc)
		return request_malformed(r, -ENOMEM);
	cc->request = r;
	err = prepare(cc);
	if (err) {
		names_free(&cc->names);
		return request_malformed(r, err);
	}
	return request_park(r, &cc->call, work, reply);
}
