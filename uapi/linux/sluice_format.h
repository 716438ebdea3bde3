/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * On-disk layouts, which are Apache Kafka's: RecordBatch v2 as on the wire
 * (DefaultRecordBatch.java) and the entries of the index files
 * (OffsetIndex.java, TimeIndex.java). All integers are big endian and
 * unaligned. Documentation/format.md describes the files whole.
 */
#ifndef _UAPI_LINUX_SLUICE_FORMAT_H
#define _UAPI_LINUX_SLUICE_FORMAT_H

#include <linux/types.h>

#define SLUICE_BATCH_MAGIC		2

/**
 * struct sluice_batch_header - the 61 bytes before the records
 * @base_offset: offset of the first record; set by the log
 * @length: bytes that follow this field
 * @partition_leader_epoch: epoch of the leader that appended; set by the log
 * @magic: SLUICE_BATCH_MAGIC
 * @crc: CRC-32C of everything from @attributes to the end of the batch
 * @attributes: SLUICE_BATCH_*
 * @last_offset_delta: offset of the last record, less @base_offset
 * @base_timestamp: milliseconds; record times are relative to it
 * @max_timestamp: largest time of a record; the append time if the timestamp
 *	type is LogAppendTime
 * @producer_id: of an idempotent producer, or -1
 * @producer_epoch: its epoch, or -1
 * @base_sequence: sequence of the first record, or -1
 * @record_count: number of records
 *
 * @base_offset, @length and @partition_leader_epoch lie outside the CRC: the
 * log stamps a batch without touching what the producer signed.
 */
struct sluice_batch_header {
	__be64	base_offset;
	__be32	length;
	__be32	partition_leader_epoch;
	__s8	magic;
	__be32	crc;
	__be16	attributes;
	__be32	last_offset_delta;
	__be64	base_timestamp;
	__be64	max_timestamp;
	__be64	producer_id;
	__be16	producer_epoch;
	__be32	base_sequence;
	__be32	record_count;
} __attribute__((packed));

#define SLUICE_BATCH_HEADER_LEN		61
#define SLUICE_BATCH_PREFIX_LEN		12	/* base_offset and length */
#define SLUICE_BATCH_CRC_START		21	/* position of attributes */

#define SLUICE_BATCH_COMPRESSION_MASK	0x0007	/* SLUICE_COMPRESSION_* */
#define SLUICE_BATCH_LOG_APPEND_TIME	0x0008
#define SLUICE_BATCH_TRANSACTIONAL	0x0010
#define SLUICE_BATCH_CONTROL		0x0020
#define SLUICE_BATCH_DELETE_HORIZON	0x0040
#define SLUICE_BATCH_ATTRIBUTES_UNUSED	0xff80

#define SLUICE_COMPRESSION_NONE		0
#define SLUICE_COMPRESSION_GZIP		1
#define SLUICE_COMPRESSION_SNAPPY	2
#define SLUICE_COMPRESSION_LZ4		3
#define SLUICE_COMPRESSION_ZSTD		4

/**
 * struct sluice_offset_index_entry - one entry of an .index file
 * @relative_offset: last offset of a batch, less the segment's base offset
 * @position: byte position of that batch in the .log file
 */
struct sluice_offset_index_entry {
	__be32	relative_offset;
	__be32	position;
} __attribute__((packed));

/**
 * struct sluice_time_index_entry - one entry of a .timeindex file
 * @timestamp: largest time of the segment up to this entry
 * @relative_offset: offset of the record with that time, less the base offset
 */
struct sluice_time_index_entry {
	__be64	timestamp;
	__be32	relative_offset;
} __attribute__((packed));

/**
 * struct sluice_txn_index_entry - one entry of a .txnindex file
 * @version: SLUICE_TXN_INDEX_VERSION
 * @producer_id: whose transaction was aborted
 * @first_offset: of its first batch
 * @last_offset: of its marker, which is in this segment
 * @last_stable_offset: what the last stable offset became by its end
 */
struct sluice_txn_index_entry {
	__be16	version;
	__be64	producer_id;
	__be64	first_offset;
	__be64	last_offset;
	__be64	last_stable_offset;
} __attribute__((packed));

#define SLUICE_TXN_INDEX_VERSION	0

/**
 * struct sluice_snapshot_header - the beginning of a .snapshot file
 * @version: SLUICE_SNAPSHOT_VERSION
 * @crc: CRC-32C of everything from @count to the end of the file
 * @count: of the entries that follow
 */
struct sluice_snapshot_header {
	__be16	version;
	__be32	crc;
	__be32	count;
} __attribute__((packed));

#define SLUICE_SNAPSHOT_VERSION		1
#define SLUICE_SNAPSHOT_CRC_START	6	/* position of count */

/**
 * struct sluice_snapshot_entry - one producer in a .snapshot file
 * @producer_id: its id
 * @epoch: its epoch
 * @last_sequence: of its last batch, -1 if there is none
 * @last_offset: of its last batch, -1 if there is none
 * @offset_delta: last offset of that batch, less its base offset
 * @timestamp: largest time of its last batch, or the time of a marker after it
 * @coordinator_epoch: of its last marker, -1 if there is none
 * @txn_first_offset: where its open transaction begins, -1 if there is none
 */
struct sluice_snapshot_entry {
	__be64	producer_id;
	__be16	epoch;
	__be32	last_sequence;
	__be64	last_offset;
	__be32	offset_delta;
	__be64	timestamp;
	__be32	coordinator_epoch;
	__be64	txn_first_offset;
} __attribute__((packed));

#endif /* _UAPI_LINUX_SLUICE_FORMAT_H */
