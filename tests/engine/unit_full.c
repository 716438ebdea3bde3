// SPDX-License-Identifier: Apache-2.0
/*
 * A full disk. A log lives through all that a log does, while for one kind of
 * its files there is no room, from the first time that it needs some on, from
 * the second, and so on; then there is room again. Whoever asks is told -ENOSPC
 * or served, the log goes on, and all that was acknowledged is there, once and in
 * order, whether it is then closed cleanly or recovered.
 */
#include "engine_test.h"

#include <stdlib.h>

#include "check.h"
#include "segment_name.h"
#include "truncate.h"

#define ACKED_MAX  200
#define FAULTS_MAX 1000

/* By parts of names. */
static const char *const kinds[] = {
	".log",
	".index",
	".timeindex",
	".txnindex",
	".snapshot",
	".prepared",
	"leader-epoch-checkpoint",
	".deleted",
	".cut",
	"",
};

/* When there is room again. */
enum until {
	SOON,	   /* after the first step that found none */
	LATE,	   /* after the last step */
	NEXT_LIFE, /* when the log is closed */
	UNTILS,
};

/* What was acknowledged: a batch, known again by its CRC, or one record: 0. */
struct acked {
	s64 offset;
	u32 crc;
};

/**
 * struct life - a log and what is known of it
 * @ids: producers' ids begin here; they are others after a truncation
 * @sequences: of the next batch of the idempotent and of the transactional one
 * @open: there is an open transaction
 * @durable: all below it was told to be on stable storage
 */
struct life {
	struct port_dir *dir;
	struct sluice_log_config config;
	struct sluice_log *log;
	struct acked acked[ACKED_MAX];
	u32 acked_count;
	s64 ids;
	s32 sequences[2];
	s32 epoch;
	bool open;
	s64 durable;
	s64 now_ms;
};

typedef int (*step)(struct life *l);

static void note(struct life *l, s64 offset, u32 crc)
{
	assert_true(l->acked_count < ACKED_MAX);
	l->acked[l->acked_count++] = (struct acked){offset, crc};
}

static int append(struct life *l, struct batch_spec spec)
{
	s64 end = sluice_log_end_offset(l->log);
	struct sluice_append a;
	size_t size;
	u8 *bytes = batch_make(&spec, &size);
	u32 crc = get_unaligned_be32(bytes + offsetof(struct sluice_batch_header, crc));
	int ret = append_bytes(l->log, bytes, size, &a);

	free(bytes);
	if (ret) {
		assert_non_null(a.why);
		assert_int_equal(sluice_log_end_offset(l->log), end);
		return ret;
	}
	assert_false(a.duplicate);
	assert_int_equal(a.base_offset, end);
	note(l, end, crc);
	return 0;
}

static int plain(struct life *l)
{
	return append(l, (struct batch_spec){.records = 2,
					     .value_len = 60 + l->acked_count,
					     .timestamp = TIME_0 + l->acked_count});
}

static int idempotent(struct life *l)
{
	int ret = append(l, (struct batch_spec){.records = 1,
						.producer_id_plus_1 = l->ids + 1,
						.base_sequence = l->sequences[0]});

	l->sequences[0] += !ret;
	return ret;
}

static int begin_txn(struct life *l)
{
	int ret = append(l, (struct batch_spec){.records = 1,
						.producer_id_plus_1 = l->ids + 2,
						.base_sequence = l->sequences[1],
						.attributes = SLUICE_BATCH_TRANSACTIONAL});

	l->sequences[1] += !ret;
	l->open |= !ret;
	return ret;
}

static int abort_txn(struct life *l)
{
	/* {version 0, type ABORT}, {version 0, coordinator epoch 0} */
	static const u8 key[4], value[6];
	const struct sluice_record_out r = {
		.timestamp = TIME_0, .key = key, .key_len = 4, .value = value, .value_len = 6};
	struct sluice_batch_header *h;
	struct sluice_append a;
	u8 bytes[100];
	size_t size = sluice_batch_build_size(&r);
	int ret;

	if (!l->open)
		return 0;
	sluice_batch_build(bytes, size, &r);
	h = (struct sluice_batch_header *)bytes;
	put_unaligned_be16(SLUICE_BATCH_TRANSACTIONAL | SLUICE_BATCH_CONTROL, &h->attributes);
	put_unaligned_be64((u64)l->ids + 1, &h->producer_id);
	put_unaligned_be16(0, &h->producer_epoch);
	batch_seal(bytes, size);
	ret = append_bytes_as(l->log, bytes, size, SLUICE_APPEND_AS_COORDINATOR, &a);
	l->open = ret;
	return ret;
}

static int record(struct life *l)
{
	const struct sluice_record_out r = {
		.timestamp = TIME_0, .key_len = -1, .value = "value", .value_len = 5};
	struct sluice_append_record a = {.record = &r, .now = port_now_ms()};
	int ret = sluice_log_append_record(l->log, &a);

	if (ret)
		assert_non_null(a.why);
	else
		note(l, a.offset, 0);
	return ret;
}

