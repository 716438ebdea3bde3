// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <linux/sluice_netlink.h>

#include "daemon/core/diag.h"
#include "daemon/group/offsets_log.h"
#include "daemon/log/segment_find.h"
#include "kmod/log/record.h"

#define EVENTS_AT_ONCE 32
#define SEGMENT_FDS    8

/* Read at once, and between two looks at what else is to be done. */
#define LOAD_BYTES (1u << 20)

/* When it is tried again to read partitions that could not be read. */
#define RETRY_MS 5000

/* What is to be done about a partition. */
enum part_state {
	PART_TO_READ,
	PART_READ,
	PART_FAILED,
};

static struct diag_limit append_limit;
static struct diag_limit load_limit;

/** struct topic_write - a batch that waits for its receipt */
struct topic_write {
	struct parked_produce parked;
	struct group_write *w;
	int16_t code;
};

static void read_events(struct offsets_log *l)
{
	struct sluice_event events[EVENTS_AT_ONCE];
	int n;

	do {
		n = data_socket_events(l->data, events, EVENTS_AT_ONCE);
		for (int i = 0; i < n; i++) {
			if (events[i].type == SLUICE_EVENT_RECEIPT)
				produce_purgatory_receipt(&l->writes, &events[i]);
		}
	} while (n == EVENTS_AT_ONCE);
}

static void on_data(struct reactor_fd *rfd, uint32_t events)
{
	(void)events;
	read_events(list_entry(rfd, struct offsets_log, data_io));
}

/* What a client is told when the topic cannot be written; as Kafka translates it. */
static int16_t client_code(int err)
{
	switch (err) {
	case 0: return KAFKA_ERROR_NONE;
	case -EMSGSIZE: return KAFKA_ERROR_INVALID_COMMIT_OFFSET_SIZE;
	case -EIO:
	case -EROFS: return KAFKA_ERROR_NOT_COORDINATOR;
	default: return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	}
}

static void on_receipt(struct parked_produce *parked, uint32_t index, const struct sluice_event *ev)
{
	struct topic_write *tw = list_entry(parked, struct topic_write, parked);

	(void)index;
	tw->code = client_code(ev->error);
}

static void on_written(struct parked_produce *parked)
{
	struct topic_write *tw = list_entry(parked, struct topic_write, parked);
	struct group_write *w = tw->w;
	int16_t code = tw->code;

	free(tw);
	w->done(w, code);
}

static struct sluice_record_out record_out(const struct group_record *r, int64_t wall_ms)
{
	return (struct sluice_record_out){
		.timestamp = wall_ms,
		.key = r->key.p,
		.key_len = r->key.len,
		.value = r->value.p,
		.value_len = r->value.len,
	};
}

static size_t size_record(const struct group_record *r, size_t index, int64_t wall_ms,
			  struct sluice_record_size *ret)
{
	const struct sluice_record_out out = record_out(r, wall_ms);

	ret->parts = sluice_record_parts_size(&out);
	sluice_record_size_at(ret, 0, (int32_t)index);
	return ret->whole;
}

/* A batch of the records; NULL: no memory. */
static uint8_t *build_batch(const struct group_record *records, size_t n, int64_t wall_ms,
			    size_t *ret_len)
{
	struct sluice_batch b = {
		.leader_epoch = -1,
		.attributes = SLUICE_COMPRESSION_NONE,
		.last_offset_delta = (int32_t)n - 1,
		.base_timestamp = wall_ms,
		.max_timestamp = wall_ms,
		.producer_id = -1,
		.producer_epoch = -1,
		.base_sequence = -1,
		.record_count = (int32_t)n,
	};
	struct sluice_record_size size;
	size_t at = SLUICE_BATCH_HEADER_LEN;
	uint8_t *batch;

	*ret_len = at;
	for (size_t i = 0; i < n; i++)
		*ret_len += size_record(&records[i], i, wall_ms, &size);
	batch = malloc(*ret_len);
	if (!batch)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct sluice_record_out out = record_out(&records[i], wall_ms);

		size_record(&records[i], i, wall_ms, &size);
		/* It can fail for records that are read from elsewhere only. */
		if (sluice_record_write(batch + at, &out, &size, 0, (int32_t)i, true)) {
			free(batch);
			return NULL;
		}
		at += size.whole;
	}
	b.size = (uint32_t)*ret_len;
	sluice_batch_write_header(batch, &b);
	return batch;
}

/* As acks=all would wait: the coordinator answers when the offset cannot be lost any more. */
static uint32_t receipt_for(const struct image_topic *topic)
{
	return topic->config.durability == SLUICE_DURABILITY_CACHE ? SLUICE_RECEIPT_APPENDED
								   : SLUICE_RECEIPT_DURABLE;
}

