// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/world.h"

#include <stdlib.h>
#include "recover.h"
#include "tests/sim/disk.h"
#include "tests/sim/fiber.h"
#include "tests/sim/memory.h"
#include "tests/sim/model.h"
#include "tests/sim/random.h"
#include "tests/sim/say.h"

#define TIME_0	   1700000000000LL
#define POINTS_MAX 1500

struct world world;
struct world_stats world_stats;

static void set_config(void)
{
	struct sluice_log_config *c = &world.config;

	sluice_log_config_default(c);
	c->segment_bytes = 1500 + sim_random(3) * 1500;
	c->max_message_bytes = 1400;
	c->index_interval_bytes = 150;
	c->segment_ms = sim_one_in(2) ? 3000 : 1000000;
	c->file_delete_delay_ms = sim_random(2) * 60000;
	c->retention_ms = -1;
	c->batch_bytes = 400;
	c->linger_ms = sim_random(2) * 100;
	if (model.compact)
		c->cleanup_policy = SLUICE_CLEANUP_COMPACT | SLUICE_CLEANUP_DELETE;
}

static void open_log(s64 recovery_point)
{
	struct sluice_log_open_args args = {.log_start_offset = world.saved_start,
					    .recovery_point = recovery_point};
	char err[SLUICE_ERROR_TEXT_MAX] = "";

	if (sluice_log_open(sim_dir(), &world.config, &args, err, &world.log))
		model_fail("the log cannot be opened: %s", err);
}

/* As `sluicectl up` does, from what the checkpoints say. */
static void recover(unsigned int flags)
{
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;

	if (sluice_log_recover(sim_dir(), &world.config, world.saved_recovery_point, flags, err,
			       &done))
		model_fail("the log cannot be recovered: %s", err);
	if (flags & SLUICE_RECOVER_CLEAN) {
		open_log(S64_MAX);
	} else {
		world.saved_recovery_point = done.log_end_offset;
		open_log(done.log_end_offset);
	}
}

/* The same after a clean stop: recovery has to finish what compaction, say, left. */
static void reopen(void)
{
	struct sluice_log_open_args args = {.log_start_offset = world.saved_start,
					    .recovery_point = S64_MAX};
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	int ret = sluice_log_open(sim_dir(), &world.config, &args, err, &world.log);

	if (ret && ret != -EUCLEAN)
		model_fail("the log cannot be opened: %s", err);
	if (!ret) {
		world_stats.reopened++;
		return;
	}
	sim_say("not as a clean stop leaves it: %s", err);
	world_stats.settled++;
	recover(SLUICE_RECOVER_CLEAN);
}

/* In the middle of recovery as well; the checkpoints are from before it. */
static void recover_or_crash(void *ctx)
{
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;

	(void)ctx;
	if (sluice_log_recover(sim_dir(), &world.config, world.saved_recovery_point, 0, err, &done))
		model_fail("the log cannot be recovered: %s", err);
}

static void crash(void)
{
	/* Whoever looks at it is told that this is durable. */
	model_acknowledged(sluice_log_recovery_point(world.log));
	sim_say("power cut; recovery from %lld", world.saved_recovery_point);
	world.log = NULL;
	sim_disk_cut_power();
	while (sim_one_in(4)) {
		sim_spawn(recover_or_crash, NULL);
		sim_run(1 + sim_random(300), 0);
		sim_disk_cut_power();
	}
	recover(0);
	model_check(world.log, MODEL_CRASH);
	/* What recovery left is durable, whoever was told so before or not. */
	model_acknowledged(sluice_log_recovery_point(world.log));
	world_stats.crashes++;
}

static void close_log(void)
{
	sluice_log_close(world.log);
	world.log = NULL;
	if (sim_memory_in_use())
		model_fail("%u pieces of memory were not given back", sim_memory_in_use());
}

static void restart_cleanly(void)
{
	s64 recovery_point;

	if (sluice_log_flush(world.log, &recovery_point) || sluice_log_flush_indexes(world.log))
		model_fail("the log cannot be closed cleanly");
	model_acknowledged(recovery_point);
	world.saved_recovery_point = recovery_point;
	world.saved_start = sluice_log_start_offset(world.log);
	close_log();
	if (sim_one_in(2))
		sim_disk_cut_power();
	reopen();
	model_check(world.log, MODEL_PHASE);
}

/* The log failed: its partition is offline, until it is taken down and recovered. */
static void repair(void)
{
	model_acknowledged(sluice_log_recovery_point(world.log));
	sim_fault(0, NULL, 0, false, 0);
	world_stats.failures++;
	close_log();
	recover(0);
	model_check(world.log, MODEL_CRASH);
	/* What recovery left is durable, whoever was told so before or not. */
	model_acknowledged(sluice_log_recovery_point(world.log));
}

static void arm_fault(void)
{
	static const char *const parts[] = {NULL,	  NULL,	       ".log",	       ".index",
					    ".timeindex", ".snapshot", "leader-epoch", ".prepared"};
	static const unsigned int ops[] = {SIM_ANY,
					   SIM_ALLOC,
					   SIM_CREATE | SIM_WRITE,
					   SIM_SYNC,
					   SIM_RENAME | SIM_DIR_SYNC,
					   SIM_RESERVE | SIM_WRITE};

	sim_fault(ops[sim_random(ARRAY_SIZE(ops))], parts[sim_random(ARRAY_SIZE(parts))],
		  1 + sim_random(40), sim_one_in(4), sim_one_in(3) ? -ENOSPC : -EIO);
}

static void phase(void)
{
	bool cut = sim_one_in(3), faults = sim_one_in(5), full = sim_one_in(6), ended;

	world_stats.phases++;
	sim_say("phase %u%s%s%s", world_stats.phases, cut ? ", power cut" : "",
		faults ? ", fault" : "", full ? ", full disk" : "");
	world.now_ms += sim_random(2000);
	sim_clock_set(world.now_ms);
	world_spawn();
	if (faults)
		arm_fault();
	if (full)
		sim_disk_limit(sim_random(4000));
	ended = sim_run(cut ? 1 + sim_random(POINTS_MAX) : U32_MAX, sim_random(100));
	sim_disk_limit(U64_MAX);
	if (!ended) {
		crash();
	} else if (sluice_log_failed(world.log)) {
		if (full && !faults)
			model_fail("a full disk ended the log");
		repair();
	} else {
		sim_fault(0, NULL, 0, false, 0);
		model_check(world.log, MODEL_PHASE);
		if (cut)
			crash();
		else if (sim_one_in(6))
			restart_cleanly();
	}
	model.start = sluice_log_start_offset(world.log);
}

void world_live(u64 seed)
{
	u32 phases;

	sim_seed(seed);
	sim_disk_format();
	model_reset();
	memset(&world, 0, sizeof(world));
	world.saved_cleaned = -1;
	model.compact = sim_one_in(3);
	world.now_ms = TIME_0;
	sim_clock_set(world.now_ms);
	set_config();
	open_log(0);
	phases = 1 + sim_random(40);
	while (phases-- && model.count < MODEL_ENTRIES_MAX - 100)
		phase();
	close_log();
}
