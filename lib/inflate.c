// SPDX-License-Identifier: Apache-2.0
/*
 * The four codecs of Kafka, opened piece by piece: who reads decides how much
 * of what a few bytes claim to be is ever made.
 */
#include <errno.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>
#include <linux/sluice_format.h>
#include "lib/codec.h"

/* Xerial's framing of snappy (SnappyOutputStream.java), which Java clients write. */
static const uint8_t xerial_magic[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
#define XERIAL_HEADER_LEN 16

#define GZIP_HEADER_LEN 10

/**
 * struct sluice__inflater - one stream
 * @data, @len: what is left of it
 * @ended: a frame or member is over; gzip and zstd may begin another
 * @xerial: blocks with their lengths, or one block
 * @block: of snappy, opened; given away up to @block_at
 */
struct sluice__inflater {
	int codec;
	const uint8_t *data;
	size_t len;
	bool ended;
	z_stream gzip;
	LZ4F_dctx *lz4;
	ZSTD_DCtx *zstd;
	bool xerial;
	struct sluice__bytes block;
	size_t block_at;
};

static int open_gzip(struct sluice__inflater *in)
{
	if (in->len > UINT32_MAX)
		return -ENOMEM;
	in->gzip.next_in = (Bytef *)in->data;
	in->gzip.avail_in = (uInt)in->len;
	return inflateInit2(&in->gzip, 16 + MAX_WBITS) == Z_OK ? 0 : -ENOMEM;
}

static void open_snappy(struct sluice__inflater *in)
{
	in->xerial = in->len >= XERIAL_HEADER_LEN &&
		     !memcmp(in->data, xerial_magic, sizeof(xerial_magic));
	if (in->xerial) {
		in->data += XERIAL_HEADER_LEN;
		in->len -= XERIAL_HEADER_LEN;
	}
}

int sluice__inflate_open(int codec, const uint8_t *data, size_t len,
			 struct sluice__inflater **ret_in)
{
	struct sluice__inflater *in = calloc(1, sizeof(*in));
	int err = 0;

	if (!in)
		return -ENOMEM;
	in->data = data;
	in->len = len;
	switch (codec) {
	case SLUICE_COMPRESSION_GZIP: err = open_gzip(in); break;
	case SLUICE_COMPRESSION_SNAPPY: open_snappy(in); break;
	case SLUICE_COMPRESSION_LZ4:
		if (LZ4F_isError(LZ4F_createDecompressionContext(&in->lz4, LZ4F_VERSION)))
			err = -ENOMEM;
		break;
	case SLUICE_COMPRESSION_ZSTD:
		in->zstd = ZSTD_createDCtx();
		err = in->zstd ? 0 : -ENOMEM;
		break;
	default: err = -EPROTONOSUPPORT;
	}
	if (err) {
		free(in);
		return err;
	}
	in->codec = codec;
	*ret_in = in;
	return 0;
}

void sluice__inflate_close(struct sluice__inflater *in)
{
	switch (in->codec) {
	case SLUICE_COMPRESSION_GZIP: inflateEnd(&in->gzip); break;
	case SLUICE_COMPRESSION_LZ4: LZ4F_freeDecompressionContext(in->lz4); break;
	case SLUICE_COMPRESSION_ZSTD: ZSTD_freeDCtx(in->zstd); break;
	default: sluice__bytes_free(&in->block);
	}
	free(in);
}

/* One member may follow another. */
static ssize_t next_gzip(struct sluice__inflater *in, uint8_t *to, size_t room)
{
	z_stream *z = &in->gzip;
	uInt most = room > UINT32_MAX ? UINT32_MAX : (uInt)room;
	int ret;

	z->next_out = to;
	z->avail_out = most;
	do {
		if (in->ended && (!z->avail_in || inflateReset(z) != Z_OK))
			return 0;
		ret = inflate(z, Z_NO_FLUSH);
		in->ended = ret == Z_STREAM_END;
		if (ret == Z_MEM_ERROR)
			return -ENOMEM;
		if (ret != Z_OK && ret != Z_STREAM_END && ret != Z_BUF_ERROR)
			return -EBADMSG;
		if (z->avail_out < most)
			return (ssize_t)(most - z->avail_out);
	} while (in->ended || z->avail_in);
	return z->total_in < GZIP_HEADER_LEN ? -EBADMSG : -ENODATA;
}

static ssize_t next_lz4(struct sluice__inflater *in, uint8_t *to, size_t room)
{
	while (!in->ended) {
		size_t used = in->len;
		size_t made = room;
		size_t more = LZ4F_decompress(in->lz4, to, &made, in->data, &used, NULL);

		if (LZ4F_isError(more) || (more && !used && !made))
			return -EBADMSG;
		in->data += used;
		in->len -= used;
		in->ended = !more;
		if (made)
			return (ssize_t)made;
	}
	return 0;
}

static ssize_t next_zstd(struct sluice__inflater *in, uint8_t *to, size_t room)
{
	while (!in->ended || in->len) {
		ZSTD_inBuffer from = {in->data, in->len, 0};
		ZSTD_outBuffer out = {to, room, 0};
		size_t more = ZSTD_decompressStream(in->zstd, &out, &from);

		if (ZSTD_isError(more))
			return ZSTD_getErrorCode(more) == ZSTD_error_memory_allocation ? -ENOMEM
										       : -EBADMSG;
		if (more && !from.pos && !out.pos)
			return -EBADMSG;
		in->data += from.pos;
		in->len -= from.pos;
		in->ended = !more;
		if (out.pos)
			return (ssize_t)out.pos;
	}
	return 0;
}

static int open_block(struct sluice__inflater *in, const uint8_t *data, size_t len)
{
	size_t size;
	int err;

	if (snappy_uncompressed_length((const char *)data, len, &size) != SNAPPY_OK)
		return -EBADMSG;
	/* The length is only claimed; looking through the block proves it, and takes no memory. */
	if (snappy_validate_compressed_buffer((const char *)data, len) != SNAPPY_OK)
		return -EBADMSG;
	in->block.len = 0;
	in->block_at = 0;
	if (!size)
		return 0;
	err = sluice__bytes_reserve(&in->block, size);
	if (err)
		return err;
	if (snappy_uncompress((const char *)data, len, (char *)in->block.p, &size) != SNAPPY_OK)
		return -EBADMSG;
	in->block.len = size;
	return 0;
}

static int next_block(struct sluice__inflater *in)
{
	uint32_t block;
	int err;

	if (!in->xerial) {
		in->ended = true;
		err = open_block(in, in->data, in->len);
		in->len = 0;
		return err;
	}
	if (in->len < sizeof(block))
		return -EBADMSG;
	block = (uint32_t)in->data[0] << 24 | (uint32_t)in->data[1] << 16 |
		(uint32_t)in->data[2] << 8 | in->data[3];
	in->data += sizeof(block);
	in->len -= sizeof(block);
	if (block > in->len)
		return -EBADMSG;
	err = open_block(in, in->data, block);
	in->data += block;
	in->len -= block;
	return err;
}

static ssize_t next_snappy(struct sluice__inflater *in, uint8_t *to, size_t room)
{
	size_t n;

	while (in->block_at == in->block.len) {
		int err;

		if (in->ended || (in->xerial && !in->len))
			return 0;
		err = next_block(in);
		if (err)
			return err;
	}
	n = in->block.len - in->block_at;
	if (n > room)
		n = room;
	memcpy(to, in->block.p + in->block_at, n);
	in->block_at += n;
	return (ssize_t)n;
}

ssize_t sluice__inflate(struct sluice__inflater *in, uint8_t *to, size_t room)
{
	switch (in->codec) {
	case SLUICE_COMPRESSION_GZIP: return next_gzip(in, to, room);
	case SLUICE_COMPRESSION_LZ4: return next_lz4(in, to, room);
	case SLUICE_COMPRESSION_ZSTD: return next_zstd(in, to, room);
	default: return next_snappy(in, to, room);
	}
}
