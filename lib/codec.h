/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's compression codecs, for libsluice, for the cleaner of the log
 * (kmod/log/clean.h) and for what the daemon checks. Nothing here is exported.
 */
#ifndef SLUICE_LIB_CODEC_H
#define SLUICE_LIB_CODEC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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
 * struct sluice__inflater - the records of a batch, opened piece by piece
 * However much a few bytes become, it takes little memory itself: what its codec needs
 * (of zstd the window, 128 MiB at most; of snappy a block, which is at most about
 * twenty times as large as it came).
 */
struct sluice__inflater;

/**
 * sluice__inflate_open() - begin
 * @codec: SLUICE_COMPRESSION_*, not none
 * @data: borrowed until sluice__inflate_close()
 * Returns 0; -EPROTONOSUPPORT no such codec; -ENOMEM. What is wrong with @data is said later.
 */
int sluice__inflate_open(int codec, const uint8_t *data, size_t len,
			 struct sluice__inflater **ret_in);

/**
 * sluice__inflate() - the next bytes
 * @room: of @to, not 0
 * Returns how many, at least one; 0 at the end; -EBADMSG malformed; -ENODATA a gzip stream
 * ends too early, behind its header; -ENOMEM. After an error or the end it is not to be called again.
 */
ssize_t sluice__inflate(struct sluice__inflater *in, uint8_t *to, size_t room);
void sluice__inflate_close(struct sluice__inflater *in);

/**
 * struct sluice__deflater - records that are compressed piece by piece
 */
struct sluice__deflater;

/* Levels that stand for the codec's own choice, as Kafka's brokers make it. */
#define SLUICE__GZIP_LEVEL (-1)
#define SLUICE__LZ4_LEVEL  9
#define SLUICE__ZSTD_LEVEL 3

/**
 * sluice__deflate_open() - begin
 * @codec: SLUICE_COMPRESSION_*, not none
 * @level: in Kafka's numbers (compression.<codec>.level); snappy has none
 * @out: what is compressed is put behind what it holds; borrowed until the end
 * @max: bytes that it may hold then
 * Returns 0; -EPROTONOSUPPORT no such codec; -ENOMEM.
 */
int sluice__deflate_open(int codec, int level, struct sluice__bytes *out, size_t max,
			 struct sluice__deflater **ret_de);

/** sluice__deflate() - more; 0; -EMSGSIZE more than @max; -ENOMEM; -EIO */
int sluice__deflate(struct sluice__deflater *de, const uint8_t *data, size_t len);

/** sluice__deflate_end() - what is left; errors as before. Only sluice__deflate_close() may follow */
int sluice__deflate_end(struct sluice__deflater *de);
void sluice__deflate_close(struct sluice__deflater *de);

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
 * sluice__compress() - the records of a batch, as Kafka's broker compresses them by default
 * @codec: SLUICE_COMPRESSION_*, not none
 * @out: what was in it before is replaced
 * Returns 0; -EPROTONOSUPPORT no such codec; -EMSGSIZE too long for it;
 * -ENOMEM; -EIO.
 */
int sluice__compress(int codec, const uint8_t *data, size_t len, struct sluice__bytes *out);

#endif /* SLUICE_LIB_CODEC_H */
