// SPDX-License-Identifier: GPL-2.0
/*
 * Where a socket stands in the partitions it reads.
 *
 * A cursor is on its socket's ready list whenever it may have something to
 * deliver. The partition's notifier puts it there (cursor_wake), for every
 * growth; the reader takes it off, under the same lock and only after comparing
 * its place with the largest high watermark that was reported. So a growth that
 * comes while the reader looks at the log is never lost, and poll(2) has one
 * list to look at, however many partitions there are. Deliveries move a cursor
 * to the end of the list: partitions take turns.
 *
 * A truncation is reported like growth, and before anything is appended in the
 * place of what went (cut). The reader looks at it before it reads on: one that
 * has read above the cut is told so and goes on there, all find their place anew.
 */
#include "pages.h"
#include "partition.h"
#include "sock.h"
#include "sock_filter.h"
#include "trace.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>

/* Batches looked at in one go; control batches and gaps need no delivery. */
#define SETTLE_BATCHES_MAX	1024
/* Records, or batches, that a filter rejects in one go. */
#define SETTLE_REJECTED_MAX	1024

static bool is_stream(const struct sluice_cursor *c)
{
	return c->ssk->sk.sk_type == SOCK_STREAM;
}

bool sluice_cursor_has_more(const struct sluice_cursor *c)
{
	lockdep_assert_held(&c->ssk->ready_lock);
	if (c->paused)
		return c->dead;
	return c->dead || READ_ONCE(c->err) || c->offline || c->cut != S64_MAX ||
	       c->high_watermark > READ_ONCE(c->at.next_offset);
}

void sluice_cursor_note_cut(struct sluice_cursor *c, s64 cut, s64 limit)
{
	lockdep_assert_held(&c->ssk->ready_lock);
	WRITE_ONCE(c->cut, min(c->cut, cut));
	c->high_watermark = limit;
}

/* Put the cursor where it belongs, given what the log says by now. */
static void cursor_requeue(struct sluice_cursor *c, s64 high_watermark)
{
	struct sluice_sock *ssk = c->ssk;

	spin_lock(&ssk->ready_lock);
	/* What a truncation reported is newer than what the caller has seen. */
	if (high_watermark > c->high_watermark && c->cut == S64_MAX)
		c->high_watermark = high_watermark;
	if (!sluice_cursor_has_more(c))
		list_del_init(&c->ready);
	else
		list_move_tail(&c->ready, &ssk->ready);
	spin_unlock(&ssk->ready_lock);
}

void sluice_cursor_drop_segment(struct sluice_cursor *c)
{
	if (c->ssk->filtering)
		sluice_filter_drop_page(c->ssk);
	if (c->seg)
		sluice_segment_put(c->seg);
	c->seg = NULL;
	c->file = NULL;
	sluice_cursor_leave_open(c);
	c->at.open_base = -1;
	c->at.in_batch = false;
	c->at.leave = false;
	c->at.settled = false;
}

static int cursor_fail(struct sluice_cursor *c, int err, const char *why)
{
	c->err = sluice_sock_fail(c->ssk, err, "%s-%u at offset %lld: %s", c->p->topic->name,
				  c->p->index, c->at.next_offset, why);
	return err;
}

static void finish_batch(struct sluice_cursor *c)
{
	struct sluice_place *at = &c->at;

	WRITE_ONCE(at->next_offset, sluice_batch_last_offset(&at->batch) + 1);
	at->position += at->batch.size;
	at->in_batch = false;
	at->settled = false;
	if (at->leave)
		sluice_cursor_drop_segment(c);
}

/* As if it had not been looked at. */
static void put_cut_back(struct sluice_cursor *c, s64 cut)
{
	spin_lock(&c->ssk->ready_lock);
	WRITE_ONCE(c->cut, min(c->cut, cut));
	spin_unlock(&c->ssk->ready_lock);
}

static s64 take_cut(struct sluice_cursor *c)
{
	s64 cut;

	spin_lock(&c->ssk->ready_lock);
	cut = c->cut;
	WRITE_ONCE(c->cut, S64_MAX);
	spin_unlock(&c->ssk->ready_lock);
	c->cut_seen = min(c->cut_seen, cut);
	return cut;
}

/*
 * The log was truncated. What lies below the cut is still there, in another
 * file: a stream that is inside a batch reads it to its end in the old one, which
 * does not change.
 */
