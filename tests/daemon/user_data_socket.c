// SPDX-License-Identifier: Apache-2.0
/* data_socket.h over user_module.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/log/data_socket.h"
#include "kmod/log/producer_state.h"
#include "tests/daemon/user_module.h"

#define EVENTS_MAX 1024

struct data_socket {
	struct list link;
	int fd;
	uint32_t as;
	struct sluice_event *events;
	size_t n_events;
	struct sluice_event *held; /* durable receipts, see user_fault */
	size_t n_held;
	struct sluice_watch *watches;
	size_t n_watches;
	char error[SLUICE_ERROR_TEXT_MAX];
};

static struct list sockets = {&sockets, &sockets};

int data_socket_open(uint32_t family, struct data_socket **ret_ds)
{
	struct data_socket *ds = calloc(1, sizeof(*ds));

	(void)family;
	ds->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	user_module_lock();
	list_append(&sockets, &ds->link);
	user_module_unlock();
	*ret_ds = ds;
	return 0;
}

void data_socket_close(struct data_socket *ds)
{
	user_module_lock();
	list_remove(&ds->link);
	user_module_unlock();
	close(ds->fd);
	free(ds->events);
	free(ds->held);
	free(ds->watches);
	free(ds);
}

int data_socket_fd(const struct data_socket *ds)
{
	return ds->fd;
}

uint32_t data_socket_poll_events(const struct data_socket *ds)
{
	(void)ds;
	return EPOLLIN;
}

int data_socket_append_as(struct data_socket *ds, uint32_t as)
{
	ds->as = as;
	return 0;
}

static void queue(struct data_socket *ds, const struct sluice_event *ev)
{
	const uint64_t one = 1;

	ds->events = reallocarray(ds->events, ds->n_events + 1, sizeof(*ev));
	ds->events[ds->n_events++] = *ev;
	if (write(ds->fd, &one, sizeof(one)) < 0)
		abort();
}

void user_release_durable(void)
{
	user_module_lock();
	user_fault.hold_durable = false;
	for (struct list *at = sockets.next; at != &sockets; at = at->next) {
		struct data_socket *ds = list_entry(at, struct data_socket, link);

		for (size_t i = 0; i < ds->n_held; i++)
			queue(ds, &ds->held[i]);
		ds->n_held = 0;
	}
	user_module_unlock();
}

/* Whether a watch is due; @ev is filled then. */
static bool due(const struct sluice_watch *w, struct sluice_event *ev)
{
	struct sluice_log *log = user_log(w->topic_id, w->partition);

	*ev = (struct sluice_event){
		.type = SLUICE_EVENT_WATCH,
		.cookie = w->cookie,
		.partition = w->partition,
		.timestamp = -1,
		.error = log ? 0 : -ENODEV,
		.offset = log ? sluice_log_end_offset(log) : -1,
	};
	memcpy(ev->topic_id, w->topic_id, sizeof(ev->topic_id));
	return !log || sluice_log_high_watermark(log) > w->offset;
}

void user_watches_check(void)
{
	for (struct list *at = sockets.next; at != &sockets; at = at->next) {
		struct data_socket *ds = list_entry(at, struct data_socket, link);

		for (size_t i = 0; i < ds->n_watches;) {
			struct sluice_event ev;

			if (due(&ds->watches[i], &ev)) {
				queue(ds, &ev);
				ds->watches[i] = ds->watches[--ds->n_watches];
			} else {
				i++;
			}
		}
	}
}

static int append(struct data_socket *ds, const uint8_t *topic_id, int32_t partition,
		  const void *batch, size_t len, uint32_t when, uint64_t cookie)
{
	struct sluice_log *log = user_log(topic_id, partition);
	struct sluice_append a = {0};
	struct sluice_event ev = {0};
	struct port_iter iter;
	s64 recovery_point;
	int err;

	if (!log)
		return -ENOENT;
	if (user_fault.append_error)
		return user_fault.append_error;
	if (ds->n_events >= EVENTS_MAX)
		return -ENOBUFS;
	port_iter_init(&iter, batch, len);
	a.src = &iter;
	a.as = (enum sluice_append_as)ds->as;
	err = sluice_log_append(log, &a);
	if (err) {
		snprintf(ds->error, sizeof(ds->error), "%s", a.why ? a.why : "");
		return err == -EPROTONOSUPPORT ? -EINVAL : err;
	}
	if (a.housekeeping && sluice_log_housekeep(log, port_now_ms()))
		abort();
	if (when == SLUICE_RECEIPT_DURABLE)
		ev.error = user_fault.receipt_error ? user_fault.receipt_error
						    : sluice_log_flush(log, &recovery_point);
	ev.type = SLUICE_EVENT_RECEIPT;
	ev.cookie = cookie;
	ev.offset = a.base_offset;
	ev.timestamp = a.log_append_time;
	ev.log_start_offset = sluice_log_start_offset(log);
	ev.partition = partition;
	memcpy(ev.topic_id, topic_id, sizeof(ev.topic_id));
	if (when == SLUICE_RECEIPT_DURABLE && user_fault.hold_durable) {
		ds->held = reallocarray(ds->held, ds->n_held + 1, sizeof(ev));
		ds->held[ds->n_held++] = ev;
	} else if (when != SLUICE_RECEIPT_NONE) {
		queue(ds, &ev);
	}
	user_watches_check();
	return 0;
}

