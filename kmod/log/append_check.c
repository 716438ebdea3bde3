// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * What is asked of a batch before it becomes part of the log. Most rules need
 * the header alone; the records are read only for rules that no default asks
 * for. What is inside a compressed batch the log cannot see: sluiced looks.
 */
#include "append_check.h"
#include "record.h"

static bool too_late(const struct sluice_log_config *c, s64 timestamp, s64 now)
{
	return timestamp > now && timestamp - now > c->timestamp_after_max_ms;
}

/* The difference may exceed what an s64 holds; -1 is Kafka's "no time". */
static bool too_early(const struct sluice_log_config *c, s64 timestamp, s64 now)
{
	return timestamp != -1 && timestamp < now &&
	       (u64)now - (u64)timestamp > (u64)c->timestamp_before_max_ms;
}

static int check_time(const struct sluice_log_config *c, s64 timestamp, s64 now,
		      const char **ret_why)
{
	if (too_late(c, timestamp, now)) {
		*ret_why = "a time is later than message.timestamp.after.max.ms allows";
		return -ETIME;
	}
	if (too_early(c, timestamp, now)) {
		*ret_why = "a time is earlier than message.timestamp.before.max.ms allows";
		return -ETIME;
	}
	return 0;
}

int sluice_append_check_record(const struct sluice_log_config *c, bool has_key, s64 timestamp,
			       s64 now, const char **ret_why)
{
	if (c->cleanup_policy & SLUICE_CLEANUP_COMPACT && !has_key) {
		*ret_why = "a record has no key, which a compacted topic needs";
		return -EINVAL;
	}
	return c->log_append_time ? 0 : check_time(c, timestamp, now, ret_why);
}

int sluice_append_check_size(struct sluice_log *log, struct sluice_append *a,
			     const struct sluice_append_source *src, struct sluice_batch *ret_b)
{
	/* A leader may have had a larger limit when it took the batch. */
	u32 size_max = a->as == SLUICE_APPEND_AS_REPLICA ? U32_MAX : log->config.max_message_bytes;
	int ret;

	port_mutex_assert_held(&log->append_mutex);
	ret = sluice_batch_parse(src->bytes, size_max, ret_b);
	if (ret) {
		a->why = ret == -EMSGSIZE ? "the batch is larger than max.message.bytes" :
			 ret == -EINVAL ? "a field of the batch header is impossible" :
					  "the magic of the batch is not 2";
		return ret;
	}
	a->size = ret_b->size;
	a->record_count = ret_b->record_count;
	if (ret_b->size > log->config.segment_bytes) {
		a->why = "the batch is larger than segment.bytes";
		return -EMSGSIZE;
	}
	if (ret_b->size > src->len + port_iter_count(a->src)) {
		a->why = "the batch is longer than what was sent";
		return -EINVAL;
	}
	return 0;
}

int sluice_append_check_header(struct sluice_log *log, struct sluice_append *a,
			       const struct sluice_batch *b)
{
	int ret;

	port_mutex_assert_held(&log->append_mutex);
	if (a->as == SLUICE_APPEND_AS_REPLICA)
		return sluice_append_check_replica(log, a, b);
	ret = sluice_batch_check_produce(b, a->as, &a->why);
	if (ret || log->config.log_append_time)
		return ret;
	return check_time(&log->config, b->max_timestamp, port_now_ms(), &a->why);
}

int sluice_append_check_records(const struct sluice_log *log, struct sluice_append *a,
				struct port_file *file, u64 position, const struct sluice_batch *b)
{
	u64 end = position + b->size;
	struct sluice_record r;
	s64 timestamp, now;
	s32 i;
	int ret;

	now = port_now_ms();
	position += SLUICE_BATCH_HEADER_LEN;
	for (i = 0; i < b->record_count; i++) {
		ret = sluice_record_read(file, position, end, &r);
		if (ret) {
			a->why = "a record is malformed";
			return ret == -EBADMSG ? -EINVAL : ret;
		}
		/* Wraps where it is nonsense; then it is out of bounds, or as good as any. */
		timestamp = (s64)((u64)b->base_timestamp + (u64)r.timestamp_delta);
		ret = sluice_append_check_record(&log->config, r.key_len >= 0, timestamp, now,
						 &a->why);
		if (ret)
			return ret;
		position = r.end;
	}
	if (position == end)
		return 0;
	a->why = "the batch has more bytes than its records";
	return -EINVAL;
}
