// SPDX-License-Identifier: Apache-2.0
/* Files that are open only while they are needed, and the list of segments. */
#include "engine_test.h"
#include "segment_list.h"

#include <dirent.h>
#include <stdlib.h>

#define SEGMENTS 6

static u32 open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	u32 count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* Segments of one batch of one record each, closed cleanly. */
static void make_log(struct port_dir *dir, struct sluice_log_config *c)
{
	struct sluice_log *log;

	*c = small_config();
	log = log_open(dir, c);
	for (int i = 0; i < SEGMENTS; i++)
		append_spec(log, (struct batch_spec){
					 .records = 1, .value_len = 600, .timestamp = TIME_0 + i});
	log_close_cleanly(log);
}

static struct sluice_log *open_clean(struct port_dir *dir, const struct sluice_log_config *c)
{
	struct sluice_log_open_args args = {.recovery_point = S64_MAX};
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_log *log = NULL;

	assert_int_equal(sluice_log_open(dir, c, &args, err, &log), 0);
	return log;
}

static void read_one(struct sluice_log *log, s64 offset)
{
	struct sluice_range range;

	assert_int_equal(sluice_log_fetch(log, offset, U32_MAX, 0, &range), 0);
	assert_int_equal(range.base_offset, offset);
	sluice_segment_put(range.seg);
}

static void sluice_log_open__opens_the_last_segment_alone(void **state)
{
	struct sluice_log_config c;
	u32 before = open_descriptors();
	struct sluice_log *log;

	make_log(*state, &c);
	assert_int_equal(open_descriptors(), before);
	log = open_clean(*state, &c);
	assert_int_equal(open_descriptors(), before + 3);
	assert_int_equal(sluice_log_open_sealed(log), 0);
	read_one(log, 2);
	assert_int_equal(open_descriptors(), before + 5);
	assert_int_equal(sluice_log_open_sealed(log), 1);
	log_check(log);
	assert_int_equal(open_descriptors(), before + 3 + 2 * (SEGMENTS - 1));
	assert_int_equal(sluice_log_close_idle(log), 2 * (SEGMENTS - 1));
	assert_int_equal(open_descriptors(), before + 3);
	assert_int_equal(sluice_log_open_sealed(log), 0);
	log_check(log);
	sluice_log_close(log);
	assert_int_equal(open_descriptors(), before);
}

static void sluice_log_close_idle__not_what_a_reader_has(void **state)
{
	struct sluice_log_config c;
	struct sluice_range range;
	struct sluice_log *log;
	struct sluice_batch b;

	make_log(*state, &c);
	log = open_clean(*state, &c);
	assert_int_equal(sluice_log_fetch(log, 2, 100, 0, &range), 0);
	assert_int_equal(sluice_log_close_idle(log), 0);
	assert_int_equal(sluice_log_read_batch(range.file, 0, 10000, &b), 0);
	sluice_segment_put(range.seg);
	assert_int_equal(sluice_log_close_idle(log), 2);
	sluice_log_close(log);
}

/* What was just read may be read again: the second call after that closes it. */
static void sluice_log_housekeep__closes_what_was_not_used(void **state)
{
	struct sluice_log_config c;
	struct sluice_log *log;

	make_log(*state, &c);
	log = open_clean(*state, &c);
	read_one(log, 2);
	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	assert_int_equal(sluice_log_open_sealed(log), 1);
	read_one(log, 2);
	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	assert_int_equal(sluice_log_open_sealed(log), 1);
	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	assert_int_equal(sluice_log_open_sealed(log), 0);
	sluice_log_close(log);
}

/* Only what is on stable storage: a write error must not be missed. */
static void sluice_log_close_idle__not_before_the_sync(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);
	s64 recovery_point;

	for (int i = 0; i < 3; i++)
		append_spec(log, (struct batch_spec){.records = 1, .value_len = 600});
	assert_int_equal(sluice_log_close_idle(log), 0);
	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	assert_int_equal(sluice_log_close_idle(log), 2 * 3);
	log_check(log);
	sluice_log_close(log);
}

static void check_gone(struct sluice_log *log, s64 offset)
{
	struct sluice_range range;

	assert_int_equal(sluice_log_fetch(log, offset, 100, 0, &range), -EIO);
	assert_int_equal(sluice_log_failed(log), 0);
}

