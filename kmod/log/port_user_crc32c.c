// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* CRC-32C for the userspace host: the processor's instruction, or a table. */
#include "port.h"

#define CRC32C_POLYNOMIAL	0x82f63b78U	/* Castagnoli's, bits reversed */

static u32 table[256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void table_fill(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		u32 v = i;

		for (int bit = 0; bit < 8; bit++)
			v = (v >> 1) ^ (v & 1 ? CRC32C_POLYNOMIAL : 0);
		table[i] = v;
	}
}

u32 port_crc32c_table(u32 crc, const void *p, size_t len)
{
	const u8 *byte = p;

	pthread_once(&table_once, table_fill);
	crc = ~crc;
	while (len--)
		crc = (crc >> 8) ^ table[(crc ^ *byte++) & 0xff];
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2")))
static u32 crc32c_sse42(u32 crc, const void *p, size_t len)
{
	const u8 *byte = p;
	u64 state = ~crc;

	/* Unrolled: recovery of a large log is this loop and nothing else. */
	for (; len >= 64; len -= 64, byte += 64) {
		u64 words[8];

		memcpy(words, byte, sizeof(words));
#pragma GCC unroll 8
		for (int i = 0; i < 8; i++)
			state = __builtin_ia32_crc32di(state, words[i]);
	}
	for (; len >= 8; len -= 8, byte += 8) {
		u64 word;

		memcpy(&word, byte, sizeof(word));
		state = __builtin_ia32_crc32di(state, word);
	}
	while (len--)
		state = __builtin_ia32_crc32qi((u32)state, *byte++);
	return ~(u32)state;
}

u32 port_crc32c(u32 crc, const void *p, size_t len)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, p, len);
	return port_crc32c_table(crc, p, len);
}
#else
u32 port_crc32c(u32 crc, const void *p, size_t len)
{
	return port_crc32c_table(crc, p, len);
}
#endif
