/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A socket: what it reads, what it writes, and the events it has to tell.
 *
 * Locks, outermost first:
 *
 *  pipe mutex		held by the caller of ->splice_read
 *  lock_sock(sk)	cursors, watches, options. Held while records are copied
 *			and page cache is read, never during a wait for records
 *  partition users	sluice_partition_enter(), for single calls into the log
 *  notify lock		of a partition; wake functions run under it
 *  ready_lock, events.lock	leaves but for the socket's wait queue
 *  addr_lock		leaf: what /proc and a send read without lock_sock()
 *
 * A send takes lock_sock() only to look at the address and the options; it
 * appends without it, so producers sharing a socket do not wait for each other
 * or for a consumer.
 */
#ifndef SLUICE_SOCK_H
#define SLUICE_SOCK_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/sluice.h>
#include <net/sock.h>

#include "log/open_batch.h"
#include "notify.h"
#include "topic.h"

struct seq_file;
struct sluice_chain;
struct sluice_aborted_window;
struct sluice_filter;
struct sluice_partition;
struct sluice_topic;

/* What one socket can make the kernel keep. */
#define SLUICE_SOCK_EVENTS_MAX		16384	/* receipts promised or unread */
#define SLUICE_SOCK_WATCHES_MAX		65536
#define SLUICE_SOCK_CURSORS_MAX		100000	/* partitions of one topic */
#define SLUICE_SOCK_ARRAY_MAX		65536	/* elements of an option's array */
#define SLUICE_SOCK_RECORD_MAX		(64U << 20)	/* a record sent by itself */
#define SLUICE_SOCK_CMSG_MAX		(1U << 20)	/* a key or header received */

/**
 * struct sluice_target - a resolved address
 * @topic: holds a reference, or NULL: no address
 * @partition: index, or SLUICE_PARTITION_ANY
 * @p: the partition of that index, held by the topic; NULL for ANY
 * @permitted: partitions below this index were checked when it was resolved
 */
struct sluice_target {
	struct sluice_topic *topic;
	s32 partition;
	u32 permitted;
	struct sluice_partition *p;
};

/**
 * struct sluice_place - how far a cursor has read
 * @next_offset: next offset to be received; written with WRITE_ONCE
 * @position: of the batch at hand, or of the next one, in the segment's file
 * @read_pos: next byte to be read, inside the batch at hand
 * @batch: the batch at hand
 * @record_index: records of it that were passed
 * @in_batch: @batch and @read_pos are valid
 * @leave: leave the segment behind the batch at hand: what follows it there was
 *	truncated
 * @settled: what is to be delivered next is known (SOCK_SEQPACKET: @record,
 *	or the whole compressed @batch)
 * @record: the record at @read_pos, or at @open_pos
 * @open_base: base offset of the open batch that was last read in; -1: none
 * @open_pos: its next record
 */
struct sluice_place {
	s64 next_offset;
	u64 position;
	u64 read_pos;
	struct sluice_batch batch;
	s32 record_index;
	bool in_batch;
	bool leave;
	bool settled;
	struct sluice_record record;
	s64 open_base;
	u64 open_pos;
};

/**
 * struct sluice_cursor - one partition that a socket reads
 * @ssk: the socket
 * @node: in ssk->cursors
 * @topic: holds a reference
 * @p: holds a reference
 * @waiter: in the partition's notifier for as long as the cursor is there, whatever
 *	its place: each growth is reported
 * @ready: in ssk->ready while there may be something to deliver; ready_lock
 * @high_watermark: how far it may read, the last that was reported: the high
 *	watermark, or the last stable offset; ready_lock
 * @cut: where a truncation that the reader has not looked at yet ended the log, or
 *	S64_MAX; ready_lock
 * @cut_seen: the lowest cut that was looked at since sluice_cursor_mark()
 * @offline: the partition went offline and the reader was not yet told;
 *	ready_lock
 * @dead: the topic was deleted; ready_lock
 * @paused: nothing is delivered, but that the topic was deleted; ready_lock
 * @at: the place; lock_sock()
 * @seg: segment of @at, holds a reference; NULL: to be found by next_offset
 * @file: of @seg
 * @open: the open batch that is read, holds a reference; then there is no @seg
 * @aborted: what is known of aborted transactions, or NULL; lock_sock()
 * @sought_time: of the last seek, if that was to a time
 * @sought_offset: where that was found; -1: it was not, or there was no such seek
 * @ra: this reader's own readahead state
 * @err: errno to be returned by the next receive, once
 */
