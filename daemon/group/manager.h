/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread of the group coordinator. Workers send it calls; it answers them
 * at once, when a rebalance is over, or when the log has what was written.
 */
#ifndef SLUICE_GROUP_MANAGER_H
#define SLUICE_GROUP_MANAGER_H

#include "daemon/broker.h"
#include "daemon/core/mailbox.h"
#include "daemon/group/coordinator.h"
#include "daemon/metadata/image.h"

struct group_manager;

/**
 * struct group_call - something a worker wants of the coordinator
 * @work: called in the coordinator's thread; sees to it that group_reply() is
 *	called, from there or later from that thread
 * @reply: then called in the worker's thread
 * @reply_to: the worker's mailbox
 * @mail: private
 * The worker does not touch what the call refers to between the two.
 */
struct group_call {
	void (*work)(struct coordinator *c, struct group_call *call);
	void (*reply)(struct group_call *call);
	struct mailbox *reply_to;
	struct mail mail;
};

/**
 * group_manager_open - everything but the thread
 * @image: a reference, taken, also on failure
 * Returns 0 or -errno, which was said in the diagnostics.
 */
int group_manager_open(const struct broker *broker, struct image *image,
		       struct group_manager **ret_gm);

/** group_manager_start - start the thread, which reads the topic first; 0 or -errno */
int group_manager_start(struct group_manager *gm);

/** group_manager_drain - answer what waits; later calls are refused. Before the workers are stopped */
void group_manager_drain(struct group_manager *gm);

/** group_manager_stop - end and join the thread; no worker is running any more */
void group_manager_stop(struct group_manager *gm);
void group_manager_close(struct group_manager *gm);

/** group_manager_post_image - from any thread: hand over a new image; takes a reference of its own */
int group_manager_post_image(struct group_manager *gm, struct image *image);

/** group_submit - from any worker; cannot fail */
void group_submit(struct group_manager *gm, struct group_call *call);

/** group_reply - the call has its answer */
void group_reply(struct group_call *call);

#endif /* SLUICE_GROUP_MANAGER_H */
