/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The partition log: a directory of segments that grows at one end.
 *
 * Concurrency. One append at a time (log->append_mutex). Readers take no lock
 * against appenders: they acquire the published log end, then find a segment
 * under log->segments_lock (a spin lock held for one binary search) and hold a
 * reference to it; what lies below the acquired end never changes.
 */
#ifndef SLUICE_LOG_LOG_H
#define SLUICE_LOG_LOG_H

#include "batch.h"

struct sluice_log;
struct sluice_segment;

#define SLUICE_ERROR_TEXT_MAX	160

/* cleanup.policy: what becomes of old segments. Neither: they stay for ever. */
#define SLUICE_CLEANUP_DELETE	(1 << 0)
#define SLUICE_CLEANUP_COMPACT	(1 << 1)

/**
 * struct sluice_log_config - what a log acts on; Kafka's names and defaults
 * @segment_bytes: segment.bytes
 * @segment_ms: segment.ms: a segment whose first batch is older by batches'
 *	times is rolled
 * @segment_jitter_ms: segment.jitter.ms: at most so much less, random
 * @max_message_bytes: max.message.bytes
 * @index_interval_bytes: index.interval.bytes
 * @segment_index_bytes: segment.index.bytes
 * @log_append_time: message.timestamp.type is LogAppendTime
 * @timestamp_before_max_ms: message.timestamp.before.max.ms
 * @timestamp_after_max_ms: message.timestamp.after.max.ms
 * @cleanup_policy: SLUICE_CLEANUP_*
 * @retention_ms: retention.ms, -1: no limit
 * @retention_bytes: retention.bytes, -1: no limit
 * @file_delete_delay_ms: file.delete.delay.ms
 * @flush_messages: flush.messages
 * @flush_ms: flush.ms
 * @producer_expiration_ms: producer.id.expiration.ms
 * @batch_bytes: the open batch is sealed before it would exceed this
 * @linger_ms: the open batch is sealed when it is so old
 */
struct sluice_log_config {
	u32 segment_bytes;
	s64 segment_ms;
	s64 segment_jitter_ms;
	u32 max_message_bytes;
	u32 index_interval_bytes;
	u32 segment_index_bytes;
	bool log_append_time;
	s64 timestamp_before_max_ms;
	s64 timestamp_after_max_ms;
	u32 cleanup_policy;
	s64 retention_ms;
	s64 retention_bytes;
	s64 file_delete_delay_ms;
	s64 flush_messages;
	s64 flush_ms;
	s64 producer_expiration_ms;
	u32 batch_bytes;
	u32 linger_ms;
};

/** sluice_log_config_default() - Kafka's defaults (LogConfig.java). */
void sluice_log_config_default(struct sluice_log_config *c);

/**
 * sluice_log_config_check() - are the values possible
 * @ret_why: a static sentence, set on failure. Returns 0 or -EINVAL.
 */
int __must_check sluice_log_config_check(const struct sluice_log_config *c, const char **ret_why);

/**
 * struct sluice_log_open_args - what the caller knows of a log
 * @leader_epoch: stamped on batches appended from now on; that of the last
 *	batch, if it is larger
 * @log_start_offset: no record below it may be read; 0 if it is not known. The
 *	first offset of an empty directory's log
 * @recovery_point: everything below it is on stable storage, 0 if that is not
 *	known; S64_MAX after a clean close
 */
struct sluice_log_open_args {
	s32 leader_epoch;
	s64 log_start_offset;
	s64 recovery_point;
};

/**
 * sluice_log_open() - open the log in a directory; an empty one becomes a log
 * @dir: borrowed; must live as long as the log
 * @err: SLUICE_ERROR_TEXT_MAX bytes; on failure, what was wrong with which file
 * @ret_log: the log; free it with sluice_log_close()
 *
 * Trusts nothing it reads but reads little: the names; of the last segment the
 * sizes, the last index entries and the batches behind them. Another segment is
 * looked at when it is first used, and an error in it is told then, by -EIO.
 * Unless the log was closed cleanly, for then nobody has looked at anything: sizes
 * and last index entries of all segments are, and there must be no file that
 * recovery would finish or remove. A log that does not end at the end of a batch
 * is refused with -EUCLEAN: it needs recover.h, in userspace.
 */
int __must_check sluice_log_open(struct port_dir *dir, const struct sluice_log_config *c,
				 const struct sluice_log_open_args *args, char *err,
				 struct sluice_log **ret_log);

