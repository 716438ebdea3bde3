// SPDX-License-Identifier: Apache-2.0
#include "engine_test.h"

#include <stdlib.h>
#include <unistd.h>

int dir_setup(void **state)
{
	/* In memory: thousands of syncs are counted here, none is waited for. */
	char path[] = "/dev/shm/sluice-engine-XXXXXX";
	struct port_dir *dir;

	if (!mkdtemp(path))
		return -1;
	dir = port_dir_open(path);
	*state = dir;
	return dir ? 0 : -1;
}

static int remove_one(void *ctx, const char *name, size_t len)
{
	(void)len;
	return port_file_remove(ctx, name);
}

void dir_clear(struct port_dir *dir)
{
	/* Removing while listing may skip names, so until there are none. */
	while (dir_file_count(dir))
		assert_int_equal(port_dir_list(dir, remove_one, dir), 0);
}

int dir_teardown(void **state)
{
	struct port_dir *dir = *state;

	dir_clear(dir);
	rmdir(port_dir_name(dir));
	port_dir_close(dir);
	return 0;
}

static int count_one(void *ctx, const char *name, size_t len)
{
	(void)name;
	(void)len;
	++*(u32 *)ctx;
	return 0;
}

u32 dir_file_count(struct port_dir *dir)
{
	u32 count = 0;

	assert_int_equal(port_dir_list(dir, count_one, &count), 0);
	return count;
}

struct two_dirs {
	struct port_dir *from;
	struct port_dir *to;
	u64 digest;
};

static int copy_one(void *ctx, const char *name, size_t len)
{
	struct two_dirs *dirs = ctx;
	size_t size;
	u8 *bytes = file_load(dirs->from, name, &size);

	(void)len;
	file_store(dirs->to, name, bytes, size);
	free(bytes);
	return 0;
}

void dir_copy(struct port_dir *to, struct port_dir *from)
{
	struct two_dirs dirs = {.from = from, .to = to};

	dir_clear(to);
	assert_int_equal(port_dir_list(from, copy_one, &dirs), 0);
}

static int digest_one(void *ctx, const char *name, size_t len)
{
	struct two_dirs *dirs = ctx;
	size_t size;
	u8 *bytes = file_load(dirs->from, name, &size);
	u32 crc = port_crc32c(port_crc32c(0, name, len), bytes, size);

	/* A sum, because names come in no order. */
	dirs->digest += ((u64)crc << 32) + size + 1;
	free(bytes);
	return 0;
}

u64 dir_digest(struct port_dir *dir)
{
	struct two_dirs dirs = {.from = dir};

	assert_int_equal(port_dir_list(dir, digest_one, &dirs), 0);
	return dirs.digest;
}

u8 *file_load(struct port_dir *dir, const char *name, size_t *ret_len)
{
	struct port_file *file;
	s64 size;
	u8 *bytes;

	assert_int_equal(port_file_open(dir, name, PORT_RDONLY, &file), 0);
	size = port_file_size(file);
	bytes = malloc((size_t)size + 1);
	assert_int_equal(port_file_read(file, 0, bytes, (size_t)size), size);
	port_file_close(file);
	*ret_len = (size_t)size;
	return bytes;
}

void file_store(struct port_dir *dir, const char *name, const void *bytes, size_t len)
{
	struct port_file *file;

	assert_int_equal(port_file_remove(dir, name), 0);
	assert_int_equal(port_file_open(dir, name, PORT_CREATE, &file), 0);
	assert_int_equal(port_file_write(file, 0, bytes, len), 0);
	port_file_close(file);
}

s64 file_size(struct port_dir *dir, const char *name)
{
	struct port_file *file;
	s64 size;

	assert_int_equal(port_file_open(dir, name, PORT_RDONLY, &file), 0);
	size = port_file_size(file);
	port_file_close(file);
	return size;
}

bool file_exists(struct port_dir *dir, const char *name)
{
	struct port_file *file;

	if (port_file_open(dir, name, PORT_RDONLY, &file))
		return false;
	port_file_close(file);
	return true;
}

static u8 *put_record(u8 *p, const struct batch_spec *spec, s32 i)
{
	s64 time_delta = i * spec->timestamp_step;
	size_t body = 1 + sluice_varlong_size(time_delta) + sluice_varint_size(i) +
		      sluice_varint_size(-1) + sluice_varint_size((s32)spec->value_len) +
		      spec->value_len + sluice_varint_size(0);

	p += sluice_varint_write(p, (s32)body);
	*p++ = 0;
	p += sluice_varlong_write(p, time_delta);
	p += sluice_varint_write(p, i);
	p += sluice_varint_write(p, -1);
	p += sluice_varint_write(p, (s32)spec->value_len);
	memset(p, 'a' + i % 26, spec->value_len);
	p += spec->value_len;
	return p + sluice_varint_write(p, 0);
}

void batch_seal(u8 *batch, size_t size)
{
	put_unaligned_be32(
		port_crc32c_table(0, batch + SLUICE_BATCH_CRC_START, size - SLUICE_BATCH_CRC_START),
		batch + offsetof(struct sluice_batch_header, crc));
}

