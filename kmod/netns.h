/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What sluice keeps for each network namespace.
 */
#ifndef SLUICE_NETNS_H
#define SLUICE_NETNS_H

#include <linux/mutex.h>
#include <linux/rhashtable-types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>

/**
 * struct sluice_net - one network namespace
 * @config_mutex: every change of directories and topics; taken by netlink
 *	handlers and the namespace's exit, never on the append or fetch path, and
 *	never while a disk is waited for: see struct sluice_data_dir
 * @data_dirs: attached directories; @config_mutex
 * @topics_by_id: RCU lookup; written under @config_mutex
 * @topics_by_name: the same topics
 * @topics: the same topics by serial, which is how dumps walk them;
 *	@config_mutex
 * @topic_serial: given to the topic created last, never used again;
 *	@config_mutex
 * @generation: counts changes, so that a dump can say that it was interrupted;
 *	@config_mutex
 * @pass: the periodic look at every partition: @serial and @index are where it
 *	goes on, @interval_ms what lies between two; @config_mutex
 * @socket_count: open sockets
 * @topic_count: written under @config_mutex
 * @partition_count: written under @config_mutex
 */
struct sluice_net {
	struct mutex config_mutex;
	struct list_head data_dirs;
	struct rhashtable topics_by_id;
	struct rhashtable topics_by_name;
	struct xarray topics;
	unsigned long topic_serial;
	u32 generation;
	struct {
		struct delayed_work work;
		unsigned long serial;
		u32 index;
		u32 interval_ms;
	} pass;
	atomic_t socket_count;
	u32 topic_count;
	u32 partition_count;
};

struct sluice_net *sluice_net(const struct net *net);

int sluice_netns_init(void);
void sluice_netns_exit(void);

#endif /* SLUICE_NETNS_H */
