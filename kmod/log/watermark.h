/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The published offsets of a log, and the order in which they are published.
 *
 *	log_start_offset <= recovery_point <= log_end_offset
 *
 * The appender, with the append mutex held, publishes a batch in this order:
 *
 *	1. bytes of the batch and of its index entries (file writes)
 *	2. segment->offset_index.entries, segment->time_index.entries	(release)
 *	3. segment->published						(release)
 *	4. watermark->log_end_offset					(release)
 *
 * A reader goes the other way: it acquires log_end_offset first, then finds the
 * segment, then acquires segment->published. All that it then finds below
 * these two is complete. It may see published bytes whose offsets the log end
 * does not yet include; they are whole batches and stay.
 *
 * At a roll the new segment enters the list before the old one is marked
 * sealed, and nothing is added to the old one after that: who reads "sealed"
 * and then "published" knows the segment's last byte.
 *
 * The high watermark and the last stable offset are the log end as long as
 * there are neither replicas nor transactions.
 */
#ifndef SLUICE_LOG_WATERMARK_H
#define SLUICE_LOG_WATERMARK_H

#include "port.h"

/**
 * struct sluice_watermark - the offsets of one log
 * @log_start_offset: first offset; constant while the log is open
 * @log_end_offset: written with the append mutex held
 * @recovery_point: written with the flush mutex held
 */
struct sluice_watermark {
	s64 log_start_offset;
	s64 log_end_offset;
	s64 recovery_point;
};

static inline void sluice_watermark_init(struct sluice_watermark *w, s64 log_start_offset,
					 s64 log_end_offset)
{
	w->log_start_offset = log_start_offset;
	w->log_end_offset = log_end_offset;
	/* What an earlier life of the log wrote may still be in the page cache only. */
	w->recovery_point = log_start_offset;
}

static inline s64 sluice_watermark_log_end(const struct sluice_watermark *w)
{
	/* Pairs with sluice_watermark_set_log_end(). */
	return smp_load_acquire(&w->log_end_offset);
}

static inline void sluice_watermark_set_log_end(struct sluice_watermark *w, s64 offset)
{
	/* Pairs with sluice_watermark_log_end(). */
	smp_store_release(&w->log_end_offset, offset);
}

static inline s64 sluice_watermark_recovery_point(const struct sluice_watermark *w)
{
	return READ_ONCE(w->recovery_point);
}

static inline void sluice_watermark_set_recovery_point(struct sluice_watermark *w, s64 offset)
{
	WRITE_ONCE(w->recovery_point, offset);
}

#endif /* SLUICE_LOG_WATERMARK_H */