/**
 * sluice_log_close() - end a log that nobody appends to any more
 * Readers that still hold segments may go on with them. Does not sync: call
 * sluice_log_flush() before, if what is there is to be durable.
 */
void sluice_log_close(struct sluice_log *log);

/**
 * sluice_log_set_owner() - let the host's hooks find what the log belongs to
 * @owner: the host's; the engine never looks into it. NULL until set
 */
void sluice_log_set_owner(struct sluice_log *log, void *owner);
void *sluice_log_owner(const struct sluice_log *log);

/** sluice_log_set_config() - takes effect with the next append. */
void sluice_log_set_config(struct sluice_log *log, const struct sluice_log_config *c);

/** sluice_log_set_leader_epoch() - -ESTALE if it is lower than before. */
int __must_check sluice_log_set_leader_epoch(struct sluice_log *log, s32 leader_epoch);

/**
 * sluice_log_epoch_end() - where a leader epoch ended (OffsetsForLeaderEpoch)
 * @ret_epoch: the largest epoch of the log's batches that is not above @epoch;
 *	@epoch itself if all that is left of the log is newer; -1 if @epoch is
 *	newer than all, or negative
 * @ret_end_offset: where the next epoch begins, or the log end if @ret_epoch is
 *	the newest; -1 with epoch -1
 */
void sluice_log_epoch_end(struct sluice_log *log, s32 epoch, s32 *ret_epoch, s64 *ret_end_offset);

/**
 * struct sluice_append - one append
 * @src: in: the source, at the first byte of a batch; consumed as far as read
 * @as: in: who appends; the host has checked that it may say so
 * @transaction_version: in: of the transaction that a coordinator's marker
 *	ends. From 2 on the marker has an epoch of its own (KIP-890): one that is
 *	not above the producer's is an old marker, and is refused
 * @base_offset: out: given to the batch; the old one if it is a duplicate
 * @last_offset: out
 * @record_count: out
 * @size: out: bytes of the batch
 * @generation: out: sluice_log_generation() when it was appended
 * @log_append_time: out: the log's stamp, or -1 if the topic keeps CreateTime;
 *	of a duplicate the largest time of the first try, as Kafka answers it
 * @duplicate: out: an idempotent producer had sent it before; nothing written
 * @rolled: out: it went into a new segment
 * @housekeeping: out: sluice_log_housekeep() has something to do
 * @why: out: a static sentence, set on failure
 */
struct sluice_append {
	struct port_iter *src;
	enum sluice_append_as as;
	u8 transaction_version;
	s64 base_offset;
	s64 last_offset;
	s32 record_count;
	u32 size;
	u64 generation;
	s64 log_append_time;
	bool duplicate;
	bool rolled;
	bool housekeeping;
	const char *why;
};

/**
 * sluice_log_append() - append the one batch at the front of a->src
 *
 * Writes the bytes once, from the source into the file, then checks the CRC
 * over what was stored, and only then publishes the new log end. A batch that
 * fails leaves no trace that a reader could see, except that a segment it had
 * rolled to stays, empty, for the next one; a power cut before the next flush may
 * bring it back, where nothing durable took its place.
 *
 * Returns 0, or
 *  -EINVAL -EMSGSIZE -EPROTONOSUPPORT	see sluice_batch_parse(), _check_produce()
 *  -EBADMSG	the CRC of the stored bytes is not the batch's
 *  -ETIME	a time is out of the configured bounds
 *  -EILSEQ -ESTALE -EBUSY -EOWNERDEAD	see sluice_producer_state_check()
 *  -ERANGE	a replica's batch has an offset that the log has already
 *  -EFAULT	the source could not be read
 *  -EIO and others	the file system; after a failure that leaves the tail
 *		uncertain the log is marked failed and every append is -EIO
 */
int __must_check sluice_log_append(struct sluice_log *log, struct sluice_append *a);

/**
 * sluice_log_set_high_watermark() - all below @offset is replicated
 * @offset: or SLUICE_WATERMARK_IS_LOG_END where there are no replicas. One beyond
 *	the log end counts as the log end, until the log gets there
 * Waits for an append under way: the last stable offset moves with it.
 */
void sluice_log_set_high_watermark(struct sluice_log *log, s64 offset);

/**
 * sluice_log_expire_producers() - forget producers silent for too long
 * See producer.id.expiration.ms. Takes the append mutex for short times.
 */
