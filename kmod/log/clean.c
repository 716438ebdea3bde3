// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* A pass of compaction: a walk that fills the map, and one that rewrites. */
#include "clean.h"
#include "clean_aborted.h"
#include "clean_output.h"
#include "clean_reader.h"
#include "clean_segments.h"
#include "segment.h"
#include "segment_name.h"

/*
 * A pass under way.
 * @segments: all below @c->first_uncleanable
 * @aborted: transactions that touch them
 * @write_buffer: of @c->io_bytes
 * @paced: bytes of @reader that @c->pace was told of
 * @left: bytes of the group that were not judged yet
 */
struct pass {
	struct sluice_clean *c;
	struct sluice_clean_segment *segments;
	u32 count;
	struct sluice_aborted_txn *aborted;
	u32 aborted_count;
	struct sluice_clean_map map;
	struct sluice_clean_reader reader;
	struct sluice_clean_filter filter;
	u8 *write_buffer;
	u64 paced;
	u64 left;
	char *err;
};

static int out_of_memory(struct pass *p)
{
	snprintf(p->err, SLUICE_ERROR_TEXT_MAX, "out of memory");
	return -ENOMEM;
}

static int pace(struct pass *p, u64 bytes)
{
	int ret = p->c->pace ? p->c->pace(p->c->ctx, bytes) : 0;

	if (ret && !p->err[0])
		snprintf(p->err, SLUICE_ERROR_TEXT_MAX, "stopped");
	return ret;
}

/* Where all batches of the i-th segment end. */
static s64 segment_end(const struct pass *p, u32 i)
{
	return i + 1 < p->count ? p->segments[i + 1].base_offset : p->c->first_uncleanable;
}

static int open_segment(struct pass *p, u32 i)
{
	p->paced = 0;
	return sluice_clean_reader_open(&p->reader, p->c->dir, p->segments[i].base_offset, p->err);
}

static int next_batch(struct pass *p, u32 i, struct sluice_batch *b, const u8 **bytes)
{
	int ret = sluice_clean_reader_next(&p->reader, segment_end(p, i), b, bytes, p->err);
	u64 read = p->reader.cursor.bytes_read - p->paced;
	int stop;

	p->c->stats.bytes_read += read;
	p->paced += read;
	stop = ret < 0 || !read ? 0 : pace(p, read);
	return stop ? stop : ret;
}

/* 1: the map is full. */
static int map_segment(struct pass *p, u32 i, struct sluice_clean_txn *txn)
{
	struct sluice_batch b;
	const u8 *bytes;
	int ret;

	ret = open_segment(p, i);
	if (ret)
		return ret;
	while ((ret = next_batch(p, i, &b, &bytes)) > 0) {
		ret = sluice_clean_map_batch(&p->map, txn, &b, bytes, p->c->first_dirty,
					     &p->filter.inflated);
		if (ret == -ENOMEM)
			out_of_memory(p);
		if (ret)
			break;
	}
	sluice_clean_reader_close(&p->reader);
	/* Offsets that are missing behind its last batch are nobody's. */
	if (!ret)
		p->map.end_offset = segment_end(p, i);
	return ret;
}

static int fill_map(struct pass *p)
{
	struct sluice_clean *c = p->c;
	struct sluice_clean_txn txn;
	int ret;
	u32 i;

	ret = sluice_clean_map_init(&p->map, c->map_bytes, c->map_load_percent,
				    (u64)(c->first_uncleanable - c->first_dirty));
	if (ret) {
		snprintf(p->err, SLUICE_ERROR_TEXT_MAX, "the offset map: %s (error %d)",
			 ret == -EINVAL ? "too small for one key" : "cannot be made", -ret);
		return ret;
	}
	sluice_clean_txn_init(&txn, p->aborted, p->aborted_count);
	for (i = 0; i < p->count && !ret; i++) {
		if (segment_end(p, i) > c->first_dirty)
			ret = map_segment(p, i, &txn);
	}
	sluice_clean_txn_destroy(&txn);
	c->stats.map_entries = p->map.entries;
	c->stats.map_room = p->map.entries_max;
	return ret < 0 ? ret : 0;
}

