// SPDX-License-Identifier: Apache-2.0
/* What the threads of a phase do to the log. */
#include "tests/sim/disk.h"
#include "tests/sim/fiber.h"
#include "tests/sim/memory.h"
#include "tests/sim/model.h"
#include "tests/sim/random.h"
#include "tests/sim/say.h"
#include "tests/sim/world.h"
#include "truncate.h"

static bool failing(void)
{
	return sim_fault_hit() || sluice_log_failed(world.log);
}

static void refused(u32 id, int ret)
{
	if (!failing())
		model_fail("entry %u was refused: error %d", id, ret);
	model_refused(id, sluice_log_failed(world.log) != 0);
}

/* Producers have clocks of their own. */
static s64 some_time(void)
{
	return world.now_ms - (s64)sim_random(3000);
}

static void append_bytes(u32 id, const u8 *bytes, u32 size, enum sluice_append_as as)
{
	struct port_iter iter;
	struct sluice_append a = {.src = &iter, .as = as};
	int ret;

	port_iter_init(&iter, bytes, size);
	ret = sluice_log_append(world.log, &a);
	if (ret) {
		refused(id, ret);
		return;
	}
	if (a.duplicate || a.last_offset != a.base_offset + model.entries[id].count - 1)
		model_fail("entry %u: a wrong answer to an append", id);
	model_appended(id, a.base_offset);
	if (a.housekeeping && sim_one_in(2))
		(void)!sluice_log_housekeep(world.log, world.now_ms);
}

static void append_batch(int slot)
{
	u8 bytes[MODEL_RECORDS_MAX * 200 + 100];
	u32 id = model_send(1 + (s32)sim_random(MODEL_RECORDS_MAX), slot);
	u32 size = model_make_batch(bytes, id, some_time());

	append_bytes(id, bytes, size, SLUICE_APPEND_AS_CLIENT);
}

static void end_txn(int slot)
{
	u8 bytes[200];
	u32 id = model_send_marker(slot, sim_one_in(2) ? MODEL_COMMIT : MODEL_ABORT);
	u32 size = model_make_marker(bytes, id, some_time());

	append_bytes(id, bytes, size, SLUICE_APPEND_AS_COORDINATOR);
}

static void append_in_txn(int slot)
{
	if (model.producers[slot].open && sim_one_in(3))
		end_txn(slot);
	else
		append_batch(slot);
}

/* What is not the next of its producer is refused. */
static void append_wrongly(int slot)
{
	const struct model_entry *last = model_last_of(slot);
	u8 bytes[MODEL_RECORDS_MAX * 200 + 100];
	struct port_iter iter;
	struct sluice_append a = {.src = &iter};
	bool stale = last && last->epoch && sim_one_in(2);
	u32 id;
	int ret;

	if (!last || model.cut != S64_MAX || last->epoch != model.producers[slot].epoch)
		return;
	id = model_send(1, slot);
	model.entries[id].sequence += 1 + (s32)sim_random(3);
	model.entries[id].epoch -= stale;
	port_iter_init(&iter, bytes, model_make_batch(bytes, id, some_time()));
	ret = sluice_log_append(world.log, &a);
	if (ret != (stale ? -ESTALE : -EILSEQ) && !failing())
		model_fail("what does not follow was answered with %d", ret);
	model_refused(id, false);
}

/* A record of its own, into the open batch. */
static void append_record(void)
{
	char value[256];
	u32 id = model_send(1, -1);
	const char *key = model_make_key(id, 0);
	struct sluice_record_out r = {
		.timestamp = some_time(), .key = key, .key_len = key ? 1 : -1, .value = value};
	struct sluice_append_record a = {.record = &r, .now = world.now_ms};
	int ret;

	r.value_len = (s32)model_make_value(value, id, 0);
	ret = sluice_log_append_record(world.log, &a);
	if (ret)
		refused(id, ret);
	else
		model_appended(id, a.offset);
}

/* What a producer sends again is answered with where it is. */
static void append_again(int slot)
{
	const struct model_entry *last = model_last_of(slot);
	u8 bytes[MODEL_RECORDS_MAX * 200 + 100];
	struct port_iter iter;
	struct sluice_append a = {.src = &iter};
	int ret;

	/* Only what no thread of this phase may have cut off or followed. */
	if (!last || model.cut != S64_MAX || last->epoch != model.producers[slot].epoch ||
	    model.producers[slot].next_sequence != last->sequence + last->count)
		return;
	port_iter_init(&iter, bytes,
		       model_make_batch(bytes, (u32)(last - model.entries), world.now_ms));
	ret = sluice_log_append(world.log, &a);
	if (ret && !failing())
		model_fail("a duplicate was refused: error %d", ret);
	if (!ret && (!a.duplicate || a.base_offset != last->base))
		model_fail("a duplicate of %lld was answered with %lld", last->base, a.base_offset);
}

