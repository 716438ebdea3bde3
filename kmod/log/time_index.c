// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The time index: entries, and the search among them. */
#include "time_index.h"

static int read_entry(struct port_file *file, u32 nr, struct sluice_time_entry *ret_e)
{
	struct sluice_time_index_entry raw;
	ssize_t n = port_file_read(file, (u64)nr * SLUICE_TIME_INDEX_ENTRY, &raw, sizeof(raw));

	if (n != sizeof(raw))
		return n < 0 ? (int)n : -EIO;
	ret_e->timestamp = (s64)get_unaligned_be64(&raw.timestamp);
	ret_e->relative_offset = get_unaligned_be32(&raw.relative_offset);
	return 0;
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
		ret = read_entry(file, entries - 1, &last);
		if (ret)
			return ret;
		if (last.timestamp < 0 || last.relative_offset > (u32)S32_MAX) {
			*ret_why = "the last entry is impossible";
			return -EUCLEAN;
		}
	}
	index->file = file;
	index->entries = entries;
	index->last = last;
	return 0;
}

int sluice_time_index_write(struct sluice_time_index *index, const struct sluice_time_entry *e)
{
	struct sluice_time_index_entry raw;

	put_unaligned_be64((u64)e->timestamp, &raw.timestamp);
	put_unaligned_be32(e->relative_offset, &raw.relative_offset);
	return port_file_write(index->file, (u64)index->entries * SLUICE_TIME_INDEX_ENTRY, &raw,
			       sizeof(raw));
}

void sluice_time_index_publish(struct sluice_time_index *index, const struct sluice_time_entry *e)
{
	index->last = *e;
	/* Pairs with the lookup: the entry is in the file. */
	smp_store_release(&index->entries, index->entries + 1);
}

int sluice_time_index_undo(struct sluice_time_index *index)
{
	return port_file_truncate(index->file, (u64)index->entries * SLUICE_TIME_INDEX_ENTRY);
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

		ret = read_entry(index->file, middle, &e);
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