void sluice_log_expire_producers(struct sluice_log *log, s64 now_ms);

struct sluice_producer_entry;

/**
 * sluice_log_each_producer() - call @fn for all producers that the log remembers
 * See sluice_producer_state_each(). With the append mutex held: @fn must be short,
 * and must not sleep for long.
 */
int sluice_log_each_producer(struct sluice_log *log,
			     int (*fn)(void *ctx, const struct sluice_producer_entry *e),
			     void *ctx);

/**
 * struct sluice_batching - how long and how far a record's batch may grow
 * @linger_ms: it is sealed when the record is so old; 0: the record is a batch of its
 *	own; -1: as the log's config says
 * @batch_bytes: the record joins no batch that is larger with it; -1: likewise
 *
 * A batch has the records of several producers: it is sealed when the first of
 * them wants it.
 */
struct sluice_batching {
	s32 linger_ms;
	s32 batch_bytes;
};

/**
 * struct sluice_append_record - one record to be appended by itself
 * @record: in: its value_src, if it has one, is consumed
 * @now: in: port_now_ms()
 * @batching: in: NULL: as the log's config says
 * @offset: out: given to the record
 * @size: out: bytes by which the log has grown, the header of a batch that it
 *	opened included
 * @generation: out: sluice_log_generation() when it was appended
 * @log_append_time: out: the log's stamp, or -1 if the topic keeps CreateTime
 * @new_batch: out: it is the first of its batch
 * @lingers: out: its batch is open, and to be sealed sooner than was said before:
 *	the host calls sluice_log_linger() in @seal_in_ms
 * @seal_in_ms: out: set with @lingers
 * @rolled: out: it went into a new segment
 * @housekeeping: out: sluice_log_housekeep() has something to do
 * @why: out: a static sentence, set on failure
 */
struct sluice_append_record {
	const struct sluice_record_out *record;
	s64 now;
	const struct sluice_batching *batching;
	s64 offset;
	u32 size;
	u64 generation;
	s64 log_append_time;
	bool new_batch;
	bool lingers;
	u32 seal_in_ms;
	bool rolled;
	bool housekeeping;
	const char *why;
};

/**
 * sluice_log_append_record() - append one record to the open batch
 *
 * The record has its offset and is published when this returns; readers that
 * know open_batch.h see it at once, and the files hold it when the batch is
 * sealed. Its space in the file is reserved by then. A record that does not
 * fit batch_bytes is written at once, as a batch of its own; so is every one if
 * linger_ms is 0. With LogAppendTime the records of an open batch have the
 * time of its opening.
 *
 * Returns 0, or
 *  -EINVAL	it has no key, which a compacted topic needs
 *  -ETIME	its time is out of the topic's bounds
 *  -EMSGSIZE	as a batch it is larger than max.message.bytes or segment.bytes
 *  -EFAULT	the value could not be read
 *  -ENOMEM	no memory for the open batch
 *  -ENOSPC -EDQUOT	no space for the open batch
 *  -EIO and others	as sluice_log_append(), and what sealing the batch before
 *		it says
 */
int __must_check sluice_log_append_record(struct sluice_log *log, struct sluice_append_record *a);

/**
 * sluice_log_seal() - write the open batch, if there is one, to its file
 * For whoever needs file bytes up to the log end. All of the engine's own
 * functions that do so call it by themselves.
 * Returns 0. If it cannot be written the log has failed: appends are refused
 * from now on, and the batch stays readable in memory.
 */
int __must_check sluice_log_seal(struct sluice_log *log);

/**
 * sluice_log_linger() - seal the open batch if its time has ended
 * @ret_left_ms: when to call again; -1: no batch is open
 * Returns what sluice_log_seal() does.
 */
int __must_check sluice_log_linger(struct sluice_log *log, s64 *ret_left_ms);

/** sluice_log_sealed_end() - the offset up to which the files hold everything. */
s64 sluice_log_sealed_end(const struct sluice_log *log);

/** sluice_log_failed() - errno (negative) that ended the log, or 0. */
int sluice_log_failed(const struct sluice_log *log);

/** sluice_log_set_failed() - first one wins; appends are refused from now on. */
void sluice_log_set_failed(struct sluice_log *log, int err);