static int look_at_cut(struct sluice_cursor *c)
{
	struct sluice_place *at = &c->at;
	bool inside = is_stream(c) && at->in_batch && at->read_pos != at->position;
	s64 cut = take_cut(c);

	sluice_cursor_forget_aborted(c);
	if (inside && sluice_batch_last_offset(&at->batch) < cut) {
		at->leave = true;
		return 0;
	}
	sluice_cursor_drop_segment(c);
	if (at->next_offset <= cut && !inside)
		return 0;
	WRITE_ONCE(at->next_offset, min(at->next_offset, cut));
	return cursor_fail(c, -ERANGE, "the log was truncated; reading goes on where it ends now");
}

static int open_segment(struct sluice_cursor *c)
{
	struct sluice_log *log = c->p->log;
	struct sluice_range range;
	int err;

	/* Only the place is wanted: the segment's own end is looked at each time. */
	err = sluice_log_fetch(log, c->at.next_offset, 1, 0, &range);
	/* Truncated since the high watermark was read, which is told in a moment. */
	if (err == -ERANGE && c->at.next_offset > sluice_log_start_offset(log))
		return 0;
	if (err == -ERANGE) {
		/* Retention was faster than this reader. */
		cursor_fail(c, err, "no longer there; reading goes on at the log start");
		WRITE_ONCE(c->at.next_offset, sluice_log_start_offset(log));
		return err;
	}
	if (err)
		return cursor_fail(c, err, "the log cannot be read");
	if (!range.seg) {
		/* The log ends in a gap: there is nothing before this offset. */
		WRITE_ONCE(c->at.next_offset, range.base_offset);
		return 0;
	}
	/* Readahead goes on over a roll: the window is the reader's, not the file's. */
	if (!c->ra.ra_pages)
		sluice_pages_ra_init(&c->ra, range.file);
	c->seg = range.seg;
	c->file = range.file;
	c->at.position = range.position;
	return 1;
}

static int at_log_end(struct sluice_cursor *c)
{
	bool offline;

	sluice_cursor_leave_open(c);
	spin_lock(&c->ssk->ready_lock);
	offline = c->offline;
	c->offline = false;
	spin_unlock(&c->ssk->ready_lock);
	if (offline)
		return cursor_fail(c, -EIO, "the partition is offline, no more will come");
	return 0;
}

/*
 * The next batch begins at or behind the high watermark that was seen: what lies
 * before that is a gap, and passed, or whoever reads would look here for ever. At
 * the log end there may be a batch that is just being published; one that begins
 * behind it has an offset that is damaged.
 */
static int enter_behind(struct sluice_cursor *c, s64 high_watermark)
{
	s64 log_end = sluice_log_end_offset(c->p->log);

	/* Truncated meanwhile, which is told in a moment. */
	if (log_end < high_watermark)
		return 0;
	if (c->at.batch.base_offset > log_end)
		return cursor_fail(c, -EIO, "the offset of a batch is behind the log end");
	WRITE_ONCE(c->at.next_offset, high_watermark);
	return at_log_end(c);
}

/*
 * Find the batch that holds next_offset, or the first behind it. The log end is
 * acquired before the segment is looked at (log/watermark.h).
 * Return: 1 it is at hand, 0 end of the log, -errno.
 */
static int enter_batch(struct sluice_cursor *c)
{
	struct sluice_place *at = &c->at;

	for (;;) {
		s64 high_watermark = sluice_cursor_limit(c);
		bool sealed;
		u64 end;
		int err;

		if (at->next_offset >= high_watermark)
			return at_log_end(c);
		/* A stream is of file bytes; of the others only these are left by now. */
		if (at->next_offset >= sluice_log_sealed_end(c->p->log)) {
			err = sluice_partition_seal(c->p);
			if (err)
				return cursor_fail(c, err, "what was sent could not be written");
		}
		if (!c->seg) {
			err = open_segment(c);
			if (err <= 0)
				return err;
		}
		/* In this order: what is sealed has its last byte. */
		sealed = sluice_segment_sealed(c->seg);
		end = sluice_segment_published(c->seg);
		if (at->position >= end) {
			if (!sealed)
				return cursor_fail(c, -EIO, "the log is shorter than it says");
			sluice_cursor_drop_segment(c);
			continue;
		}
		err = sluice_log_read_batch(c->file, at->position, end, &at->batch);
		if (err)
			return cursor_fail(c, err, "what is there is not a batch");
		if (at->batch.base_offset >= high_watermark)
			return enter_behind(c, high_watermark);
		if (sluice_batch_last_offset(&at->batch) < at->next_offset) {
			at->position += at->batch.size;
			cond_resched();
			continue;
		}
		at->read_pos = at->position;
		at->record_index = 0;
		at->in_batch = true;
		return 1;
	}
}

