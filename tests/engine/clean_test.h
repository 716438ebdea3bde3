/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs made for the cleaner's tests: with keys, producers, transactions, gaps
 * and codecs, written straight into files, so that every byte is the test's.
 */
#ifndef TESTS_ENGINE_CLEAN_TEST_H
#define TESTS_ENGINE_CLEAN_TEST_H

#include "clean.h"
#include "engine_test.h"

#define NO_KEY	 (-1)
#define NO_VALUE (-1)
#define DAY_MS	 86400000LL

/** struct clog_record - a key and a value, as the text of a number, or null */
struct clog_record {
	int key;
	int value;
};

#define CLOG_PRODUCERS 64
#define CLOG_ABORTED   4096

/**
 * struct clog - a log being written, and then cleaned
 * @next_offset: where the next batch goes; a test may leave a gap
 * @time: of the next batch
 * @codec: of the next batches
 * @attributes: added to those of the next batches
 * @producers: last offsets and epochs, by id; what the log would remember
 * @slots: of the offset map, filled to three quarters; 0: enough
 * @now_ms: for the cleaner
 * @config: of the log
 * @delete_retention_ms: of the topic
 * @replaced: how often segments were swapped in
 * @replace_error: with which that fails; @sticky_faults: see port_fault_set()
 */
struct clog {
	struct port_dir *dir;
	s64 next_offset;
	s64 time;
	int codec;
	u16 attributes;
	struct sluice_clean_producer producers[CLOG_PRODUCERS];
	s32 sequences[CLOG_PRODUCERS];
	s64 txn_first[CLOG_PRODUCERS];
	u32 producer_count;
	s64 base_offset;
	u8 *segment;
	size_t segment_len;
	struct sluice_txn_index_entry *aborted;
	u32 aborted_count;
	u32 slots;
	s64 now_ms;
	struct sluice_log_config config;
	s64 delete_retention_ms;
	u32 replaced;
	int replace_error;
	bool sticky_faults;
};

/** clog_dir_setup() - as dir_setup(), where a sync costs nothing. */
int clog_dir_setup(void **state);

void clog_init(struct clog *l, struct port_dir *dir);
void clog_destroy(struct clog *l);

/** clog_append() - a batch of @n records; @id -1: of no producer. Returns its base offset. */
s64 clog_append(struct clog *l, s64 id, bool transactional, const struct clog_record *r, u32 n);

/* With records of these keys; the value is the offset. */
#define clog_keys(l, id, txn, ...)                               \
	clog_append_keys(l, id, txn, (const int[]){__VA_ARGS__}, \
			 sizeof((const int[]){__VA_ARGS__}) / sizeof(int))
s64 clog_append_keys(struct clog *l, s64 id, bool transactional, const int *keys, u32 n);

/** clog_marker() - end the producer's transaction. */
s64 clog_marker(struct clog *l, s64 id, bool commit);

/** clog_roll() - write the segment to its files; the next begins at next_offset. */
void clog_roll(struct clog *l);

/** clog_clean() - from @first_dirty to where the last roll was; gives end_offset. */
s64 clog_clean(struct clog *l, s64 first_dirty);
s64 clog_clean_to(struct clog *l, s64 first_dirty, s64 first_uncleanable,
		  struct sluice_clean_stats *ret_stats);

/** clog_try_clean() - the same, may fail. */
int clog_try_clean(struct clog *l, struct sluice_clean *c, s64 first_dirty, s64 first_uncleanable);

/** clog_finish_swaps() - what recovery does with the cleaner's files. */
void clog_finish_swaps(struct port_dir *dir);

/** struct clog_batch - a batch as found; clog_read() */
struct clog_batch {
	struct sluice_batch b;
	s64 segment;
};

/** struct clog_found - what is in the files */
struct clog_found {
	struct clog_batch *batches;
	u32 batch_count;
	struct {
		s64 offset;
		s64 timestamp;
		int key;
		int value;
		bool control;
	} * records;
	u32 record_count;
	u32 segment_count;
	u64 bytes;
};

/** clog_read() - parse all of it, with what is not cleaned yet; checks the indexes too. */
void clog_read(struct clog *l, struct clog_found *f);
void clog_found_free(struct clog_found *f);

/* All of these end with -1: what Kafka's tests call offsetsInLog() and so on. */
#define assert_offsets(l, ...)	      clog_assert(l, 'o', (const s64[]){__VA_ARGS__, -1})
#define assert_keys(l, ...)	      clog_assert(l, 'k', (const s64[]){__VA_ARGS__, -1})
#define assert_last_offsets(l, ...)   clog_assert(l, 'l', (const s64[]){__VA_ARGS__, -1})
#define assert_base_offsets(l, ...)   clog_assert(l, 'b', (const s64[]){__VA_ARGS__, -1})
#define assert_aborted_firsts(l, ...) clog_assert(l, 'a', (const s64[]){__VA_ARGS__, -1})
void clog_assert(struct clog *l, char what, const s64 *expected);

#endif /* TESTS_ENGINE_CLEAN_TEST_H */
