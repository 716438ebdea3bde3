/* SPDX-License-Identifier: GPL-2.0 */
/* Opening the partitions of a topic, many at a time. */
#ifndef SLUICE_TOPIC_OPEN_H
#define SLUICE_TOPIC_OPEN_H

#include "topic_admin.h"

/**
 * sluice_topic_open_partitions() - open those that a topic does not have yet
 * @t: its data directory, configuration and leader epoch are set
 * @partitions: as many as @params says; set from @from on
 * @from: the first to be opened
 * @params: what is known of the partitions
 * @why: SLUICE_ERROR_TEXT_MAX bytes: on failure, what was wrong
 * Return: 0; -EINVAL; -EINTR if the process is being killed; what opening a log
 * says. On failure any of @partitions may have been opened, the others are NULL.
 * Context: process; the data directory is locked.
 */
int __must_check sluice_topic_open_partitions(struct sluice_topic *t,
					      struct sluice_partition **partitions, u32 from,
					      const struct sluice_topic_params *params, char *why);

#endif /* SLUICE_TOPIC_OPEN_H */