static void count_batch(struct sluice_clean_stats *stats, const struct sluice_clean_result *r)
{
	stats->records_read += r->records_read;
	stats->records_kept += r->records_kept;
	stats->records_without_key += r->records_without_key;
	stats->batches_malformed += r->malformed;
}

/* @changed: set if the batch is not as it was. */
static int clean_batch(struct pass *p, const struct sluice_batch *b, const u8 *bytes,
		       struct sluice_clean_output *out, bool *changed)
{
	struct sluice_clean_result result;
	int ret;

	/* So that even if nothing goes, all of the group fits into one segment. */
	p->left -= min_t(u64, b->size, p->left);
	p->filter.size_max = max_t(s64, (s64)SLUICE_SEGMENT_BYTES_MAX - (s64)out->bytes -
				   (s64)p->left, b->size);
	ret = sluice_clean_batch(&p->filter, b, bytes, &result);
	if (ret) {
		snprintf(p->err, SLUICE_ERROR_TEXT_MAX, "%s: position %llu: error %d",
			 p->reader.name, p->reader.cursor.position - b->size, -ret);
		return ret;
	}
	count_batch(&p->c->stats, &result);
	*changed |= result.bytes != bytes;
	if (result.bytes)
		ret = sluice_clean_output_add(out, &result.header, result.bytes);
	if (!ret && result.index)
		ret = sluice_clean_output_add_aborted(out, result.index);
	if (ret)
		snprintf(p->err, SLUICE_ERROR_TEXT_MAX, "%020lld.log.cleaned: error %d",
			 out->base_offset, -ret);
	else if (result.bytes)
		ret = pace(p, result.header.size);
	return ret;
}

static int clean_segment(struct pass *p, u32 i, struct sluice_clean_output *out, bool *changed)
{
	struct sluice_batch b;
	const u8 *bytes;
	int ret;

	ret = open_segment(p, i);
	if (ret)
		return ret;
	while ((ret = next_batch(p, i, &b, &bytes)) > 0) {
		ret = clean_batch(p, &b, bytes, out, changed);
		if (ret)
			break;
	}
	sluice_clean_reader_close(&p->reader);
	return ret;
}

static int swap_in(struct pass *p, u32 first, u32 count, struct sluice_clean_output *out)
{
	int ret = sluice_clean_output_finish(out);

	if (ret) {
		snprintf(p->err, SLUICE_ERROR_TEXT_MAX, "%020lld.log.cleaned: error %d",
			 out->base_offset, -ret);
		sluice_clean_output_discard(out);
		return ret;
	}
	ret = p->c->replace(p->c->ctx, p->segments[first].base_offset,
			    p->segments[first + count - 1].base_offset, p->err);
	if (ret && ret != -EIO)
		sluice_clean_output_discard(out);
	return ret;
}

static int clean_group(struct pass *p, u32 first, u32 count)
{
	struct sluice_clean_stats *stats = &p->c->stats;
	struct sluice_clean_output out;
	bool changed = count > 1;
	u64 before = 0;
	int ret;
	u32 i;

	ret = sluice_clean_output_open(&out, p->c->dir, p->segments[first].base_offset,
				       p->c->config->index_interval_bytes, p->write_buffer,
				       p->c->io_bytes);
	if (ret) {
		snprintf(p->err, SLUICE_ERROR_TEXT_MAX, "%020lld.log.cleaned: error %d",
			 p->segments[first].base_offset, -ret);
		return ret;
	}
	/* Its last batch stays, so that the segment goes on to where the next one begins. */
	p->filter.end_offset = segment_end(p, first + count - 1);
	for (i = first; i < first + count; i++)
		before += p->segments[i].log_bytes;
	p->left = before;
	for (i = first; i < first + count && !ret; i++)
		ret = clean_segment(p, i, &out, &changed);
	if (!ret && changed)
		ret = swap_in(p, first, count, &out);
	else
		sluice_clean_output_discard(&out);
	if (ret)
		return ret;
	stats->segments_before += count;
	stats->segments_after++;
	stats->bytes_before += before;
	stats->bytes_after += out.bytes;
	stats->bytes_written += out.bytes;
	return 0;
}

