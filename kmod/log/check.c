// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Checking a log: which files it has, and one segment after the other. */
#include <stdarg.h>
#include "check_internal.h"

#define CHUNK_SIZE	(1U << 20)
#define FINDINGS_MAX	16	/* told of one file */

void check_file_begin(struct check_file *f, struct sluice_check *c, s64 base_offset,
		      const char *suffix)
{
	f->check = c;
	f->findings = 0;
	sluice_segment_name(f->name, base_offset, suffix);
}

void check_found(struct check_file *f, u64 position, const char *fmt, ...)
{
	char what[SLUICE_ERROR_TEXT_MAX];
	va_list ap;

	if (f->findings++ >= FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	f->check->found(f->check->ctx, f->name, position, what);
}

void check_file_end(struct check_file *f)
{
	char what[SLUICE_ERROR_TEXT_MAX];

	if (f->findings <= FINDINGS_MAX)
		return;
	snprintf(what, sizeof(what), "%u more findings in this file", f->findings - FINDINGS_MAX);
	f->check->found(f->check->ctx, f->name, 0, what);
}

/* Index files whose segment is not there. */
static int check_orphans(struct sluice_check *c, const char *suffix, const s64 *offsets, u32 count)
{
	u32 orphan_count, i, next = 0;
	struct check_file file;
	s64 *orphans;
	int ret;

	ret = sluice_segment_list_dir(c->dir, suffix, &orphans, &orphan_count);
	if (ret)
		return ret;
	for (i = 0; i < orphan_count; i++) {
		while (next < count && offsets[next] < orphans[i])
			next++;
		if (next < count && offsets[next] == orphans[i])
			continue;
		check_file_begin(&file, c, orphans[i], suffix);
		check_found(&file, 0, "there is no segment that this file belongs to");
	}
	port_free(orphans);
	return 0;
}

static int check_segments(struct sluice_check *c, const s64 *offsets, u32 count)
{
	bool in_use = c->flags & SLUICE_CHECK_IN_USE;
	u8 *chunk = port_alloc(CHUNK_SIZE);
	s32 epoch = -1;
	int ret = 0;
	u32 i;

	if (!chunk)
		return -ENOMEM;
	for (i = 0; i < count && !ret; i++) {
		/* What an append has written and not published yet is none of ours. */
		if (in_use && i == count - 1)
			break;
		ret = check_segment(c, offsets[i], i < count - 1 ? offsets[i + 1] : S64_MAX,
				    &epoch, chunk, CHUNK_SIZE);
		if (ret == -ENOENT && in_use)
			ret = 0;
		c->segments++;
	}
	port_free(chunk);
	return ret;
}

int sluice_log_check(struct sluice_check *c, char *err)
{
	s64 *offsets;
	u32 count;
	int ret;

	c->segments = 0;
	c->batches = 0;
	c->bytes_read = 0;
	ret = sluice_segment_list_dir(c->dir, SLUICE_SUFFIX_LOG, &offsets, &count);
	if (ret)
		goto err_list;
	if (!(c->flags & SLUICE_CHECK_IN_USE)) {
		ret = check_orphans(c, SLUICE_SUFFIX_OFFSET_INDEX, offsets, count);
		if (!ret)
			ret = check_orphans(c, SLUICE_SUFFIX_TIME_INDEX, offsets, count);
		if (!ret)
			ret = check_orphans(c, SLUICE_SUFFIX_TXN_INDEX, offsets, count);
	}
	if (!ret)
		ret = check_snapshots(c);
	if (!ret)
		ret = check_segments(c, offsets, count);
	port_free(offsets);
err_list:
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "a file cannot be read (error %d)", -ret);
	return ret;
}
