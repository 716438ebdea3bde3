// SPDX-License-Identifier: GPL-2.0
/* Netlink requests about partitions: state, offsets and counters. */

#include "netlink.h"

#include "netns.h"
#include "partition.h"

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, SLUICE_A_PARTITION_PAD);
}

static int fill_offsets(struct sk_buff *skb, struct sluice_log *log)
{
	if (put_u64(skb, SLUICE_A_PARTITION_LOG_START_OFFSET, sluice_log_start_offset(log)) ||
	    put_u64(skb, SLUICE_A_PARTITION_LAST_STABLE_OFFSET,
		    sluice_log_last_stable_offset(log)) ||
	    put_u64(skb, SLUICE_A_PARTITION_HIGH_WATERMARK, sluice_log_high_watermark(log)) ||
	    put_u64(skb, SLUICE_A_PARTITION_LOG_END_OFFSET, sluice_log_end_offset(log)) ||
	    put_u64(skb, SLUICE_A_PARTITION_RECOVERY_POINT, sluice_log_recovery_point(log)) ||
	    nla_put_u32(skb, SLUICE_A_PARTITION_LEADER_EPOCH, sluice_log_leader_epoch(log)) ||
	    nla_put_u32(skb, SLUICE_A_PARTITION_SEGMENTS, sluice_log_segment_count(log)) ||
	    put_u64(skb, SLUICE_A_PARTITION_SIZE_BYTES, sluice_log_size_bytes(log)) ||
	    put_u64(skb, SLUICE_A_PARTITION_GENERATION, sluice_log_generation(log)))
		return -EMSGSIZE;
	return 0;
}

static int fill_stats(struct sk_buff *skb, const struct sluice_stats *s)
{
	const struct { int attr; const atomic64_t *value; } fields[] = {
		{ SLUICE_A_PARTITION_APPEND_BATCHES, &s->append_batches },
		{ SLUICE_A_PARTITION_APPEND_RECORDS, &s->append_records },
		{ SLUICE_A_PARTITION_APPEND_BYTES, &s->append_bytes },
		{ SLUICE_A_PARTITION_FETCHES, &s->fetches },
		{ SLUICE_A_PARTITION_FETCH_BYTES, &s->fetch_bytes },
		{ SLUICE_A_PARTITION_FLUSHES, &s->flushes },
		{ SLUICE_A_PARTITION_ROLLS, &s->rolls },
		{ SLUICE_A_PARTITION_REFUSED_BATCHES, &s->refused_batches },
		{ SLUICE_A_PARTITION_REMOVED_BYTES, &s->removed_bytes },
		{ SLUICE_A_PARTITION_TRUNCATIONS, &s->truncations },
		{ SLUICE_A_PARTITION_REPLACEMENTS, &s->replacements },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (put_u64(skb, fields[i].attr, atomic64_read(fields[i].value)))
			return -EMSGSIZE;
	return 0;
}

static int fill_state(struct sk_buff *skb, const struct sluice_partition *p)
{
	const char *reason = READ_ONCE(p->reason);
	int error = READ_ONCE(p->error);

	if (nla_put_u32(skb, SLUICE_A_PARTITION_STATE, READ_ONCE(p->state)))
		return -EMSGSIZE;
	if (error && nla_put_u32(skb, SLUICE_A_PARTITION_ERROR, -error))
		return -EMSGSIZE;
	if (reason && nla_put_string(skb, SLUICE_A_PARTITION_REASON, reason))
		return -EMSGSIZE;
	return 0;
}

/* The partition is entered. */
static int fill_partition(struct sk_buff *skb, const struct sluice_topic *t,
			  struct sluice_partition *p)
{
	if (nla_put_string(skb, SLUICE_A_PARTITION_TOPIC, t->name) ||
	    nla_put(skb, SLUICE_A_PARTITION_TOPIC_ID, SLUICE_TOPIC_ID_LEN, t->id) ||
	    nla_put_u32(skb, SLUICE_A_PARTITION_INDEX, p->index) ||
	    fill_state(skb, p) ||
	    fill_offsets(skb, p->log) ||
	    fill_stats(skb, &p->stats))
		return -EMSGSIZE;
	return 0;
}

static int with_partition_of(struct genl_info *info, struct sluice_topic *t, u32 index, char *why,
			     sluice_nl_partition_fn fn)
{
	struct sluice_partition *p = sluice_topic_partition(t, index);
	int err;

	if (!p) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "topic %.80s has no partition %u", t->name,
			 index);
		return -ENOENT;
	}
	err = sluice_partition_enter(p);
	if (err) {
		strscpy(why, "the topic was removed", SLUICE_ERROR_TEXT_MAX);
		goto out;
	}
	err = fn(info, t, p, why);
	sluice_partition_leave(p);
out:
	sluice_partition_put(p);
	return err;
}

