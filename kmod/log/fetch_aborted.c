// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The aborted transactions of a range of offsets: what a reader that wants only
 * committed records has to leave out (LocalLog.collectAbortedTransactions).
 */
#include "log_internal.h"
#include "segment_name.h"

/* So often names may change under a reader before it gives up. */
#define TRIES	5

/*
 * A search.
 * @done: no later entry can be of the range
 */
struct search {
	s64 offset;
	s64 end_offset;
	struct sluice_aborted_txn *txns;
	u32 capacity;
	u32 count;
	bool done;
};

/*
 * Files change their names with the structure mutex held. So whoever has it
 * and finds the segment in the list finds its files, too, or there are none.
 */
static int count_entries(struct sluice_log *log, struct sluice_segment *seg)
{
	struct sluice_segment *current_seg;
	u32 entries;
	int ret = -EAGAIN;

	port_mutex_lock(&log->structure_mutex);
	current_seg = sluice_segment_list_floor(&log->segments, seg->base_offset);
	if (current_seg == seg)
		ret = sluice_txn_index_count(log->dir, seg->base_offset, &entries);
	/* The same for everybody who looks: the segment is sealed. */
	if (!ret)
		WRITE_ONCE(seg->txn_index.entries, entries);
	port_mutex_unlock(&log->structure_mutex);
	if (current_seg)
		sluice_segment_put(current_seg);
	return ret;
}

/* The first entry whose marker is at @offset or behind it: they are in that order. */
static int find_first(struct port_file *file, u32 entries, s64 offset, u32 *ret_i)
{
	u32 low = 0, high = entries;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		struct sluice_aborted_txn txn;
		int ret = sluice_txn_index_read(file, middle, &txn);

		if (ret < 0)
			return ret;
		if (ret && txn.last_offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_i = low;
	return 0;
}

static int search_file(struct search *s, struct port_file *file, u32 entries)
{
	struct sluice_aborted_txn txn;
	u32 i;
	int ret;

	ret = find_first(file, entries, s->offset, &i);
	if (ret)
		return ret;
	for (; i < entries && !s->done; i++) {
		ret = sluice_txn_index_read(file, i, &txn);
		if (ret <= 0)
			return ret;
		if (txn.last_offset >= s->offset && txn.first_offset < s->end_offset) {
			if (s->count < s->capacity)
				s->txns[s->count] = txn;
			s->count++;
		}
		/* Every transaction that began below it had ended by then. */
		s->done = txn.last_stable_offset >= s->end_offset;
	}
	return 0;
}

static int search_segment(struct sluice_log *log, struct search *s, struct sluice_segment *seg)
{
	u32 entries = sluice_txn_index_entries(&seg->txn_index);
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	int ret;

	if (entries == SLUICE_TXN_INDEX_UNKNOWN) {
		ret = count_entries(log, seg);
		if (ret)
			return ret;
		entries = sluice_txn_index_entries(&seg->txn_index);
	}
	if (!entries)
		return 0;
	sluice_segment_name(name, seg->base_offset, SLUICE_SUFFIX_TXN_INDEX);
	ret = port_file_open(log->dir, name, PORT_RDONLY, &file);
	if (ret)
		return ret == -ENOENT ? -EAGAIN : ret;
	ret = search_file(s, file, entries);
	port_file_close(file);
	return ret;
}

static int search_log(struct sluice_log *log, struct search *s)
{
	struct sluice_segment *seg = sluice_segment_list_floor(&log->segments, s->offset);
	int ret = 0;

	while (seg && !ret && !s->done) {
		s64 base_offset = seg->base_offset;

		ret = search_segment(log, s, seg);
		sluice_segment_put(seg);
		seg = NULL;
		if (!ret && !s->done)
			seg = sluice_segment_list_above(&log->segments, base_offset);
	}
	return ret;
}

int sluice_log_aborted(struct sluice_log *log, s64 offset, s64 end_offset,
		       struct sluice_aborted_txn *txns, u32 capacity, u32 *ret_count)
{
	struct search s;
	u32 tries;
	int ret = -EAGAIN;

	for (tries = 0; ret == -EAGAIN && tries < TRIES; tries++) {
		if (offset < sluice_log_start_offset(log))
			return -ERANGE;
		s = (struct search){
			.offset = offset,
			.end_offset = end_offset,
			.txns = txns,
			.capacity = capacity,
		};
		ret = search_log(log, &s);
		if (ret == -EAGAIN) {
			/* Until whoever renames files is done. */
			port_mutex_lock(&log->structure_mutex);
			port_mutex_unlock(&log->structure_mutex);
		}
	}
	if (ret)
		return ret == -EAGAIN ? -EIO : sluice_log_told_error(ret);
	*ret_count = s.count;
	return 0;
}
