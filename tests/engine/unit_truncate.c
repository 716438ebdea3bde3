// SPDX-License-Identifier: Apache-2.0
/* Truncation: what stays, what readers keep, and what a crash at any step leaves. */
#include "engine_test.h"

#include <stdlib.h>

#include "log_internal.h"
#include "truncate.h"

#define BATCHES	  24
#define CALLS_MAX 400

static char err[SLUICE_ERROR_TEXT_MAX];
static s64 new_end;

/* Batches of 1 to 3 records, in several segments, of epochs 0, 1, 2. */
static s64 fill(struct sluice_log *log, int first, int count)
{
	for (int i = first; i < first + count; i++) {
		assert_int_equal(sluice_log_set_leader_epoch(log, i / 8), 0);
		append_spec(log, (struct batch_spec){.records = 1 + i % 3,
						     .value_len = 20 + (u32)i % 5 * 30,
						     .timestamp = TIME_0 + i * 10});
	}
	return sluice_log_end_offset(log);
}

static struct sluice_log *make_log(struct port_dir *dir)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;

	dir_clear(dir);
	log = log_open(dir, &c);
	fill(log, 0, BATCHES);
	assert_true(sluice_log_segment_count(log) >= 5);
	return log;
}

/* Where the batch of fill() that holds an offset begins, and its epoch. */
static s64 batch_start(s64 offset, s32 *ret_epoch)
{
	s64 base = 0;

	for (int i = 0;; i++) {
		if (base + 1 + i % 3 > offset) {
			*ret_epoch = i / 8;
			return base;
		}
		base += 1 + i % 3;
	}
}

static void check_epochs(struct sluice_log *log)
{
	s64 end = sluice_log_end_offset(log), ret_end = -7;
	s32 last, ret_epoch = -7;

	if (sluice_log_start_offset(log) == end)
		return;
	batch_start(end - 1, &last);
	sluice_log_epoch_end(log, last, &ret_epoch, &ret_end);
	assert_int_equal(ret_epoch, last);
	assert_int_equal(ret_end, end);
	sluice_log_epoch_end(log, last + 1, &ret_epoch, &ret_end);
	assert_int_equal(ret_epoch, -1);
}

static u64 bytes_on_disk(struct sluice_log *log)
{
	u64 bytes = 0;

	for (s64 offset = sluice_log_start_offset(log); offset < sluice_log_end_offset(log);) {
		struct sluice_range range;
		struct sluice_batch b;

		assert_int_equal(sluice_log_fetch(log, offset, 0, SLUICE_FETCH_WHOLE_FIRST, &range),
				 0);
		assert_int_equal(sluice_log_read_batch(range.file, range.position,
						       range.position + range.bytes, &b),
				 0);
		bytes += b.size;
		offset = sluice_batch_last_offset(&b) + 1;
		sluice_segment_put(range.seg);
	}
	return bytes;
}

/* All that a log says of itself fits what is in it, now and when it is opened again. */
static void check_whole(struct port_dir *dir, struct sluice_log *log, s64 start, s64 end)
{
	struct sluice_log_config c = small_config();
	s64 offset, time;

	for (int opened = 0; opened < 2; opened++) {
		assert_int_equal(sluice_log_start_offset(log), start);
		assert_int_equal(sluice_log_end_offset(log), end);
		assert_int_equal(sluice_log_high_watermark(log), end);
		assert_true(sluice_log_recovery_point(log) <= end);
		log_check(log);
		check_epochs(log);
		assert_int_equal(sluice_log_size_bytes(log), bytes_on_disk(log));
		assert_int_equal(sluice_log_max_timestamp(log, &offset, &time), 0);
		if (start == end)
			assert_int_equal(offset, -1);
		else
			assert_in_range(offset, start, end - 1);
		if (opened)
			break;
		assert_int_equal(sluice_log_flush(log, &offset), 0);
		assert_int_equal(offset, end);
		sluice_log_close(log);
		log = log_open(dir, &c);
	}
	append_spec(log, (struct batch_spec){.records = 2, .timestamp = TIME_0 + 5000});
	log_check(log);
	assert_int_equal(sluice_log_offset_for_time(log, TIME_0 + 5000, &offset, &time), 0);
	assert_int_equal(offset, end);
	sluice_log_close(log);
}