struct sluice_cursor {
	struct sluice_sock *ssk;
	struct rb_node node;
	struct sluice_topic *topic;
	struct sluice_partition *p;
	struct sluice_waiter waiter;
	struct list_head ready;
	s64 high_watermark;
	s64 cut;
	s64 cut_seen;
	bool offline;
	bool dead;
	bool paused;
	struct sluice_place at;
	struct sluice_segment *seg;
	struct port_file *file;
	struct sluice_open_batch *open;
	struct sluice_aborted_window *aborted;
	s64 sought_time;
	s64 sought_offset;
	struct file_ra_state ra;
	int err;
};

/**
 * struct sluice_event_queue - receipts and fired watches to be read
 * @lock: protects the rest
 * @queue: struct sluice_sock_event, oldest first
 * @receipts: receipts queued or promised
 * @closed: the socket is gone; nothing may be queued
 */
struct sluice_event_queue {
	spinlock_t lock;
	struct list_head queue;
	u32 receipts;
	bool closed;
};

/**
 * struct sluice_sock - a socket
 * @sk: first
 * @net_node: in the namespace's list of sockets
 * @traffic: the namespace's counters
 * @in: what bind gave; written under lock_sock() and addr_lock
 * @out: what connect gave; likewise
 * @addr_lock: lets others than lock_sock() holders read @in, @out, @cursors
 * @cursors: struct sluice_cursor by topic and partition; changed under
 *	lock_sock() and addr_lock
 * @cursor_count: in @cursors; likewise
 * @live_count: cursors that are not dead; ready_lock
 * @ready: cursors with something to deliver, in the order of their turns
 * @ready_lock: protects @ready and the fields of cursors that say so
 * @is_dead: all that it read was deleted; READ_ONCE
 * @read_committed: SLUICE_ISOLATION; written under lock_sock() and ready_lock
 * @start: SLUICE_START
 * @receipts: SLUICE_RECEIPTS, READ_ONCE
 * @append_as: SLUICE_APPEND_AS, READ_ONCE
 * @batching: SLUICE_LINGER and SLUICE_BATCH_BYTES; each READ_ONCE
 * @sticky: which partition gets records without a key, modulo their number
 * @topic_name: SLUICE_TOPIC, or NULL
 * @chain: records that wait for the last of their chain, or NULL; lock_sock(),
 *	written with WRITE_ONCE
 * @events: to be read with MSG_ERRQUEUE
 * @watches: struct sluice_watch_entry by topic id and partition; lock_sock()
 * @watch_count: in @watches
 * @filter: what running its filter takes; NULL until the first run; lock_sock()
 * @filtering: a cursor is settling by the filter; lock_sock()
 * @text_lock: protects @error_text
 * @error_text: SLUICE_ERROR_TEXT
 */
struct sluice_sock {
	struct sock sk;
	struct hlist_node net_node;
	struct sluice_traffic __percpu *traffic;
	struct sluice_target in;
	struct sluice_target out;
	spinlock_t addr_lock;
	struct rb_root cursors;
	u32 cursor_count;
	u32 live_count;
	struct list_head ready;
	spinlock_t ready_lock;
	bool is_dead;
	bool read_committed;
	s64 start;
	u32 receipts;
	u32 append_as;
	struct sluice_batching batching;
	u32 sticky;
	char *topic_name;
	struct sluice_chain *chain;
	struct sluice_event_queue events;
	struct rb_root watches;
	u32 watch_count;
	struct sluice_filter *filter;
	bool filtering;
	spinlock_t text_lock;
	char error_text[SLUICE_ERROR_TEXT_MAX];
};

