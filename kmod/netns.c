// SPDX-License-Identifier: GPL-2.0
/* The state of each network namespace, from its birth to its end. */

#include "netns.h"

#include "data_dir.h"
#include "maintenance.h"
#include "topic.h"

#include <linux/file.h>
#include <net/netns/generic.h>

static unsigned int sluice_net_id;

struct sluice_net *sluice_net(const struct net *net)
{
	return net_generic(net, sluice_net_id);
}

static int __net_init netns_init(struct net *net)
{
	struct sluice_net *sn = sluice_net(net);
	int err;

	mutex_init(&sn->config_mutex);
	INIT_LIST_HEAD(&sn->data_dirs);
	xa_init(&sn->topics);
	atomic_set(&sn->socket_count, 0);
	/* Zero means to netlink that a dump has not begun. */
	sn->generation = 1;
	sluice_maintenance_net_init(sn);
	err = sluice_topic_tables_init(sn);
	if (err)
		mutex_destroy(&sn->config_mutex);
	return err;
}

/*
 * No socket of the namespace is left, for each holds it (or, when the module
 * goes, holds the module), and no netlink request runs: nobody looks a topic
 * up any more.
 */
static void __net_exit netns_exit(struct net *net)
{
	struct sluice_net *sn = sluice_net(net);

	sluice_maintenance_net_exit(sn);
	sluice_data_dir_detach_all(net);
	sluice_topic_tables_destroy(sn);
	WARN_ON(!xa_empty(&sn->topics));
	mutex_destroy(&sn->config_mutex);
}

static struct pernet_operations netns_ops = {
	.init = netns_init,
	.exit = netns_exit,
	.id = &sluice_net_id,
	.size = sizeof(struct sluice_net),
};

int sluice_netns_init(void)
{
	return register_pernet_subsys(&netns_ops);
}

void sluice_netns_exit(void)
{
	unregister_pernet_subsys(&netns_ops);
}