static int flush(struct life *l)
{
	s64 recovery_point;
	int ret = sluice_log_flush(l->log, &recovery_point);

	if (!ret) {
		assert_int_equal(recovery_point, sluice_log_end_offset(l->log));
		l->durable = recovery_point;
	}
	return ret;
}

static int new_epoch(struct life *l)
{
	int ret;

	assert_int_equal(sluice_log_set_leader_epoch(l->log, ++l->epoch), 0);
	ret = plain(l);
	return ret ? ret : flush(l);
}

static int housekeep(struct life *l)
{
	l->now_ms += 500;
	return sluice_log_housekeep(l->log, l->now_ms);
}

/* What lies below the batch a third of the way goes. */
static int delete_records(struct life *l)
{
	const struct acked *to = &l->acked[l->acked_count / 3];
	u64 freed;

	if (to->crc)
		assert_int_equal(sluice_log_set_start_offset(l->log, to->offset), 0);
	return sluice_log_retain(l->log, l->now_ms, &freed);
}

/* The last batch goes. */
static int truncate_log(struct life *l)
{
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	s64 end = sluice_log_end_offset(l->log);
	int ret;

	/* Nothing found room yet. */
	if (!l->acked_count)
		return 0;
	ret = sluice_log_truncate(l->log, end - 1, err, &end);
	assert_int_equal(ret != 0, strlen(err) > 0);
	if (ret)
		return ret;
	assert_int_equal(sluice_log_end_offset(l->log), end);
	while (l->acked_count && l->acked[l->acked_count - 1].offset >= end)
		l->acked_count--;
	l->durable = min(l->durable, end);
	/* What is known of the producers that were cut is another test's. */
	l->ids += 2;
	l->sequences[0] = 0;
	l->sequences[1] = 0;
	l->open = false;
	return 0;
}

static const step steps[] = {
	plain,	   idempotent, begin_txn,    plain,	record,		abort_txn,  record,
	plain,	   housekeep,  plain,	     flush,	plain,		begin_txn,  plain,
	plain,	   new_epoch,  abort_txn,    housekeep, idempotent,	plain,	    delete_records,
	housekeep, plain,      truncate_log, plain,	housekeep,	plain,	    begin_txn,
	plain,	   abort_txn,  record,	     plain,	truncate_log,	idempotent, new_epoch,
	plain,	   housekeep,  plain,	     housekeep, delete_records, plain,	    flush,
};

static bool batch_at(struct sluice_log *log, s64 offset, struct sluice_batch *b)
{
	struct sluice_range range;

	assert_int_equal(sluice_log_fetch(log, offset, 0, SLUICE_FETCH_WHOLE_FIRST, &range), 0);
	if (!range.seg)
		return false;
	assert_int_equal(
		sluice_log_read_batch(range.file, range.position, range.position + range.bytes, b),
		0);
	sluice_segment_put(range.seg);
	return true;
}

static void check_acked(struct life *l)
{
	log_check(l->log);
	for (u32 i = 0; i < l->acked_count; i++) {
		const struct acked *a = &l->acked[i];
		struct sluice_batch b;

		if (a->offset < sluice_log_start_offset(l->log))
			continue;
		assert_true(batch_at(l->log, a->offset, &b));
		if (a->crc)
			assert_int_equal(b.base_offset, a->offset);
		if (a->crc)
			assert_int_equal(b.crc, a->crc);
		assert_true(b.producer_id < 0 || a->crc);
	}
}

static void found(void *ctx, const char *file, u64 position, const char *what)
{
	(void)ctx;
	fail_msg("%s: position %llu: %s", file, position, what);
}

/* Nothing is wrong with any of the files. */
static void check_files(struct port_dir *dir)
{
	struct sluice_check c = {.dir = dir, .found = found};
	char err[SLUICE_ERROR_TEXT_MAX] = "";

	assert_int_equal(sluice_log_check(&c, err), 0);
}

static void run(struct life *l, step do_step, bool must)
{
	int ret = do_step(l);

	assert_int_equal(sluice_log_failed(l->log), 0);
	assert_true(!ret || (!must && ret == -ENOSPC && port_fault_hit()));
}

/* 0: all is on stable storage, and nothing is left to recovery. */
static int close_log(struct life *l)
{
	s64 recovery_point;
	int ret = sluice_log_flush(l->log, &recovery_point);

	if (!ret)
		ret = sluice_log_flush_indexes(l->log);
	assert_true(!ret || ret == -ENOSPC);
	assert_int_equal(sluice_log_failed(l->log), 0);
	sluice_log_close(l->log);
	return ret;
}