static void sluice_segment_use__file_that_changed(void **state)
{
	static const char name[] = "00000000000000000002.log";
	struct sluice_log_config c;
	struct sluice_log *log;
	size_t len;
	u8 *bytes;

	make_log(*state, &c);
	bytes = file_load(*state, name, &len);
	log = open_clean(*state, &c);
	log_check(log);
	assert_true(sluice_log_close_idle(log) > 0);
	assert_int_equal(port_file_remove(*state, name), 0);
	check_gone(log, 2);
	/* The same bytes, another file. */
	file_store(*state, "x", "", 0);
	file_store(*state, name, bytes, len);
	check_gone(log, 2);
	read_one(log, 1);
	read_one(log, 3);
	sluice_log_close(log);

	log = open_clean(*state, &c);
	log_check(log);
	sluice_log_close_idle(log);
	file_store(*state, "00000000000000000003.index", "1234567", 7);
	check_gone(log, 3);
	read_one(log, 2);
	sluice_log_close(log);
	free(bytes);
}

static void sluice_segment_use__faults(void **state)
{
	struct sluice_log_config c;
	bool hit = true;

	make_log(*state, &c);
	for (u32 n = 1; hit; n++) {
		struct sluice_log *log = open_clean(*state, &c);
		struct sluice_range range;
		s64 offset = 0, time;
		int ret;

		port_fault_set(n, false);
		ret = sluice_log_offset_for_time(log, TIME_0 + 2, &offset, &time);
		if (!ret)
			ret = sluice_log_fetch(log, offset, 100, 0, &range);
		hit = port_fault_hit();
		port_fault_set(0, false);
		assert_true(hit == (ret != 0));
		if (!ret)
			sluice_segment_put(range.seg);
		log_check(log);
		sluice_log_close(log);
	}
}

static struct sluice_segment *segment(s64 base_offset)
{
	struct sluice_segment *seg = sluice_segment_new(base_offset);

	assert_non_null(seg);
	return seg;
}

static void check_list(struct sluice_segment_list *list, const s64 *offsets, u32 count)
{
	assert_int_equal(sluice_segment_list_count(list), count);
	for (u32 i = 0; i < count; i++) {
		struct sluice_segment *seg = sluice_segment_list_at(list, i);

		assert_int_equal(seg->base_offset, offsets[i]);
		sluice_segment_put(seg);
		seg = sluice_segment_list_floor(list, offsets[i] + 1);
		assert_int_equal(seg->base_offset, offsets[i]);
		sluice_segment_put(seg);
		assert_int_equal(sluice_segment_list_rank(list, offsets[i]), i + 1);
	}
	assert_null(sluice_segment_list_at(list, count));
}

static void sluice_segment_list__remove_and_replace(void **state)
{
	struct sluice_segment *new[] = {segment(200), segment(250)};
	struct sluice_segment *old[3], **spare;
	struct sluice_segment_list list;

	(void)state;
	sluice_segment_list_init(&list);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(sluice_segment_list_reserve(&list), 0);
		sluice_segment_list_add(&list, segment(i * 100));
	}
	for (int i = 0; i < 2; i++) {
		struct sluice_segment *seg = sluice_segment_list_remove_first(&list);

		assert_int_equal(seg->base_offset, i * 100);
		sluice_segment_put(seg);
	}
	check_list(&list, (s64[]){200, 300, 400, 500, 600}, 5);

	port_fault_set(1, false);
	assert_null(sluice_segment_list_spare(&list, 2));
	port_fault_set(0, false);
	check_list(&list, (s64[]){200, 300, 400, 500, 600}, 5);
	spare = sluice_segment_list_spare(&list, 2);
	assert_non_null(spare);
	sluice_segment_list_replace(&list, spare, 0, 3, old, 2, new);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(old[i]->base_offset, 200 + i * 100);
		sluice_segment_put(old[i]);
	}
	check_list(&list, (s64[]){200, 250, 500, 600}, 4);
	/* The last ones, as a truncation does. */
	spare = sluice_segment_list_spare(&list, 0);
	assert_non_null(spare);
	sluice_segment_list_replace(&list, spare, 2, 2, old, 0, NULL);
	sluice_segment_put(old[0]);
	sluice_segment_put(old[1]);
	check_list(&list, (s64[]){200, 250}, 2);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(sluice_segment_list_reserve(&list), 0);
		sluice_segment_list_add(&list, segment(1000 + i * 100));
		sluice_segment_put(sluice_segment_list_remove_first(&list));
	}
	check_list(&list, (s64[]){2800, 2900}, 2);
	assert_true(list.capacity <= 8);
	sluice_segment_list_destroy(&list);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_open__opens_the_last_segment_alone),
		TEST(sluice_log_close_idle__not_what_a_reader_has),
		TEST(sluice_log_housekeep__closes_what_was_not_used),
		TEST(sluice_log_close_idle__not_before_the_sync),
		TEST(sluice_segment_use__file_that_changed),
		TEST(sluice_segment_use__faults),
		cmocka_unit_test(sluice_segment_list__remove_and_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
