// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* What the cleaner must know of a log's producers, from its files. */
#include "clean_producers.h"
#include "batch_cursor.h"
#include "producer_snapshot.h"
#include "segment_name.h"

#include <stdlib.h>

#define CHUNK_BYTES	65536

/* @offset: all below it is in @state. */
struct gathering {
	struct port_dir *dir;
	struct sluice_producer_state *state;
	s64 offset;
	s64 end;
	u8 *chunk;
	char *err;
};

/* Gives an empty state if there is no snapshot that can be read. */
static int load_newest(struct gathering *g)
{
	s64 *offsets;
	u32 count;
	int ret;

	ret = sluice_segment_list_dir(g->dir, SLUICE_SUFFIX_SNAPSHOT, &offsets, &count);
	while (!ret && count-- > 0) {
		if (offsets[count] > g->end)
			continue;
		ret = sluice_producer_state_load(g->state, g->dir, offsets[count], g->err);
		if (!ret) {
			g->offset = offsets[count];
			break;
		}
		if (ret != -EUCLEAN && ret != -ENOENT)
			break;
		/* It may have got half of it. */
		sluice_producer_state_free(g->state);
		g->state = sluice_producer_state_new();
		ret = g->state ? 0 : -ENOMEM;
	}
	port_free(offsets);
	return ret;
}

static int replay_file(struct gathering *g, struct port_file *file, s64 base_offset)
{
	struct sluice_aborted_txn txn;
	struct sluice_batch_cursor c;
	struct sluice_batch b;
	s64 size = port_file_size(file);
	const char *why;
	int ret;

	if (size < 0)
		return (int)size;
	sluice_batch_cursor_init(&c, file, 0, (u64)size, base_offset);
	sluice_batch_cursor_use(&c, g->chunk, CHUNK_BYTES);
	while ((ret = sluice_batch_cursor_peek(&c, &b, &why)) > 0) {
		if (sluice_batch_last_offset(&b) >= g->end)
			return 0;
		if (b.producer_id >= 0 && sluice_batch_last_offset(&b) >= g->offset) {
			ret = sluice_producer_state_replay(g->state, file, c.position, &b, &txn);
			if (ret < 0)
				return ret;
		}
		g->offset = max(g->offset, sluice_batch_last_offset(&b) + 1);
		sluice_batch_cursor_next(&c, &b);
	}
	/* What stands behind the end of a log that is written to is no batch yet. */
	return ret == -EBADMSG && g->end != S64_MAX ? 0 : ret;
}

static int replay_segment(struct gathering *g, s64 base_offset)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	int ret;

	sluice_segment_name(name, base_offset, SLUICE_SUFFIX_LOG);
	ret = port_file_open(g->dir, name, PORT_RDONLY, &file);
	if (!ret) {
		ret = replay_file(g, file, base_offset);
		port_file_close(file);
	}
	if (ret)
		snprintf(g->err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be read (error %d)", name,
			 -ret);
	return ret;
}

static int replay(struct gathering *g)
{
	u32 count, i;
	s64 *bases;
	int ret;

	ret = sluice_segment_list_dir(g->dir, SLUICE_SUFFIX_LOG, &bases, &count);
	for (i = 0; !ret && i < count; i++) {
		/* Nothing behind the end is looked at, so nothing is known of it. */
		if (bases[i] > g->end)
			break;
		/* Wholly below what the snapshot has. */
		if (i + 1 < count && bases[i + 1] <= g->offset)
			continue;
		g->offset = max(g->offset, bases[i]);
		ret = replay_segment(g, bases[i]);
	}
	port_free(bases);
	return ret;
}

static int add(void *ctx, const struct sluice_producer_entry *e)
{
	struct sluice_clean_producers *p = ctx;

	p->items[p->count].id = e->id;
	p->items[p->count].epoch = e->epoch;
	p->items[p->count].last_offset = e->last.last_offset;
	p->count++;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct sluice_clean_producer *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int collect(const struct gathering *g, struct sluice_clean_producers *p)
{
	u32 count = sluice_producer_state_count(g->state);
	int ret;

	p->first_unstable = sluice_producer_state_first_unstable(g->state);
	p->end_offset = g->offset;
	if (!count)
		return 0;
	p->items = port_alloc(count * sizeof(*p->items));
	if (!p->items)
		return -ENOMEM;
	ret = sluice_producer_state_each(g->state, add, p);
	if (!ret)
		qsort(p->items, p->count, sizeof(*p->items), by_id);
	return ret;
}

int sluice_clean_producers(struct port_dir *dir, s64 end, struct sluice_clean_producers *ret_p,
			   char *err)
{
	struct gathering g = { .dir = dir, .end = end, .err = err };
	int ret = -ENOMEM;

	memset(ret_p, 0, sizeof(*ret_p));
	err[0] = '\0';
	g.state = sluice_producer_state_new();
	g.chunk = port_alloc(CHUNK_BYTES);
	if (g.state && g.chunk)
		ret = load_newest(&g);
	if (!ret)
		ret = replay(&g);
	if (!ret) {
		/* All that is in the files is as good as replicated. */
		sluice_producer_state_replicated(g.state, g.offset);
		ret = collect(&g, ret_p);
	}
	if (ret && !err[0])
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "its producers cannot be read (error %d)",
			 -ret);
	if (ret)
		sluice_clean_producers_free(ret_p);
	sluice_producer_state_free(g.state);
	port_free(g.chunk);
	return ret;
}

void sluice_clean_producers_free(struct sluice_clean_producers *p)
{
	port_free(p->items);
	memset(p, 0, sizeof(*p));
}
