/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What sluice keeps for each network namespace.
 */
#ifndef SLUICE_NETNS_H
#define SLUICE_NETNS_H

#include <linux/mutex.h>
#include <linux/rhashtable-types.h>
#include <net/net_namespace.h>

/**
 * struct sluice_net - one network namespace
 * @config_mutex: every change of directories and topics; taken by netlink
 *	handlers and the namespace's exit, never on the append or fetch path
 * @data_dirs: attached directories; @config_mutex
 * @topics_by_id: RCU lookup; written under @config_mutex
 * @topics_by_name: the same topics
 * @socket_count: open sockets
 * @topic_count: written under @config_mutex
 * @partition_count: written under @config_mutex
 */
struct sluice_net {
	struct mutex config_mutex;
	struct list_head data_dirs;
	struct rhashtable topics_by_id;
	struct rhashtable topics_by_name;
	atomic_t socket_count;
	u32 topic_count;
	u32 partition_count;
};

struct sluice_net *sluice_net(const struct net *net);

int sluice_netns_init(void);
void sluice_netns_exit(void);

#endif /* SLUICE_NETNS_H */
