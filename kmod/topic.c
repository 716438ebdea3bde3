// SPDX-License-Identifier: GPL-2.0
/* Finding topics, and their references. */

#include "topic.h"

#include "netns.h"
#include "partition.h"

#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

static u32 name_hash(const void *key, u32 len, u32 seed)
{
	const char *name = key;

	return jhash(name, strlen(name), seed);
}

static u32 topic_name_hash(const void *obj, u32 len, u32 seed)
{
	const struct sluice_topic *t = obj;

	return name_hash(t->name, 0, seed);
}

static int topic_name_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct sluice_topic *t = obj;

	return strcmp(arg->key, t->name);
}

static const struct rhashtable_params name_params = {
	.head_offset = offsetof(struct sluice_topic, name_node),
	.hashfn = name_hash,
	.obj_hashfn = topic_name_hash,
	.obj_cmpfn = topic_name_cmp,
	.automatic_shrinking = true,
};

static const struct rhashtable_params id_params = {
	.head_offset = offsetof(struct sluice_topic, id_node),
	.key_offset = offsetof(struct sluice_topic, id),
	.key_len = SLUICE_TOPIC_ID_LEN,
	.automatic_shrinking = true,
};

int sluice_topic_tables_init(struct sluice_net *sn)
{
	int err;

	err = rhashtable_init(&sn->topics_by_id, &id_params);
	if (err)
		return err;
	err = rhashtable_init(&sn->topics_by_name, &name_params);
	if (err)
		rhashtable_destroy(&sn->topics_by_id);
	return err;
}

void sluice_topic_tables_destroy(struct sluice_net *sn)
{
	rhashtable_destroy(&sn->topics_by_name);
	rhashtable_destroy(&sn->topics_by_id);
}

int sluice_topic_tables_add(struct sluice_net *sn, struct sluice_topic *t)
{
	int err;

	lockdep_assert_held(&sn->config_mutex);
	/* Nobody can take it before it is in all of them. */
	refcount_set(&t->ref, 0);
	t->serial = ++sn->topic_serial;
	err = xa_insert(&sn->topics, t->serial, t, GFP_KERNEL);
	if (err)
		return err;
	err = rhashtable_insert_fast(&sn->topics_by_id, &t->id_node, id_params);
	if (err)
		goto err_id;
	err = rhashtable_insert_fast(&sn->topics_by_name, &t->name_node, name_params);
	if (err)
		goto err_name;
	refcount_set(&t->ref, 1);
	sn->topic_count++;
	sn->generation++;
	return 0;

err_name:
	rhashtable_remove_fast(&sn->topics_by_id, &t->id_node, id_params);
err_id:
	xa_erase(&sn->topics, t->serial);
	return err;
}

void sluice_topic_tables_remove(struct sluice_net *sn, struct sluice_topic *t)
{
	lockdep_assert_held(&sn->config_mutex);
	rhashtable_remove_fast(&sn->topics_by_name, &t->name_node, name_params);
	rhashtable_remove_fast(&sn->topics_by_id, &t->id_node, id_params);
	xa_erase(&sn->topics, t->serial);
	sn->topic_count--;
	sn->generation++;
}

static struct sluice_topic *topic_tryget(struct sluice_topic *t)
{
	return t && refcount_inc_not_zero(&t->ref) ? t : NULL;
}

struct sluice_topic *sluice_topic_find_name(struct net *net, const char *name)
{
	struct sluice_topic *t;

	rcu_read_lock();
	t = topic_tryget(rhashtable_lookup(&sluice_net(net)->topics_by_name, name, name_params));
	rcu_read_unlock();
	return t;
}

struct sluice_topic *sluice_topic_find_id(struct net *net, const u8 *id)
{
	struct sluice_topic *t;

	rcu_read_lock();
	t = topic_tryget(rhashtable_lookup(&sluice_net(net)->topics_by_id, id, id_params));
	rcu_read_unlock();
	return t;
}

/*
 * Out of the tables, and nobody holds it: a lookup that still sees it under RCU
 * fails to take a reference, and only touches the topic itself.
 */
void sluice_topic_destroy(struct sluice_topic *t)
{
	struct sluice_partition **partitions = rcu_dereference_protected(t->partitions, true);
	u32 i;

	for (i = 0; i < t->partition_count; i++)
		sluice_partition_put(partitions[i]);
	kvfree(partitions);
	kfree_rcu(t, rcu);
}

struct sluice_partition *sluice_topic_partition(struct sluice_topic *t, u32 index)
{
	struct sluice_partition *p = sluice_topic_partition_of(t, index);

	if (p)
		sluice_partition_hold(p);
	return p;
}
