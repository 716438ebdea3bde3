// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Copying the first part of a segment, for truncation. */
#include "segment_copy.h"
#include "log_internal.h"
#include "segment_file.h"

#define COPY_CHUNK	65536

/*
 * A copy under way.
 * @txn_entries: of the transaction index that stay
 * @buf: COPY_CHUNK bytes
 */
struct copy {
	struct sluice_segment_swap *s;
	struct sluice_segment *seg;
	s64 base_offset;
	u64 size;
	s64 end_offset;
	u32 txn_entries;
	u8 *buf;
};

/*
 * The number that an index is ordered by, big endian, and where it stands in an
 * entry: entries with one below a bound stay.
 */
struct key {
	u32 entry_size;
	u32 at;
	u32 bytes;
};

static s64 read_key(struct port_file *file, u32 nr, const struct key *k, int *ret)
{
	u8 raw[sizeof(u64)];
	ssize_t n = port_file_read(file, (u64)nr * k->entry_size + k->at, raw, k->bytes);

	*ret = n == (ssize_t)k->bytes ? 0 : n < 0 ? (int)n : -EIO;
	return k->bytes == sizeof(u32) ? (s64)get_unaligned_be32(raw) :
					 (s64)get_unaligned_be64(raw);
}

/* Of the log's last segment the indexes have been written as far as the cut. */
static u32 stored(const u32 *count)
{
	/* Pairs with sluice_offset_index_store(): appends go on. */
	return smp_load_acquire(count);
}

/* How many bytes of an index hold the entries below @bound. */
static int bytes_below(struct port_file *file, u32 entries, const struct key *k, s64 bound,
		       u64 *ret_bytes)
{
	u32 low = 0, high = entries;
	int ret;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		s64 value = read_key(file, middle, k, &ret);

		if (ret)
			return ret;
		if (value < bound)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_bytes = (u64)low * k->entry_size;
	return 0;
}

static int copy_bytes(const struct copy *c, struct port_file *from, struct port_file *to, u64 len)
{
	u64 position;

	for (position = 0; position < len;) {
		size_t part = min_t(u64, len - position, COPY_CHUNK);
		ssize_t n = port_file_read(from, position, c->buf, part);
		int ret;

		if (n != (ssize_t)part)
			return n < 0 ? (int)n : -EIO;
		ret = port_file_write(to, position, c->buf, part);
		if (ret)
			return ret;
		position += part;
	}
	return 0;
}

static int copy_file(const struct copy *c, const char *kind_suffix, struct port_file *from, u64 len)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *to;
	int ret;

	sluice_segment_swap_name(name, c->base_offset, kind_suffix, c->s->suffix);
	ret = port_file_open(c->s->log->dir, name, PORT_CREATE, &to);
	if (ret)
		return ret;
	ret = copy_bytes(c, from, to, len);
	if (!ret)
		ret = port_file_sync(to);
	port_file_close(to);
	return ret;
}

static int copy_offset_index(const struct copy *c)
{
	static const struct key position = {
		.entry_size = SLUICE_OFFSET_INDEX_ENTRY,
		.at = offsetof(struct sluice_offset_index_entry, position),
		.bytes = sizeof(u32),
	};
	u64 len = 0;
	int ret = 0;

	if (c->seg)
		ret = bytes_below(c->seg->offset_index.file, stored(&c->seg->offset_index.stored),
				  &position, (s64)c->size, &len);
	return ret ? ret : copy_file(c, SLUICE_SUFFIX_OFFSET_INDEX,
				     c->seg ? c->seg->offset_index.file : NULL, len);
}

static int copy_time_index(const struct copy *c)
{
	static const struct key relative_offset = {
		.entry_size = SLUICE_TIME_INDEX_ENTRY,
		.at = offsetof(struct sluice_time_index_entry, relative_offset),
		.bytes = sizeof(u32),
	};
	u64 len = 0;
	int ret = 0;

	if (c->seg)
		ret = bytes_below(c->seg->time_index.file, stored(&c->seg->time_index.stored),
				  &relative_offset, c->end_offset - c->base_offset, &len);
	return ret ? ret : copy_file(c, SLUICE_SUFFIX_TIME_INDEX,
				     c->seg ? c->seg->time_index.file : NULL, len);
}

static int copy_txn_entries(struct copy *c, struct port_file *file)
{
	static const struct key last_offset = {
		.entry_size = SLUICE_TXN_INDEX_ENTRY,
		.at = offsetof(struct sluice_txn_index_entry, last_offset),
		.bytes = sizeof(u64),
	};
	s64 size = port_file_size(file);
	u64 len;
	int ret;

	if (size < 0)
		return (int)size;
	ret = bytes_below(file, (u32)(min_t(s64, size, S32_MAX) / SLUICE_TXN_INDEX_ENTRY),
			  &last_offset, c->end_offset, &len);
	if (ret || !len)
		return ret;
	c->txn_entries = (u32)(len / SLUICE_TXN_INDEX_ENTRY);
	return copy_file(c, SLUICE_SUFFIX_TXN_INDEX, file, len);
}

/* Most segments have none. */
static int copy_txn_index(struct copy *c)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	int ret;

	if (!c->seg)
		return 0;
	sluice_segment_name(name, c->base_offset, SLUICE_SUFFIX_TXN_INDEX);
	ret = port_file_open(c->s->log->dir, name, PORT_RDONLY, &file);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = copy_txn_entries(c, file);
	port_file_close(file);
	return ret;
}

static int copy_files(struct copy *c)
{
	int ret = 0;

	if (c->seg)
		ret = sluice_segment_use(c->s->log, c->seg, SLUICE_FILES_ALWAYS);
	if (!ret)
		ret = copy_offset_index(c);
	if (!ret)
		ret = copy_time_index(c);
	if (!ret)
		ret = copy_txn_index(c);
	if (!ret)
		ret = copy_file(c, SLUICE_SUFFIX_LOG, c->seg ? c->seg->file : NULL, c->size);
	return ret;
}

static int open_copy(const struct copy *c, char *err)
{
	s64 end_offset;
	int ret;

	ret = sluice_segment_swap_open(c->s, c->base_offset, 0, err, &end_offset);
	if (ret)
		return ret;
	if (end_offset > c->end_offset) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld.log: an offset beyond the cut",
			 c->base_offset);
		sluice_segment_put(c->s->new);
		return -EIO;
	}
	c->s->end_offset = end_offset;
	c->s->new->sealed = false;
	c->s->new->txn_index.entries = c->txn_entries;
	c->s->new->synced = c->size;
	return 0;
}

int sluice_segment_copy(struct sluice_segment_swap *s, struct sluice_segment *seg,
			s64 base_offset, u64 size, s64 end_offset, char *err)
{
	struct copy c = {
		.s = s,
		.seg = seg,
		.base_offset = base_offset,
		.size = size,
		.end_offset = end_offset,
	};
	int ret;

	c.buf = port_alloc(COPY_CHUNK);
	ret = c.buf ? sluice_segment_swap_remove(s, base_offset) : -ENOMEM;
	if (!ret)
		ret = copy_files(&c);
	port_free(c.buf);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "%020lld.log: the part that stays cannot be copied (error %d)",
			 base_offset, -ret);
	else
		ret = open_copy(&c, err);
	/* What cannot be removed is removed before the next try, or by recovery. */
	if (ret && sluice_segment_swap_remove(s, base_offset))
		port_warn("%s: files of a truncation that failed stay",
			  port_dir_name(s->log->dir));
	return ret;
}
