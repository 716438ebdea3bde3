// SPDX-License-Identifier: Apache-2.0
/*
 * WriteTxnMarkers: the markers of this broker's coordinator need no request, so
 * that these are an operator's, who ends a transaction that hangs.
 */
#include "daemon/kafka/coordinator_request.h"
#include "daemon/kafka/dispatch.h"

typedef struct kafka_write_txn_markers_request_marker marker_in;
typedef struct kafka_write_txn_markers_response_marker marker_out;
typedef struct kafka_write_txn_markers_response_partition partition_out;

/** struct one_marker - to one partition */
struct one_marker {
	struct txn_marker m;
	partition_out *out;
};

/**
 * struct write_markers - a request at work; in its arena
 * @markers: @n of them, @left of which are on the way
 */
struct write_markers {
	struct coordinator_request cr;
	struct kafka_write_txn_markers_request m;
	struct kafka_write_txn_markers_response a;
	struct one_marker *markers;
	size_t n;
	size_t left;
};

static void one_less(struct write_markers *wm)
{
	struct request *r = wm->cr.request;

	if (--wm->left)
		return;
	kafka_write_txn_markers_response_encode(response_begin(r), request_version(r), &wm->a);
	coordinator_request_answer(&wm->cr);
}

static void marked(struct txn_marker *m, int err)
{
	list_entry(m, struct one_marker, m)->out->error_code = kafka_error_from_errno(err);
	one_less(m->owner);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct write_markers *wm = list_entry(call, struct write_markers, cr.call);

	/* One more, so that it is not answered before all were begun. */
	wm->left = wm->n + 1;
	for (size_t i = 0; i < wm->n; i++) {
		int err = coordinators_mark(cs, &wm->markers[i].m);

		if (err)
			marked(&wm->markers[i].m, err);
	}
	one_less(wm);
}

static int prepare_topic(struct request *r, struct write_markers *wm, const marker_in *in,
			 int32_t i, marker_out *out)
{
	struct kafka_write_txn_markers_response_topic *topic = &out->topics.v[i];
	int32_t n = in->topics.v[i].partition_indexes.n;

	topic->name = in->topics.v[i].name;
	topic->partitions.v = request_alloc(r, (size_t)n, sizeof(*topic->partitions.v));
	if (!topic->partitions.v)
		return -ENOMEM;
	topic->partitions.n = n;
	for (int32_t j = 0; j < n; j++) {
		int32_t index = in->topics.v[i].partition_indexes.v[j];

		topic->partitions.v[j].partition_index = index;
		wm->markers[wm->n++] = (struct one_marker){
			.m = {.done = marked,
			      .owner = wm,
			      .place = {topic->name, index},
			      .producer_id = in->producer_id,
			      .producer_epoch = in->producer_epoch,
			      .coordinator_epoch = in->coordinator_epoch,
			      .commit = in->transaction_result},
			.out = &topic->partitions.v[j],
		};
	}
	return 0;
}

static int prepare_marker(struct request *r, struct write_markers *wm, int32_t i)
{
	const marker_in *in = &wm->m.markers.v[i];
	marker_out *out = &wm->a.markers.v[i];
	int32_t n = in->topics.n;

	out->producer_id = in->producer_id;
	out->topics.v = request_alloc(r, (size_t)n, sizeof(*out->topics.v));
	if (!out->topics.v)
		return -ENOMEM;
	out->topics.n = n;
	for (int32_t j = 0; j < n; j++) {
		if (prepare_topic(r, wm, in, j, out))
			return -ENOMEM;
	}
	return 0;
}

/* Lay out the answer in the shape of the request. */
static int prepare(struct request *r, struct write_markers *wm)
{
	int32_t n = wm->m.markers.n;
	size_t total = 0;

	kafka_write_txn_markers_response_init(&wm->a);
	for (int32_t i = 0; i < n; i++) {
		for (int32_t j = 0; j < wm->m.markers.v[i].topics.n; j++)
			total += (size_t)wm->m.markers.v[i].topics.v[j].partition_indexes.n;
	}
	wm->markers = request_alloc(r, total, sizeof(*wm->markers));
	wm->a.markers.v = request_alloc(r, (size_t)n, sizeof(*wm->a.markers.v));
	if (!wm->markers || !wm->a.markers.v)
		return -ENOMEM;
	wm->a.markers.n = n;
	for (int32_t i = 0; i < n; i++) {
		if (prepare_marker(r, wm, i))
			return -ENOMEM;
	}
	return 0;
}

enum handled handle_write_txn_markers(struct request *r)
{
	struct write_markers *wm = request_alloc(r, 1, sizeof(*wm));
	int err = wm ? 0 : -ENOMEM;

	if (!err)
		err = kafka_write_txn_markers_request_decode(&r->body, &r->arena,
							     request_version(r), &wm->m);
	if (!err)
		err = prepare(r, wm);
	if (err)
		return request_malformed(r, err);
	return coordinator_request_park(r, &wm->cr, work, coordinator_request_finish);
}
