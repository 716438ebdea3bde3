// SPDX-License-Identifier: GPL-2.0
/* From a sockaddr_sluice to a topic, its partition, and the right to use it. */
#include "af_sluice.h"
#include "partition.h"
#include "sock.h"

#include <linux/sched/signal.h>

/* An address is as long as its name needs, or whole. */
#define ADDR_LEN_MIN	(offsetof(struct sockaddr_sluice, sl_topic) + 1)

static bool id_is_zero(const u8 *id)
{
	return !memchr_inv(id, 0, SLUICE_TOPIC_ID_LEN);
}

static int addr_check(struct sluice_sock *ssk, const struct sockaddr_sluice *addr, int addr_len)
{
	size_t room;

	if (addr_len < (int)ADDR_LEN_MIN || addr_len > (int)sizeof(*addr))
		return sluice_sock_fail(ssk, -EINVAL, "an address has %zu to %zu bytes, not %d",
					ADDR_LEN_MIN, sizeof(*addr), addr_len);
	if (addr->sl_family != sluice_family)
		return sluice_sock_fail(ssk, -EAFNOSUPPORT, "sl_family is %u, not %d",
					addr->sl_family, sluice_family);
	if (addr->sl_flags)
		return sluice_sock_fail(ssk, -EINVAL, "sl_flags must be zero");
	if (addr->sl_partition < SLUICE_PARTITION_ANY)
		return sluice_sock_fail(ssk, -EINVAL, "partition %d cannot be", addr->sl_partition);
	room = addr_len - offsetof(struct sockaddr_sluice, sl_topic);
	if (strnlen(addr->sl_topic, room) == room)
		return sluice_sock_fail(ssk, -EINVAL, "the topic's name is not terminated");
	return 0;
}

static struct sluice_topic *topic_find(struct sluice_sock *ssk, const struct sockaddr_sluice *addr)
{
	struct net *net = sock_net(&ssk->sk);
	struct sluice_topic *topic;

	if (id_is_zero(addr->sl_topic_id)) {
		if (addr->sl_topic[0])
			return sluice_topic_find_name(net, addr->sl_topic);
		return ssk->topic_name ? sluice_topic_find_name(net, ssk->topic_name) : NULL;
	}
	topic = sluice_topic_find_id(net, addr->sl_topic_id);
	/* Both given: they must be the same topic. */
	if (topic && addr->sl_topic[0] && strcmp(topic->name, addr->sl_topic)) {
		sluice_topic_put(topic);
		return NULL;
	}
	return topic;
}

int sluice_sock_permission(struct sluice_sock *ssk, struct sluice_partition *p, int mask)
{
	int err = sluice_partition_permission(p, mask);

	if (err == -ENODEV)
		return sluice_sock_fail(ssk, err, "%s was deleted", p->topic->name);
	if (err)
		return sluice_sock_fail(ssk, err, "the mode of directory %s-%u forbids it",
					p->topic->name, p->index);
	return 0;
}

/* Who looks for a topic that is being deleted does not find it. */
static int found_permission(struct sluice_sock *ssk, struct sluice_partition *p, int mask)
{
	int err = sluice_sock_permission(ssk, p, mask);

	return err == -ENODEV ? -ENOENT : err;
}

static int partition_check(struct sluice_sock *ssk, struct sluice_topic *topic, u32 index, int mask)
{
	struct sluice_partition *p = sluice_topic_partition(topic, index);
	int err;

	if (!p)
		return sluice_sock_fail(ssk, -ENOENT, "%s has no partition %u", topic->name, index);
	err = found_permission(ssk, p, mask);
	sluice_partition_put(p);
	return err;
}

int sluice_target_resolve(struct sluice_sock *ssk, const struct sockaddr *uaddr, int addr_len,
			  int mask, struct sluice_target *ret)
{
	const struct sockaddr_sluice *addr = (const struct sockaddr_sluice *)uaddr;
	struct sluice_target t = {};
	u32 first, end, i;
	int err;

	sock_owned_by_me(&ssk->sk);
	err = addr_check(ssk, addr, addr_len);
	if (err)
		return err;
	t.topic = topic_find(ssk, addr);
	if (!t.topic)
		return sluice_sock_fail(ssk, -ENOENT, "no such topic");

	t.partition = addr->sl_partition;
	t.permitted = sluice_topic_partition_count(t.topic);
	first = t.partition == SLUICE_PARTITION_ANY ? 0 : t.partition;
	end = t.partition == SLUICE_PARTITION_ANY ? t.permitted : first + 1;
	for (i = first; i < end; i++) {
		err = partition_check(ssk, t.topic, i, mask);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		if (err) {
			sluice_topic_put(t.topic);
			return err;
		}
		cond_resched();
	}
	if (t.partition != SLUICE_PARTITION_ANY)
		t.p = sluice_topic_partition_of(t.topic, t.partition);
	*ret = t;
	return 0;
}

int sluice_addr_fill(struct sockaddr_sluice *addr, const struct sluice_topic *topic, s32 partition)
{
	memset(addr, 0, sizeof(*addr));
	addr->sl_family = sluice_family;
	addr->sl_partition = partition;
	if (!topic)
		return sizeof(*addr);
	memcpy(addr->sl_topic_id, topic->id, sizeof(addr->sl_topic_id));
	/* A name that does not fit is left out: the id is enough to find it. */
	if (strlen(topic->name) <= SLUICE_ADDR_TOPIC_MAX)
		strscpy(addr->sl_topic, topic->name, sizeof(addr->sl_topic));
	return sizeof(*addr);
}

int sluice_partition_find(struct sluice_sock *ssk, const u8 *topic_id, s32 index, int mask,
			  struct sluice_topic **ret_topic, struct sluice_partition **ret_p)
{
	struct sluice_topic *topic = sluice_topic_find_id(sock_net(&ssk->sk), topic_id);
	struct sluice_partition *p;
	int err;

	if (!topic)
		return sluice_sock_fail(ssk, -ENOENT, "no topic of that id");
	p = index < 0 ? NULL : sluice_topic_partition(topic, index);
	if (!p) {
		err = sluice_sock_fail(ssk, -ENOENT, "%s has no partition %d", topic->name, index);
		goto err_topic;
	}
	err = found_permission(ssk, p, mask);
	if (err)
		goto err_partition;
	*ret_topic = topic;
	*ret_p = p;
	return 0;

err_partition:
	sluice_partition_put(p);
err_topic:
	sluice_topic_put(topic);
	return err;
}
