// SPDX-License-Identifier: Apache-2.0
/*
 * A log against a model of it: what a sequence of operations leaves must be what
 * a list of batches says. Any port call may fail on the way; an operation that
 * fails has then done nothing that a reader could see.
 */
#include "log.h"
#include "record.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define BATCHES_MAX 512
#define TIME_0	    1700000000000LL

struct model_batch {
	s64 base_offset;
	s32 records;
	s64 timestamp;
	u32 crc;
};

static struct {
	struct model_batch batches[BATCHES_MAX];
	u32 count;
	s64 start;
	s64 end;
} model;

static struct port_dir *dir;
static struct sluice_log_config config;
static struct sluice_log *log_;

static int remove_one(void *ctx, const char *name, size_t len)
{
	(void)len;
	return port_file_remove(ctx, name);
}

static int count_one(void *ctx, const char *name, size_t len)
{
	(void)name;
	(void)len;
	++*(u32 *)ctx;
	return 0;
}

static void clear_dir(void)
{
	u32 count;

	do {
		count = 0;
		if (port_dir_list(dir, remove_one, dir) || port_dir_list(dir, count_one, &count))
			abort();
	} while (count);
}

static void open_log(void)
{
	struct sluice_log_open_args args = {.log_start_offset = model.start,
					    .recovery_point = S64_MAX};
	char err[SLUICE_ERROR_TEXT_MAX] = "";

	if (sluice_log_open(dir, &config, &args, err, &log_)) {
		fprintf(stderr, "open: %s\n", err);
		abort();
	}
}

static u32 make_batch(u8 *bytes, s32 records, u32 value_len, s64 timestamp)
{
	struct sluice_batch_header *h = (struct sluice_batch_header *)bytes;
	u8 *p = bytes + SLUICE_BATCH_HEADER_LEN;

	memset(bytes, 0, SLUICE_BATCH_HEADER_LEN);
	for (s32 i = 0; i < records; i++) {
		s32 body = 1 + 1 + (s32)sluice_varint_size(i) + 1 +
			   (s32)sluice_varint_size((s32)value_len) + (s32)value_len + 1;

		p += sluice_varint_write(p, body);
		*p++ = 0;
		*p++ = 0;
		p += sluice_varint_write(p, i);
		p += sluice_varint_write(p, -1);
		p += sluice_varint_write(p, (s32)value_len);
		memset(p, 'a' + i, value_len);
		p += value_len;
		*p++ = 0;
	}
	put_unaligned_be32((u32)(p - bytes) - SLUICE_BATCH_PREFIX_LEN, &h->length);
	h->magic = 2;
	put_unaligned_be32((u32)records - 1, &h->last_offset_delta);
	put_unaligned_be64((u64)timestamp, &h->base_timestamp);
	put_unaligned_be64((u64)timestamp, &h->max_timestamp);
	put_unaligned_be64(U64_MAX, &h->producer_id);
	put_unaligned_be16(0xffff, &h->producer_epoch);
	put_unaligned_be32(U32_MAX, &h->base_sequence);
	put_unaligned_be32((u32)records, &h->record_count);
	put_unaligned_be32(port_crc32c(0, bytes + SLUICE_BATCH_CRC_START,
				       (size_t)(p - bytes) - SLUICE_BATCH_CRC_START),
			   &h->crc);
	return (u32)(p - bytes);
}

static void append(struct input *in)
{
	u8 bytes[4096];
	s32 records = 1 + take(in) % 5;
	u32 value_len = take(in);
	s64 timestamp = TIME_0 + take(in) * 100;
	u32 size = make_batch(bytes, records, value_len % 120, timestamp);
	struct port_iter iter;
	struct sluice_append a = {.src = &iter};

	if (model.count == BATCHES_MAX)
		return;
	port_iter_init(&iter, bytes, size);
	if (sluice_log_append(log_, &a))
		return;
	assert(a.base_offset == model.end && a.last_offset == model.end + records - 1);
	model.batches[model.count++] = (struct model_batch){
		.base_offset = model.end,
		.records = records,
		.timestamp = timestamp,
		.crc = get_unaligned_be32(bytes + offsetof(struct sluice_batch_header, crc)),
	};
	model.end += records;
}

/* The segments decide how far: whatever it is, the start is that of a batch. */
static void note_start(void)
{
	s64 start = sluice_log_start_offset(log_);

	assert(start >= model.start && start <= model.end);
	model.start = start;
}

static const struct model_batch *batch_of(s64 offset)
{
	for (u32 i = 0; i < model.count; i++) {
		const struct model_batch *b = &model.batches[i];

		if (offset < b->base_offset + b->records)
			return b;
	}
	return NULL;
}