int data_socket_append(struct data_socket *ds, const uint8_t topic_id[SLUICE_TOPIC_ID_LEN],
		       int32_t partition, const void *batch, size_t len, uint32_t when,
		       uint64_t cookie)
{
	int err;

	ds->error[0] = '\0';
	user_module_lock();
	err = append(ds, topic_id, partition, batch, len, when, cookie);
	user_module_unlock();
	return err;
}

int data_socket_events(struct data_socket *ds, struct sluice_event *ret_events, size_t max)
{
	uint64_t rung;
	size_t n;

	user_module_lock();
	n = ds->n_events < max ? ds->n_events : max;
	if (n)
		memcpy(ret_events, ds->events, n * sizeof(*ret_events));
	ds->n_events -= n;
	if (ds->n_events)
		memmove(ds->events, ds->events + n, ds->n_events * sizeof(*ret_events));
	else if (read(ds->fd, &rung, sizeof(rung)) < 0)
		errno = 0;
	user_module_unlock();
	return (int)n;
}

static unsigned int log_fetch_flags(uint32_t flags)
{
	unsigned int ret = flags & SLUICE_FETCH_MIN_ONE ? SLUICE_FETCH_WHOLE_FIRST : 0;

	return flags & SLUICE_FETCH_COMMITTED ? ret | SLUICE_FETCH_TO_STABLE : ret;
}

static void fetch_one(struct sluice_fetch *f)
{
	struct sluice_log *log = user_log(f->topic_id, f->partition);
	struct sluice_range range;

	f->segment_base_offset = f->position = -1;
	f->bytes = 0;
	f->inode = 0;
	f->end_offset = -1;
	f->leader_epoch = -1;
	f->log_start_offset = f->high_watermark = f->last_stable_offset = f->log_end_offset = -1;
	f->error = -ENOENT;
	if (!log)
		return;
	f->log_start_offset = sluice_log_start_offset(log);
	f->high_watermark = sluice_log_high_watermark(log);
	f->last_stable_offset = sluice_log_last_stable_offset(log);
	f->log_end_offset = sluice_log_end_offset(log);
	f->error =
		sluice_log_fetch(log, f->offset, f->max_bytes, log_fetch_flags(f->flags), &range);
	if (f->error)
		return;
	f->leader_epoch = sluice_log_leader_epoch(log);
	f->bytes = range.bytes;
	if (!range.seg)
		return;
	f->segment_base_offset = range.segment_base_offset;
	f->position = (int64_t)range.position;
	f->end_offset = range.end_offset;
	f->inode = user_segment_inode(f->topic_id, f->partition, f->segment_base_offset);
	sluice_segment_put(range.seg);
}

int data_socket_fetch(struct data_socket *ds, struct sluice_fetch *f, size_t n)
{
	(void)ds;
	user_module_lock();
	for (size_t i = 0; i < n; i++)
		fetch_one(&f[i]);
	user_module_unlock();
	if (user_fault.after_fetch)
		user_fault.after_fetch();
	return 0;
}

int data_socket_flush(struct data_socket *ds, const uint8_t topic_id[SLUICE_TOPIC_ID_LEN],
		      int32_t partition)
{
	struct sluice_log *log;
	s64 recovery_point;
	int err = -ENOENT;

	(void)ds;
	user_module_lock();
	log = user_log(topic_id, partition);
	user_fault.n_flushes++;
	if (user_fault.flush_errors) {
		user_fault.flush_errors--;
		err = -EIO;
	} else if (log) {
		err = sluice_log_flush(log, &recovery_point);
	}
	user_module_unlock();
	return err;
}

