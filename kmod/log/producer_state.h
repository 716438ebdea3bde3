/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What a log remembers of its producers (KIP-98; Kafka's ProducerStateManager):
 * of each the epoch, the last five batches, to answer a retry with the offset
 * of the first try and to refuse a gap, and where its open transaction began.
 *
 * The state is a function of the batches below one offset. It is kept from one
 * life of the log to the next in snapshots (producer_snapshot.h) and by reading
 * the batches behind the newest of them.
 *
 * Not locked: the log's is protected by its append mutex.
 */
#ifndef SLUICE_LOG_PRODUCER_STATE_H
#define SLUICE_LOG_PRODUCER_STATE_H

#include "log.h"
#include "marker.h"

struct sluice_producer_state;

#define SLUICE_PRODUCER_BATCHES		5

/*
 * More producers than these a log does not remember: the one that has been
 * silent longest and has no transaction open is forgotten, and is then a
 * producer that the log does not know.
 */
#define SLUICE_PRODUCERS_MAX		65536

/**
 * sluice_producer_state_new() - empty state, or NULL
 * Takes no memory to speak of until a producer with an id appends.
 */
struct sluice_producer_state *__must_check sluice_producer_state_new(void);
void sluice_producer_state_free(struct sluice_producer_state *s);

/** sluice_producer_state_count() - how many producers it remembers. */
u32 sluice_producer_state_count(const struct sluice_producer_state *s);

/**
 * struct sluice_producer_append - a batch with a producer id, before its append
 * @b: its header; of @b->base_offset nothing is asked
 * @marker: NULL unless it is a control batch
 * @as: who appends
 * @transaction_version: of the marker, see struct sluice_append
 */
struct sluice_producer_append {
	const struct sluice_batch *b;
	const struct sluice_marker *marker;
	enum sluice_append_as as;
	u8 transaction_version;
};

/**
 * struct sluice_producer_batch - a batch that was appended
 * @last_sequence: -1 if it had none
 * @offset_delta: last offset less base offset
 * @timestamp: its largest
 */
struct sluice_producer_batch {
	s32 last_sequence;
	s32 offset_delta;
	s64 last_offset;
	s64 timestamp;
};

/**
 * sluice_producer_state_check() - may this batch be appended
 * @ret_dup: the first try, if it is a duplicate
 * @ret_why: a static sentence, set on failure
 * The rules are those of Kafka's ProducerAppendInfo. Makes room for what
 * sluice_producer_state_update() will record, so that the latter cannot fail.
 * A replica's batch is not judged, room is made for it.
 *
 * Returns 0 append it; 1 a duplicate;
 *  -EILSEQ	a gap in the sequence, or a new epoch that does not begin with 0
 *  -ESTALE	an old producer epoch
 *  -EBUSY	not transactional, while the producer has a transaction open
 *  -EOWNERDEAD	a marker of a coordinator that another has replaced
 *  -ENOMEM
 */
int __must_check sluice_producer_state_check(struct sluice_producer_state *s,
					     const struct sluice_producer_append *pa,
					     struct sluice_producer_batch *ret_dup,
					     const char **ret_why);

/**
 * sluice_producer_state_aborts() - does this batch abort a transaction
 * @b: with its offset set
 * @m: its marker, or NULL
 * To be asked before sluice_producer_state_update(). Returns true and the entry
 * for the transaction index if it does.
 */
bool sluice_producer_state_aborts(const struct sluice_producer_state *s,
				  const struct sluice_batch *b, const struct sluice_marker *m,
				  struct sluice_aborted_txn *ret_txn);

/**
 * sluice_producer_state_update() - @b was appended with its offset set
 * @m: its marker, or NULL; a control batch without one changes nothing
 * A transaction that @m ends is completed, but keeps its place in
 * sluice_producer_state_first_unstable() until its end is replicated.
 */
void sluice_producer_state_update(struct sluice_producer_state *s, const struct sluice_batch *b,
				  const struct sluice_marker *m);

/** sluice_producer_state_replicated() - all below @high_watermark is replicated. */
void sluice_producer_state_replicated(struct sluice_producer_state *s, s64 high_watermark);

/**
 * sluice_producer_state_first_unstable() - the oldest undecided offset
 * Of transactions that are open, or whose marker is not replicated; S64_MAX if
 * there are none.
 */
s64 sluice_producer_state_first_unstable(const struct sluice_producer_state *s);

/**
 * sluice_producer_state_replay() - learn from a batch that is in the log
 * @file: has the batch
 * @position: where
 * @ret_txn: the transaction that it aborts
 * Batches must come in the order of the log. Nothing is judged: what is in the
 * log was accepted once. A control batch that is no marker of a transaction is
 * passed over, as one that cannot be read is.
 *
 * Returns 0; 1 if the batch aborts a transaction; -ENOMEM, or an error of the
 * file.
 */
int __must_check sluice_producer_state_replay(struct sluice_producer_state *s,
					      struct port_file *file, u64 position,
					      const struct sluice_batch *b,
					      struct sluice_aborted_txn *ret_txn);

/**
 * sluice_producer_state_expire() - forget producers that have been silent
 * @now_ms: wall clock
 * @expiration_ms: forget those whose last batch is so old, by its time, and who
 *	have no transaction open
 * Looks at a part of the producers only, the next part next time, so that a
 * call is short. Returns true when it has come round.
 */
bool sluice_producer_state_expire(struct sluice_producer_state *s, s64 now_ms,
				  s64 expiration_ms);

/**
 * struct sluice_producer_entry - a producer, as a snapshot has it
 * @epoch: -1 if it has written nothing that the log remembers
 * @last: its last batch; last_offset -1 if there is none
 * @earlier: those before it, as far as their sequences lead up to it; oldest first
 * @earlier_count: how many these are
 * @last_timestamp: of its last batch or marker
 * @coordinator_epoch: of its last marker, or -1
 * @txn_first_offset: of its open transaction, or -1
 */
struct sluice_producer_entry {
	s64 id;
	s16 epoch;
	struct sluice_producer_batch last;
	struct sluice_producer_batch earlier[SLUICE_PRODUCER_BATCHES - 1];
	u32 earlier_count;
	s64 last_timestamp;
	s32 coordinator_epoch;
	s64 txn_first_offset;
};

/**
 * sluice_producer_state_each() - call @fn for all producers
 * Those without an open transaction first, the longest silent first of all; then
 * the others, by where their transaction begins. A non-zero return ends it and
 * is returned. @fn must not change the state.
 */
int sluice_producer_state_each(const struct sluice_producer_state *s,
			       int (*fn)(void *ctx, const struct sluice_producer_entry *e),
			       void *ctx);

/**
 * sluice_producer_state_add() - a producer that a snapshot remembers
 * @e: its @earlier is not looked at: they are to be added before, each as one that
 *	has no transaction open
 * Producers come in any order; sluice_producer_state_added() must follow the last one.
 * Returns 0; -EEXIST if it is known, and this is not the batch that follows its
 * last; -ENOMEM.
 */
int __must_check sluice_producer_state_add(struct sluice_producer_state *s,
					   const struct sluice_producer_entry *e);
void sluice_producer_state_added(struct sluice_producer_state *s);

#endif /* SLUICE_LOG_PRODUCER_STATE_H */
