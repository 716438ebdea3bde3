// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/diag.h"
#include "daemon/coordinator/topic_log.h"
#include "daemon/log/segment_find.h"
#include "kmod/log/record.h"

#define SEGMENT_FDS 8

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

/** struct log_write - a batch on its way */
struct log_write {
	struct batch_write batch;
	struct topic_write *w;
};

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

static void written(struct batch_write *bw, int err)
{
	struct log_write *lw = list_entry(bw, struct log_write, batch);
	struct topic_write *w = lw->w;

	free(lw);
	w->done(w, client_code(err));
}

static struct sluice_record_out record_out(const struct topic_record *r, int64_t wall_ms)
{
	return (struct sluice_record_out){
		.timestamp = wall_ms,
		.key = r->key.p,
		.key_len = r->key.len,
		.value = r->value.p,
		.value_len = r->value.len,
	};
}

static size_t size_record(const struct topic_record *r, size_t index, int64_t wall_ms,
			  struct sluice_record_size *ret)
{
	const struct sluice_record_out out = record_out(r, wall_ms);

	ret->parts = sluice_record_parts_size(&out);
	sluice_record_size_at(ret, 0, (int32_t)index);
	return ret->whole;
}

/* A batch of the records; NULL: no memory. */
static uint8_t *build_batch(const struct topic_record *records, size_t n, int64_t wall_ms,
			    const struct topic_write *w, size_t *ret_len)
{
	struct sluice_batch b = {
		.leader_epoch = -1,
		.attributes = w->transactional ? SLUICE_BATCH_TRANSACTIONAL : 0,
		.last_offset_delta = (int32_t)n - 1,
		.base_timestamp = wall_ms,
		.max_timestamp = wall_ms,
		.producer_id = w->transactional ? w->producer_id : -1,
		.producer_epoch = w->transactional ? w->producer_epoch : (int16_t)-1,
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

int16_t topic_log_append(struct topic_log *l, int32_t partition, const struct topic_record *records,
			 size_t n, int64_t wall_ms, struct topic_write *w)
{
	struct log_write *lw = calloc(1, sizeof(*lw));
	uint8_t *batch;
	size_t len;
	int err = -ENOMEM;

	if (!lw || !l->topic) {
		free(lw);
		return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	}
	lw->w = w;
	lw->batch.done = written;
	batch = build_batch(records, n, wall_ms, w, &len);
	if (batch)
		err = batch_writer_append(l->writer, l->topic, partition, batch, len, &lw->batch);
	free(batch);
	if (!err)
		return KAFKA_ERROR_NONE;
	free(lw);
	diag_limited(&append_limit, DIAG_ERROR, "cannot write to %s-%d: %s", l->name, partition,
		     strerror(-err));
	return client_code(err);
}

/* One more range of the partition. Returns 0 at its end, 1 if there is more, or -errno. */
static int load_some(struct topic_log *l)
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
	err = data_socket_fetch(l->writer->data, &f, 1);
	if (!err)
		err = f.error;
	if (err == -ERANGE && f.log_start_offset > l->offset) {
		l->offset = f.log_start_offset;
		return 1;
	}
	if (!err)
		err = segment_find(l->writer->data, &l->segments, l->topic, &f, &file);
	if (err || !file)
		return err;
	free(l->buf);
	l->buf = malloc(f.bytes);
	n = l->buf ? pread(file->fd, l->buf, f.bytes, f.position) : -1;
	err = n < 0 ? -errno : 0;
	segment_file_put(&l->segments, file);
	if (err)
		return err;
	used = replay_bytes(l->reader, &l->opened, l->loading, l->buf, (size_t)n, &l->offset,
			    &l->n_damaged);
	if (used < 0)
		return (int)used;
	/* The range has a whole batch, unless the file is shorter than the log says. */
	return used ? 1 : -EIO;
}

/* The next partition to be read, or none. */
static int32_t next_to_read(const struct topic_log *l)
{
	int32_t i = 0;

	while (i < l->n_parts && l->parts[i] != PART_TO_READ)
		i++;
	return i;
}

static void load_done(struct topic_log *l)
{
	free(l->buf);
	l->buf = NULL;
	for (int32_t i = 0; i < l->n_parts; i++) {
		if (l->parts[i] == PART_FAILED)
			timer_set(&l->reactor->timers, &l->retry, l->reactor->now_ms + RETRY_MS);
	}
	if (l->n_damaged)
		diag(DIAG_WARNING, "%s has %llu records that cannot be read; they were left out",
		     l->name, (unsigned long long)l->n_damaged);
}

/* What was appended before the daemon ended, and not synced, must not be told and then be lost. */
static int make_durable(struct topic_log *l)
{
	if (l->offset || batch_writer_receipt(l->topic) != SLUICE_RECEIPT_DURABLE)
		return 0;
	return data_socket_flush(l->writer->data, l->topic->id, l->loading);
}

static void retry_failed(struct timer *t)
{
	struct topic_log *l = list_entry(t, struct topic_log, retry);

	for (int32_t i = 0; i < l->n_parts; i++) {
		if (l->parts[i] != PART_FAILED)
			continue;
		l->parts[i] = PART_TO_READ;
		l->reader->reopen(l->reader, i);
	}
	l->loading = next_to_read(l);
	l->n_damaged = 0;
	reactor_defer(l->reactor, &l->load);
}

static void load_task(struct reactor_task *t)
{
	struct topic_log *l = list_entry(t, struct topic_log, load);
	int ret;

	if (!l->topic)
		return;
	ret = make_durable(l);
	if (!ret)
		ret = load_some(l);
	if (ret <= 0) {
		if (ret) {
			diag_limited(&load_limit, DIAG_ERROR,
				     "cannot read %s-%d: %s; what is in it cannot be served until "
				     "that works",
				     l->name, l->loading, strerror(-ret));
			l->reader->close(l->reader, l->loading);
		} else {
			l->reader->loaded(l->reader, l->loading);
		}
		l->parts[l->loading] = ret ? PART_FAILED : PART_READ;
		l->loading = next_to_read(l);
		l->offset = 0;
	}
	if (l->loading < l->n_parts)
		reactor_defer(l->reactor, &l->load);
	else
		load_done(l);
}

static void load_begin(struct topic_log *l)
{
	int32_t n = l->topic->partition_count;
	uint8_t *parts = calloc((size_t)n, sizeof(*parts));

	if (!parts || l->reader->open(l->reader, n)) {
		free(parts);
		diag(DIAG_ERROR, "no memory to read %s", l->name);
		return;
	}
	free(l->parts);
	l->parts = parts;
	l->n_parts = n;
	l->loading = 0;
	l->offset = 0;
	l->n_damaged = 0;
	l->load.fn = load_task;
	reactor_defer(l->reactor, &l->load);
}

/*
 * What is known of topics that were deleted goes. A topic whose whole data
 * directory was detached is not deleted, only away.
 */
static void find_deleted(struct topic_log *l, const struct image *before)
{
	size_t n;
	const struct image_topic *topics = image_topics(before, &n);

	for (size_t i = 0; i < n; i++) {
		if (image_by_id(l->image, topics[i].id) ||
		    strcmp(topics[i].data_dir, l->topic->data_dir))
			continue;
		l->reader->topic_gone(l->reader, kafka_str_from(topics[i].name));
	}
}

void topic_log_set_image(struct topic_log *l, struct image *image)
{
	const struct image_topic *topic = image_by_name(image, l->name, strlen(l->name));
	bool same = l->topic && topic && !memcmp(l->topic->id, topic->id, sizeof(topic->id));
	struct image *before = l->image;

	if (l->topic && !same) {
		topic_log_drain(l);
		l->reader->stop(l->reader);
	}
	l->image = image;
	l->topic = topic;
	segment_fd_cache_prune(&l->segments, image);
	if (topic && !same)
		load_begin(l);
	else if (topic && l->reader->topic_gone)
		find_deleted(l, before);
	image_put(before);
}

void topic_log_init(struct topic_log *l, struct batch_writer *w, struct topic_reader *reader,
		    const char *name)
{
	*l = (struct topic_log){
		.reactor = w->reactor,
		.writer = w,
		.reader = reader,
		.name = name,
	};
	l->retry.fn = retry_failed;
	segment_fd_cache_init(&l->segments, SEGMENT_FDS);
}

void topic_log_drain(struct topic_log *l)
{
	reactor_cancel(&l->load);
	timer_cancel(&l->reactor->timers, &l->retry);
}

void topic_log_free(struct topic_log *l)
{
	topic_log_drain(l);
	free(l->buf);
	free(l->parts);
	sluice__bytes_free(&l->opened);
	segment_fd_cache_free(&l->segments);
	image_put(l->image);
}
