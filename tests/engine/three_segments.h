/* SPDX-License-Identifier: Apache-2.0 */
/* A log of three segments: 0, 21 and 42, of seven, seven and three batches of three records. */
#ifndef TESTS_ENGINE_THREE_SEGMENTS_H
#define TESTS_ENGINE_THREE_SEGMENTS_H

#include "engine_test.h"

#define BATCH_SIZE 142
#define FIRST	   "00000000000000000000"
#define SECOND	   "00000000000000000021"
#define LAST	   "00000000000000000042"
#define END	   "00000000000000000051"

/* From time @timestamp on, a millisecond a batch; of producer 7, or of none. Closed cleanly. */
static inline int three_segments(void **state, s64 timestamp, bool producer)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;

	if (dir_setup(state))
		return -1;
	log = log_open(*state, &c);
	for (int i = 0; i < 17; i++)
		append_spec(log, (struct batch_spec){.records = 3,
						     .value_len = 20,
						     .timestamp = timestamp + i,
						     .producer_id_plus_1 = producer ? 8 : 0,
						     .base_sequence = producer ? 3 * i : 0});
	log_close_cleanly(log);
	return 0;
}

#endif /* TESTS_ENGINE_THREE_SEGMENTS_H */
