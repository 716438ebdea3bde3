// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The .txnindex file beside a segment. */
#include "txn_index.h"
#include "segment_name.h"

static_assert(sizeof(struct sluice_txn_index_entry) == SLUICE_TXN_INDEX_ENTRY, "packed");

int sluice_txn_index_count(struct port_dir *dir, s64 base_offset, u32 *ret_entries)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	s64 size;
	int ret;

	sluice_segment_name(name, base_offset, SLUICE_SUFFIX_TXN_INDEX);
	ret = port_file_open(dir, name, PORT_RDONLY, &file);
	if (ret == -ENOENT) {
		*ret_entries = 0;
		return 0;
	}
	if (ret)
		return ret;
	size = port_file_size(file);
	port_file_close(file);
	if (size < 0)
		return (int)size;
	if (size % SLUICE_TXN_INDEX_ENTRY || size > S32_MAX)
		return -EUCLEAN;
	*ret_entries = (u32)size / SLUICE_TXN_INDEX_ENTRY;
	return 0;
}

static int open_for_write(struct sluice_txn_index *index, struct port_dir *dir, s64 base_offset)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	sluice_segment_name(name, base_offset, SLUICE_SUFFIX_TXN_INDEX);
	ret = port_file_open(dir, name, 0, &index->file);
	if (ret == -ENOENT && !index->entries)
		return port_file_open(dir, name, PORT_CREATE, &index->file);
	if (ret)
		return ret;
	/* It may be what a segment left that had the name before. */
	return sluice_txn_index_undo(index);
}

void sluice_txn_index_encode(u8 raw[SLUICE_TXN_INDEX_ENTRY], const struct sluice_aborted_txn *txn)
{
	struct sluice_txn_index_entry *e = (struct sluice_txn_index_entry *)raw;

	put_unaligned_be16(SLUICE_TXN_INDEX_VERSION, &e->version);
	put_unaligned_be64((u64)txn->producer_id, &e->producer_id);
	put_unaligned_be64((u64)txn->first_offset, &e->first_offset);
	put_unaligned_be64((u64)txn->last_offset, &e->last_offset);
	put_unaligned_be64((u64)txn->last_stable_offset, &e->last_stable_offset);
}

int sluice_txn_index_write(struct sluice_txn_index *index, struct port_dir *dir, s64 base_offset,
			   const struct sluice_aborted_txn *txn)
{
	u8 raw[SLUICE_TXN_INDEX_ENTRY];
	int ret;

	if (!index->file) {
		ret = open_for_write(index, dir, base_offset);
		if (ret)
			return ret;
	}
	sluice_txn_index_encode(raw, txn);
	return port_file_write(index->file, (u64)index->entries * sizeof(raw), raw, sizeof(raw));
}

void sluice_txn_index_publish(struct sluice_txn_index *index)
{
	/* Pairs with sluice_txn_index_entries(). */
	smp_store_release(&index->entries, index->entries + 1);
}

int sluice_txn_index_undo(struct sluice_txn_index *index)
{
	if (!index->file)
		return 0;
	return port_file_truncate(index->file, (u64)index->entries * SLUICE_TXN_INDEX_ENTRY);
}

int sluice_txn_index_sync(struct sluice_txn_index *index)
{
	return index->file ? port_file_sync(index->file) : 0;
}

void sluice_txn_index_close(struct sluice_txn_index *index)
{
	if (index->file)
		port_file_close(index->file);
	index->file = NULL;
}

u32 sluice_txn_index_entries(const struct sluice_txn_index *index)
{
	/* Pairs with sluice_txn_index_publish(). */
	return smp_load_acquire(&index->entries);
}

int sluice_txn_index_read(struct port_file *file, u32 i, struct sluice_aborted_txn *ret_txn)
{
	struct sluice_txn_index_entry raw;
	struct sluice_aborted_txn txn;
	ssize_t n;

	n = port_file_read(file, (u64)i * sizeof(raw), &raw, sizeof(raw));
	if (n <= 0)
		return (int)n;
	if (n != sizeof(raw) || get_unaligned_be16(&raw.version) != SLUICE_TXN_INDEX_VERSION)
		return -EUCLEAN;
	txn.producer_id = (s64)get_unaligned_be64(&raw.producer_id);
	txn.first_offset = (s64)get_unaligned_be64(&raw.first_offset);
	txn.last_offset = (s64)get_unaligned_be64(&raw.last_offset);
	txn.last_stable_offset = (s64)get_unaligned_be64(&raw.last_stable_offset);
	if (txn.producer_id < 0 || txn.first_offset < 0 || txn.last_offset < txn.first_offset ||
	    txn.last_stable_offset < 0)
		return -EUCLEAN;
	*ret_txn = txn;
	return 1;
}
