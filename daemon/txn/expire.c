// SPDX-License-Identifier: Apache-2.0
/* What ends because its time has come: transactions, and transactional ids. */
#include "daemon/txn/txn_coordinator.h"

static void fenced(struct txn *t, void *ctx, int16_t code)
{
	(void)ctx;
	if (!code)
		txn_send_markers(t->coordinator, t);
}

void txn_abort_timed_out(struct txn_coordinator *c)
{
	int64_t now = c->env->wall_ms(c->env);
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &c->list)
	{
		struct txn *t = list_entry(at, struct txn, link);

		/* What cannot be written now is found again next time. */
		if (!t->moving && c->partitions.state[t->partition] == PARTITION_ACTIVE &&
		    t->now.state == TXN_ONGOING && t->now.start_ms + t->now.timeout_ms < now)
			(void)txn_fence(c, t, fenced, NULL);
	}
}

static void buried(struct txn *t, void *ctx, int16_t code)
{
	if (!code)
		txn_drop(ctx, t);
}

static bool is_idle(const struct txn *t)
{
	return t->now.state == TXN_EMPTY || t->now.state == TXN_COMPLETE_COMMIT ||
	       t->now.state == TXN_COMPLETE_ABORT;
}

void txn_expire(struct txn_coordinator *c)
{
	int64_t since = c->env->wall_ms(c->env) - c->settings.id_expiration_ms;
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &c->list)
	{
		struct txn *t = list_entry(at, struct txn, link);

		if (t->moving || c->partitions.state[t->partition] != PARTITION_ACTIVE ||
		    !is_idle(t) || t->now.update_ms > since)
			continue;
		txn_next(c, t, TXN_DEAD);
		t->n_next = 0;
		(void)txn_move(c, t, buried, c);
	}
}
