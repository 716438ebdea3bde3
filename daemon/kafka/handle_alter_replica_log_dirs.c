// SPDX-License-Identifier: Apache-2.0
/* AlterReplicaLogDirs: there is one data directory, in which every log lies already. */
#include <errno.h>
#include <string.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/worker.h"

typedef struct kafka_alter_replica_log_dirs_request_dir dir_in;
typedef struct kafka_alter_replica_log_dirs_request_topic topic_in;
typedef struct kafka_alter_replica_log_dirs_response_result result_out;

static int16_t check(const struct request *r, const dir_in *dir, const struct image_topic *topic,
		     int32_t index)
{
	const char *log_dir = r->worker->broker->config->log_dir;
	bool known = topic && index >= 0 && index < topic->partition_count;

	if (!kafka_str_equal(dir->path, kafka_str_from(log_dir)) &&
	    !(topic && kafka_str_equal(dir->path, kafka_str_from(topic->data_dir))))
		return KAFKA_ERROR_LOG_DIR_NOT_FOUND;
	return known ? KAFKA_ERROR_NONE : KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
}

static int answer_topic(struct request *r, const dir_in *dir, const topic_in *in, result_out *out)
{
	const struct image_topic *topic =
		image_by_name(r->worker->image, in->name.p, (size_t)in->name.len);

	kafka_alter_replica_log_dirs_response_result_init(out);
	out->topic_name = in->name;
	out->partitions.v = request_alloc(r, (size_t)in->partitions.n, sizeof(*out->partitions.v));
	if (!out->partitions.v)
		return -ENOMEM;
	out->partitions.n = in->partitions.n;
	for (int32_t i = 0; i < in->partitions.n; i++) {
		out->partitions.v[i].partition_index = in->partitions.v[i];
		out->partitions.v[i].error_code = check(r, dir, topic, in->partitions.v[i]);
	}
	return 0;
}

static int answer(struct request *r, const struct kafka_alter_replica_log_dirs_request *m,
		  struct kafka_alter_replica_log_dirs_response *answer)
{
	size_t n = 0;
	int err = 0;

	for (int32_t i = 0; i < m->dirs.n; i++)
		n += (size_t)m->dirs.v[i].topics.n;
	answer->results.v = request_alloc(r, n, sizeof(*answer->results.v));
	if (!answer->results.v)
		return -ENOMEM;
	for (int32_t i = 0; i < m->dirs.n; i++) {
		const dir_in *dir = &m->dirs.v[i];

		for (int32_t j = 0; j < dir->topics.n && !err; j++)
			err = answer_topic(r, dir, &dir->topics.v[j],
					   &answer->results.v[answer->results.n++]);
	}
	return err;
}

enum handled handle_alter_replica_log_dirs(struct request *r)
{
	struct kafka_alter_replica_log_dirs_request m;
	struct kafka_alter_replica_log_dirs_response out;
	int err = kafka_alter_replica_log_dirs_request_decode(&r->body, &r->arena,
							      request_version(r), &m);

	kafka_alter_replica_log_dirs_response_init(&out);
	if (!err)
		err = answer(r, &m, &out);
	if (err)
		return request_malformed(r, err);
	kafka_alter_replica_log_dirs_response_encode(response_begin(r), request_version(r), &out);
	return response_end(r);
}
