/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * struct sluice_log, for the files of the engine alone.
 *
 * Lock order: structure_mutex, flush_mutex, append_mutex, names_mutex,
 * segments.lock.
 *
 * An append takes append_mutex alone, a flush flush_mutex alone: it may take as
 * long as the storage, and appends go on meanwhile. Whoever removes or replaces
 * segments (retention, truncation, the swap of compacted segments) holds
 * structure_mutex from its first look to its last, and takes the others for as
 * long as it changes what they protect.
 */
#ifndef SLUICE_LOG_LOG_INTERNAL_H
#define SLUICE_LOG_LOG_INTERNAL_H

#include "log.h"
#include "index_tail.h"
#include "leader_epoch.h"
#include "open_batch.h"
#include "producer_snapshot.h"
#include "producer_state.h"
#include "segment_list.h"
#include "watermark.h"

/**
 * struct sluice_log - an open log
 * @dir: borrowed
 * @owner: the host's
 * @segments: never empty
 * @open_sealed: how many sealed ones have a file open; under segments.lock
 * @watermark: the published offsets
 * @failed: errno of what ended the log, or 0; set once, under segments.lock
 * @names_changed: grows when a name in the directory is to become durable; under
 *	segments.lock
 * @prepared: the next segment, or NULL; under segments.lock
 *
 * @structure_mutex: held by the one that removes or replaces segments; protects
 *	the next group
 * @sizes_known: all segments are in @size_bytes or in @found_bytes
 * @found_bytes: of the .log files that were there before the log was opened, but
 *	for the last of them, and whose size is known. Those that went are taken off
 *	@size_bytes: the sum counts
 * @discarded: files that wait to be unlinked, the oldest first
 * @discarded_last: the last of these
 * @stuck: one more than the base offset of a segment that left the log and whose
 *	files kept their names; 0 if there is none
 * @leftovers: there may be files that an earlier life of the log discarded
 *
 * @append_mutex: held by the one append; protects the next group
 * @config: in force since the last append
 * @generation: see sluice_log_generation()
 * @leader_epoch: stamped on batches
 * @epochs: leader epochs of the batches; has a lock of its own for who looks
 * @active: the last of @segments, which holds its reference
 * @whole_max: batches up to this size are taken whole; read without a lock, for any
 *	value will do
 * @index_tail: of @active
 * @batches_end: the offset behind the last batch of @active, or its base; the log
 *	end, but where a truncation went into a gap that compaction left
 * @producers: what is known of the producers at the log end
 * @snapshots: taken of @producers and not yet written, the oldest first
 * @snapshot_offset: of the newest snapshot, taken or written; of the first batch
 *	if there is none
 * @open: the open batch, or NULL; changed under segments.lock, too. It lies
 *	behind what @active has, which is not rolled meanwhile
 * @size_bytes: of the .log files whose size is known, as published; with
 *	@found_bytes
 * @roll_base_ms: largest time of the first batch of @active; -1 if it has none,
 *	SLUICE_TIMESTAMP_UNKNOWN if it has to be read
 * @active_since_ms: when @active was created or opened
 * @roll_random: of @active, for the jitter
 * @prepare_tried: the next segment was to be prepared during @active's life
 *
 * @flush_mutex: held by the one flush; protects the next group and
 *	segment->synced
 * @epochs_saved: epochs.changes as the checkpoint file has them
 * @flush_from: segments that end below this offset are durable
 * @names_synced: @names_changed as of the last sync of the directory
 * @indexes_end: log end when sluice_log_flush_indexes() was done last, or -1
 *
 * @names_mutex: held by the one that gives files their names, or makes files
 *	that have none yet; taken last of all mutexes
 */
struct sluice_log {
	struct port_dir *dir;
	void *owner;
	struct sluice_segment_list segments;
	u32 open_sealed;
	struct sluice_watermark watermark;
	int failed;
	u32 names_changed;
	struct sluice_segment *prepared;

	struct port_mutex structure_mutex;
	s64 stuck;
	bool sizes_known;
	bool leftovers;
	u64 found_bytes;
	struct sluice_segment *discarded;
	struct sluice_segment *discarded_last;

	struct port_mutex append_mutex;
	struct sluice_log_config config;
	u64 generation;
	s32 leader_epoch;
	struct sluice_leader_epochs epochs;
	struct sluice_segment *active;
	u32 whole_max;
	struct sluice_index_tail index_tail;
	s64 batches_end;
	struct sluice_producer_state *producers;
	struct sluice_producer_snapshot *snapshots;
	s64 snapshot_offset;
	struct sluice_open_batch *open;
	u64 size_bytes;
	s64 roll_base_ms;
	s64 active_since_ms;
	u32 roll_random;
	bool prepare_tried;

