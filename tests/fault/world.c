// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/sluice_netlink.h>
#include "tests/fault/fault.h"

static struct got got;

static void make_topic(struct fault_world *w)
{
	w->topic = topic_new(FAULT_PARTITIONS, &w->config);
	memset(w->end, 0, sizeof(w->end));
}

void fault_world_open(struct fault_world *w)
{
	for (int i = 0; i < FAULT_FDS; i++)
		w->fds[i] = -1;
	test_kern();
	/* Looked up now, and not with the first allocation failing. */
	family();
	if (kern_open(&w->events) || kern_subscribe(w->events))
		die("events: %s", kern_error(w->events));
	/* Two of the largest records do not fit one segment. */
	w->config.set = KERN_CONFIG_SEGMENT_BYTES | KERN_CONFIG_INDEX_INTERVAL_BYTES |
			KERN_CONFIG_MAX_MESSAGE_BYTES;
	w->config.segment_bytes = 256 * 1024;
	w->config.index_interval_bytes = 512;
	w->config.max_message_bytes = 200 * 1024;
	make_topic(w);
}

void fault_world_renew(struct fault_world *w)
{
	struct topic old = w->topic;

	make_topic(w);
	topic_delete(&old);
}

void fault_world_end_try(struct fault_world *w)
{
	static struct kern_event event;

	for (int i = 0; i < FAULT_FDS; i++) {
		if (w->fds[i] >= 0)
			close(w->fds[i]);
		w->fds[i] = -1;
	}
	kern_close(w->kern);
	w->kern = NULL;
	while (kern_event_next(w->events, &event) != -EAGAIN)
		continue;
}

void fault_world_send(struct fault_world *w, int partition)
{
	int fd = producer(SOCK_SEQPACKET, &w->topic, partition);
	char text[64];

	snprintf(text, sizeof(text), "record %lld", (long long)w->end[partition]);
	if (send_text(fd, text) < 0)
		die("send: %s: %s", strerror(errno), error_text(fd));
	w->end[partition]++;
	close(fd);
}

const char *fault_world_check_growth(struct fault_world *w, int64_t records)
{
	int64_t grown = 0;

	for (int i = 0; i < FAULT_PARTITIONS; i++) {
		int64_t end = topic_partition(&w->topic, (uint32_t)i).log_end_offset;

		grown += end - w->end[i];
		w->end[i] = end;
	}
	if (grown != records)
		return fault_format("%lld records were appended, not %lld", (long long)grown,
				    (long long)records);
	return NULL;
}

static const char *check_end(const struct fault_world *w, int partition)
{
	struct kern_partition p = topic_partition(&w->topic, (uint32_t)partition);
	int64_t end = w->end[partition];

	if (p.state != SLUICE_PARTITION_STATE_ONLINE)
		return fault_format("partition %d is offline: %s", partition, p.reason);
	if (p.log_end_offset != end || p.high_watermark != end)
		return fault_format("partition %d ends at %lld (high watermark %lld), but %lld "
				    "records were acknowledged",
				    partition, (long long)p.log_end_offset,
				    (long long)p.high_watermark, (long long)end);
	return NULL;
}

static const char *check_works(struct fault_world *w, int partition)
{
	int64_t end = w->end[partition];
	char text[64];
	int fd;

	fault_world_send(w, partition);
	fd = consumer(SOCK_SEQPACKET, &w->topic, partition, end);
	snprintf(text, sizeof(text), "record %lld", (long long)end);
	if (receive(fd, &got, MSG_DONTWAIT) < 0)
		die("receive: %s: %s", strerror(errno), error_text(fd));
	close(fd);
	if (!got_text(&got, text) || got.info.offset != end)
		return fault_format("sent '%s' to partition %d, received offset %lld '%.*s'", text,
				    partition, (long long)got.info.offset, (int)got.len, got.value);
	return NULL;
}

const char *fault_world_check(struct fault_world *w)
{
	static unsigned int number;
	const char *why = NULL;

	for (int i = 0; i < FAULT_PARTITIONS && !why; i++)
		why = check_end(w, i);
	/* One at a time, for it takes longest. */
	return why ? why : check_works(w, (int)(number++ % FAULT_PARTITIONS));
}
