/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checkpoints of a data directory. What is damaged is no reason not to
 * start: each of them only saves work or gives back what was deleted, so a
 * damaged one is warned of, by name and line, and counts as missing.
 */
#ifndef LOG_LOG_DIR_CHECKPOINTS_H
#define LOG_LOG_DIR_CHECKPOINTS_H

#include "daemon/log/checkpoint.h"
#include "daemon/log/log_dir_open.h"

/**
 * log_dir_checkpoint_read() - read one; empty if it is missing or damaged
 * @name: CHECKPOINT_*
 * @ret: free it with checkpoint_free()
 */
int log_dir_checkpoint_read(const struct log_dir *d, const char *name, struct checkpoint *ret,
			    struct log_dir_error *err);

/**
 * log_dir_checkpoint_update() - write one with what the kernel's topics are at
 * @topics: sorted names; @c has the entries of all their partitions that are to
 *	have one
 * Entries of other topics stay as long as the partition's directory is there:
 * a topic that could not be opened keeps its start offset. Writes nothing if
 * all is as it was.
 */
int log_dir_checkpoint_update(const struct log_dir *d, const char *name, struct checkpoint *c,
			      char *const *topics, size_t n_topics, struct log_dir_error *err);

#endif /* LOG_LOG_DIR_CHECKPOINTS_H */