static int fetch(s64 offset)
{
	const struct model_batch *expected = batch_of(offset);
	struct sluice_range range;
	struct sluice_batch b;
	int ret = sluice_log_fetch(log_, offset, 1, SLUICE_FETCH_WHOLE_FIRST, &range);

	if (offset < model.start || offset > model.end) {
		assert(ret == -ERANGE);
		return 0;
	}
	if (ret)
		return ret;
	if (offset == model.end) {
		assert(!range.seg);
		return 0;
	}
	ret = sluice_log_read_batch(range.file, range.position, range.position + range.bytes, &b);
	if (!ret)
		assert(b.base_offset == expected->base_offset && b.crc == expected->crc);
	sluice_segment_put(range.seg);
	return ret;
}

static int find_time(s64 timestamp)
{
	s64 expected = -1, offset, time;
	int ret;

	for (u32 i = 0; i < model.count && expected < 0; i++) {
		const struct model_batch *b = &model.batches[i];

		if (b->timestamp >= timestamp && b->base_offset + b->records > model.start)
			expected = max(b->base_offset, model.start);
	}
	ret = sluice_log_offset_for_time(log_, timestamp, &offset, &time);
	if (!ret)
		assert(offset == expected);
	return ret;
}

static void check_all(void)
{
	assert(sluice_log_end_offset(log_) == model.end);
	assert(sluice_log_start_offset(log_) == model.start);
	for (s64 offset = max_t(s64, model.start - 1, 0); offset <= model.end + 1; offset++)
		if (fetch(offset))
			abort();
	for (s64 t = 0; t < 26000; t += 2500)
		if (find_time(TIME_0 + t))
			abort();
}

static void reopen(void)
{
	s64 recovery_point;

	port_fault_set(0, false);
	if (sluice_log_flush(log_, &recovery_point) || sluice_log_flush_indexes(log_))
		abort();
	sluice_log_close(log_);
	open_log();
	check_all();
}

/* What a failure ended is begun anew: the fuzzer of recovery is another. */
static void begin(void)
{
	port_fault_set(0, false);
	if (log_)
		sluice_log_close(log_);
	log_ = NULL;
	clear_dir();
	model.count = 0;
	model.start = 0;
	model.end = 0;
	open_log();
}

static void retain(struct input *in)
{
	struct sluice_log_config c = config;
	u8 how = take(in);
	s64 now = TIME_0 + take(in) * 100;
	u64 freed;

	if (how & 1)
		c.retention_bytes = (how >> 1) * 64;
	else
		c.retention_ms = (how >> 1) * 100;
	sluice_log_set_config(log_, &c);
	if (sluice_log_retain(log_, now, &freed))
		freed = 0;
	note_start();
	sluice_log_set_config(log_, &config);
}

static void set_start(struct input *in)
{
	s64 offset = model.start + take(in) - 4;
	int ret = sluice_log_set_start_offset(log_, offset);

	assert(ret == (offset > model.end ? -ERANGE : 0));
	if (!ret)
		model.start = max(model.start, offset);
}

static void operate(struct input *in)
{
	u8 what = take(in);
	s64 recovery_point;

	/* One in four meets a failure. */
	if (what >= 0xc0)
		port_fault_set(1 + take(in) % 32, false);
	switch (what % 12) {
	case 0: retain(in); break;
	case 1: set_start(in); break;
	case 2:
		if (sluice_log_housekeep(log_, take(in) & 1 ? S64_MAX : TIME_0))
			break;
		break;
	case 3:
		if (!sluice_log_flush(log_, &recovery_point))
			assert(recovery_point == model.end);
		break;
	case 4: sluice_log_close_idle(log_); break;
	case 5:
		if (fetch(model.start + take(in)) && !port_fault_hit())
			abort();
		break;
	case 6:
		if (find_time(TIME_0 + take(in) * 100) && !port_fault_hit())
			abort();
		break;
	case 7:
		if (sluice_log_failed(log_))
			begin();
		reopen();
		break;
	default: append(in); break;
	}
	port_fault_set(0, false);
	if (sluice_log_failed(log_))
		begin();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[] = "/tmp/sluice-fuzz-XXXXXX";

	(void)argc;
	(void)argv;
	port_warn_to(NULL);
	sluice_log_config_default(&config);
	config.segment_bytes = 1000;
	config.max_message_bytes = 900;
	config.index_interval_bytes = 150;
	config.retention_ms = -1;
	config.segment_ms = 10000;
	if (!mkdtemp(path))
		abort();
	dir = port_dir_open(path);
	return dir ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = {data, size};

	begin();
	for (int i = 0; i < 300 && in.left; i++)
		operate(&in);
	check_all();
	reopen();
	return 0;
}
