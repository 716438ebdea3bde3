// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Finishing, or undoing, what was interrupted while names were changed. */
#include "batch_cursor.h"
#include "recover_files.h"
#include "segment.h"

struct names {
	struct port_dir *dir;
	const struct recover_files *files;
	u8 *chunk;
	u32 chunk_size;
	bool gaps;
	char *err;
	bool changed;
};

static void full_name(char name[SLUICE_SEGMENT_NAME_MAX], s64 base_offset, u8 kind,
		      const char *state_suffix)
{
	char suffix[sizeof(".timeindex.deleted")];

	snprintf(suffix, sizeof(suffix), "%s%s", recover_suffixes[kind], state_suffix);
	sluice_segment_name(name, base_offset, suffix);
}

static int remove_file(struct names *n, s64 base_offset, u8 kind, const char *state_suffix)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	full_name(name, base_offset, kind, state_suffix);
	ret = port_file_remove(n->dir, name);
	if (ret)
		snprintf(n->err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be removed (error %d)", name,
			 -ret);
	n->changed = true;
	return ret;
}

static int remove_all(struct names *n, u8 state, const char *state_suffix)
{
	u8 kind;

	for (kind = 0; kind < RECOVER_KINDS; kind++) {
		u32 count, i;
		const struct recover_file *file = recover_files_of(n->files, state, kind, &count);

		for (i = 0; i < count; i++) {
			int ret = remove_file(n, file[i].base_offset, kind, state_suffix);

			if (ret)
				return ret;
		}
	}
	return 0;
}

static int verify_batches(struct names *n, struct port_file *file, s64 base_offset,
			  s64 *ret_end_offset)
{
	struct sluice_batch_cursor cursor;
	s64 size = port_file_size(file);
	struct sluice_batch b;
	const char *why;
	int ret;

	if (size < 0)
		return (int)size;
	if (size > SLUICE_SEGMENT_BYTES_MAX)
		return 0;
	sluice_batch_cursor_init(&cursor, file, 0, (u64)size, base_offset);
	sluice_batch_cursor_use(&cursor, n->chunk, n->chunk_size);
	while ((ret = sluice_batch_cursor_peek(&cursor, &b, &why)) > 0) {
		u32 crc = 0;

		ret = sluice_batch_cursor_crc(&cursor, &b, &crc);
		if (ret)
			return ret;
		if (crc != b.crc)
			return 0;
		sluice_batch_cursor_next(&cursor, &b);
	}
	*ret_end_offset = cursor.min_offset;
	return ret == -EBADMSG ? 0 : ret < 0 ? ret : 1;
}

/* 1 if the whole .log.swap file is batches, 0 if not. */
static int verify_swap(struct names *n, s64 base_offset, s64 *ret_end_offset)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	int ret;

	full_name(name, base_offset, RECOVER_LOG, SLUICE_SUFFIX_SWAP);
	ret = port_file_open(n->dir, name, PORT_RDONLY, &file);
	if (!ret) {
		ret = verify_batches(n, file, base_offset, ret_end_offset);
		port_file_close(file);
	}
	if (ret < 0)
		snprintf(n->err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be read (error %d)", name,
			 -ret);
	return ret;
}

/* The segments that were replaced; their names went before those of the new came. */
static int remove_replaced(struct names *n, s64 from, s64 end_offset)
{
	u32 count, i;
	const struct recover_file *log =
		recover_files_of(n->files, RECOVER_IN_PLACE, RECOVER_LOG, &count);
	int ret = 0;
	u8 kind;

	for (i = 0; i < count; i++) {
		if (log[i].base_offset < from || log[i].base_offset >= end_offset)
			continue;
		for (kind = 0; kind < RECOVER_SNAPSHOT && !ret; kind++)
			ret = remove_file(n, log[i].base_offset, kind, "");
		if (ret)
			return ret;
	}
	return 0;
}

/* The .log file comes last: as long as it has its old name all of this is done anew. */
static int put_in_place(struct names *n, s64 base_offset)
{
	char from[SLUICE_SEGMENT_NAME_MAX], to[SLUICE_SEGMENT_NAME_MAX];
	u8 kind;

	for (kind = RECOVER_SNAPSHOT; kind-- > RECOVER_LOG;) {
		int ret;

		full_name(from, base_offset, kind, SLUICE_SUFFIX_SWAP);
		full_name(to, base_offset, kind, "");
		ret = port_file_rename(n->dir, from, to);
		if (ret && !(ret == -ENOENT && kind != RECOVER_LOG)) {
			snprintf(n->err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be renamed (error %d)",
				 from, -ret);
			return ret;
		}
	}
	n->changed = true;
	return 0;
}

