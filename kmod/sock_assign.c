// SPDX-License-Identifier: GPL-2.0
/*
 * SLUICE_ASSIGN: what a consumer reads, beside or instead of what bind(2) named,
 * changed while it reads. Partitions of several topics take turns as those of one
 * do.
 */
#include "partition.h"
#include "sock.h"

static int assign_add(struct sluice_sock *ssk, const struct sluice_target *t, s64 start)
{
	if (ssk->sk.sk_type == SOCK_STREAM &&
	    (ssk->cursor_count || t->partition == SLUICE_PARTITION_ANY))
		return sluice_sock_fail(ssk, -EINVAL, "a SOCK_STREAM consumer reads one partition");
	return sluice_cursors_open(ssk, t, start);
}

/* Partitions that are named one by one must be read; of a topic, some. */
static int assign_change(struct sluice_sock *ssk, const struct sluice_target *t, u32 action)
{
	bool all = t->partition == SLUICE_PARTITION_ANY;
	u32 i, end = all ? sluice_topic_partition_count(t->topic) : t->partition + 1;
	bool found = false;

	for (i = all ? 0 : t->partition; i < end; i++) {
		struct sluice_cursor *c = sluice_cursor_find(ssk, t->topic, i);

		cond_resched();
		if (!c)
			continue;
		found = true;
		if (action == SLUICE_ASSIGN_REMOVE)
			sluice_cursor_close(c);
		else
			sluice_cursor_pause(c, action == SLUICE_ASSIGN_PAUSE);
	}
	if (!found)
		return sluice_sock_fail(ssk, -ENOENT, "the socket does not read %s%s",
					all ? "" : "this partition of ", t->topic->name);
	return 0;
}

int sluice_assign(struct sluice_sock *ssk, const struct sluice_assign *req)
{
	struct sock *sk = &ssk->sk;
	struct sluice_target t;
	int err;

	sock_owned_by_me(sk);
	if (req->reserved || req->action > SLUICE_ASSIGN_RESUME ||
	    !sluice_offset_valid(req->start) || (req->action && req->start))
		return sluice_sock_fail(ssk, -EINVAL, "a field of SLUICE_ASSIGN is wrong");
	/* Whoever may not read it any more may still leave it. */
	err = sluice_target_resolve(ssk, (const struct sockaddr *)&req->addr, sizeof(req->addr),
				    req->action == SLUICE_ASSIGN_ADD ? MAY_READ : 0, &t);
	if (err)
		return err;
	if (req->action == SLUICE_ASSIGN_ADD)
		err = assign_add(ssk, &t, req->start);
	else
		err = assign_change(ssk, &t, req->action);
	sluice_target_put(&t);
	/* For who waits on the socket meanwhile: there may be something, or nothing to wait for. */
	if (!err)
		sk->sk_data_ready(sk);
	return err;
}
