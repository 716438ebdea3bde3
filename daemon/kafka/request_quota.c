// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include "daemon/kafka/request_quota.h"
#include "daemon/quota/quota_usage.h"
#include "daemon/worker.h"

/* Everybody is, as long as there is no authentication. */
#define NAME "ANONYMOUS"

/* A request that took long holds its client up for one window, not for all it took. */
static int64_t bounded(const struct request *r, enum quota_key key, int64_t wait_ms)
{
	int64_t max_ms = r->worker->broker->config->quota_window_ms;

	return key == QUOTA_REQUEST_PERCENTAGE && wait_ms > max_ms ? max_ms : wait_ms;
}

static bool find(const struct request *r, enum quota_key key, struct quota_use *ret)
{
	const struct quota_table *t = image_quotas(r->worker->image);

	if (!t)
		return false;
	*ret = (struct quota_use){
		.key = key,
		.user = kafka_str_from(NAME),
		.client = r->header.client_id.len >= 0 ? r->header.client_id : kafka_str_from(""),
	};
	return quota_table_find(t, ret->user, ret->client, key, &ret->match);
}

static int64_t count(struct request *r, enum quota_key key, double amount, bool if_allowed)
{
	struct quota_use use;
	int64_t wait_ms;

	if (!find(r, key, &use))
		return 0;
	use.amount = amount;
	use.if_allowed = if_allowed;
	wait_ms = bounded(r, key,
			  quota_usage_record(r->worker->broker->quota_usage, &use,
					     r->worker->reactor.now_ms));
	if (wait_ms > INT32_MAX)
		wait_ms = INT32_MAX;
	if (wait_ms > r->throttle_ms)
		r->throttle_ms = (int32_t)wait_ms;
	return wait_ms;
}

void request_quota_produced(struct request *r, size_t bytes)
{
	count(r, QUOTA_PRODUCER_BYTE_RATE, (double)bytes, false);
}

bool request_quota_fetched(struct request *r, uint64_t bytes)
{
	return !count(r, QUOTA_CONSUMER_BYTE_RATE, (double)bytes, true);
}

uint32_t request_quota_fetch_max(const struct request *r, uint32_t max_bytes)
{
	struct quota_use use;
	double most;

	if (!find(r, QUOTA_CONSUMER_BYTE_RATE, &use))
		return max_bytes;
	most = use.match.value * (double)quota_usage_window_ms(r->worker->broker->quota_usage) /
	       1000;
	return most < max_bytes ? (uint32_t)most : max_bytes;
}

static int64_t thread_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static bool time_counts(const struct request *r)
{
	const struct quota_table *t = image_quotas(r->worker->image);

	return t && quota_table_has(t, QUOTA_REQUEST_PERCENTAGE);
}

void request_quota_begin(struct request *r)
{
	r->throttle_ms = 0;
	r->busy_ns = 0;
	r->busy_from_ns = time_counts(r) ? thread_ns() : 0;
}

void request_quota_parked(struct request *r)
{
	if (r->busy_from_ns)
		r->busy_ns += thread_ns() - r->busy_from_ns;
	r->busy_from_ns = 0;
}

void request_quota_answer(struct request *r)
{
	request_quota_parked(r);
	if (r->busy_ns)
		count(r, QUOTA_REQUEST_PERCENTAGE, (double)r->busy_ns * 100 / 1e9, false);
	r->busy_ns = 0;
}
