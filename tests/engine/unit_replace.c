// SPDX-License-Identifier: Apache-2.0
/* Compacted segments taking the place of others: readers, refusals, crashes. */
#include "engine_test.h"

#include <stdlib.h>

#include "replace.h"

#define BATCHES	  24
#define CALLS_MAX 200

static char err[SLUICE_ERROR_TEXT_MAX];

/* The base offsets of all batches of a log. */
struct batches {
	u32 count;
	s64 base[2 * BATCHES];
};

static struct batches list_batches(struct sluice_log *log)
{
	s64 offset = sluice_log_start_offset(log);
	struct batches found = {0};

	while (offset < sluice_log_end_offset(log)) {
		struct sluice_range range;
		struct sluice_batch b;
		u32 crc = 0;

		assert_int_equal(sluice_log_fetch(log, offset, 0, SLUICE_FETCH_WHOLE_FIRST, &range),
				 0);
		if (!range.seg)
			break;
		assert_int_equal(sluice_log_read_batch(range.file, range.position,
						       range.position + range.bytes, &b),
				 0);
		assert_int_equal(port_file_crc32c(range.file,
						  range.position + SLUICE_BATCH_CRC_START,
						  b.size - SLUICE_BATCH_CRC_START, &crc),
				 0);
		assert_int_equal(crc, b.crc);
		found.base[found.count++] = b.base_offset;
		offset = sluice_batch_last_offset(&b) + 1;
		sluice_segment_put(range.seg);
	}
	return found;
}

static void assert_same(const struct batches *a, const struct batches *b)
{
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->base, b->base, a->count * sizeof(a->base[0]));
}

static struct sluice_log *make_log(struct port_dir *dir, s64 *bases)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;
	s64 recovery_point;
	u32 count = 0;

	dir_clear(dir);
	log = log_open(dir, &c);
	for (int i = 0; i < BATCHES; i++) {
		struct batch_spec spec = {
			.records = 2, .value_len = 80, .timestamp = TIME_0 + i * 10};
		s64 base = append_spec(log, spec);

		if (sluice_log_segment_count(log) > count)
			bases[count++] = base;
	}
	assert_int_equal(count, 6);
	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	return log;
}

static void write_swap(struct port_dir *dir, s64 base, const char *kind, const void *bytes,
		       size_t len)
{
	char name[64];

	snprintf(name, sizeof(name), "%020lld%s.cleaned", base, kind);
	file_store(dir, name, bytes, len);
}

/*
 * What a compaction leaves of the batches in [from, to): every second one, less
 * those from @to_kept on. @want: of the log, once it has taken their place.
 */
static void make_swap(struct port_dir *dir, struct sluice_log *log, s64 from, s64 to, s64 to_kept,
		      struct batches *want)
{
	struct batches all = list_batches(log);
	u8 time_entry[12], bytes[8000];
	size_t len = 0;
	u32 last = 0;

	*want = (struct batches){0};
	for (u32 i = 0; i < all.count; i++) {
		struct sluice_range range;
		struct sluice_batch b;

		if (all.base[i] >= from && all.base[i] < to && (i & 1 || all.base[i] >= to_kept))
			continue;
		want->base[want->count++] = all.base[i];
		if (all.base[i] < from || all.base[i] >= to)
			continue;
		last = (u32)(all.base[i] + 1 - from);
		assert_int_equal(
			sluice_log_fetch(log, all.base[i], 0, SLUICE_FETCH_WHOLE_FIRST, &range), 0);
		assert_int_equal(sluice_log_read_batch(range.file, range.position,
						       range.position + range.bytes, &b),
				 0);
		assert_int_equal(port_file_read(range.file, range.position, bytes + len, b.size),
				 b.size);
		len += b.size;
		put_unaligned_be64((u64)b.max_timestamp, time_entry);
		sluice_segment_put(range.seg);
	}
	put_unaligned_be32(last, time_entry + 8);
	write_swap(dir, from, ".index", "", 0);
	write_swap(dir, from, ".timeindex", time_entry, len ? sizeof(time_entry) : 0);
	write_swap(dir, from, ".log", bytes, len);
}

static u32 count_suffix;

static int count_one(void *ctx, const char *name, size_t len)
{
	size_t suffix_len = strlen(ctx);

	count_suffix += len > suffix_len && !memcmp(name + len - suffix_len, ctx, suffix_len);
	return 0;
}

static u32 files_with(struct port_dir *dir, const char *suffix)
{
	count_suffix = 0;
	assert_int_equal(port_dir_list(dir, count_one, (void *)suffix), 0);
	return count_suffix;
}

static u64 size_of_logs(struct port_dir *dir, struct sluice_log *log)
{
	u64 size = sluice_log_size_bytes(log);

	(void)dir;
	return size;
}

