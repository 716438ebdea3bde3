/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What the log remembers of idempotent producers (KIP-98; ProducerAppendInfo):
 * the epoch and the last five batches of each, to answer a retry with the
 * offset of the first try and to refuse a gap. Protected by the log's append
 * mutex. Kept in memory only: after a reopen a producer is unknown, and an
 * unknown producer may go on with any sequence, as in Kafka.
 */
#ifndef SLUICE_LOG_PRODUCER_STATE_H
#define SLUICE_LOG_PRODUCER_STATE_H

#include "batch.h"

struct sluice_producer_state;

#define SLUICE_PRODUCER_BATCHES		5
#define SLUICE_PRODUCERS_MAX		4096	/* a log forgets the oldest */

/**
 * sluice_producer_state_new() - empty state, or NULL
 * Takes no memory to speak of until a producer with an id appends.
 */
struct sluice_producer_state *__must_check sluice_producer_state_new(void);
void sluice_producer_state_free(struct sluice_producer_state *s);

/**
 * sluice_producer_state_check() - may this batch be appended
 * @ret_dup_base: base offset of the first try, if it is a duplicate
 * Makes room for what sluice_producer_state_update() will record, so that the
 * latter cannot fail.
 *
 * Returns 0 append it; 1 a duplicate; -EILSEQ a gap in the sequence; -ESTALE an
 * old epoch; -ENOMEM.
 */
int __must_check sluice_producer_state_check(struct sluice_producer_state *s,
					     const struct sluice_batch *b, s64 *ret_dup_base,
					     const char **ret_why);

/** sluice_producer_state_update() - @b was appended with its offset set. */
void sluice_producer_state_update(struct sluice_producer_state *s, const struct sluice_batch *b);

#endif /* SLUICE_LOG_PRODUCER_STATE_H */
