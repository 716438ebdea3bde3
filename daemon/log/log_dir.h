/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data directory as files: which topics it holds, bringing it up after a
 * clean or an unclean stop, taking it down, and creating and deleting topics.
 * Used by sluiced and by sluicectl, so that each finds what the other made.
 *
 * Layout: Apache Kafka's (Documentation/format.md). `.lock` is held with
 * flock(2) while somebody changes the directory; `.kafka_cleanshutdown` stands
 * only while nobody has it attached. A topic's own settings, which Kafka keeps
 * in its metadata log, are in `.sluice/topics/<topic>.properties`.
 */
#ifndef LOG_LOG_DIR_H
#define LOG_LOG_DIR_H

#include "daemon/kern/kern.h"

/**
 * struct log_dir_error - a sentence for the operator, with the next step
 */
struct log_dir_error {
	char text[512];
};

/**
 * log_dir_progress_fn - told a few times a second while logs are recovered, and
 *	in the end; not for logs that were closed cleanly
 * @done: partitions done; @total: of so many; @bytes_read: of log files, so far
 */
typedef void (*log_dir_progress_fn)(void *ctx, unsigned int done, unsigned int total,
				    uint64_t bytes_read);

/**
 * log_dir_up() - attach a data directory and open all its topics
 * @path: made if it is missing
 * @threads: that recover, a partition each at a time; 0: as many as there are CPUs
 * Recovers first (in parallel over partitions) if the last stop was not clean.
 * If the directory is attached already it only creates topics that the kernel
 * does not have: the logs outlive whoever attached them.
 * Returns 0 or -errno with @err filled. A topic that is broken does not keep
 * the others from being opened: @err then has a sentence although 0 is
 * returned; if all is well its text is empty.
 */
int log_dir_up(struct kern *k, const char *path, unsigned int threads, log_dir_progress_fn progress,
	       void *ctx, struct log_dir_error *err);

/**
 * log_dir_down() - detach; then mark the directory as cleanly stopped
 * One whose disk fails, so that it cannot be opened any more, is detached and
 * the disk's error returned; @path must be as the kernel knows it, then.
 */
int log_dir_down(struct kern *k, const char *path, struct log_dir_error *err);

/**
 * log_dir_checkpoint() - write down where the logs begin and how far they are durable
 * Kafka's files: recovery points, so that a recovery reads only what lies
 * behind; log start offsets, so that deleted records do not come back; high
 * watermarks. To be called now and then while the directory is attached, as
 * Kafka does once a minute.
 */
int log_dir_checkpoint(struct kern *k, const char *path, struct log_dir_error *err);

/** log_dir_cluster_id() - of meta.properties; at most 63 characters are given. */
int log_dir_cluster_id(const char *path, char ret_id[64], struct log_dir_error *err);

/**
 * struct log_dir_setting - one topic setting in Kafka's spelling
 */
struct log_dir_setting {
	const char *key;
	const char *value;
};

/**
 * log_dir_topic_create() - make the directories and files, then tell the kernel
 * @partition_count: 1 to 100000
 * @settings: the topic's own; unknown keys and bad values are -EINVAL. Keys
 *	that the module does not act on yet are stored and given back
 * @ret_id: the new topic's id (a random version-4 UUID, never Kafka's
 *	reserved ones), or NULL
 * Returns 0; -EEXIST; -EINVAL bad name, count or setting; others. On failure
 * nothing is left behind.
 */
int log_dir_topic_create(struct kern *k, const char *path, const char *name,
			 uint32_t partition_count, const struct log_dir_setting *settings,
			 size_t n_settings, uint8_t ret_id[SLUICE_TOPIC_ID_LEN],
			 struct log_dir_error *err);

/**
 * log_dir_topic_check() - would log_dir_topic_create() accept this
 * For validate_only requests. Does not look whether the name is taken.
 */
int log_dir_topic_check(const char *name, uint32_t partition_count,
			const struct log_dir_setting *settings, size_t n_settings,
			struct log_dir_error *err);

/**
 * log_dir_topic_alter() - change a topic's own settings
 * @changes: a NULL value takes the setting back: its default counts again.
 *	The default of this module, until a daemon with another one in its
 *	configuration starts
 * In force at once, if the kernel has the topic, and stored when it returns 0.
 * Returns 0; -ENOENT no such topic; -EINVAL; others.
 */
int log_dir_topic_alter(struct kern *k, const char *path, const char *name,
			const struct log_dir_setting *changes, size_t n_changes,
			struct log_dir_error *err);

