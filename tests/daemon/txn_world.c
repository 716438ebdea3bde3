// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>

#include "tests/daemon/txn_world.h"

static struct txn_world *world_of(struct txn_env *env)
{
	return list_entry(env, struct txn_world, env);
}

static int64_t now_ms(struct txn_env *env)
{
	return world_of(env)->world.now_ms;
}

static int32_t epoch(struct txn_env *env)
{
	(void)env;
	return 0;
}

static int16_t producer_id(struct txn_env *env, int64_t *ret_id)
{
	*ret_id = world_of(env)->next_id++;
	return 0;
}

static int16_t append(struct txn_env *env, int32_t partition, const struct topic_record *records,
		      size_t n, struct topic_write *tw)
{
	return world_append(&world_of(env)->world, partition, records, n, tw);
}

static int16_t last_epoch(const struct txn_world_data *d, int64_t id)
{
	for (size_t i = d->n; i-- > 0;) {
		if (d->entries[i].producer_id == id)
			return d->entries[i].epoch;
	}
	return -1;
}

static int add(struct txn_world *w, int32_t partition, struct txn_world_entry e)
{
	struct txn_world_data *d;

	if (partition >= TXN_WORLD_DATA)
		return -ENOENT;
	d = &w->data[partition];
	if (e.epoch < last_epoch(d, e.producer_id))
		return -ESTALE;
	d->entries = reallocarray(d->entries, d->n + 1, sizeof(*d->entries));
	d->entries[d->n++] = e;
	return 0;
}

static int mark(struct txn_env *env, struct txn_marker *m)
{
	struct txn_world *w = world_of(env);
	struct txn_world_mark *wm;
	int err = w->mark_error;

	if (!err)
		err = add(w, m->place.partition,
			  (struct txn_world_entry){
				  .marker = true,
				  .commit = m->commit,
				  .producer_id = m->producer_id,
				  .epoch = m->producer_epoch,
			  });
	if (err)
		return err;
	wm = calloc(1, sizeof(*wm));
	wm->m = m;
	list_append(&w->marks, &wm->link);
	return 0;
}

int txn_world_produce(struct txn_world *w, int32_t partition, int64_t id, int16_t producer_epoch,
		      int64_t value)
{
	return add(w, partition,
		   (struct txn_world_entry){
			   .producer_id = id,
			   .epoch = producer_epoch,
			   .value = value,
		   });
}

enum fate txn_world_fate(const struct txn_world *w, int32_t partition, int64_t value)
{
	const struct txn_world_data *d = &w->data[partition];
	int64_t id = -1;

	for (size_t i = 0; i < d->n; i++) {
		const struct txn_world_entry *e = &d->entries[i];

		if (!e->marker && e->value == value)
			id = e->producer_id;
		else if (e->marker && id >= 0 && e->producer_id == id)
			return e->commit ? FATE_COMMITTED : FATE_ABORTED;
	}
	return id < 0 ? FATE_NONE : FATE_OPEN;
}

static void load(struct txn_world *w)
{
	txn_coordinator_init(&w->c, &w->env, &w->settings, &w->world.timers);
	txn_coordinator_open(&w->c, TXN_WORLD_PARTITIONS);
	for (size_t i = 0; i < w->world.n_records; i++) {
		const struct topic_load load = world_load(&w->world.records[i]);

		if (txn_coordinator_load(&w->c, w->world.records[i].partition, &load))
			abort();
	}
	for (int32_t i = 0; i < TXN_WORLD_PARTITIONS; i++)
		txn_coordinator_loaded(&w->c, i);
}

void txn_world_init(struct txn_world *w)
{
	*w = (struct txn_world){
		.env =
			{
				.append = append,
				.mark = mark,
				.epoch = epoch,
				.producer_id = producer_id,
				.now_ms = now_ms,
				.wall_ms = now_ms,
			},
		.settings =
			{
				.timeout_max_ms = 900000,
				.id_expiration_ms = INT64_C(7) * 24 * 3600 * 1000,
			},
		.next_id = 1000,
	};
	world_init(&w->world);
	list_init(&w->marks);
	load(w);
}

bool txn_world_mark_done(struct txn_world *w, int err)
{
	struct list *at = list_take(&w->marks);
	struct txn_marker *m;

	if (!at)
		return false;
	m = list_entry(at, struct txn_world_mark, link)->m;
	free(list_entry(at, struct txn_world_mark, link));
	m->done(m, err);
	return true;
}

void txn_world_settle(struct txn_world *w)
{
	while (world_flush(&w->world, 0) || txn_world_mark_done(w, 0))
		continue;
}

static void die(struct txn_world *w)
{
	txn_coordinator_stop(&w->c);
	while (world_flush(&w->world, KAFKA_ERROR_NOT_COORDINATOR) || txn_world_mark_done(w, -EIO))
		continue;
	txn_coordinator_free(&w->c);
}

void txn_world_crash(struct txn_world *w, size_t keep)
{
	die(w);
	world_cut(&w->world, keep);
	load(w);
}

void txn_world_free(struct txn_world *w)
{
	die(w);
	world_free(&w->world);
	for (int i = 0; i < TXN_WORLD_DATA; i++)
		free(w->data[i].entries);
}
