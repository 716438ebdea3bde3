/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What compaction leaves of a batch (Kafka's Cleaner.cleanInto and
 * MemoryRecords.filterTo). Userspace only.
 *
 * A batch that loses records keeps its base offset, its last offset, its
 * producer and its sequence, and its records keep their offsets. It is empty
 * if all of them went and it has to stay: as the last one of its producer,
 * whose sequence it holds, or as the last one of its segment. Kafka keeps the
 * last one of all that is cleaned, so that it is known where the log goes on.
 * Here every segment goes on to where the next one begins: by a gap between two
 * of them recovery tells that a power cut took the end of one.
 */
#ifndef SLUICE_LOG_CLEAN_BATCH_H
#define SLUICE_LOG_CLEAN_BATCH_H

#include "clean_map.h"
#include "clean_txn.h"
#include "lib/codec.h"

/* What a record may become: a batch claims a size before it shows it. */
#define SLUICE_CLEAN_INFLATED_MAX	SLUICE__INFLATED_MAX

/**
 * struct sluice_clean_producer - the last thing that a producer wrote
 * @last_offset: of its last batch of records; -1 if it wrote only markers since
 *	it has this epoch
 */
struct sluice_clean_producer {
	s64 id;
	s64 last_offset;
	s16 epoch;
};

/**
 * struct sluice_clean_filter - by what is judged, and room to work in
 * @map: the last offset of each key
 * @txn: moved on with every batch
 * @producers: by id; those that are remembered; borrowed
 * @end_offset: where the next segment begins; to be set anew for every one
 * @now_ms: wall clock
 * @delete_retention_ms: delete.retention.ms
 * @size_max: a batch that would become larger stays as it was; to be set anew
 *	before every batch. Other codecs' libraries may have packed it tighter
 * @inflated, @records, @deflated, @batch: private, kept from batch to batch
 */
struct sluice_clean_filter {
	const struct sluice_clean_map *map;
	struct sluice_clean_txn txn;
	const struct sluice_clean_producer *producers;
	u32 producer_count;
	s64 end_offset;
	s64 now_ms;
	s64 delete_retention_ms;
	u64 size_max;
	struct sluice__bytes inflated;
	struct sluice__bytes records;
	struct sluice__bytes deflated;
	struct sluice__bytes batch;
};

/**
 * struct sluice_clean_result - what is left of a batch
 * @bytes: the batch, or NULL if it goes; valid until the next call
 * @header: of @bytes
 * @index: belongs into the transaction index, or NULL
 * @records_read: in the batch; 0 if it went without being looked into
 * @records_kept: of them
 * @records_without_key: that went for that reason
 * @malformed: the records cannot be read, though the CRC is right: whoever
 *	produced the batch made it so. It stays as it is, because one producer's
 *	nonsense must not stop the compaction of all the others' records
 */
struct sluice_clean_result {
	const u8 *bytes;
	struct sluice_batch header;
	const struct sluice_aborted_txn *index;
	u32 records_read;
	u32 records_kept;
	u32 records_without_key;
	bool malformed;
};

/**
 * sluice_clean_batch() - judge one batch
 * @b: its header, already parsed
 * @bytes: the whole batch, whose CRC was verified
 * Batches come in the order of the log. Returns 0 or -ENOMEM.
 */
int __must_check sluice_clean_batch(struct sluice_clean_filter *f, const struct sluice_batch *b,
				    const u8 *bytes, struct sluice_clean_result *ret_result);

/**
 * sluice_clean_map_batch() - put the keys of a batch into the map
 * @start: records below it are left out
 * @txn: moved on with the batch; an aborted one adds nothing
 * @inflated: room to work in
 * Returns 0; 1 if the map is full: its end_offset tells how far it got; -ENOMEM.
 */
int __must_check sluice_clean_map_batch(struct sluice_clean_map *map, struct sluice_clean_txn *txn,
					const struct sluice_batch *b, const u8 *bytes, s64 start,
					struct sluice__bytes *inflated);

void sluice_clean_filter_destroy(struct sluice_clean_filter *f);

#endif /* SLUICE_LOG_CLEAN_BATCH_H */