static void sluice_log_truncate__to_every_offset(void **state)
{
	s64 end = S64_MAX, recovery_point;

	for (s64 offset = 1; offset <= end; offset++) {
		struct sluice_log *log = make_log(*state);
		s32 epoch;

		end = sluice_log_end_offset(log);
		if (offset & 1)
			assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
		assert_int_equal(sluice_log_truncate(log, offset, err, &new_end), 0);
		check_whole(*state, log, 0, offset == end ? end : batch_start(offset, &epoch));
	}
	assert_int_equal(end, 48);
}

static void sluice_log_truncate__refused_or_nothing_to_do(void **state)
{
	struct sluice_log *log = make_log(*state);
	u64 digest = dir_digest(*state);

	assert_int_equal(sluice_log_truncate(log, -1, err, &new_end), -EINVAL);
	assert_true(strlen(err) > 0);
	assert_int_equal(sluice_log_truncate(log, S64_MAX, err, &new_end), -EINVAL);
	assert_int_equal(sluice_log_truncate(log, 48, err, &new_end), 0);
	assert_int_equal(sluice_log_truncate(log, 1000, err, &new_end), 0);
	assert_int_equal(sluice_log_end_offset(log), 48);
	assert_true(dir_digest(*state) == digest);
	sluice_log_close(log);
}

/* Up to its start, or below: the log is empty then, and begins there. */
static void sluice_log_truncate__below_the_start(void **state)
{
	static const s64 offsets[] = {0, 3, 17, 18};

	for (u32 i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct sluice_log *log = make_log(*state);
		u64 freed;

		assert_int_equal(sluice_log_set_start_offset(log, 18), 0);
		if (i & 1)
			assert_int_equal(sluice_log_retain(log, TIME_0, &freed), 0);
		assert_int_equal(sluice_log_truncate(log, offsets[i], err, &new_end), 0);
		check_whole(*state, log, offsets[i], offsets[i]);
	}
}

static void sluice_log_truncate_fully__anywhere(void **state)
{
	static const s64 offsets[] = {0, 1, 9, 20, 47, 48, 49, 100000000000LL};

	for (u32 i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct sluice_log *log = make_log(*state);

		assert_int_equal(sluice_log_truncate_fully(log, offsets[i], err), 0);
		assert_int_equal(sluice_log_segment_count(log), 1);
		check_whole(*state, log, offsets[i], offsets[i]);
	}
}

/* Again and again, as a follower does whose leaders change. */
static void sluice_log_truncate__and_append_again(void **state)
{
	struct sluice_log *log = make_log(*state);
	s64 recovery_point;

	for (s64 offset = 45; offset > 3; offset -= 4) {
		s64 end;

		assert_int_equal(sluice_log_truncate(log, offset, err, &new_end), 0);
		end = sluice_log_end_offset(log);
		assert_in_range(end, offset - 2, offset);
		for (int i = 0; i < 9; i++)
			append_spec(log, (struct batch_spec){.records = 3, .value_len = 60});
		log_check(log);
		assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
		assert_int_equal(recovery_point, end + 27);
		assert_int_equal(sluice_log_housekeep(log, port_now_ms()), 0);
	}
	sluice_log_close(log);
}