/* Three segments become one; then what is left of that and the next one, nothing. */
static void sluice_log_replace__while_open(void **state)
{
	struct sluice_log_config c = small_config();
	struct batches want, found;
	s64 bases[6], offset, time;
	struct sluice_log *log = make_log(*state, bases);
	u64 size = size_of_logs(*state, log);

	make_swap(*state, log, bases[1], bases[4], S64_MAX, &want);
	assert_int_equal(
		sluice_log_replace(log, sluice_log_generation(log), bases[1], bases[3], err), 0);
	assert_int_equal(sluice_log_segment_count(log), 4);
	found = list_batches(log);
	assert_same(&found, &want);
	assert_true(sluice_log_size_bytes(log) < size);
	assert_int_equal(sluice_log_start_offset(log), 0);
	assert_int_equal(sluice_log_end_offset(log), 48);
	assert_int_equal(files_with(*state, ".swap"), 0);
	assert_int_equal(files_with(*state, ".log.deleted"), 3);
	assert_int_equal(files_with(*state, ".deleted"), 9);
	assert_int_equal(sluice_log_offset_for_time(log, TIME_0 + 50, &offset, &time), 0);
	assert_int_equal(time, TIME_0 + 60);

	make_swap(*state, log, bases[1], bases[5], 0, &want);
	assert_int_equal(
		sluice_log_replace(log, sluice_log_generation(log), bases[1], bases[4], err), 0);
	assert_int_equal(sluice_log_segment_count(log), 3);
	found = list_batches(log);
	assert_same(&found, &want);
	append_spec(log, (struct batch_spec){.records = 2});
	assert_int_equal(sluice_log_housekeep(log, S64_MAX), 0);
	assert_int_equal(files_with(*state, ".deleted"), 0);
	sluice_log_close(log);

	log = log_open(*state, &c);
	want.base[want.count++] = 48;
	found = list_batches(log);
	assert_same(&found, &want);
	sluice_log_close(log);
}

static void sluice_log_replace__readers_keep_their_bytes(void **state)
{
	s64 bases[6];
	struct sluice_log *log = make_log(*state, bases);
	struct sluice_range range;
	struct batches want;
	u8 before[300], now[300];

	assert_int_equal(sluice_log_fetch(log, bases[1] + 2, 300, 0, &range), 0);
	assert_int_equal(port_file_read(range.file, range.position, before, 300), 300);
	make_swap(*state, log, bases[1], bases[4], S64_MAX, &want);
	assert_int_equal(
		sluice_log_replace(log, sluice_log_generation(log), bases[1], bases[3], err), 0);
	assert_int_equal(sluice_log_housekeep(log, S64_MAX), 0);
	assert_int_equal(port_file_read(range.file, range.position, now, 300), 300);
	assert_memory_equal(now, before, 300);
	assert_true(sluice_segment_sealed(range.seg));
	sluice_segment_put(range.seg);
	sluice_log_close_idle(log);
	assert_int_equal(sluice_log_open_sealed(log), 0);
	sluice_log_close(log);
}

static void assert_refused(struct sluice_log *log, s64 first, s64 last, int want)
{
	err[0] = '\0';
	assert_int_equal(sluice_log_replace(log, sluice_log_generation(log), first, last, err),
			 want);
	assert_true(strlen(err) > 0);
}

static void sluice_log_replace__refused(void **state)
{
	s64 bases[6];
	struct sluice_log *log = make_log(*state, bases);
	struct batches want, before = list_batches(log), found;
	size_t len;
	u8 *bytes;
	char name[64];

	assert_refused(log, bases[1] + 1, bases[3], -EINVAL);
	assert_refused(log, bases[1], bases[3] - 1, -EINVAL);
	assert_refused(log, bases[3], bases[1], -EINVAL);
	assert_refused(log, bases[1], bases[5], -EINVAL);
	/* No such files. */
	assert_refused(log, bases[1], bases[3], -EUCLEAN);
	/* More than what is to be replaced. */
	make_swap(*state, log, bases[1], bases[4], S64_MAX, &want);
	assert_refused(log, bases[1], bases[2], -EUCLEAN);
	/* No index. */
	snprintf(name, sizeof(name), "%020lld.index.cleaned", bases[1]);
	assert_int_equal(port_file_remove(*state, name), 0);
	assert_refused(log, bases[1], bases[3], -EUCLEAN);
	/* One that points behind the end. */
	write_swap(*state, bases[1], ".index", "\0\0\0\1\0\1\0\0", 8);
	assert_refused(log, bases[1], bases[3], -EUCLEAN);
	write_swap(*state, bases[1], ".index", "", 0);
	/* Torn. */
	snprintf(name, sizeof(name), "%020lld.log.cleaned", bases[1]);
	bytes = file_load(*state, name, &len);
	write_swap(*state, bases[1], ".log", bytes, len - 1);
	assert_refused(log, bases[1], bases[3], -EUCLEAN);
	/* Begins before its name says. */
	put_unaligned_be64((u64)bases[1] - 1, bytes);
	write_swap(*state, bases[1], ".log", bytes, len);
	assert_refused(log, bases[1], bases[3], -EUCLEAN);
	free(bytes);
	found = list_batches(log);
	assert_same(&found, &before);
	assert_int_equal(sluice_log_failed(log), 0);
	sluice_log_close(log);
}

static bool has(const struct batches *all, s64 base)
{
	for (u32 i = 0; i < all->count; i++)
		if (all->base[i] == base)
			return true;
	return false;
}

