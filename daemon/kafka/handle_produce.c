// SPDX-License-Identifier: Apache-2.0
/*
 * Produce: one batch for each partition goes from the request's own bytes into
 * the log, and a receipt says where it landed. acks=0 asks for none and gets no
 * answer; acks=all waits until it is durable, as the topic's setting says.
 *
 * First the records are looked into. What takes long of that helpers do
 * (core/helpers.h), while this connection waits and the worker serves others.
 *
 * Batches of a transaction then pass the transaction coordinator: it says
 * whether their partitions are part of it, or adds them, and then waits for the
 * appends before it ends the transaction.
 */
#include <string.h>
#include <time.h>
#include <linux/sluice_netlink.h>

#include "daemon/kafka/coordinator_request.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/fetch_lookup.h"
#include "daemon/kafka/produce_check.h"
#include "daemon/kafka/request_quota.h"
#include "daemon/kafka/txn_error.h"
#include "daemon/worker.h"

#define ACKS_ALL  (-1)
#define ACKS_NONE 0

/* First versions with topic ids; that know TRANSACTION_ABORTABLE; that add their partitions. */
#define IDS_FROM_VERSION       13
#define ABORTABLE_FROM_VERSION 11
#define ADD_FROM_VERSION       12

/* Of the module's sentences, kept beside the answer. */
#define MESSAGE_MAX 160

/**
 * struct produce - a produce request at work; in its arena
 * @partitions: element of the answer for each batch, in the order of the request
 * @batches: in the same order
 * @job: what helpers do of it; @job_ns: how long that took
 * @appended: "appended" receipts that were asked for: they are there at once
 * @failed: whether a batch was refused
 * @add: of the @add.n partitions with transactional batches, @places
 * @place_indexes: of these in @partitions; @codes: what the coordinator said
 * @guard: held until all is appended, or NULL
 */
struct produce {
	struct parked_produce parked;
	struct coordinator_request cr;
	struct request *request;
	struct kafka_produce_request m;
	struct kafka_produce_response answer;
	struct kafka_produce_response_partition **partitions;
	struct produce_batch *batches;
	struct helper_job job;
	int64_t job_ns;
	uint32_t n_partitions;
	uint32_t appended;
	bool failed;
	struct txn_add_call add;
	struct txn_place *places;
	uint32_t *place_indexes;
	int16_t *codes;
	struct coordinators *coordinators;
	struct txn_guard *guard;
};

static void set_error(struct produce *p, struct kafka_produce_response_partition *part,
		      int16_t error_code, const char *message)
{
	p->failed = true;
	part->error_code = error_code;
	part->base_offset = -1;
	part->error_message = kafka_str_from(message);
}

static int16_t error_code_of(int err)
{
	switch (err) {
	case -ENODEV: return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION; /* deleted meanwhile */
	case -ENOBUFS:
	case -ENOMEM: return KAFKA_ERROR_REQUEST_TIMED_OUT; /* one that clients try again after */
	default: return kafka_error_from_errno(err);
	}
}

/* That its records went is no word about the producer, as -ESTALE of an append is. */
static void receipt_failed(struct produce *p, struct kafka_produce_response_partition *part,
			   int err)
{
	if (err == -ESTALE)
		set_error(p, part, KAFKA_ERROR_NOT_LEADER_OR_FOLLOWER,
			  "the log was truncated before the batch was durable");
	else
		set_error(p, part, error_code_of(err), "the batch could not be made durable");
}

static void on_receipt(struct parked_produce *parked, uint32_t index, const struct sluice_event *ev)
{
	struct produce *p = list_entry(parked, struct produce, parked);
	struct kafka_produce_response_partition *part;

	if (index >= p->n_partitions)
		return;
	part = p->partitions[index];
	if (ev->error) {
		receipt_failed(p, part, ev->error);
		return;
	}
	part->error_code = KAFKA_ERROR_NONE;
	part->base_offset = ev->offset;
	part->log_append_time_ms = ev->timestamp;
	part->log_start_offset = ev->log_start_offset;
}