/* Bytes that somebody may hold stay what they are. */
static void sluice_log_truncate__readers_keep_their_bytes(void **state)
{
	struct sluice_log *log = make_log(*state);
	struct sluice_range ranges[12], range;
	u8 *copies[12], now[1000];

	for (u32 i = 0; i < 12; i++) {
		assert_int_equal(sluice_log_fetch(log, i * 4, 1000, 0, &ranges[i]), 0);
		copies[i] = malloc(ranges[i].bytes);
		assert_int_equal(port_file_read(ranges[i].file, ranges[i].position, copies[i],
						ranges[i].bytes),
				 ranges[i].bytes);
	}
	assert_int_equal(sluice_log_truncate(log, 13, err, &new_end), 0);
	for (int i = 0; i < 20; i++)
		append_spec(log, (struct batch_spec){.records = 3, .value_len = 60});
	assert_int_equal(sluice_log_truncate(log, 5, err, &new_end), 0);
	for (u32 i = 0; i < 12; i++) {
		assert_int_equal(
			port_file_read(ranges[i].file, ranges[i].position, now, ranges[i].bytes),
			ranges[i].bytes);
		assert_memory_equal(now, copies[i], ranges[i].bytes);
		/* No more will come there: who stands at its end looks elsewhere. */
		assert_true(sluice_segment_sealed(ranges[i].seg) || ranges[i].base_offset < 3);
		sluice_segment_put(ranges[i].seg);
		free(copies[i]);
	}
	assert_int_equal(sluice_log_fetch(log, 6, 1000, 0, &range), -ERANGE);
	assert_int_equal(sluice_log_fetch(log, 3, 1000, 0, &range), 0);
	assert_null(range.seg);
	sluice_log_close(log);
}

static void sluice_log_truncate__high_watermark(void **state)
{
	struct sluice_log *log = make_log(*state);

	sluice_log_set_high_watermark(log, 30);
	assert_int_equal(sluice_log_truncate(log, 40, err, &new_end), 0);
	assert_int_equal(sluice_log_high_watermark(log), 30);
	assert_int_equal(sluice_log_truncate(log, 21, err, &new_end), 0);
	assert_int_equal(sluice_log_high_watermark(log), 21);
	fill(log, BATCHES, 2);
	assert_int_equal(sluice_log_high_watermark(log), 21);
	sluice_log_close(log);
}

static int truncate_13(struct sluice_log *log)
{
	return sluice_log_truncate(log, 13, err, &new_end);
}

static int truncate_to_a_segment(struct sluice_log *log)
{
	return sluice_log_truncate(log, 21, err, &new_end);
}

static int truncate_to_1(struct sluice_log *log)
{
	return sluice_log_truncate(log, 1, err, &new_end);
}

static int fully_20(struct sluice_log *log)
{
	return sluice_log_truncate_fully(log, 20, err);
}

static int fully_0(struct sluice_log *log)
{
	return sluice_log_truncate_fully(log, 0, err);
}

static int fully_1000(struct sluice_log *log)
{
	return sluice_log_truncate_fully(log, 1000, err);
}

struct scenario {
	int (*truncate)(struct sluice_log *log);
	s64 start;
	s64 end;
};

static const struct scenario scenarios[] = {
	{truncate_13, 0, 13},  {truncate_to_a_segment, 0, 21},
	{truncate_to_1, 0, 1}, {fully_20, 20, 20},
	{fully_0, 0, 0},       {fully_1000, 1000, 1000},
};

/* One call fails: then nothing has changed, or the log is at its end, in both senses. */
static void sluice_log_truncate__fails_anywhere(void **state)
{
	port_warn_to(NULL);
	for (u32 i = 0; i < ARRAY_SIZE(scenarios); i++) {
		const struct scenario *s = &scenarios[i];
		bool hit = true;
		u32 n;

		for (n = 1; hit && n < CALLS_MAX; n++) {
			struct sluice_log *log = make_log(*state);
			int ret;

			port_fault_set(n, false);
			ret = s->truncate(log);
			hit = port_fault_hit();
			port_fault_set(0, false);
			assert_true(!ret || hit);
			log_check(log);
			if (ret && !sluice_log_failed(log)) {
				assert_int_equal(sluice_log_end_offset(log), 48);
				fill(log, BATCHES, 1);
				assert_int_equal(s->truncate(log), 0);
			}
			assert_int_equal(sluice_log_start_offset(log), s->start);
			assert_int_equal(sluice_log_end_offset(log), s->end);
			if (sluice_log_failed(log)) {
				assert_int_not_equal(ret, 0);
				sluice_log_close(log);
			} else {
				check_whole(*state, log, s->start, s->end);
			}
		}
		assert_true(n > 20 && n < CALLS_MAX);
	}
	port_warn_to(stderr);
}

