// SPDX-License-Identifier: Apache-2.0
/*
 * DescribeTopicPartitions: topics in the order of their names, page by page.
 * The rules are those of Kafka's DescribeTopicPartitionsRequestHandler.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/kafka/authorized_operations.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/request_text.h"
#include "daemon/log/log_dir.h"
#include "daemon/worker.h"

typedef struct kafka_describe_topic_partitions_response_topic topic_out;
typedef struct kafka_describe_topic_partitions_response_partition partition_out;

/**
 * struct page - a request at work
 * @names: of the topics that are asked for, sorted, each once; @n_names
 * @all: no topic was named: those that are gone meanwhile are left out
 * @room: partitions that still fit
 * @full: the next page begins here
 */
struct page {
	struct request *request;
	struct kafka_describe_topic_partitions_request m;
	struct kafka_describe_topic_partitions_response answer;
	struct kafka_str *names;
	size_t n_names;
	struct kafka_int32_array this_node;
	int32_t room;
	bool all;
	bool full;
};

static int compare(struct kafka_str a, struct kafka_str b)
{
	size_t len = (size_t)(a.len < b.len ? a.len : b.len);
	int order = len ? memcmp(a.p, b.p, len) : 0;

	return order ? order : a.len - b.len;
}

static int compare_names(const void *a, const void *b)
{
	return compare(*(const struct kafka_str *)a, *(const struct kafka_str *)b);
}

static bool before_cursor(const struct page *p, struct kafka_str name)
{
	return p->m.has_cursor && compare(name, p->m.cursor.topic_name) < 0;
}

static int collect_all(struct page *p)
{
	size_t n;
	const struct image_topic *topics = image_topics(p->request->worker->image, &n);

	p->names = request_alloc(p->request, n, sizeof(*p->names));
	if (!p->names)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct kafka_str name = kafka_str_from(topics[i].name);

		if (!before_cursor(p, name))
			p->names[p->n_names++] = name;
	}
	return 0;
}

static int collect_named(struct page *p)
{
	size_t n = (size_t)p->m.topics.n, kept = 0;

	p->names = request_alloc(p->request, n, sizeof(*p->names));
	if (!p->names)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!before_cursor(p, p->m.topics.v[i].name))
			p->names[p->n_names++] = p->m.topics.v[i].name;
	}
	qsort(p->names, p->n_names, sizeof(*p->names), compare_names);
	for (size_t i = 0; i < p->n_names; i++) {
		if (!i || compare(p->names[i], p->names[kept - 1]))
			p->names[kept++] = p->names[i];
	}
	p->n_names = kept;
	return 0;
}

static void end_page(struct page *p, struct kafka_str topic, int32_t partition)
{
	p->full = true;
	p->answer.has_next_cursor = true;
	p->answer.next_cursor.topic_name = topic;
	p->answer.next_cursor.partition_index = partition;
}

static void fill_partition(const struct page *p, const struct image_topic *topic, int32_t index,
			   partition_out *out)
{
	kafka_describe_topic_partitions_response_partition_init(out);
	out->partition_index = index;
	out->leader_id = p->this_node.v[0];
	out->leader_epoch = topic->leader_epoch;
	out->replica_nodes = p->this_node;
	out->isr_nodes = p->this_node;
	out->eligible_leader_replicas.n = 0;
	out->last_known_elr.n = 0;
}