static uint32_t receipt_for(const struct produce *p, const struct image_topic *topic)
{
	if (p->m.acks == ACKS_NONE)
		return SLUICE_RECEIPT_NONE;
	switch (topic->config.durability) {
	case SLUICE_DURABILITY_ALWAYS: return SLUICE_RECEIPT_DURABLE;
	case SLUICE_DURABILITY_CACHE: return SLUICE_RECEIPT_APPENDED;
	default: return p->m.acks == ACKS_ALL ? SLUICE_RECEIPT_DURABLE : SLUICE_RECEIPT_APPENDED;
	}
}

/* Whether Kafka says with an error where the log begins: it was its log that refused. */
static bool tells_log_start(int16_t code)
{
	switch (code) {
	case KAFKA_ERROR_CORRUPT_MESSAGE:
	case KAFKA_ERROR_KAFKA_STORAGE_ERROR:
	case KAFKA_ERROR_MESSAGE_TOO_LARGE:
	case KAFKA_ERROR_NOT_LEADER_OR_FOLLOWER:
	case KAFKA_ERROR_REQUEST_TIMED_OUT:
	case KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION: return false;
	default: return true;
	}
}

static void set_log_error(struct produce *p, const struct image_topic *topic,
			  struct kafka_produce_response_partition *part, int16_t code,
			  const char *why)
{
	struct sluice_fetch at;

	set_error(p, part, code, why);
	if (tells_log_start(code) &&
	    !fetch_watermarks(p->request->worker, topic, part->index, -1, &at))
		part->log_start_offset = at.log_start_offset;
}

static void append_refused(struct produce *p, const struct image_topic *topic,
			   struct kafka_produce_response_partition *part, int err)
{
	char *text = request_alloc(p->request, 1, MESSAGE_MAX);

	if (text)
		data_socket_error_text(p->request->worker->data, text, MESSAGE_MAX);
	set_log_error(p, topic, part, error_code_of(err), text && text[0] ? text : NULL);
}

static void list_record_errors(struct produce *p, const struct record_check *c,
			       struct kafka_produce_response_partition *part)
{
	part->record_errors.v =
		request_alloc(p->request, c->n_errors, sizeof(*part->record_errors.v));
	if (!part->record_errors.v)
		return;
	part->record_errors.n = (int32_t)c->n_errors;
	for (uint32_t i = 0; i < c->n_errors; i++)
		part->record_errors.v[i] = (struct kafka_produce_response_record_error){
			.batch_index = c->errors[i].index,
			.batch_index_error_message = kafka_str_from(c->errors[i].why),
		};
}

/* The records are not what they should be. */
static void check_refused(struct produce *p, const struct image_topic *topic, uint32_t index)
{
	const struct produce_batch *batch = &p->batches[index];
	struct kafka_produce_response_partition *part = p->partitions[index];

	if (batch->in_log)
		set_log_error(p, topic, part, batch->check.code, batch->check.why);
	else
		set_error(p, part, batch->check.code, batch->check.why);
	if (batch->check.n_errors)
		list_record_errors(p, &batch->check, part);
}

static void append(struct produce *p, const struct image_topic *topic, struct kafka_bytes batch,
		   uint32_t index)
{
	struct kafka_produce_response_partition *part = p->partitions[index];
	struct worker *w = p->request->worker;
	uint32_t when = receipt_for(p, topic);
	int err;

	/* Until the receipt is there: what is answered if it does not come in time. */
	part->error_code =
		when == SLUICE_RECEIPT_NONE ? KAFKA_ERROR_NONE : KAFKA_ERROR_REQUEST_TIMED_OUT;
	part->base_offset = -1;
	for (int tries = 0; tries < 2; tries++) {
		err = data_socket_append(w->data, topic->id, part->index, batch.p,
					 (size_t)batch.len, when,
					 produce_cookie(&p->parked, index));
		if (err != -ENOBUFS)
			break;
		worker_read_events(w);
	}
	if (err) {
		append_refused(p, topic, part, err);
		return;
	}
	p->parked.outstanding += when != SLUICE_RECEIPT_NONE;
	p->appended += when == SLUICE_RECEIPT_APPENDED;
}

