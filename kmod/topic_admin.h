/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Making, changing and removing topics. Each waits for the disk of a topic's data
 * directory, with the directory locked; looking topics up does not (topic.h).
 */
#ifndef SLUICE_TOPIC_ADMIN_H
#define SLUICE_TOPIC_ADMIN_H

#include "topic.h"

/**
 * struct sluice_topic_offsets - what is known of the partitions that are added
 * @values: s64 in the machine's order, aligned for a u32 only; borrowed
 * @count: as many as partitions are added, or 0: nothing is known
 */
struct sluice_topic_offsets {
	const void *values;
	u32 count;
};

/**
 * struct sluice_topic_params - a topic to be made
 * @name: NUL-terminated; unchecked
 * @id: SLUICE_TOPIC_ID_LEN bytes; unchecked
 * @data_dir: path of an attached directory
 * @partition_count: unchecked
 * @leader_epoch: not negative
 * @config: unchecked
 * @durability: enum sluice_durability
 * @log_start_offsets: unchecked; see struct sluice_log_open_args
 * @recovery_points: unchecked; the same
 */
struct sluice_topic_params {
	const char *name;
	const u8 *id;
	const char *data_dir;
	u32 partition_count;
	s32 leader_epoch;
	struct sluice_log_config config;
	u32 durability;
	struct sluice_topic_offsets log_start_offsets;
	struct sluice_topic_offsets recovery_points;
};

/**
 * sluice_topic_create() - open all partitions of a topic, or none
 * If the topic is there with fewer partitions, the missing ones are added; it
 * keeps its configuration and leader epoch.
 * @why: SLUICE_ERROR_TEXT_MAX bytes: on failure, what was wrong
 * Return: 0; -EINVAL; -ENOENT no such data directory; -EEXIST; -EINTR if the
 * process is being killed; what opening a log says.
 * Context: process, no locks held.
 */
int __must_check sluice_topic_create(struct net *net, const struct sluice_topic_params *params,
				     char *why);

/**
 * sluice_topic_lock() - lock the data directory of a held topic
 * @why: SLUICE_ERROR_TEXT_MAX bytes: on failure, what was wrong
 * Return: the directory, and sluice_data_dir_unlock() is owed: until then the
 * topic stays as it is. ERR_PTR: -ENOENT it was removed, -EINTR.
 * Context: process, no locks held.
 */
struct sluice_data_dir *sluice_topic_lock(struct net *net, struct sluice_topic *t, char *why);

/**
 * sluice_topic_set() - change configuration and leader epoch
 * @leader_epoch: not lower than before: -ESTALE
 * Context: locked.
 */
int __must_check sluice_topic_set(struct sluice_topic *t, const struct sluice_log_config *config,
				  u32 durability, s32 leader_epoch, char *why);

/**
 * sluice_topic_stop() - end the use of a topic that will be removed, and begin to sync it
 * Waits for nothing: so that many topics are synced side by side.
 * Context: locked.
 */
void sluice_topic_stop(struct sluice_topic *t);

/**
 * sluice_topic_remove() - take a topic out of its tables, flush and close it
 * The tables' reference ends with it; others keep the dead topic. It cannot be
 * found any more while its logs are flushed.
 * Context: locked.
 * Return: 0 or the error of a flush; the topic is removed either way.
 */
int sluice_topic_remove(struct net *net, struct sluice_topic *t);

/**
 * sluice_topic_is_used() - does a socket hold it
 * With the config mutex. Exact only as long as no socket looks it up.
 */
bool sluice_topic_is_used(const struct sluice_topic *t);

#endif /* SLUICE_TOPIC_ADMIN_H */
