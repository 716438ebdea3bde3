// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The aborted transactions of a part of a log, from its files. */
#include "clean_aborted.h"
#include "segment_name.h"

#include <stdlib.h>

#define ENTRY		((u32)sizeof(struct sluice_txn_index_entry))
#define READ_ENTRIES	256

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

static int add_entry(struct found *f, const struct sluice_txn_index_entry *raw)
{
	struct sluice_aborted_txn txn = {
		.producer_id = (s64)get_unaligned_be64(&raw->producer_id),
		.first_offset = (s64)get_unaligned_be64(&raw->first_offset),
		.last_offset = (s64)get_unaligned_be64(&raw->last_offset),
		.last_stable_offset = (s64)get_unaligned_be64(&raw->last_stable_offset),
	};

	if (get_unaligned_be16(&raw->version) != SLUICE_TXN_INDEX_VERSION ||
	    txn.first_offset < 0 || txn.last_offset < txn.first_offset)
		return -EUCLEAN;
	if (txn.last_offset < f->start || txn.first_offset >= f->end)
		return 0;
	return add(f, &txn);
}

/* The appender may be adding to it: what is no whole entry yet is none. */
static int read_index(struct found *f, struct port_file *file)
{
	struct sluice_txn_index_entry raw[READ_ENTRIES];
	u64 position = 0;
	ssize_t n;
	u32 i;
	int ret;

	do {
		n = port_file_read(file, position, raw, sizeof(raw));
		if (n < 0)
			return (int)n;
		for (i = 0; i < (u32)n / ENTRY; i++) {
			ret = add_entry(f, &raw[i]);
			if (ret)
				return ret;
		}
		position += (u64)n;
	} while (n == (ssize_t)sizeof(raw));
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
