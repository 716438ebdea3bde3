/* SPDX-License-Identifier: Apache-2.0 */
/* What a consumer that wants only committed records has to leave out of a range. */
#ifndef SLUICE_KAFKA_FETCH_ABORTED_H
#define SLUICE_KAFKA_FETCH_ABORTED_H

#include "daemon/kafka/request.h"
#include "daemon/worker.h"

/**
 * fetch_aborted - list the aborted transactions of a range
 * @range: was found with SLUICE_FETCH_COMMITTED, and is not empty
 * @out: gets them
 * Returns the error code.
 */
int16_t fetch_aborted(struct request *r, const struct sluice_fetch *range,
		      struct kafka_fetch_response_partition *out);

#endif /* SLUICE_KAFKA_FETCH_ABORTED_H */
