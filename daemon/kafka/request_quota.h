/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas of the client that sent a request. What goes beyond one is answered
 * with throttle_time_ms, and the connection is not read for so long.
 */
#ifndef SLUICE_KAFKA_REQUEST_QUOTA_H
#define SLUICE_KAFKA_REQUEST_QUOTA_H

#include "daemon/kafka/request.h"

/** request_quota_produced - the request brought so many bytes */
void request_quota_produced(struct request *r, size_t bytes);

/** request_quota_fetched - its answer has @bytes of records; false: it must have none */
bool request_quota_fetched(struct request *r, uint64_t bytes);

/** request_quota_fetch_max - records that can ever be fetched at once, or there were no end to it */
uint32_t request_quota_fetch_max(const struct request *r, uint32_t max_bytes);

/** request_quota_begin - the request is being handled from now on */
void request_quota_begin(struct request *r);

/** request_quota_parked - it is not, until it is answered */
void request_quota_parked(struct request *r);

/** request_quota_answer - count the time it took; called when it is answered */
void request_quota_answer(struct request *r);

#endif /* SLUICE_KAFKA_REQUEST_QUOTA_H */
