/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The leader epochs of a log (KIP-101; LeaderEpochFileCache): for each epoch
 * that has batches, the offset of the first. A replica whose log parted from
 * its leader's learns from it where to cut.
 *
 * Epochs grow strictly from entry to entry, start offsets do not shrink.
 */
#ifndef SLUICE_LOG_LEADER_EPOCH_H
#define SLUICE_LOG_LEADER_EPOCH_H

#include "port.h"

/* Of one log; 12 MiB of memory. */
#define SLUICE_LEADER_EPOCHS_MAX	(1U << 18)

#define SLUICE_LEADER_EPOCH_UNDEFINED	(-1)
#define SLUICE_OFFSET_UNDEFINED		(-1)

struct sluice_leader_epoch {
	s64 start_offset;
	s32 epoch;
};

/**
 * struct sluice_leader_epochs - the epochs of one log
 * @lock: protects all below against those who only look; who changes them
 *	holds the log's append mutex as well, or is alone
 * @entries: ascending
 * @changes: how often they changed; to know whether the file is up to date
 */
struct sluice_leader_epochs {
	struct port_spin lock;
	struct sluice_leader_epoch *entries;
	u32 count;
	u32 capacity;
	u64 changes;
};

void sluice_leader_epochs_init(struct sluice_leader_epochs *e);
void sluice_leader_epochs_destroy(struct sluice_leader_epochs *e);

/** sluice_leader_epochs_latest() - the newest epoch, -1 if there is none. */
s32 sluice_leader_epochs_latest(struct sluice_leader_epochs *e);

/* sluice_leader_epochs_latest() for who alone may change them. */
static inline s32 sluice_leader_epochs_last(const struct sluice_leader_epochs *e)
{
	return e->count ? e->entries[e->count - 1].epoch : SLUICE_LEADER_EPOCH_UNDEFINED;
}

/* Of the two functions that follow, what appends seldom need. */
int __must_check sluice_leader_epochs_grow(struct sluice_leader_epochs *e);
void sluice_leader_epochs_add(struct sluice_leader_epochs *e, s32 epoch, s64 start_offset);

/**
 * sluice_leader_epochs_reserve() - make the next assign of @epoch succeed
 * Returns 0; -ENOMEM; -EOVERFLOW if it would be one too many.
 */
static inline int __must_check sluice_leader_epochs_reserve(struct sluice_leader_epochs *e,
							    s32 epoch)
{
	/* Only the caller changes them, so it may look without the lock. */
	if (e->count < e->capacity || epoch < 0 || epoch == sluice_leader_epochs_last(e))
		return 0;
	return sluice_leader_epochs_grow(e);
}

/**
 * sluice_leader_epochs_assign() - @epoch begins at @start_offset
 * Needs room reserved. Nothing happens if the newest began so already, or if
 * the epoch is negative, as it is in batches older than leader epochs. Entries that
 * contradict it, with an epoch or an offset not below, are dropped: the newest
 * batch is right.
 */
static inline void sluice_leader_epochs_assign(struct sluice_leader_epochs *e, s32 epoch,
					       s64 start_offset)
{
	if (epoch >= 0 && (epoch != sluice_leader_epochs_last(e) ||
			   e->entries[e->count - 1].start_offset > start_offset))
		sluice_leader_epochs_add(e, epoch, start_offset);
}

/** sluice_leader_epochs_truncate_end() - the log ends at @end_offset now. */
void sluice_leader_epochs_truncate_end(struct sluice_leader_epochs *e, s64 end_offset);

/**
 * sluice_leader_epochs_truncate_start() - the log begins at @start_offset now
 * The epoch that was in force there stays, and begins there.
 */
void sluice_leader_epochs_truncate_start(struct sluice_leader_epochs *e, s64 start_offset);

/**
 * sluice_leader_epochs_end() - where an epoch ended
 * @log_end_offset: the end of the newest epoch
 * @ret_epoch: the largest epoch that is known and not above the one asked for;
 *	the one asked for if it is older than all; -1 if it is newer than all,
 *	or negative
 * @ret_end_offset: where the next epoch begins; -1 with epoch -1
 */
void sluice_leader_epochs_end(struct sluice_leader_epochs *e, s32 epoch, s64 log_end_offset,
			      s32 *ret_epoch, s64 *ret_end_offset);

#endif /* SLUICE_LOG_LEADER_EPOCH_H */