/* The batches of fill() from its start on, in the order and with the bytes that they had. */
static void check_prefix(struct sluice_log *log)
{
	s64 offset = sluice_log_start_offset(log);

	while (offset < sluice_log_end_offset(log)) {
		struct sluice_range range;
		struct sluice_batch b;
		s32 epoch;

		assert_int_equal(sluice_log_fetch(log, offset, 0, SLUICE_FETCH_WHOLE_FIRST, &range),
				 0);
		assert_non_null(range.seg);
		assert_int_equal(sluice_log_read_batch(range.file, range.position,
						       range.position + range.bytes, &b),
				 0);
		assert_int_equal(b.base_offset, offset);
		assert_int_equal(batch_start(offset, &epoch), offset);
		assert_int_equal(b.leader_epoch, epoch);
		offset = sluice_batch_last_offset(&b) + 1;
		sluice_segment_put(range.seg);
	}
}

/*
 * From a port call on nothing happens any more: the crash of a machine whose
 * file system keeps names in order. What is found is a log between the new end
 * and the old; truncated again, it is what was wanted.
 */
static void sluice_log_truncate__crash_anywhere(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_recovery done;

	port_warn_to(NULL);
	for (u32 i = 0; i < ARRAY_SIZE(scenarios); i++) {
		const struct scenario *s = &scenarios[i];
		bool hit = true;
		u32 n;

		for (n = 1; hit && n < CALLS_MAX; n++) {
			struct sluice_log *log = make_log(*state);
			s64 end, recovery_point;

			assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
			port_fault_set(n, true);
			s->truncate(log);
			hit = port_fault_hit();
			sluice_log_close(log);
			port_fault_set(0, false);

			assert_int_equal(sluice_log_recover(*state, &c, 0, 0, err, &done), 0);
			log = log_open(*state, &c);
			end = sluice_log_end_offset(log);
			if (sluice_log_start_offset(log) != s->start) {
				assert_int_equal(sluice_log_start_offset(log), 0);
				assert_true(end > 0 || !hit);
			}
			assert_true(end == s->end || end <= 48);
			if (s->start == 0)
				assert_true(end >= s->end);
			check_prefix(log);
			check_epochs(log);
			assert_int_equal(s->truncate(log), 0);
			check_whole(*state, log, s->start, s->end);
		}
		assert_true(n > 20 && n < CALLS_MAX);
	}
	port_warn_to(stderr);
}

/* The segment that holds @offset without its first batch; gives the offset behind that. */
static s64 compact_first(struct port_dir *dir, s64 offset, s64 *ret_base)
{
	struct sluice_log *log = make_log(dir);
	struct sluice_range range;
	struct sluice_batch b;
	char name[64];
	size_t len;
	u8 *bytes;

	assert_int_equal(sluice_log_fetch(log, offset, 0, SLUICE_FETCH_WHOLE_FIRST, &range), 0);
	assert_int_equal(sluice_log_read_batch(range.file, 0, 1000, &b), 0);
	*ret_base = range.segment_base_offset;
	sluice_segment_put(range.seg);
	sluice_log_close(log);
	snprintf(name, sizeof(name), "%020lld.log", *ret_base);
	bytes = file_load(dir, name, &len);
	file_store(dir, name, bytes + b.size, len - b.size);
	free(bytes);
	snprintf(name, sizeof(name), "%020lld.index", *ret_base);
	file_store(dir, name, "", 0);
	snprintf(name, sizeof(name), "%020lld.timeindex", *ret_base);
	file_store(dir, name, "", 0);
	return sluice_batch_last_offset(&b) + 1;
}

