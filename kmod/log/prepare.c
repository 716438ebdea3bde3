// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The next segment, made before it is needed.
 *
 * Its base offset is not known yet, so its files have names of their own
 * (segment_name.h), and a roll that takes it makes no directory operation. They
 * get the names of the segment afterwards, by housekeeping, and in any case
 * before a flush acknowledges what the segment holds and before somebody is told
 * to open it by name. After a crash in between, recovery finds data only that
 * nobody was promised.
 */
#include "log_internal.h"
#include "segment_name.h"

static const struct {
	unsigned int kind;
	const char *suffix;
} files[] = {
	/* The .log comes last: it makes a segment. */
	{SLUICE_FILE_TIME_INDEX, SLUICE_SUFFIX_TIME_INDEX},
	{SLUICE_FILE_OFFSET_INDEX, SLUICE_SUFFIX_OFFSET_INDEX},
	{SLUICE_FILE_LOG, SLUICE_SUFFIX_LOG},
};

static int name_file(struct sluice_log *log, struct sluice_segment *seg, unsigned int i)
{
	char from[SLUICE_SEGMENT_NAME_MAX], to[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	if (!(seg->unnamed & files[i].kind))
		return 0;
	sluice_segment_prepared_name(from, files[i].suffix);
	sluice_segment_name(to, seg->base_offset, files[i].suffix);
	ret = port_file_rename(log->dir, from, to);
	if (ret)
		return ret;
	/* Before the bit: who sees it clear also sees that the directory is to be synced. */
	sluice_log_names_changed(log);
	/* Pairs with sluice_segment_ensure_named(). */
	smp_store_release(&seg->unnamed, (u8)(seg->unnamed & ~files[i].kind));
	return 0;
}

static int name_files(struct sluice_log *log, struct sluice_segment *seg)
{
	unsigned int i;
	int ret = 0;

	port_mutex_assert_held(&log->names_mutex);
	for (i = 0; i < ARRAY_SIZE(files) && !ret; i++)
		ret = name_file(log, seg, i);
	return ret;
}

int sluice_segment_ensure_named(struct sluice_log *log, struct sluice_segment *seg)
{
	int ret;

	/* Pairs with name_file(). */
	if (!smp_load_acquire(&seg->unnamed))
		return 0;
	port_mutex_lock(&log->names_mutex);
	ret = name_files(log, seg);
	port_mutex_unlock(&log->names_mutex);
	return ret;
}

int sluice_log_name_last(struct sluice_log *log)
{
	struct sluice_segment *seg = sluice_segment_list_floor(&log->segments, S64_MAX);
	int ret = sluice_segment_ensure_named(log, seg);

	sluice_segment_put(seg);
	return ret;
}

bool sluice_log_prepare_due(struct sluice_log *log)
{
	const struct sluice_log_config *c = &log->config;
	const struct sluice_segment *seg = log->active;

	port_mutex_assert_held(&log->append_mutex);
	if (log->prepare_tried || READ_ONCE(log->prepared))
		return false;
	return seg->published > c->segment_bytes / 2 ||
	       seg->offset_index.entries > c->segment_index_bytes / SLUICE_OFFSET_INDEX_ENTRY / 2 ||
	       seg->time_index.entries > c->segment_index_bytes / SLUICE_TIME_INDEX_ENTRY / 2;
}

static bool begin(struct sluice_log *log)
{
	bool due;

	port_mutex_lock(&log->append_mutex);
	due = sluice_log_prepare_due(log);
	/* If it fails the roll creates its files itself. */
	if (due)
		log->prepare_tried = true;
	/* So is the first page of an index, which is dear; here the roll tries again. */
	if (due && sluice_segment_store_indexes(log->active))
		port_warn("%s: the indexes cannot be written now", port_dir_name(log->dir));
	port_mutex_unlock(&log->append_mutex);
	return due;
}

static int create_prepared(struct sluice_log *log)
{
	struct sluice_segment *active, *seg;
	int ret;

	port_mutex_assert_held(&log->names_mutex);
	/*
	 * A roll lets another one begin, while the first is still at it. One that
	 * takes what is prepared clears this after the segment is in the list: who
	 * sees it clear finds the segment that has the names below.
	 */
	if (READ_ONCE(log->prepared))
		return 0;
	/*
	 * Nothing is prepared, and nobody else prepares: from here on no roll
	 * takes the names, and if the last segment has its own they are free.
	 */
	active = sluice_segment_list_floor(&log->segments, S64_MAX);
	ret = name_files(log, active);
	sluice_segment_put(active);
	if (ret)
		return ret;
	ret = sluice_segment_create_unnamed(log->dir, &seg);
	if (ret)
		return ret;
	/* Pairs with the roll, which takes it. */
	smp_store_release(&log->prepared, seg);
	return 0;
}

int sluice_log_prepare(struct sluice_log *log)
{
	int ret;

	if (sluice_log_failed(log))
		return 0;
	/* Without append_mutex: it takes as long as the file system takes. */
	ret = sluice_log_name_last(log);
	if (ret || !begin(log))
		return ret;
	/* A roll waits for this only if its segment has no name yet. */
	port_mutex_lock(&log->names_mutex);
	ret = create_prepared(log);
	port_mutex_unlock(&log->names_mutex);
	return ret;
}

void sluice_log_drop_prepared(struct sluice_log *log)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	unsigned int i;

	if (!log->prepared)
		return;
	sluice_segment_put(log->prepared);
	log->prepared = NULL;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		sluice_segment_prepared_name(name, files[i].suffix);
		/* What stays is empty, and the next one to prepare takes it. */
		if (port_file_remove(log->dir, name))
			return;
	}
}
