/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A data directory held open and locked, for the files of this directory.
 */
#ifndef LOG_LOG_DIR_OPEN_H
#define LOG_LOG_DIR_OPEN_H

#include "daemon/log/log_dir.h"
#include <linux/sluice_netlink.h>

#define LOG_DIR_PARTITIONS_MAX SLUICE_PARTITIONS_MAX
#define LOG_DIR_CLEAN_MARK     ".kafka_cleanshutdown"

/**
 * struct log_dir - an open data directory
 * @path: absolute, without symbolic links: what the kernel is told
 * @fd: the directory
 * @lock_fd: its .lock, held
 * @private_fd: its .sluice
 * @topics_fd: its .sluice/topics
 */
struct log_dir {
	char *path;
	int fd;
	int lock_fd;
	int private_fd;
	int topics_fd;
};

/**
 * log_dir_fail() - write the sentence, unless @err is NULL; returns @code.
 * If @code is that of a full disk, what to do about it is added.
 */
int log_dir_fail(struct log_dir_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * log_dir_open() - open and lock a data directory
 * @make: make it if it is missing
 * Waits a while for another process's change to end. -ENOENT; -EBUSY locked,
 * by sluice or by a running Kafka broker; others.
 */
int log_dir_open(const char *path, bool make, struct log_dir *ret, struct log_dir_error *err);
void log_dir_close(struct log_dir *d);

/** log_dir_is_attached() - 1, 0 or -errno: does this namespace have it. */
int log_dir_is_attached(struct kern *k, const struct log_dir *d, struct log_dir_error *err);

/** log_dir_set_clean() - make the clean mark, or remove it; durably. */
int log_dir_set_clean(const struct log_dir *d, bool clean);

/**
 * log_dir_alter() - log_dir_topic_alter() of a topic whose directory is open
 * For changes that depend on the settings there are.
 * @name: a topic's
 * @validate_only: change nothing; what only the log can refuse is not seen then
 */
int log_dir_alter(struct kern *k, const struct log_dir *d, const char *name,
		  const struct log_dir_setting *changes, size_t n_changes, bool validate_only,
		  struct log_dir_error *err);

/** log_dir_partition_path() - path of a partition's directory; free it. NULL: no memory. */
char *log_dir_partition_path(const struct log_dir *d, const char *topic, uint32_t index);

/** log_dir_meta_ensure() - write meta.properties if there is none. */
int log_dir_meta_ensure(const struct log_dir *d);

/**
 * log_dir_producer_ids_skip() - give ids only above Kafka's
 * For an adopted directory: which ids its brokers gave out is not in it.
 */
int log_dir_producer_ids_skip(const struct log_dir *d);

/** log_dir_kernel_topics() - names of the kernel's topics in @d, sorted; free with _names_free(). */
int log_dir_kernel_topics(struct kern *k, const struct log_dir *d, char ***ret_names, size_t *ret_n,
			  struct log_dir_error *err);
bool log_dir_names_have(char *const *names, size_t n, const char *name);
void log_dir_names_free(char **names, size_t n);

#endif /* LOG_LOG_DIR_OPEN_H */
