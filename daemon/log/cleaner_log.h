/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compaction of one partition, whoever has it open: what its topic says, what
 * is due, and the passes. The rules are the engine's (kmod/log/clean.h).
 */
#ifndef LOG_CLEANER_LOG_H
#define LOG_CLEANER_LOG_H

#include "kmod/log/clean.h"
#include "kmod/log/clean_bounds.h"
#include "kmod/log/clean_producers.h"
#include "daemon/log/log_dir.h"

/**
 * struct cleaner_settings - what a topic's settings say of compaction
 * @compact: cleanup.policy has "compact"
 * @min_ratio: min.cleanable.dirty.ratio
 * @delete_retention_ms: delete.retention.ms
 * @min_lag_ms, @max_lag_ms: min.compaction.lag.ms, max.compaction.lag.ms
 * @log: sizes of segments and indexes
 */
struct cleaner_settings {
	bool compact;
	double min_ratio;
	int64_t delete_retention_ms;
	int64_t min_lag_ms;
	int64_t max_lag_ms;
	struct sluice_log_config log;
};

/**
 * cleaner_settings_init() - a topic's own settings, over the defaults
 * @own: checked values, @n of them; of two for one key the first counts
 */
void cleaner_settings_init(struct cleaner_settings *s, const struct log_dir_setting *own, size_t n);

/**
 * struct cleaner_limits - what compaction may take of the machine
 * @map_bytes: log.cleaner.dedupe.buffer.size
 * @map_load_percent: log.cleaner.io.buffer.load.factor
 * @io_bytes: log.cleaner.io.buffer.size
 */
struct cleaner_limits {
	uint64_t map_bytes;
	uint32_t map_load_percent;
	uint32_t io_bytes;
};

/** CLEANER_LIMITS_DEFAULT - Kafka's (CleanerConfig.java) */
#define CLEANER_LIMITS_DEFAULT                                                          \
	(struct cleaner_limits)                                                         \
	{                                                                               \
		.map_bytes = 128u << 20, .map_load_percent = 90, .io_bytes = 512u << 10 \
	}

/**
 * struct cleaner_log - a partition to be cleaned
 * @dir: its directory
 * @settings, @limits: borrowed
 * @bounds: as sluice_clean_bounds() found them
 * @producers: of the log; borrowed
 * @recovery_point, @pace, @replace, @ctx: as in struct sluice_clean
 * @end_offset: out: to be written into the checkpoint
 * @passes: out
 * @stats: out: of all passes together; the segments and bytes before are those
 *	of the first pass, after it those of the last
 */
struct cleaner_log {
	struct port_dir *dir;
	const struct cleaner_settings *settings;
	const struct cleaner_limits *limits;
	const struct sluice_clean_bounds *bounds;
	const struct sluice_clean_producers *producers;
	int64_t recovery_point;
	int (*pace)(void *ctx, u64 bytes);
	int (*replace)(void *ctx, s64 first_base, s64 last_base, char *err);
	void *ctx;
	int64_t end_offset;
	uint32_t passes;
	struct sluice_clean_stats stats;
};

/**
 * cleaner_log_clean() - as many passes as it takes to come to the bounds
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * On failure @end_offset tells how far the passes came that ended.
 */
int cleaner_log_clean(struct cleaner_log *l, char *err);

#endif /* LOG_CLEANER_LOG_H */
