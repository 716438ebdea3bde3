// SPDX-License-Identifier: Apache-2.0
#include "daemon/coordinator/key_partition.h"

/* The next character of UTF-8; a byte that is none counts as U+FFFD, as Java decodes it. */
static uint32_t next_char(const uint8_t **at, const uint8_t *end)
{
	static const struct {
		uint8_t mask, lead, more;
		uint32_t min;
	} forms[] = {{0x80, 0x00, 0, 0},
		     {0xe0, 0xc0, 1, 0x80},
		     {0xf0, 0xe0, 2, 0x800},
		     {0xf8, 0xf0, 3, 0x10000}};
	const uint8_t *p = *at;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		uint32_t c = *p & (uint8_t)~forms[i].mask;
		uint8_t n = 0;

		if ((*p & forms[i].mask) != forms[i].lead || forms[i].more >= end - p)
			continue;
		while (n < forms[i].more && (p[n + 1] & 0xc0) == 0x80)
			c = c << 6 | (p[++n] & 0x3f);
		if (n < forms[i].more || c < forms[i].min || c > 0x10ffff)
			break;
		*at += n + 1;
		return c;
	}
	(*at)++;
	return 0xfffd;
}

int32_t key_partition(struct kafka_str key, int32_t n)
{
	const uint8_t *at = (const uint8_t *)key.p;
	const uint8_t *end = at + key.len;
	uint32_t hash = 0;

	/* Java's String.hashCode(), which counts in UTF-16. */
	while (at < end) {
		uint32_t c = next_char(&at, end);

		if (c >= 0x10000) {
			hash = hash * 31 + 0xd7c0 + (c >> 10);
			c = 0xdc00 | (c & 0x3ff);
		}
		hash = hash * 31 + c;
	}
	/* Its absolute value; Kafka takes 0 for the one that has none. */
	if (hash > INT32_MAX)
		hash = hash == (uint32_t)INT32_MAX + 1 ? 0 : -hash;
	return (int32_t)(hash % (uint32_t)n);
}
