// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The files of a segment: opened when they are needed, closed when they are not.
 *
 * A log may have very many sealed segments, of which hardly any are read. So a
 * sealed one keeps its files open only while somebody uses them: whoever holds a
 * reference besides the list's. New references come from the list, under its
 * lock. Who holds that lock and sees the list's reference alone may therefore
 * take the files away.
 */
#include "segment_file.h"
#include "log_internal.h"
#include "segment_name.h"

static const char *suffix_of(unsigned int kind)
{
	switch (kind) {
	case SLUICE_FILE_LOG:
		return SLUICE_SUFFIX_LOG;
	case SLUICE_FILE_OFFSET_INDEX:
		return SLUICE_SUFFIX_OFFSET_INDEX;
	default:
		return SLUICE_SUFFIX_TIME_INDEX;
	}
}

static int check_log(const struct sluice_segment *seg, struct sluice_segment_file *f,
		     const char **ret_why)
{
	s64 size = port_file_size(f->file);
	u64 inode;

	if (size < 0)
		return (int)size;
	if (size > SLUICE_SEGMENT_BYTES_MAX) {
		*ret_why = "the size of the file is impossible";
		return -EUCLEAN;
	}
	f->size = (u64)size;
	f->inode = port_file_inode(f->file);
	/* Pairs with sluice_segment_file_install(): who sees it sees the size. */
	inode = smp_load_acquire(&seg->inode);
	if (inode && (f->inode != inode || f->size != seg->published)) {
		*ret_why = "this is not the file that was there before";
		return -EUCLEAN;
	}
	return 0;
}

/* @end_offset is relative, and so is what the last entry says. */
static int check_index(struct sluice_segment_file *f, u64 log_size, s64 end_offset,
		       const char **ret_why)
{
	s64 last = -1;
	int ret;

	if (f->kind == SLUICE_FILE_OFFSET_INDEX) {
		ret = sluice_offset_index_init(&f->offset_index, f->file, log_size, ret_why);
		if (!ret)
			last = f->offset_index.last_relative_offset;
	} else {
		ret = sluice_time_index_init(&f->time_index, f->file, ret_why);
		if (!ret && f->time_index.entries)
			last = f->time_index.last.relative_offset;
	}
	if (ret || last < end_offset)
		return ret;
	*ret_why = "the last entry is behind the end of the segment";
	return -EUCLEAN;
}

static int check(const struct sluice_segment *seg, struct sluice_segment_file *f, s64 end_offset,
		 const char **ret_why)
{
	switch (f->kind) {
	case SLUICE_FILE_LOG:
		return check_log(seg, f, ret_why);
	default:
		return check_index(f, seg->published, end_offset - seg->base_offset, ret_why);
	}
}

int sluice_segment_file_open(struct port_dir *dir, const struct sluice_segment *seg,
			     unsigned int kind, unsigned int flags, s64 end_offset, char *err,
			     struct sluice_segment_file *ret_f)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	const char *why = NULL;
	int ret;

	snprintf(name, sizeof(name), "%020lld%s%s", seg->base_offset, suffix_of(kind),
		 ret_f->behind ? ret_f->behind : "");
	ret_f->kind = kind;
	ret = port_file_open(dir, name, flags, &ret_f->file);
	if (ret) {
		if (ret == -ENOENT)
			snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: the file is missing", name);
		else
			snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be opened (error %d)",
				 name, -ret);
		return ret;
	}
	ret = check(seg, ret_f, end_offset, &why);
	if (!ret)
		return 0;
	port_file_close(ret_f->file);
	if (ret == -EUCLEAN)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: %s", name, why);
	else
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be read (error %d)", name, -ret);
	return ret;
}

void sluice_segment_file_install(struct sluice_segment *seg, const struct sluice_segment_file *f)
{
	switch (f->kind) {
	case SLUICE_FILE_LOG:
		seg->file = f->file;
		/* What is known was found the same; somebody else may be comparing it. */
		if (seg->inode)
			break;
		/* Looked at without a lock by who counts bytes. */
		WRITE_ONCE(seg->published, f->size);
		/* Pairs with check_log(), of others who open it for the first time, too. */
		smp_store_release(&seg->inode, f->inode);
		break;
	case SLUICE_FILE_OFFSET_INDEX:
		seg->offset_index = f->offset_index;
		break;
	default:
		seg->time_index = f->time_index;
		if (seg->max_timestamp != SLUICE_TIMESTAMP_UNKNOWN)
			break;
		seg->max_timestamp_offset = seg->base_offset +
					    f->time_index.last.relative_offset;
		WRITE_ONCE(seg->max_timestamp, f->time_index.last.timestamp);
		break;
	}
	/* Pairs with sluice_segment_use(). */
	smp_store_release(&seg->open, (u8)(seg->open | f->kind));
}

