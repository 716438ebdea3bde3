// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include "daemon/log/cleaner_log.h"
#include "daemon/log/topic_config.h"

static const char *value_of(const char *key, const struct log_dir_setting *own, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(own[i].key, key))
			return own[i].value;
	}
	return topic_config_find(key)->default_value;
}

static int64_t number_of(const char *key, const struct log_dir_setting *own, size_t n)
{
	return strtoll(value_of(key, own, n), NULL, 10);
}

void cleaner_settings_init(struct cleaner_settings *s, const struct log_dir_setting *own, size_t n)
{
	*s = (struct cleaner_settings){
		.compact = strstr(value_of("cleanup.policy", own, n), "compact"),
		.min_ratio = strtod(value_of("min.cleanable.dirty.ratio", own, n), NULL),
		.delete_retention_ms = number_of("delete.retention.ms", own, n),
		.min_lag_ms = number_of("min.compaction.lag.ms", own, n),
		.max_lag_ms = number_of("max.compaction.lag.ms", own, n),
	};
	sluice_log_config_default(&s->log);
	s->log.segment_bytes = (u32)number_of("segment.bytes", own, n);
	s->log.segment_index_bytes = (u32)number_of("segment.index.bytes", own, n);
	s->log.index_interval_bytes = (u32)number_of("index.interval.bytes", own, n);
}

static void add_stats(struct sluice_clean_stats *sum, const struct sluice_clean_stats *one)
{
	sum->bytes_read += one->bytes_read;
	sum->bytes_written += one->bytes_written;
	sum->records_read += one->records_read;
	sum->records_kept = one->records_kept;
	sum->records_without_key += one->records_without_key;
	sum->batches_malformed = one->batches_malformed;
	if (!sum->segments_before) {
		sum->segments_before = one->segments_before;
		sum->bytes_before = one->bytes_before;
	}
	sum->segments_after = one->segments_after;
	sum->bytes_after = one->bytes_after;
	sum->map_entries = max(sum->map_entries, one->map_entries);
	sum->map_room = one->map_room;
}

int cleaner_log_clean(struct cleaner_log *l, char *err)
{
	struct sluice_clean c = {
		.dir = l->dir,
		.config = &l->settings->log,
		.delete_retention_ms = l->settings->delete_retention_ms,
		.first_dirty = l->bounds->first_dirty,
		.first_uncleanable = l->bounds->first_uncleanable,
		.recovery_point = l->recovery_point,
		.now_ms = l->bounds->now_ms,
		.producers = l->producers->items,
		.producer_count = l->producers->count,
		.map_bytes = l->limits->map_bytes,
		.map_load_percent = l->limits->map_load_percent,
		.io_bytes = l->limits->io_bytes,
		.pace = l->pace,
		.replace = l->replace,
		.ctx = l->ctx,
	};
	int ret;

	l->end_offset = l->bounds->first_dirty;
	l->passes = 0;
	memset(&l->stats, 0, sizeof(l->stats));
	while (c.first_dirty < c.first_uncleanable) {
		ret = sluice_log_clean(&c, err);
		if (ret)
			return ret;
		l->passes++;
		add_stats(&l->stats, &c.stats);
		l->end_offset = c.end_offset;
		c.first_dirty = c.end_offset;
	}
	return 0;
}
