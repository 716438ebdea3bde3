// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/owned.h"
#include "tests/daemon/group_world.h"

#define START_MS 1700000000000

static struct world *world_of(struct coordinator_env *env)
{
	return list_entry(env, struct world, env);
}

static int64_t now_ms(struct coordinator_env *env)
{
	return world_of(env)->now_ms;
}

static void unique(struct coordinator_env *env, char ret[37])
{
	snprintf(ret, 37, "00000000-0000-4000-8000-%012x", ++world_of(env)->ids);
}

static int16_t append(struct coordinator_env *env, int32_t partition,
		      const struct topic_record *records, size_t n, struct topic_write *gw)
{
	struct world *w = world_of(env);
	struct world_write *ww;

	if (w->append_code)
		return w->append_code;
	w->records = reallocarray(w->records, w->n_records + n, sizeof(*w->records));
	for (size_t i = 0; i < n; i++) {
		struct world_record *r = &w->records[w->n_records++];

		*r = (struct world_record){
			.partition = partition,
			.value = {NULL, -1},
			.producer_id = gw->transactional ? gw->producer_id : -1,
		};
		bytes_copy(&r->key, records[i].key);
		if (records[i].value.len >= 0)
			bytes_copy(&r->value, records[i].value);
	}
	ww = calloc(1, sizeof(*ww));
	ww->w = gw;
	ww->end = w->n_records;
	list_append(&w->writes, &ww->link);
	return 0;
}

void world_end(struct world *w, int32_t partition, int64_t producer_id, bool commit)
{
	w->records = reallocarray(w->records, w->n_records + 1, sizeof(*w->records));
	w->records[w->n_records++] = (struct world_record){
		.partition = partition,
		.producer_id = producer_id,
		.commit = commit,
	};
	w->n_durable = w->n_records;
	coordinator_ended(&w->c, partition, producer_id, commit);
}

static void load(struct world *w)
{
	coordinator_init(&w->c, &w->env, &w->settings, &w->timers);
	coordinator_open(&w->c, WORLD_PARTITIONS);
	for (size_t i = 0; i < w->n_records; i++) {
		const struct world_record *r = &w->records[i];

		const struct topic_load load = {
			.key = r->key.p,
			.key_len = (size_t)r->key.len,
			.value = r->value.p,
			.value_len = r->value.len < 0 ? 0 : (size_t)r->value.len,
			.producer_id = r->producer_id,
		};

		if (!r->key.p)
			coordinator_ended(&w->c, r->partition, r->producer_id, r->commit);
		else if (coordinator_load(&w->c, r->partition, &load))
			abort();
	}
	for (int32_t i = 0; i < WORLD_PARTITIONS; i++)
		coordinator_loaded(&w->c, i);
}

void world_init(struct world *w)
{
	*w = (struct world){
		.env = {.append = append, .unique = unique, .now_ms = now_ms, .wall_ms = now_ms},
		.settings =
			{
				.initial_delay_ms = 3000,
				.offsets_retention_ms = INT64_C(7) * 24 * 3600 * 1000,
				.session_min_ms = 6000,
				.session_max_ms = 1800000,
				.size_max = INT32_MAX,
				.metadata_max = 4096,
			},
		.now_ms = START_MS,
	};
	list_init(&w->writes);
	load(w);
}

bool world_flush(struct world *w, int16_t code)
{
	struct list *at = list_take(&w->writes);
	struct world_write *ww;
	struct topic_write *gw;

	if (!at)
		return false;
	ww = list_entry(at, struct world_write, link);
	gw = ww->w;
	if (!code && ww->end > w->n_durable)
		w->n_durable = ww->end;
	free(ww);
	gw->done(gw, code);
	return true;
}

void world_flush_all(struct world *w)
{
	while (world_flush(w, 0))
		continue;
}

void world_pass(struct world *w, int64_t ms)
{
	int64_t end = w->now_ms + ms;

	while (timer_next(&w->timers) <= end) {
		if (timer_next(&w->timers) > w->now_ms)
			w->now_ms = timer_next(&w->timers);
		timer_run(&w->timers, w->now_ms);
		if (timer_next(&w->timers) <= w->now_ms)
			w->now_ms++;
	}
	if (w->now_ms < end)
		w->now_ms = end;
}

static void die(struct world *w)
{
	size_t n_durable = w->n_durable;

	coordinator_stop(&w->c);
	while (world_flush(w, KAFKA_ERROR_NOT_COORDINATOR))
		continue;
	coordinator_free(&w->c);
	w->n_durable = n_durable;
}

static void cut(struct world *w, size_t n)
{
	while (w->n_records > n) {
		struct world_record *r = &w->records[--w->n_records];

		bytes_free(&r->key);
		bytes_free(&r->value);
	}
}

void world_crash(struct world *w, size_t keep)
{
	die(w);
	if (w->n_durable + keep < w->n_records)
		cut(w, w->n_durable + keep);
	w->n_durable = w->n_records;
	load(w);
}

void world_free(struct world *w)
{
	die(w);
	cut(w, 0);
	free(w->records);
}
