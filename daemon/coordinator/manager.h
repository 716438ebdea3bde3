/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread of the coordinators, of groups and of transactions. Workers send
 * it calls; it answers them at once, when a rebalance is over, or when the log
 * has what was written. One thread has both, because what a transaction commits
 * may be the offsets of a group.
 */
#ifndef SLUICE_COORDINATOR_MANAGER_H
#define SLUICE_COORDINATOR_MANAGER_H

#include "daemon/broker.h"
#include "daemon/controller/controller.h"
#include "daemon/coordinator/topic_log.h"
#include "daemon/core/mailbox.h"
#include "daemon/group/coordinator.h"
#include "daemon/metadata/image.h"
#include "daemon/txn/txn_coordinator.h"

/**
 * struct producer_ids - ids that were reserved for transactions
 * @next: up to @end
 * @asked: more are on the way
 */
struct producer_ids {
	int64_t next;
	int64_t end;
	bool asked;
	struct controller_call call;
	int64_t first;
	int err;
};

/**
 * struct coordinators - private to their thread while that runs
 * @groups, @txns: what the work of a call acts on; the rest is manager.c's
 */
struct coordinators {
	struct coordinator groups;
	struct txn_coordinator txns;
	const struct broker *broker;
	struct controller *controller;
	struct reactor reactor;
	struct coordinator_env group_env;
	struct txn_env txn_env;
	struct topic_reader group_reader;
	struct topic_reader txn_reader;
	struct batch_writer writer;
	struct topic_log group_log;
	struct topic_log txn_log;
	struct producer_ids ids;
	struct timer expire_offsets;
	struct timer abort_txns;
	struct timer expire_txns;
	pthread_t thread;
	struct mail drain;
	struct mail stop;
	bool draining;
};

/**
 * struct coordinator_call - something a worker wants of the coordinators
 * @work: called in their thread; sees to it that coordinators_reply() is called,
 *	from there or later from that thread
 * @reply: then called in the worker's thread
 * @reply_to: the worker's mailbox
 * @mail: private
 * The worker does not touch what the call refers to between the two.
 */
struct coordinator_call {
	void (*work)(struct coordinators *cs, struct coordinator_call *call);
	void (*reply)(struct coordinator_call *call);
	struct mailbox *reply_to;
	struct mail mail;
};

/**
 * coordinators_open - everything but the thread
 * @controller: who reserves producer ids
 * @image: a reference, taken, also on failure
 * Returns 0 or -errno, which was said in the diagnostics.
 */
int coordinators_open(const struct broker *broker, struct controller *controller,
		      struct image *image, struct coordinators **ret_cs);

/** coordinators_start - start the thread, which reads the topics first; 0 or -errno */
int coordinators_start(struct coordinators *cs);

/** coordinators_drain - answer what waits; later calls are refused. Before the workers are stopped */
void coordinators_drain(struct coordinators *cs);

/** coordinators_stop - end and join the thread; no worker is running any more */
void coordinators_stop(struct coordinators *cs);

/** coordinators_close - controller_stop() was called */
void coordinators_close(struct coordinators *cs);

/** coordinators_post_image - from any thread: hand over a new image; takes a reference of its own */
int coordinators_post_image(struct coordinators *cs, struct image *image);

/** coordinators_submit - from any worker; cannot fail */
void coordinators_submit(struct coordinators *cs, struct coordinator_call *call);

/** coordinators_reply - the call has its answer */
void coordinators_reply(struct coordinator_call *call);

/** coordinators_mark - write a marker of a transaction; as mark() of struct txn_env */
int coordinators_mark(struct coordinators *cs, struct txn_marker *m);

#endif /* SLUICE_COORDINATOR_MANAGER_H */
