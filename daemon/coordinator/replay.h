/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of a partition of a coordinator's topic to its records and ends of transactions. */
#ifndef SLUICE_COORDINATOR_REPLAY_H
#define SLUICE_COORDINATOR_REPLAY_H

#include "daemon/coordinator/topic_write.h"
#include "lib/codec.h"

/**
 * struct topic_reader - whose topic it is
 * @open: the topic has @n partitions, to be loaded; 0 or -ENOMEM
 * @load: a record; 0; -EBADMSG if it cannot be read, and was left out; -ENOMEM
 * @ended: a producer's transaction ended behind all that was loaded; NULL: there are none
 * @loaded: that was the last record of the partition
 * @close: the partition cannot be used any more
 * @reopen: it is to be loaded again, from its beginning
 * @stop: nor can any other; what waits is answered
 * @topic_gone: some topic was deleted; NULL: that is nothing to it
 */
struct topic_reader {
	int (*open)(struct topic_reader *t, int32_t n);
	int (*load)(struct topic_reader *t, int32_t partition, const struct topic_load *record);
	void (*ended)(struct topic_reader *t, int32_t partition, int64_t producer_id, bool commit);
	void (*loaded)(struct topic_reader *t, int32_t partition);
	void (*close)(struct topic_reader *t, int32_t partition);
	void (*reopen)(struct topic_reader *t, int32_t partition);
	void (*stop)(struct topic_reader *t);
	void (*topic_gone)(struct topic_reader *t, struct kafka_str topic);
};

/**
 * replay_bytes - all whole batches at the front of @len bytes at @p
 * @opened: room for decompressed records, kept from call to call
 * @offset: of the first record wanted; set to the one behind the last batch
 * @damaged: counts records that could not be read
 * Returns how many bytes they were; -EBADMSG if a batch is not one; -ENOMEM.
 */
int64_t replay_bytes(struct topic_reader *t, struct sluice__bytes *opened, int32_t partition,
		     const uint8_t *p, size_t len, int64_t *offset, uint64_t *damaged);

#endif /* SLUICE_COORDINATOR_REPLAY_H */
