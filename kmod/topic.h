/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Topics: a name, an id, and an array of partitions. A topic is found by name
 * or id under RCU and held by a reference; its partitions live as long as it
 * is held, dead or not.
 */
#ifndef SLUICE_TOPIC_H
#define SLUICE_TOPIC_H

#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/sluice.h>

#include "log/log.h"

struct net;
struct sluice_data_dir;
struct sluice_net;
struct sluice_partition;

/**
 * struct sluice_topic - a topic of one network namespace
 * @id_node: in the namespace's table by id
 * @name_node: in the namespace's table by name
 * @ref: holders: the tables (one for both), sockets, dumps
 * @rcu: frees it after the last lookup that may see it
 * @lookers: how many of @ref are of netlink requests, which end by themselves;
 *	protected by the config mutex
 * @serial: orders the topics of a namespace by creation
 * @net: the namespace; valid while the topic is in its tables
 * @data_dir: where its partitions are, NULL once the topic is out of its tables;
 *	written with the directory locked and under the config mutex
 * @id: never zero, never used again
 * @name: NUL-terminated
 * @partition_count: entries of @partitions; grows only, read with
 *	smp_load_acquire() after which the entries below it are valid
 * @partitions: RCU-published array; each entry holds a reference
 * @config: of its logs; written as @data_dir is
 * @durability: enum sluice_durability, READ_ONCE
 * @leader_epoch: of all its partitions, READ_ONCE
 */
struct sluice_topic {
	struct rhash_head id_node;
	struct rhash_head name_node;
	refcount_t ref;
	struct rcu_head rcu;
	u32 lookers;
	unsigned long serial;
	struct net *net;
	struct sluice_data_dir *data_dir;
	u8 id[SLUICE_TOPIC_ID_LEN];
	char name[SLUICE_TOPIC_NAME_MAX + 1];
	u32 partition_count;
	struct sluice_partition *__rcu *partitions;
	struct sluice_log_config config;
	u32 durability;
	s32 leader_epoch;
};

/**
 * sluice_topic_find_name() - look a topic up
 * @net: in which namespace
 * @name: NUL-terminated
 * Context: any that may take the RCU read lock.
 * Return: the topic with a reference (sluice_topic_put()), or NULL.
 */
struct sluice_topic *sluice_topic_find_name(struct net *net, const char *name);

/** sluice_topic_find_id() - the same by id. */
struct sluice_topic *sluice_topic_find_id(struct net *net, const u8 *id);

/** sluice_topic_destroy() - what sluice_topic_put() does with the last reference. */
void sluice_topic_destroy(struct sluice_topic *t);

/** sluice_topic_put() - give a reference back. Context: process, may sleep. */
static inline void sluice_topic_put(struct sluice_topic *t)
{
	if (t && refcount_dec_and_test(&t->ref))
		sluice_topic_destroy(t);
}

/** sluice_topic_hold() - one more reference to one that is held, or in its tables. */
static inline void sluice_topic_hold(struct sluice_topic *t)
{
	refcount_inc(&t->ref);
}

/** sluice_topic_partition_count() - partitions that may be asked for. */
static inline u32 sluice_topic_partition_count(const struct sluice_topic *t)
{
	/* Pairs with the release when partitions are added: the array is there. */
	return smp_load_acquire(&t->partition_count);
}

/**
 * sluice_topic_partition_of() - one partition of a held topic, without a reference
 * Return: the partition, valid as long as the topic is held, or NULL if there
 * is none of that index.
 */
static inline struct sluice_partition *
sluice_topic_partition_of(const struct sluice_topic *t, u32 index)
{
	struct sluice_partition *p;

	if (index >= sluice_topic_partition_count(t))
		return NULL;
	/* For the array, which is replaced when partitions are added. */
	rcu_read_lock();
	p = rcu_dereference(t->partitions)[index];
	rcu_read_unlock();
	return p;
}

/**
 * sluice_topic_partition() - one partition of a held topic
 * Return: the partition with a reference of its own, or NULL if there is none
 * of that index.
 */
struct sluice_partition *sluice_topic_partition(struct sluice_topic *t, u32 index);

/* The tables of a namespace; what changes them needs its config mutex. */
int __must_check sluice_topic_tables_init(struct sluice_net *sn);
void sluice_topic_tables_destroy(struct sluice_net *sn);

/**
 * sluice_topic_tables_add() - make a topic visible, with the tables' reference
 * On failure a lookup may still be looking at it: free it after a grace period.
 */
int __must_check sluice_topic_tables_add(struct sluice_net *sn, struct sluice_topic *t);

/** sluice_topic_tables_remove() - the tables' reference is then the caller's. */
void sluice_topic_tables_remove(struct sluice_net *sn, struct sluice_topic *t);

#endif /* SLUICE_TOPIC_H */