/**
 * log_dir_topic_grow() - give a topic more partitions
 * @partition_count: how many it is to have then
 * @validate_only: change nothing; what only the disk can refuse is not seen then
 * A crash leaves it with all of them or with as many as before.
 * Returns 0; -ENOENT no such topic; -EINVAL it has so many already; -EEXIST a
 * directory that is not empty has the name of a new partition; others.
 */
int log_dir_topic_grow(struct kern *k, const char *path, const char *name, uint32_t partition_count,
		       bool validate_only, struct log_dir_error *err);

/**
 * log_dir_delete_records() - let a partition begin later
 * @offset: records below it go; -1: all below the high watermark
 * @ret_start: where it begins now; above @offset if it already did
 * Survives a crash once log_dir_checkpoint() was called, as in Kafka.
 * Returns 0; -ERANGE beyond the high watermark; -ENOENT; others.
 */
int log_dir_delete_records(struct kern *k, const char *topic, uint32_t partition, int64_t offset,
			   int64_t *ret_start, struct log_dir_error *err);

/**
 * log_dir_truncate() - let a log end at an offset: for a replica whose leader's
 *	does
 * Lowers the directory's checkpoints before, so that a crash loses nothing that
 * is appended afterwards. log_dir_checkpoint() raises them again.
 * @offset: records at or above it go, with the batch that holds it
 * @ret_end: where the log ends now; below @offset where a batch had to go whole.
 *	From the log end on nothing happens
 * Returns 0; -ENOENT; others, and then the checkpoints may be lower than need be.
 */
int log_dir_truncate(struct kern *k, const char *path, const char *topic, uint32_t partition,
		     int64_t offset, int64_t *ret_end, struct log_dir_error *err);

/** log_dir_topic_delete() - out of the kernel first, then the files. -ENOENT */
int log_dir_topic_delete(struct kern *k, const char *path, const char *name,
			 struct log_dir_error *err);

/**
 * log_dir_topic_settings() - the topic's own settings
 * @ret_settings: free with log_dir_settings_free()
 */
int log_dir_topic_settings(const char *path, const char *name,
			   struct log_dir_setting **ret_settings, size_t *ret_n,
			   struct log_dir_error *err);
void log_dir_settings_free(struct log_dir_setting *settings, size_t n);

/**
 * log_dir_producer_ids() - reserve a block of producer ids, durably
 * @ret_first: first of @n ids that nobody was ever given
 */
int log_dir_producer_ids(const char *path, int64_t n, int64_t *ret_first,
			 struct log_dir_error *err);

/**
 * struct log_dir_compacted - what became of a partition
 * @error: negative errno, with @why; or 0
 * @first_dirty: where its dirty part began
 * @end_offset: where it begins now
 * @passes: over the log, 0 if nothing was dirty
 * @segments_before: that were cleaned; @segments_after: that there are instead
 * @bytes_before, @bytes_after: of them
 * @records_without_key: that were dropped for that reason
 * @batches_malformed: that could not be read, and stay
 */
struct log_dir_compacted {
	const char *topic;
	uint32_t partition;
	int error;
	const char *why;
	int64_t first_dirty;
	int64_t end_offset;
	uint32_t passes;
	uint32_t segments_before, segments_after;
	uint64_t bytes_before, bytes_after;
	uint64_t records_without_key;
	uint64_t batches_malformed;
};

/**
 * struct log_dir_compaction - what is to be compacted
 * @topic: NULL for all whose cleanup.policy has "compact"
 * @partition: -1 for all
 * @told: called for each partition
 * @stopped: asked now and then; true ends it. May be NULL
 * @ctx: of @told
 */
struct log_dir_compaction {
	const char *topic;
	int64_t partition;
	void (*told)(void *ctx, const struct log_dir_compacted *c);
	bool (*stopped)(void);
	void *ctx;
};

/**
 * log_dir_compact() - compact the logs of a directory that is not attached
 * @k: NULL if the module is not loaded
 * All that may be compacted is, however little of it is dirty. Holds the
 * directory's lock meanwhile. -EBUSY if it is attached; -EUCLEAN if it was not
 * stopped cleanly; -ENOENT no such topic; -EINVAL it is not to be compacted;
 * -ECANCELED stopped. What is wrong with one partition is said to @told, and
 * the others go on.
 */
int log_dir_compact(struct kern *k, const char *path, const struct log_dir_compaction *c,
		    struct log_dir_error *err);

#endif /* LOG_LOG_DIR_H */
