// SPDX-License-Identifier: Apache-2.0
#include "daemon/coordinator/marker_batch.h"
#include "kmod/log/record.h"

#define CONTROL_ABORT  0
#define CONTROL_COMMIT 1

size_t marker_batch(const struct txn_marker *m, int64_t wall_ms, uint8_t ret[MARKER_BATCH_MAX])
{
	uint32_t epoch = (uint32_t)m->coordinator_epoch;
	/* A version, and what it is; a version, and whose. */
	const uint8_t key[] = {0, 0, 0, m->commit ? CONTROL_COMMIT : CONTROL_ABORT};
	const uint8_t value[] = {0,
				 0,
				 (uint8_t)(epoch >> 24),
				 (uint8_t)(epoch >> 16),
				 (uint8_t)(epoch >> 8),
				 (uint8_t)epoch};
	const struct sluice_record_out out = {
		.timestamp = wall_ms,
		.key = key,
		.key_len = sizeof(key),
		.value = value,
		.value_len = sizeof(value),
	};
	struct sluice_record_size size = {.parts = sluice_record_parts_size(&out)};
	struct sluice_batch b = {
		.leader_epoch = -1,
		.attributes = SLUICE_BATCH_TRANSACTIONAL | SLUICE_BATCH_CONTROL,
		.base_timestamp = wall_ms,
		.max_timestamp = wall_ms,
		.producer_id = m->producer_id,
		.producer_epoch = m->producer_epoch,
		.base_sequence = -1,
		.record_count = 1,
	};

	sluice_record_size_at(&size, 0, 0);
	/* It can fail for records that are read from elsewhere only. */
	if (sluice_record_write(ret + SLUICE_BATCH_HEADER_LEN, &out, &size, 0, 0, true))
		return 0;
	b.size = SLUICE_BATCH_HEADER_LEN + (uint32_t)size.whole;
	sluice_batch_write_header(ret, &b);
	return b.size;
}