/* Where compaction left a gap: no hole between segments, at which recovery would cut. */
static void sluice_log_truncate__behind_a_gap_of_compaction(void **state)
{
	static const s64 offsets[] = {0, 13, 21, 30};
	struct sluice_log_config c = small_config();
	struct sluice_recovery done;

	for (u32 i = 0; i < 2 * ARRAY_SIZE(offsets); i++) {
		s64 base, end = compact_first(*state, offsets[i / 2], &base), flushed;
		struct sluice_log *log = log_open(*state, &c);
		struct sluice_range range;

		assert_int_equal(sluice_log_truncate(log, end, err, &new_end), 0);
		assert_int_equal(new_end, end);
		/* And again, to where nothing is any more. */
		if (i & 1 && end - 1 > base) {
			end--;
			assert_int_equal(sluice_log_truncate(log, end, err, &new_end), 0);
			assert_int_equal(new_end, end);
		}
		fill(log, BATCHES, 2);
		end += 3;
		assert_int_equal(sluice_log_fetch(log, 0, 1, SLUICE_FETCH_WHOLE_FIRST, &range), 0);
		sluice_segment_put(range.seg);
		assert_int_equal(sluice_log_flush(log, &flushed), 0);
		assert_int_equal(flushed, end);
		sluice_log_close(log);
		assert_int_equal(sluice_log_recover(*state, &c, 0, 0, err, &done), 0);
		assert_int_equal(done.log_end_offset, end);
	}
}

/* Somebody compacts the segment at the same time: his files are his. */
static void sluice_log_truncate__beside_a_compaction(void **state)
{
	struct sluice_log *log = make_log(*state);
	struct sluice_range range;
	char name[64];
	size_t len;

	assert_int_equal(sluice_log_fetch(log, 13, 1, SLUICE_FETCH_WHOLE_FIRST, &range), 0);
	assert_true(range.position > 0);
	snprintf(name, sizeof(name), "%020lld.log.cleaned", range.segment_base_offset);
	sluice_segment_put(range.seg);
	file_store(*state, name, "half", 4);
	assert_int_equal(sluice_log_truncate(log, 13, err, &new_end), 0);
	assert_int_equal(new_end, 13);
	assert_true(file_exists(*state, name));
	free(file_load(*state, name, &len));
	assert_int_equal(len, 4);
	check_whole(*state, log, 0, 13);
}

static void append_to_open(struct sluice_log *log, int count)
{
	const struct sluice_record_out r = {
		.timestamp = TIME_0, .key_len = -1, .value = "v", .value_len = 1};

	for (int i = 0; i < count; i++) {
		struct sluice_append_record a = {.record = &r, .now = port_now_ms()};

		assert_int_equal(sluice_log_append_record(log, &a), 0);
	}
}

static struct sluice_log *make_log_with_open_batch(struct port_dir *dir)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;

	c.linger_ms = 3600 * 1000;
	dir_clear(dir);
	log = log_open(dir, &c);
	fill(log, 0, BATCHES);
	append_to_open(log, 5);
	assert_int_equal(sluice_log_sealed_end(log), 48);
	assert_int_equal(sluice_log_end_offset(log), 53);
	return log;
}

