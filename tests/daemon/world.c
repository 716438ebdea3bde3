// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "daemon/core/owned.h"
#include "tests/daemon/world.h"

#define START_MS 1700000000000

/** struct world_write - a batch; @end: how many records there were behind it */
struct world_write {
	struct list link;
	struct topic_write *w;
	size_t end;
};

void world_init(struct world *w)
{
	*w = (struct world){.now_ms = START_MS};
	list_init(&w->writes);
}

struct world_record *world_record_add(struct world *w, int32_t partition, int64_t producer_id)
{
	struct world_record *r;

	w->records = reallocarray(w->records, w->n_records + 1, sizeof(*w->records));
	r = &w->records[w->n_records++];
	*r = (struct world_record){
		.partition = partition,
		.value = {NULL, -1},
		.producer_id = producer_id,
	};
	return r;
}

int16_t world_append(struct world *w, int32_t partition, const struct topic_record *records,
		     size_t n, struct topic_write *tw)
{
	struct world_write *ww;

	if (w->append_code)
		return w->append_code;
	for (size_t i = 0; i < n; i++) {
		struct world_record *r =
			world_record_add(w, partition, tw->transactional ? tw->producer_id : -1);

		bytes_copy(&r->key, records[i].key);
		if (records[i].value.len >= 0)
			bytes_copy(&r->value, records[i].value);
	}
	ww = calloc(1, sizeof(*ww));
	ww->w = tw;
	ww->end = w->n_records;
	list_append(&w->writes, &ww->link);
	return 0;
}

struct topic_load world_load(const struct world_record *r)
{
	return (struct topic_load){
		.key = r->key.p,
		.key_len = (size_t)r->key.len,
		.value = r->value.p,
		.value_len = r->value.len < 0 ? 0 : (size_t)r->value.len,
		.producer_id = r->producer_id,
	};
}

bool world_flush(struct world *w, int16_t code)
{
	struct list *at = list_take(&w->writes);
	struct world_write *ww;
	struct topic_write *tw;

	if (!at)
		return false;
	ww = list_entry(at, struct world_write, link);
	tw = ww->w;
	if (!code && ww->end > w->n_durable)
		w->n_durable = ww->end;
	free(ww);
	tw->done(tw, code);
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

static void cut(struct world *w, size_t n)
{
	while (w->n_records > n) {
		struct world_record *r = &w->records[--w->n_records];

		bytes_free(&r->key);
		bytes_free(&r->value);
	}
}

void world_cut(struct world *w, size_t keep)
{
	cut(w, w->n_durable + keep);
	w->n_durable = w->n_records;
}

void world_free(struct world *w)
{
	cut(w, 0);
	free(w->records);
}
