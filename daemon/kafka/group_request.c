// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/group_request.h"
#include "daemon/worker.h"

void group_finish(struct group_call *call)
{
	struct group_request *gr = list_entry(call, struct group_request, call);

	request_finish(gr->request, gr->how);
}

enum handled group_park(struct request *r, struct group_request *gr,
			void (*work)(struct coordinator *c, struct group_call *call),
			void (*reply)(struct group_call *call))
{
	gr->request = r;
	gr->call = (struct group_call){
		.work = work,
		.reply = reply,
		.reply_to = reactor_mailbox(&r->worker->reactor),
	};
	group_submit(r->worker->groups, &gr->call);
	return REQUEST_PARKED;
}

void group_answer(struct group_request *gr)
{
	gr->how = response_end(gr->request);
	group_reply(&gr->call);
}

int group_copy(struct request *r, struct kafka_str from, struct kafka_str *to)
{
	char *p = request_alloc(r, (size_t)from.len + 1, 1);

	if (!p)
		return -ENOMEM;
	memcpy(p, from.p, (size_t)from.len);
	*to = (struct kafka_str){p, from.len};
	return 0;
}

void group_refuse(struct group_request *gr)
{
	gr->how = request_malformed(gr->request, -ENOMEM);
	group_reply(&gr->call);
}