/* Find the first record of the batch at hand that is not below next_offset. */
static int enter_record(struct sluice_cursor *c)
{
	struct sluice_place *at = &c->at;
	u64 end = sluice_cursor_batch_end(c);

	if (at->read_pos == at->position)
		at->read_pos += SLUICE_BATCH_HEADER_LEN;
	for (; at->record_index < at->batch.record_count; at->record_index++) {
		struct sluice_record *r = &at->record;
		int err;

		err = c->ssk->filtering ? sluice_filter_read_record(c, at->read_pos, end, r) :
				       sluice_record_read(c->file, at->read_pos, end, r);
		if (err == -EBADMSG)
			return sluice_cursor_skip_batch(c, "malformed record");
		if (err)
			return cursor_fail(c, err, "the record cannot be read");
		if (r->offset_delta < 0 || r->offset_delta > at->batch.last_offset_delta ||
		    r->end <= at->read_pos || r->end > end)
			return sluice_cursor_skip_batch(c, "record outside its batch");
		if (at->batch.base_offset + r->offset_delta >= at->next_offset)
			return 1;
		at->read_pos = r->end;
	}
	return 0;
}

/* As enter_batch(); one that is not to be seen was passed, and is not at hand. */
static int enter_committed(struct sluice_cursor *c)
{
	int err = enter_batch(c);

	if (err <= 0 || !c->ssk->read_committed)
		return err;
	err = sluice_cursor_is_aborted(c);
	if (!err)
		return 1;
	if (err > 0) {
		finish_batch(c);
		cond_resched();
		return 1;
	}
	/* Retention went past it: found anew, that is said. */
	c->at.in_batch = false;
	if (err == -ERANGE)
		sluice_cursor_drop_segment(c);
	return err == -ERANGE ? 1 : cursor_fail(c, err, "what was aborted is not known");
}

static int settle_record(struct sluice_cursor *c)
{
	struct sluice_place *at = &c->at;
	int n, err;

	for (n = 0; n < SETTLE_BATCHES_MAX; n++) {
		if (!at->in_batch) {
			if (at->next_offset >= sluice_cursor_limit(c))
				return at_log_end(c);
			at->settled = sluice_cursor_settle_open(c);
			if (at->settled)
				return 1;
			err = enter_committed(c);
			if (err <= 0)
				return err;
			if (!at->in_batch)
				continue;
		}
		if (at->batch.attributes & SLUICE_BATCH_CONTROL) {
			finish_batch(c);
			continue;
		}
		err = 1;
		if (!(at->batch.attributes & SLUICE_BATCH_COMPRESSION_MASK))
			err = enter_record(c);
		if (err) {
			at->settled = err > 0;
			return err;
		}
		finish_batch(c);
		cond_resched();
	}
	return 0;
}

/* Go past what was settled on: it was delivered, or is not going to be. */
static void pass_record(struct sluice_cursor *c)
{
	struct sluice_place *at = &c->at;

	at->settled = false;
	if (c->open) {
		sluice_cursor_advance_open(c);
	} else if (at->batch.attributes & SLUICE_BATCH_COMPRESSION_MASK ||
		   at->record_index + 1 >= at->batch.record_count) {
		finish_batch(c);
	} else {
		WRITE_ONCE(at->next_offset,
			   at->batch.base_offset + at->record.offset_delta + 1);
		at->read_pos = at->record.end;
		at->record_index++;
	}
}

/* Settle on the next that the filter lets pass. */
static int settle_filtered(struct sluice_cursor *c)
{
	int n, ret = sluice_filter_begin(c->ssk);

	if (ret)
		return cursor_fail(c, ret, "no memory to run the filter");
	for (n = 0; n < SETTLE_REJECTED_MAX; n++) {
		ret = is_stream(c) ? enter_batch(c) : settle_record(c);
		if (ret <= 0)
			break;
		ret = sluice_filter_run(c);
		if (ret == -EBADMSG) {
			ret = sluice_cursor_skip_batch(c, "malformed header of a record");
			break;
		}
		if (ret < 0)
			ret = cursor_fail(c, ret, "what the filter is to see cannot be read");
		if (ret) {
			/* Not at hand, if there was an error: it is looked at again. */
			if (ret < 0) {
				c->at.settled = false;
				if (is_stream(c))
					c->at.in_batch = false;
			}
			break;
		}
		if (is_stream(c))
			finish_batch(c);
		else
			pass_record(c);
		if (n % 64 == 63)
			cond_resched();
	}
	sluice_filter_end(c->ssk);
	return ret;
}

