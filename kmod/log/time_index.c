// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The time index: entries, and the search among them. */
#include "time_index.h"

static void decode(const struct sluice_time_index_entry *raw, struct sluice_time_entry *ret_e)
{
	ret_e->timestamp = (s64)get_unaligned_be64(&raw->timestamp);
	ret_e->relative_offset = get_unaligned_be32(&raw->relative_offset);
}

static int read_file(struct port_file *file, u32 nr, struct sluice_time_entry *ret_e)
{
	struct sluice_time_index_entry raw;
	ssize_t n = port_file_read(file, (u64)nr * SLUICE_TIME_INDEX_ENTRY, &raw, sizeof(raw));

	if (n != sizeof(raw))
		return n < 0 ? (int)n : -EIO;
	decode(&raw, ret_e);
	return 0;
}

/* false: it is in the file by now. */
static bool read_tail(const struct sluice_time_index *index, u32 nr,
		      struct sluice_time_entry *ret_e)
{
	struct sluice_index_tail *tail = index->tail;
	bool found;

	port_spin_lock(&tail->lock);
	found = nr >= index->stored;
	if (found)
		decode(&tail->times[nr - index->stored], ret_e);
	port_spin_unlock(&tail->lock);
	return found;
}

static int read_entry(const struct sluice_time_index *index, u32 nr,
		      struct sluice_time_entry *ret_e)
{
	/* Pairs with sluice_time_index_store(): so many are in the file. */
	if (nr >= smp_load_acquire(&index->stored) && read_tail(index, nr, ret_e))
		return 0;
	return read_file(index->file, nr, ret_e);
}

int sluice_time_index_init(struct sluice_time_index *index, struct port_file *file,
			   const char **ret_why)
{
	struct sluice_time_entry last = { -1, 0 };
	s64 size = port_file_size(file);
	u32 entries;
	int ret;

	if (size < 0)
		return (int)size;
	if (size > S32_MAX || (u32)size % SLUICE_TIME_INDEX_ENTRY) {
		*ret_why = "the size of the file is impossible";
		return -EUCLEAN;
	}
	entries = (u32)size / SLUICE_TIME_INDEX_ENTRY;
	if (entries) {
		ret = read_file(file, entries - 1, &last);
		if (ret)
			return ret;
		if (last.timestamp < 0 || last.relative_offset > (u32)S32_MAX) {
			*ret_why = "the last entry is impossible";
			return -EUCLEAN;
		}
	}
	index->file = file;
	index->tail = NULL;
	index->entries = entries;
	index->stored = entries;
	index->last = last;
	return 0;
}

int sluice_time_index_write(struct sluice_time_index *index, const struct sluice_time_entry *e)
{
	struct sluice_time_index_entry raw;

	put_unaligned_be64((u64)e->timestamp, &raw.timestamp);
	put_unaligned_be32(e->relative_offset, &raw.relative_offset);
	if (index->tail) {
		index->tail->times[index->entries - index->stored] = raw;
		return 0;
	}
	return port_file_write(index->file, (u64)index->entries * SLUICE_TIME_INDEX_ENTRY, &raw,
			       sizeof(raw));
}

void sluice_time_index_publish(struct sluice_time_index *index, const struct sluice_time_entry *e)
{
	index->last = *e;
	if (!index->tail)
		WRITE_ONCE(index->stored, index->entries + 1);
	/* Pairs with the lookup: the entry is in the file, or in the tail. */
	smp_store_release(&index->entries, index->entries + 1);
}

int sluice_time_index_store(struct sluice_time_index *index)
{
	u32 count = index->entries - index->stored;
	int ret;

	if (!count)
		return 0;
	ret = port_file_write(index->file, (u64)index->stored * SLUICE_TIME_INDEX_ENTRY,
			      index->tail->times, count * SLUICE_TIME_INDEX_ENTRY);
	if (ret)
		return ret;
	port_spin_lock(&index->tail->lock);
	/* Pairs with read_entry(). */
	smp_store_release(&index->stored, index->entries);
	port_spin_unlock(&index->tail->lock);
	return 0;
}

int sluice_time_index_lookup(const struct sluice_time_index *index, s64 timestamp,
			     struct sluice_time_entry *ret_e)
{
	/* Pairs with sluice_time_index_publish(). */
	u32 low = 0, high = smp_load_acquire(&index->entries);
	struct sluice_time_entry floor = { -1, 0 };
	struct sluice_time_entry e = floor;
	int ret;

	/* Entries below low are not above the time, those from high on are. */
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		ret = read_entry(index, middle, &e);
		if (ret)
			return ret;
		if (e.timestamp > timestamp) {
			high = middle;
		} else {
			floor = e;
			low = middle + 1;
		}
	}
	*ret_e = floor;
	return 0;
}
