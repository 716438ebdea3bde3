// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Segments that left the log: their files are renamed at once and unlinked
 * later, for somebody may be about to open them by a name he was just told.
 */
#include "log_internal.h"
#include "segment_file.h"
#include "segment_name.h"

static const char *const suffixes[] = {
	/* The .log first: without it the others are nobody's. */
	SLUICE_SUFFIX_LOG,	 SLUICE_SUFFIX_OFFSET_INDEX, SLUICE_SUFFIX_TIME_INDEX,
	SLUICE_SUFFIX_TXN_INDEX, SLUICE_SUFFIX_SNAPSHOT,
};

/* After a replacement the snapshot belongs to the new segment of the same base offset. */
static bool base_is_taken(struct sluice_log *log, s64 base_offset)
{
	struct sluice_segment *seg = sluice_segment_list_floor(&log->segments, base_offset);
	bool taken;

	if (!seg)
		return false;
	taken = seg->base_offset == base_offset;
	sluice_segment_put(seg);
	return taken;
}

/*
 * On a full disk there may be no room for the longer name, and it is this that
 * gives room again: then the file goes at once, and who was just told its name
 * finds none.
 */
static int rename_file(struct sluice_log *log, s64 base_offset, const char *suffix)
{
	char from[SLUICE_SEGMENT_NAME_MAX], to[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	sluice_segment_name(from, base_offset, suffix);
	sluice_segment_deleted_name(to, base_offset, suffix);
	ret = port_file_rename(log->dir, from, to);
	if (ret == -ENOSPC || ret == -EDQUOT)
		ret = port_file_remove(log->dir, from);
	return ret == -ENOENT ? 0 : ret;
}

static int rename_files(struct sluice_log *log, s64 base_offset)
{
	u32 i, count = ARRAY_SIZE(suffixes);
	int ret;

	if (base_is_taken(log, base_offset))
		count--;
	for (i = 0; i < count; i++) {
		ret = rename_file(log, base_offset, suffixes[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static void close_files(struct sluice_log *log, struct sluice_segment *seg)
{
	struct port_file *files[SLUICE_SEGMENT_FILES_MAX];
	u32 count;

	port_spin_lock(&log->segments.lock);
	if (!seg->sealed) {
		log->open_sealed++;
		/* The active one of a log that is cut; readers are to look elsewhere. */
		smp_store_release(&seg->sealed, true);
	}
	count = sluice_segment_take_idle(log, seg, false, files);
	port_spin_unlock(&log->segments.lock);
	while (count--)
		port_file_close(files[count]);
}

void sluice_log_release(struct sluice_log *log, struct sluice_segment *seg)
{
	/* Pairs with sluice_segment_use(), as below. */
	smp_store_release(&seg->discarded, true);
	close_files(log, seg);
	port_spin_lock(&log->segments.lock);
	/* Somebody has it; the last one to leave closes its files, and nobody counts. */
	if (seg->open)
		log->open_sealed--;
	port_spin_unlock(&log->segments.lock);
	sluice_segment_put(seg);
}

int sluice_log_discard(struct sluice_log *log, struct sluice_segment *seg, s64 now_ms)
{
	int ret;

	port_mutex_assert_held(&log->structure_mutex);
	ret = sluice_segment_ensure_named(log, seg);
	/* Pairs with sluice_segment_use(): whoever misses a file learns why. */
	smp_store_release(&seg->discarded, true);
	if (!ret)
		ret = rename_files(log, seg->base_offset);
	sluice_log_names_changed(log);
	close_files(log, seg);
	if (ret) {
		port_warn("%s: the files of segment %020lld cannot be renamed (error %d)",
			  port_dir_name(log->dir), seg->base_offset, -ret);
		log->stuck = seg->base_offset + 1;
		sluice_segment_put(seg);
		return ret;
	}
	seg->unlink_ms = now_ms + min_t(s64, READ_ONCE(log->config.file_delete_delay_ms),
					S64_MAX - now_ms);
	if (log->discarded)
		log->discarded_last->next_discarded = seg;
	else
		log->discarded = seg;
	log->discarded_last = seg;
	return 0;
}

int sluice_log_discard_stuck(struct sluice_log *log, char *err)
{
	int ret;

	port_mutex_assert_held(&log->structure_mutex);
	if (!log->stuck)
		return 0;
	ret = rename_files(log, log->stuck - 1);
	if (ret) {
		if (err)
			snprintf(err, SLUICE_ERROR_TEXT_MAX,
				 "the files of segment %020lld cannot be renamed (error %d)",
				 log->stuck - 1, -ret);
		return ret;
	}
	sluice_log_names_changed(log);
	log->stuck = 0;
	log->leftovers = true;
	return 0;
}

static int unlink_file(struct sluice_log *log, s64 base_offset, const char *suffix)
{
	char name[SLUICE_SEGMENT_NAME_MAX];

	sluice_segment_deleted_name(name, base_offset, suffix);
	return port_file_remove(log->dir, name);
}

static int unlink_first(struct sluice_log *log)
{
	struct sluice_segment *seg = log->discarded;
	u32 i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(suffixes); i++) {
		ret = unlink_file(log, seg->base_offset, suffixes[i]);
		if (ret)
			return ret;
	}
	log->discarded = seg->next_discarded;
	if (!log->discarded)
		log->discarded_last = NULL;
	sluice_log_release(log, seg);
	return 0;
}

static bool is_waiting(const struct sluice_log *log, s64 base_offset)
{
	const struct sluice_segment *seg;

	for (seg = log->discarded; seg; seg = seg->next_discarded)
		if (seg->base_offset == base_offset)
			return true;
	return false;
}

/* Nobody who was told the old names is left since the log was opened. */
static int unlink_leftovers(struct sluice_log *log, const char *suffix)
{
	char deleted[SLUICE_SEGMENT_NAME_MAX];
	s64 *offsets;
	u32 count, i;
	int ret;

	snprintf(deleted, sizeof(deleted), "%s" SLUICE_SUFFIX_DELETED, suffix);
	ret = sluice_segment_list_dir(log->dir, deleted, &offsets, &count);
	if (ret)
		return ret;
	for (i = 0; i < count && !ret; i++)
		if (!is_waiting(log, offsets[i]))
			ret = unlink_file(log, offsets[i], suffix);
	port_free(offsets);
	return ret;
}

int sluice_log_unlink_due(struct sluice_log *log, s64 now_ms)
{
	u32 i;
	int ret;

	port_mutex_assert_held(&log->structure_mutex);
	for (i = 0; log->leftovers && i < ARRAY_SIZE(suffixes); i++) {
		ret = unlink_leftovers(log, suffixes[i]);
		if (ret)
			return ret;
	}
	log->leftovers = false;
	while (log->discarded && log->discarded->unlink_ms <= now_ms) {
		ret = unlink_first(log);
		if (ret)
			return ret;
	}
	return 0;
}