/* Published offsets; see watermark.h for the order. */
s64 sluice_log_start_offset(const struct sluice_log *log);
s64 sluice_log_high_watermark(const struct sluice_log *log);
s64 sluice_log_last_stable_offset(const struct sluice_log *log);
s64 sluice_log_end_offset(const struct sluice_log *log);
s64 sluice_log_recovery_point(const struct sluice_log *log);
s32 sluice_log_leader_epoch(const struct sluice_log *log);

/**
 * sluice_log_generation() - which life of the log's end this is
 * Another number after each opening and each truncation. While it stays the
 * same, an offset stands for the same record, and a segment that begins with an
 * offset has the same records or fewer.
 */
u64 sluice_log_generation(const struct sluice_log *log);

u32 sluice_log_segment_count(struct sluice_log *log);

/**
 * sluice_log_size_bytes() - of all .log files
 * The first call may have to look at the files. If somebody changes the segments
 * just then it does not wait for that, and gives what is known so far.
 */
u64 sluice_log_size_bytes(struct sluice_log *log);

/**
 * struct sluice_range - bytes of one segment that may be read
 * @seg: holds a reference; give it back with sluice_segment_put()
 * @file: the segment's .log file, valid as long as @seg is held
 * @segment_base_offset: names the file
 * @position: first byte, the start of a batch
 * @bytes: 0 at the end of the log (@seg is then NULL)
 * @base_offset: offset of that first batch. At the end of the log the offset
 *	to go on from: above the one asked for only where a log ends in a gap
 * @end_offset: with SLUICE_FETCH_TO_STABLE: no batch that begins in the range has
 *	it or a larger one. Not exact, but near: what an index says
 */
struct sluice_range {
	struct sluice_segment *seg;
	struct port_file *file;
	s64 segment_base_offset;
	u64 position;
	u32 bytes;
	s64 base_offset;
	s64 end_offset;
};

#define SLUICE_FETCH_WHOLE_FIRST	(1 << 0) /* even if larger than max_bytes */
#define SLUICE_FETCH_TO_STABLE		(1 << 1) /* up to the last stable offset */
#define SLUICE_FETCH_TO_LOG_END		(1 << 2) /* up to the log end, for a replica */

/**
 * sluice_log_fetch() - find the bytes from the batch that holds @offset
 * @max_bytes: bound of the range; it may end inside a batch
 * Up to the high watermark, unless @flags say otherwise: no byte of a batch that
 * lies at or above it. A batch that holds the start offset comes whole.
 *
 * Returns 0; -ERANGE if @offset is below the start or above the log end; -EIO if
 * an index or a header on disk is broken.
 */
int __must_check sluice_log_fetch(struct sluice_log *log, s64 offset, u32 max_bytes,
				  unsigned int flags, struct sluice_range *ret_range);

/**
 * sluice_log_read_batch() - parse the batch header at a place of a range's file
 * @end: no byte at or past it is read
 * Returns 0, or -EIO if what is there is not a batch that ends by @end.
 */
int __must_check sluice_log_read_batch(struct port_file *file, u64 position, u64 end,
				       struct sluice_batch *ret_b);

/**
 * sluice_segment_ensure_named() - let the files of a segment have their names
 * Before somebody is told to open them by name. Returns 0, at once unless a roll
 * was just now, or an error of the file system; then it may be called again.
 */
int __must_check sluice_segment_ensure_named(struct sluice_log *log, struct sluice_segment *seg);

void sluice_segment_get(struct sluice_segment *seg);
void sluice_segment_put(struct sluice_segment *seg);

/**
 * sluice_segment_published() - bytes of the segment that readers may see
 * A reader that kept a segment goes on with it until it stands at the
 * published end and sluice_segment_sealed() says no more will come. It must
 * ask in the order sealed, published: only then is the end the last one.
 */
u64 sluice_segment_published(const struct sluice_segment *seg);
bool sluice_segment_sealed(const struct sluice_segment *seg);

/**
 * sluice_log_offset_for_time() - first record with a time not below @timestamp
 * @ret_offset: -1 if there is none, then @ret_timestamp too
 * From the log start on, below the high watermark. In a compressed batch: its
 * first offset, or the log start if that lies inside, and its largest time.
 */
int __must_check sluice_log_offset_for_time(struct sluice_log *log, s64 timestamp,
					    s64 *ret_offset, s64 *ret_timestamp);

/**
 * struct sluice_aborted_txn - a transaction that was aborted
 * @first_offset: of its first batch
 * @last_offset: of its marker
 * @last_stable_offset: what the last stable offset became by its end: the first
 *	offset of the next open transaction, or the one behind the marker
 */
