// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sluice.h>
#include "tests/unit/filter_view.h"

struct packet {
	uint8_t *bytes;
	size_t len; /* with what is not seen any more */
};

#define SEEN_MAX (sizeof(struct sluice_filter_view) + SLUICE_FILTER_BYTES_MAX)

static void put(struct packet *p, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++, p->len++) {
		if (p->len < SEEN_MAX)
			p->bytes[p->len] = ((const uint8_t *)bytes)[i];
	}
}

static void put_varint(struct packet *p, int64_t v)
{
	uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
	uint8_t byte;

	do {
		byte = (uint8_t)((z & 0x7f) | (z > 0x7f ? 0x80 : 0));
		put(p, &byte, 1);
		z >>= 7;
	} while (z);
}

/* Returns where it begins. */
static size_t put_part(struct packet *p, const void *bytes, size_t len)
{
	size_t at;

	put_varint(p, bytes ? (int64_t)len : -1);
	at = p->len;
	if (bytes)
		put(p, bytes, len);
	return at;
}

static uint32_t place(size_t at)
{
	return at <= SEEN_MAX ? htobe32((uint32_t)at) : 0;
}

static uint32_t length(const void *bytes, size_t len)
{
	return bytes ? htobe32((uint32_t)len) : UINT32_MAX;
}

size_t filter_view_build(const sluice_record *r, uint8_t *bytes)
{
	struct packet p = {bytes, sizeof(struct sluice_filter_view)};
	struct sluice_filter_view v = {.size = htobe16(sizeof(v)),
				       .offset = htobe64((uint64_t)r->offset),
				       .timestamp = htobe64((uint64_t)r->timestamp),
				       .partition = htobe32((uint32_t)r->partition),
				       .record_count = htobe32(1),
				       .header_count = htobe32((uint32_t)r->n_headers)};
	bool is_listed = true;
	uint32_t listed = 0;

	if (!r->value)
		v.flags |= htobe32(SLUICE_RECORD_NULL_VALUE);
	/* The length of the key stands before what is shown. */
	v.key_at = place(p.len);
	v.key_len = length(r->key, r->key_len);
	if (r->key)
		put(&p, r->key, r->key_len);
	v.value_at = place(put_part(&p, r->value, r->value_len));
	v.value_len = length(r->value, r->value_len);
	put_varint(&p, (int64_t)r->n_headers);
	for (size_t i = 0; i < r->n_headers; i++) {
		const sluice_header *h = &r->headers[i];
		size_t name_at = put_part(&p, h->key, strlen(h->key));
		size_t value_at = put_part(&p, h->value, h->value_len);

		is_listed = is_listed && listed < SLUICE_FILTER_HEADERS_MAX && p.len <= SEEN_MAX;
		if (is_listed)
			v.headers[listed++] = (struct sluice_filter_header){
				place(name_at), length(h->key, strlen(h->key)), place(value_at),
				length(h->value, h->value_len)};
	}
	v.headers_listed = htobe32(listed);
	v.bytes = htobe32((uint32_t)(p.len - sizeof(v)));
	memcpy(bytes, &v, sizeof(v));
	return p.len < SEEN_MAX ? p.len : SEEN_MAX;
}

const char *filter_program_valid(const struct sock_fprog *program)
{
	const struct sock_filter *s = program->filter;
	uint32_t n = program->len;

	if (!n || n > BPF_MAXINSNS)
		return "its length";
	for (uint32_t i = 0; i < n; i++) {
		uint64_t ahead = n - i - 1;

		if (BPF_CLASS(s[i].code) != BPF_JMP)
			continue;
		if (BPF_OP(s[i].code) == BPF_JA ? s[i].k >= ahead
						: s[i].jt >= ahead || s[i].jf >= ahead)
			return "a jump out of it";
	}
	return BPF_CLASS(s[n - 1].code) == BPF_RET ? NULL : "its end";
}

static bool load(const uint8_t *packet, size_t len, uint64_t at, unsigned int size, uint32_t *ret)
{
	if (at + size > len)
		return false;
	*ret = 0;
	for (unsigned int i = 0; i < size; i++)
		*ret = *ret << 8 | packet[at + i];
	return true;
}

static bool holds(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ: return a == b;
	case BPF_JGT: return a > b;
	case BPF_JGE: return a >= b;
	case BPF_JSET: return a & b;
	}
	abort();
}

uint32_t filter_program_run(const struct sock_fprog *program, const uint8_t *packet, size_t len)
{
	uint32_t a = 0, x = 0;

	for (const struct sock_filter *s = program->filter;; s++) {
		switch (s->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (!load(packet, len, s->k, 4, &a))
				return 0;
			break;
		case BPF_LD | BPF_W | BPF_IND:
		case BPF_LD | BPF_H | BPF_IND:
		case BPF_LD | BPF_B | BPF_IND:
			if (!load(packet, len, (uint64_t)x + s->k,
				  BPF_SIZE(s->code) == BPF_W   ? 4
				  : BPF_SIZE(s->code) == BPF_H ? 2
							       : 1,
				  &a))
				return 0;
			break;
		case BPF_LD | BPF_W | BPF_LEN: a = (uint32_t)len; break;
		case BPF_ALU | BPF_ADD | BPF_K: a += s->k; break;
		case BPF_ALU | BPF_XOR | BPF_K: a ^= s->k; break;
		case BPF_MISC | BPF_TAX: x = a; break;
		case BPF_JMP | BPF_JA: s += s->k; break;
		case BPF_RET | BPF_K: return s->k;
		default:
			if (BPF_CLASS(s->code) != BPF_JMP)
				abort();
			s += holds(s->code, a, BPF_SRC(s->code) == BPF_X ? x : s->k) ? s->jt
										     : s->jf;
		}
	}
}