/*
 * What recovery found after the replacement had begun: all that is new, and at
 * most the last old segments, whole, behind the end of it.
 */
static void check_new(const struct batches *found, const struct batches *before,
		      const struct batches *after, const s64 *bases)
{
	s64 first_left = bases[4];
	u32 count = after->count;

	for (u32 i = 0; i < found->count; i++)
		if (!has(after, found->base[i]) && found->base[i] < first_left)
			first_left = found->base[i];
	assert_true(first_left == bases[2] || first_left == bases[3] || first_left == bases[4]);
	for (u32 i = 0; i < before->count; i++)
		if (before->base[i] >= first_left && before->base[i] < bases[4]) {
			assert_false(has(after, before->base[i]));
			assert_true(has(found, before->base[i]));
			count++;
		}
	assert_int_equal(found->count, count);
	for (u32 i = 0; i < after->count; i++)
		assert_true(has(found, after->base[i]));
}

/* Fails or stops at the n-th call; false if there was none. */
static bool interrupt(struct port_dir *dir, u32 n, bool crash, s64 to_kept)
{
	struct sluice_log_config c = small_config();
	struct batches before, after, found;
	struct sluice_recovery done;
	struct sluice_log *log;
	s64 bases[6];
	bool hit, must = false;
	int ret;

	log = make_log(dir, bases);
	before = list_batches(log);
	make_swap(dir, log, bases[1], bases[4], to_kept, &after);
	port_fault_set(n, crash);
	ret = sluice_log_replace(log, sluice_log_generation(log), bases[1], bases[3], err);
	hit = port_fault_hit();
	if (crash)
		goto crashed;
	port_fault_set(0, false);
	assert_true(hit == (ret != 0));
	found = list_batches(log);
	assert_same(&found, ret && !sluice_log_failed(log) ? &before : &after);
	if (ret && !sluice_log_failed(log)) {
		/* Nothing that recovery would take, whatever becomes of the log. */
		assert_int_equal(files_with(dir, ".swap"), 0);
		make_swap(dir, log, bases[1], bases[4], to_kept, &after);
		assert_int_equal(sluice_log_replace(log, sluice_log_generation(log), bases[1],
						    bases[3], err),
				 0);
	}
	must = !sluice_log_failed(log);
crashed:
	sluice_log_close(log);
	port_fault_set(0, false);
	assert_int_equal(sluice_log_recover(dir, &c, hit ? 48 : 0, SLUICE_RECOVER_GAPS, err, &done),
			 0);
	log = log_open(dir, &c);
	found = list_batches(log);
	if (must)
		assert_same(&found, &after);
	else if (found.count != before.count)
		check_new(&found, &before, &after, bases);
	else
		assert_same(&found, &before);
	assert_int_equal(sluice_log_end_offset(log), 48);
	assert_int_equal(files_with(dir, ".swap"), 0);
	sluice_log_close(log);
	return hit;
}

static void sluice_log_replace__interrupted_anywhere(void **state)
{
	static const s64 to_kept[] = {S64_MAX, 20, 0};

	port_warn_to(NULL);
	for (u32 i = 0; i < 2 * ARRAY_SIZE(to_kept); i++) {
		u32 n = 1;

		while (n < CALLS_MAX && interrupt(*state, n, i & 1, to_kept[i / 2]))
			n++;
		assert_true(n > 20 && n < CALLS_MAX);
	}
	port_warn_to(stderr);
}

/* Retention could not rename a segment: the next one to leave the log waits for it. */
static void sluice_log_replace__not_before_what_is_gone_is_renamed(void **state)
{
	struct sluice_log_config c = small_config();
	bool hit = true;

	port_warn_to(NULL);
	for (u32 n = 1; hit; n++) {
		s64 bases[6];
		struct sluice_log *log = make_log(*state, bases);
		u64 freed, generation = sluice_log_generation(log);
		struct batches want;
		u32 count;
		int ret;

		make_swap(*state, log, bases[3], bases[5], S64_MAX, &want);
		assert_int_equal(sluice_log_set_start_offset(log, bases[2]), 0);
		port_fault_set(n, true);
		(void)!sluice_log_retain(log, TIME_0, &freed);
		hit = port_fault_hit();
		if (!hit)
			port_fault_set(0, false);
		ret = sluice_log_replace(log, generation, bases[3], bases[4], err);
		port_fault_set(0, false);
		assert_int_equal(ret != 0, hit);
		if (ret)
			ret = sluice_log_replace(log, generation, bases[3], bases[4], err);
		assert_int_equal(ret, 0);
		count = sluice_log_segment_count(log);
		sluice_log_close(log);
		log = log_open(*state, &c);
		assert_int_equal(sluice_log_segment_count(log), count);
		sluice_log_close(log);
	}
	port_warn_to(stderr);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_replace__while_open),
		TEST(sluice_log_replace__readers_keep_their_bytes),
		TEST(sluice_log_replace__refused),
		TEST(sluice_log_replace__interrupted_anywhere),
		TEST(sluice_log_replace__not_before_what_is_gone_is_renamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
