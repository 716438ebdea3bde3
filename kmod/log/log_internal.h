/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * struct sluice_log, for the files of the engine alone.
 *
 * Lock order: structure_mutex, flush_mutex, append_mutex, segments.lock.
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
 * @watermark: the published offsets
 * @failed: errno of what ended the log, or 0; set once, under segments.lock
 * @size_bytes: of all .log files, as published
 *
 * @structure_mutex: held by the one that removes or replaces segments
 *
 * @append_mutex: held by the one append; protects the next group
 * @config: in force since the last append
 * @leader_epoch: stamped on batches
 * @epochs: leader epochs of the batches; has a lock of its own for who looks
 * @active: the last of @segments, which holds its reference
 * @producers: what is known of the producers at the log end
 * @snapshots: taken of @producers and not yet written, the oldest first
 * @snapshot_offset: of the newest snapshot, taken or written; of the first batch
 *	if there is none
 * @open: the open batch, or NULL; changed under segments.lock, too. It lies
 *	behind what @active has, which is not rolled meanwhile
 *
 * @flush_mutex: held by the one flush; protects the next group and
 *	segment->synced
 * @flush_first: index of the first segment that is not wholly durable
 * @dir_synced: how many segments have durable names
 * @epochs_saved: epochs.changes as the checkpoint file has them
 */
struct sluice_log {
	struct port_dir *dir;
	void *owner;
	struct sluice_segment_list segments;
	struct sluice_watermark watermark;
	int failed;
	u64 size_bytes;

	struct port_mutex structure_mutex;

	struct port_mutex append_mutex;
	struct sluice_log_config config;
	s32 leader_epoch;
	struct sluice_leader_epochs epochs;
	struct sluice_segment *active;
	struct sluice_producer_state *producers;
	struct sluice_producer_snapshot *snapshots;
	s64 snapshot_offset;
	struct sluice_open_batch *open;

	struct port_mutex flush_mutex;
	u32 flush_first;
	u32 dir_synced;
	u64 epochs_saved;
};

/**
 * sluice_log_roll() - seal the active segment and go on in a new one
 * Needs append_mutex. On failure nothing has changed for readers or appenders.
 */
int __must_check sluice_log_roll(struct sluice_log *log);

/**
 * sluice_log_load_producers() - learn what producers wrote, for the log as it is
 * Needs append_mutex, or a log that nobody else has yet. For opening and after a
 * truncation: loads the newest snapshot that is not beyond the log end, reads
 * the headers of the batches behind it, and replaces log->producers. Publishes
 * the first unstable offset. Removes snapshots that are beyond the log end, and
 * old ones that no segment begins with.
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 *
 * Returns 0; -EUCLEAN if the snapshot is damaged; -ENOMEM, or an error of the
 * file system. On failure log->producers is as it was.
 */
int __must_check sluice_log_load_producers(struct sluice_log *log, char *err);

/**
 * sluice_log_take_snapshot() - remember the producers as they are at the log end
 * Needs append_mutex. For the roll, so that each segment but the first begins
 * with a snapshot. In memory only; where there is none, this one is left out,
 * and whoever needs it reads more of the log instead.
 */
void sluice_log_take_snapshot(struct sluice_log *log);

/**
 * sluice_log_write_snapshots() - write what was taken
 * Needs structure_mutex: one at a time. Takes append_mutex for a moment only.
 * What cannot be written is given up, with a warning: as above.
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
 * sluice_log_load_epochs() - read leader-epoch-checkpoint; for the open
 * @err: set on failure
 * What the file does not say of the log, or says of what is no longer there,
 * is put right; without a file all comes from the batches. The log's leader
 * epoch is then at least that of its last batch.
 */
int __must_check sluice_log_load_epochs(struct sluice_log *log, char *err);

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

/** sluice_log_close_open() - seal, if that is possible, and let go of the batch. */
void sluice_log_close_open(struct sluice_log *log);

/**
 * sluice_segment_unreserve() - give back space that was reserved and not used
 * For a segment that is sealed, or whose log is being closed.
 */
void sluice_segment_unreserve(struct sluice_segment *seg);

#endif /* SLUICE_LOG_LOG_INTERNAL_H */