static void reopen(struct life *l, bool clean, s64 start, s64 end)
{
	struct sluice_log_open_args args = {.leader_epoch = l->epoch, .log_start_offset = start};
	unsigned int flags = clean ? SLUICE_RECOVER_CLEAN : 0;
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;
	int ret = -EUCLEAN;

	if (clean) {
		args.recovery_point = S64_MAX;
		ret = sluice_log_open(l->dir, &l->config, &args, err, &l->log);
	}
	/* Files that a creation or a removal left which found no room. */
	if (ret == -EUCLEAN) {
		assert_int_equal(
			sluice_log_recover(l->dir, &l->config, l->durable, flags, err, &done), 0);
		ret = sluice_log_open(l->dir, &l->config, &args, err, &l->log);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(sluice_log_end_offset(l->log), end);
}

static void begin_life(struct life *l, struct port_dir *dir)
{
	*l = (struct life){.dir = dir, .config = small_config(), .now_ms = TIME_0, .ids = 100};
	l->config.linger_ms = 3600 * 1000;
	l->config.file_delete_delay_ms = 600;
	l->config.retention_ms = -1;
	port_fault_full(NULL, 0);
	dir_clear(dir);
	l->log = log_open(dir, &l->config);
}

/* True: somebody found no room. */
static bool live(struct life *l, enum until until)
{
	bool hit = false;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		run(l, steps[i], false);
		hit |= port_fault_hit();
		if (until == SOON && hit)
			port_fault_full(NULL, 0);
	}
	check_acked(l);
	if (until == NEXT_LIFE)
		return hit;
	port_fault_full(NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		run(l, steps[i], true);
	check_acked(l);
	return hit;
}

/* False: there was room for all that needed some. */
static bool live_and_die(struct port_dir *dir, const char *kind, u32 n, enum until until,
			 bool clean)
{
	struct life l;
	s64 start, end;
	bool hit;

	begin_life(&l, dir);
	port_fault_full(kind, n);
	hit = live(&l, until);
	start = sluice_log_start_offset(l.log);
	end = sluice_log_end_offset(l.log);
	if (clean)
		clean = !close_log(&l);
	else
		sluice_log_close(l.log);
	hit |= port_fault_hit();
	port_fault_full(NULL, 0);
	reopen(&l, clean, start, end);
	check_acked(&l);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		run(&l, steps[i], true);
	check_acked(&l);
	assert_int_equal(close_log(&l), 0);
	check_files(dir);
	return hit;
}

static void live_with(struct port_dir *dir, enum until until, bool clean)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		u32 n = 1;

		while (live_and_die(dir, kinds[i], n, until, clean))
			n++;
		/* Each kind is written to. */
		assert_true(n > 2 && n < FAULTS_MAX);
	}
}

static void full__for_a_moment(void **state)
{
	live_with(*state, SOON, true);
	live_with(*state, SOON, false);
}

static void full__for_long(void **state)
{
	live_with(*state, LATE, true);
	live_with(*state, LATE, false);
}

static void full__until_the_next_life(void **state)
{
	live_with(*state, NEXT_LIFE, true);
	live_with(*state, NEXT_LIFE, false);
}

/* What recovery makes anew, where it is needed. */
static const char *const recovered_kinds[] = {
	".index", ".timeindex", ".txnindex", ".snapshot", "",
};

static int forget(void *ctx, const char *name, size_t len)
{
	static const char *const kept[] = {".log", "leader-epoch-checkpoint"};
	struct port_dir *dir = ctx;
	char file[SLUICE_SEGMENT_NAME_MAX * 2];

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (len >= strlen(kept[i]) &&
		    !memcmp(name + len - strlen(kept[i]), kept[i], strlen(kept[i])))
			return 0;
	snprintf(file, sizeof(file), "%.*s", (int)len, name);
	return port_file_remove(dir, file);
}

/* False: there was room for all that recovery needed. */
static bool live_and_recover(struct port_dir *dir, const char *kind, u32 n)
{
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;
	struct life l;
	s64 start, end;
	bool hit;
	int ret;

	begin_life(&l, dir);
	live(&l, LATE);
	start = sluice_log_start_offset(l.log);
	end = sluice_log_end_offset(l.log);
	sluice_log_close(l.log);
	assert_int_equal(port_dir_list(dir, forget, dir), 0);

	port_fault_full(kind, n);
	ret = sluice_log_recover(dir, &l.config, 0, 0, err, &done);
	hit = port_fault_hit();
	port_fault_full(NULL, 0);
	if (ret) {
		assert_int_equal(ret, -ENOSPC);
		assert_true(hit);
		/* Which file it is. */
		assert_non_null(strstr(err, *kind ? kind : "."));
	}
	l.durable = 0;
	reopen(&l, false, start, end);
	check_acked(&l);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		run(&l, steps[i], true);
	check_acked(&l);
	assert_int_equal(close_log(&l), 0);
	check_files(dir);
	return hit;
}

static void full__while_it_is_recovered(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(recovered_kinds); i++) {
		u32 n = 1;

		while (live_and_recover(*state, recovered_kinds[i], n))
			n++;
		assert_true(n > 1 && n < FAULTS_MAX);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(full__for_a_moment),
		TEST(full__for_long),
		TEST(full__until_the_next_life),
		TEST(full__while_it_is_recovered),
	};

	/* What it warns of it would warn of thousands of times. */
	port_warn_to(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
