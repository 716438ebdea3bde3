// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Recovery of a log: which segments to read, which to remove. */
#include "recover_internal.h"
#include "segment.h"

static int remove_file(struct recovery *r, s64 base_offset, const char *suffix, char *err)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	sluice_segment_name(name, base_offset, suffix);
	ret = port_file_remove(r->dir, name);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be removed (error %d)", name,
			 -ret);
	r->names_changed = true;
	return ret;
}

/* What a roll that failed, or a removal that was cut short, left behind. */
static int remove_orphans(struct recovery *r, u8 kind, char *err)
{
	u32 count, i;
	const struct recover_file *file =
		recover_files_of(&r->files, RECOVER_IN_PLACE, kind, &count);

	for (i = 0; i < count; i++) {
		int ret;

		if (recover_files_find(&r->files, RECOVER_IN_PLACE, RECOVER_LOG,
				       file[i].base_offset))
			continue;
		ret = remove_file(r, file[i].base_offset, recover_suffixes[kind], err);
		if (ret)
			return ret;
	}
	return 0;
}

s64 recover_segment_size(struct recovery *r, s64 base_offset, char *err)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	s64 size;
	int ret;

	sluice_segment_name(name, base_offset, SLUICE_SUFFIX_LOG);
	ret = port_file_open(r->dir, name, PORT_RDONLY, &file);
	size = ret;
	if (!ret) {
		size = port_file_size(file);
		port_file_close(file);
	}
	if (size < 0)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be opened (error %d)", name,
			 (int)-size);
	return size;
}

static int remove_segment(struct recovery *r, s64 base_offset, char *err)
{
	int ret = 0;
	u8 kind;

	for (kind = RECOVER_LOG; kind < RECOVER_KINDS && !ret; kind++)
		ret = remove_file(r, base_offset, recover_suffixes[kind], err);
	if (base_offset <= r->snapshot_offset)
		r->snapshot_offset = -1;
	return ret;
}

/* From the last one on, so that a crash in between leaves no hole. */
static int remove_segments_after(struct recovery *r, u32 kept, char *err)
{
	u32 i;

	for (i = r->count - 1; i > kept; i--) {
		s64 size = recover_segment_size(r, r->offsets[i], err);
		int ret;

		if (size < 0)
			return (int)size;
		ret = remove_segment(r, r->offsets[i], err);
		if (ret)
			return ret;
		r->out->bytes_cut += (u64)size;
		r->out->segments_removed++;
	}
	r->count = kept + 1;
	return 0;
}

/* What sluice_log_open() will ask of the segment; @next_offset S64_MAX for the last. */
static int check_segment(struct recovery *r, s64 base_offset, s64 next_offset, char *err)
{
	s64 end_offset = next_offset;
	struct sluice_segment *seg;
	int ret;

	ret = sluice_segment_open(r->dir, base_offset, err, &seg);
	if (ret)
		return ret;
	if (next_offset == S64_MAX)
		ret = sluice_segment_scan_tail(seg, err, &end_offset);
	if (!ret)
		ret = sluice_segment_check_end(seg, end_offset, err);
	if (!ret)
		r->out->log_end_offset = end_offset;
	sluice_segment_put(seg);
	return ret;
}

/* A segment being recovered: the @i-th. */
struct place {
	struct recovery *r;
	u32 i;
};

static int sync_names(struct recovery *r, char *err)
{
	int ret;

	if (!r->names_changed)
		return 0;
	ret = port_dir_sync(r->dir);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "the directory cannot be synced (error %d)",
			 -ret);
	else
		r->names_changed = false;
	return ret;
}

/* Durably: what is cut afterwards must not come back behind a hole. */
static int end_log_with(struct recovery *r, u32 i, char *err)
{
	int ret = remove_segments_after(r, i, err);

	return ret ? ret : sync_names(r, err);
}

static int before_cut(void *ctx, char *err)
{
	const struct place *place = ctx;
	struct recovery *r = place->r;

	/* Damage in what was durable is no crash's work: what follows is not given up for it. */
	if (place->i < r->first_read)
		return 0;
	return end_log_with(r, place->i, err);
}

int recover_chunk(struct recovery *r, char *err)
{
	if (r->chunk)
		return 0;
	r->chunk = port_alloc(RECOVER_CHUNK_SIZE);
	if (r->chunk)
		return 0;
	snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
	return -ENOMEM;
}

int recover_one_segment(struct recovery *r, u32 i, char *err)
{
	bool last = i == r->count - 1;
	struct place place = {.r = r, .i = i};
	struct sluice_segment_recovery seg = {
		.dir = r->dir,
		.base_offset = r->offsets[i],
		.end_offset = last ? S64_MAX : r->offsets[i + 1],
		.recovery_point = r->recovery_point,
		.index_interval_bytes = r->config->index_interval_bytes,
		.before_cut = before_cut,
		.ctx = &place,
	};
	int ret;

	if (i < r->first_read) {
		r->last_full = i;
		r->last_full_end = -1;
		ret = check_segment(r, seg.base_offset, seg.end_offset, err);
		if (ret != -EUCLEAN)
			return ret;
		port_warn("%s: %s; the segment is read again", port_dir_name(r->dir), err);
	}
	ret = recover_chunk(r, err);
	if (ret)
		return ret;
	if (i >= r->first_read) {
		ret = r->producers ? recover_producers_save(r, seg.base_offset, err) :
				     recover_producers_begin(r, i, err);
		if (ret)
			return ret;
		seg.producers = r->producers;
	}
	seg.chunk = r->chunk;
	seg.chunk_size = RECOVER_CHUNK_SIZE;
	seg.bytes_read = &r->out->bytes_read;
	ret = sluice_segment_recover(&seg, err);
	if (ret)
		return ret;
	r->last_read = seg;
	r->out->bytes_cut += seg.bytes_cut;
	r->out->indexes_rebuilt += seg.indexes_rebuilt;
	r->out->log_end_offset = seg.end_offset;
	r->names_changed |= seg.created;
	if (i >= r->first_read && (seg.size || i == 0)) {
		r->last_full = i;
		r->last_full_end = seg.end_offset;
	}
	if (seg.bytes_cut)
		port_warn("%s: %020lld.log: cut at position %llu, %llu bytes less",
			  port_dir_name(r->dir), seg.base_offset, seg.size, seg.bytes_cut);
	return 0;
}

