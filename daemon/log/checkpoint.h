/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's offset checkpoints: text files of a data directory with one offset
 * for each partition (OffsetCheckpointFile.java). Three kinds of lines: the
 * version, 0; how many entries follow; "topic partition offset".
 */
#ifndef LOG_CHECKPOINT_H
#define LOG_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>
#include <linux/sluice.h>

#define CHECKPOINT_RECOVERY_POINT "recovery-point-offset-checkpoint"
#define CHECKPOINT_LOG_START	  "log-start-offset-checkpoint"

struct checkpoint_entry {
	char topic[SLUICE_TOPIC_NAME_MAX + 1];
	uint32_t partition;
	int64_t offset;
};

/** struct checkpoint - zero is an empty one */
struct checkpoint {
	struct checkpoint_entry *entries;
	size_t n, room;
};

/**
 * checkpoint_parse() - read the text of a checkpoint
 * Returns 0; -EINVAL if any of it is malformed, and then @ret is empty;
 * -ENOMEM.
 */
int checkpoint_parse(const char *text, size_t len, struct checkpoint *ret);

/** checkpoint_read() - parse a file of the directory; one missing is empty. */
int checkpoint_read(int dir_fd, const char *name, struct checkpoint *ret);

/** checkpoint_write() - sort the entries and replace the file, durably. */
int checkpoint_write(int dir_fd, const char *name, struct checkpoint *c);

/** checkpoint_find() - the offset, or -1; of one that was read or written. */
int64_t checkpoint_find(const struct checkpoint *c, const char *topic, uint32_t partition);

/** checkpoint_add() - one more entry, for a partition that has none. */
int checkpoint_add(struct checkpoint *c, const char *topic, uint32_t partition, int64_t offset);

/** checkpoint_forget() - remove a topic's entries; how many there were. */
size_t checkpoint_forget(struct checkpoint *c, const char *topic);

void checkpoint_free(struct checkpoint *c);

#endif /* LOG_CHECKPOINT_H */
