// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/served.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOPIC "t"

static struct kafka_uuid topic_id;

static int setup(void **state)
{
	(void)state;
	client_start(NULL);
	client_create(&client, TOPIC, 3, &topic_id);
	return 0;
}

/* Append a record with a value of @len bytes, all @fill, to a partition. */
static void append(int32_t partition, size_t len, char fill)
{
	struct client c;
	size_t size;
	char *value = malloc(len);
	uint8_t *batch;
	struct produce p;
	struct kafka_produce_response answer;

	memset(value, fill, len);
	batch = make_batch(value, len, &size);
	produce_init(&p, TOPIC, 1, batch, size);
	p.partition.index = partition;
	client_open(&c);
	CLIENT_CALL(&c, produce, KAFKA_API_PRODUCE, 9, &p.m, &answer);
	assert_int_equal(answer.responses.v[0].partition_responses.v[0].error_code, 0);
	client_close(&c);
	free(value);
	free(batch);
}

/** struct query - a fetch of all three partitions from offset 0 */
struct query {
	struct kafka_fetch_request_partition parts[3];
	struct kafka_fetch_request_topic topic;
	struct kafka_fetch_request m;
};

static void query_init(struct query *q, int n)
{
	kafka_fetch_request_init(&q->m);
	kafka_fetch_request_topic_init(&q->topic);
	for (int i = 0; i < 3; i++) {
		kafka_fetch_request_partition_init(&q->parts[i]);
		q->parts[i].partition = i;
		q->parts[i].fetch_offset = 0;
		q->parts[i].partition_max_bytes = 1 << 20;
	}
	q->topic.topic = kafka_str_from(TOPIC);
	q->topic.partitions.v = q->parts;
	q->topic.partitions.n = n;
	q->m.topics.v = &q->topic;
	q->m.topics.n = 1;
	q->m.max_wait_ms = 0;
	q->m.min_bytes = 1;
	q->m.max_bytes = 1 << 20;
}

static void fetch(struct query *q, int16_t version, struct kafka_fetch_response *ret)
{
	CLIENT_CALL(&client, fetch, KAFKA_API_FETCH, version, &q->m, ret);
}

static struct kafka_fetch_response_partition *part(const struct kafka_fetch_response *a, int i)
{
	return &a->responses.v[0].partitions.v[i];
}

/* The whole first batches of a partition's records, by the fields that the log sets. */
static int count_batches(struct kafka_bytes records)
{
	int n = 0;

	for (int32_t at = 0; at < records.len; n++) {
		struct sluice_batch b;

		assert_true(records.len - at >= SLUICE_BATCH_HEADER_LEN);
		assert_int_equal(sluice_batch_parse(records.p + at, INT32_MAX, &b), 0);
		assert_int_equal(port_crc32c(0, records.p + at + SLUICE_BATCH_CRC_START,
					     b.size - SLUICE_BATCH_CRC_START),
				 b.crc);
		at += (int32_t)b.size;
		assert_true(at <= records.len);
	}
	return n;
}

static void fetch__gives_what_was_appended(void **state)
{
	const int16_t versions[] = {4, 7, 11, 12};
	struct kafka_fetch_response a;
	struct query q;

	(void)state;
	append(0, 100, 'a');
	append(0, 200, 'b');
	append(2, 300, 'c');
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		query_init(&q, 3);
		fetch(&q, versions[i], &a);
		assert_int_equal(count_batches(part(&a, 0)->records), 2);
		assert_int_equal(part(&a, 0)->high_watermark, 2);
		assert_int_equal(part(&a, 0)->last_stable_offset, 2);
		assert_int_equal(part(&a, 1)->records.len, 0);
		assert_int_equal(part(&a, 1)->high_watermark, 0);
		assert_int_equal(count_batches(part(&a, 2)->records), 1);
		assert_non_null(memmem(part(&a, 2)->records.p, (size_t)part(&a, 2)->records.len,
				       "cccccccccccccccc", 16));
	}
	query_init(&q, 1);
	q.parts[0].fetch_offset = 1;
	fetch(&q, 12, &a);
	assert_int_equal(count_batches(part(&a, 0)->records), 1);
	assert_non_null(memchr(part(&a, 0)->records.p, 'b', (size_t)part(&a, 0)->records.len));
}