	struct port_mutex flush_mutex;
	u64 epochs_saved;
	s64 flush_from;
	u32 names_synced;
	s64 indexes_end;

	struct port_mutex names_mutex;
};

/**
 * sluice_log_told_error() - what callers of the engine are told of an error
 * Inside, damage is -EUCLEAN, and -ESTALE that segments went too often meanwhile.
 */
static inline int sluice_log_told_error(int err)
{
	return err == -EUCLEAN || err == -ESTALE ? -EIO : err;
}

/* For sluice_log_find(): also what lies below the log start and is still in a segment. */
#define SLUICE_FETCH_DELETED	(1 << 3)

/**
 * sluice_log_find() - sluice_log_fetch(), which tells damage from what cannot be read
 * -EUCLEAN is the first, -EIO and the others the second.
 */
int __must_check sluice_log_find(struct sluice_log *log, s64 offset, u32 max_bytes,
				 unsigned int flags, struct sluice_range *ret_range);

/** sluice_log_names_changed() - the next flush has to sync the directory. */
void sluice_log_names_changed(struct sluice_log *log);

/**
 * sluice_log_needs_roll() - does this batch begin a new segment
 * Kafka's rules (LogSegment.shouldRoll): size, age by batches' times, an index
 * that is full, an offset too far from the base. Needs append_mutex. Returns 1,
 * 0, or an error of the file system.
 */
int __must_check sluice_log_needs_roll(struct sluice_log *log, const struct sluice_batch *b);

/**
 * sluice_log_begin_active() - appends go to this segment from now on
 * It is in the list, or about to be added. The index entries of the one before are
 * stored. Needs append_mutex.
 */
void sluice_log_begin_active(struct sluice_log *log, struct sluice_segment *seg);

/**
 * sluice_log_roll() - seal the active segment and go on in a new one
 * @base_offset: of the new one; not below @log->batches_end
 * Takes the segment that was prepared, or creates one. Needs append_mutex. On
 * failure nothing has changed for readers or appenders.
 */
int __must_check sluice_log_roll(struct sluice_log *log, s64 base_offset);

/**
 * sluice_log_name_last() - let the last segment's files have their names
 * Only that one may still be without, for a roll names the one before.
 */
int __must_check sluice_log_name_last(struct sluice_log *log);

/** sluice_log_prepare_due() - is it time; needs append_mutex. */
bool sluice_log_prepare_due(struct sluice_log *log);

/** sluice_log_drop_prepared() - at close: what was prepared goes. */
void sluice_log_drop_prepared(struct sluice_log *log);

/**
 * sluice_log_flush_sealed() - what lies in sealed segments is made durable
 * As Kafka does after a roll. The recovery point moves as far.
 */
int __must_check sluice_log_flush_sealed(struct sluice_log *log);

/**
 * sluice_log_lower_flush() - what lies at or above @offset is to be synced again
 * For who replaced segments, with structure_mutex and flush_mutex held.
 */
void sluice_log_lower_flush(struct sluice_log *log, s64 offset);

/**
 * sluice_log_discard() - let the files of a segment go
 * @seg: out of the list; its reference is taken over
 * @now_ms: they are unlinked file_delete_delay_ms later, by housekeeping
 *
 * The files get names that end in SLUICE_SUFFIX_DELETED, the .log first, for it
 * makes a segment; who holds a reference and has them open reads on. With
 * structure_mutex held. Returns 0, or why a file kept its name: it may then be
 * found by the next opening of the log.
 */
int __must_check sluice_log_discard(struct sluice_log *log, struct sluice_segment *seg,
				    s64 now_ms);

/**
 * sluice_log_discard_stuck() - rename what sluice_log_discard() could not
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure; or NULL
 *
 * Before another segment goes, and before the log ends earlier: one that stays,
 * with a gap behind it or with offsets that are given again, would look to
 * recovery like the remains of a crash, and all behind it would be cut off. With
 * structure_mutex held. Returns 0 or why it is still so.
 */
int __must_check sluice_log_discard_stuck(struct sluice_log *log, char *err);

/**
 * sluice_log_release() - a segment goes whose names are no longer its own
 * @seg: as for sluice_log_discard()
 */
void sluice_log_release(struct sluice_log *log, struct sluice_segment *seg);

/** sluice_log_unlink_due() - unlink what was discarded long enough ago. */
int __must_check sluice_log_unlink_due(struct sluice_log *log, s64 now_ms);

/** sluice_log_count_sizes() - have the sizes of all segments; structure_mutex. */
int __must_check sluice_log_count_sizes(struct sluice_log *log);

/**
 * sluice_log_remove_first() - the first segment goes
 * It is not the active one, and the log start offset lies behind it. With
 * structure_mutex held; takes append_mutex.
 */
