// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/coordinator_request.h"
#include "daemon/worker.h"

void coordinator_request_finish(struct coordinator_call *call)
{
	struct coordinator_request *cr = list_entry(call, struct coordinator_request, call);

	request_finish(cr->request, cr->how);
}

enum handled coordinator_request_park(struct request *r, struct coordinator_request *cr,
				      void (*work)(struct coordinators *cs,
						   struct coordinator_call *call),
				      void (*reply)(struct coordinator_call *call))
{
	cr->request = r;
	cr->call = (struct coordinator_call){
		.work = work,
		.reply = reply,
		.reply_to = reactor_mailbox(&r->worker->reactor),
	};
	coordinators_submit(r->worker->coordinators, &cr->call);
	return REQUEST_PARKED;
}

void coordinator_request_answer(struct coordinator_request *cr)
{
	cr->how = response_end(cr->request);
	coordinators_reply(&cr->call);
}

int coordinator_request_copy(struct request *r, struct kafka_str from, struct kafka_str *to)
{
	char *p = request_alloc(r, (size_t)from.len + 1, 1);

	if (!p)
		return -ENOMEM;
	memcpy(p, from.p, (size_t)from.len);
	*to = (struct kafka_str){p, from.len};
	return 0;
}

void coordinator_request_refuse(struct coordinator_request *cr)
{
	cr->how = request_malformed(cr->request, -ENOMEM);
	coordinators_reply(&cr->call);
}
