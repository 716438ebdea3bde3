// SPDX-License-Identifier: Apache-2.0
/* DeleteTopics: by name, or from version 6 on also by id. */
#include <string.h>

#include "daemon/controller/controller.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/names.h"
#include "daemon/kafka/request_text.h"
#include "daemon/worker.h"

/** struct delete_call - a request at work; in its arena */
struct delete_call {
	struct controller_call call;
	struct request *request;
	struct kafka_delete_topics_request m;
	struct names names;
	struct kafka_delete_topics_response answer;
};

/* Kinds of names. */
#define BY_NAME 0
#define BY_ID	1

static struct kafka_str id_text(const void *id)
{
	return (struct kafka_str){.p = id, .len = sizeof(((struct kafka_uuid *)0)->b)};
}

static void fail(struct kafka_delete_topics_response_topic *out, int16_t code, const char *why)
{
	out->error_code = code;
	out->error_message = kafka_str_from(why);
}

/* Whether the request has the topic twice: which of the two would be answered is not clear. */
static bool named_twice(const struct delete_call *dc, const struct image_topic *topic,
			const struct kafka_delete_topics_response_topic *out)
{
	bool by_id = out->name.len < 0;

	if (by_id ? names_twice(&dc->names, BY_ID, id_text(out->topic_id.b))
		  : names_twice(&dc->names, BY_NAME, out->name))
		return true;
	if (!topic)
		return false;
	return by_id ? names_has(&dc->names, BY_NAME, kafka_str_from(topic->name))
		     : names_has(&dc->names, BY_ID, id_text(topic->id));
}

static void delete_one(struct controller *c, const struct delete_call *dc,
		       struct kafka_delete_topics_response_topic *out)
{
	struct request *r = dc->request;
	bool by_id = !kafka_uuid_is_zero(&out->topic_id);
	const struct image_topic *topic;
	struct log_dir_error err;
	int ret;

	if (!r->worker->broker->config->delete_topics) {
		fail(out, KAFKA_ERROR_TOPIC_DELETION_DISABLED, NULL);
		return;
	}
	if (by_id == (out->name.len >= 0)) {
		fail(out, KAFKA_ERROR_INVALID_REQUEST, "a topic is named by name or by id");
		return;
	}
	topic = by_id ? controller_topic_by_id(c, out->topic_id.b)
		      : controller_topic(c, out->name.p, (size_t)out->name.len);
	if (named_twice(dc, topic, out)) {
		fail(out, KAFKA_ERROR_INVALID_REQUEST, "the request names the topic twice");
		return;
	}
	if (!topic) {
		fail(out,
		     by_id ? KAFKA_ERROR_UNKNOWN_TOPIC_ID : KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION,
		     NULL);
		return;
	}
	out->name = kafka_str_from(request_copy_text(r, topic->name));
	memcpy(out->topic_id.b, topic->id, sizeof(out->topic_id.b));
	ret = controller_topic_delete(c, topic, &err);
	if (ret)
		fail(out, kafka_error_from_errno(ret), request_copy_text(r, err.text));
}

static void work(struct controller *c, struct controller_call *call)
{
	struct delete_call *dc = list_entry(call, struct delete_call, call);

	for (int32_t i = 0; i < dc->answer.responses.n; i++)
		delete_one(c, dc, &dc->answer.responses.v[i]);
	names_free(&dc->names);
}

static void reply(struct controller_call *call)
{
	struct delete_call *dc = list_entry(call, struct delete_call, call);
	struct request *r = dc->request;

	kafka_delete_topics_response_encode(response_begin(r), request_version(r), &dc->answer);
	request_finish(r, response_end(r));
}

/* Both forms of the request as the answer's elements. */
static int prepare(struct delete_call *dc)
{
	bool old = request_version(dc->request) < 6;
	int32_t n = old ? dc->m.topic_names.n : dc->m.topics.n;

	kafka_delete_topics_response_init(&dc->answer);
	dc->answer.responses.v =
		request_alloc(dc->request, (size_t)n, sizeof(*dc->answer.responses.v));
	if (!dc->answer.responses.v)
		return -ENOMEM;
	dc->answer.responses.n = n;
	for (int32_t i = 0; i < n; i++) {
		struct kafka_delete_topics_response_topic *out = &dc->answer.responses.v[i];

		kafka_delete_topics_response_topic_init(out);
		out->name = old ? dc->m.topic_names.v[i] : dc->m.topics.v[i].name;
		if (!old)
			out->topic_id = dc->m.topics.v[i].topic_id;
		if (out->name.len >= 0
			    ? names_note(&dc->names, dc->request, BY_NAME, out->name)
			    : names_note(&dc->names, dc->request, BY_ID, id_text(out->topic_id.b)))
			return -ENOMEM;
	}
	return 0;
}

enum handled handle_delete_topics(struct request *r)
{
	struct delete_call *dc = request_alloc(r, 1, sizeof(*dc));
	int err = dc ? 0 : -ENOMEM;

	if (!err)
		err = kafka_delete_topics_request_decode(&r->body, &r->arena, request_version(r),
							 &dc->m);
	if (!err) {
		dc->request = r;
		err = prepare(dc);
	}
	if (err) {
		if (dc)
			names_free(&dc->names);
		return request_malformed(r, err);
	}
	return request_park(r, &dc->call, work, reply);
}
