// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Checking the entries of an index against the batches of its segment. */
#include "check_internal.h"
#include "offset_index.h"
#include "time_index.h"

static int load(struct check_index *index, struct port_file *file, u32 entry_size)
{
	s64 size = port_file_size(file);
	ssize_t n;

	if (size < 0)
		return (int)size;
	if (size > S32_MAX || size % entry_size) {
		check_found(&index->file, (u64)(size - size % entry_size),
			    "the size of the file, %lld, is impossible", size);
		if (size > S32_MAX)
			return 0;
	}
	index->bytes = port_alloc((size_t)size + 1);
	if (!index->bytes)
		return -ENOMEM;
	n = port_file_read(file, 0, index->bytes, (size_t)size);
	if (n < 0)
		return (int)n;
	index->count = (u32)n / entry_size;
	return 0;
}

int check_index_open(struct check_index *index, struct sluice_check *c, s64 base_offset,
		     const char *suffix, u32 entry_size)
{
	struct port_file *file;
	int ret;

	*index = (struct check_index){.base_offset = base_offset, .max_timestamp = -1};
	check_file_begin(&index->file, c, base_offset, suffix);
	ret = port_file_open(c->dir, index->file.name, PORT_RDONLY, &file);
	if (ret == -ENOENT) {
		check_found(&index->file, 0, "the file is missing");
		return 0;
	}
	if (ret)
		return ret;
	ret = load(index, file, entry_size);
	port_file_close(file);
	if (ret)
		port_free(index->bytes);
	return ret;
}

void check_index_close(struct check_index *index)
{
	check_file_end(&index->file);
	port_free(index->bytes);
}

static u64 entry_position(const struct check_index *index, u32 entry_size)
{
	return (u64)index->next * entry_size;
}

static const struct sluice_offset_index_entry *offset_entry(const struct check_index *index)
{
	if (index->next >= index->count)
		return NULL;
	return (const void *)(index->bytes + entry_position(index, SLUICE_OFFSET_INDEX_ENTRY));
}

void check_offset_index_batch(struct check_index *index, const struct sluice_batch *b,
			      u64 position)
{
	s64 relative_offset = sluice_batch_last_offset(b) - index->base_offset;
	const struct sluice_offset_index_entry *e;

	for (; (e = offset_entry(index)); index->next++) {
		u64 at = entry_position(index, SLUICE_OFFSET_INDEX_ENTRY);
		u32 entry = get_unaligned_be32(&e->position);

		if (entry > position)
			return;
		if (entry < position) {
			check_found(&index->file, at,
				    "the entry is out of order, or no batch begins at %u", entry);
			continue;
		}
		if ((s64)get_unaligned_be32(&e->relative_offset) != relative_offset)
			check_found(&index->file, at,
				    "the entry has offset %u, the batch at %u has %lld",
				    get_unaligned_be32(&e->relative_offset), entry,
				    relative_offset);
		/* A batch has one entry: another one like it is out of order. */
		index->next++;
		return;
	}
}

void check_offset_index_end(struct check_index *index)
{
	const struct sluice_offset_index_entry *e;

	for (; (e = offset_entry(index)); index->next++)
		check_found(&index->file, entry_position(index, SLUICE_OFFSET_INDEX_ENTRY),
			    "no batch begins at %u", get_unaligned_be32(&e->position));
}

static const struct sluice_time_index_entry *time_entry(const struct check_index *index)
{
	if (index->next >= index->count)
		return NULL;
	return (const void *)(index->bytes + entry_position(index, SLUICE_TIME_INDEX_ENTRY));
}

void check_time_index_batch(struct check_index *index, const struct sluice_batch *b)
{
	const struct sluice_time_index_entry *e;

	if (b->max_timestamp > index->max_timestamp)
		index->max_timestamp = b->max_timestamp;
	for (; (e = time_entry(index)); index->next++) {
		u64 at = entry_position(index, SLUICE_TIME_INDEX_ENTRY);
		s64 offset = index->base_offset + get_unaligned_be32(&e->relative_offset);
		s64 timestamp = (s64)get_unaligned_be64(&e->timestamp);

		if (offset > sluice_batch_last_offset(b))
			return;
		if (offset < b->base_offset) {
			check_found(&index->file, at,
				    "the entry is out of order, or no batch has its offset, %lld",
				    offset);
			continue;
		}
		if (timestamp != index->max_timestamp)
			check_found(&index->file, at,
				    "the entry has time %lld; up to its offset the largest is %lld",
				    timestamp, index->max_timestamp);
		index->next++;
		return;
	}
}

void check_time_index_end(struct check_index *index)
{
	const struct sluice_time_index_entry *e;

	for (; (e = time_entry(index)); index->next++)
		check_found(&index->file, entry_position(index, SLUICE_TIME_INDEX_ENTRY),
			    "no batch has the offset of the entry, %lld",
			    index->base_offset + get_unaligned_be32(&e->relative_offset));
}