static inline struct sluice_sock *sluice_sk(const struct sock *sk)
{
	return container_of(sk, struct sluice_sock, sk);
}

/**
 * sluice_sock_fail() - keep in words what was wrong, for SLUICE_ERROR_TEXT
 * Return: @err, so that a failing path can end with it.
 */
__printf(3, 4) int sluice_sock_fail(struct sluice_sock *ssk, int err, const char *fmt, ...);

/* Addresses: sock_addr.c */

/**
 * sluice_target_resolve() - find what an address names, and check the right to it
 * @mask: MAY_READ or MAY_WRITE, checked for every partition it names
 * @ret: give it back with sluice_target_put()
 * Context: lock_sock() held.
 * Return: 0; -EINVAL -EAFNOSUPPORT -ENOENT -EACCES, with error text.
 */
int __must_check sluice_target_resolve(struct sluice_sock *ssk, const struct sockaddr *uaddr,
				       int addr_len, int mask, struct sluice_target *ret);

static inline void sluice_target_put(struct sluice_target *t)
{
	sluice_topic_put(t->topic);
	t->topic = NULL;
}

/** sluice_target_get() - copy of a socket's address with a reference of its own. */
static inline void sluice_target_get(struct sluice_sock *ssk, const struct sluice_target *from,
				     struct sluice_target *ret)
{
	spin_lock(&ssk->addr_lock);
	*ret = *from;
	if (ret->topic)
		refcount_inc(&ret->topic->ref);
	spin_unlock(&ssk->addr_lock);
}

/** sluice_addr_fill() - the address of a topic's partition; returns its length. */
int sluice_addr_fill(struct sockaddr_sluice *addr, const struct sluice_topic *topic,
		     s32 partition);

/** sluice_sock_permission() - sluice_partition_permission() with error text. */
int __must_check sluice_sock_permission(struct sluice_sock *ssk, struct sluice_partition *p,
					int mask);

/**
 * sluice_partition_find() - a partition by topic id, with the right checked
 * @ret_topic: holds a reference, as the partition does
 * Return: 0, -ENOENT, -EACCES.
 */
int __must_check sluice_partition_find(struct sluice_sock *ssk, const u8 *topic_id, s32 index,
				       int mask, struct sluice_topic **ret_topic,
				       struct sluice_partition **ret_p);

/* A socket's cursors: sock_consume.c. All need lock_sock(). */

/**
 * sluice_cursors_open() - begin to read what @t names, at @start
 * Of a whole topic those partitions that are not read yet.
 * Return: 0; -EEXIST the one partition is read already; -E2BIG; -EINVAL an offset
 * to start at, but several partitions; -ERANGE; -ENOMEM; -ENODEV. After a failure
 * nothing is read that was not before.
 */
int __must_check sluice_cursors_open(struct sluice_sock *ssk, const struct sluice_target *t,
				     s64 start);
void sluice_cursors_close(struct sluice_sock *ssk);

/** sluice_cursor_close() - stop reading one partition. */
void sluice_cursor_close(struct sluice_cursor *c);

/** sluice_cursor_find() - the cursor of a topic's partition, or NULL. */
struct sluice_cursor *sluice_cursor_find(struct sluice_sock *ssk, const struct sluice_topic *topic,
					 u32 partition);

/**
 * sluice_cursor_first(), _next_of() - all cursors, those of a topic side by side
 * Context: lock_sock() or addr_lock.
 */
static inline struct sluice_cursor *sluice_cursor_first(const struct sluice_sock *ssk)
{
	return rb_entry_safe(rb_first(&ssk->cursors), struct sluice_cursor, node);
}

static inline struct sluice_cursor *sluice_cursor_next_of(const struct sluice_cursor *c)
{
	return rb_entry_safe(rb_next(&c->node), struct sluice_cursor, node);
}

/**
 * sluice_cursor_topic_first() - the first cursor of a topic, or NULL
 * @topic_id: its id; all zero: of the one that bind named, or else of the only one
 * that is read
 * Those behind it that have the same topic are the others.
 */
