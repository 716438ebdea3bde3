// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Recovery of what a log knows of its producers: the snapshots. What they say
 * is a function of the batches, so they can always be made anew.
 */
#include "batch_cursor.h"
#include "log_internal.h"
#include "producer_snapshot.h"
#include "recover_internal.h"

static int no_memory(char *err)
{
	snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
	return -ENOMEM;
}

static int remove_snapshot(struct recovery *r, s64 offset, char *err)
{
	int ret = sluice_producer_snapshot_remove(r->dir, offset);

	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "%020lld.snapshot: cannot be removed (error %d)",
			 offset, -ret);
	r->names_changed = true;
	return ret;
}

/*
 * Load the newest snapshot up to @offset that is good; none is an empty state.
 * Those behind it are removed if @newer says so; in any case damaged ones, and
 * those of what lies before the log: a transaction that is open there may have
 * ended in batches that are gone.
 */
static int load(struct recovery *r, s64 offset, bool newer, char *err)
{
	u32 count;
	const struct recover_file *snapshot =
		recover_files_of(&r->files, RECOVER_IN_PLACE, RECOVER_SNAPSHOT, &count);
	int ret;

	while (count--) {
		s64 at = snapshot[count].base_offset;

		if (at > offset) {
			ret = newer ? remove_snapshot(r, at, err) : 0;
			if (ret)
				return ret;
			continue;
		}
		if (at < r->offsets[0]) {
			ret = remove_snapshot(r, at, err);
			if (ret)
				return ret;
			continue;
		}
		r->producers = sluice_producer_state_new();
		if (!r->producers)
			return no_memory(err);
		ret = sluice_producer_state_load(r->producers, r->dir, at, err);
		if (!ret) {
			r->snapshot_offset = at;
			return 0;
		}
		sluice_producer_state_free(r->producers);
		r->producers = NULL;
		if (ret != -EUCLEAN)
			return ret;
		port_warn("%s: %s; it is made anew", port_dir_name(r->dir), err);
		err[0] = '\0';
		ret = remove_snapshot(r, at, err);
		if (ret)
			return ret;
	}
	r->producers = sluice_producer_state_new();
	return r->producers ? 0 : no_memory(err);
}

/* @end_offset: of the segment, at most; the batches are not verified below the recovery point */
static int replay_file(struct recovery *r, struct port_file *file, s64 base_offset, s64 end_offset)
{
	struct sluice_batch_cursor cursor;
	s64 size = port_file_size(file);
	struct sluice_aborted_txn txn;
	struct sluice_batch b;
	const char *why;
	int ret;

	if (size < 0)
		return (int)size;
	sluice_batch_cursor_init(&cursor, file, 0, (u64)min_t(s64, size, S32_MAX), base_offset);
	sluice_batch_cursor_use(&cursor, r->chunk, RECOVER_CHUNK_SIZE);
	while ((ret = sluice_batch_cursor_peek(&cursor, &b, &why)) > 0) {
		/* Damaged. What it says would make a snapshot that cannot be loaded. */
		if (sluice_batch_last_offset(&b) >= end_offset)
			return 0;
		if (b.base_offset >= r->snapshot_offset) {
			ret = sluice_producer_state_replay(r->producers, file, cursor.position, &b,
							   &txn);
			if (ret < 0)
				return ret;
		}
		sluice_batch_cursor_next(&cursor, &b);
	}
	/* What is broken here was found before, or will be when the log is opened. */
	return ret == -EBADMSG ? 0 : ret;
}

/* Learn from the batches from where the snapshot is to the end of the segments. */
static int replay(struct recovery *r, u32 segments, char *err)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	int ret;
	u32 i;

	ret = recover_chunk(r, err);
	for (i = 0; i < segments && !ret; i++) {
		s64 end_offset = i + 1 < r->count ? r->offsets[i + 1] : r->out->log_end_offset;
		struct port_file *file;

		if (end_offset <= r->snapshot_offset)
			continue;
		sluice_segment_name(name, r->offsets[i], SLUICE_SUFFIX_LOG);
		ret = port_file_open(r->dir, name, PORT_RDONLY, &file);
		if (!ret) {
			ret = replay_file(r, file, r->offsets[i], end_offset);
			port_file_close(file);
		}
		if (ret)
			snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be read (error %d)", name,
				 -ret);
	}
	return ret;
}

int recover_producers_begin(struct recovery *r, u32 i, char *err)
{
	int ret = load(r, r->offsets[i], true, err);

	if (ret || r->snapshot_offset == r->offsets[i] || i == 0)
		return ret;
	ret = replay(r, i, err);
	return ret ? ret : recover_producers_save(r, r->offsets[i], err);
}

int recover_producers_save(struct recovery *r, s64 offset, char *err)
{
	int ret;

	if (offset <= r->snapshot_offset || offset <= r->offsets[0])
		return 0;
	ret = sluice_producer_state_save(r->producers, r->dir, offset);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "%020lld.snapshot: cannot be written (error %d)",
			 offset, -ret);
	r->names_changed = true;
	r->snapshot_offset = offset;
	return ret;
}

/* Would opening the log have to read more than it will. */
static int is_far(struct recovery *r, s64 snapshot_offset, char *err)
{
	u64 bytes = 0;
	u32 i;

	for (i = r->count; i-- > 0;) {
		s64 end = i + 1 < r->count ? r->offsets[i + 1] : r->out->log_end_offset;
		s64 size;

		if (end <= snapshot_offset)
			break;
		size = recover_segment_size(r, r->offsets[i], err);
		if (size < 0)
			return (int)size;
		bytes += (u64)size;
		if (bytes > SLUICE_REPLAY_BYTES_MAX)
			return 1;
	}
	return 0;
}

int recover_producers_check(struct recovery *r, char *err)
{
	s64 end_offset = r->out->log_end_offset;
	int far;
	u32 count, i;
	const struct recover_file *snapshot =
		recover_files_of(&r->files, RECOVER_IN_PLACE, RECOVER_SNAPSHOT, &count);
	s64 newest = -1;
	int ret;

	for (i = 0; i < count && snapshot[i].base_offset <= end_offset; i++)
		newest = snapshot[i].base_offset;
	far = is_far(r, newest, err);
	if (far < 0 || (newest < 0 && !far))
		return far;
	ret = load(r, end_offset, false, err);
	if (ret || (r->snapshot_offset == newest && !far))
		return ret;
	ret = replay(r, r->count, err);
	return ret ? ret : recover_producers_save(r, end_offset, err);
}