/* Somebody else may be opening the same; the first one's file stays. */
static void install_once(struct sluice_log *log, struct sluice_segment *seg,
			 const struct sluice_segment_file *f)
{
	bool installed = false;

	port_spin_lock(&log->segments.lock);
	if (!(seg->open & f->kind)) {
		if (!seg->open)
			log->open_sealed++;
		sluice_segment_file_install(seg, f);
		installed = true;
	}
	port_spin_unlock(&log->segments.lock);
	if (!installed)
		port_file_close(f->file);
}

/* Where the next segment begins: no offset of this one lies behind it. */
static s64 end_of(struct sluice_log *log, const struct sluice_segment *seg)
{
	struct sluice_segment *next = sluice_segment_list_above(&log->segments, seg->base_offset);
	s64 end_offset;

	if (!next)
		return S64_MAX;
	end_offset = next->base_offset;
	sluice_segment_put(next);
	return end_offset;
}

static int use_file(struct sluice_log *log, struct sluice_segment *seg, unsigned int kind)
{
	char err[SLUICE_ERROR_TEXT_MAX];
	struct sluice_segment_file f = { .behind = NULL };
	int ret;

	ret = sluice_segment_file_open(log->dir, seg, kind, PORT_RDONLY, end_of(log, seg), err,
				       &f);
	if (!ret) {
		/* Or its name may be that of the segment that came in its place. */
		if (smp_load_acquire(&seg->discarded)) {
			port_file_close(f.file);
			return -ESTALE;
		}
		install_once(log, seg, &f);
		return 0;
	}
	if (ret == -ENOENT || ret == -EUCLEAN) {
		/* Pairs with sluice_log_discard(): a file without its name was discarded before. */
		if (smp_load_acquire(&seg->discarded))
			return -ESTALE;
		ret = -EUCLEAN;
	}
	port_warn("%s: %s", port_dir_name(log->dir), err);
	return ret;
}

int sluice_segment_use(struct sluice_log *log, struct sluice_segment *seg, unsigned int files)
{
	unsigned int missing, kind;
	int ret;

	files |= SLUICE_FILE_LOG;
	/* Pairs with sluice_segment_file_install(). */
	missing = files & ~(unsigned int)smp_load_acquire(&seg->open);
	if (!READ_ONCE(seg->used))
		WRITE_ONCE(seg->used, true);
	for (kind = SLUICE_FILE_LOG; missing; kind <<= 1) {
		if (!(missing & kind))
			continue;
		missing &= ~kind;
		ret = use_file(log, seg, kind);
		if (ret)
			return ret;
	}
	return 0;
}

static bool is_idle(struct sluice_segment *seg, bool unused_since)
{
	if (!seg->open || !sluice_segment_sealed(seg) || !port_ref_only(&seg->ref))
		return false;
	if (!READ_ONCE(seg->durable) && !seg->discarded)
		return false;
	if (!unused_since || !READ_ONCE(seg->used))
		return true;
	WRITE_ONCE(seg->used, false);
	return false;
}

u32 sluice_segment_take_idle(struct sluice_log *log, struct sluice_segment *seg,
			     bool unused_since, struct port_file **files)
{
	u32 count = 0;

	port_spin_assert_held(&log->segments.lock);
	if (!is_idle(seg, unused_since))
		return 0;
	if (seg->open & SLUICE_FILE_LOG)
		files[count++] = seg->file;
	if (seg->open & SLUICE_FILE_OFFSET_INDEX)
		files[count++] = seg->offset_index.file;
	if (seg->open & SLUICE_FILE_TIME_INDEX)
		files[count++] = seg->time_index.file;
	if (seg->txn_index.file)
		files[count++] = seg->txn_index.file;
	seg->txn_index.file = NULL;
	seg->open = 0;
	log->open_sealed--;
	return count;
}
