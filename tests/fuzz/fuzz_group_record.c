// SPDX-License-Identifier: Apache-2.0
/* Any bytes as key or value of a record of __consumer_offsets; what is read is written and read again. */
#include <stdlib.h>

#include "daemon/coordinator/key_partition.h"
#include "daemon/group/group_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void key(const uint8_t *data, size_t size, struct wire_writer *w)
{
	struct group_key k, again;

	if (group_key_decode(data, size, &k) || k.kind == GROUP_RECORD_OTHER)
		return;
	check(key_partition(k.group, 50) < 50);
	group_key_encode(w, &k);
	check(!w->err && !group_key_decode(w->buf->data, w->buf->len, &again));
	check(again.kind == k.kind && kafka_str_equal(again.group, k.group));
}

static void offset(const uint8_t *data, size_t size, struct wire_writer *w)
{
	struct offset_value v, again;

	if (offset_value_decode(data, size, &v))
		return;
	offset_value_encode(w, &v);
	/* Version 4 may have longer strings than version 1, in which a time to expire is written. */
	if (w->err)
		return;
	check(!offset_value_decode(w->buf->data, w->buf->len, &again));
	check(again.offset == v.offset && kafka_str_equal(again.metadata, v.metadata));
}

static void group(const uint8_t *data, size_t size, struct wire_writer *w)
{
	struct group_value v, again;
	struct arena a;

	arena_init(&a, 64 << 20);
	if (!group_value_decode(data, size, &a, &v)) {
		group_value_encode(w, &v);
		if (!w->err) {
			check(!group_value_decode(w->buf->data, w->buf->len, &a, &again));
			check(again.n_members == v.n_members);
		}
	}
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(const uint8_t *, size_t, struct wire_writer *) = {key, offset,
										       group};
	struct wire_writer w;
	struct buf b;

	if (!size)
		return 0;
	buf_init(&b, 0);
	wire_writer_init(&w, &b);
	kinds[data[0] % 3](data + 1, size - 1, &w);
	wire_writer_free(&w);
	buf_free(&b);
	return 0;
}
