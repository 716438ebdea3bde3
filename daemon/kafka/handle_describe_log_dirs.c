// SPDX-License-Identifier: Apache-2.0
/* DescribeLogDirs: how large each log is, and the volumes of the data directories. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "daemon/controller/controller.h"
#include "daemon/kafka/config_view.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/names.h"
#include "daemon/kafka/request_text.h"
#include "daemon/worker.h"

typedef struct kafka_describe_log_dirs_request_topic topic_in;
typedef struct kafka_describe_log_dirs_response_result result_out;
typedef struct kafka_describe_log_dirs_response_topic topic_out;

/**
 * struct describe_call - a request at work; in its arena
 * @room: for how many topics each result has room
 */
struct describe_call {
	struct controller_call call;
	struct request *request;
	struct kafka_describe_log_dirs_request m;
	struct kafka_describe_log_dirs_response answer;
	size_t room;
};

static void tell_volume(result_out *out, const char *path)
{
	struct statvfs st;

	if (statvfs(path, &st)) {
		out->error_code = KAFKA_ERROR_KAFKA_STORAGE_ERROR;
		return;
	}
	out->total_bytes = (int64_t)(st.f_blocks * st.f_frsize);
	out->usable_bytes = (int64_t)(st.f_bavail * st.f_frsize);
}

/* There are few: a daemon has one, and what else is attached in its namespace. */
static result_out *result_of(struct describe_call *dc, const char *path)
{
	struct kafka_str name = kafka_str_from(path);
	result_out *all, *out;
	int32_t n = dc->answer.results.n;

	for (int32_t i = 0; i < n; i++) {
		if (kafka_str_equal(dc->answer.results.v[i].log_dir, name))
			return &dc->answer.results.v[i];
	}
	all = request_alloc(dc->request, (size_t)n + 1, sizeof(*all));
	if (!all)
		return NULL;
	if (n)
		memcpy(all, dc->answer.results.v, (size_t)n * sizeof(*all));
	dc->answer.results.v = all;
	out = &all[n];
	kafka_describe_log_dirs_response_result_init(out);
	out->log_dir = kafka_str_from(request_copy_text(dc->request, path));
	out->topics.v = request_alloc(dc->request, dc->room, sizeof(*out->topics.v));
	if (out->log_dir.len < 0 || !out->topics.v)
		return NULL;
	dc->answer.results.n++;
	tell_volume(out, path);
	return out;
}

/* By partition: is it asked for. NULL: no memory. */
static bool *asked_for(const struct describe_call *dc, const topic_in *in, size_t n)
{
	bool *asked = request_alloc(dc->request, n, sizeof(*asked));

	for (size_t i = 0; asked && !in && i < n; i++)
		asked[i] = true;
	for (int32_t i = 0; asked && in && i < in->partitions.n; i++) {
		if (in->partitions.v[i] >= 0 && (size_t)in->partitions.v[i] < n)
			asked[in->partitions.v[i]] = true;
	}
	return asked;
}

static int fill(struct describe_call *dc, const topic_in *in, const struct image_topic *topic,
		const struct kern_partition *partitions, size_t n)
{
	size_t count = (size_t)topic->partition_count;
	result_out *result = result_of(dc, topic->data_dir);
	bool *asked = asked_for(dc, in, count);
	topic_out *out;

	if (!result || !asked)
		return -ENOMEM;
	out = &result->topics.v[result->topics.n];
	kafka_describe_log_dirs_response_topic_init(out);
	out->name = kafka_str_from(request_copy_text(dc->request, topic->name));
	out->partitions.v = request_alloc(dc->request, n, sizeof(*out->partitions.v));
	if (out->name.len < 0 || !out->partitions.v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (partitions[i].index < count && asked[partitions[i].index])
			out->partitions.v[out->partitions.n++] =
				(struct kafka_describe_log_dirs_response_partition){
					.partition_index = (int32_t)partitions[i].index,
					.partition_size = (int64_t)partitions[i].size_bytes,
				};
	}
	if (out->partitions.n)
		result->topics.n++;
	return 0;
}

/* A topic that is not there, or not any more, is not named. */
static int describe(struct describe_call *dc, struct controller *c, const topic_in *in,
		    const struct image_topic *topic)
{
	struct kern_partition *partitions;
	size_t n;
	int ret;

	if (!topic)
		return 0;
	ret = controller_partitions(c, topic, &partitions, &n);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = fill(dc, in, topic, partitions, n);
	kern_partitions_free(partitions);
	return ret;
}

/* A topic that is named twice is described as it is named first: each costs a dump. */
static int describe_named(struct describe_call *dc, struct controller *c)
{
	struct names seen = {0};
	int ret = 0;

	for (int32_t i = 0; i < dc->m.topics.n && !ret; i++) {
		const topic_in *in = &dc->m.topics.v[i];

		ret = names_note(&seen, dc->request, CONFIG_RESOURCE_TOPIC, in->topic);
		if (!ret && !names_twice(&seen, CONFIG_RESOURCE_TOPIC, in->topic))
			ret = describe(dc, c, in,
				       controller_topic(c, in->topic.p, (size_t)in->topic.len));
	}
	names_free(&seen);
	return ret;
}

static int describe_all(struct describe_call *dc, struct controller *c,
			const struct image_topic *topics, size_t n)
{
	int ret = 0;

	for (size_t i = 0; i < n && !ret; i++)
		ret = describe(dc, c, NULL, &topics[i]);
	return ret;
}

static int add_own(struct describe_call *dc)
{
	char *path = realpath(dc->request->worker->broker->config->log_dir, NULL);
	int ret = 0;

	if (!path)
		return -errno;
	if (!result_of(dc, path))
		ret = -ENOMEM;
	free(path);
	return ret;
}

static void work(struct controller *c, struct controller_call *call)
{
	struct describe_call *dc = list_entry(call, struct describe_call, call);
	size_t n;
	const struct image_topic *topics = controller_topics(c, &n);
	bool all = dc->m.topics.n < 0;
	int ret;

	dc->room = all ? n : (size_t)dc->m.topics.n;
	ret = add_own(dc);
	if (!ret)
		ret = all ? describe_all(dc, c, topics, n) : describe_named(dc, c);
	if (ret) {
		dc->answer.error_code = KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
		dc->answer.results.n = 0;
	}
}

static void reply(struct controller_call *call)
{
	struct describe_call *dc = list_entry(call, struct describe_call, call);
	struct request *r = dc->request;

	kafka_describe_log_dirs_response_encode(response_begin(r), request_version(r), &dc->answer);
	request_finish(r, response_end(r));
}

enum handled handle_describe_log_dirs(struct request *r)
{
	struct describe_call *dc = request_alloc(r, 1, sizeof(*dc));
	int err = dc ? 0 : -ENOMEM;

	if (!err)
		err = kafka_describe_log_dirs_request_decode(&r->body, &r->arena,
							     request_version(r), &dc->m);
	if (err)
		return request_malformed(r, err);
	dc->request = r;
	return request_park(r, &dc->call, work, reply);
}