static int clean_groups(struct pass *p)
{
	struct sluice_clean *c = p->c;
	u32 i = 0, count = 0;
	int ret = 0;

	/* Into the segment that the map got to: what is behind that in it stays. */
	while (count < p->count && p->segments[count].base_offset < p->map.end_offset)
		count++;
	while (i < count && !ret) {
		u32 group = sluice_clean_group(&p->segments[i], count - i, c->config,
					       count < p->count ? p->segments[count].base_offset :
					       c->first_uncleanable);

		ret = clean_group(p, i, group);
		i += group;
	}
	return ret;
}

static int sync_segment(struct pass *p, u32 i)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	int ret;

	sluice_segment_name(name, p->segments[i].base_offset, SLUICE_SUFFIX_LOG);
	ret = port_file_open(p->c->dir, name, PORT_RDONLY, &file);
	if (!ret) {
		ret = port_file_sync(file);
		port_file_close(file);
	}
	if (ret)
		snprintf(p->err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be synced (error %d)", name,
			 -ret);
	return ret;
}

/*
 * Whoever has the log open may have told of a record that it is durable. It
 * goes for a newer one of its key, which then has to be as durable.
 */
static int sync_segments(struct pass *p)
{
	bool any = false;
	int ret = 0;
	u32 i;

	for (i = 0; i < p->count && !ret; i++) {
		if (segment_end(p, i) <= p->c->recovery_point)
			continue;
		any = true;
		ret = sync_segment(p, i);
		if (!ret)
			ret = pace(p, 0);
	}
	if (any && !ret) {
		ret = port_dir_sync(p->c->dir);
		if (ret)
			snprintf(p->err, SLUICE_ERROR_TEXT_MAX, "cannot be synced (error %d)",
				 -ret);
	}
	return ret;
}

static int run(struct pass *p)
{
	struct sluice_clean *c = p->c;
	int ret;

	ret = sync_segments(p);
	if (ret)
		return ret;
	ret = sluice_clean_aborted(c->dir, p->segments[0].base_offset, c->first_uncleanable,
				   &p->aborted, &p->aborted_count, p->err);
	if (ret)
		return ret;
	p->write_buffer = port_alloc(c->io_bytes);
	if (!p->write_buffer || sluice_clean_reader_init(&p->reader, c->io_bytes))
		return out_of_memory(p);
	ret = fill_map(p);
	if (ret)
		return ret;
	p->filter.map = &p->map;
	p->filter.producers = c->producers;
	p->filter.producer_count = c->producer_count;
	p->filter.now_ms = c->now_ms;
	p->filter.delete_retention_ms = c->delete_retention_ms;
	sluice_clean_txn_init(&p->filter.txn, p->aborted, p->aborted_count);
	ret = clean_groups(p);
	if (!ret)
		c->end_offset = p->map.end_offset;
	return ret;
}

int sluice_log_clean(struct sluice_clean *c, char *err)
{
	struct pass p = { .c = c, .err = err };
	int ret;

	memset(&c->stats, 0, sizeof(c->stats));
	err[0] = '\0';
	c->end_offset = c->first_dirty;
	if (c->first_dirty >= c->first_uncleanable)
		return 0;
	ret = sluice_clean_segments(c->dir, c->first_uncleanable, &p.segments, &p.count, err);
	if (ret)
		return ret;
	if (p.count)
		ret = run(&p);
	sluice_clean_filter_destroy(&p.filter);
	sluice_clean_reader_destroy(&p.reader);
	sluice_clean_map_destroy(&p.map);
	port_free(p.write_buffer);
	port_free(p.aborted);
	port_free(p.segments);
	return ret;
}
