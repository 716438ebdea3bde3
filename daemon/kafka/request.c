// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>

#include "daemon/controller/controller.h"
#include "daemon/kafka/request_quota.h"
#include "daemon/worker.h"

void request_free(struct request *r)
{
	for (uint32_t i = 0; i < r->n_files; i++)
		segment_file_put(&r->worker->segments, r->files[i].file);
	r->files = NULL;
	r->n_files = 0;
	wire_writer_free(&r->writer);
	buf_free(&r->out);
	arena_free(&r->arena);
	r->abandon = NULL;
	r->state = NULL;
}

struct wire_writer *response_begin(struct request *r)
{
	request_quota_answer(r);
	wire_writer_init(&r->writer, &r->out);
	r->writer.throttle_time_ms = r->throttle_ms;
	r->frame = wire_frame_begin(&r->writer);
	kafka_response_header_encode(&r->writer, r->api, request_version(r),
				     r->header.correlation_id);
	return &r->writer;
}

enum handled response_end(struct request *r)
{
	wire_frame_end(&r->writer, r->frame);
	if (r->writer.err)
		return request_refuse(r, "its %s answer could not be encoded (%s)", r->api->name,
				      strerror(-r->writer.err));
	return REQUEST_ANSWERED;
}

enum handled request_refuse(struct request *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->refused_why, sizeof(r->refused_why), fmt, args);
	va_end(args);
	return REQUEST_REFUSED;
}

enum handled request_malformed(struct request *r, int err)
{
	if (err == -ENOMEM)
		return request_refuse(r, "its %s request needs too much memory", r->api->name);
	return request_refuse(r, "its %s request v%d is malformed", r->api->name,
			      request_version(r));
}

enum handled request_park(struct request *r, struct controller_call *call,
			  void (*work)(struct controller *c, struct controller_call *call),
			  void (*reply)(struct controller_call *call))
{
	*call = (struct controller_call){
		.work = work,
		.reply = reply,
		.reply_to = reactor_mailbox(&r->worker->reactor),
	};
	controller_submit(r->worker->controller, call);
	return REQUEST_PARKED;
}

void request_finish(struct request *r, enum handled how)
{
	r->abandon = NULL;
	r->done(r, how);
}
