// SPDX-License-Identifier: Apache-2.0
/*
 * Compaction against a model. Random logs with keys, tombstones, transactions,
 * gaps and codecs are cleaned in passes of random size, with every port call
 * failing, and with a crash at every one; whatever happens, whoever reads the
 * log from its begin ends with the same value for each key.
 */
#include "clean_test.h"
#include "clean_aborted.h"

#include <stdlib.h>

#define KEYS	   12
#define PRODUCERS  3
#define FAULTS_MAX 3000

static struct clog log_;

static int setup(void **state)
{
	if (clog_dir_setup(state))
		return -1;
	clog_init(&log_, *state);
	port_warn_to(NULL);
	return 0;
}

static int teardown(void **state)
{
	clog_destroy(&log_);
	return dir_teardown(state);
}

/**
 * struct model - what a reader of committed records must end with
 * @value: of each key; -1 none
 * @offset: where its last record is
 * @pending_value: of a producer's open transaction
 */
struct model {
	int value[KEYS];
	s64 offset[KEYS];
	int pending_value[PRODUCERS][KEYS];
	s64 pending_offset[PRODUCERS][KEYS];
	bool open[PRODUCERS];
};

static u32 seed;
static s64 gaps[1000]; /* segments in front of which offsets are missing */
static u32 gap_count;

static bool log_gap_before(s64 base_offset)
{
	for (u32 i = 0; i < gap_count; i++) {
		if (gaps[i] == base_offset)
			return true;
	}
	return false;
}

static u32 pick(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (u32)(((u64)seed >> 8) % n);
}

static void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	memset(m->value, 0xff, sizeof(m->value));
	memset(m->offset, 0xff, sizeof(m->offset));
	memset(m->pending_offset, 0xff, sizeof(m->pending_offset));
}

static void end_txn(struct model *m, int p, bool commit)
{
	clog_marker(&log_, p, commit);
	for (int k = 0; k < KEYS; k++) {
		if (commit && m->pending_offset[p][k] > m->offset[k]) {
			m->value[k] = m->pending_value[p][k];
			m->offset[k] = m->pending_offset[p][k];
		}
		m->pending_offset[p][k] = -1;
	}
	m->open[p] = false;
}

static void add_batch(struct model *m)
{
	int p = (int)pick(PRODUCERS + 1) - 1, n = 1 + (int)pick(4);
	bool txn = p >= 0 && (m->open[p] || pick(2));
	struct clog_record r[4];
	s64 base = log_.next_offset;

	log_.codec = pick(3) ? 0 : (int)pick(5);
	log_.time += pick(1000);
	for (int i = 0; i < n; i++)
		r[i] = (struct clog_record){.key = pick(20) ? (int)pick(KEYS) : NO_KEY,
					    .value = pick(5) ? (int)(base + i) : NO_VALUE};
	clog_append(&log_, p, txn, r, (u32)n);
	if (txn)
		m->open[p] = true;
	for (int i = 0; i < n; i++) {
		int *value = txn ? &m->pending_value[p][0] : m->value;
		s64 *offset = txn ? &m->pending_offset[p][0] : m->offset;

		if (r[i].key == NO_KEY)
			continue;
		value[r[i].key] = r[i].value;
		offset[r[i].key] = base + i;
	}
}

/* Ends with all transactions decided, as it must be below the last stable offset. */
static void make_log(struct model *m, int batches)
{
	for (int i = 0; i < batches; i++) {
		int p = (int)pick(PRODUCERS);

		if (m->open[p] && !pick(3))
			end_txn(m, p, pick(2));
		else
			add_batch(m);
		if (!pick(20)) {
			log_.next_offset += 1 + pick(5);
			gaps[gap_count++ % ARRAY_SIZE(gaps)] = log_.next_offset;
		}
		if (!pick(8))
			clog_roll(&log_);
	}
	for (int p = 0; p < PRODUCERS; p++) {
		if (m->open[p])
			end_txn(m, p, pick(2));
	}
	clog_roll(&log_);
}

static bool is_aborted(const struct clog_found *f, const struct sluice_batch *b,
		       const struct sluice_aborted_txn *txns, u32 count)
{
	(void)f;
	for (u32 i = 0; i < count && b->attributes & SLUICE_BATCH_TRANSACTIONAL; i++) {
		if (txns[i].producer_id == b->producer_id &&
		    txns[i].first_offset <= b->base_offset && b->base_offset < txns[i].last_offset)
			return true;
	}
	return false;
}

