// SPDX-License-Identifier: Apache-2.0
/*
 * The four codecs of Kafka, the other way, at Kafka's default levels
 * (CompressionType.java) and in the framings its Java client reads: blocks of
 * LZ4 that do not refer to each other, Snappy in Xerial's blocks.
 */
#include <errno.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <linux/sluice_format.h>
#include "lib/codec.h"

#define ZSTD_LEVEL	   3
#define XERIAL_BLOCK_BYTES 32768

static const uint8_t xerial_header[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0,
					0,    0,   0,	1,   0,	  0,   0,   1};

static int gzip(const uint8_t *data, size_t len, struct sluice__bytes *out)
{
	z_stream z = {0};
	int err, ret;

	if (len > UINT32_MAX)
		return -EMSGSIZE;
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, MAX_MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	err = sluice__bytes_reserve(out, deflateBound(&z, len));
	if (!err) {
		z.next_in = (Bytef *)data;
		z.avail_in = (uInt)len;
		z.next_out = out->p;
		z.avail_out = out->room > UINT32_MAX ? UINT32_MAX : (uInt)out->room;
		ret = deflate(&z, Z_FINISH);
		err = ret == Z_STREAM_END ? 0 : -EIO;
		out->len = z.total_out;
	}
	deflateEnd(&z);
	return err;
}

static int lz4(const uint8_t *data, size_t len, struct sluice__bytes *out)
{
	const LZ4F_preferences_t how = {
		.frameInfo = {.blockSizeID = LZ4F_max64KB, .blockMode = LZ4F_blockIndependent}};
	int err = sluice__bytes_reserve(out, LZ4F_compressFrameBound(len, &how));
	size_t n;

	if (err)
		return err;
	n = LZ4F_compressFrame(out->p, out->room, data, len, &how);
	if (LZ4F_isError(n))
		return -ENOMEM;
	out->len = n;
	return 0;
}

static int zstd(const uint8_t *data, size_t len, struct sluice__bytes *out)
{
	int err = sluice__bytes_reserve(out, ZSTD_compressBound(len));
	size_t n;

	if (err)
		return err;
	n = ZSTD_compress(out->p, out->room, data, len, ZSTD_LEVEL);
	if (ZSTD_isError(n))
		return -ENOMEM;
	out->len = n;
	return 0;
}

static int snappy_block(const uint8_t *data, size_t len, struct sluice__bytes *out)
{
	uint8_t *size = out->p + out->len;
	size_t n = out->room - out->len - 4;

	if (snappy_compress((const char *)data, len, (char *)size + 4, &n) != SNAPPY_OK)
		return -EIO;
	size[0] = (uint8_t)(n >> 24);
	size[1] = (uint8_t)(n >> 16);
	size[2] = (uint8_t)(n >> 8);
	size[3] = (uint8_t)n;
	out->len += 4 + n;
	return 0;
}

static int snappy(const uint8_t *data, size_t len, struct sluice__bytes *out)
{
	size_t blocks = len / XERIAL_BLOCK_BYTES + 1, n;
	int err;

	err = sluice__bytes_reserve(
		out, sizeof(xerial_header) +
			     blocks * (4 + snappy_max_compressed_length(XERIAL_BLOCK_BYTES)));
	if (err)
		return err;
	memcpy(out->p, xerial_header, sizeof(xerial_header));
	out->len = sizeof(xerial_header);
	while (!err && len) {
		n = len < XERIAL_BLOCK_BYTES ? len : XERIAL_BLOCK_BYTES;
		err = snappy_block(data, n, out);
		data += n;
		len -= n;
	}
	return err;
}

int sluice__compress(int codec, const uint8_t *data, size_t len, struct sluice__bytes *out)
{
	out->len = 0;
	switch (codec) {
	case SLUICE_COMPRESSION_GZIP: return gzip(data, len, out);
	case SLUICE_COMPRESSION_SNAPPY: return snappy(data, len, out);
	case SLUICE_COMPRESSION_LZ4: return lz4(data, len, out);
	case SLUICE_COMPRESSION_ZSTD: return zstd(data, len, out);
	}
	return -EPROTONOSUPPORT;
}