static int append(struct offsets_log *l, int32_t partition, const uint8_t *batch, size_t len,
		  struct topic_write *tw)
{
	int err = 0;

	for (int tries = 0; tries < 2; tries++) {
		err = data_socket_append(l->data, l->topic->id, partition, batch, len,
					 receipt_for(l->topic), produce_cookie(&tw->parked, 0));
		if (err != -ENOBUFS)
			break;
		read_events(l);
	}
	return err;
}

int16_t offsets_log_append(struct offsets_log *l, int32_t partition,
			   const struct group_record *records, size_t n, int64_t wall_ms,
			   struct group_write *w)
{
	struct topic_write *tw = calloc(1, sizeof(*tw));
	uint8_t *batch;
	size_t len;
	int err = -ENOMEM;

	if (!tw || !l->topic) {
		free(tw);
		return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	}
	tw->w = w;
	/* If no receipt comes in time; the client tries again then. */
	tw->code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	tw->parked.receipt = on_receipt;
	tw->parked.wake = on_written;
	batch = build_batch(records, n, wall_ms, &len);
	if (batch && !produce_begin(&l->writes, &tw->parked))
		err = append(l, partition, batch, len, tw);
	free(batch);
	if (!err) {
		tw->parked.outstanding = 1;
		produce_park(&tw->parked, l->reactor->now_ms + l->timeout_ms);
		return KAFKA_ERROR_NONE;
	}
	produce_end(&tw->parked);
	free(tw);
	diag_limited(&append_limit, DIAG_ERROR, "cannot write to %s-%d: %s", OFFSETS_TOPIC,
		     partition, strerror(-err));
	return client_code(err);
}

/* One more range of the partition. Returns 0 at its end, 1 if there is more, or -errno. */
static int load_some(struct offsets_log *l)
{
	struct sluice_fetch f = {
		.partition = l->loading,
		.max_bytes = LOAD_BYTES,
		.offset = l->offset,
		.flags = SLUICE_FETCH_MIN_ONE,
	};
	struct segment_file *file;
	int64_t used;
	ssize_t n;
	int err;

	memcpy(f.topic_id, l->topic->id, sizeof(f.topic_id));
	err = data_socket_fetch(l->data, &f, 1);
	if (!err)
		err = f.error;
	if (err == -ERANGE && f.log_start_offset > l->offset) {
		l->offset = f.log_start_offset;
		return 1;
	}
	if (!err)
		err = segment_find(l->data, &l->segments, l->topic, &f, &file);
	if (err || !file)
		return err;
	free(l->buf);
	l->buf = malloc(f.bytes);
	n = l->buf ? pread(file->fd, l->buf, f.bytes, f.position) : -1;
	err = n < 0 ? -errno : 0;
	segment_file_put(&l->segments, file);
	if (err)
		return err;
	used = replay_bytes(&l->replay, l->coordinator, l->loading, l->buf, (size_t)n, &l->offset,
			    &l->n_damaged);
	if (used < 0)
		return (int)used;
	/* The range has a whole batch, unless the file is shorter than the log says. */
	return used ? 1 : -EIO;
}

/* The next partition to be read, or none. */
static int32_t next_to_read(const struct offsets_log *l)
{
	int32_t i = 0;

	while (i < l->coordinator->n_partitions && l->parts[i] != PART_TO_READ)
		i++;
	return i;
}

static void load_done(struct offsets_log *l)
{
	free(l->buf);
	l->buf = NULL;
	for (int32_t i = 0; i < l->coordinator->n_partitions; i++) {
		if (l->parts[i] == PART_FAILED)
			timer_set(&l->reactor->timers, &l->retry, l->reactor->now_ms + RETRY_MS);
	}
	if (l->n_damaged)
		diag(DIAG_WARNING, "%s has %llu records that cannot be read; they were left out",
		     OFFSETS_TOPIC, (unsigned long long)l->n_damaged);
}

/* What was appended before the daemon ended, and not synced, must not be told and then be lost. */
static int make_durable(struct offsets_log *l)
{
	if (l->offset || receipt_for(l->topic) != SLUICE_RECEIPT_DURABLE)
		return 0;
	return data_socket_flush(l->data, l->topic->id, l->loading);
}

static void retry_failed(struct timer *t)
{
	struct offsets_log *l = list_entry(t, struct offsets_log, retry);

	for (int32_t i = 0; i < l->coordinator->n_partitions; i++) {
		if (l->parts[i] != PART_FAILED)
			continue;
		l->parts[i] = PART_TO_READ;
		coordinator_reopen(l->coordinator, i);
	}
	l->loading = next_to_read(l);
	l->n_damaged = 0;
	reactor_defer(l->reactor, &l->load);
}

