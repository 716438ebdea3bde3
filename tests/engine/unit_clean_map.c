// SPDX-License-Identifier: Apache-2.0
#include "clean_map.h"
#include "clean_segments.h"
#include "engine_test.h"

#include <stdlib.h>

/* `openssl mac -macopt size:16 SIPHASH` of the bytes 0, 1, 2... under the same. */
static void sluice_clean_hash__is_siphash_128(void **state)
{
	static const struct {
		size_t len;
		u64 high, low;
	} vectors[] = {
		{0, 0xa3817f04ba25a8e6, 0x6df67214c7550293},
		{1, 0xda87c1d86b99af44, 0x347659119b22fc45},
		{8, 0x3b62a9ba6258f561, 0x0f83e264f31497b4},
		{15, 0x5493e99933b0a811, 0x7e08ec0f97cfc3d9},
		{16, 0x6ee2a4ca67b054bb, 0xfd3315bf85230577},
		{63, 0x5150d1772f50834a, 0x503e069a973fbd7c},
	};
	u8 bytes[64];
	u64 key[2], hash[2];

	(void)state;
	for (u8 i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	memcpy(key, bytes, sizeof(key));
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		sluice_clean_hash(key, bytes, vectors[i].len, hash);
		assert_int_equal(__builtin_bswap64(hash[0]), vectors[i].high);
		assert_int_equal(__builtin_bswap64(hash[1]), vectors[i].low);
	}
}

static bool put(struct sluice_clean_map *map, u32 key, s64 offset)
{
	return sluice_clean_map_put(map, &key, sizeof(key), offset);
}

static s64 get(const struct sluice_clean_map *map, u32 key)
{
	return sluice_clean_map_get(map, &key, sizeof(key));
}

/* OffsetMapTest: as many keys as it takes, each with its own offset. */
static void sluice_clean_map__finds_each_key(void **state)
{
	struct sluice_clean_map map;

	(void)state;
	assert_int_equal(sluice_clean_map_init(&map, 10000 * SLUICE_CLEAN_MAP_ENTRY, 90, U64_MAX),
			 0);
	assert_int_equal(map.entries_max, 9000);
	for (u32 i = 0; i < 9000; i++)
		assert_true(put(&map, i, 10 * i));
	for (u32 i = 0; i < 9000; i++)
		assert_int_equal(get(&map, i), 10 * i);
	assert_int_equal(get(&map, 9000), -1);
	assert_int_equal(map.entries, 9000);
	assert_false(put(&map, 9000, 90000));
	/* As Kafka's: no more, not even for a key that it knows. */
	assert_false(put(&map, 5, 90001));
	assert_int_equal(get(&map, 5), 50);
	assert_int_equal(map.end_offset, 89991);
	sluice_clean_map_destroy(&map);
}

static void sluice_clean_map__last_offset_wins(void **state)
{
	struct sluice_clean_map map;

	(void)state;
	assert_int_equal(sluice_clean_map_init(&map, 1000, 50, U64_MAX), 0);
	assert_true(put(&map, 1, 0));
	assert_true(put(&map, 1, 7));
	assert_int_equal(get(&map, 1), 7);
	assert_int_equal(map.entries, 1);
	assert_int_equal(map.end_offset, 8);
	sluice_clean_map_destroy(&map);
}

/* The empty key is one. */
static void sluice_clean_map__keys_of_any_length(void **state)
{
	struct sluice_clean_map map;
	u8 bytes[100] = {0};

	(void)state;
	assert_int_equal(sluice_clean_map_init(&map, 10000, 50, U64_MAX), 0);
	for (size_t len = 0; len < sizeof(bytes); len++)
		assert_true(sluice_clean_map_put(&map, bytes, len, (s64)len));
	for (size_t len = 0; len < sizeof(bytes); len++)
		assert_int_equal(sluice_clean_map_get(&map, bytes, len), len);
	sluice_clean_map_destroy(&map);
}

