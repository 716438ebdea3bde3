// SPDX-License-Identifier: Apache-2.0
/*
 * The four codecs of Kafka. Each is given room step by step, so that a few
 * bytes that claim to be gigabytes cost no memory until they have shown it.
 */
#include <errno.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <linux/sluice_format.h>
#include "lib/codec.h"

#define STEP_BYTES 65536

/* Xerial's framing of snappy (SnappyOutputStream.java), which Java clients write. */
static const uint8_t xerial_magic[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
#define XERIAL_HEADER_LEN 16

/*
 * Room for more, up to @max in all. None at @max: a decoder may still find its
 * end, and if it does not it is stuck().
 */
static int make_room(struct sluice__bytes *out, size_t max)
{
	size_t room;

	if (out->len < out->room || out->len >= max)
		return 0;
	room = out->room ? out->room * 2 : STEP_BYTES;
	return sluice__bytes_reserve(out, room < max ? room : max);
}

static size_t room_left(const struct sluice__bytes *out, size_t max)
{
	return (out->room < max ? out->room : max) - out->len;
}

/* Why a decoder does not get on: it wants more room, or input that is not there. */
static int stuck(const struct sluice__bytes *out, size_t max)
{
	return out->len >= max ? -EMSGSIZE : -EBADMSG;
}

static int gunzip_member(z_stream *z, size_t max, struct sluice__bytes *out)
{
	size_t room;
	int err, ret;

	do {
		err = make_room(out, max);
		if (err)
			return err;
		room = room_left(out, max);
		z->next_out = out->p + out->len;
		z->avail_out = (uInt)room;
		ret = inflate(z, Z_NO_FLUSH);
		out->len += room - z->avail_out;
		if (ret == Z_BUF_ERROR || (ret == Z_OK && !z->avail_in && z->avail_out))
			return stuck(out, max);
	} while (ret == Z_OK);
	if (ret == Z_MEM_ERROR)
		return -ENOMEM;
	return ret == Z_STREAM_END ? 0 : -EBADMSG;
}

static int gunzip(const uint8_t *data, size_t len, size_t max, struct sluice__bytes *out)
{
	z_stream z = {0};
	int err;

	if (len > UINT32_MAX)
		return -EMSGSIZE;
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	z.next_in = (Bytef *)data;
	z.avail_in = (uInt)len;
	do {
		err = gunzip_member(&z, max, out);
	} while (!err && z.avail_in && inflateReset(&z) == Z_OK);
	inflateEnd(&z);
	return err;
}

static int unlz4(const uint8_t *data, size_t len, size_t max, struct sluice__bytes *out)
{
	LZ4F_dctx *dctx;
	size_t in, produced, more = 1;
	int err = 0;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&dctx, LZ4F_VERSION)))
		return -ENOMEM;
	while (!err && more) {
		err = make_room(out, max);
		if (err)
			break;
		in = len;
		produced = room_left(out, max);
		more = LZ4F_decompress(dctx, out->p + out->len, &produced, data, &in, NULL);
		if (LZ4F_isError(more) || (more && !in && !produced)) {
			err = LZ4F_isError(more) ? -EBADMSG : stuck(out, max);
			break;
		}
		data += in;
		len -= in;
		out->len += produced;
	}
	LZ4F_freeDecompressionContext(dctx);
	return err;
}

static int unzstd(const uint8_t *data, size_t len, size_t max, struct sluice__bytes *out)
{
	ZSTD_DCtx *dctx = ZSTD_createDCtx();
	ZSTD_inBuffer in = {data, len, 0};
	ZSTD_outBuffer to;
	size_t more = 1, before;
	int err = 0;

	if (!dctx)
		return -ENOMEM;
	while (more || in.pos < in.size) {
		err = make_room(out, max);
		if (err)
			break;
		before = in.pos;
		to = (ZSTD_outBuffer){out->p + out->len, room_left(out, max), 0};
		more = ZSTD_decompressStream(dctx, &to, &in);
		out->len += to.pos;
		if (ZSTD_isError(more) || (more && in.pos == before && !to.pos)) {
			err = ZSTD_isError(more) ? -EBADMSG : stuck(out, max);
			break;
		}
	}
	ZSTD_freeDCtx(dctx);
	return err;
}

static int unsnappy_block(const uint8_t *data, size_t len, size_t max, struct sluice__bytes *out)
{
	size_t size;
	int err;

	if (snappy_uncompressed_length((const char *)data, len, &size) != SNAPPY_OK)
		return -EBADMSG;
	if (size > max - out->len)
		return -EMSGSIZE;
	/* The length is only claimed; looking through the block proves it, and takes no memory. */
	if (snappy_validate_compressed_buffer((const char *)data, len) != SNAPPY_OK)
		return -EBADMSG;
	err = sluice__bytes_reserve(out, out->len + size);
	if (err || !size)
		return err;
	if (snappy_uncompress((const char *)data, len, (char *)out->p + out->len, &size) !=
	    SNAPPY_OK)
		return -EBADMSG;
	out->len += size;
	return 0;
}

static int unsnappy(const uint8_t *data, size_t len, size_t max, struct sluice__bytes *out)
{
	uint32_t block;
	int err = 0;

	if (len < XERIAL_HEADER_LEN || memcmp(data, xerial_magic, sizeof(xerial_magic)) != 0)
		return unsnappy_block(data, len, max, out);
	data += XERIAL_HEADER_LEN;
	len -= XERIAL_HEADER_LEN;
	while (!err && len) {
		if (len < sizeof(block))
			return -EBADMSG;
		block = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 |
			data[3];
		data += sizeof(block);
		len -= sizeof(block);
		if (block > len)
			return -EBADMSG;
		err = unsnappy_block(data, block, max, out);
		data += block;
		len -= block;
	}
	return err;
}

int sluice__decompress(int codec, const uint8_t *data, size_t len, size_t max,
		       struct sluice__bytes *out)
{
	out->len = 0;
	switch (codec) {
	case SLUICE_COMPRESSION_GZIP: return gunzip(data, len, max, out);
	case SLUICE_COMPRESSION_SNAPPY: return unsnappy(data, len, max, out);
	case SLUICE_COMPRESSION_LZ4: return unlz4(data, len, max, out);
	case SLUICE_COMPRESSION_ZSTD: return unzstd(data, len, max, out);
	}
	return -EPROTONOSUPPORT;
}