static void load_task(struct reactor_task *t)
{
	struct offsets_log *l = list_entry(t, struct offsets_log, load);
	int ret;

	if (!l->topic)
		return;
	ret = make_durable(l);
	if (!ret)
		ret = load_some(l);
	if (ret <= 0) {
		replay_forget(&l->replay);
		if (ret) {
			diag_limited(
				&load_limit, DIAG_ERROR,
				"cannot read %s-%d: %s; its groups cannot be served until that "
				"works",
				OFFSETS_TOPIC, l->loading, strerror(-ret));
			coordinator_close(l->coordinator, l->loading);
		} else {
			coordinator_loaded(l->coordinator, l->loading);
		}
		l->parts[l->loading] = ret ? PART_FAILED : PART_READ;
		l->loading = next_to_read(l);
		l->offset = 0;
	}
	if (l->loading < l->coordinator->n_partitions)
		reactor_defer(l->reactor, &l->load);
	else
		load_done(l);
}

static void load_begin(struct offsets_log *l)
{
	uint8_t *parts = calloc((size_t)l->topic->partition_count, sizeof(*parts));

	if (!parts || coordinator_open(l->coordinator, l->topic->partition_count)) {
		free(parts);
		diag(DIAG_ERROR, "no memory to read %s", OFFSETS_TOPIC);
		return;
	}
	free(l->parts);
	l->parts = parts;
	l->loading = 0;
	l->offset = 0;
	l->n_damaged = 0;
	l->load.fn = load_task;
	reactor_defer(l->reactor, &l->load);
}

/*
 * The offsets of topics that were deleted go. A topic whose whole data directory
 * was detached is not deleted, only away.
 */
static void find_deleted(struct offsets_log *l, const struct image *before)
{
	size_t n;
	const struct image_topic *topics = image_topics(before, &n);

	for (size_t i = 0; i < n; i++) {
		if (image_by_id(l->image, topics[i].id) ||
		    strcmp(topics[i].data_dir, l->topic->data_dir))
			continue;
		coordinator_topic_gone(l->coordinator, kafka_str_from(topics[i].name));
	}
}

void offsets_log_set_image(struct offsets_log *l, struct image *image)
{
	const struct image_topic *topic =
		image_by_name(image, OFFSETS_TOPIC, strlen(OFFSETS_TOPIC));
	bool same = l->topic && topic && !memcmp(l->topic->id, topic->id, sizeof(topic->id));
	struct image *before = l->image;

	if (l->topic && !same) {
		reactor_cancel(&l->load);
		timer_cancel(&l->reactor->timers, &l->retry);
		replay_forget(&l->replay);
		coordinator_stop(l->coordinator);
	}
	l->image = image;
	l->topic = topic;
	segment_fd_cache_prune(&l->segments, image);
	if (topic && !same)
		load_begin(l);
	else if (topic)
		find_deleted(l, before);
	image_put(before);
}

int offsets_log_init(struct offsets_log *l, struct reactor *r, struct coordinator *c,
		     uint32_t family, int64_t timeout_ms)
{
	int err;

	*l = (struct offsets_log){.reactor = r, .coordinator = c, .timeout_ms = timeout_ms};
	l->retry.fn = retry_failed;
	err = data_socket_open(family, &l->data);
	if (err)
		return err;
	l->data_io = (struct reactor_fd){.fd = data_socket_fd(l->data), .fn = on_data};
	err = reactor_add(r, &l->data_io, data_socket_poll_events(l->data));
	if (err) {
		data_socket_close(l->data);
		return err;
	}
	produce_purgatory_init(&l->writes, r);
	segment_fd_cache_init(&l->segments, SEGMENT_FDS);
	replay_init(&l->replay);
	return 0;
}

static void give_up(struct hnode *n, void *ctx)
{
	struct parked_produce *parked = hnode_entry(n, struct parked_produce, node);

	(void)ctx;
	produce_end(parked);
	on_written(parked);
}

void offsets_log_free(struct offsets_log *l)
{
	reactor_cancel(&l->load);
	timer_cancel(&l->reactor->timers, &l->retry);
	htable_each(&l->writes.waiting, give_up, NULL);
	replay_free(&l->replay);
	free(l->buf);
	free(l->parts);
	produce_purgatory_free(&l->writes);
	segment_fd_cache_free(&l->segments);
	data_socket_close(l->data);
	image_put(l->image);
}