static void fetch__by_topic_id(void **state)
{
	struct kafka_fetch_response a;
	struct query q;

	(void)state;
	append(0, 100, 'a');
	query_init(&q, 1);
	q.topic.topic_id = topic_id;
	fetch(&q, 17, &a);
	assert_int_equal(count_batches(part(&a, 0)->records), 1);
	assert_memory_equal(&a.responses.v[0].topic_id, &topic_id, sizeof(topic_id));
	q.topic.topic_id.b[0] ^= 1;
	fetch(&q, 13, &a);
	assert_int_equal(part(&a, 0)->error_code, KAFKA_ERROR_UNKNOWN_TOPIC_ID);
	assert_int_equal(part(&a, 0)->high_watermark, -1);
}

static void fetch__errors_are_told_at_once(void **state)
{
	struct kafka_fetch_response a;
	struct query q;

	(void)state;
	append(0, 100, 'a');
	query_init(&q, 3);
	q.m.max_wait_ms = 30000;
	q.m.min_bytes = 1 << 20;
	q.parts[0].fetch_offset = 2;
	q.parts[1].partition = 3;
	q.parts[2].current_leader_epoch = 7;
	fetch(&q, 12, &a);
	assert_int_equal(part(&a, 0)->error_code, KAFKA_ERROR_OFFSET_OUT_OF_RANGE);
	assert_int_equal(part(&a, 1)->error_code, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(part(&a, 1)->aborted_transactions.n, 0);
	assert_int_equal(part(&a, 2)->error_code, KAFKA_ERROR_UNKNOWN_LEADER_EPOCH);
	q.topic.topic = kafka_str_from("nix");
	fetch(&q, 12, &a);
	assert_int_equal(part(&a, 0)->error_code, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
}

static void fetch__keeps_to_the_limits(void **state)
{
	struct kafka_fetch_response a;
	struct query q;
	int32_t one;

	(void)state;
	for (int i = 0; i < 3; i++) {
		append(i, 1000, 'a');
		append(i, 1000, 'b');
	}
	/* The first batch comes whole, however small the limit; nothing else then. */
	query_init(&q, 3);
	q.m.max_bytes = 10;
	fetch(&q, 12, &a);
	one = part(&a, 0)->records.len;
	assert_int_equal(count_batches(part(&a, 0)->records), 1);
	assert_int_equal(part(&a, 1)->records.len, 0);
	assert_int_equal(part(&a, 2)->records.len, 0);
	/* Room for two and a half: the half of one is left out. */
	q.m.max_bytes = one * 2 + one / 2;
	fetch(&q, 12, &a);
	assert_true(part(&a, 0)->records.len >= one * 2);
	assert_int_equal(part(&a, 1)->records.len, 0);
	/* A partition's own limit; not the first one's, if its first batch is larger. */
	q.m.max_bytes = 1 << 20;
	for (int i = 0; i < 3; i++)
		q.parts[i].partition_max_bytes = i ? one + 5 : 10;
	fetch(&q, 12, &a);
	assert_int_equal(part(&a, 0)->records.len, one);
	assert_in_range(part(&a, 1)->records.len, one, one + 5);
	q.parts[1].partition_max_bytes = one - 1;
	fetch(&q, 12, &a);
	assert_int_equal(part(&a, 1)->records.len, 0);
	assert_in_range(part(&a, 2)->records.len, one, one + 5);
	/* No data in the first: the second is the first with data. */
	q.parts[0].fetch_offset = 2;
	fetch(&q, 12, &a);
	assert_int_equal(part(&a, 0)->records.len, 0);
	assert_int_equal(part(&a, 1)->records.len, one);
}

static void fetch__waits_for_data(void **state)
{
	struct kafka_fetch_response a;
	struct query q;

	(void)state;
	query_init(&q, 3);
	q.m.max_wait_ms = 30000;
	CLIENT_SEND(&client, fetch, KAFKA_API_FETCH, 12, &q.m);
	client_quiet(&client, 100);
	append(1, 50, 'x');
	CLIENT_RECEIVE(&client, fetch, KAFKA_API_FETCH, 12, &a);
	assert_int_equal(count_batches(part(&a, 1)->records), 1);
	/* And for enough of it. */
	q.parts[1].fetch_offset = 1;
	q.m.min_bytes = 400;
	CLIENT_SEND(&client, fetch, KAFKA_API_FETCH, 12, &q.m);
	append(1, 50, 'x');
	client_quiet(&client, 100);
	append(0, 500, 'x');
	CLIENT_RECEIVE(&client, fetch, KAFKA_API_FETCH, 12, &a);
	assert_int_equal(count_batches(part(&a, 0)->records), 1);
	assert_int_equal(count_batches(part(&a, 1)->records), 1);
}

static void fetch__gives_up_waiting(void **state)
{
	struct kafka_fetch_response a;
	struct query q;

	(void)state;
	append(0, 50, 'x');
	query_init(&q, 3);
	q.m.max_wait_ms = 50;
	q.m.min_bytes = 10000;
	for (int i = 0; i < 3; i++) {
		fetch(&q, 12, &a);
		assert_int_equal(count_batches(part(&a, 0)->records), 1);
		assert_int_equal(part(&a, 1)->error_code, 0);
	}
}

static void fetch__many_wait_for_the_same(void **state)
{
	struct client waiting[20];
	struct kafka_fetch_response a;
	struct query q;

	(void)state;
	query_init(&q, 1);
	q.m.max_wait_ms = 30000;
	for (int i = 0; i < 20; i++) {
		client_open(&waiting[i]);
		CLIENT_SEND(&waiting[i], fetch, KAFKA_API_FETCH, 12, &q.m);
	}
	client_quiet(&waiting[19], 50);
	/* Some go away before. */
	for (int i = 0; i < 20; i += 4)
		client_close(&waiting[i]);
	append(0, 50, 'x');
	for (int i = 0; i < 20; i++) {
		if (i % 4 == 0)
			continue;
		CLIENT_RECEIVE(&waiting[i], fetch, KAFKA_API_FETCH, 12, &a);
		assert_int_equal(count_batches(part(&a, 0)->records), 1);
		client_close(&waiting[i]);
	}
}

static void delete_topic(void)
{
	struct kafka_delete_topics_response deleted;
	struct kafka_delete_topics_request m;
	struct kafka_str name = kafka_str_from(TOPIC);
	struct client c;

	client_open(&c);
	kafka_delete_topics_request_init(&m);
	m.topic_names.v = &name;
	m.topic_names.n = 1;
	CLIENT_CALL(&c, delete_topics, KAFKA_API_DELETE_TOPICS, 5, &m, &deleted);
	assert_int_equal(deleted.responses.v[0].error_code, 0);
	client_close(&c);
}

static void fetch__ends_when_the_topic_goes(void **state)
{
	struct kafka_fetch_response a;
	struct query q;

	(void)state;
	query_init(&q, 3);
	q.m.max_wait_ms = 30000;
	CLIENT_SEND(&client, fetch, KAFKA_API_FETCH, 12, &q.m);
	client_quiet(&client, 50);
	delete_topic();
	CLIENT_RECEIVE(&client, fetch, KAFKA_API_FETCH, 12, &a);
	assert_int_equal(part(&a, 0)->error_code, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
}

/* A topic of the same name is another one: nothing of the old one is served. */
static void fetch__after_delete_and_create(void **state)
{
	struct kafka_fetch_response a;
	struct query q;

	(void)state;
	append(0, 100, 'o');
	query_init(&q, 1);
	fetch(&q, 12, &a);
	assert_int_equal(count_batches(part(&a, 0)->records), 1);
	delete_topic();
	client_create(&client, TOPIC, 3, NULL);
	append(0, 100, 'n');
	fetch(&q, 12, &a);
	assert_int_equal(count_batches(part(&a, 0)->records), 1);
	assert_null(memmem(part(&a, 0)->records.p, (size_t)part(&a, 0)->records.len, "oooo", 4));
	assert_non_null(
		memmem(part(&a, 0)->records.p, (size_t)part(&a, 0)->records.len, "nnnn", 4));
}

static void fetch__tells_of_a_missing_file(void **state)
{
	struct kafka_fetch_response a;
	struct query q;
	char path[256];

	(void)state;
	append(0, 100, 'o');
	append(1, 100, 'o');
	snprintf(path, sizeof(path), "%s/" TOPIC "-0/00000000000000000000.log", served_dir());
	assert_int_equal(unlink(path), 0);
	query_init(&q, 2);
	fetch(&q, 12, &a);
	assert_int_equal(part(&a, 0)->error_code, KAFKA_ERROR_KAFKA_STORAGE_ERROR);
	assert_int_equal(part(&a, 0)->records.len, 0);
	assert_int_equal(count_batches(part(&a, 1)->records), 1);
}

static unsigned int replacements;

/* Give the segment's name to a copy of its file, so often as is asked for. */
static void replace_segment(void)
{
	char path[256], copy[256], bytes[4096];
	int from, to;
	ssize_t n;

	if (!replacements)
		return;
	replacements--;
	snprintf(path, sizeof(path), "%s/" TOPIC "-0/00000000000000000000.log", served_dir());
	snprintf(copy, sizeof(copy), "%s/copy", served_dir());
	from = open(path, O_RDONLY);
	to = open(copy, O_CREAT | O_EXCL | O_WRONLY, 0600);
	n = read(from, bytes, sizeof(bytes));
	assert_true(n > 0 && n < (ssize_t)sizeof(bytes));
	assert_int_equal(write(to, bytes, (size_t)n), n);
	assert_int_equal(rename(copy, path), 0);
	close(from);
	close(to);
}

/* Between the look-up and open(2) the name becomes another file's, as compaction does. */
static void fetch__after_a_replacement(void **state)
{
	struct kafka_fetch_response a;
	struct query q;

	(void)state;
	append(0, 100, 'a');
	append(1, 100, 'b');
	query_init(&q, 2);
	user_fault.after_fetch = replace_segment;
	for (unsigned int i = 0; i < 5; i++) {
		replacements = i;
		fetch(&q, 12, &a);
		assert_int_equal(part(&a, 0)->error_code, 0);
		assert_int_equal(count_batches(part(&a, 0)->records), 1);
		assert_int_equal(count_batches(part(&a, 1)->records), 1);
	}
	/* The first finds the file open. The second gives up some time. */
	replacements = 1000;
	fetch(&q, 12, &a);
	assert_int_equal(part(&a, 0)->error_code, 0);
	fetch(&q, 12, &a);
	assert_int_equal(part(&a, 0)->error_code, KAFKA_ERROR_KAFKA_STORAGE_ERROR);
	assert_int_equal(part(&a, 0)->records.len, 0);
	assert_int_equal(count_batches(part(&a, 1)->records), 1);
}

static void fetch__sessions(void **state)
{
	struct kafka_fetch_response a;
	struct client other;
	struct query q;
	int32_t id;

	(void)state;
	query_init(&q, 2);
	fetch(&q, 12, &a);
	assert_int_equal(a.session_id, 0);
	q.m.session_epoch = 0;
	fetch(&q, 12, &a);
	assert_int_equal(a.error_code, 0);
	id = a.session_id;
	assert_true(id > 0);
	/* Nothing is asked again, and what has news is told, on whatever connection. */
	append(1, 100, 'x');
	client_open(&other);
	q.m.topics.n = 0;
	q.m.session_id = id;
	q.m.session_epoch = 1;
	CLIENT_CALL(&other, fetch, KAFKA_API_FETCH, 12, &q.m, &a);
	assert_int_equal(a.session_id, id);
	assert_int_equal(a.responses.n, 1);
	assert_int_equal(a.responses.v[0].partitions.n, 1);
	assert_int_equal(part(&a, 0)->partition_index, 1);
	assert_int_equal(count_batches(part(&a, 0)->records), 1);
	client_close(&other);
	/* One that waits is woken by a partition that only the session knows. */
	query_init(&q, 2);
	q.parts[1].fetch_offset = 1;
	q.m.session_id = id;
	q.m.session_epoch = 2;
	fetch(&q, 12, &a);
	assert_int_equal(a.responses.n, 0);
	q.m.topics.n = 0;
	q.m.session_epoch = 3;
	q.m.max_wait_ms = 30000;
	CLIENT_SEND(&client, fetch, KAFKA_API_FETCH, 12, &q.m);
	usleep(50000);
	append(0, 100, 'y');
	CLIENT_RECEIVE(&client, fetch, KAFKA_API_FETCH, 12, &a);
	assert_int_equal(a.responses.n, 1);
	assert_int_equal(part(&a, 0)->partition_index, 0);
	fetch(&q, 12, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_INVALID_FETCH_SESSION_EPOCH);
	q.m.session_id ^= 1;
	fetch(&q, 12, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND);
	assert_int_equal(a.session_id, 0);
	assert_int_equal(a.responses.n, 0);
}

/* Larger than the socket's buffers, so that sending stops and goes on. */
static void fetch__large(void **state)
{
	struct kafka_fetch_response a;
	struct query q;

	(void)state;
	for (int i = 0; i < 20; i++)
		append(0, 1000000, (char)('a' + i));
	query_init(&q, 1);
	q.m.max_bytes = 40 << 20;
	q.parts[0].partition_max_bytes = 40 << 20;
	CLIENT_SEND(&client, fetch, KAFKA_API_FETCH, 12, &q.m);
	usleep(200000);
	CLIENT_RECEIVE(&client, fetch, KAFKA_API_FETCH, 12, &a);
	assert_int_equal(count_batches(part(&a, 0)->records), 20);
}

static int16_t list_version(int16_t version, int32_t partition, int32_t epoch, int64_t timestamp,
			    int64_t *ret_offset, int64_t *ret_timestamp)
{
	struct kafka_list_offsets_request_partition p = {.partition_index = partition,
							 .current_leader_epoch = epoch,
							 .timestamp = timestamp};
	struct kafka_list_offsets_request_topic t = {.name = kafka_str_from(TOPIC)};
	struct kafka_list_offsets_request m;
	struct kafka_list_offsets_response a;

	kafka_list_offsets_request_init(&m);
	m.replica_id = -1;
	t.partitions.v = &p;
	t.partitions.n = 1;
	m.topics.v = &t;
	m.topics.n = 1;
	CLIENT_CALL(&client, list_offsets, KAFKA_API_LIST_OFFSETS, version, &m, &a);
	*ret_offset = a.topics.v[0].partitions.v[0].offset;
	*ret_timestamp = a.topics.v[0].partitions.v[0].timestamp;
	return a.topics.v[0].partitions.v[0].error_code;
}

static int16_t list(int32_t partition, int32_t epoch, int64_t timestamp, int64_t *ret_offset,
		    int64_t *ret_timestamp)
{
	return list_version(7, partition, epoch, timestamp, ret_offset, ret_timestamp);
}

static void append_at(int64_t timestamp)
{
	struct sluice_record_out record = {
		.timestamp = timestamp, .key_len = -1, .value = "v", .value_len = 1};
	size_t len = sluice_batch_build_size(&record);
	uint8_t *batch = malloc(len);

	sluice_batch_build(batch, len, &record);
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, NULL), 0);
	free(batch);
}

static void list_offsets__times(void **state)
{
	const int64_t times[] = {1000, 5000, 3000, 9000, 7000};
	int64_t offset, timestamp;

	(void)state;
	assert_int_equal(list(0, -1, -3, &offset, &timestamp), 0);
	assert_int_equal(offset, -1);
	assert_int_equal(list(0, -1, 0, &offset, &timestamp), 0);
	assert_int_equal(offset, -1);
	for (int i = 0; i < 5; i++)
		append_at(times[i]);
	assert_int_equal(list(0, -1, -1, &offset, &timestamp), 0);
	assert_int_equal(offset, 5);
	assert_int_equal(timestamp, -1);
	assert_int_equal(list(0, -1, -2, &offset, &timestamp), 0);
	assert_int_equal(offset, 0);
	assert_int_equal(list(0, -1, 1001, &offset, &timestamp), 0);
	assert_int_equal(offset, 1);
	assert_int_equal(timestamp, 5000);
	assert_int_equal(list(0, -1, 5001, &offset, &timestamp), 0);
	assert_int_equal(offset, 3);
	assert_int_equal(list(0, -1, 9001, &offset, &timestamp), 0);
	assert_int_equal(offset, -1);
	assert_int_equal(timestamp, -1);
	assert_int_equal(list(0, -1, -3, &offset, &timestamp), 0);
	assert_int_equal(offset, 3);
	assert_int_equal(timestamp, 9000);
}

/* Each special timestamp from the version on that brought it; ListOffsetsRequest.json. */
static void list_offsets__special_timestamps(void **state)
{
	static const struct {
		int64_t timestamp;
		int16_t since;
		int64_t offset;
	} special[] = {{-1, 1, 2}, {-2, 1, 0}, {-3, 7, 1}, {-4, 8, 0}, {-5, 9, -1}, {-6, 11, -1}};
	int64_t offset, timestamp;

	(void)state;
	append_at(1000);
	append_at(2000);
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		for (int16_t v = 1; v <= 11; v++) {
			int16_t code =
				list_version(v, 0, -1, special[i].timestamp, &offset, &timestamp);

			assert_int_equal(code, v < special[i].since
						       ? KAFKA_ERROR_UNSUPPORTED_VERSION
						       : KAFKA_ERROR_NONE);
			assert_int_equal(offset, v < special[i].since ? -1 : special[i].offset);
		}
	}
	assert_int_equal(list_version(11, 0, -1, -7, &offset, &timestamp),
			 KAFKA_ERROR_UNSUPPORTED_VERSION);
}