/*
 * Do the new segments, which end at @end_offset, hold all that the segments
 * between had? Not if one of those goes on behind that: either its last records
 * were cleaned away, or one more new segment was to come.
 */
static bool replaces_whole(const struct names *n, s64 from, s64 end_offset)
{
	u32 count, i;
	const struct recover_file *log =
		recover_files_of(n->files, RECOVER_IN_PLACE, RECOVER_LOG, &count);

	for (i = 0; i < count; i++) {
		s64 next = i + 1 < count ? log[i + 1].base_offset : S64_MAX;

		if (log[i].base_offset >= from && log[i].base_offset < end_offset &&
		    next > end_offset)
			return false;
	}
	return true;
}

/*
 * Retention takes segments while new ones for them are made: these are for none
 * then. They would come back with a hole between them and what is left.
 */
static bool goes_on(const struct names *n, s64 end_offset)
{
	u32 count, i;
	const struct recover_file *log =
		recover_files_of(n->files, RECOVER_IN_PLACE, RECOVER_LOG, &count);

	for (i = 0; i < count; i++) {
		if (log[i].base_offset >= end_offset)
			return log[i].base_offset == end_offset;
	}
	return true;
}

static int undo_swap(struct names *n, s64 base_offset)
{
	port_warn("%s: the compaction of the segments from offset %lld on is undone",
		  port_dir_name(n->dir), base_offset);
	return remove_all(n, RECOVER_SWAP, SLUICE_SUFFIX_SWAP);
}

static int finish_swap(struct names *n)
{
	u32 count, cleaned, i;
	const struct recover_file *swap =
		recover_files_of(n->files, RECOVER_SWAP, RECOVER_LOG, &count);
	s64 end_offset = 0, one_end;
	bool whole;
	int ret;

	/* While some of the new segments are still to be named, no old one is touched. */
	recover_files_of(n->files, RECOVER_CLEANED, RECOVER_LOG, &cleaned);
	whole = !cleaned;
	for (i = 0; i < count; i++) {
		ret = verify_swap(n, swap[i].base_offset, &one_end);
		if (ret < 0)
			return ret;
		whole &= ret > 0;
		end_offset = max(end_offset, ret ? one_end : swap[i].base_offset + 1);
	}
	if (count) {
		s64 from = swap[0].base_offset;

		whole &= replaces_whole(n, from, end_offset);
		/* The first new segment has the name of the first old one, which goes first. */
		if (!whole && recover_files_find(n->files, RECOVER_IN_PLACE, RECOVER_LOG, from))
			return undo_swap(n, from);
		if (whole && !n->gaps && !goes_on(n, end_offset))
			return undo_swap(n, from);
		ret = remove_replaced(n, from, end_offset);
		if (ret)
			return ret;
	}
	for (i = 0; i < count; i++) {
		ret = put_in_place(n, swap[i].base_offset);
		if (ret)
			return ret;
	}
	/* Indexes whose segment has got its name already: they can be built anew. */
	return remove_all(n, RECOVER_SWAP, SLUICE_SUFFIX_SWAP);
}

int recover_names(struct port_dir *dir, const struct recover_files *f, u8 *chunk, u32 chunk_size,
		  bool gaps, char *err, bool *ret_changed)
{
	struct names n = {
		.dir = dir,
		.files = f,
		.chunk = chunk,
		.chunk_size = chunk_size,
		.gaps = gaps,
		.err = err,
	};
	int ret;

	/* The old segments are given up for the new ones, so those must have come to stay. */
	ret = finish_swap(&n);
	if (!ret)
		ret = remove_all(&n, RECOVER_CLEANED, SLUICE_SUFFIX_CLEANED);
	if (!ret)
		ret = remove_all(&n, RECOVER_CUT, SLUICE_SUFFIX_CUT);
	if (!ret)
		ret = remove_all(&n, RECOVER_DELETED, SLUICE_SUFFIX_DELETED);
	*ret_changed |= n.changed;
	return ret;
}
