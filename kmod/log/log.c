// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* A log as a whole: its end, its settings and what it says of itself. */
#include "log_internal.h"

void sluice_log_close(struct sluice_log *log)
{
	if (!log)
		return;
	sluice_log_close_open(log);
	if (log->active && !sluice_log_failed(log) && sluice_log_store_indexes(log))
		port_warn("%s: index entries are lost", port_dir_name(log->dir));
	sluice_log_drop_snapshots(log, -1);
	if (log->active && sluice_segment_ensure_named(log, log->active))
		port_warn("%s: the last segment cannot be given its name", port_dir_name(log->dir));
	sluice_log_drop_prepared(log);
	/* Their files wait for the next opening. */
	while (log->discarded) {
		struct sluice_segment *seg = log->discarded;

		log->discarded = seg->next_discarded;
		sluice_segment_put(seg);
	}
	sluice_producer_state_free(log->producers);
	sluice_segment_list_destroy(&log->segments);
	sluice_leader_epochs_destroy(&log->epochs);
	port_mutex_destroy(&log->names_mutex);
	port_mutex_destroy(&log->flush_mutex);
	port_mutex_destroy(&log->append_mutex);
	port_mutex_destroy(&log->structure_mutex);
	port_spin_destroy(&log->index_tail.lock);
	port_free(log);
}

void sluice_log_config_default(struct sluice_log_config *c)
{
	*c = (struct sluice_log_config){
		.segment_bytes = 1024 * 1024 * 1024,
		.segment_ms = 7 * 24 * 3600 * 1000LL,
		.max_message_bytes = 1024 * 1024 + 12,
		.index_interval_bytes = 4096,
		.segment_index_bytes = 10 * 1024 * 1024,
		.timestamp_before_max_ms = S64_MAX,
		.timestamp_after_max_ms = 3600 * 1000LL,
		.cleanup_policy = SLUICE_CLEANUP_DELETE,
		.retention_ms = 7 * 24 * 3600 * 1000LL,
		.retention_bytes = -1,
		.file_delete_delay_ms = 60 * 1000,
		.flush_messages = S64_MAX,
		.flush_ms = S64_MAX,
		.producer_expiration_ms = 24 * 3600 * 1000LL,
		.batch_bytes = 16 * 1024,
		.linger_ms = 100,
	};
}

static const char *config_error(const struct sluice_log_config *c)
{
	if (c->segment_bytes < SLUICE_BATCH_HEADER_LEN)
		return "segment.bytes is too small for a batch";
	if (c->segment_bytes > SLUICE_SEGMENT_BYTES_MAX)
		return "segment.bytes is larger than 2147483647";
	if (c->max_message_bytes > SLUICE_SEGMENT_BYTES_MAX)
		return "max.message.bytes is larger than 2147483647";
	if (c->index_interval_bytes > (u32)S32_MAX)
		return "index.interval.bytes is larger than 2147483647";
	if (c->segment_index_bytes < 4)
		return "segment.index.bytes is smaller than 4";
	if (c->segment_index_bytes > (u32)S32_MAX)
		return "segment.index.bytes is larger than 2147483647";
	if (c->segment_ms < 1)
		return "segment.ms is smaller than 1";
	if (c->segment_jitter_ms < 0)
		return "segment.jitter.ms is negative";
	if (c->timestamp_before_max_ms < 0)
		return "message.timestamp.before.max.ms is negative";
	if (c->timestamp_after_max_ms < 0)
		return "message.timestamp.after.max.ms is negative";
	if (c->cleanup_policy & ~(u32)(SLUICE_CLEANUP_DELETE | SLUICE_CLEANUP_COMPACT))
		return "cleanup.policy is none of delete, compact and both";
	if (c->retention_ms < -1)
		return "retention.ms is smaller than -1";
	if (c->retention_bytes < -1)
		return "retention.bytes is smaller than -1";
	if (c->file_delete_delay_ms < 0)
		return "file.delete.delay.ms is negative";
	if (c->flush_messages < 1)
		return "flush.messages is smaller than 1";
	if (c->flush_ms < 0)
		return "flush.ms is negative";
	if (c->producer_expiration_ms < 1)
		return "producer.id.expiration.ms is smaller than 1";
	if (c->batch_bytes < SLUICE_BATCH_HEADER_LEN || c->batch_bytes > 16 * 1024 * 1024)
		return "the size of the open batch is not between 61 and 16777216";
	return NULL;
}