/* What a leader has, with its offsets and its epoch. */
static void append_replica(int slot)
{
	u8 bytes[MODEL_RECORDS_MAX * 200 + 100];
	u32 id = model_send(1 + (s32)sim_random(MODEL_RECORDS_MAX), slot);
	u32 size = model_make_batch(bytes, id, some_time());

	sluice_batch_stamp(bytes, sluice_log_end_offset(world.log),
			   sluice_log_leader_epoch(world.log));
	append_bytes(id, bytes, size, SLUICE_APPEND_AS_REPLICA);
}

static void follower(void *ctx)
{
	int slot = (int)(long)ctx;

	for (u32 i = 1 + sim_random(12); i > 0; i--)
		append_replica(sim_one_in(3) ? -1 : slot + (int)sim_random(2) * MODEL_TXN_SLOT);
}

static void appender(void *ctx)
{
	int slot = (int)(long)ctx;

	for (u32 i = 1 + sim_random(12); i > 0; i--) {
		switch (sim_random(10)) {
		case 0:
		case 1: append_record(); break;
		case 2: append_again(slot); break;
		case 3: append_again(slot + MODEL_TXN_SLOT); break;
		case 4: append_wrongly(slot + (int)sim_random(2) * MODEL_TXN_SLOT); break;
		case 5:
		case 6:
		case 7:
			if (model.cut == S64_MAX) {
				append_in_txn(slot + MODEL_TXN_SLOT);
				break;
			}
			/* fallthrough */
		/* What it sent before may be cut off, and then it is refused. */
		default: append_batch(model.cut == S64_MAX && !sim_one_in(4) ? slot : -1); break;
		}
	}
}

static void flush(void)
{
	s64 recovery_point, wanted = sluice_log_end_offset(world.log);
	int ret = sluice_log_flush(world.log, &recovery_point);

	if (ret && !failing())
		model_fail("a flush failed: error %d", ret);
	if (ret)
		return;
	if (recovery_point < min(wanted, model.cut))
		model_fail("a flush of %lld got to %lld", wanted, recovery_point);
	world_stats.acknowledged += (u32)max_t(s64, recovery_point - model.durable, 0);
	model_acknowledged(recovery_point);
}

static void flusher(void *ctx)
{
	(void)ctx;
	for (u32 i = 1 + sim_random(5); i > 0; i--)
		flush();
}

/* As hosts do, once a minute; not beside a truncation, which has lowered it. */
static void save_checkpoints(void)
{
	if (model.cut != S64_MAX)
		return;
	world.saved_recovery_point = sluice_log_recovery_point(world.log);
	world.saved_start = sluice_log_start_offset(world.log);
	model_acknowledged(world.saved_recovery_point);
}

static void housekeep(void)
{
	int ret = sluice_log_housekeep(world.log, sim_one_in(3) ? S64_MAX : world.now_ms);

	sim_say("kept house: %d", ret);
	if (ret && !failing())
		model_fail("housekeeping failed: error %d", ret);
}

static void prepare(void)
{
	int ret = sluice_log_prepare(world.log);

	if (ret && !failing())
		model_fail("the next segment cannot be prepared: error %d", ret);
}

static void housekeeper(void *ctx)
{
	(void)ctx;
	for (u32 i = 1 + sim_random(6); i > 0; i--) {
		switch (sim_random(6)) {
		case 0: save_checkpoints(); break;
		case 1: sluice_log_close_idle(world.log); break;
		case 2: (void)!sluice_log_seal(world.log); break;
		case 3: prepare(); break;
		default: housekeep(); break;
		}
	}
}

/* It may go as far while this runs, whatever becomes of it. */
static void let_start_move(void)
{
	model.start = S64_MAX;
	model.removed = max(model.removed, sluice_log_end_offset(world.log));
}

static void note_start(void)
{
	model.start = max(model.start, sluice_log_start_offset(world.log));
}

static void retain(void)
{
	struct sluice_log_config c = world.config;
	u64 freed;
	int ret;

	if (sim_one_in(2))
		c.retention_bytes = sim_random(6000);
	else
		c.retention_ms = sim_random(4000);
	let_start_move();
	sluice_log_set_config(world.log, &c);
	ret = sluice_log_retain(world.log, world.now_ms, &freed);
	sim_say("retained from %lld: %d", sluice_log_start_offset(world.log), ret);
	if (ret && !failing())
		model_fail("retention failed: error %d", ret);
	sluice_log_set_config(world.log, &world.config);
}

