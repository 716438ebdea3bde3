/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which topics a data directory holds, told from its files.
 */
#ifndef LOG_LOG_DIR_SCAN_H
#define LOG_LOG_DIR_SCAN_H

#include "daemon/log/log_dir_open.h"
#include "daemon/log/topic_settings.h"

/**
 * struct log_dir_topic - a topic as found
 * @s: its name, id, size and settings
 * @leader_epoch: the largest that a partition's checkpoint has, or 0
 * @lowest_epoch: the smallest that is some partition's last; -1 if one has none
 * @adopted: had no settings file: it is another broker's, a Kafka's
 * @grown: has more partitions than its settings file says
 * @as_closed: all its logs were found as a clean stop leaves them
 * @why: if not empty, what is wrong with it; it cannot be opened
 */
struct log_dir_topic {
	struct topic_settings s;
	int32_t leader_epoch;
	int32_t lowest_epoch;
	bool adopted;
	bool grown;
	bool as_closed;
	struct log_dir_error why;
};

struct log_dir_topics {
	struct log_dir_topic *topics;
	size_t n, room;
};

/**
 * log_dir_sweep() - finish what a crash interrupted
 * Removes the directories of topics whose creation or deletion was under way,
 * and all that were renamed to be removed.
 */
int log_dir_sweep(const struct log_dir *d, struct log_dir_error *err);

/**
 * log_dir_scan() - find the topics
 * @known: sorted names of topics that are left out: the kernel has them
 * Writes partition.metadata where it is missing. A topic that is broken is in
 * the list with @why; the scan itself fails only if the directory cannot be
 * read.
 */
int log_dir_scan(const struct log_dir *d, char *const *known, size_t n_known,
		 struct log_dir_topics *ret, struct log_dir_error *err);
void log_dir_topics_free(struct log_dir_topics *t);

/**
 * log_dir_discard() - rename a topic's directories to their -delete names, durably
 * @topic, @id: only directories of that topic, and with that id or with none
 * @count: if not 0, only indexes below it
 */
int log_dir_discard(const struct log_dir *d, const char *topic,
		    const uint8_t id[SLUICE_TOPIC_ID_LEN], uint32_t count);

/** log_dir_purge() - remove all directories that were discarded. */
int log_dir_purge(const struct log_dir *d);

/** log_dir_has_partitions() - is there any directory of that topic: 1, 0 or -errno. */
int log_dir_has_partitions(const struct log_dir *d, const char *topic);

#endif /* LOG_LOG_DIR_SCAN_H */
