/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's offset checkpoints: text files of a data directory with one offset
 * for each partition (OffsetCheckpointFile.java). Three kinds of lines: the
 * version, 0; how many entries follow; "topic partition offset".
 */
#ifndef LOG_CHECKPOINT_H
#define LOG_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/sluice.h>

#define CHECKPOINT_RECOVERY_POINT "recovery-point-offset-checkpoint"
#define CHECKPOINT_LOG_START	  "log-start-offset-checkpoint"
#define CHECKPOINT_HIGH_WATERMARK "replication-offset-checkpoint"
#define CHECKPOINT_CLEANER	  "cleaner-offset-checkpoint"

/* @topic: the checkpoint's, shared by its partitions: there may be very many */
struct checkpoint_entry {
	const char *topic;
	uint32_t partition;
	int64_t offset;
};

/** struct checkpoint - zero is an empty one */
struct checkpoint {
	struct checkpoint_entry *entries;
	size_t n, room;
	struct checkpoint_name *names;
};

/**
 * checkpoint_parse() - read the text of a checkpoint
 * @ret_line: of what is malformed, from 1; 0 if it is no line by itself: two
 *	entries are of the same partition, or the file cannot be such a text
 * Returns 0; -EINVAL if any of it is malformed, and then @ret is empty;
 * -ENOMEM.
 */
int checkpoint_parse(const char *text, size_t len, struct checkpoint *ret, unsigned int *ret_line);

/** checkpoint_read() - parse a file of the directory; one missing is empty. */
int checkpoint_read(int dir_fd, const char *name, struct checkpoint *ret, unsigned int *ret_line);

/** checkpoint_write() - sort the entries and replace the file, durably. */
int checkpoint_write(int dir_fd, const char *name, struct checkpoint *c);

/** checkpoint_find() - the offset, or -1; of one that was read or written. */
int64_t checkpoint_find(const struct checkpoint *c, const char *topic, uint32_t partition);

/** checkpoint_add() - one more entry, for a partition that has none. */
int checkpoint_add(struct checkpoint *c, const char *topic, uint32_t partition, int64_t offset);

/** checkpoint_set() - the same for a partition that may have one. */
int checkpoint_set(struct checkpoint *c, const char *topic, uint32_t partition, int64_t offset);

/** checkpoint_equal() - the same entries; both as checkpoint_sort() leaves them */
bool checkpoint_equal(const struct checkpoint *a, const struct checkpoint *b);

/** checkpoint_sort() - into the order that checkpoint_find() and the file want */
void checkpoint_sort(struct checkpoint *c);

/** checkpoint_forget() - remove a topic's entries; how many there were. */
size_t checkpoint_forget(struct checkpoint *c, const char *topic);

void checkpoint_free(struct checkpoint *c);

#endif /* LOG_CHECKPOINT_H */