/* Whether a batch may go to this place at all; if not, that is its answer. */
static bool place_is_right(struct produce *p, const struct image_topic *topic,
			   int16_t no_topic_error, uint32_t index)
{
	struct kafka_produce_response_partition *part = p->partitions[index];
	int16_t code = KAFKA_ERROR_NONE;
	const char *why = NULL;

	if (p->m.acks != ACKS_ALL && p->m.acks != ACKS_NONE && p->m.acks != 1) {
		code = KAFKA_ERROR_INVALID_REQUIRED_ACKS;
	} else if (!topic) {
		code = no_topic_error;
	} else if (part->index < 0 || part->index >= topic->partition_count) {
		code = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	} else if (image_topic_internal(topic)) {
		code = KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
		why = "only the broker writes to this topic";
	}
	if (code)
		set_error(p, part, code, why);
	return !code;
}

static void produce_partition(struct produce *p, const struct image_topic *topic,
			      int16_t no_topic_error,
			      const struct kafka_produce_request_partition *in, uint32_t index)
{
	(void)in;
	/* The coordinator refused it. */
	if (p->partitions[index]->error_code)
		return;
	if (!place_is_right(p, topic, no_topic_error, index))
		return;
	if (p->batches[index].check.code)
		check_refused(p, topic, index);
	else
		append(p, topic, produce_batch_bytes(&p->batches[index]), index);
}

/* Look into the records of a partition that there is; the answer comes later. */
static void check_partition(struct produce *p, const struct image_topic *topic,
			    int16_t no_topic_error,
			    const struct kafka_produce_request_partition *in, uint32_t index)
{
	(void)no_topic_error;
	if (topic)
		produce_check(&p->batches[index], in->records, request_version(p->request), topic);
}

/* Lay out the answer in the shape of the request. */
static int prepare_answer(struct produce *p)
{
	struct request *r = p->request;
	int32_t n_topics = p->m.topic_data.n;
	uint32_t at = 0;

	kafka_produce_response_init(&p->answer);
	for (int32_t i = 0; i < n_topics; i++)
		p->n_partitions += (uint32_t)p->m.topic_data.v[i].partition_data.n;
	if (p->n_partitions > PRODUCE_BATCHES_MAX)
		return -ENOMEM;
	p->partitions = request_alloc(r, p->n_partitions,
				      sizeof(struct kafka_produce_response_partition *));
	p->batches = request_alloc(r, p->n_partitions, sizeof(*p->batches));
	p->answer.responses.v = request_alloc(r, (size_t)n_topics, sizeof(*p->answer.responses.v));
	if (!p->partitions || !p->batches || !p->answer.responses.v)
		return -ENOMEM;
	p->answer.responses.n = n_topics;
	for (int32_t i = 0; i < n_topics; i++) {
		const struct kafka_produce_request_topic *in = &p->m.topic_data.v[i];
		struct kafka_produce_response_topic *out = &p->answer.responses.v[i];
		int32_t n = in->partition_data.n;

		out->name = in->name;
		out->topic_id = in->topic_id;
		out->partition_responses.v =
			request_alloc(r, (size_t)n, sizeof(*out->partition_responses.v));
		if (!out->partition_responses.v)
			return -ENOMEM;
		out->partition_responses.n = n;
		for (int32_t j = 0; j < n; j++) {
			struct kafka_produce_response_partition *part =
				&out->partition_responses.v[j];

			kafka_produce_response_partition_init(part);
			part->index = in->partition_data.v[j].index;
			p->partitions[at++] = part;
		}
	}
	return 0;
}

static const struct image_topic *find_topic(const struct produce *p,
					    const struct kafka_produce_request_topic *in)
{
	const struct image *image = p->request->worker->image;

	return request_version(p->request) >= IDS_FROM_VERSION
		       ? image_by_id(image, in->topic_id.b)
		       : image_by_name(image, in->name.p, (size_t)in->name.len);
}

/* For all partitions, in the order of the request. */
static void each_partition(struct produce *p,
			   void (*fn)(struct produce *p, const struct image_topic *topic,
				      int16_t no_topic_error,
				      const struct kafka_produce_request_partition *in,
				      uint32_t index))
{
	int16_t no_topic_error = request_version(p->request) >= IDS_FROM_VERSION
					 ? KAFKA_ERROR_UNKNOWN_TOPIC_ID
					 : KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	uint32_t at = 0;

	for (int32_t i = 0; i < p->m.topic_data.n; i++) {
		const struct kafka_produce_request_topic *in = &p->m.topic_data.v[i];
		const struct image_topic *topic = find_topic(p, in);

		for (int32_t j = 0; j < in->partition_data.n; j++)
			fn(p, topic, no_topic_error, &in->partition_data.v[j], at++);
	}
}

