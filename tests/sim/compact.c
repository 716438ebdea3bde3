// SPDX-License-Identifier: Apache-2.0
/* Compaction of the log while the others use it, as sluiced does (daemon/cleaner/run.c). */
#include "clean.h"
#include "clean_bounds.h"
#include "clean_output.h"
#include "clean_producers.h"
#include "replace.h"
#include "tests/sim/disk.h"
#include "tests/sim/memory.h"
#include "tests/sim/model.h"
#include "tests/sim/random.h"
#include "tests/sim/say.h"
#include "tests/sim/world.h"

static int replace(void *ctx, s64 first_base, s64 last_base, char *err)
{
	int ret = sluice_log_replace(world.log, *(const u64 *)ctx, first_base, last_base, err);

	sim_say("replaced %lld to %lld: %d", first_base, last_base, ret);
	/* Retention was here. */
	return ret == -EINVAL || ret == -ENOENT ? -ESTALE : ret;
}

static int clean(struct sluice_clean_bounds *b, const struct sluice_clean_producers *producers,
		 u64 *generation, s64 recovery_point, char *err)
{
	struct sluice_clean c = {
		.dir = sim_dir(),
		.config = &world.config,
		.delete_retention_ms = sim_one_in(2) ? 0 : 2000,
		.first_dirty = b->first_dirty,
		.first_uncleanable = b->first_uncleanable,
		.recovery_point = recovery_point,
		.now_ms = b->now_ms,
		.producers = producers->items,
		.producer_count = producers->count,
		.map_bytes = sim_one_in(4) ? 200 : 100000,
		.map_load_percent = 90,
		.io_bytes = 4096,
		.replace = replace,
		.ctx = generation,
	};
	int ret = sluice_log_clean(&c, err);

	if (!ret)
		world.saved_cleaned = c.end_offset;
	sim_say("compacted from %lld to %lld: %d %s", b->first_dirty, b->first_uncleanable, ret,
		err);
	world_stats.compactions += !ret;
	return ret;
}

/* What is decided by what is durable. */
static int clean_stable(struct sluice_clean_bounds *b, u64 *generation, s64 recovery_point,
			char *err)
{
	struct sluice_clean_producers producers;
	int ret = sluice_clean_producers(sim_dir(), recovery_point, &producers, err);

	if (ret)
		return ret;
	b->last_stable_offset = min(b->last_stable_offset, producers.end_offset);
	b->last_stable_offset = min(b->last_stable_offset, producers.first_unstable);
	ret = sluice_clean_bounds(sim_dir(), b, err);
	if (!ret && b->first_dirty < b->first_uncleanable)
		ret = clean(b, &producers, generation, recovery_point, err);
	sluice_clean_producers_free(&producers);
	return ret;
}

void world_compact(void)
{
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	u64 generation = sluice_log_generation(world.log);
	s64 recovery_point = sluice_log_recovery_point(world.log);
	struct sluice_clean_bounds b = {
		.checkpoint = world.saved_cleaned,
		.log_start_offset = sluice_log_start_offset(world.log),
		.log_end_offset = sluice_log_end_offset(world.log),
		.last_stable_offset = sluice_log_last_stable_offset(world.log),
		.now_ms = world.now_ms,
	};
	int ret;

	/* It is offline then, and what a swap that failed has left is recovery's. */
	if (sluice_log_failed(world.log))
		return;
	ret = sluice_clean_leftovers(sim_dir());
	if (!ret)
		ret = clean_stable(&b, &generation, recovery_point, err);
	/* Files are renamed and removed by truncation and retention beside it. */
	if (ret && ret != -ESTALE && ret != -ENOENT && !sim_fault_hit() &&
	    !sluice_log_failed(world.log) && sluice_log_generation(world.log) == generation)
		model_fail("compaction failed: error %d, %s", ret, err);
}
