// SPDX-License-Identifier: GPL-2.0
/* Building and sending events. */

#include "event.h"

#include "netlink.h"
#include "partition.h"

/* One event; what is NULL or negative is left out. */
struct event {
	enum sluice_event_type type;
	const char *data_dir;
	const struct sluice_topic *topic;
	s64 partition;
	s64 base_offset;
	int error;
	const char *reason;
};

static int fill(struct sk_buff *skb, const struct event *e)
{
	if (nla_put_u32(skb, SLUICE_A_EVENT_TYPE, e->type))
		return -EMSGSIZE;
	if (e->data_dir && nla_put_string(skb, SLUICE_A_EVENT_DATA_DIR, e->data_dir))
		return -EMSGSIZE;
	if (e->topic && (nla_put_string(skb, SLUICE_A_EVENT_TOPIC, e->topic->name) ||
			 nla_put(skb, SLUICE_A_EVENT_TOPIC_ID, SLUICE_TOPIC_ID_LEN,
				 e->topic->id)))
		return -EMSGSIZE;
	if (e->partition >= 0 && nla_put_u32(skb, SLUICE_A_EVENT_PARTITION, e->partition))
		return -EMSGSIZE;
	if (e->base_offset >= 0 &&
	    nla_put_u64_64bit(skb, SLUICE_A_EVENT_BASE_OFFSET, e->base_offset,
			      SLUICE_A_EVENT_PAD))
		return -EMSGSIZE;
	if (e->error && nla_put_u32(skb, SLUICE_A_EVENT_ERROR, -e->error))
		return -EMSGSIZE;
	if (e->reason && nla_put_string(skb, SLUICE_A_EVENT_REASON, e->reason))
		return -EMSGSIZE;
	return 0;
}

static void send(struct net *net, const struct event *e)
{
	struct sk_buff *skb;
	void *hdr;

	if (!sluice_nl_has_listeners(net))
		return;
	skb = genlmsg_new(SLUICE_NL_REPLY_SIZE, GFP_KERNEL);
	if (!skb)
		goto err_alloc;
	hdr = genlmsg_put(skb, 0, 0, &sluice_nl_family, 0, SLUICE_CMD_EVENT);
	if (!hdr || fill(skb, e))
		goto err_fill;
	genlmsg_end(skb, hdr);
	sluice_nl_multicast(net, skb);
	return;

err_fill:
	nlmsg_free(skb);
err_alloc:
	sluice_nl_lost_event(net);
}

void sluice_event_data_dir(struct net *net, enum sluice_event_type type, const char *path)
{
	const struct event e = {
		.type = type,
		.data_dir = path,
		.partition = -1,
		.base_offset = -1,
	};

	send(net, &e);
}

void sluice_event_topic(enum sluice_event_type type, const struct sluice_topic *t)
{
	const struct event e = {
		.type = type,
		.topic = t,
		.partition = -1,
		.base_offset = -1,
	};

	send(t->net, &e);
}

static void send_offset(const struct sluice_partition *p, enum sluice_event_type type, s64 offset)
{
	const struct event e = {
		.type = type,
		.topic = p->topic,
		.partition = p->index,
		.base_offset = offset,
	};

	send(p->topic->net, &e);
}

void sluice_event_roll(const struct sluice_partition *p, s64 base_offset)
{
	send_offset(p, SLUICE_EVENT_TYPE_SEGMENT_ROLLED, base_offset);
}

void sluice_event_log_start(const struct sluice_partition *p)
{
	send_offset(p, SLUICE_EVENT_TYPE_LOG_START_MOVED, sluice_log_start_offset(p->log));
}

void sluice_event_truncated(const struct sluice_partition *p, s64 end_offset)
{
	send_offset(p, SLUICE_EVENT_TYPE_LOG_TRUNCATED, end_offset);
}

void sluice_event_offline(const struct sluice_partition *p)
{
	const struct event e = {
		.type = SLUICE_EVENT_TYPE_PARTITION_OFFLINE,
		.topic = p->topic,
		.partition = p->index,
		.base_offset = -1,
		.error = p->error,
		.reason = p->reason,
	};

	send(p->topic->net, &e);
}
