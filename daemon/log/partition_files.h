/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a partition's directory is called, and the two small files in it that
 * are not the log's: partition.metadata, which holds the topic's id, and
 * leader-epoch-checkpoint (PartitionMetadataFile.java,
 * LeaderEpochCheckpointFile.java).
 */
#ifndef LOG_PARTITION_FILES_H
#define LOG_PARTITION_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/sluice.h>

#define PARTITION_DIR_NAME_MAX 255

enum partition_dir_kind {
	PARTITION_DIR_OTHER,   /* nothing of ours, to be left alone */
	PARTITION_DIR_LOG,     /* <topic>-<index> */
	PARTITION_DIR_DELETED, /* ...-<index>.<32 hex digits>-delete */
};

/**
 * partition_dir_parse() - what a directory's name says
 * @topic, @ret_index: set for PARTITION_DIR_LOG
 */
enum partition_dir_kind partition_dir_parse(const char *name, char topic[SLUICE_TOPIC_NAME_MAX + 1],
					    uint32_t *ret_index);

void partition_dir_format(const char *topic, uint32_t index, char name[PARTITION_DIR_NAME_MAX + 1]);

/**
 * partition_dir_format_deleted() - the name under which it waits for removal
 * As Kafka does, the topic is cut where the whole would be too long.
 */
void partition_dir_format_deleted(const char *topic, uint32_t index, const uint8_t unique[16],
				  char name[PARTITION_DIR_NAME_MAX + 1]);

/**
 * partition_metadata_read() - the topic's id
 * Returns 0; -ENOENT no file, or an empty one as a crash may leave it;
 * -EBADMSG malformed; others.
 */
int partition_metadata_read(int partition_fd, uint8_t id[SLUICE_TOPIC_ID_LEN]);

/** partition_files_make() - both, for a log that begins; not synced. */
int partition_files_make(int partition_fd, const uint8_t id[SLUICE_TOPIC_ID_LEN]);

/** partition_metadata_write() - not synced: what is lost is written anew. */
int partition_metadata_write(int partition_fd, const uint8_t id[SLUICE_TOPIC_ID_LEN]);

struct leader_epoch {
	int32_t epoch;
	int64_t start_offset;
};

/**
 * leader_epochs_read() - the epochs of a partition, rising
 * @ret_epochs: free it; NULL if there are none
 * A missing or malformed file gives none: it is rebuilt from the next epoch on.
 */
int leader_epochs_read(int partition_fd, struct leader_epoch **ret_epochs, size_t *ret_n);

/**
 * leader_epochs_write() - replace the file
 * @durable: synced; if not, a crash may leave it empty
 */
int leader_epochs_write(int partition_fd, const struct leader_epoch *epochs, size_t n,
			bool durable);

#endif /* LOG_PARTITION_FILES_H */