static void delete_records(void)
{
	s64 start = sluice_log_start_offset(world.log), end = sluice_log_end_offset(world.log);
	s64 offset = start + sim_random((u32)min_t(s64, end - start, 20) + 1);

	let_start_move();
	/* Beside a truncation the end may have come down. */
	if (sluice_log_set_start_offset(world.log, offset) && model.cut == S64_MAX)
		model_fail("the start cannot be moved to %lld", offset);
}

static void remover(void *ctx)
{
	(void)ctx;
	for (u32 i = 1 + sim_random(2); i > 0; i--) {
		if (sim_one_in(2))
			retain();
		else
			delete_records();
		housekeep();
	}
}

static void compactor(void *ctx)
{
	(void)ctx;
	for (u32 i = 1 + sim_random(3); i > 0; i--)
		world_compact();
}

static void reader(void *ctx)
{
	(void)ctx;
	for (u32 i = 1 + sim_random(10); i > 0; i--) {
		s64 start = sluice_log_start_offset(world.log);
		s64 end = sluice_log_end_offset(world.log);
		s64 offset = start + sim_random((u32)max_t(s64, end - start, 1));
		struct sluice_range range;
		struct sluice_batch b;
		int ret = sluice_log_fetch(world.log, offset, 1, SLUICE_FETCH_WHOLE_FIRST, &range);

		if (ret == -ERANGE || (ret && failing()))
			continue;
		if (ret)
			model_fail("offset %lld cannot be read: error %d", offset, ret);
		if (!range.seg)
			continue;
		ret = sluice_log_read_batch(range.file, range.position,
					    range.position + range.bytes, &b);
		if (ret && !failing())
			model_fail("offset %lld: no batch is there: error %d", offset, ret);
		sluice_segment_put(range.seg);
	}
}

static void truncater(void *ctx)
{
	s64 offset = *(s64 *)ctx, end_offset = -1;
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	int ret = sluice_log_truncate(world.log, offset, err, &end_offset);

	sim_say("truncated to %lld: %d", offset, ret);
	if (ret && !failing())
		model_fail("truncation to %lld failed: %s", offset, err);
	if (!ret && (end_offset < model.cut || end_offset > offset))
		model_fail("truncation to %lld ended the log at %lld", offset, end_offset);
}

/* What is behind it is not promised from here on; the checkpoint says so first. */
static void plan_truncation(void)
{
	s64 start = sluice_log_start_offset(world.log), end = sluice_log_end_offset(world.log);
	static s64 offset;
	struct sluice_range range;

	if (end == start)
		return;
	/* Not to the start itself: all goes then, what is durable below it as well. */
	offset = max_t(s64, start + 1, end - (s64)sim_random(20) - 1);
	/* A batch that the cut falls into goes whole. */
	if (sluice_log_fetch(world.log, offset, 1, SLUICE_FETCH_WHOLE_FIRST, &range))
		model_fail("offset %lld cannot be found", offset);
	model.cut = min(offset, range.base_offset);
	if (range.seg)
		sluice_segment_put(range.seg);
	model.durable = min(model.durable, model.cut);
	model.gap_at_end |= model.compact;
	world.saved_recovery_point = min(world.saved_recovery_point, model.cut);
	world.saved_start = min(world.saved_start, model.cut);
	world.saved_cleaned = min(world.saved_cleaned, model.cut);
	sim_spawn(truncater, &offset);
}

static void lead_anew(void)
{
	s32 epoch = sluice_log_leader_epoch(world.log) + 1 + (s32)sim_random(3);

	if (sluice_log_set_leader_epoch(world.log, epoch))
		model_fail("leader epoch %d was refused", epoch);
}

void world_spawn(void)
{
	static void (*const others[])(void *ctx) = {flusher, flusher, housekeeper, reader, remover};
	u32 appenders = sim_random(3);
	bool follows;

	note_start();
	if (sim_one_in(4))
		lead_anew();
	if (sim_one_in(8))
		plan_truncation();
	/* A follower has one leader, and asks it nothing while it truncates. */
	follows = appenders == 1 && model.cut == S64_MAX && sim_one_in(3);
	for (u32 i = 0; i < appenders; i++)
		sim_spawn(follows ? follower : appender, (void *)(long)i);
	/* One at a time, as sluiced does. */
	if (model.compact && !sim_one_in(4))
		sim_spawn(compactor, NULL);
	for (u32 i = 1 + sim_random(appenders == 2 ? 2 : 3); i > 0; i--)
		sim_spawn(others[sim_random(ARRAY_SIZE(others))], NULL);
}