/* It goes as others do: whole, and who reads in it reads on. */
static void sluice_log_truncate__with_an_open_batch(void **state)
{
	static const s64 offsets[] = {13, 47, 48, 49, 52};
	static const s64 ends[] = {13, 45, 48, 48, 48};
	struct sluice_record r;

	for (u32 i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct sluice_log *log = make_log_with_open_batch(*state);
		struct sluice_open_batch *ob = sluice_log_open_batch(log, 50);
		u64 pos = SLUICE_BATCH_HEADER_LEN;
		int records = 0;

		assert_non_null(ob);
		assert_int_equal(sluice_log_truncate(log, 53, err, &new_end), 0);
		assert_int_equal(sluice_log_sealed_end(log), 48);
		assert_int_equal(sluice_log_truncate(log, offsets[i], err, &new_end), 0);
		assert_int_equal(sluice_log_sealed_end(log), ends[i]);
		assert_null(sluice_log_open_batch(log, 50));
		append_to_open(log, 2);
		assert_int_equal(sluice_log_sealed_end(log), ends[i]);
		while (sluice_open_batch_read(ob, pos, &r) > 0) {
			pos = r.end;
			records++;
		}
		assert_int_equal(records, 5);
		sluice_open_batch_put(ob);
		assert_int_equal(sluice_log_truncate(log, ends[i], err, &new_end), 0);
		check_whole(*state, log, 0, ends[i]);
	}
}

/* Records were acknowledged that no file will have: the log ends there, at its old end. */
static void sluice_log_truncate__open_batch_cannot_be_written(void **state)
{
	bool ended = false, hit = true;

	port_warn_to(NULL);
	for (u32 n = 1; hit && n < CALLS_MAX; n++) {
		struct sluice_log *log = make_log_with_open_batch(*state);
		s64 end;
		int ret;

		port_fault_set(n, false);
		ret = sluice_log_truncate(log, 13, err, &new_end);
		hit = port_fault_hit();
		port_fault_set(0, false);
		end = sluice_log_end_offset(log);
		assert_true(ret ? hit && strlen(err) > 0 : end == 13);
		assert_true(end == 13 || end == 53);
		ended |= sluice_log_failed(log) && end == 53;
		sluice_log_close(log);
	}
	assert_true(ended && !hit);
	port_warn_to(stderr);
}

static int append_of_producer(struct sluice_log *log, s32 sequence)
{
	struct sluice_append a;
	size_t size;
	u8 *batch =
		batch_make(&(struct batch_spec){.records = 1, .timestamp = port_now_ms()}, &size);
	struct sluice_batch_header *h = (struct sluice_batch_header *)batch;
	int ret;

	put_unaligned_be64(7, &h->producer_id);
	put_unaligned_be16(0, &h->producer_epoch);
	put_unaligned_be32((u32)sequence, &h->base_sequence);
	batch_seal(batch, size);
	ret = append_bytes(log, batch, size, &a);
	free(batch);
	return ret ? ret : a.duplicate;
}

/* What producers wrote is known as far as the log goes, and no farther. */
static void sluice_log_truncate__producers(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = make_log(*state);

	for (s32 i = 0; i < 30; i++)
		assert_int_equal(append_of_producer(log, i), 0);
	assert_int_equal(sluice_log_housekeep(log, port_now_ms()), 0);
	assert_int_equal(append_of_producer(log, 29), 1);
	assert_int_equal(sluice_log_truncate(log, 48 + 9, err, &new_end), 0);
	assert_int_equal(append_of_producer(log, 8), 1);
	assert_true(append_of_producer(log, 10) < 0);
	assert_int_equal(append_of_producer(log, 9), 0);
	log_close_cleanly(log);

	/* A snapshot of the clean end, below where the log begins then. */
	log = log_open(*state, &c);
	assert_int_equal(append_of_producer(log, 10), 0);
	assert_int_equal(sluice_log_truncate_fully(log, 1000, err), 0);
	assert_int_equal(append_of_producer(log, 0), 0);
	log_close_cleanly(log);
	log = log_open(*state, &c);
	assert_int_equal(append_of_producer(log, 0), 1);
	assert_int_equal(append_of_producer(log, 1), 0);
	sluice_log_close(log);
}

