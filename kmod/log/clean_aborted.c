// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The aborted transactions of a part of a log, from its files. */
#include "clean_aborted.h"
#include "segment_name.h"
#include "txn_index.h"

#include <stdlib.h>

struct found {
	s64 start;
	s64 end;
	struct sluice_aborted_txn *txns;
	u32 count;
	u32 room;
};

static int add(struct found *f, const struct sluice_aborted_txn *txn)
{
	struct sluice_aborted_txn *txns;
	u32 room = f->room ? f->room * 2 : 64;

	if (f->count == f->room) {
		if (f->room > U32_MAX / 2 / sizeof(*txns))
			return -ENOMEM;
		txns = port_alloc(room * sizeof(*txns));
		if (!txns)
			return -ENOMEM;
		if (f->count)
			memcpy(txns, f->txns, f->count * sizeof(*txns));
		port_free(f->txns);
		f->txns = txns;
		f->room = room;
	}
	f->txns[f->count++] = *txn;
	return 0;
}

/* The appender may be adding to it: what is no whole entry yet is none. */
static int read_index(struct found *f, struct port_file *file)
{
	struct sluice_aborted_txn txn;
	s64 size = port_file_size(file);
	u32 entries, i;
	int ret;

	if (size < 0)
		return (int)size;
	entries = (u32)(min_t(s64, size, S32_MAX) / SLUICE_TXN_INDEX_ENTRY);
	for (i = 0; i < entries; i++) {
		ret = sluice_txn_index_read(file, i, &txn);
		/* A failed append may have cut it meanwhile. */
		if (ret <= 0)
			return ret;
		if (txn.last_offset < f->start || txn.first_offset >= f->end)
			continue;
		ret = add(f, &txn);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_segment(struct found *f, struct port_dir *dir, s64 base_offset, char *err)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	int ret;

	sluice_segment_name(name, base_offset, SLUICE_SUFFIX_TXN_INDEX);
	ret = port_file_open(dir, name, PORT_RDONLY, &file);
	if (!ret) {
		ret = read_index(f, file);
		port_file_close(file);
	}
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: %s (error %d)", name,
			 ret == -EUCLEAN ? "an entry is impossible" : "cannot be read", -ret);
	return ret;
}

static int by_first_offset(const void *a, const void *b)
{
	const struct sluice_aborted_txn *x = a, *y = b;

	return (x->first_offset > y->first_offset) - (x->first_offset < y->first_offset);
}

int sluice_clean_aborted(struct port_dir *dir, s64 start, s64 end,
			 struct sluice_aborted_txn **ret_txns, u32 *ret_count, char *err)
{
	struct found f = { .start = start, .end = end };
	u32 count, i;
	s64 *offsets;
	int ret;

	ret = sluice_segment_list_dir(dir, SLUICE_SUFFIX_TXN_INDEX, &offsets, &count);
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "the directory cannot be listed (error %d)",
			 -ret);
		return ret;
	}
	for (i = 0; i < count && !ret; i++)
		ret = read_segment(&f, dir, offsets[i], err);
	port_free(offsets);
	if (ret) {
		port_free(f.txns);
		return ret;
	}
	if (f.count)
		qsort(f.txns, f.count, sizeof(*f.txns), by_first_offset);
	*ret_txns = f.txns;
	*ret_count = f.count;
	return 0;
}
