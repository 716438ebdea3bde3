// SPDX-License-Identifier: Apache-2.0
/*
 * One appender, a flusher, a keeper of the house and readers at once: readers see
 * whole batches, in order, all that retention leaves.
 */
#include "broken.h"
#include "engine_test.h"

#include <stdlib.h>
#include <sched.h>

#define READERS 3
#define BATCHES 3000
#define RECORDS 4

/* Retention leaves so many offsets and what shares a segment with them. */
#define KEPT 400

struct run {
	struct sluice_log *log;
	bool retain;
	bool done;
	int broken;
};

static void *appender(void *arg)
{
	struct run *run = arg;

	for (int i = 0; i < BATCHES && !is_broken(&run->broken); i++) {
		struct batch_spec spec = {.records = RECORDS,
					  .value_len = (u32)(i * 37 % 200),
					  .timestamp = TIME_0 + i};
		struct sluice_append a;
		size_t size;
		u8 *bytes = batch_make(&spec, &size);

		/* Some fail, and nobody may see them. */
		if (i % 7 == 0) {
			bytes[size - 1] ^= 1;
			if (append_bytes(run->log, bytes, size, &a) != -EBADMSG)
				note_broken(&run->broken, __LINE__);
			bytes[size - 1] ^= 1;
		}
		if (append_bytes(run->log, bytes, size, &a) || a.base_offset != (s64)i * RECORDS)
			note_broken(&run->broken, __LINE__);
		free(bytes);
	}
	__atomic_store_n(&run->done, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static int read_batches(struct run *run, struct port_file *file, u64 *position, u64 end,
			s64 *offset)
{
	while (*position < end) {
		struct sluice_batch b;
		u32 crc = 0;

		CHECK(run, sluice_log_read_batch(file, *position, end, &b) == 0);
		CHECK(run, b.base_offset == *offset);
		CHECK(run, port_file_crc32c(file, *position + SLUICE_BATCH_CRC_START,
					    b.size - SLUICE_BATCH_CRC_START, &crc) == 0);
		CHECK(run, crc == b.crc);
		*position += b.size;
		*offset = sluice_batch_last_offset(&b) + 1;
	}
	return 0;
}

/* From where a fetch leads to the end of its segment, without another fetch. */
static int read_segment(struct run *run, s64 *offset)
{
	struct sluice_range range;
	u64 position;
	bool sealed;
	int ret = 0;

	ret = sluice_log_fetch(run->log, *offset, 1, SLUICE_FETCH_WHOLE_FIRST, &range);
	if (ret == -ERANGE && run->retain) {
		*offset = sluice_log_start_offset(run->log);
		return 0;
	}
	CHECK(run, ret == 0);
	if (!range.seg) {
		sched_yield();
		return 0;
	}
	position = range.position;
	do {
		sealed = sluice_segment_sealed(range.seg);
		ret = read_batches(run, range.file, &position, sluice_segment_published(range.seg),
				   offset);
	} while (!ret && !sealed && *offset < (s64)BATCHES * RECORDS && !is_broken(&run->broken));
	sluice_segment_put(range.seg);
	return ret;
}

static void *reader(void *arg)
{
	struct run *run = arg;
	s64 offset = 0;

	while (offset < (s64)BATCHES * RECORDS && !is_broken(&run->broken))
		if (read_segment(run, &offset))
			break;
	return NULL;
}

static int look_up(struct run *run)
{
	s64 end = sluice_log_end_offset(run->log), expected = (end - 1) / RECORDS * RECORDS;
	struct sluice_range range;
	s64 offset, time;

	if (!end)
		return 0;
	CHECK(run, sluice_log_offset_for_time(run->log, TIME_0 + (end - 1) / RECORDS, &offset,
					      &time) == 0);
	/* Unless this thread slept until retention had passed what was the end. */
	CHECK(run,
	      offset == expected || (run->retain && sluice_log_start_offset(run->log) > expected));
	if (run->retain)
		return 0;
	CHECK(run, sluice_log_fetch(run->log, end / 2, 1000, 0, &range) == 0);
	CHECK(run, range.base_offset == end / 2 / RECORDS * RECORDS);
	sluice_segment_put(range.seg);
	return 0;
}

/* Flushes, and looks up offsets and times in what just came. */
static void *flusher(void *arg)
{
	struct run *run = arg;
	s64 recovery_point;

	while (!__atomic_load_n(&run->done, __ATOMIC_SEQ_CST)) {
		s64 end = sluice_log_end_offset(run->log);

		if (sluice_log_flush(run->log, &recovery_point) || recovery_point < end)
			note_broken(&run->broken, __LINE__);
		if (look_up(run))
			break;
	}
	return NULL;
}

static int keep_house(struct run *run)
{
	s64 start = (sluice_log_end_offset(run->log) - KEPT) / RECORDS * RECORDS;
	u64 freed;

	if (run->retain && start > 0) {
		CHECK(run, sluice_log_set_start_offset(run->log, start) == 0);
		CHECK(run, sluice_log_retain(run->log, TIME_0, &freed) == 0);
	}
	CHECK(run, sluice_log_housekeep(run->log, S64_MAX) == 0);
	sluice_log_close_idle(run->log);
	sluice_log_size_bytes(run->log);
	return 0;
}

static void *keeper(void *arg)
{
	struct run *run = arg;

	while (!__atomic_load_n(&run->done, __ATOMIC_SEQ_CST))
		if (keep_house(run))
			break;
	return NULL;
}

static void run_all(struct port_dir *dir, bool retain)
{
	struct sluice_log_config c = small_config();
	struct run run = {.retain = retain};
	pthread_t threads[READERS + 3];

	c.segment_bytes = 20000;
	c.max_message_bytes = 5000;
	run.log = log_open(dir, &c);
	assert_int_equal(pthread_create(&threads[0], NULL, appender, &run), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, flusher, &run), 0);
	assert_int_equal(pthread_create(&threads[2], NULL, keeper, &run), 0);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[3 + i], NULL, reader, &run), 0);
	for (int i = 0; i < READERS + 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(run.broken, 0);
	assert_int_equal(keep_house(&run), 0);
	assert_int_equal(run.broken, 0);
	if (retain)
		assert_true(sluice_log_segment_count(run.log) < 20);
	else
		assert_true(sluice_log_segment_count(run.log) > 50);
	log_check(run.log);
	sluice_log_close(run.log);
}

static void readers__see_all_and_only_whole_batches(void **state)
{
	run_all(*state, false);
}

static void readers__see_what_retention_leaves(void **state)
{
	run_all(*state, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(readers__see_all_and_only_whole_batches, dir_setup,
						dir_teardown),
		cmocka_unit_test_setup_teardown(readers__see_what_retention_leaves, dir_setup,
						dir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
