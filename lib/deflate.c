// SPDX-License-Identifier: Apache-2.0
/*
 * The four codecs of Kafka, the other way, in the framings its Java client
 * reads: blocks of LZ4 that do not refer to each other, Snappy in Xerial's
 * blocks.
 */
#include <errno.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <linux/sluice_format.h>
#include "lib/codec.h"

#define XERIAL_BLOCK_BYTES 32768
#define PIECE_BYTES	   65536

/* Of LZ4's levels the library calls those below this one fast; Java's 9 means fast. */
#define LZ4_HIGH_MIN 3
#define LZ4_HIGH_MAX 12

static const uint8_t xerial_header[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0,
					0,    0,   0,	1,   0,	  0,   0,   1};

/**
 * struct sluice__deflater - one stream
 * @out, @max: where it goes, and up to where
 * @block: of snappy, not compressed yet
 */
struct sluice__deflater {
	int codec;
	struct sluice__bytes *out;
	size_t max;
	z_stream gzip;
	LZ4F_cctx *lz4;
	LZ4F_preferences_t lz4_how;
	ZSTD_CCtx *zstd;
	uint8_t *block;
	size_t block_len;
};

/* Room for @n more bytes; what is made beyond the limit is seen by its length. */
static int room_for(struct sluice__deflater *de, size_t n)
{
	if (de->out->len > de->max)
		return -EMSGSIZE;
	return sluice__bytes_reserve(de->out, de->out->len + n);
}

static int put(struct sluice__deflater *de, const void *data, size_t len)
{
	int err = room_for(de, len);

	if (err)
		return err;
	memcpy(de->out->p + de->out->len, data, len);
	de->out->len += len;
	return 0;
}

static int open_gzip(struct sluice__deflater *de, int level)
{
	return deflateInit2(&de->gzip, level, Z_DEFLATED, 16 + MAX_WBITS, MAX_MEM_LEVEL,
			    Z_DEFAULT_STRATEGY) == Z_OK
		       ? 0
		       : -ENOMEM;
}

static int java_lz4_level(int level)
{
	if (level == SLUICE__LZ4_LEVEL)
		return 0;
	if (level < LZ4_HIGH_MIN)
		return LZ4_HIGH_MIN;
	return level < LZ4_HIGH_MAX ? level : LZ4_HIGH_MAX;
}

static int open_lz4(struct sluice__deflater *de, int level)
{
	size_t n;
	int err;

	de->lz4_how = (LZ4F_preferences_t){
		.frameInfo = {.blockSizeID = LZ4F_max64KB, .blockMode = LZ4F_blockIndependent},
		.compressionLevel = java_lz4_level(level),
	};
	if (LZ4F_isError(LZ4F_createCompressionContext(&de->lz4, LZ4F_VERSION)))
		return -ENOMEM;
	err = room_for(de, LZ4F_HEADER_SIZE_MAX);
	if (!err) {
		n = LZ4F_compressBegin(de->lz4, de->out->p + de->out->len, LZ4F_HEADER_SIZE_MAX,
				       &de->lz4_how);
		if (LZ4F_isError(n))
			err = -ENOMEM;
		else
			de->out->len += n;
	}
	if (err)
		LZ4F_freeCompressionContext(de->lz4);
	return err;
}

static int open_zstd(struct sluice__deflater *de, int level)
{
	de->zstd = ZSTD_createCCtx();
	if (!de->zstd)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(de->zstd, ZSTD_c_compressionLevel, level);
	return 0;
}

static int open_snappy(struct sluice__deflater *de)
{
	int err;

	de->block = malloc(XERIAL_BLOCK_BYTES);
	if (!de->block)
		return -ENOMEM;
	err = put(de, xerial_header, sizeof(xerial_header));
	if (err)
		free(de->block);
	return err;
}

static int open_codec(struct sluice__deflater *de, int level)
{
	switch (de->codec) {
	case SLUICE_COMPRESSION_GZIP: return open_gzip(de, level);
	case SLUICE_COMPRESSION_SNAPPY: return open_snappy(de);
	case SLUICE_COMPRESSION_LZ4: return open_lz4(de, level);
	case SLUICE_COMPRESSION_ZSTD: return open_zstd(de, level);
	}
	return -EPROTONOSUPPORT;
}

int sluice__deflate_open(int codec, int level, struct sluice__bytes *out, size_t max,
			 struct sluice__deflater **ret_de)
{
	struct sluice__deflater *de = calloc(1, sizeof(*de));
	int err;

	if (!de)
		return -ENOMEM;
	de->codec = codec;
	de->out = out;
	de->max = max;
	err = open_codec(de, level);
	if (err) {
		free(de);
		return err;
	}
	*ret_de = de;
	return 0;
}

