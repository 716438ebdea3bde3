/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The published offsets of a log, and the order in which they are published.
 *
 *	log_start_offset <= last_stable_offset <= high_watermark <= log_end_offset
 *	recovery_point <= log_end_offset
 *
 * The appender, with the append mutex held, publishes a batch in this order:
 *
 *	1. bytes of the batch and of its index entries (file writes)
 *	2. segment->offset_index.entries, segment->time_index.entries	(release)
 *	3. segment->published						(release)
 *	4. watermark->first_unstable_offset				(release)
 *	5. watermark->log_end_offset					(release)
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
 * Records of an open batch (open_batch.h) are published by log_end_offset alone;
 * the files follow when it is sealed. Whoever reads files asks for the sealed end.
 *
 * Where there are no replicas nobody sets the high watermark, and it is the log
 * end. The last stable offset is the high watermark, or the first offset of the
 * oldest transaction whose end is not yet below the high watermark; of one that
 * began below the log start, the log start.
 */
#ifndef SLUICE_LOG_WATERMARK_H
#define SLUICE_LOG_WATERMARK_H

#include "port.h"

#define SLUICE_WATERMARK_IS_LOG_END	S64_MAX

/**
 * struct sluice_watermark - the offsets of one log
 * @log_start_offset: first offset that may be read; only grows, written with
 *	the structure mutex held
 * @high_watermark: set from outside, or SLUICE_WATERMARK_IS_LOG_END
 * @first_unstable_offset: of the oldest open transaction, or S64_MAX; written
 *	with the append mutex held
 * @log_end_offset: written with the append mutex held
 * @open_base_offset: of the open batch, or S64_MAX; written with the append
 *	mutex held
 * @recovery_point: written with the flush mutex held
 */
struct sluice_watermark {
	s64 log_start_offset;
	s64 high_watermark;
	s64 first_unstable_offset;
	s64 log_end_offset;
	s64 open_base_offset;
	s64 recovery_point;
};

static inline void sluice_watermark_init(struct sluice_watermark *w, s64 log_start_offset,
					 s64 log_end_offset)
{
	w->log_start_offset = log_start_offset;
	w->high_watermark = SLUICE_WATERMARK_IS_LOG_END;
	w->first_unstable_offset = S64_MAX;
	w->log_end_offset = log_end_offset;
	w->open_base_offset = S64_MAX;
	/* What an earlier life of the log wrote may still be in the page cache only. */
	w->recovery_point = log_start_offset;
}

static inline s64 sluice_watermark_log_start(const struct sluice_watermark *w)
{
	return READ_ONCE(w->log_start_offset);
}

static inline void sluice_watermark_set_log_start(struct sluice_watermark *w, s64 offset)
{
	WRITE_ONCE(w->log_start_offset, offset);
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

/** sluice_watermark_sealed_end() - up to where files hold it; acquires both. */
static inline s64 sluice_watermark_sealed_end(const struct sluice_watermark *w)
{
	/* In this order: a log end inside the open batch came after its base. */
	s64 log_end = sluice_watermark_log_end(w);
	/* Pairs with sluice_watermark_set_open_base(). */
	s64 open_base = smp_load_acquire(&w->open_base_offset);

	return min_t(s64, log_end, open_base);
}

static inline void sluice_watermark_set_open_base(struct sluice_watermark *w, s64 offset)
{
	/* Pairs with sluice_watermark_sealed_end(). */
	smp_store_release(&w->open_base_offset, offset);
}

/** sluice_watermark_high() - the high watermark; acquires the log end. */
static inline s64 sluice_watermark_high(const struct sluice_watermark *w)
{
	s64 log_end = sluice_watermark_log_end(w);

	return min_t(s64, log_end, READ_ONCE(w->high_watermark));
}

static inline bool sluice_watermark_high_is_log_end(const struct sluice_watermark *w)
{
	return READ_ONCE(w->high_watermark) == SLUICE_WATERMARK_IS_LOG_END;
}

static inline void sluice_watermark_set_high(struct sluice_watermark *w, s64 offset)
{
	WRITE_ONCE(w->high_watermark, offset);
}

/** sluice_watermark_stable() - the last stable offset. */
static inline s64 sluice_watermark_stable(const struct sluice_watermark *w)
{
	/* The log end first: a transaction below it was noted before it moved. */
	s64 high = sluice_watermark_high(w);
	/* Pairs with sluice_watermark_set_first_unstable(). */
	s64 unstable = smp_load_acquire(&w->first_unstable_offset);
	s64 stable = min_t(s64, high, unstable);

	/* Of an open transaction the beginning may have been deleted. */
	return max_t(s64, stable, sluice_watermark_log_start(w));
}

static inline void sluice_watermark_set_first_unstable(struct sluice_watermark *w, s64 offset)
{
	/* Pairs with sluice_watermark_stable(). */
	smp_store_release(&w->first_unstable_offset, offset);
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