static void set_leader_epoch(int32_t epoch)
{
	struct kern_topic t = {.leader_epoch = epoch};
	struct kern *k;

	memcpy(t.id, topic_id.b, sizeof(t.id));
	assert_int_equal(kern_open(&k), 0);
	assert_int_equal(kern_topic_set(k, &t), 0);
	kern_close(k);
}

static int16_t epoch_end(int32_t partition, int32_t current, int32_t epoch, int32_t *ret_epoch,
			 int64_t *ret_end)
{
	struct kafka_offset_for_leader_epoch_request_partition p = {
		.partition = partition,
		.current_leader_epoch = current,
		.leader_epoch = epoch,
	};
	struct kafka_offset_for_leader_epoch_request_topic t = {.topic = kafka_str_from(TOPIC)};
	struct kafka_offset_for_leader_epoch_request m;
	struct kafka_offset_for_leader_epoch_response a;

	kafka_offset_for_leader_epoch_request_init(&m);
	t.partitions.v = &p;
	t.partitions.n = 1;
	m.topics.v = &t;
	m.topics.n = 1;
	CLIENT_CALL(&client, offset_for_leader_epoch, KAFKA_API_OFFSET_FOR_LEADER_EPOCH, 4, &m, &a);
	assert_int_equal(a.topics.n, 1);
	assert_int_equal(a.topics.v[0].partitions.v[0].partition, partition);
	*ret_epoch = a.topics.v[0].partitions.v[0].leader_epoch;
	*ret_end = a.topics.v[0].partitions.v[0].end_offset;
	return a.topics.v[0].partitions.v[0].error_code;
}