int __must_check sluice_log_remove_first(struct sluice_log *log, s64 now_ms);

/*
 * So many bytes of batches are replayed at most when a log is opened. A clean
 * close leaves none, and recovery sees to it that there are no more.
 */
#define SLUICE_REPLAY_BYTES_MAX		(64u << 20)

/**
 * sluice_log_load_producers() - learn what producers wrote, for the log as it is
 * Needs append_mutex, or a log that nobody else has yet. Loads the newest snapshot
 * that is not beyond the log end, reads the headers of the batches behind it, and
 * replaces log->producers. Publishes the first unstable offset. Removes snapshots
 * that are beyond the log end, and old ones that no segment begins with.
 * @snapshots: offsets of the snapshots that there are, @count of them, ascending
 * @replay_max: bytes behind the snapshot that may be read for it
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 *
 * Returns 0; -EUCLEAN if the snapshot is damaged, or too far from the log end;
 * -ENOMEM, or an error of the file system. On failure log->producers is as it was.
 */
int __must_check sluice_log_load_producers(struct sluice_log *log, const s64 *snapshots, u32 count,
					   u64 replay_max, char *err);

/** sluice_log_reload_producers() - the same after a truncation, however much is to be read */
int __must_check sluice_log_reload_producers(struct sluice_log *log, char *err);

/**
 * sluice_log_take_snapshot() - remember the producers as they are at the log end
 * Needs append_mutex. For the roll, so that each segment but the first begins
 * with a snapshot. In memory only; where there is none, this one is left out,
 * and whoever needs it reads more of the log instead.
 */
void sluice_log_take_snapshot(struct sluice_log *log);

/**
 * sluice_log_write_snapshots() - write what was taken before the call
 * Needs structure_mutex: one at a time. Takes append_mutex for a moment only.
 * What cannot be written is given up, with a warning: as above. But the newest
 * stays for the next time: once retention took the batches, it alone tells of
 * their producers.
 */
void sluice_log_write_snapshots(struct sluice_log *log);

/**
 * sluice_log_save_producers() - take a snapshot and write all
 * For a clean close: the log then opens without a batch being read.
 */
void sluice_log_save_producers(struct sluice_log *log);

/** sluice_log_drop_snapshots() - those taken of offsets above @offset, unwritten. */
void sluice_log_drop_snapshots(struct sluice_log *log, s64 offset);

/**
 * sluice_log_remove_snapshots() - all of them: no batch is left that they are of
 * Needs structure_mutex and append_mutex. Durable when it returns 0, or an error
 * of the file system.
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 */
int __must_check sluice_log_remove_snapshots(struct sluice_log *log, char *err);

/**
 * sluice_log_load_epochs() - read leader-epoch-checkpoint; for the open
 * @clean: the log was closed cleanly, so the file is what it was then
 * @err: set on failure
 * What the file does not say of the log, or says of what is no longer there,
 * is put right; without a file all comes from the batches. The log's leader
 * epoch is then at least that of its last batch.
 */
int __must_check sluice_log_load_epochs(struct sluice_log *log, bool clean, char *err);

/** sluice_log_epochs_unsaved() - did the epochs change since they were saved. */
bool sluice_log_epochs_unsaved(struct sluice_log *log);

/**
 * sluice_log_save_epochs() - make leader-epoch-checkpoint as the epochs are
 * Needs flush_mutex. Durable when it returns; nothing to do if nothing changed.
 * A failure leaves the old file; only that of the directory's sync ends the log.
 */
int __must_check sluice_log_save_epochs(struct sluice_log *log);

/** sluice_log_make_room() - roll, if @b does not fit the active segment. */
int __must_check sluice_log_make_room(struct sluice_log *log, const struct sluice_batch *b);

/**
 * sluice_log_publish_stored() - index and publish a batch written to the tail
 * Needs append_mutex. Index entries that cannot be written are left out: they
 * only shorten the way to a batch.
 */
void sluice_log_publish_stored(struct sluice_log *log, const struct sluice_batch *b);

/** sluice_log_seal_locked() - sluice_log_seal() under append_mutex. */
int __must_check sluice_log_seal_locked(struct sluice_log *log);

/** sluice_log_store_indexes() - write what index entries are in memory alone. */
int __must_check sluice_log_store_indexes(struct sluice_log *log);

/** sluice_log_close_open() - seal, if that is possible, and let go of the batch. */
void sluice_log_close_open(struct sluice_log *log);

/**
 * sluice_segment_unreserve() - give back space that was reserved and not used
 * For a segment that is sealed, or whose log is being closed.
 */
void sluice_segment_unreserve(struct sluice_segment *seg);

#endif /* SLUICE_LOG_LOG_INTERNAL_H */