/* A segment that begins at the recovery point says nothing of the one before it. */
static u32 first_to_read(const struct recovery *r)
{
	u32 i;

	for (i = r->count; i-- > 1;) {
		if (r->offsets[i] < r->recovery_point)
			return i;
	}
	return 0;
}

/*
 * A crash may keep the name of a segment and lose the end of the one before
 * it. If nothing is in it, it is removed, or readers would wait in front of a
 * gap for batches that never come.
 */
static int remove_empty_behind_gap(struct recovery *r, char *err)
{
	u32 kept = r->last_full;
	int ret;

	if (r->last_full_end < 0 || kept + 1 >= r->count)
		return 0;
	if (r->offsets[kept + 1] == r->last_full_end)
		kept++;
	if (kept + 1 >= r->count)
		return 0;
	ret = remove_segments_after(r, kept, err);
	if (!ret)
		r->out->log_end_offset = r->last_full_end;
	return ret;
}

/*
 * Write-back goes file by file: it may have saved a segment, and lost the last
 * batches of the one before. None of what follows was acknowledged as durable.
 */
static int cut_at_hole(struct recovery *r, u32 i, char *err)
{
	if (r->gaps || i < r->first_read || i + 1 >= r->count ||
	    r->offsets[i + 1] <= r->out->log_end_offset ||
	    /* Nor did a crash take anything below that. */
	    r->offsets[i + 1] <= r->recovery_point)
		return 0;
	port_warn("%s: offsets %lld to %lld are missing; the log is cut there",
		  port_dir_name(r->dir), r->out->log_end_offset, r->offsets[i + 1] - 1);
	return end_log_with(r, i, err);
}

static int recover_segments(struct recovery *r, char *err)
{
	u32 i;
	int ret;

	for (i = 0; i < r->count; i++) {
		ret = recover_one_segment(r, i, err);
		if (!ret)
			ret = cut_at_hole(r, i, err);
		if (ret)
			return ret;
	}
	ret = recover_prepared(r, err);
	return ret ? ret : remove_empty_behind_gap(r, err);
}

static int list_files(struct recovery *r, char *err)
{
	int ret;

	port_free(r->files.files);
	r->files = (struct recover_files){0};
	ret = recover_files_list(r->dir, &r->files);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "the directory cannot be listed (error %d)",
			 -ret);
	return ret;
}

/* Afterwards a segment is what has a .log file. */
static int settle_names(struct recovery *r, char *err)
{
	u32 in_place, count, i;
	const struct recover_file *log;
	int ret;
	u8 kind;

	ret = list_files(r, err);
	if (ret)
		return ret;
	for (in_place = 0, kind = 0; kind < RECOVER_KINDS; kind++) {
		recover_files_of(&r->files, RECOVER_IN_PLACE, kind, &count);
		in_place += count;
	}
	if (in_place != r->files.count) {
		ret = recover_chunk(r, err);
		if (!ret)
			ret = recover_names(r->dir, &r->files, r->chunk, RECOVER_CHUNK_SIZE,
					    r->gaps, err, &r->names_changed);
		if (!ret)
			ret = list_files(r, err);
		if (ret)
			return ret;
	}
	log = recover_files_of(&r->files, RECOVER_IN_PLACE, RECOVER_LOG, &r->count);
	if (r->count > SLUICE_SEGMENTS_MAX) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "there are too many segments");
		return -EMFILE;
	}
	r->offsets = port_alloc((r->count + 1) * sizeof(*r->offsets));
	if (!r->offsets) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
		return -ENOMEM;
	}
	for (i = 0; i < r->count; i++)
		r->offsets[i] = log[i].base_offset;
	return 0;
}

static int recover_log(struct recovery *r, char *err)
{
	int ret = 0;
	u8 kind;

	for (kind = RECOVER_OFFSET_INDEX; kind <= RECOVER_TXN_INDEX && !ret; kind++)
		ret = remove_orphans(r, kind, err);
	if (!ret)
		ret = recover_segments(r, err);
	if (!ret)
		ret = r->producers ? recover_producers_save(r, r->out->log_end_offset, err) :
				     recover_producers_check(r, err);
	if (!ret)
		ret = sync_names(r, err);
	return ret;
}

int sluice_log_recover(struct port_dir *dir, const struct sluice_log_config *c, s64 recovery_point,
		       unsigned int flags, char *err, struct sluice_recovery *ret_done)
{
	struct recovery r = {
		.dir = dir,
		.config = c,
		.recovery_point = recovery_point,
		.gaps = flags & SLUICE_RECOVER_GAPS,
		.last_full_end = -1,
		.snapshot_offset = -1,
		.out = ret_done,
	};
	int ret;

	*ret_done = (struct sluice_recovery){0};
	ret = settle_names(&r, err);
	if (!ret) {
		r.first_read = flags & SLUICE_RECOVER_CLEAN ? r.count : first_to_read(&r);
		ret = recover_log(&r, err);
	}
	sluice_producer_state_free(r.producers);
	port_free(r.chunk);
	port_free(r.offsets);
	port_free(r.files.files);
	return ret;
}