/* As LeaderEpochFileCache.endOffsetFor. */
static void offset_for_leader_epoch__ends(void **state)
{
	int32_t epoch;
	int64_t end;

	(void)state;
	append(0, 10, 'a');
	append(0, 10, 'a');
	set_leader_epoch(3);
	append(0, 10, 'b');
	assert_int_equal(epoch_end(0, -1, 0, &epoch, &end), 0);
	assert_int_equal(epoch, 0);
	assert_int_equal(end, 2);
	assert_int_equal(epoch_end(0, -1, 2, &epoch, &end), 0);
	assert_int_equal(epoch, 0);
	assert_int_equal(end, 2);
	assert_int_equal(epoch_end(0, -1, 3, &epoch, &end), 0);
	assert_int_equal(epoch, 3);
	assert_int_equal(end, 3);
	assert_int_equal(epoch_end(0, -1, 4, &epoch, &end), 0);
	assert_int_equal(epoch, -1);
	assert_int_equal(end, -1);
}

static void offset_for_leader_epoch__errors(void **state)
{
	int32_t epoch;
	int64_t end;

	(void)state;
	assert_int_equal(epoch_end(3, -1, 0, &epoch, &end), KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(epoch, -1);
	assert_int_equal(end, -1);
	assert_int_equal(epoch_end(0, 7, 0, &epoch, &end), KAFKA_ERROR_UNKNOWN_LEADER_EPOCH);
	/* The leader's epoch has begun, though there is nothing of it; no other one has. */
	assert_int_equal(epoch_end(0, -1, 0, &epoch, &end), 0);
	assert_int_equal(epoch, 0);
	assert_int_equal(end, 0);
	assert_int_equal(epoch_end(0, -1, 1, &epoch, &end), 0);
	assert_int_equal(epoch, -1);
	assert_int_equal(end, -1);
}

static void list_offsets__errors(void **state)
{
	int64_t offset, timestamp;

	(void)state;
	assert_int_equal(list(3, -1, -1, &offset, &timestamp),
			 KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(offset, -1);
	assert_int_equal(list(0, 9, -1, &offset, &timestamp), KAFKA_ERROR_UNKNOWN_LEADER_EPOCH);
	assert_int_equal(list(0, 0, -1, &offset, &timestamp), 0);
	assert_int_equal(list(0, -2, -1, &offset, &timestamp), KAFKA_ERROR_FENCED_LEADER_EPOCH);
	assert_int_equal(list(0, -1, -99, &offset, &timestamp), KAFKA_ERROR_UNSUPPORTED_VERSION);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fetch__gives_what_was_appended),
		TEST(fetch__by_topic_id),
		TEST(fetch__errors_are_told_at_once),
		TEST(fetch__keeps_to_the_limits),
		TEST(fetch__waits_for_data),
		TEST(fetch__gives_up_waiting),
		TEST(fetch__many_wait_for_the_same),
		TEST(fetch__ends_when_the_topic_goes),
		TEST(fetch__after_delete_and_create),
		TEST(fetch__tells_of_a_missing_file),
		TEST(fetch__after_a_replacement),
		TEST(fetch__sessions),
		TEST(fetch__large),
		TEST(list_offsets__times),
		TEST(list_offsets__errors),
		TEST(offset_for_leader_epoch__ends),
		TEST(offset_for_leader_epoch__errors),
		TEST(list_offsets__special_timestamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
