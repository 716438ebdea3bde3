/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family: netlink.c has the module and data directories,
 * netlink_topic.c topics, netlink_partition.c what partitions tell, and
 * netlink_change.c what is done to one. Operations and policies are generated
 * from the spec.
 */
#ifndef SLUICE_NETLINK_H
#define SLUICE_NETLINK_H

#include <linux/sluice_netlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

struct sluice_net;
struct sluice_partition;
struct sluice_topic;

#define SLUICE_NL_REPLY_SIZE	8192

extern struct genl_family sluice_nl_family;

int sluice_netlink_init(void);
void sluice_netlink_exit(void);

/**
 * sluice_nl_multicast() - send an event to the group of a namespace
 * @skb: consumed
 */
void sluice_nl_multicast(struct net *net, struct sk_buff *skb);

/** sluice_nl_has_listeners() - false too when the family is gone. */
bool sluice_nl_has_listeners(struct net *net);

/** sluice_nl_lost_event() - tell the listeners that they missed one. */
void sluice_nl_lost_event(struct net *net);

/**
 * sluice_nl_result() - what a handler returns
 * @err: 0 or -errno
 * @why: the reason in words, for the extended ack; may be empty
 */
int sluice_nl_result(struct sk_buff *skb, struct genl_info *info, int err, const char *why);

/** sluice_nl_require() - -EINVAL and the reason if attribute @name is missing. */
int __must_check sluice_nl_require(struct genl_info *info, int attr, const char *name, char *why);

/** sluice_nl_lock() - take the config mutex, unless the process is killed. */
int __must_check sluice_nl_lock(struct sluice_net *sn);

/**
 * sluice_nl_find_topic() - by name, by id, or by both
 * @name: attribute or NULL
 * @id: attribute or NULL
 * @why: the reason, on failure
 * Return: the topic, held until sluice_nl_put_topic(); ERR_PTR: -EINVAL neither is
 * given, -ENOENT there is none, -EINTR the process is killed.
 * Context: process, no locks held.
 */
struct sluice_topic *sluice_nl_find_topic(struct net *net, const struct nlattr *name,
					  const struct nlattr *id, char *why);

/** sluice_nl_hold_topic() - hold one of the tables' for a request; config mutex held. */
void sluice_nl_hold_topic(struct sluice_net *sn, struct sluice_topic *t);
void sluice_nl_put_topic(struct sluice_net *sn, struct sluice_topic *t);

/**
 * typedef sluice_nl_partition_fn - what a request does to a partition
 * @p: entered
 * @why: the reason, on failure
 */
typedef int (*sluice_nl_partition_fn)(struct genl_info *info, struct sluice_topic *t,
				      struct sluice_partition *p, char *why);

/** sluice_nl_with_partition() - do it to the one that the request names. */
int sluice_nl_with_partition(struct genl_info *info, char *why, sluice_nl_partition_fn fn);

/** sluice_nl_dump_header() - begin one message of a dump; NULL: it is full. */
void *sluice_nl_dump_header(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);

/* The handlers, by the names that the generated table has for them. */
int sluice_nl_info_get_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_info_set_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_data_dir_attach_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_data_dir_detach_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_data_dir_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int sluice_nl_topic_create_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_topic_set_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_topic_delete_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_topic_get_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_topic_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int sluice_nl_partition_get_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_partition_set_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_partition_truncate_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_partition_replace_doit(struct sk_buff *skb, struct genl_info *info);
int sluice_nl_partition_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* SLUICE_NETLINK_H */
