/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics to test with, in a data directory of the program's own below
 * $SLUICE_TEST_DIR (/data/selftest). All is removed when the program ends.
 */
#ifndef TESTS_SOCKET_TOPIC_H
#define TESTS_SOCKET_TOPIC_H

#include "daemon/kern/kern.h"

/* @dir: the data directory it is in; NULL: test_dir() */
struct topic {
	char name[SLUICE_TOPIC_NAME_MAX + 1];
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	uint32_t partitions;
	const char *dir;
};

/** topic_new() - a new topic with a name of its own; @config may be NULL. */
struct topic topic_new(uint32_t partitions, const struct kern_topic_config *config);

/** topic_new_named() - the same with this name. */
struct topic topic_new_named(const char *name, uint32_t partitions,
			     const struct kern_topic_config *config);

/** topic_new_in() - the same in another data directory, which is attached. */
struct topic topic_new_in(const char *dir, const char *name, uint32_t partitions,
			  const struct kern_topic_config *config);

/** topic_prepare() - name, id and directories only: the kernel does not know it. */
struct topic topic_prepare(const char *dir, const char *name, uint32_t partitions);

/** topic_create() - tell the kernel of one that was prepared; what it says. */
int topic_create(struct kern *k, const struct topic *t, const struct kern_topic_config *config);

/**
 * topic_new_from() - a topic of one partition whose log is these bytes
 * @next_segment: base offset of an empty segment behind them; 0: none
 */
struct topic topic_new_from(const void *log, size_t len, int next_segment);

/** topic_grow() - add partitions. */
void topic_grow(struct topic *t, uint32_t partitions);

/** topic_delete() - out of the kernel, and its files removed. */
void topic_delete(const struct topic *t);

/** topic_forget() - it is out of the kernel already; its files are removed. */
void topic_forget(const struct topic *t);

/** topic_partition() - state and counters, as netlink tells them. */
struct kern_partition topic_partition(const struct topic *t, uint32_t index);

/** topic_path() - a partition's directory; with @file, a file in it. */
const char *topic_path(const struct topic *t, uint32_t index, const char *file);

/** test_kern() - the netlink client, connected in the program's first namespace. */
struct kern *test_kern(void);

/** test_dir() - the data directory. */
const char *test_dir(void);

#endif /* TESTS_SOCKET_TOPIC_H */
