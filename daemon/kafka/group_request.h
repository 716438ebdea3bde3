/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that the group coordinator answers, in its own thread. */
#ifndef SLUICE_KAFKA_GROUP_REQUEST_H
#define SLUICE_KAFKA_GROUP_REQUEST_H

#include "daemon/group/manager.h"
#include "daemon/kafka/request.h"

/**
 * struct group_request - first part of what a handler keeps in the request's arena
 * @how: set by group_answer()
 */
struct group_request {
	struct group_call call;
	struct request *request;
	enum handled how;
};

/** group_copy - a string in the request's arena; 0 or -ENOMEM. From the thread that has the request */
int group_copy(struct request *r, struct kafka_str from, struct kafka_str *to);

/**
 * group_park - have @work done in the coordinator's thread, then @reply in the worker's
 * @work, or what it starts, calls group_answer() or group_reply(). The request,
 * its arena and response_begin() are that thread's as long.
 * Returns REQUEST_PARKED.
 */
enum handled group_park(struct request *r, struct group_request *gr,
			void (*work)(struct coordinator *c, struct group_call *call),
			void (*reply)(struct group_call *call));

/** group_finish - the @reply of all that call group_answer() */
void group_finish(struct group_call *call);

/** group_answer - the response was encoded */
void group_answer(struct group_request *gr);

/** group_refuse - there is no memory for the answer */
void group_refuse(struct group_request *gr);

#endif /* SLUICE_KAFKA_GROUP_REQUEST_H */
