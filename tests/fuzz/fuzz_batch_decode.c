// SPDX-License-Identifier: Apache-2.0
/*
 * libsluice's reading of batches. The first byte chooses: a whole batch, or
 * records of a codec behind a header that fits, since a fitting length is hard
 * to guess.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "lib/internal.h"
#include "tests/unit/batch_golden.h"

#define INFLATED_MAX (1 << 20)
#define HEADER_LEN   61

static void touch(const uint8_t *p, int32_t len)
{
	volatile uint8_t sink = 0;

	for (int32_t i = 0; i < len; i++)
		sink ^= p[i];
	(void)sink;
}

static void walk(const uint8_t *data, size_t len)
{
	const uint8_t *pos, *key, *value;
	struct sluice__batch b = {0};
	struct sluice__raw_record r;
	int32_t key_len, value_len;

	if (!sluice__batch_open(&b, data, len, INFLATED_MAX)) {
		while (sluice__batch_next(&b, &r) > 0) {
			touch(r.key, r.key_len);
			touch(r.value, r.value_len);
			pos = r.headers;
			for (uint32_t i = 0; i < r.n_headers; i++) {
				if (sluice__batch_header(&r, &pos, &key, &key_len, &value,
							 &value_len))
					break;
				touch(key, key_len);
				touch(value, value_len);
			}
		}
	}
	sluice__batch_free(&b);
}

/* Records of any codec behind a header that fits them. */
static void walk_as_records(int codec, const uint8_t *records, size_t len)
{
	uint8_t *batch = malloc(HEADER_LEN + len);
	uint32_t length = __builtin_bswap32((uint32_t)(HEADER_LEN + len - 12));

	if (!batch)
		return;
	memcpy(batch, batch_none, HEADER_LEN);
	memcpy(batch + 8, &length, sizeof(length));
	batch[22] = (uint8_t)codec;
	memcpy(batch + HEADER_LEN, records, len);
	walk(batch, HEADER_LEN + len);
	free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!len)
		return 0;
	if (data[0] & 0x80)
		walk(data + 1, len - 1);
	else
		walk_as_records(data[0] % 5, data + 1, len - 1);
	return 0;
}