int sluice_log_config_check(const struct sluice_log_config *c, const char **ret_why)
{
	const char *why = config_error(c);

	if (!why)
		return 0;
	*ret_why = why;
	return -EINVAL;
}

void sluice_log_set_config(struct sluice_log *log, const struct sluice_log_config *c)
{
	port_mutex_lock(&log->append_mutex);
	/* A shorter time holds for what is open, too. */
	if (log->open && c->linger_ms < log->config.linger_ms)
		log->open->linger_ms = min(log->open->linger_ms, c->linger_ms);
	log->config = *c;
	port_mutex_unlock(&log->append_mutex);
}

int sluice_log_set_leader_epoch(struct sluice_log *log, s32 leader_epoch)
{
	int ret = 0;

	port_mutex_lock(&log->append_mutex);
	if (leader_epoch < log->leader_epoch)
		ret = -ESTALE;
	else
		WRITE_ONCE(log->leader_epoch, leader_epoch);
	port_mutex_unlock(&log->append_mutex);
	return ret;
}

void sluice_log_set_owner(struct sluice_log *log, void *owner)
{
	WRITE_ONCE(log->owner, owner);
}

void *sluice_log_owner(const struct sluice_log *log)
{
	return READ_ONCE(log->owner);
}

int sluice_log_failed(const struct sluice_log *log)
{
	return READ_ONCE(log->failed);
}

void sluice_log_set_failed(struct sluice_log *log, int err)
{
	bool first;

	port_spin_lock(&log->segments.lock);
	first = !log->failed;
	if (first)
		WRITE_ONCE(log->failed, err);
	port_spin_unlock(&log->segments.lock);
	if (first)
		port_warn("%s: the log takes no more appends (error %d)",
			  port_dir_name(log->dir), -err);
}

s64 sluice_log_start_offset(const struct sluice_log *log)
{
	return sluice_watermark_log_start(&log->watermark);
}

s64 sluice_log_high_watermark(const struct sluice_log *log)
{
	return sluice_watermark_high(&log->watermark);
}

s64 sluice_log_last_stable_offset(const struct sluice_log *log)
{
	return sluice_watermark_stable(&log->watermark);
}

s64 sluice_log_end_offset(const struct sluice_log *log)
{
	return sluice_watermark_log_end(&log->watermark);
}

s64 sluice_log_recovery_point(const struct sluice_log *log)
{
	return sluice_watermark_recovery_point(&log->watermark);
}

s32 sluice_log_leader_epoch(const struct sluice_log *log)
{
	return READ_ONCE(log->leader_epoch);
}

u64 sluice_log_generation(const struct sluice_log *log)
{
	return READ_ONCE(log->generation);
}

u32 sluice_log_segment_count(struct sluice_log *log)
{
	return sluice_segment_list_count(&log->segments);
}

u64 sluice_log_size_bytes(struct sluice_log *log)
{
	u64 size;

	/* Known once, known for good. Who has the mutex may be waiting for a disk. */
	if (!READ_ONCE(log->sizes_known) && port_mutex_trylock(&log->structure_mutex)) {
		/* What cannot be opened counts nothing; its readers are told why. */
		if (!log->sizes_known && sluice_log_count_sizes(log))
			port_warn("%s: the size of a segment is not known",
				  port_dir_name(log->dir));
		port_mutex_unlock(&log->structure_mutex);
	}
	/* Pairs with sluice_log_remove_first(): a sum without it has what was found of it. */
	size = smp_load_acquire(&log->size_bytes);
	return size + READ_ONCE(log->found_bytes);
}