/* Find the next, if it is not at hand. */
static int find_next(struct sluice_cursor *c)
{
	int ret;

	if (is_stream(c) ? c->at.in_batch : c->at.settled)
		return 1;
	ret = sluice_partition_enter(c->p);
	if (ret)
		return cursor_fail(c, ret, "the topic was deleted");
	if (sluice_filter_attached(c->ssk))
		ret = settle_filtered(c);
	else
		ret = is_stream(c) ? enter_batch(c) : settle_record(c);
	sluice_partition_leave(c->p);
	return ret;
}

int sluice_cursor_settle(struct sluice_cursor *c)
{
	int ret;

	sock_owned_by_me(&c->ssk->sk);
	if (c->err)
		return c->err;
	/*
	 * Looked at again when something was found: it may have been appended behind
	 * a truncation that came meanwhile, and that was noted before.
	 */
	do {
		if (READ_ONCE(c->cut) != S64_MAX) {
			ret = look_at_cut(c);
			if (ret)
				return ret;
		}
		ret = find_next(c);
	} while (ret > 0 && READ_ONCE(c->cut) != S64_MAX);
	return ret;
}

int sluice_cursor_next(struct sluice_sock *ssk, struct sluice_cursor **ret_c)
{
	struct sluice_cursor *c;
	int ret;

	sock_owned_by_me(&ssk->sk);
	*ret_c = NULL;

	for (;;) {
		if (READ_ONCE(ssk->is_dead))
			return sluice_sock_fail(ssk, -ENODEV, "the topic was deleted");
		if (!ssk->cursor_count)
			return sluice_sock_fail(ssk, -ENOTCONN, "there is nothing to receive from");
		spin_lock(&ssk->ready_lock);
		c = list_first_entry_or_null(&ssk->ready, struct sluice_cursor, ready);
		spin_unlock(&ssk->ready_lock);
		if (!c)
			return 0;
		ret = sluice_cursor_settle(c);
		*ret_c = c;
		if (ret)
			return ret;
		*ret_c = NULL;
		cursor_requeue(c, S64_MIN);
		/* A long run of control batches must not hold a signal off. */
		if (signal_pending(current))
			return 0;
		cond_resched();
		/* Nor a long run of rejected records whoever wants to change the filter. */
		if (sluice_filter_attached(ssk)) {
			release_sock(&ssk->sk);
			lock_sock(&ssk->sk);
		}
	}
}

/* The others go on; when there are none, that is said for ever. */
static void leave_dead_topic(struct sluice_cursor *c)
{
	struct sluice_sock *ssk = c->ssk;
	struct sluice_topic *topic = c->topic;
	struct sluice_cursor *next;

	/* Closing the last cursor of it must not free what the others are compared with. */
	refcount_inc(&topic->ref);
	for (c = sluice_cursor_topic_first(ssk, topic->id); c && c->topic == topic; c = next) {
		next = sluice_cursor_next_of(c);
		sluice_cursor_close(c);
		cond_resched();
	}
	sluice_topic_put(topic);
	if (!ssk->cursor_count)
		WRITE_ONCE(ssk->is_dead, true);
}

void sluice_cursor_take_error(struct sluice_cursor *c)
{
	if (!c)
		return;
	if (c->err == -ENODEV) {
		leave_dead_topic(c);
		return;
	}
	c->err = 0;
	cursor_requeue(c, S64_MIN);
}

int sluice_cursor_skip_batch(struct sluice_cursor *c, const char *why)
{
	int err = cursor_fail(c, -EBADMSG, why);

	finish_batch(c);
	return err;
}

void sluice_cursor_count(struct sluice_cursor *c, s64 offset, u64 position, u32 bytes)
{
	sluice_stats_fetch(&c->p->stats, bytes);
	trace_sluice_fetch(c->p, offset, position, bytes);
}

void sluice_cursor_advance_record(struct sluice_cursor *c)
{
	sock_owned_by_me(&c->ssk->sk);
	pass_record(c);
	cursor_requeue(c, S64_MIN);
}

void sluice_cursor_advance_bytes(struct sluice_cursor *c, u64 n)
{
	sock_owned_by_me(&c->ssk->sk);
	c->at.read_pos += n;
	if (c->at.read_pos == sluice_cursor_batch_end(c)) {
		finish_batch(c);
		cursor_requeue(c, S64_MIN);
	}
}

