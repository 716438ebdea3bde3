// SPDX-License-Identifier: GPL-2.0
/* The order of beginning and end, nothing else. */

#include "af_sluice.h"
#include "file_io.h"
#include "maintenance.h"
#include "netlink.h"
#include "netns.h"
#include "port_buffer.h"
#include "shrinker.h"

#include <linux/module.h>
#include <linux/rcupdate.h>

static int __init sluice_init(void)
{
	int err;

	err = sluice_file_io_init();
	if (err)
		goto err_file_io;
	err = sluice_maintenance_init();
	if (err)
		goto err_maintenance;
	err = sluice_shrinker_init();
	if (err)
		goto err_shrinker;
	err = sluice_netns_init();
	if (err)
		goto err_netns;
	err = sluice_af_init();
	if (err)
		goto err_af;
	err = sluice_proc_init();
	if (err)
		goto err_proc;
	err = sluice_netlink_init();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	sluice_proc_exit();
err_proc:
	sluice_af_exit();
err_af:
	sluice_netns_exit();
err_netns:
	sluice_shrinker_exit();
err_shrinker:
	sluice_maintenance_exit();
err_maintenance:
	sluice_file_io_exit();
err_file_io:
	sluice_port_buffers_exit();
	rcu_barrier();
	return err;
}

/*
 * No socket is open, for each holds the module. Without netlink and the family
 * nothing can begin to use a topic, so the namespaces can close theirs.
 */
static void __exit sluice_exit(void)
{
	sluice_netlink_exit();
	sluice_proc_exit();
	sluice_af_exit();
	sluice_netns_exit();
	sluice_shrinker_exit();
	sluice_maintenance_exit();
	sluice_file_io_exit();
	sluice_port_buffers_exit();
	rcu_barrier();
}

module_init(sluice_init);
module_exit(sluice_exit);

MODULE_DESCRIPTION("Partition logs with a socket family");
MODULE_LICENSE("GPL");
MODULE_VERSION(SLUICE_VERSION);
