/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Kafka request, from its frame to its answer.
 *
 * A handler (handle_<api>.c) reads the message, and either answers at once or
 * parks the request and answers later, from the same thread. While a request
 * is parked its frame and its arena stay as they are.
 */
#ifndef SLUICE_KAFKA_REQUEST_H
#define SLUICE_KAFKA_REQUEST_H

#include "daemon/kafka/header.h"
#include "daemon/kafka/error_code.h"
#include "daemon/log/segment_fd_cache.h"

struct controller;
struct controller_call;
struct worker;

/** enum handled - what a handler did with a request */
enum handled {
	REQUEST_ANSWERED, /* response_end() was called */
	REQUEST_PARKED,	  /* request_finish() will be */
	REQUEST_SILENT,	  /* there is no answer (acks=0) */
	REQUEST_REFUSED,  /* close the connection; request_refuse() said why */
};

/**
 * struct request - the request a connection is busy with
 * @worker: whose thread this is
 * @api: its API, in a version that is served
 * @header: client_id points into the frame
 * @body: at the message
 * @arena: memory that is freed with the request
 * @out: the answer, with gaps as @writer says; filled between response_begin()
 *	and response_end()
 * @size_bytes: of the frame
 * @throttle_ms: how long the client must wait behind the answer (request_quota.h)
 * @busy_ns, @busy_from_ns: how long it was worked at, and since when; 0: not at all
 * @files: what goes into the gaps: the @n_files files, in an array in the
 *	arena, with the position of the first byte; set by the handler
 * @abandon: set while parked: the connection is gone, forget the request and
 *	never call request_finish(). NULL: the request cannot be taken back;
 *	request_finish() is called as ever, and the answer goes nowhere
 * @done: set by the connection: takes over when a parked request has its answer
 * @refused_why: sentence about a connection that must be closed
 * @local_host, @local_port: the address that the client reached
 * @peer_host: address of the client
 * @listener: index of the listener it came in by
 */
struct request {
	struct worker *worker;
	const struct kafka_api *api;
	struct kafka_request_header header;
	struct wire_reader body;
	struct arena arena;
	struct buf out;
	struct wire_writer writer;
	struct wire_frame frame;
	struct request_file {
		struct segment_file *file;
		int64_t position;
	} * files;
	uint32_t n_files;
	size_t size_bytes;
	int32_t throttle_ms;
	int64_t busy_ns;
	int64_t busy_from_ns;
	void (*abandon)(struct request *r);
	void (*done)(struct request *r, enum handled how);
	void *state;
	char refused_why[96];
	const char *local_host;
	const char *peer_host;
	uint16_t local_port;
	unsigned int listener;
};

static inline int16_t request_version(const struct request *r)
{
	return r->header.request_api_version;
}

/** request_alloc - zeroed memory that lives as long as the request, or NULL */
static inline void *request_alloc(struct request *r, size_t n, size_t size)
{
	return arena_alloc(&r->arena, n, size);
}

/** request_free - give back what the request took; it can be used for the next one */
void request_free(struct request *r);

/** response_begin - start the answer: its size and header; encode the message into the result */
struct wire_writer *response_begin(struct request *r);

/** response_end - REQUEST_ANSWERED, or REQUEST_REFUSED if it could not be encoded */
enum handled response_end(struct request *r);

/** request_refuse - note why; returns REQUEST_REFUSED */
__attribute__((format(printf, 2, 3))) enum handled request_refuse(struct request *r,
								  const char *fmt, ...);

/** request_malformed - for a message that does not decode; @err is the decoder's */
enum handled request_malformed(struct request *r, int err);

/**
 * request_park - have the controller do what a worker may not: @work in its thread, then
 * @reply in the worker's, which ends with request_finish(). @call lives as long as @r.
 * Returns REQUEST_PARKED.
 */
enum handled request_park(struct request *r, struct controller_call *call,
			  void (*work)(struct controller *c, struct controller_call *call),
			  void (*reply)(struct controller_call *call));

/** request_finish - a parked request was answered as @how says; the request is not to be touched */
void request_finish(struct request *r, enum handled how);

#endif /* SLUICE_KAFKA_REQUEST_H */
