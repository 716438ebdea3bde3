/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a log: what is done to it, and what happens to its machine. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "log.h"

/**
 * struct world - the machine and its log
 * @log: NULL while it is down
 * @saved_recovery_point, @saved_start, @saved_cleaned: as their checkpoint files have them
 * @now_ms: the clock
 */
struct world {
	struct sluice_log *log;
	struct sluice_log_config config;
	s64 saved_recovery_point;
	s64 saved_start;
	s64 saved_cleaned;
	s64 now_ms;
};

extern struct world world;

extern struct world_stats {
	u32 phases;
	u32 crashes;
	u32 failures;
	u32 acknowledged;
	u32 compactions;
	u32 reopened; /* after a clean stop, as the log was */
	u32 settled;  /* not before recovery */
} world_stats;

/** world_live() - one life, from an empty disk on; aborts if the log is wrong. */
void world_live(u64 seed);

/** world_spawn() - the threads of one phase; ops.c */
void world_spawn(void);

/** world_compact() - one pass over the log, beside whatever others do; compact.c */
void world_compact(void);

#endif /* TESTS_SIM_WORLD_H */
