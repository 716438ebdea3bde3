// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Recovery of the segment that was to come next, see prepare.c. */
#include "batch_cursor.h"
#include "recover_internal.h"

/* The base offset of the first batch in the prepared segment, -1 if it has none. */
static int read_prepared(struct recovery *r, s64 *ret_base_offset)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct sluice_batch_cursor cursor;
	struct port_file *file;
	struct sluice_batch b;
	const char *why;
	s64 size;
	int ret;

	*ret_base_offset = -1;
	sluice_segment_prepared_name(name, SLUICE_SUFFIX_LOG);
	ret = port_file_open(r->dir, name, PORT_RDONLY, &file);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	size = port_file_size(file);
	if (size > 0) {
		sluice_batch_cursor_init(&cursor, file, 0, (u64)size, 0);
		ret = sluice_batch_cursor_peek(&cursor, &b, &why);
		if (ret > 0)
			*ret_base_offset = b.base_offset;
	}
	port_file_close(file);
	return size < 0 ? (int)size : ret == -EBADMSG ? 0 : min(ret, 0);
}

static int remove_prepared(struct recovery *r)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	int ret = 0;
	u8 kind;

	for (kind = RECOVER_LOG; kind <= RECOVER_TIME_INDEX && !ret; kind++) {
		sluice_segment_prepared_name(name, recover_suffixes[kind]);
		ret = port_file_remove(r->dir, name);
	}
	r->names_changed = true;
	return ret;
}

/* The log comes last: until then all of this is done anew after a crash. */
static int name_prepared(struct recovery *r, s64 base_offset)
{
	char from[SLUICE_SEGMENT_NAME_MAX], to[SLUICE_SEGMENT_NAME_MAX];
	u8 kind;

	for (kind = RECOVER_TIME_INDEX + 1; kind-- > RECOVER_LOG;) {
		int ret;

		sluice_segment_prepared_name(from, recover_suffixes[kind]);
		sluice_segment_name(to, base_offset, recover_suffixes[kind]);
		ret = port_file_rename(r->dir, from, to);
		if (ret && !(ret == -ENOENT && kind != RECOVER_LOG))
			return ret;
	}
	r->names_changed = true;
	r->offsets[r->count++] = base_offset;
	return 0;
}

static bool continues(const struct recovery *r, s64 base_offset)
{
	if (base_offset < 0 || (r->count && base_offset <= r->offsets[r->count - 1]))
		return false;
	return base_offset == r->out->log_end_offset ||
	       (r->gaps && base_offset > r->out->log_end_offset);
}

int recover_prepared(struct recovery *r, char *err)
{
	s64 base_offset;
	int ret;

	if (!r->files.prepared)
		return 0;
	ret = read_prepared(r, &base_offset);
	if (ret)
		goto err_prepared;
	if (!continues(r, base_offset)) {
		if (base_offset >= 0)
			port_warn("%s: removed a segment from offset %lld on: the log ends with %lld",
				  port_dir_name(r->dir), base_offset, r->out->log_end_offset);
		ret = remove_prepared(r);
		if (ret)
			goto err_prepared;
		return 0;
	}
	if (r->count && r->last_read.base_offset == r->offsets[r->count - 1] && r->last_read.dir) {
		ret = sluice_segment_recover_seal(&r->last_read, err);
		if (ret)
			return ret;
	}
	ret = name_prepared(r, base_offset);
	if (ret)
		goto err_prepared;
	return recover_one_segment(r, r->count - 1, err);

err_prepared:
	snprintf(err, SLUICE_ERROR_TEXT_MAX, "the prepared segment: error %d", -ret);
	return ret;
}