struct sluice_cursor *sluice_cursor_topic_first(struct sluice_sock *ssk, const u8 *topic_id);

/** sluice_assign() - one element of SLUICE_ASSIGN: sock_assign.c */
int __must_check sluice_assign(struct sluice_sock *ssk, const struct sluice_assign *req);

/* One cursor: sock_cursor.c. All but the first two need lock_sock(). */

/** sluice_cursor_has_more() - should it be on the ready list; under ready_lock. */
bool sluice_cursor_has_more(const struct sluice_cursor *c);

/**
 * sluice_cursor_note_cut() - the log was truncated; under ready_lock
 * @cut: its high watermark after that
 * @limit: how far the cursor may read
 */
void sluice_cursor_note_cut(struct sluice_cursor *c, s64 cut, s64 limit);

/**
 * sluice_cursor_next() - the cursor whose turn it is, with something at hand
 * @ret_c: set when 1 is returned; for an error the cursor it belongs to
 * Return: 1; 0 there is nothing; or -errno, which stays until
 * sluice_cursor_take_error().
 */
int __must_check sluice_cursor_next(struct sluice_sock *ssk, struct sluice_cursor **ret_c);

/**
 * sluice_cursor_take_error() - the error is reported now, and only once
 * Of a topic that was deleted the cursors are gone after this. NULL is allowed.
 */
void sluice_cursor_take_error(struct sluice_cursor *c);

/** sluice_cursor_settle() - the same for one cursor; 1, 0 or -errno. */
int __must_check sluice_cursor_settle(struct sluice_cursor *c);

/** sluice_cursor_skip_batch() - what is at hand turned out malformed; -EBADMSG. */
int sluice_cursor_skip_batch(struct sluice_cursor *c, const char *why);

/** sluice_cursor_count() - counters and tracepoint of a delivery from @position. */
void sluice_cursor_count(struct sluice_cursor *c, s64 offset, u64 position, u32 bytes);

/** sluice_cursor_advance_record() - the settled record or batch was delivered. */
void sluice_cursor_advance_record(struct sluice_cursor *c);

/** sluice_cursor_advance_bytes() - @n bytes of the batch at hand were delivered. */
void sluice_cursor_advance_bytes(struct sluice_cursor *c, u64 n);

static inline u64 sluice_cursor_batch_end(const struct sluice_cursor *c)
{
	return c->at.position + c->at.batch.size;
}

/** sluice_cursor_record_offset() - of what is settled; a compressed batch's first. */
static inline s64 sluice_cursor_record_offset(const struct sluice_cursor *c)
{
	if (c->at.batch.attributes & SLUICE_BATCH_COMPRESSION_MASK)
		return c->at.batch.base_offset;
	return c->at.batch.base_offset + c->at.record.offset_delta;
}

/** sluice_offset_is_time() - is it a SLUICE_OFFSET_TIME(). */
static inline bool sluice_offset_is_time(s64 offset)
{
	return offset <= SLUICE_OFFSET_TIME(SLUICE_TIME_MAX);
}

/** sluice_offset_valid() - is it an offset, or any SLUICE_OFFSET_*. */
static inline bool sluice_offset_valid(s64 offset)
{
	return offset >= SLUICE_OFFSET_EARLIEST || sluice_offset_is_time(offset);
}

/**
 * sluice_cursor_seek() - move to @offset, which may be any SLUICE_OFFSET_*
 * For a time the log's files are read.
 * Return: 0; -ERANGE, -ENODEV, or what reading gave; then it stays where it is.
 */
int __must_check sluice_cursor_seek(struct sluice_cursor *c, s64 offset);

/** sluice_cursor_is_sought() - was the time of a seek found in the batch at hand. */
bool sluice_cursor_is_sought(const struct sluice_cursor *c);

/** sluice_cursor_pause() - deliver nothing more, or go on. */
void sluice_cursor_pause(struct sluice_cursor *c, bool pause);

/** sluice_cursor_look_anew() - what it may read has changed; its position stays. */
void sluice_cursor_look_anew(struct sluice_cursor *c);

