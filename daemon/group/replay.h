/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the bytes of a partition of __consumer_offsets to the coordinator: what
 * transactions have written counts from their commit marker on.
 */
#ifndef SLUICE_GROUP_REPLAY_H
#define SLUICE_GROUP_REPLAY_H

#include "daemon/core/list.h"
#include "daemon/group/coordinator.h"
#include "lib/codec.h"

/** struct replay - @held: batches of open transactions, in their order; @opened: decompressed */
struct replay {
	struct list held;
	struct sluice__bytes opened;
};

void replay_init(struct replay *r);

/** replay_forget - the end of a partition: transactions that are open are not committed */
void replay_forget(struct replay *r);
void replay_free(struct replay *r);

/**
 * replay_bytes - all whole batches at the front of @len bytes at @p
 * @offset: of the first record wanted; set to the one behind the last batch
 * @damaged: counts records that could not be read
 * Returns how many bytes they were; -EBADMSG if a batch is not one; -ENOMEM.
 */
int64_t replay_bytes(struct replay *r, struct coordinator *c, int32_t partition, const uint8_t *p,
		     size_t len, int64_t *offset, uint64_t *damaged);

#endif /* SLUICE_GROUP_REPLAY_H */
