// SPDX-License-Identifier: Apache-2.0
#include "daemon/cleaner/throttle.h"

#define WAIT_MAX_MS 1000

int64_t cleaner_throttle(struct cleaner_throttle *t, uint64_t bytes, int64_t now_ms)
{
	double wait_ms;

	/* Time in which nothing was done is no credit. */
	if (t->paid_ms < (double)now_ms)
		t->paid_ms = (double)now_ms;
	t->paid_ms += (double)bytes * 1000 / t->bytes_per_second;
	wait_ms = t->paid_ms - (double)now_ms;
	if (wait_ms < CLEANER_WAIT_MIN_MS)
		return 0;
	return wait_ms < WAIT_MAX_MS ? (int64_t)wait_ms : WAIT_MAX_MS;
}
