// SPDX-License-Identifier: Apache-2.0
/* A batch's records compressed whole, at Kafka's default levels (CompressionType.java). */
#include <errno.h>
#include <linux/sluice_format.h>
#include "lib/codec.h"

static int default_level(int codec)
{
	switch (codec) {
	case SLUICE_COMPRESSION_GZIP: return SLUICE__GZIP_LEVEL;
	case SLUICE_COMPRESSION_LZ4: return SLUICE__LZ4_LEVEL;
	default: return SLUICE__ZSTD_LEVEL;
	}
}

int sluice__compress(int codec, const uint8_t *data, size_t len, struct sluice__bytes *out)
{
	struct sluice__deflater *de;
	int err;

	out->len = 0;
	err = sluice__deflate_open(codec, default_level(codec), out, UINT32_MAX, &de);
	if (err)
		return err;
	err = sluice__deflate(de, data, len);
	if (!err)
		err = sluice__deflate_end(de);
	sluice__deflate_close(de);
	return err;
}