static void sluice_clean_map__no_more_memory_than_keys_can_come(void **state)
{
	struct sluice_clean_map map;

	(void)state;
	assert_int_equal(sluice_clean_map_init(&map, 1 << 30, 90, 9), 0);
	assert_int_equal(map.entries_max, 9);
	assert_true(map.slot_count < 12);
	for (u32 i = 0; i < 9; i++)
		assert_true(put(&map, i, i));
	assert_int_equal(get(&map, 10), -1);
	assert_false(put(&map, 10, 10));
	sluice_clean_map_destroy(&map);
	assert_int_equal(sluice_clean_map_init(&map, 1 << 20, 100, 0), 0);
	assert_int_equal(get(&map, 10), -1);
	sluice_clean_map_destroy(&map);
	assert_int_equal(sluice_clean_map_init(&map, 240, 100, U64_MAX), 0);
	for (u32 i = 0; i < 10; i++)
		assert_true(put(&map, i, i));
	assert_int_equal(get(&map, 10), -1);
	sluice_clean_map_destroy(&map);
}

static void sluice_clean_map__too_small(void **state)
{
	struct sluice_clean_map map;

	(void)state;
	assert_int_equal(sluice_clean_map_init(&map, SLUICE_CLEAN_MAP_ENTRY, 90, 1), -EINVAL);
	assert_int_equal(sluice_clean_map_init(&map, 0, 100, 1), -EINVAL);
	assert_int_equal(sluice_clean_map_init(&map, 1000, 0, 1), -EINVAL);
	assert_int_equal(sluice_clean_map_init(&map, 1000, 101, 1), -EINVAL);
}

static const struct sluice_clean_segment ten[] = {
	{0, 100, 16, 12},  {10, 100, 16, 12}, {20, 100, 16, 12}, {30, 100, 16, 12},
	{40, 100, 16, 12}, {50, 100, 16, 12}, {60, 100, 16, 12}, {70, 100, 16, 12},
	{80, 100, 16, 12}, {90, 100, 16, 12},
};

static u32 group(u32 segment_bytes, u32 index_bytes, s64 end_offset)
{
	struct sluice_log_config c = {.segment_bytes = segment_bytes,
				      .segment_index_bytes = index_bytes};

	return sluice_clean_group(ten, ARRAY_SIZE(ten), &c, end_offset);
}

/* testSegmentGrouping */
static void sluice_clean_group__by_size(void **state)
{
	(void)state;
	assert_int_equal(group(S32_MAX, S32_MAX, 100), 10);
	assert_int_equal(group(1, S32_MAX, 100), 1);
	assert_int_equal(group(S32_MAX, 1, 100), 1);
	assert_int_equal(group(300, S32_MAX, 100), 3);
	assert_int_equal(group(399, S32_MAX, 100), 3);
	assert_int_equal(group(S32_MAX, 3 * 16 + 1, 100), 3);
}

/* testSegmentGroupingWithSparseOffsets, ...AndEmptySegments */
static void sluice_clean_group__by_offsets(void **state)
{
	const struct sluice_log_config c = {.segment_bytes = S32_MAX,
					    .segment_index_bytes = S32_MAX};
	struct sluice_clean_segment s[3] = {{0, 100, 8, 12}, {7, 100, 8, 12}, {9, 100, 8, 12}};

	(void)state;
	assert_int_equal(sluice_clean_group(s, 2, &c, (s64)S32_MAX + 1), 2);
	assert_int_equal(sluice_clean_group(s, 2, &c, (s64)S32_MAX + 2), 1);
	/* Where the next one begins, this one has ended. */
	s[2].base_offset = (s64)S32_MAX + 1;
	assert_int_equal(sluice_clean_group(s, 3, &c, (s64)S32_MAX + 5), 2);
	s[2].base_offset = (s64)S32_MAX + 2;
	assert_int_equal(sluice_clean_group(s, 3, &c, (s64)S32_MAX + 5), 1);
	/* One without batches has no offset that would not fit. */
	s[1].log_bytes = 0;
	assert_int_equal(sluice_clean_group(s, 3, &c, (s64)S32_MAX + 5), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sluice_clean_hash__is_siphash_128),
		cmocka_unit_test(sluice_clean_map__finds_each_key),
		cmocka_unit_test(sluice_clean_map__last_offset_wins),
		cmocka_unit_test(sluice_clean_map__keys_of_any_length),
		cmocka_unit_test(sluice_clean_map__no_more_memory_than_keys_can_come),
		cmocka_unit_test(sluice_clean_map__too_small),
		cmocka_unit_test(sluice_clean_group__by_size),
		cmocka_unit_test(sluice_clean_group__by_offsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