int sluice_nl_with_partition(struct genl_info *info, char *why, sluice_nl_partition_fn fn)
{
	struct sluice_topic *t;
	int err;

	err = sluice_nl_require(info, SLUICE_A_PARTITION_INDEX, "index", why);
	if (err)
		return err;
	t = sluice_nl_find_topic(genl_info_net(info), info->attrs[SLUICE_A_PARTITION_TOPIC],
				 info->attrs[SLUICE_A_PARTITION_TOPIC_ID], why);
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = with_partition_of(info, t, nla_get_u32(info->attrs[SLUICE_A_PARTITION_INDEX]), why,
				fn);
	sluice_nl_put_topic(sluice_net(genl_info_net(info)), t);
	return err;
}

static int reply(struct genl_info *info, struct sluice_topic *t, struct sluice_partition *p,
		 char *why)
{
	struct sk_buff *msg = genlmsg_new(SLUICE_NL_REPLY_SIZE, GFP_KERNEL);
	void *hdr;

	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_put_reply(msg, info, &sluice_nl_family, 0, SLUICE_CMD_PARTITION_GET);
	if (!hdr || fill_partition(msg, t, p)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

int sluice_nl_partition_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, sluice_nl_with_partition(info, why, reply), why);
}

/* Where a dump of partitions stands; lives in cb->ctx. */
struct dump_cursor {
	unsigned long serial;
	unsigned long last_serial;
	u32 index;
	bool begun;
};

static int begin_dump(struct netlink_callback *cb, struct net *net, struct dump_cursor *cur)
{
	struct nlattr *tb[SLUICE_A_PARTITION_MAX + 1];
	char why[SLUICE_ERROR_TEXT_MAX];
	struct sluice_topic *t;
	int err;

	/* The family's policy has been over them already. */
	err = genlmsg_parse(cb->nlh, &sluice_nl_family, tb, SLUICE_A_PARTITION_MAX, NULL,
			    cb->extack);
	if (err)
		return err;
	cur->begun = true;
	cur->last_serial = ULONG_MAX;
	if (!tb[SLUICE_A_PARTITION_TOPIC] && !tb[SLUICE_A_PARTITION_TOPIC_ID])
		return 0;
	t = sluice_nl_find_topic(net, tb[SLUICE_A_PARTITION_TOPIC],
				 tb[SLUICE_A_PARTITION_TOPIC_ID], why);
	if (IS_ERR(t)) {
		NL_SET_ERR_MSG(cb->extack, "no such topic");
		return PTR_ERR(t);
	}
	cur->serial = t->serial;
	cur->last_serial = t->serial;
	sluice_nl_put_topic(sluice_net(net), t);
	return 0;
}

static int dump_partition(struct sk_buff *skb, struct netlink_callback *cb,
			  const struct sluice_topic *t, struct sluice_partition *p)
{
	void *hdr = sluice_nl_dump_header(skb, cb, SLUICE_CMD_PARTITION_GET);
	int err;

	if (!hdr)
		return -EMSGSIZE;
	err = sluice_partition_enter(p);
	if (err)
		goto err_enter;
	err = fill_partition(skb, t, p);
	sluice_partition_leave(p);
	if (err)
		goto err_enter;
	genlmsg_end(skb, hdr);
	return 0;

err_enter:
	genlmsg_cancel(skb, hdr);
	return err;
}

static int dump_topic(struct sk_buff *skb, struct netlink_callback *cb, struct sluice_topic *t,
		      struct dump_cursor *cur)
{
	for (; cur->index < sluice_topic_partition_count(t); cur->index++) {
		struct sluice_partition *p = sluice_topic_partition(t, cur->index);
		int err = dump_partition(skb, cb, t, p);

		sluice_partition_put(p);
		/* Removed meanwhile: the next message says that the dump was interrupted. */
		if (err && err != -ENODEV)
			return err;
	}
	return 0;
}

/* The topic to go on with, held; NULL: there is none left. */
static struct sluice_topic *next_topic(struct netlink_callback *cb, struct sluice_net *sn,
				       struct dump_cursor *cur)
{
	unsigned long serial = cur->serial;
	struct sluice_topic *t;
	int err;

	err = sluice_nl_lock(sn);
	if (err)
		return ERR_PTR(err);
	cb->seq = sn->generation;
	t = xa_find(&sn->topics, &serial, cur->last_serial, XA_PRESENT);
	if (t)
		sluice_nl_hold_topic(sn, t);
	mutex_unlock(&sn->config_mutex);
	/* The one it stood at may have been removed meanwhile. */
	if (serial != cur->serial)
		cur->index = 0;
	cur->serial = serial;
	return t;
}

int sluice_nl_partition_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_cursor *cur = (struct dump_cursor *)cb->ctx;
	struct net *net = sock_net(skb->sk);
	struct sluice_topic *t;
	int err = 0;

	BUILD_BUG_ON(sizeof(*cur) > sizeof(cb->ctx));
	if (!cur->begun)
		err = begin_dump(cb, net, cur);
	/* Without the config mutex: the first look at the size of a log takes its disk. */
	while (!err) {
		t = next_topic(cb, sluice_net(net), cur);
		if (IS_ERR_OR_NULL(t)) {
			err = PTR_ERR_OR_ZERO(t);
			break;
		}
		err = dump_topic(skb, cb, t, cur);
		sluice_nl_put_topic(sluice_net(net), t);
		if (!err) {
			cur->serial++;
			cur->index = 0;
		}
	}
	return skb->len ?: err;
}