/** sluice_cursor_drop_segment() - find the place anew, by the next offset. */
void sluice_cursor_drop_segment(struct sluice_cursor *c);

/* What may be read: sock_isolation.c */

/** sluice_cursor_limit() - behind the last offset that may be read. Context: entered. */
s64 sluice_cursor_limit(const struct sluice_cursor *c);

/**
 * sluice_cursor_is_aborted() - is the batch at hand of an aborted transaction
 * It lies below the last stable offset. Return: 1, 0, -errno.
 * Context: lock_sock() held, entered.
 */
int __must_check sluice_cursor_is_aborted(struct sluice_cursor *c);

/** sluice_cursor_forget_aborted() - the log may say something else now. */
void sluice_cursor_forget_aborted(struct sluice_cursor *c);

/** sluice_sock_set_isolation() - SLUICE_READ_*; -EINVAL, -EOPNOTSUPP. */
int __must_check sluice_sock_set_isolation(struct sluice_sock *ssk, u32 isolation);

/* A cursor of a SOCK_SEQPACKET in the open batch: sock_open_batch.c */

/**
 * sluice_cursor_settle_open() - find the next record, if it is in memory
 * Needs lock_sock(), the partition entered, and a next offset below the high
 * watermark. Return: false if the files hold it.
 */
bool __must_check sluice_cursor_settle_open(struct sluice_cursor *c);

/** sluice_cursor_advance_open() - the record at hand in the open batch was delivered. */
void sluice_cursor_advance_open(struct sluice_cursor *c);

/** sluice_cursor_leave_open() - hold the buffer no longer; the place is kept. */
void sluice_cursor_leave_open(struct sluice_cursor *c);

/* Bytes of what is settled, by its positions, from wherever it is. */

/** sluice_cursor_copy() - see sluice_pages_copy() */
size_t sluice_cursor_copy(struct sluice_cursor *c, u64 pos, size_t len, struct iov_iter *to,
			  int *ret_err);

/** sluice_cursor_read() - see port_file_read() */
ssize_t __must_check sluice_cursor_read(struct sluice_cursor *c, u64 pos, void *buf, size_t len);

/** sluice_cursor_header_read() - see sluice_record_header_read() */
int __must_check sluice_cursor_header_read(struct sluice_cursor *c, u64 pos,
					   struct sluice_record_part *ret_h);

/* A place to come back to, when what was taken is not delivered after all. */
struct sluice_bookmark {
	struct sluice_place at;
	struct sluice_segment *seg;
	struct port_file *file;
};

void sluice_cursor_mark(struct sluice_cursor *c, struct sluice_bookmark *m);
void sluice_cursor_return(struct sluice_cursor *c, struct sluice_bookmark *m);
void sluice_cursor_unmark(struct sluice_bookmark *m);

/* Sending: sock_produce.c */

/**
 * sluice_target_seal() - write what this socket may have left in open batches
 * Of the partitions of @t, if the socket says itself how long they stay open.
 * Context: may sleep, for as long as storage takes; no lock.
 */
void sluice_target_seal(struct sluice_sock *ssk, const struct sluice_target *t);
int sluice_sendmsg_record(struct socket *sock, struct msghdr *msg, size_t len);
int sluice_sendmsg_stream(struct socket *sock, struct msghdr *msg, size_t len);

/* Receiving: sock_fetch.c, splice.c */
int sluice_recvmsg_record(struct socket *sock, struct msghdr *msg, size_t len, int flags);
int sluice_recvmsg_stream(struct socket *sock, struct msghdr *msg, size_t len, int flags);
__poll_t sluice_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait);
ssize_t sluice_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			   size_t len, unsigned int flags);

/* Options: sockopt.c */
int sluice_setsockopt(struct socket *sock, int level, int optname, sockptr_t optval,
		      unsigned int optlen);
int sluice_getsockopt(struct socket *sock, int level, int optname, char __user *optval,
		      int __user *optlen);

#endif /* SLUICE_SOCK_H */