static int fill_topic(struct page *p, const struct image_topic *topic, struct kafka_str name)
{
	topic_out *out = &p->answer.topics.v[p->answer.topics.n++];
	bool goes_on = p->m.has_cursor && !compare(name, p->m.cursor.topic_name);
	int32_t from = goes_on ? p->m.cursor.partition_index : 0;
	int32_t n = topic->partition_count > from ? topic->partition_count - from : 0;

	if (n > p->room)
		n = p->room;
	out->name = name;
	memcpy(out->topic_id.b, topic->id, sizeof(out->topic_id.b));
	out->is_internal = image_topic_internal(topic);
	out->topic_authorized_operations = AUTHORIZED_ON_TOPIC;
	out->partitions.v = request_alloc(p->request, (size_t)n, sizeof(*out->partitions.v));
	if (!out->partitions.v)
		return -ENOMEM;
	out->partitions.n = n;
	for (int32_t i = 0; i < n; i++)
		fill_partition(p, topic, from + i, &out->partitions.v[i]);
	p->room -= n;
	if (from + n < topic->partition_count)
		end_page(p, name, from + n);
	return 0;
}

static void fill_missing(struct page *p, struct kafka_str name)
{
	const char *text = request_text(p->request, name);
	struct log_dir_error err;
	topic_out *out;

	if (p->all)
		return;
	out = &p->answer.topics.v[p->answer.topics.n++];
	out->name = name;
	out->error_code = text && !log_dir_topic_check(text, 1, NULL, 0, &err)
				  ? KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION
				  : KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
}

static int fill(struct page *p)
{
	struct request *r = p->request;

	for (size_t i = 0; i < p->n_names && !p->full; i++) {
		struct kafka_str name = p->names[i];
		const struct image_topic *topic =
			image_by_name(r->worker->image, name.p, (size_t)name.len);

		if (!p->room) {
			end_page(p, name, 0);
			break;
		}
		kafka_describe_topic_partitions_response_topic_init(
			&p->answer.topics.v[p->answer.topics.n]);
		if (!topic)
			fill_missing(p, name);
		else if (fill_topic(p, topic, name))
			return -ENOMEM;
	}
	return 0;
}

/* The page cannot begin where the cursor says. */
static bool cursor_is_bad(const struct page *p)
{
	if (!p->m.has_cursor)
		return false;
	if (p->m.cursor.partition_index < 0)
		return true;
	return !p->all && (!p->n_names || compare(p->names[0], p->m.cursor.topic_name));
}

static void refuse(struct page *p)
{
	for (int32_t i = 0; i < p->m.topics.n; i++) {
		topic_out *out = &p->answer.topics.v[p->answer.topics.n++];

		kafka_describe_topic_partitions_response_topic_init(out);
		out->name = p->m.topics.v[i].name;
		out->error_code = KAFKA_ERROR_INVALID_REQUEST;
	}
}

static int make_page(struct page *p)
{
	struct request *r = p->request;
	const struct config *config = r->worker->broker->config;
	size_t n;
	int err;

	p->all = !p->m.topics.n;
	p->room = p->m.response_partition_limit;
	if (p->room > config->describe_partitions_max)
		p->room = config->describe_partitions_max;
	if (p->room < 1)
		p->room = 1;
	err = p->all ? collect_all(p) : collect_named(p);
	if (err)
		return err;
	n = p->n_names > (size_t)p->m.topics.n ? p->n_names : (size_t)p->m.topics.n;
	p->answer.topics.v = request_alloc(r, n, sizeof(*p->answer.topics.v));
	p->this_node.v = request_alloc(r, 1, sizeof(*p->this_node.v));
	if (!p->answer.topics.v || !p->this_node.v)
		return -ENOMEM;
	p->this_node.v[0] = config->node_id;
	p->this_node.n = 1;
	if (!cursor_is_bad(p))
		return fill(p);
	refuse(p);
	return 0;
}

enum handled handle_describe_topic_partitions(struct request *r)
{
	struct page p = {.request = r};
	int err = kafka_describe_topic_partitions_request_decode(&r->body, &r->arena,
								 request_version(r), &p.m);

	kafka_describe_topic_partitions_response_init(&p.answer);
	if (!err)
		err = make_page(&p);
	if (err)
		return request_malformed(r, err);
	kafka_describe_topic_partitions_response_encode(response_begin(r), request_version(r),
							&p.answer);
	return response_end(r);
}
