/* SPDX-License-Identifier: Apache-2.0 */
/* log.cleaner.io.max.bytes.per.second, of all threads together. No clock, no lock. */
#ifndef SLUICE_CLEANER_THROTTLE_H
#define SLUICE_CLEANER_THROTTLE_H

#include <stdint.h>

/* Shorter waits are put together. */
#define CLEANER_WAIT_MIN_MS 100

/**
 * struct cleaner_throttle - what was read and written
 * @bytes_per_second: at most; more than 0
 * @paid_ms: when what there was so far is allowed to have happened
 */
struct cleaner_throttle {
	double bytes_per_second;
	double paid_ms;
};

/**
 * cleaner_throttle() - so many bytes more
 * @now_ms: monotonic
 * Returns for how many milliseconds the caller waits: 0, or from
 * CLEANER_WAIT_MIN_MS to a second: a larger debt is paid by later calls, with
 * 0 bytes, so that who waits can be asked to stop.
 */
int64_t cleaner_throttle(struct cleaner_throttle *t, uint64_t bytes, int64_t now_ms);

#endif /* SLUICE_CLEANER_THROTTLE_H */