void sluice__deflate_close(struct sluice__deflater *de)
{
	switch (de->codec) {
	case SLUICE_COMPRESSION_GZIP: deflateEnd(&de->gzip); break;
	case SLUICE_COMPRESSION_LZ4: LZ4F_freeCompressionContext(de->lz4); break;
	case SLUICE_COMPRESSION_ZSTD: ZSTD_freeCCtx(de->zstd); break;
	default: free(de->block);
	}
	free(de);
}

static int gzip(struct sluice__deflater *de, const uint8_t *data, size_t len, bool end)
{
	z_stream *z = &de->gzip;
	int ret;

	z->next_in = (Bytef *)data;
	z->avail_in = (uInt)len;
	do {
		int err = room_for(de, PIECE_BYTES);

		if (err)
			return err;
		z->next_out = de->out->p + de->out->len;
		z->avail_out = PIECE_BYTES;
		ret = deflate(z, end ? Z_FINISH : Z_NO_FLUSH);
		if (ret != Z_OK && ret != Z_STREAM_END && ret != Z_BUF_ERROR)
			return -EIO;
		de->out->len += PIECE_BYTES - z->avail_out;
	} while (end ? ret != Z_STREAM_END : z->avail_in || !z->avail_out);
	return 0;
}

static int lz4(struct sluice__deflater *de, const uint8_t *data, size_t len, bool end)
{
	size_t most = LZ4F_compressBound(len, &de->lz4_how);
	int err = room_for(de, most);
	size_t n;

	if (err)
		return err;
	n = end ? LZ4F_compressEnd(de->lz4, de->out->p + de->out->len, most, NULL)
		: LZ4F_compressUpdate(de->lz4, de->out->p + de->out->len, most, data, len, NULL);
	if (LZ4F_isError(n))
		return -ENOMEM;
	de->out->len += n;
	return 0;
}

static int zstd(struct sluice__deflater *de, const uint8_t *data, size_t len, bool end)
{
	ZSTD_inBuffer from = {data, len, 0};
	size_t left;

	do {
		int err = room_for(de, PIECE_BYTES);
		ZSTD_outBuffer to;

		if (err)
			return err;
		to = (ZSTD_outBuffer){de->out->p + de->out->len, PIECE_BYTES, 0};
		left = ZSTD_compressStream2(de->zstd, &to, &from,
					    end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return -ENOMEM;
		de->out->len += to.pos;
	} while (end ? left : from.pos < from.size);
	return 0;
}

static int snappy_block(struct sluice__deflater *de)
{
	size_t n = snappy_max_compressed_length(de->block_len);
	uint8_t *size;
	int err = room_for(de, 4 + n);

	if (err)
		return err;
	size = de->out->p + de->out->len;
	if (snappy_compress((const char *)de->block, de->block_len, (char *)size + 4, &n) !=
	    SNAPPY_OK)
		return -EIO;
	size[0] = (uint8_t)(n >> 24);
	size[1] = (uint8_t)(n >> 16);
	size[2] = (uint8_t)(n >> 8);
	size[3] = (uint8_t)n;
	de->out->len += 4 + n;
	de->block_len = 0;
	return 0;
}

static int snappy(struct sluice__deflater *de, const uint8_t *data, size_t len, bool end)
{
	int err = 0;

	while (!err && len) {
		size_t n = XERIAL_BLOCK_BYTES - de->block_len;

		n = len < n ? len : n;
		memcpy(de->block + de->block_len, data, n);
		de->block_len += n;
		data += n;
		len -= n;
		if (de->block_len == XERIAL_BLOCK_BYTES)
			err = snappy_block(de);
	}
	return !err && end && de->block_len ? snappy_block(de) : err;
}

static int step(struct sluice__deflater *de, const uint8_t *data, size_t len, bool end)
{
	switch (de->codec) {
	case SLUICE_COMPRESSION_GZIP: return gzip(de, data, len, end);
	case SLUICE_COMPRESSION_LZ4: return lz4(de, data, len, end);
	case SLUICE_COMPRESSION_ZSTD: return zstd(de, data, len, end);
	default: return snappy(de, data, len, end);
	}
}

int sluice__deflate(struct sluice__deflater *de, const uint8_t *data, size_t len)
{
	int err = 0;

	while (!err && len) {
		size_t n = len < PIECE_BYTES ? len : PIECE_BYTES;

		err = step(de, data, n, false);
		data += n;
		len -= n;
	}
	return err;
}

int sluice__deflate_end(struct sluice__deflater *de)
{
	int err = step(de, NULL, 0, true);

	return !err && de->out->len > de->max ? -EMSGSIZE : err;
}
