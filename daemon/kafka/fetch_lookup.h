/* SPDX-License-Identifier: Apache-2.0 */
/* What Fetch and ListOffsets ask of a partition's log in the same way. */
#ifndef SLUICE_KAFKA_FETCH_LOOKUP_H
#define SLUICE_KAFKA_FETCH_LOOKUP_H

#include "daemon/worker.h"

/** fetch_error_code - the error code for an errno of a look-up */
int16_t fetch_error_code(int err);

/**
 * fetch_check_epoch - compare the leader epoch a client believes in with ours
 * @wanted: -1 if the client does not care
 * Returns the error code.
 */
int16_t fetch_check_epoch(int32_t wanted, int32_t ours);

/**
 * fetch_watermarks - what offsets a partition has
 * @topic: may be NULL: unknown
 * @epoch: as fetch_check_epoch()
 * @ret: the watermarks and the leader epoch are valid if it returns 0
 * Returns the error code.
 */
int16_t fetch_watermarks(struct worker *w, const struct image_topic *topic, int32_t partition,
			 int32_t epoch, struct sluice_fetch *ret);

#endif /* SLUICE_KAFKA_FETCH_LOOKUP_H */
