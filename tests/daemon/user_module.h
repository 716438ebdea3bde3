/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's part of sluiced's world in userspace: topics over the same log
 * engine, so that the daemon runs as it is, whole, without a kernel module.
 * user_kern.c gives it kern.h's interface, user_data_socket.c data_socket.h's.
 *
 * Simple rather than fast: one mutex around everything.
 */
#ifndef TESTS_DAEMON_USER_MODULE_H
#define TESTS_DAEMON_USER_MODULE_H

#include "daemon/core/list.h"
#include "daemon/kern/kern.h"
#include "kmod/log/log.h"

struct user_partition {
	struct port_dir *dir;
	struct sluice_log *log;
};

struct user_topic {
	struct list link;
	struct kern_topic t; /* data_dir owned */
	struct user_partition *partitions;
};

/* Held around every use of what follows. */
void user_module_lock(void);
void user_module_unlock(void);

struct list *user_topics(void);
struct user_topic *user_topic_by_id(const uint8_t id[SLUICE_TOPIC_ID_LEN]);
struct user_topic *user_topic_by_name(const char *name);

/** user_log - the log of a partition, or NULL */
struct sluice_log *user_log(const uint8_t id[SLUICE_TOPIC_ID_LEN], int32_t partition);

/** user_segment_inode - of the .log file that has the segment's name now; 0: none has */
uint64_t user_segment_inode(const uint8_t id[SLUICE_TOPIC_ID_LEN], int32_t partition,
			    int64_t base_offset);

int user_topic_create(const struct kern_topic *t, char *why, size_t size);
int user_topic_set(const struct kern_topic *t);
int user_topic_delete(const uint8_t id[SLUICE_TOPIC_ID_LEN]);

/** user_watches_check - for user_data_socket.c to implement: fire what is due */
void user_watches_check(void);

/**
 * user_fault - what the next appends of all sockets do: for tests
 * @append_error: -errno that appends fail with; 0: they work
 * @receipt_error: -errno that "durable" receipts tell; 0: how it went
 * @flush_errors: so many flushes of a partition fail
 * @n_flushes: how many there were
 * @hold_durable: "durable" receipts wait until it is false again
 * @after_fetch: called after each look-up of ranges, before anybody opens files
 */
struct user_fault {
	int append_error;
	int receipt_error;
	unsigned int flush_errors;
	unsigned int n_flushes;
	bool hold_durable;
	void (*after_fetch)(void);
};
extern struct user_fault user_fault;

/** user_release_durable - hand out the receipts that were held */
void user_release_durable(void);

#endif /* TESTS_DAEMON_USER_MODULE_H */
