// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <linux/sluice_netlink.h>

#include "daemon/coordinator/batch_writer.h"

#define EVENTS_AT_ONCE 32

static void read_events(struct batch_writer *w)
{
	struct sluice_event events[EVENTS_AT_ONCE];
	int n;

	do {
		n = data_socket_events(w->data, events, EVENTS_AT_ONCE);
		for (int i = 0; i < n; i++) {
			if (events[i].type == SLUICE_EVENT_RECEIPT)
				produce_purgatory_receipt(&w->writes, &events[i]);
		}
	} while (n == EVENTS_AT_ONCE);
}

static void on_data(struct reactor_fd *rfd, uint32_t events)
{
	(void)events;
	read_events(list_entry(rfd, struct batch_writer, data_io));
}

static void on_receipt(struct parked_produce *parked, uint32_t index, const struct sluice_event *ev)
{
	(void)index;
	list_entry(parked, struct batch_write, parked)->err = ev->error;
}

static void on_written(struct parked_produce *parked)
{
	struct batch_write *bw = list_entry(parked, struct batch_write, parked);

	bw->done(bw, bw->err);
}

/* As acks=all would wait: a coordinator answers when what it says cannot be lost any more. */
uint32_t batch_writer_receipt(const struct image_topic *topic)
{
	return topic->config.durability == SLUICE_DURABILITY_CACHE ? SLUICE_RECEIPT_APPENDED
								   : SLUICE_RECEIPT_DURABLE;
}

int batch_writer_append(struct batch_writer *w, const struct image_topic *topic, int32_t partition,
			const uint8_t *batch, size_t len, struct batch_write *bw)
{
	int err;

	/* If no receipt comes in time. */
	bw->err = -ETIMEDOUT;
	bw->parked.receipt = on_receipt;
	bw->parked.wake = on_written;
	err = produce_begin(&w->writes, &bw->parked);
	if (err)
		return err;
	for (int tries = 0; tries < 2; tries++) {
		err = data_socket_append(w->data, topic->id, partition, batch, len,
					 batch_writer_receipt(topic),
					 produce_cookie(&bw->parked, 0));
		if (err != -ENOBUFS)
			break;
		read_events(w);
	}
	if (err) {
		produce_end(&bw->parked);
		return err;
	}
	bw->parked.outstanding = 1;
	produce_park(&bw->parked, w->reactor->now_ms + w->timeout_ms);
	return 0;
}

int batch_writer_init(struct batch_writer *w, struct reactor *r, uint32_t family,
		      int64_t timeout_ms)
{
	int err;

	*w = (struct batch_writer){.reactor = r, .timeout_ms = timeout_ms};
	err = data_socket_open(family, &w->data);
	if (err)
		return err;
	err = data_socket_append_as(w->data, SLUICE_AS_COORDINATOR);
	if (err)
		goto err_data;
	w->data_io = (struct reactor_fd){.fd = data_socket_fd(w->data), .fn = on_data};
	err = reactor_add(r, &w->data_io, data_socket_poll_events(w->data));
	if (err)
		goto err_data;
	produce_purgatory_init(&w->writes, r);
	return 0;

err_data:
	data_socket_close(w->data);
	return err;
}

static void give_up(struct hnode *n, void *ctx)
{
	struct parked_produce *parked = hnode_entry(n, struct parked_produce, node);

	(void)ctx;
	produce_end(parked);
	on_written(parked);
}

void batch_writer_free(struct batch_writer *w)
{
	htable_each(&w->writes.waiting, give_up, NULL);
	produce_purgatory_free(&w->writes);
	data_socket_close(w->data);
}
