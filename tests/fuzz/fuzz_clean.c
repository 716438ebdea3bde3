// SPDX-License-Identifier: Apache-2.0
/*
 * What the cleaner reads: a batch as a producer may have made it (the CRC is
 * set right, as nothing else is), under rules that the first bytes choose. What
 * is left of it must be a batch, in its bounds, and stay as it is when it is
 * cleaned again.
 */
#include "clean_batch.h"
#include "record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define RULES 4

static const struct sluice_aborted_txn aborted[] = {{1, 0, 50, 51}, {2, 5, 5, 6}, {1, 3, 4, 5}};

static void init_filter(struct sluice_clean_filter *f, const struct sluice_clean_map *map,
			const u8 *rules)
{
	static const struct sluice_clean_producer producers[] = {{1, 7, 0}, {2, -1, 0}};

	*f = (struct sluice_clean_filter){
		.map = map,
		.producers = producers,
		.producer_count = rules[0] & 1 ? ARRAY_SIZE(producers) : 0,
		.end_offset = rules[1],
		.now_ms = rules[0] & 2 ? S64_MAX : 1000,
		.delete_retention_ms = rules[0] & 4 ? S64_MAX : 10,
		.size_max = rules[0] & 8 ? 0 : U64_MAX,
	};
	sluice_clean_txn_init(&f->txn, aborted, rules[0] & 16 ? ARRAY_SIZE(aborted) : 0);
}

static void check_again(const struct sluice_clean_map *map, const u8 *rules,
			const struct sluice_batch *was, const struct sluice_clean_result *first)
{
	struct sluice_clean_result second;
	struct sluice_clean_filter f;
	struct sluice_batch b;
	u8 *bytes;

	if (sluice_batch_parse(first->bytes, U32_MAX, &b))
		abort();
	assert(b.size == first->header.size);
	assert(b.base_offset == was->base_offset && b.last_offset_delta == was->last_offset_delta);
	assert(b.producer_id == was->producer_id && b.base_sequence == was->base_sequence);
	assert(b.record_count <= was->record_count);
	assert(port_crc32c(0, first->bytes + SLUICE_BATCH_CRC_START,
			   b.size - SLUICE_BATCH_CRC_START) == b.crc);
	bytes = malloc(b.size);
	memcpy(bytes, first->bytes, b.size);
	init_filter(&f, map, rules);
	if (sluice_clean_batch(&f, &b, bytes, &second))
		abort();
	/* But for tombstones whose horizon has just been set, and has passed. */
	if (second.bytes && !second.malformed && !(b.attributes & SLUICE_BATCH_DELETE_HORIZON))
		assert(second.header.record_count == b.record_count);
	sluice_clean_filter_destroy(&f);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct sluice__bytes inflated = {0};
	struct sluice_clean_result result;
	struct sluice_clean_filter f;
	struct sluice_clean_txn txn;
	struct sluice_clean_map map;
	struct sluice_batch b;
	u8 rules[RULES], *bytes;

	if (size < RULES + SLUICE_BATCH_HEADER_LEN)
		return 0;
	memcpy(rules, data, RULES);
	size -= RULES;
	bytes = malloc(size);
	memcpy(bytes, data + RULES, size);
	put_unaligned_be32((u32)(size - SLUICE_BATCH_PREFIX_LEN),
			   bytes + offsetof(struct sluice_batch_header, length));
	put_unaligned_be32(
		port_crc32c(0, bytes + SLUICE_BATCH_CRC_START, size - SLUICE_BATCH_CRC_START),
		bytes + offsetof(struct sluice_batch_header, crc));
	if (sluice_batch_parse(bytes, (u32)size, &b))
		goto out;
	if (sluice_clean_map_init(&map, 24 * (1 + rules[2] % 64), 100, U64_MAX))
		abort();
	sluice_clean_txn_init(&txn, aborted, rules[0] & 16 ? ARRAY_SIZE(aborted) : 0);
	if (sluice_clean_map_batch(&map, &txn, &b, bytes, rules[3], &inflated) < 0)
		abort();
	init_filter(&f, &map, rules);
	if (sluice_clean_batch(&f, &b, bytes, &result))
		abort();
	if (result.bytes)
		check_again(&map, rules, &b, &result);
	sluice_clean_filter_destroy(&f);
	sluice_clean_txn_destroy(&txn);
	sluice_clean_map_destroy(&map);
	sluice__bytes_free(&inflated);
out:
	free(bytes);
	return 0;
}