static void watch_one(struct data_socket *ds, const struct sluice_watch *w)
{
	size_t i;

	for (i = 0; i < ds->n_watches; i++) {
		if (ds->watches[i].partition == w->partition &&
		    !memcmp(ds->watches[i].topic_id, w->topic_id, SLUICE_TOPIC_ID_LEN))
			break;
	}
	if (i == ds->n_watches)
		ds->watches = reallocarray(ds->watches, ++ds->n_watches, sizeof(*w));
	ds->watches[i] = *w;
}

int data_socket_watch(struct data_socket *ds, const struct sluice_watch *w, size_t n)
{
	user_module_lock();
	for (size_t i = 0; i < n; i++)
		watch_one(ds, &w[i]);
	user_watches_check();
	user_module_unlock();
	return 0;
}

int data_socket_offset_for_time(struct data_socket *ds, struct sluice_offset_for_time *q)
{
	struct sluice_log *log;
	s64 offset = -1, timestamp = -1;
	int err = -ENOENT;

	(void)ds;
	user_module_lock();
	log = user_log(q->topic_id, q->partition);
	if (log) {
		err = sluice_log_offset_for_time(log, q->timestamp, &offset, &timestamp);
		q->offset = offset;
		q->timestamp = timestamp;
	}
	user_module_unlock();
	return err;
}

int data_socket_max_timestamp(struct data_socket *ds, struct sluice_offset_for_time *q)
{
	struct sluice_log *log;
	s64 offset = -1, timestamp = -1;
	int err = -ENOENT;

	(void)ds;
	user_module_lock();
	log = user_log(q->topic_id, q->partition);
	if (log)
		err = sluice_log_max_timestamp(log, &offset, &timestamp);
	user_module_unlock();
	q->offset = offset;
	q->timestamp = timestamp;
	return err;
}

/* So few at once that a test can have more. */
#define ABORTED_AT_ONCE 5

int data_socket_aborted(struct data_socket *ds, struct sluice_aborted_list *list, uint32_t room)
{
	struct sluice_aborted_txn txns[ABORTED_AT_ONCE];
	struct sluice_log *log;
	int err = -ENOENT;

	(void)ds;
	room = room < ABORTED_AT_ONCE ? room : ABORTED_AT_ONCE;
	user_module_lock();
	log = user_log(list->topic_id, list->partition);
	if (log)
		err = sluice_log_aborted(log, list->offset, list->end_offset, txns, room,
					 &list->count);
	user_module_unlock();
	if (err)
		return err;
	room = room < list->count ? room : list->count;
	for (uint32_t i = 0; i < room; i++)
		list->txns[i] = (struct sluice_aborted){txns[i].producer_id, txns[i].first_offset,
							txns[i].last_offset};
	return (int)room;
}

struct producer_list {
	struct sluice_active_producers *list;
	uint32_t room;
};

static int put_producer(void *ctx, const struct sluice_producer_entry *e)
{
	struct producer_list *l = ctx;

	if (l->list->count < l->room)
		l->list->producers[l->list->count] = (struct sluice_active_producer){
			.producer_id = e->id,
			.last_timestamp = e->last_timestamp,
			.txn_start_offset = e->txn_first_offset,
			.last_sequence = e->last.last_sequence,
			.producer_epoch = e->epoch,
			.coordinator_epoch = e->coordinator_epoch,
		};
	l->list->count++;
	return 0;
}

int data_socket_active_producers(struct data_socket *ds, struct sluice_active_producers *list,
				 uint32_t room)
{
	struct producer_list l = {list, room};
	struct sluice_log *log;

	(void)ds;
	user_module_lock();
	log = user_log(list->topic_id, list->partition);
	if (log)
		sluice_log_each_producer(log, put_producer, &l);
	user_module_unlock();
	if (!log)
		return -ENOENT;
	return (int)(room < list->count ? room : list->count);
}

int data_socket_epoch_end(struct data_socket *ds, struct sluice_epoch_end *q)
{
	struct sluice_log *log;
	s64 end_offset = -1;
	s32 epoch = -1;

	(void)ds;
	user_module_lock();
	log = user_log(q->topic_id, q->partition);
	if (log)
		sluice_log_epoch_end(log, q->leader_epoch, &epoch, &end_offset);
	user_module_unlock();
	q->leader_epoch = epoch;
	q->end_offset = end_offset;
	return log ? 0 : -ENOENT;
}

void data_socket_error_text(struct data_socket *ds, char *buf, size_t size)
{
	snprintf(buf, size, "%s", ds->error);
}
