// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The offset index: entries, and the search among them. */
#include "offset_index.h"

/* When so few entries are left to choose from, one read brings them all. */
#define LOOKUP_CHUNK	32

struct entry {
	u32 relative_offset;
	u32 position;
};

static void decode(const void *p, struct entry *ret_e)
{
	const struct sluice_offset_index_entry *raw = p;

	ret_e->relative_offset = get_unaligned_be32(&raw->relative_offset);
	ret_e->position = get_unaligned_be32(&raw->position);
}

static int read_file(struct port_file *file, u32 first, u32 count, void *buf)
{
	ssize_t want = count * SLUICE_OFFSET_INDEX_ENTRY;
	ssize_t n = port_file_read(file, (u64)first * SLUICE_OFFSET_INDEX_ENTRY, buf, (size_t)want);

	if (n != want)
		return n < 0 ? (int)n : -EIO;
	return 0;
}

/* Those of the range that the file does not have; returns how many are left to read there. */
static u32 read_tail(const struct sluice_offset_index *index, u32 first, u32 count, u8 *buf)
{
	struct sluice_index_tail *tail = index->tail;
	u32 stored, from;

	port_spin_lock(&tail->lock);
	stored = index->stored;
	from = max(first, stored);
	if (from < first + count)
		memcpy(buf + (from - first) * SLUICE_OFFSET_INDEX_ENTRY,
		       &tail->offsets[from - stored],
		       (first + count - from) * SLUICE_OFFSET_INDEX_ENTRY);
	port_spin_unlock(&tail->lock);
	return min(count, from - first);
}

static int read_entries(const struct sluice_offset_index *index, u32 first, u32 count, void *buf)
{
	/* Pairs with sluice_offset_index_store(): so many are in the file. */
	if (first + count > smp_load_acquire(&index->stored))
		count = read_tail(index, first, count, buf);
	return count ? read_file(index->file, first, count, buf) : 0;
}

int sluice_offset_index_init(struct sluice_offset_index *index, struct port_file *file,
			     u64 log_size, const char **ret_why)
{
	u8 raw[sizeof(struct sluice_offset_index_entry)];
	s64 size = port_file_size(file);
	struct entry last = { 0, 0 };
	u32 entries;
	int ret;

	if (size < 0)
		return (int)size;
	if (size % SLUICE_OFFSET_INDEX_ENTRY || size > S32_MAX) {
		*ret_why = "the size of the file is impossible";
		return -EUCLEAN;
	}
	entries = (u32)size / SLUICE_OFFSET_INDEX_ENTRY;
	if (entries) {
		ret = read_file(file, entries - 1, 1, raw);
		if (ret)
			return ret;
		decode(raw, &last);
		/* The batch at position 0 never has one, see sluice_segment_index_due(). */
		if (last.position == 0 || last.position >= log_size ||
		    last.relative_offset > (u32)S32_MAX) {
			*ret_why = "the last entry points outside the log";
			return -EUCLEAN;
		}
	}
	index->file = file;
	index->tail = NULL;
	index->entries = entries;
	index->stored = entries;
	index->last_relative_offset = entries ? (s64)last.relative_offset : -1;
	index->last_position = entries ? last.position : 0;
	return 0;
}

int sluice_offset_index_write(struct sluice_offset_index *index, u32 relative_offset, u32 position)
{
	struct sluice_offset_index_entry raw;

	put_unaligned_be32(relative_offset, &raw.relative_offset);
	put_unaligned_be32(position, &raw.position);
	if (index->tail) {
		index->tail->offsets[index->entries - index->stored] = raw;
		return 0;
	}
	return port_file_write(index->file, (u64)index->entries * SLUICE_OFFSET_INDEX_ENTRY,
			       &raw, sizeof(raw));
}

void sluice_offset_index_publish(struct sluice_offset_index *index, u32 relative_offset,
				 u32 position)
{
	index->last_relative_offset = relative_offset;
	index->last_position = position;
	if (!index->tail)
		WRITE_ONCE(index->stored, index->entries + 1);
	/* Pairs with the lookup: the entry is in the file, or in the tail. */
	smp_store_release(&index->entries, index->entries + 1);
}

int sluice_offset_index_store(struct sluice_offset_index *index)
{
	u32 count = index->entries - index->stored;
	int ret;

	if (!count)
		return 0;
	ret = port_file_write(index->file, (u64)index->stored * SLUICE_OFFSET_INDEX_ENTRY,
			      index->tail->offsets, count * SLUICE_OFFSET_INDEX_ENTRY);
	if (ret)
		return ret;
	port_spin_lock(&index->tail->lock);
	/* Pairs with read_entries(). */
	smp_store_release(&index->stored, index->entries);
	port_spin_unlock(&index->tail->lock);
	return 0;
}

/* The last entry of @count at @raw that is not above @relative_offset. */
static int floor_of_chunk(const u8 *raw, u32 count, u32 relative_offset, struct entry *floor)
{
	struct entry e;
	u32 i;

	for (i = 0; i < count; i++) {
		decode(raw + i * SLUICE_OFFSET_INDEX_ENTRY, &e);
		if (e.position <= floor->position)
			return -EUCLEAN;
		if (e.relative_offset > relative_offset)
			break;
		*floor = e;
	}
	return 0;
}

int sluice_offset_index_lookup(const struct sluice_offset_index *index, u32 relative_offset,
			       u32 *ret_position)
{
	u8 raw[LOOKUP_CHUNK * sizeof(struct sluice_offset_index_entry)];
	/* Pairs with sluice_offset_index_publish(). */
	u32 low = 0, high = smp_load_acquire(&index->entries);
	struct entry floor = { 0, 0 };
	struct entry e;
	int ret;

	/* Entries below low are not above the offset, those from high on are. */
	while (high - low > LOOKUP_CHUNK) {
		u32 middle = low + (high - low) / 2;

		ret = read_entries(index, middle, 1, raw);
		if (ret)
			return ret;
		decode(raw, &e);
		if (e.relative_offset > relative_offset) {
			high = middle;
			continue;
		}
		if (e.position <= floor.position)
			return -EUCLEAN;
		floor = e;
		low = middle + 1;
	}
	if (high > low) {
		ret = read_entries(index, low, high - low, raw);
		if (ret)
			return ret;
		ret = floor_of_chunk(raw, high - low, relative_offset, &floor);
		if (ret)
			return ret;
	}
	*ret_position = floor.position;
	return 0;
}

int sluice_offset_index_above(const struct sluice_offset_index *index, u64 position,
			      u32 *ret_relative_offset)
{
	u8 raw[sizeof(struct sluice_offset_index_entry)];
	/* Pairs with sluice_offset_index_publish(). */
	u32 low = 0, high = smp_load_acquire(&index->entries);
	u32 found = U32_MAX;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		struct entry e;
		int ret;

		ret = read_entries(index, middle, 1, raw);
		if (ret)
			return ret;
		decode(raw, &e);
		if (e.position < position) {
			low = middle + 1;
			continue;
		}
		found = e.relative_offset;
		high = middle;
	}
	*ret_relative_offset = found;
	return 0;
}
