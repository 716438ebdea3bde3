/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events to the multicast group "events" of a namespace. Nothing waits for
 * them and nothing fails with them: a listener that lost one is told so by
 * -ENOBUFS, as with any netlink group.
 */
#ifndef SLUICE_EVENT_H
#define SLUICE_EVENT_H

#include <linux/sluice_netlink.h>
#include <linux/types.h>

struct net;
struct sluice_partition;
struct sluice_topic;

/** sluice_event_data_dir() - DATA_DIR_ATTACHED or _DETACHED. */
void sluice_event_data_dir(struct net *net, enum sluice_event_type type, const char *path);

/** sluice_event_topic() - TOPIC_CREATED or _DELETED. */
void sluice_event_topic(enum sluice_event_type type, const struct sluice_topic *t);

/** sluice_event_roll() - a new segment began at @base_offset; p is entered. */
void sluice_event_roll(const struct sluice_partition *p, s64 base_offset);

/** sluice_event_log_start() - the log start offset has grown; p is entered. */
void sluice_event_log_start(const struct sluice_partition *p);

/** sluice_event_truncated() - the log ended at @end_offset; p is entered. */
void sluice_event_truncated(const struct sluice_partition *p, s64 end_offset);

/** sluice_event_offline() - by p->error and p->reason; p is entered. */
void sluice_event_offline(const struct sluice_partition *p);

#endif /* SLUICE_EVENT_H */
