/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * leader-epoch-checkpoint: the leader epochs of a log, as text
 * (LeaderEpochCheckpointFile.java). Three kinds of lines: the version, 0; how
 * many entries follow; "epoch start_offset", ascending.
 */
#ifndef SLUICE_LOG_LEADER_EPOCH_FILE_H
#define SLUICE_LOG_LEADER_EPOCH_FILE_H

#include "leader_epoch.h"

#define SLUICE_LEADER_EPOCH_FILE	"leader-epoch-checkpoint"
/* What a write that was cut short leaves; as Kafka calls it. */
#define SLUICE_LEADER_EPOCH_FILE_TEMP	"leader-epoch-checkpoint.tmp"

/**
 * sluice_leader_epochs_parse() - read the text of a checkpoint
 * @e: empty; untouched on failure, unless it is -ENOMEM
 * @ret_line: on failure, the number of the line
 * @ret_why: a static sentence, set with -EUCLEAN
 * Returns 0, -EUCLEAN if any of it is malformed or out of order, or -ENOMEM.
 */
int __must_check sluice_leader_epochs_parse(struct sluice_leader_epochs *e, const char *text,
					    size_t len, u32 *ret_line, const char **ret_why);

/**
 * sluice_leader_epochs_load() - read the checkpoint of a directory
 * @e: empty
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set with any other error than -ENOENT
 * Returns 0, -ENOENT, -EUCLEAN as above, or an error of the file system.
 */
int __must_check sluice_leader_epochs_load(struct sluice_leader_epochs *e, struct port_dir *dir,
					   char *err);

/**
 * sluice_leader_epochs_save() - replace the checkpoint of a directory
 * @ret_changes: e->changes as it was when the image was taken
 * The content is durable when it returns, its name only with the next
 * port_dir_sync(). A failure leaves the old one. May run beside everything
 * but another save.
 */
int __must_check sluice_leader_epochs_save(struct sluice_leader_epochs *e, struct port_dir *dir,
					   u64 *ret_changes);

#endif /* SLUICE_LOG_LEADER_EPOCH_FILE_H */