/* Reads the log as a read_committed consumer does, by the transaction indexes. */
static void check_model(const struct model *m)
{
	struct sluice_aborted_txn *txns;
	char err[SLUICE_ERROR_TEXT_MAX];
	struct clog_found f;
	int value[KEYS];
	u32 count, r = 0;

	memset(value, 0xff, sizeof(value));
	clog_read(&log_, &f);
	assert_int_equal(sluice_clean_aborted(log_.dir, 0, S64_MAX, &txns, &count, err), 0);
	for (u32 i = 0; i < f.batch_count; i++) {
		const struct sluice_batch *b = &f.batches[i].b;
		bool skip = b->attributes & SLUICE_BATCH_CONTROL || is_aborted(&f, b, txns, count);

		for (s32 j = 0; j < b->record_count; j++, r++) {
			assert_true(f.records[r].offset >= b->base_offset);
			assert_true(f.records[r].offset <= sluice_batch_last_offset(b));
			assert_true(!r || f.records[r].offset > f.records[r - 1].offset);
			/* A value is its offset: none was moved, none made up. */
			if (!f.records[r].control && f.records[r].value >= 0)
				assert_int_equal(f.records[r].value, f.records[r].offset);
			if (!skip && f.records[r].key >= 0)
				value[f.records[r].key] = f.records[r].value;
		}
	}
	assert_int_equal(r, f.record_count);
	/* Where there was no gap between two segments there is none now. */
	for (u32 i = 1; i < f.batch_count; i++) {
		const struct clog_batch *b = &f.batches[i - 1];

		if (f.batches[i].segment != b->segment && !log_gap_before(f.batches[i].segment))
			assert_int_equal(sluice_batch_last_offset(&b->b) + 1, f.batches[i].segment);
	}
	for (int k = 0; k < KEYS; k++)
		assert_int_equal(value[k], m->value[k]);
	port_free(txns);
	clog_found_free(&f);
}

/* After all passes each key is there once at most, and nothing without a key. */
static void check_clean(void)
{
	u32 seen[KEYS] = {0};
	struct clog_found f;

	clog_read(&log_, &f);
	for (u32 i = 0; i < f.record_count; i++) {
		if (f.records[i].control)
			continue;
		assert_true(f.records[i].key >= 0);
		seen[f.records[i].key]++;
	}
	for (int k = 0; k < KEYS; k++)
		assert_true(seen[k] <= 1);
	for (u32 p = 0; p < log_.producer_count; p++) {
		bool found = false;

		for (u32 i = 0; i < f.batch_count; i++)
			found |= f.batches[i].b.producer_id == log_.producers[p].id &&
				 sluice_batch_last_offset(&f.batches[i].b) ==
					 log_.producers[p].last_offset;
		assert_true(found || log_.producers[p].last_offset < 0);
	}
	clog_found_free(&f);
}

static void restart(u32 s)
{
	struct port_dir *dir = log_.dir;

	seed = s;
	gap_count = 0;
	dir_clear(dir);
	clog_destroy(&log_);
	clog_init(&log_, dir);
	log_.config.segment_bytes = 200 + pick(2000);
	log_.config.index_interval_bytes = pick(300);
}

static void clean__random_logs_in_random_passes(void **state)
{
	struct model m;
	s64 dirty;

	(void)state;
	for (u32 s = 1; s <= 60; s++) {
		restart(s);
		model_init(&m);
		for (int round = 0; round < 3; round++) {
			make_log(&m, 5 + (int)pick(40));
			check_model(&m);
			log_.slots = pick(2) ? 0 : 3 + pick(12);
			log_.now_ms += pick(2) ? 0 : DAY_MS + 1;
			dirty = 0;
			for (int pass = 0; dirty < log_.base_offset && pass < 200; pass++) {
				s64 before = dirty;

				dirty = clog_clean(&log_, dirty);
				assert_true(dirty > before);
				check_model(&m);
			}
			assert_int_equal(dirty, log_.base_offset);
			check_clean();
		}
		/* Tombstones and markers go, one pass marks them and one removes them. */
		log_.slots = 0;
		for (int i = 0; i < 4; i++) {
			log_.now_ms += DAY_MS + 1;
			clog_clean(&log_, 0);
			check_model(&m);
		}
	}
}

/* Idempotent but for the horizons that a pass sets. */
static void clean__again_is_the_same(void **state)
{
	struct model m;
	u64 digest;
	u32 replaced;

	(void)state;
	for (u32 s = 1000; s < 1025; s++) {
		restart(s);
		model_init(&m);
		make_log(&m, 40);
		for (int i = 0; i < 3; i++)
			clog_clean(&log_, 0);
		/* Segments may still become one, as they are smaller now. */
		for (replaced = 0; replaced != log_.replaced;) {
			replaced = log_.replaced;
			clog_clean(&log_, 0);
		}
		digest = dir_digest(log_.dir);
		clog_clean(&log_, 0);
		assert_int_equal(dir_digest(log_.dir), digest);
		check_model(&m);
	}
}

static void run_with_faults(bool sticky)
{
	struct sluice_clean c;
	struct model m;
	bool hit = true;
	u32 n;

	for (n = 1; hit && n < FAULTS_MAX; n++) {
		int ret;

		restart(7);
		model_init(&m);
		make_log(&m, 60);
		log_.sticky_faults = sticky;
		port_fault_set(n, sticky);
		ret = clog_try_clean(&log_, &c, 0, log_.base_offset);
		hit = port_fault_hit();
		port_fault_set(0, false);
		/* What could not be removed is removed by the next start, not an error. */
		assert_true(hit || !ret);
		clog_finish_swaps(log_.dir);
		check_model(&m);
		clog_clean(&log_, 0);
		check_model(&m);
	}
	assert_true(n > 100 && n < FAULTS_MAX);
}

static void clean__every_port_call_fails(void **state)
{
	(void)state;
	run_with_faults(false);
}

/* From some call on nothing happens any more: a kill; then a restart. */
static void clean__killed_at_every_port_call(void **state)
{
	(void)state;
	run_with_faults(true);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clean__random_logs_in_random_passes),
		TEST(clean__again_is_the_same),
		TEST(clean__every_port_call_fails),
		TEST(clean__killed_at_every_port_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