/*
 * Where a seek ends, given the log as it is by now. What was found by its time may lie
 * below the start since then, or where who reads what is committed does not look yet.
 */
static s64 seek_target(s64 offset, s64 found, s64 start, s64 limit)
{
	if (offset == SLUICE_OFFSET_EARLIEST)
		return start;
	if (sluice_offset_is_time(offset) && found >= 0)
		return min(max(found, start), limit);
	return offset < 0 ? limit : offset;
}

static int find_time(struct sluice_cursor *c, s64 offset, s64 *ret_found)
{
	s64 timestamp;
	int err;

	if (!sluice_offset_is_time(offset))
		return 0;
	err = sluice_log_offset_for_time(c->p->log, offset - SLUICE_OFFSET_TIME(0), ret_found,
					 &timestamp);
	if (!err)
		return 0;
	sluice_partition_check_log(c->p);
	return sluice_sock_fail(c->ssk, err, "the time index of %s-%u cannot be read",
				c->p->topic->name, c->p->index);
}

int sluice_cursor_seek(struct sluice_cursor *c, s64 offset)
{
	s64 start, high_watermark, limit, cut, target, found = -1;
	int err;

	err = sluice_partition_enter(c->p);
	if (err)
		return sluice_sock_fail(c->ssk, err, "the topic was deleted");
	/* Before the log is looked at: of a truncation that comes later it is told. */
	cut = take_cut(c);
	err = find_time(c, offset, &found);
	start = sluice_log_start_offset(c->p->log);
	high_watermark = sluice_log_high_watermark(c->p->log);
	limit = min(high_watermark, sluice_cursor_limit(c));
	sluice_partition_leave(c->p);

	target = seek_target(offset, found, start, limit);
	if (!err && (target < start || target > high_watermark))
		err = sluice_sock_fail(c->ssk, -ERANGE,
				       "offset %lld is outside the log of %s-%u: %lld to %lld",
				       target, c->p->topic->name, c->p->index, start,
				       high_watermark);
	if (err) {
		/* It stays where it is, and that may be behind the cut. */
		put_cut_back(c, cut);
		return err;
	}

	sluice_cursor_drop_segment(c);
	c->err = 0;
	sluice_cursor_forget_aborted(c);
	c->sought_time = offset - SLUICE_OFFSET_TIME(0);
	c->sought_offset = found >= 0 && found < limit ? target : -1;
	WRITE_ONCE(c->at.next_offset, target);
	cursor_requeue(c, limit);
	return 0;
}

bool sluice_cursor_is_sought(const struct sluice_cursor *c)
{
	const struct sluice_batch *b = &c->at.batch;

	return c->sought_offset >= b->base_offset &&
	       c->sought_offset <= sluice_batch_last_offset(b);
}

void sluice_cursor_look_anew(struct sluice_cursor *c)
{
	sock_owned_by_me(&c->ssk->sk);
	/* Of one that is dead it is told, whatever may be read. */
	if (!sluice_partition_enter(c->p)) {
		/* Under the lock: what grows or is cut after this is reported after it. */
		spin_lock(&c->ssk->ready_lock);
		c->high_watermark = sluice_cursor_limit(c);
		spin_unlock(&c->ssk->ready_lock);
		sluice_partition_leave(c->p);
	}
	sluice_cursor_drop_segment(c);
	cursor_requeue(c, S64_MIN);
}

void sluice_cursor_pause(struct sluice_cursor *c, bool pause)
{
	sock_owned_by_me(&c->ssk->sk);
	spin_lock(&c->ssk->ready_lock);
	c->paused = pause;
	spin_unlock(&c->ssk->ready_lock);
	cursor_requeue(c, S64_MIN);
}

void sluice_cursor_mark(struct sluice_cursor *c, struct sluice_bookmark *m)
{
	c->cut_seen = S64_MAX;
	m->at = c->at;
	m->seg = c->seg;
	m->file = c->file;
	if (m->seg)
		sluice_segment_get(m->seg);
}

void sluice_cursor_return(struct sluice_cursor *c, struct sluice_bookmark *m)
{
	sluice_cursor_drop_segment(c);
	c->seg = m->seg;
	c->file = m->file;
	c->at = m->at;
	/* What it was told of meanwhile it does not know any more. */
	put_cut_back(c, c->cut_seen);
	cursor_requeue(c, S64_MIN);
}

void sluice_cursor_unmark(struct sluice_bookmark *m)
{
	if (m->seg)
		sluice_segment_put(m->seg);
}
