/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Snapshots of the producer state: <offset>.snapshot has what the log knew of
 * its producers when the offset was its end. Kafka's format, version 1
 * (ProducerSnapshot.json).
 *
 * Kafka keeps the last batch of each producer there, and so does not know a retry
 * of an earlier one as such after a restart. Here each of the batches that the log
 * remembers is an entry, in their order, so that a client that had several of them
 * in flight when the power went can go on. Kafka takes the last entry of a producer.
 */
#ifndef SLUICE_LOG_PRODUCER_SNAPSHOT_H
#define SLUICE_LOG_PRODUCER_SNAPSHOT_H

#include "log.h"
#include "producer_state.h"

/**
 * struct sluice_producer_snapshot - the content of a file, not yet written
 * @next: for whoever keeps several
 * @offset: names the file
 */
struct sluice_producer_snapshot {
	struct sluice_producer_snapshot *next;
	s64 offset;
	size_t len;
	u8 bytes[];
};

/**
 * sluice_producer_snapshot_new() - what a file for @offset has to say
 * Returns NULL if there is no memory; free it with port_free().
 */
struct sluice_producer_snapshot *__must_check
sluice_producer_snapshot_new(const struct sluice_producer_state *s, s64 offset);

/**
 * sluice_producer_snapshot_write() - write the file, durably
 * One that is there is replaced: it is of another life of that offset. A crash
 * may leave it torn, which its CRC tells. The name is durable only after a sync
 * of the directory, which is the caller's.
 */
int __must_check sluice_producer_snapshot_write(struct port_dir *dir,
						const struct sluice_producer_snapshot *snap);

/** sluice_producer_state_save() - both: write @s as the snapshot for @offset. */
int __must_check sluice_producer_state_save(const struct sluice_producer_state *s,
					    struct port_dir *dir, s64 offset);

/**
 * sluice_producer_state_load() - read the snapshot for @offset
 * @s: empty. On failure it may have got some of the producers: free it
 * @err: SLUICE_ERROR_TEXT_MAX bytes; on failure, the file, position and reason
 * Returns 0; -ENOENT if there is no such file; -EUCLEAN if it is damaged;
 * -ENOMEM, or an error of the file.
 */
int __must_check sluice_producer_state_load(struct sluice_producer_state *s, struct port_dir *dir,
					    s64 offset, char *err);

/** sluice_producer_snapshot_remove() - remove the file; 0 if it was not there. */
int __must_check sluice_producer_snapshot_remove(struct port_dir *dir, s64 offset);

#endif /* SLUICE_LOG_PRODUCER_SNAPSHOT_H */
