/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * struct sluice_log, for the files of the engine alone.
 *
 * Lock order: structure_mutex, flush_mutex, append_mutex, segments.lock.
 *
 * An append takes append_mutex alone, a flush flush_mutex alone: it may take as
 * long as the storage, and appends go on meanwhile. Whoever removes or replaces
 * segments (retention, truncation, the swap of compacted segments) holds
 * structure_mutex from its first look to its last, and takes the others for as
 * long as it changes what they protect.
 */
#ifndef SLUICE_LOG_LOG_INTERNAL_H
#define SLUICE_LOG_LOG_INTERNAL_H

#include "log.h"
#include "producer_state.h"
#include "segment_list.h"
#include "watermark.h"

/**
 * struct sluice_log - an open log
 * @dir: borrowed
 * @owner: the host's
 * @segments: never empty
 * @watermark: the published offsets
 * @failed: errno of what ended the log, or 0; set once, under segments.lock
 * @size_bytes: of all .log files, as published
 *
 * @structure_mutex: held by the one that removes or replaces segments
 *
 * @append_mutex: held by the one append; protects the next group
 * @config: in force since the last append
 * @leader_epoch: stamped on batches
 * @active: the last of @segments, which holds its reference
 * @producers: of idempotent producers
 *
 * @flush_mutex: held by the one flush; protects the next group and
 *	segment->synced
 * @flush_first: index of the first segment that is not wholly durable
 * @dir_synced: how many segments have durable names
 */
struct sluice_log {
	struct port_dir *dir;
	void *owner;
	struct sluice_segment_list segments;
	struct sluice_watermark watermark;
	int failed;
	u64 size_bytes;

	struct port_mutex structure_mutex;

	struct port_mutex append_mutex;
	struct sluice_log_config config;
	s32 leader_epoch;
	struct sluice_segment *active;
	struct sluice_producer_state *producers;

	struct port_mutex flush_mutex;
	u32 flush_first;
	u32 dir_synced;
};

/**
 * sluice_log_roll() - seal the active segment and go on in a new one
 * Needs append_mutex. On failure nothing has changed for readers or appenders.
 */
int __must_check sluice_log_roll(struct sluice_log *log);

#endif /* SLUICE_LOG_LOG_INTERNAL_H */