static void free_batches(struct produce *p)
{
	for (uint32_t i = 0; p->batches && i < p->n_partitions; i++)
		record_check_free(&p->batches[i].check);
}

static enum handled answer(struct produce *p)
{
	struct request *r = p->request;

	request_quota_produced(r, r->size_bytes);
	if (p->m.acks == ACKS_NONE) {
		/* The only way left to tell the producer that something is wrong. */
		if (p->failed)
			return request_refuse(r, "a batch that it sent with acks=0 was refused");
		return REQUEST_SILENT;
	}
	kafka_produce_response_encode(response_begin(r), request_version(r), &p->answer);
	return response_end(r);
}

static void wake(struct parked_produce *parked)
{
	struct produce *p = list_entry(parked, struct produce, parked);

	request_finish(p->request, answer(p));
}

static void abandon(struct request *r)
{
	struct produce *p = r->state;

	produce_end(&p->parked);
}

/* What is in the log, or not, is known: answer, or wait for receipts. */
static enum handled append_and_answer(struct produce *p)
{
	struct request *r = p->request;
	struct worker *w = r->worker;

	if (produce_begin(&w->produces, &p->parked)) {
		free_batches(p);
		return request_malformed(r, -ENOMEM);
	}
	each_partition(p, produce_partition);
	free_batches(p);
	if (p->appended)
		worker_read_events(w);
	if (!p->parked.outstanding) {
		produce_end(&p->parked);
		return answer(p);
	}
	r->state = p;
	r->abandon = abandon;
	produce_park(&p->parked, w->reactor.now_ms + (p->m.timeout_ms > 0 ? p->m.timeout_ms : 0));
	return REQUEST_PARKED;
}

static void verified(struct coordinator_call *call)
{
	struct produce *p = list_entry(call, struct produce, cr.call);
	int16_t version = request_version(p->request);
	struct request *r = p->request;
	enum handled how;

	for (size_t i = 0; i < p->add.n; i++) {
		int16_t code = txn_write_error(p->codes[i], version >= ABORTABLE_FROM_VERSION,
					       version >= ADD_FROM_VERSION);

		if (code)
			set_error(p, p->partitions[p->place_indexes[i]], code,
				  "the partition is not part of the transaction");
	}
	how = append_and_answer(p);
	if (p->guard)
		txn_guard_put(p->guard);
	if (how != REQUEST_PARKED)
		request_finish(r, how);
}

static void added(struct txn_add_call *call, int16_t code)
{
	struct produce *p = list_entry(call, struct produce, add);

	for (size_t i = 0; i < call->n; i++)
		p->codes[i] = code;
	if (!code)
		p->guard = txn_guard(&p->coordinators->txns, &call->producer);
	coordinators_reply(&p->cr.call);
}

static void verify(struct coordinators *cs, struct coordinator_call *call)
{
	struct produce *p = list_entry(call, struct produce, cr.call);

	p->coordinators = cs;
	if (request_version(p->request) >= ADD_FROM_VERSION) {
		txn_add(&cs->txns, &p->add);
		return;
	}
	for (size_t i = 0; i < p->add.n; i++) {
		p->codes[i] = txn_verify(&cs->txns, &p->add.producer, &p->places[i], 1);
		if (!p->codes[i] && !p->guard)
			p->guard = txn_guard(&cs->txns, &p->add.producer);
	}
	coordinators_reply(call);
}

