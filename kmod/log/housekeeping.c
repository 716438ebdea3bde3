// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Housekeeping: what must be done for a log, but not while an append waits.
 *
 * Each step goes on from what it finds, so it does not matter how often or how
 * late they are called, nor whether one of them failed before.
 */
#include "log_internal.h"
#include "segment_file.h"

/* So many segments are looked at with the lock held. */
#define CLOSE_RUN	16

struct closing {
	bool unused_since;
	u32 next;
	struct port_file *files[CLOSE_RUN * SLUICE_SEGMENT_FILES_MAX];
	u32 count;
};

/* False: that were the last ones. */
static bool take_run(struct sluice_log *log, struct closing *c)
{
	struct sluice_segment_list *list = &log->segments;
	u32 i;
	bool more;

	c->count = 0;
	port_spin_lock(&list->lock);
	/* Segments may come and go between two runs; who is missed is closed next time. */
	for (i = 0; i < CLOSE_RUN && c->next < list->count && log->open_sealed; i++, c->next++)
		c->count += sluice_segment_take_idle(log, list->items[list->head + c->next],
						     c->unused_since, c->files + c->count);
	more = c->next < list->count && log->open_sealed;
	port_spin_unlock(&list->lock);
	return more;
}

static u32 close_idle(struct sluice_log *log, bool unused_since)
{
	struct closing c = { .unused_since = unused_since };
	u32 closed = 0, i;
	bool more = true;

	while (more) {
		more = take_run(log, &c);
		for (i = 0; i < c.count; i++)
			port_file_close(c.files[i]);
		closed += c.count;
	}
	return closed;
}

u32 sluice_log_close_idle(struct sluice_log *log)
{
	return close_idle(log, false);
}

u32 sluice_log_open_sealed(struct sluice_log *log)
{
	u32 count;

	port_spin_lock(&log->segments.lock);
	count = log->open_sealed;
	port_spin_unlock(&log->segments.lock);
	return count;
}

static int keep_files(struct sluice_log *log, s64 now_ms)
{
	int ret;

	port_mutex_lock(&log->structure_mutex);
	sluice_log_write_snapshots(log);
	ret = sluice_log_unlink_due(log, now_ms);
	port_mutex_unlock(&log->structure_mutex);
	return ret;
}

int sluice_log_housekeep(struct sluice_log *log, s64 now_ms)
{
	int ret, failed;

	/* Before what waits for the storage: an append may need it soon. */
	ret = sluice_log_prepare(log);
	if (!sluice_log_failed(log)) {
		failed = sluice_log_flush_sealed(log);
		ret = ret ? ret : failed;
	}
	failed = keep_files(log, now_ms);
	close_idle(log, true);
	return ret ? ret : failed;
}

s64 sluice_log_housekeeping_due(struct sluice_log *log)
{
	s64 due = S64_MAX;

	port_mutex_lock(&log->structure_mutex);
	if (log->leftovers)
		due = 0;
	else if (log->discarded)
		due = log->discarded->unlink_ms;
	port_mutex_unlock(&log->structure_mutex);
	return due;
}
