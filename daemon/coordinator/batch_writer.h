/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches that coordinators write, to their own topics and, as the ends of
 * transactions, to any other. Of the coordinators' thread.
 */
#ifndef SLUICE_COORDINATOR_BATCH_WRITER_H
#define SLUICE_COORDINATOR_BATCH_WRITER_H

#include "daemon/kafka/produce_purgatory.h"
#include "daemon/log/data_socket.h"
#include "daemon/metadata/image.h"

/** struct batch_writer - @timeout_ms: how long a write may take */
struct batch_writer {
	struct reactor *reactor;
	struct data_socket *data;
	struct reactor_fd data_io;
	struct produce_purgatory writes;
	int64_t timeout_ms;
};

/**
 * struct batch_write - a batch that waits for its receipt
 * @done: called once: 0, or -errno: -ETIMEDOUT it may be in the log, or not
 * The rest is private.
 */
struct batch_write {
	void (*done)(struct batch_write *bw, int err);
	struct parked_produce parked;
	int err;
};

/** batch_writer_init - @family: of the module's sockets; 0 or -errno */
int batch_writer_init(struct batch_writer *w, struct reactor *r, uint32_t family,
		      int64_t timeout_ms);

/** batch_writer_free - writes that are not done are told that they failed */
void batch_writer_free(struct batch_writer *w);

/** batch_writer_receipt - SLUICE_RECEIPT_*: when a write to a topic is as safe as its setting says */
uint32_t batch_writer_receipt(const struct image_topic *topic);

/**
 * batch_writer_append - one batch, as durable as the topic's setting says
 * @bw: zeroed but for @done
 * Returns 0, and bw->done is called later, not from inside; or -errno and
 * nothing was written.
 */
int batch_writer_append(struct batch_writer *w, const struct image_topic *topic, int32_t partition,
			const uint8_t *batch, size_t len, struct batch_write *bw);

#endif /* SLUICE_COORDINATOR_BATCH_WRITER_H */