u8 *batch_make(const struct batch_spec *spec, size_t *ret_size)
{
	u8 *bytes =
		calloc(1, SLUICE_BATCH_HEADER_LEN + (size_t)spec->records * (spec->value_len + 40));
	struct sluice_batch_header *h = (struct sluice_batch_header *)bytes;
	s64 time = spec->timestamp ? spec->timestamp : TIME_0;
	s64 time_span = (spec->records - 1) * spec->timestamp_step;
	bool idempotent = spec->producer_id_plus_1 > 0;
	u8 *p = bytes + SLUICE_BATCH_HEADER_LEN;

	for (s32 i = 0; i < spec->records; i++)
		p = put_record(p, spec, i);
	*ret_size = (size_t)(p - bytes);

	put_unaligned_be32((u32)(*ret_size - SLUICE_BATCH_PREFIX_LEN), &h->length);
	put_unaligned_be32(U32_MAX, &h->partition_leader_epoch);
	h->magic = 2;
	put_unaligned_be16(spec->attributes, &h->attributes);
	put_unaligned_be32((u32)spec->records - 1, &h->last_offset_delta);
	put_unaligned_be64((u64)time, &h->base_timestamp);
	put_unaligned_be64((u64)max_t(s64, time, time + time_span), &h->max_timestamp);
	put_unaligned_be64((u64)spec->producer_id_plus_1 - 1, &h->producer_id);
	put_unaligned_be16(idempotent ? (u16)spec->producer_epoch : 0xffff, &h->producer_epoch);
	put_unaligned_be32(idempotent ? (u32)spec->base_sequence : U32_MAX, &h->base_sequence);
	put_unaligned_be32((u32)spec->records, &h->record_count);
	batch_seal(bytes, *ret_size);
	return bytes;
}

int append_bytes(struct sluice_log *log, const void *bytes, size_t len, struct sluice_append *a)
{
	return append_bytes_as(log, bytes, len, SLUICE_APPEND_AS_CLIENT, a);
}

int append_bytes_as(struct sluice_log *log, const void *bytes, size_t len, enum sluice_append_as as,
		    struct sluice_append *a)
{
	struct port_iter iter;

	port_iter_init(&iter, bytes, len);
	*a = (struct sluice_append){.src = &iter, .as = as};
	return sluice_log_append(log, a);
}

s64 append_spec(struct sluice_log *log, struct batch_spec spec)
{
	struct sluice_append a;
	size_t size;
	u8 *bytes = batch_make(&spec, &size);

	assert_int_equal(append_bytes(log, bytes, size, &a), 0);
	assert_false(a.duplicate);
	assert_int_equal(a.size, size);
	assert_int_equal(a.record_count, spec.records);
	assert_int_equal(a.last_offset, a.base_offset + spec.records - 1);
	free(bytes);
	return a.base_offset;
}

struct sluice_log_config small_config(void)
{
	struct sluice_log_config c;

	sluice_log_config_default(&c);
	c.segment_bytes = 1000;
	c.max_message_bytes = 700;
	c.index_interval_bytes = 150;
	return c;
}

struct sluice_log *log_open(struct port_dir *dir, const struct sluice_log_config *c)
{
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_log *log = NULL;

	assert_int_equal(sluice_log_open(dir, c, &(struct sluice_log_open_args){0}, err, &log), 0);
	return log;
}

static s64 check_range(const struct sluice_range *range, s64 offset)
{
	u64 position = range->position, end = range->position + range->bytes;
	struct sluice_batch b;

	while (position < end) {
		u32 crc = 0;

		assert_int_equal(sluice_log_read_batch(range->file, position, end, &b), 0);
		assert_int_equal(b.base_offset, offset);
		assert_int_equal(port_file_crc32c(range->file, position + SLUICE_BATCH_CRC_START,
						  b.size - SLUICE_BATCH_CRC_START, &crc),
				 0);
		assert_int_equal(crc, b.crc);
		offset = sluice_batch_last_offset(&b) + 1;
		position += b.size;
	}
	return offset;
}

void log_close_cleanly(struct sluice_log *log)
{
	s64 recovery_point;

	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	assert_int_equal(recovery_point, sluice_log_end_offset(log));
	assert_int_equal(sluice_log_flush_indexes(log), 0);
	sluice_log_close(log);
}

void log_check(struct sluice_log *log)
{
	s64 end = sluice_log_end_offset(log);
	s64 offset = sluice_log_start_offset(log);
	struct sluice_range range;

	while (offset < end) {
		assert_int_equal(sluice_log_fetch(log, offset, U32_MAX, 0, &range), 0);
		assert_non_null(range.seg);
		assert_int_equal(range.base_offset, offset);
		offset = check_range(&range, offset);
		sluice_segment_put(range.seg);
	}
	assert_int_equal(offset, end);
}

int fixture_setup(void **state, const struct sluice_log_config *config)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *dir;

	if (dir_setup(&dir))
		return -1;
	f->dir = dir;
	f->config = *config;
	f->log = log_open(f->dir, &f->config);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	void *dir = f->dir;

	sluice_log_close(f->log);
	free(f);
	return dir_teardown(&dir);
}
