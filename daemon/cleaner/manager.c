// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "daemon/cleaner/manager.h"

void cleaner_manager_init(struct cleaner_manager *m)
{
	*m = (struct cleaner_manager){0};
	htable_init(&m->entries);
}

static void free_entry(struct hnode *n, void *ctx)
{
	(void)ctx;
	free(hnode_entry(n, struct cleaner_entry, node));
}

void cleaner_manager_destroy(struct cleaner_manager *m)
{
	htable_each(&m->entries, free_entry, NULL);
	htable_free(&m->entries);
}

void cleaner_manager_begin(struct cleaner_manager *m)
{
	m->round++;
	m->best = NULL;
	m->best_ratio = 0;
}

static struct cleaner_entry *find(const struct cleaner_manager *m, const uint8_t *topic_id,
				  uint32_t index, uint64_t hash)
{
	for (struct hnode *n = htable_first(&m->entries, hash); n; n = htable_next(n)) {
		struct cleaner_entry *e = hnode_entry(n, struct cleaner_entry, node);

		if (e->index == index && !memcmp(e->topic_id, topic_id, sizeof(e->topic_id)))
			return e;
	}
	return NULL;
}

/* What was known of the log it was before does not count any more. */
static void opened_anew(struct cleaner_manager *m, struct cleaner_entry *e, uint64_t generation)
{
	m->uncleanable -= e->uncleanable;
	e->uncleanable = false;
	e->not_before_ms = 0;
	e->distrust = true;
	e->generation = generation;
}

struct cleaner_entry *cleaner_manager_see(struct cleaner_manager *m,
					  const uint8_t topic_id[SLUICE_TOPIC_ID_LEN],
					  uint32_t index, uint64_t generation, bool *ret_new)
{
	uint64_t hash = hash_u64(hash_bytes(0, topic_id, SLUICE_TOPIC_ID_LEN), index);
	struct cleaner_entry *e = find(m, topic_id, index, hash);

	*ret_new = !e;
	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return NULL;
		memcpy(e->topic_id, topic_id, sizeof(e->topic_id));
		e->index = index;
		e->generation = generation;
		if (htable_insert(&m->entries, &e->node, hash)) {
			free(e);
			return NULL;
		}
	}
	/* Who works on it finds out by himself, and says that it changed. */
	if (e->generation != generation && !e->in_progress)
		opened_anew(m, e, generation);
	e->round = m->round;
	return e;
}

bool cleaner_entry_ready(const struct cleaner_entry *e, int64_t now_ms)
{
	return !e->in_progress && !e->uncleanable && now_ms >= e->not_before_ms;
}

bool cleaner_manager_offer(struct cleaner_manager *m, struct cleaner_entry *e,
			   const struct sluice_clean_bounds *b, double min_ratio)
{
	double ratio = sluice_clean_ratio(b);

	if (!sluice_clean_due(b, min_ratio) || (m->best && ratio <= m->best_ratio))
		return false;
	m->best = e;
	m->best_ratio = ratio;
	return true;
}

static void forget_unseen(struct hnode *n, void *ctx)
{
	struct cleaner_entry *e = hnode_entry(n, struct cleaner_entry, node);
	struct cleaner_manager *m = ctx;

	if (e->round == m->round || e->in_progress)
		return;
	m->uncleanable -= e->uncleanable;
	htable_remove(&m->entries, n);
	free(e);
}

struct cleaner_entry *cleaner_manager_take(struct cleaner_manager *m)
{
	struct cleaner_entry *e = m->best;

	if (e)
		e->in_progress = true;
	htable_each(&m->entries, forget_unseen, m);
	m->best = NULL;
	return e;
}

void cleaner_manager_done(struct cleaner_manager *m, struct cleaner_entry *e,
			  enum cleaner_outcome outcome, int64_t now_ms, int64_t backoff_ms)
{
	e->in_progress = false;
	switch (outcome) {
	case CLEANER_DONE: e->distrust = false; break;
	case CLEANER_WAITS:
	case CLEANER_CHANGED: e->not_before_ms = now_ms + backoff_ms; break;
	case CLEANER_STOPPED: break;
	case CLEANER_FAILED: e->not_before_ms = now_ms + CLEANER_RETRY_MS; break;
	case CLEANER_DAMAGED:
		e->uncleanable = true;
		m->uncleanable++;
		break;
	}
}