/* As Kafka's clearAndFlush(). */
static void sluice_log_truncate_fully__forgets_epochs(void **state)
{
	struct sluice_log *log = make_log(*state);
	s64 ret_end = -7;
	s32 ret_epoch = -7;

	assert_int_equal(sluice_log_truncate_fully(log, 1000, err), 0);
	assert_false(sluice_log_epochs_unsaved(log));
	sluice_log_epoch_end(log, 1, &ret_epoch, &ret_end);
	assert_int_equal(ret_epoch, -1);
	assert_int_equal(ret_end, -1);
	sluice_log_close(log);
}

/* The first segments go, and the n-th call that this needs fails, or all from it on. */
static bool retain_with_fault(struct sluice_log *log, u32 n, bool sticky)
{
	s64 recovery_point;
	u64 freed;
	bool hit;

	/* What is not synced would be, and a sync that fails is final. */
	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	sluice_log_close_idle(log);
	assert_int_equal(sluice_log_set_start_offset(log, 20), 0);
	port_fault_set(n, sticky);
	(void)!sluice_log_retain(log, TIME_0, &freed);
	hit = port_fault_hit();
	if (!hit || !sticky)
		port_fault_set(0, false);
	return hit;
}

/*
 * A segment that retention could not rename holds offsets that are given again
 * after the cut. No later opening may find it.
 */
static void sluice_log_truncate__behind_what_retention_could_not_rename(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_recovery done;
	bool hit = true;

	port_warn_to(NULL);
	for (u32 n = 1; hit; n++) {
		struct sluice_log *log = make_log(*state);
		s64 end;

		hit = retain_with_fault(log, n, false);
		assert_int_equal(sluice_log_truncate(log, 1, err, &new_end), 0);
		fill(log, BATCHES, 3);
		assert_int_equal(sluice_log_flush(log, &end), 0);
		assert_int_equal(end, 7);
		sluice_log_close(log);
		assert_int_equal(sluice_log_recover(*state, &c, 1, 0, err, &done), 0);
		assert_int_equal(done.log_end_offset, 7);
	}
	port_warn_to(stderr);
}

/* While it cannot be renamed the log stays as it is. */
static void sluice_log_truncate__not_before_that_is_renamed(void **state)
{
	bool hit = true;

	port_warn_to(NULL);
	for (u32 n = 1; hit; n++) {
		struct sluice_log *log = make_log(*state);
		int ret;

		hit = retain_with_fault(log, n, true);
		ret = sluice_log_truncate(log, 1, err, &new_end);
		port_fault_set(0, false);
		assert_int_equal(ret != 0, hit);
		if (ret) {
			assert_int_equal(sluice_log_end_offset(log), 48);
			assert_true(strlen(err) > 0);
			assert_int_equal(sluice_log_truncate(log, 1, err, &new_end), 0);
		}
		assert_int_equal(sluice_log_failed(log), 0);
		check_whole(*state, log, 1, 1);
	}
	port_warn_to(stderr);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_truncate__to_every_offset),
		TEST(sluice_log_truncate__refused_or_nothing_to_do),
		TEST(sluice_log_truncate__below_the_start),
		TEST(sluice_log_truncate_fully__anywhere),
		TEST(sluice_log_truncate__and_append_again),
		TEST(sluice_log_truncate__readers_keep_their_bytes),
		TEST(sluice_log_truncate__high_watermark),
		TEST(sluice_log_truncate__fails_anywhere),
		TEST(sluice_log_truncate__crash_anywhere),
		TEST(sluice_log_truncate__behind_what_retention_could_not_rename),
		TEST(sluice_log_truncate__not_before_that_is_renamed),
		TEST(sluice_log_truncate__beside_a_compaction),
		TEST(sluice_log_truncate__behind_a_gap_of_compaction),
		TEST(sluice_log_truncate__with_an_open_batch),
		TEST(sluice_log_truncate__open_batch_cannot_be_written),
		TEST(sluice_log_truncate__producers),
		TEST(sluice_log_truncate_fully__forgets_epochs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
