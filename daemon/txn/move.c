// SPDX-License-Identifier: Apache-2.0
/* From state to state: the record in the log, then the markers. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/txn/txn_coordinator.h"

/* After markers or a record could not be written; while somebody still writes to a partition. */
#define RETRY_MS 200
#define GUARD_MS 1

static int by_place(const void *a, const void *b)
{
	const struct txn_place *x = a, *y = b;
	int32_t common = x->topic.len < y->topic.len ? x->topic.len : y->topic.len;
	int order = memcmp(x->topic.p, y->topic.p, (size_t)common);

	if (order || x->topic.len != y->topic.len)
		return order ? order
			     : (x->topic.len > y->topic.len) - (x->topic.len < y->topic.len);
	return (x->partition > y->partition) - (x->partition < y->partition);
}

static int encode(const struct txn *t, struct wire_writer *w, size_t *ret_key_len)
{
	struct txn_place *places = calloc(t->n_next + 1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_next; i++)
		places[i] = t->parts[i].place;
	qsort(places, t->n_next, sizeof(*places), by_place);
	txn_key_encode(w, t->id);
	*ret_key_len = w->buf->len;
	if (t->next.state != TXN_DEAD)
		txn_value_encode(w, &t->next, places, t->n_next);
	free(places);
	return w->err;
}

/* It is in force, or, after an error, never was. */
static void settle(struct txn *t, int16_t code)
{
	t->moving = false;
	if (code) {
		if (t->n_next > t->n)
			txn_cut(t, t->n_next, t->n);
		return;
	}
	txn_cut(t, t->n, t->n_next);
	t->n = t->n_next;
	t->now = t->next;
	t->last_epoch = t->next_last_epoch;
}

static void written(struct topic_write *w, int16_t code)
{
	struct txn *t = w->owner;
	bool closed = t->closed;

	if (closed)
		code = KAFKA_ERROR_NOT_COORDINATOR;
	settle(t, code);
	t->moved(t, t->moved_ctx, code);
	if (closed && !t->markers)
		txn_free(t);
}

void txn_next(struct txn_coordinator *c, struct txn *t, enum txn_state state)
{
	t->next = t->now;
	t->next.state = state;
	t->next.previous_producer_id = t->now.producer_id;
	t->next.update_ms = c->env->wall_ms(c->env);
	t->next_last_epoch = t->last_epoch;
	t->n_next = t->n;
}

int16_t txn_move(struct txn_coordinator *c, struct txn *t,
		 void (*moved)(struct txn *t, void *ctx, int16_t code), void *ctx)
{
	int16_t code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	struct topic_record record;
	struct wire_writer w;
	struct buf buf;
	size_t key_len;

	buf_init(&buf, INT32_MAX);
	wire_writer_init(&w, &buf);
	t->moving = true;
	t->moved = moved;
	t->moved_ctx = ctx;
	t->write = (struct topic_write){.done = written, .owner = t};
	if (!encode(t, &w, &key_len)) {
		record.key = (struct kafka_bytes){buf.data, (int32_t)key_len};
		record.value =
			(struct kafka_bytes){buf.data + key_len, (int32_t)(buf.len - key_len)};
		if (t->next.state == TXN_DEAD)
			record.value = (struct kafka_bytes){NULL, -1};
		code = c->env->append(c->env, t->partition, &record, 1, &t->write);
	}
	wire_writer_free(&w);
	buf_free(&buf);
	/* That it is too large is nothing the client could make smaller by committing less. */
	if (code == KAFKA_ERROR_INVALID_COMMIT_OFFSET_SIZE)
		code = KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
	if (code)
		settle(t, code);
	return code;
}

static void try_later(struct txn_coordinator *c, struct txn *t, int64_t ms)
{
	timer_set(c->timers, &t->retry, c->env->now_ms(c->env) + ms);
}

static void completed(struct txn *t, void *ctx, int16_t code)
{
	struct txn_coordinator *c = ctx;

	if (code && !t->closed)
		try_later(c, t, RETRY_MS);
}

/* All markers are in their logs. */
static void complete(struct txn_coordinator *c, struct txn *t)
{
	txn_next(c, t,
		 t->now.state == TXN_PREPARE_COMMIT ? TXN_COMPLETE_COMMIT : TXN_COMPLETE_ABORT);
	t->n_next = 0;
	if (t->now.client_version >= 2 && t->now.next_producer_id >= 0) {
		t->next.producer_id = t->now.next_producer_id;
		t->next.producer_epoch = 0;
	}
	t->next.next_producer_id = -1;
	if (txn_move(c, t, completed, c))
		try_later(c, t, RETRY_MS);
}

/* That the partition is gone, or that a later transaction is known there, is as good as written. */
static bool is_settled(int err)
{
	return !err || err == -ENOENT || err == -ENODEV || err == -ESTALE || err == -EOWNERDEAD;
}

static bool all_marked(const struct txn *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!t->parts[i].marked)
			return false;
	}
	return true;
}

static void marked(struct txn_marker *m, int err)
{
	struct txn_part *part = list_entry(m, struct txn_part, marker);
	struct txn *t = m->owner;

	part->marked = is_settled(err);
	if (--t->markers)
		return;
	if (t->closed && !t->moving)
		txn_free(t);
	else if (!t->closed && all_marked(t))
		complete(t->coordinator, t);
	else if (!t->closed)
		try_later(t->coordinator, t, RETRY_MS);
}

static void send_marker(struct txn_coordinator *c, struct txn *t, struct txn_part *part)
{
	int err;

	part->marker = (struct txn_marker){
		.done = marked,
		.owner = t,
		.place = part->place,
		.producer_id = t->now.producer_id,
		.producer_epoch = t->now.producer_epoch,
		.coordinator_epoch = c->env->epoch(c->env),
		.commit = t->now.state == TXN_PREPARE_COMMIT,
	};
	err = c->env->mark(c->env, &part->marker);
	t->markers += !err;
	part->marked = err && is_settled(err);
}

void txn_send_markers(struct txn_coordinator *c, struct txn *t)
{
	if (t->closed || t->moving || t->markers)
		return;
	/* Batches that were let through come first, or they would be in no transaction. */
	if (atomic_load_explicit(&t->guard->refs, memory_order_acquire) > 1) {
		try_later(c, t, GUARD_MS);
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		if (!t->parts[i].marked)
			send_marker(c, t, &t->parts[i]);
	}
	if (all_marked(t))
		complete(c, t);
	else if (!t->markers)
		try_later(c, t, RETRY_MS);
}
