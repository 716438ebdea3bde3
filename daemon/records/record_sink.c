// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "daemon/records/record_sink.h"

int record_sink_open(struct record_sink *s, int codec, int level, size_t max)
{
	int err;

	*s = (struct record_sink){.codec = codec, .max = max};
	err = sluice__bytes_reserve(&s->bytes, SLUICE_BATCH_HEADER_LEN);
	if (err)
		return err;
	s->bytes.len = SLUICE_BATCH_HEADER_LEN;
	if (codec != SLUICE_COMPRESSION_NONE)
		err = sluice__deflate_open(codec, level, &s->bytes, max, &s->deflater);
	if (err)
		sluice__bytes_free(&s->bytes);
	return err;
}

int record_sink_put(struct record_sink *s, const uint8_t *data, size_t len)
{
	int err;

	if (s->deflater)
		return sluice__deflate(s->deflater, data, len);
	if (s->bytes.len + len > s->max)
		return -EMSGSIZE;
	err = sluice__bytes_reserve(&s->bytes, s->bytes.len + len);
	if (err)
		return err;
	memcpy(s->bytes.p + s->bytes.len, data, len);
	s->bytes.len += len;
	return 0;
}

int record_sink_end(struct record_sink *s, struct sluice_batch *b, struct sluice__bytes *ret_batch)
{
	int err = s->deflater ? sluice__deflate_end(s->deflater) : 0;

	if (err)
		return err;
	b->attributes = (u16)((b->attributes & ~SLUICE_BATCH_COMPRESSION_MASK) | (u16)s->codec);
	b->size = (u32)s->bytes.len;
	sluice_batch_write_header(s->bytes.p, b);
	*ret_batch = s->bytes;
	s->bytes = (struct sluice__bytes){0};
	return 0;
}

void record_sink_close(struct record_sink *s)
{
	if (s->deflater)
		sluice__deflate_close(s->deflater);
	sluice__bytes_free(&s->bytes);
}