/* A batch of a transaction: note what the coordinator is to be asked. */
static int note_transactional(struct produce *p, const struct image_topic *topic,
			      const struct sluice_batch *b, uint32_t index)
{
	struct kafka_produce_response_partition *part = p->partitions[index];
	struct txn_producer *producer = &p->add.producer;
	struct txn_place *place = &p->places[p->add.n];

	if (p->m.transactional_id.len < 0) {
		set_error(p, part, KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
			  "a batch of a transaction needs a transactional id");
		return 0;
	}
	if (!topic || part->index < 0 || part->index >= topic->partition_count)
		return 0;
	if (!p->add.n) {
		producer->id = p->m.transactional_id;
		producer->producer_id = b->producer_id;
		producer->epoch = b->producer_epoch;
		producer->client_version = 2;
	} else if (b->producer_id != producer->producer_id ||
		   b->producer_epoch != producer->epoch) {
		set_error(p, part, KAFKA_ERROR_INVALID_PRODUCER_ID_MAPPING,
			  "the batches are of more than one producer");
		return 0;
	}
	place->partition = part->index;
	p->place_indexes[p->add.n++] = index;
	/* Copied, because the image may be replaced meanwhile. */
	return coordinator_request_copy(p->request, kafka_str_from(topic->name), &place->topic);
}

static int find_transactional(struct produce *p)
{
	struct request *r = p->request;
	uint32_t at = 0;

	for (int32_t i = 0; i < p->m.topic_data.n; i++) {
		const struct kafka_produce_request_topic *in = &p->m.topic_data.v[i];
		const struct image_topic *topic = find_topic(p, in);

		for (int32_t j = 0; j < in->partition_data.n; j++, at++) {
			struct sluice_batch b;

			if (!produce_is_transactional(in->partition_data.v[j].records, &b))
				continue;
			if (!p->places) {
				p->places = request_alloc(r, p->n_partitions, sizeof(*p->places));
				p->place_indexes = request_alloc(r, p->n_partitions,
								 sizeof(*p->place_indexes));
				p->codes = request_alloc(r, p->n_partitions, sizeof(*p->codes));
			}
			if (!p->places || !p->place_indexes || !p->codes ||
			    note_transactional(p, topic, &b, at))
				return -ENOMEM;
		}
	}
	return 0;
}

/* The records are known: ask the coordinator, where it must be, and append. */
static enum handled go_on(struct produce *p)
{
	int err = find_transactional(p);

	if (err) {
		free_batches(p);
		return request_malformed(p->request, err);
	}
	if (!p->add.n)
		return append_and_answer(p);
	p->add.places = p->places;
	p->add.answer = added;
	return coordinator_request_park(p->request, &p->cr, verify, verified);
}

static int64_t thread_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void check_heavy(struct helper_job *job)
{
	struct produce *p = list_entry(job, struct produce, job);
	int64_t from_ns = thread_cpu_ns();

	for (uint32_t i = 0; i < p->n_partitions; i++) {
		if (p->batches[i].heavy)
			produce_check_heavy(&p->batches[i]);
	}
	p->job_ns = thread_cpu_ns() - from_ns;
}

static void checked(struct helper_job *job)
{
	struct produce *p = list_entry(job, struct produce, job);
	struct request *r = p->request;
	enum handled how;

	/* Of a client with a quota of time. */
	if (r->busy_ns)
		r->busy_ns += p->job_ns;
	how = go_on(p);
	if (how != REQUEST_PARKED)
		request_finish(r, how);
}

static bool is_heavy(const struct produce *p)
{
	for (uint32_t i = 0; i < p->n_partitions; i++) {
		if (p->batches[i].heavy)
			return true;
	}
	return false;
}

enum handled handle_produce(struct request *r)
{
	struct produce *p = request_alloc(r, 1, sizeof(*p));
	int err = p ? 0 : -ENOMEM;

	if (!err)
		err = kafka_produce_request_decode(&r->body, &r->arena, request_version(r), &p->m);
	if (err)
		return request_malformed(r, err);
	p->request = r;
	p->parked.receipt = on_receipt;
	p->parked.wake = wake;
	err = prepare_answer(p);
	if (err)
		return request_malformed(r, err);
	each_partition(p, check_partition);
	if (!is_heavy(p))
		return go_on(p);
	p->job = (struct helper_job){
		.work = check_heavy,
		.reply = checked,
		.reply_to = reactor_mailbox(&r->worker->reactor),
	};
	helpers_submit(r->worker->broker->helpers, &p->job);
	return REQUEST_PARKED;
}
