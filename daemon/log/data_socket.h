/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's AF_SLUICE socket, through which it appends to all partitions,
 * finds what to fetch and waits: the only caller of those socket calls.
 * Documentation/design/0001-daemon-data-path.md says why there is one socket.
 *
 * Used by one thread at a time. No call blocks.
 */
#ifndef SLUICE_LOG_DATA_SOCKET_H
#define SLUICE_LOG_DATA_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <linux/sluice.h>

struct data_socket;

/** data_socket_open - @family: number of the address family; 0 or -errno */
int data_socket_open(uint32_t family, struct data_socket **ret_ds);
void data_socket_close(struct data_socket *ds);

/** data_socket_fd, data_socket_poll_events - what to wait for to hear of events */
int data_socket_fd(const struct data_socket *ds);
uint32_t data_socket_poll_events(const struct data_socket *ds);

/** data_socket_append_as - @as: SLUICE_AS_*: who appends from now on; 0 or -errno */
int data_socket_append_as(struct data_socket *ds, uint32_t as);

/**
 * data_socket_append - append one RecordBatch, @len bytes at @batch
 * @when: SLUICE_RECEIPT_*: which receipt to give
 * @cookie: comes back in it
 * An "appended" receipt is among the events when this returns.
 * Returns 0, or -errno and nothing was appended (uapi/linux/sluice.h has the
 * list); -ENOBUFS: read events first.
 */
int data_socket_append(struct data_socket *ds, const uint8_t topic_id[SLUICE_TOPIC_ID_LEN],
		       int32_t partition, const void *batch, size_t len, uint32_t when,
		       uint64_t cookie);

/** data_socket_events - take up to @max events; their number, 0 if there is none, or -errno */
int data_socket_events(struct data_socket *ds, struct sluice_event *ret_events, size_t max);

/** data_socket_fetch - answer @n elements, each by itself; 0 or -errno if none was */
int data_socket_fetch(struct data_socket *ds, struct sluice_fetch *f, size_t n);

/** data_socket_flush - wait until all of a partition is on stable storage; 0 or -errno */
int data_socket_flush(struct data_socket *ds, const uint8_t topic_id[SLUICE_TOPIC_ID_LEN],
		      int32_t partition);

/** data_socket_watch - set watches; after an error some of them may be set */
int data_socket_watch(struct data_socket *ds, const struct sluice_watch *w, size_t n);

/** data_socket_offset_for_time - 0 or -errno */
int data_socket_offset_for_time(struct data_socket *ds, struct sluice_offset_for_time *q);

/** data_socket_epoch_end - where a leader epoch ended; 0 or -errno */
int data_socket_epoch_end(struct data_socket *ds, struct sluice_epoch_end *q);

/** data_socket_max_timestamp - the record with the largest time; 0 or -errno */
int data_socket_max_timestamp(struct data_socket *ds, struct sluice_offset_for_time *q);

/**
 * data_socket_aborted - aborted transactions of a range of offsets
 * @room: elements behind @list
 * Returns how many it put there, or -errno; @list->count says how many there are.
 */
int data_socket_aborted(struct data_socket *ds, struct sluice_aborted_list *list, uint32_t room);

/**
 * data_socket_active_producers - the producers that a log remembers
 * @room: elements behind @list, whose @count is zero
 * Returns how many it put there, or -errno; @list->count says how many there are.
 */
int data_socket_active_producers(struct data_socket *ds, struct sluice_active_producers *list,
				 uint32_t room);

/** data_socket_error_text - what was wrong with the last call that failed; may be empty */
void data_socket_error_text(struct data_socket *ds, char *buf, size_t size);

#endif /* SLUICE_LOG_DATA_SOCKET_H */
