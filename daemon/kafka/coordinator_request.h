/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that the coordinators answer, in their own thread. */
#ifndef SLUICE_KAFKA_COORDINATOR_REQUEST_H
#define SLUICE_KAFKA_COORDINATOR_REQUEST_H

#include "daemon/coordinator/manager.h"
#include "daemon/kafka/request.h"

/**
 * struct coordinator_request - first part of what a handler keeps in the request's arena
 * @how: set by coordinator_request_answer()
 */
struct coordinator_request {
	struct coordinator_call call;
	struct request *request;
	enum handled how;
};

/** coordinator_request_copy - a string in the request's arena; 0 or -ENOMEM. From the thread that has the request */
int coordinator_request_copy(struct request *r, struct kafka_str from, struct kafka_str *to);

/**
 * coordinator_request_park - have @work done in the coordinator's thread, then @reply in the worker's
 * @work, or what it starts, calls coordinator_request_answer() or coordinators_reply(). The request,
 * its arena and response_begin() are that thread's as long.
 * Returns REQUEST_PARKED.
 */
enum handled coordinator_request_park(struct request *r, struct coordinator_request *cr,
				      void (*work)(struct coordinators *cs,
						   struct coordinator_call *call),
				      void (*reply)(struct coordinator_call *call));

/** coordinator_request_finish - the @reply of all that call coordinator_request_answer() */
void coordinator_request_finish(struct coordinator_call *call);

/** coordinator_request_answer - the response was encoded */
void coordinator_request_answer(struct coordinator_request *cr);

/** coordinator_request_refuse - there is no memory for the answer */
void coordinator_request_refuse(struct coordinator_request *cr);

#endif /* SLUICE_KAFKA_COORDINATOR_REQUEST_H */
