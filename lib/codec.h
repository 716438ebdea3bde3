/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's compression codecs, for libsluice and for the cleaner of the log
 * (kmod/log/clean.h). Nothing here is exported.
 */
#ifndef SLUICE_LIB_CODEC_H
#define SLUICE_LIB_CODEC_H

#include <stddef.h>
#include <stdint.h>

/** struct sluice__bytes - a buffer that grows and is kept */
struct sluice__bytes {
	uint8_t *p;
	size_t len;
	size_t room;
};

/** sluice__bytes_reserve() - room for @room bytes in all; 0 or -ENOMEM */
int sluice__bytes_reserve(struct sluice__bytes *b, size_t room);
void sluice__bytes_free(struct sluice__bytes *b);

/*
 * More than a batch can honestly become: 64 MiB of records that compress
 * sixteenfold. What would be larger is refused as a decompression bomb.
 */
#define SLUICE__INFLATED_MAX (UINT32_C(1) << 30)

/**
 * sluice__decompress() - open the records of a batch
 * @codec: SLUICE_COMPRESSION_*
 * @out: what was in it before is replaced
 * @max: largest result, in bytes
 * Returns 0; -EBADMSG malformed; -EMSGSIZE larger than @max;
 * -EPROTONOSUPPORT no such codec; -ENOMEM.
 */
int sluice__decompress(int codec, const uint8_t *data, size_t len, size_t max,
		       struct sluice__bytes *out);

/**
 * sluice__compress() - the records of a batch, as Kafka's broker compresses them
 * @codec: SLUICE_COMPRESSION_*, not none
 * @out: what was in it before is replaced
 * Returns 0; -EPROTONOSUPPORT no such codec; -EMSGSIZE too long for it;
 * -ENOMEM; -EIO.
 */
int sluice__compress(int codec, const uint8_t *data, size_t len, struct sluice__bytes *out);

#endif /* SLUICE_LIB_CODEC_H */
