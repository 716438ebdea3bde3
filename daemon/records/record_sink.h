/* SPDX-License-Identifier: Apache-2.0 */
/* A batch that is made anew: its records go in one after the other, in any codec. */
#ifndef SLUICE_RECORDS_RECORD_SINK_H
#define SLUICE_RECORDS_RECORD_SINK_H

#include "kmod/log/batch.h"
#include "lib/codec.h"

/**
 * struct record_sink - a batch in the making; private
 * @max: bytes of the whole batch
 */
struct record_sink {
	struct sluice__bytes bytes;
	struct sluice__deflater *deflater;
	int codec;
	size_t max;
};

/** record_sink_open - @codec: SLUICE_COMPRESSION_*; @level: in Kafka's numbers; 0 or -ENOMEM */
int record_sink_open(struct record_sink *s, int codec, int level, size_t max);

/** record_sink_put - bytes of records; 0; -EMSGSIZE more than @max; -ENOMEM; -EIO */
int record_sink_put(struct record_sink *s, const uint8_t *data, size_t len);

/**
 * record_sink_end - write the header before the records
 * @b: of the batch that it was made from; gets its codec, size and CRC
 * @ret_batch: the batch, taken by the caller
 * Errors as before. record_sink_close() follows either way.
 */
int record_sink_end(struct record_sink *s, struct sluice_batch *b, struct sluice__bytes *ret_batch);
void record_sink_close(struct record_sink *s);

#endif /* SLUICE_RECORDS_RECORD_SINK_H */
