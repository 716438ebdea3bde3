// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "daemon/kafka/fetch_aborted.h"
#include "daemon/kafka/fetch_lookup.h"

/* More than most ranges have. */
#define AT_ONCE 128

union query {
	struct sluice_aborted_list list;
	uint8_t room[sizeof(struct sluice_aborted_list) + AT_ONCE * sizeof(struct sluice_aborted)];
};

/* How many there are is known with the first answer: what is stable does not change. */
static int take(struct request *r, struct kafka_fetch_response_partition *out,
		const struct sluice_aborted_list *list, int32_t n, int32_t *had)
{
	if (!*had) {
		out->aborted_transactions.v =
			request_alloc(r, list->count, sizeof(*out->aborted_transactions.v));
		if (!out->aborted_transactions.v)
			return -ENOMEM;
		out->aborted_transactions.n = (int32_t)list->count;
	}
	if (n > out->aborted_transactions.n - *had)
		return -EIO;
	for (int32_t i = 0; i < n; i++) {
		out->aborted_transactions.v[(*had)++] =
			(struct kafka_fetch_response_aborted_transaction){
				.producer_id = list->txns[i].producer_id,
				.first_offset = list->txns[i].first_offset,
			};
	}
	return 0;
}

int16_t fetch_aborted(struct request *r, const struct sluice_fetch *range,
		      struct kafka_fetch_response_partition *out)
{
	union query q = {.list = {.partition = range->partition,
				  .offset = range->offset,
				  .end_offset = range->end_offset}};
	int32_t had = 0;
	int n, err;

	memcpy(q.list.topic_id, range->topic_id, sizeof(q.list.topic_id));
	do {
		q.list.count = 0;
		n = data_socket_aborted(r->worker->data, &q.list, AT_ONCE);
		if (n < 0)
			return fetch_error_code(n);
		if (!n)
			break;
		err = take(r, out, &q.list, n, &had);
		if (err)
			return fetch_error_code(err);
		q.list.offset = q.list.txns[n - 1].last_offset + 1;
	} while (q.list.count > (uint32_t)n);
	out->aborted_transactions.n = had;
	return KAFKA_ERROR_NONE;
}