struct sluice_aborted_txn {
	s64 producer_id;
	s64 first_offset;
	s64 last_offset;
	s64 last_stable_offset;
};

/**
 * sluice_log_aborted() - the transactions that a reader has to leave out
 * @offset: first of the range that is read
 * @end_offset: behind it; not above the last stable offset
 * @txns: gets those that were aborted and overlap the range, in the order of
 *	their markers: @capacity of them at most
 * @ret_count: how many there are. More than @capacity: ask again with more room,
 *	or for a shorter range
 * Returns 0; -ERANGE if @offset is below the log start; -EIO if an index is
 * broken; or an error of a file. May wait for whoever changes segments.
 */
int __must_check sluice_log_aborted(struct sluice_log *log, s64 offset, s64 end_offset,
				    struct sluice_aborted_txn *txns, u32 capacity,
				    u32 *ret_count);

/**
 * sluice_log_max_timestamp() - first record with the largest time of the log
 * As sluice_log_offset_for_time(); -1 and -1 if there is none.
 */
int __must_check sluice_log_max_timestamp(struct sluice_log *log, s64 *ret_offset,
					  s64 *ret_timestamp);

/**
 * sluice_log_set_start_offset() - records below @offset may no longer be read
 * Kafka's DeleteRecords. The segments that lie wholly below it go with the next
 * sluice_log_retain(). An offset below the start changes nothing. Returns 0, or
 * -ERANGE if it is above the high watermark.
 */
int __must_check sluice_log_set_start_offset(struct sluice_log *log, s64 offset);

/**
 * sluice_log_retain() - remove the segments whose time has come
 * @ret_freed: bytes of the .log files that were removed; set on failure too
 *
 * Kafka's rules. Those below the start offset always; by size and by age if
 * cleanup.policy has delete. From the first on, and none that reaches beyond the
 * high watermark. The active one, if it is to go, is rolled first. The start
 * offset moves before a segment goes: save it, so that it is not found again
 * after a crash.
 *
 * Returns 0 or the first error; what could not be removed stays for the next
 * time.
 */
int __must_check sluice_log_retain(struct sluice_log *log, s64 now_ms, u64 *ret_freed);

/**
 * sluice_log_prepare() - the part of housekeeping that the next roll needs
 * Gives rolled segments their names and, if it is time, makes the files of the
 * next segment. It waits for no sync, so whoever calls it apart from
 * sluice_log_housekeep(), and beside it, lets no append wait for one either.
 * Returns 0 or an error of the file system: the roll then does it itself.
 */
int __must_check sluice_log_prepare(struct sluice_log *log);

/**
 * sluice_log_housekeep() - what appends leave to be done behind them
 * Does what sluice_log_prepare() does, makes what is sealed durable (as Kafka
 * does after a roll), unlinks what was discarded file_delete_delay_ms ago, closes
 * files that were not used since the last call.
 *
 * To be called soon after an append that says so, and when
 * sluice_log_housekeeping_due() comes. May take as long as the storage takes;
 * appends and reads go on meanwhile. Returns 0 or the first error; a sync that
 * failed also marks the log failed.
 */
int __must_check sluice_log_housekeep(struct sluice_log *log, s64 now_ms);

/** sluice_log_housekeeping_due() - when there is something to do; S64_MAX: not by time. */
s64 sluice_log_housekeeping_due(struct sluice_log *log);

/**
 * sluice_log_close_idle() - close all files that nobody uses
 * For who needs memory: they are opened again when they are needed. Gives how
 * many files it closed.
 */
u32 sluice_log_close_idle(struct sluice_log *log);

/** sluice_log_open_sealed() - how many sealed segments have files open. */
u32 sluice_log_open_sealed(struct sluice_log *log);

/**
 * sluice_log_flush() - all that was published when it began is made durable
 * Concurrent calls share the work. A failed sync marks the log failed.
 * @ret_recovery_point: everything below it is now on stable storage
 */
int __must_check sluice_log_flush(struct sluice_log *log, s64 *ret_recovery_point);

/**
 * sluice_log_flush_indexes() - make the indexes of the active segment durable,
 * and what is known of the producers
 * For a clean close, after sluice_log_flush(): that syncs the indexes of a
 * segment only once it is sealed, because recovery can build them anew.
 */
int __must_check sluice_log_flush_indexes(struct sluice_log *log);

#endif /* SLUICE_LOG_LOG_H */
