// SPDX-License-Identifier: GPL-2.0
/*
 * Making, changing and removing topics. The data directory is locked for as long
 * as its disk takes, the namespace's tables only while they are looked at or
 * changed: topics of another directory do not wait.
 */

#include "topic_admin.h"

#include "data_dir.h"
#include "event.h"
#include "netns.h"
#include "partition.h"
#include "topic_open.h"

#include <linux/ctype.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sluice_netlink.h>

/* Kafka's Topic.validate(). */
static int check_name(const char *name, char *why)
{
	const char *c;

	if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
		strscpy(why, "a topic name may not be empty, '.' or '..'",
			SLUICE_ERROR_TEXT_MAX);
		return -EINVAL;
	}
	for (c = name; *c; c++) {
		if (isascii(*c) && (isalnum(*c) || strchr("._-", *c)))
			continue;
		strscpy(why, "a topic name has only ASCII letters, digits, '.', '_' and '-'",
			SLUICE_ERROR_TEXT_MAX);
		return -EINVAL;
	}
	if (c - name > SLUICE_TOPIC_NAME_MAX) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "a topic name has at most %d characters",
			 SLUICE_TOPIC_NAME_MAX);
		return -EINVAL;
	}
	return 0;
}

static int check_settings(const struct sluice_log_config *config, s32 leader_epoch, char *why)
{
	const char *text;
	int err;

	if (leader_epoch < 0) {
		strscpy(why, "a leader epoch is not negative", SLUICE_ERROR_TEXT_MAX);
		return -EINVAL;
	}
	err = sluice_log_config_check(config, &text);
	if (err)
		strscpy(why, text, SLUICE_ERROR_TEXT_MAX);
	return err;
}

static int check_params(const struct sluice_topic_params *params, char *why)
{
	int err;

	err = check_name(params->name, why);
	if (err)
		return err;
	if (!memchr_inv(params->id, 0, SLUICE_TOPIC_ID_LEN)) {
		strscpy(why, "a topic id may not be zero", SLUICE_ERROR_TEXT_MAX);
		return -EINVAL;
	}
	if (!params->partition_count || params->partition_count > SLUICE_PARTITIONS_MAX) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "a topic has 1 to %d partitions",
			 SLUICE_PARTITIONS_MAX);
		return -EINVAL;
	}
	return check_settings(&params->config, params->leader_epoch, why);
}

/*
 * Side by side; draining, which goes through them one by one, then finds little
 * left to sync. Of a creation that failed some may not be there.
 */
static void stop_partitions(struct sluice_partition **partitions, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		struct sluice_partition *p = partitions[i];

		/* With its data directory, before its topic was removed. */
		if (!p || READ_ONCE(p->state) == SLUICE_PARTITION_STATE_DEAD)
			continue;
		sluice_partition_make_dead(p);
		sluice_flush_start(p);
		cond_resched();
	}
}

static int remove_partitions(struct sluice_partition **partitions, u32 count)
{
	int err = 0;
	u32 i;

	stop_partitions(partitions, count);
	for (i = 0; i < count; i++) {
		if (partitions[i])
			err = sluice_partition_drain(partitions[i]) ?: err;
		cond_resched();
	}
	return err;
}

/* Undoes create_partitions() for what nobody has seen yet. */
static void destroy_partitions(struct sluice_partition **partitions, u32 from, u32 to)
{
	u32 i;

	remove_partitions(partitions + from, to - from);
	for (i = from; i < to; i++)
		if (partitions[i])
			sluice_partition_put(partitions[i]);
}

static int create_partitions(struct sluice_topic *t, struct sluice_partition **partitions,
			     u32 from, const struct sluice_topic_params *params, char *why)
{
	int err = sluice_topic_open_partitions(t, partitions, from, params, why);

	if (err)
		destroy_partitions(partitions, from, params->partition_count);
	return err;
}

/* Its directory is locked, or nobody has it yet. */
static struct sluice_partition **partitions_of(struct sluice_topic *t)
{
	return rcu_dereference_protected(t->partitions, lockdep_is_held(&t->data_dir->mutex));
}

static int add_partitions(struct sluice_net *sn, struct sluice_topic *t,
			  const struct sluice_topic_params *params, char *why)
{
	struct sluice_partition **old, **partitions;
	u32 old_count = t->partition_count;
	u32 count = params->partition_count;
	int err;

	old = partitions_of(t);
	partitions = kvcalloc(count, sizeof(*partitions), GFP_KERNEL_ACCOUNT);
	if (!partitions)
		return -ENOMEM;
	memcpy(partitions, old, array_size(old_count, sizeof(*old)));
	err = create_partitions(t, partitions, old_count, params, why);
	if (err) {
		kvfree(partitions);
		return err;
	}
	mutex_lock(&sn->config_mutex);
	rcu_assign_pointer(t->partitions, partitions);
	/* Whoever sees the new count sees the array that has so many. */
	smp_store_release(&t->partition_count, count);
	sn->partition_count += count - old_count;
	sn->generation++;
	mutex_unlock(&sn->config_mutex);
	synchronize_rcu();
	kvfree(old);
	return 0;
}

static struct sluice_topic *new_topic(struct net *net, struct sluice_data_dir *dd,
				      const struct sluice_topic_params *params)
{
	struct sluice_topic *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
	t->net = net;
	t->data_dir = dd;
	memcpy(t->id, params->id, SLUICE_TOPIC_ID_LEN);
	strscpy(t->name, params->name, sizeof(t->name));
	t->config = params->config;
	t->durability = params->durability;
	t->leader_epoch = params->leader_epoch;
	return t;
}

/*
 * Why the topic cannot be; 0 if there is none such, and -EALREADY if it is in @dd.
 * With the config mutex, for a topic that is looked at must not look used.
 */
static int check_taken(struct net *net, const struct sluice_data_dir *dd,
		       const struct sluice_topic_params *params, char *why,
		       struct sluice_topic **ret_t)
{
	struct sluice_topic *by_name = sluice_topic_find_name(net, params->name);
	struct sluice_topic *by_id = sluice_topic_find_id(net, params->id);
	int err = -EEXIST;

	lockdep_assert_held(&sluice_net(net)->config_mutex);
	*ret_t = NULL;
	if (!by_name && !by_id) {
		err = 0;
	} else if (by_name != by_id) {
		strscpy(why, by_name ? "a topic of that name but another id exists" :
			"a topic of that id but another name exists", SLUICE_ERROR_TEXT_MAX);
	} else if (READ_ONCE(by_name->data_dir) != dd) {
		strscpy(why, "the topic exists in another data directory", SLUICE_ERROR_TEXT_MAX);
	} else {
		*ret_t = by_name;
		by_name = NULL;
		err = -EALREADY;
	}
	sluice_topic_put(by_name);
	sluice_topic_put(by_id);
	return err;
}

/* Its partitions are open. */
static int publish(struct net *net, struct sluice_topic *t,
		   const struct sluice_topic_params *params, char *why)
{
	struct sluice_net *sn = sluice_net(net);
	struct sluice_topic *other;
	int err;

	mutex_lock(&sn->config_mutex);
	/* Again: one of another directory may have been made meanwhile. */
	err = check_taken(net, t->data_dir, params, why, &other);
	if (!err)
		err = sluice_topic_tables_add(sn, t);
	if (!err) {
		t->data_dir->topic_count++;
		sn->partition_count += t->partition_count;
		sluice_event_topic(SLUICE_EVENT_TYPE_TOPIC_CREATED, t);
	}
	mutex_unlock(&sn->config_mutex);
	WARN_ON_ONCE(other);
	return err;
}

static int create_topic(struct net *net, struct sluice_data_dir *dd,
			const struct sluice_topic_params *params, char *why)
{
	u32 count = params->partition_count;
	struct sluice_partition **partitions;
	struct sluice_topic *t;
	int err = -ENOMEM;

	t = new_topic(net, dd, params);
	if (!t)
		return err;
	partitions = kvcalloc(count, sizeof(*partitions), GFP_KERNEL_ACCOUNT);
	if (!partitions)
		goto err_alloc;
	err = create_partitions(t, partitions, 0, params, why);
	if (err)
		goto err_create;
	RCU_INIT_POINTER(t->partitions, partitions);
	t->partition_count = count;
	err = publish(net, t, params, why);
	if (err)
		goto err_publish;
	return 0;

err_publish:
	destroy_partitions(partitions, 0, count);
err_create:
	kvfree(partitions);
err_alloc:
	/* A lookup may be looking at it, though it cannot have taken it. */
	kfree_rcu(t, rcu);
	return err;
}

static int create_in(struct net *net, struct sluice_data_dir *dd,
		     const struct sluice_topic_params *params, char *why)
{
	struct sluice_net *sn = sluice_net(net);
	struct sluice_topic *t;
	int err;

	err = mutex_lock_killable(&sn->config_mutex);
	if (err)
		return err;
	err = check_taken(net, dd, params, why, &t);
	mutex_unlock(&sn->config_mutex);
	if (!err)
		return create_topic(net, dd, params, why);
	if (err != -EALREADY)
		return err;
	if (params->partition_count > t->partition_count) {
		err = add_partitions(sn, t, params, why);
	} else {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "the topic exists, with %u partitions",
			 t->partition_count);
		err = -EEXIST;
	}
	sluice_topic_put(t);
	return err;
}

int sluice_topic_create(struct net *net, const struct sluice_topic_params *params, char *why)
{
	struct sluice_data_dir *dd;
	int err;

	err = check_params(params, why);
	if (err)
		return err;
	dd = sluice_data_dir_lock(sluice_net(net), params->data_dir);
	if (IS_ERR(dd)) {
		if (PTR_ERR(dd) == -ENOENT)
			snprintf(why, SLUICE_ERROR_TEXT_MAX, "data directory %s is not attached",
				 params->data_dir);
		return PTR_ERR(dd);
	}
	err = create_in(net, dd, params, why);
	sluice_data_dir_unlock(dd);
	return err;
}

struct sluice_data_dir *sluice_topic_lock(struct net *net, struct sluice_topic *t, char *why)
{
	struct sluice_net *sn = sluice_net(net);
	struct sluice_data_dir *dd;
	int err;

	err = mutex_lock_killable(&sn->config_mutex);
	if (err)
		return ERR_PTR(err);
	dd = t->data_dir;
	if (dd)
		sluice_data_dir_hold(dd);
	mutex_unlock(&sn->config_mutex);
	err = dd ? sluice_data_dir_lock_held(dd) : -ENOENT;
	/* Whoever had it before may have removed the topic. */
	if (!err && t->data_dir != dd) {
		sluice_data_dir_unlock(dd);
		err = -ENOENT;
	}
	if (!err)
		return dd;
	if (err == -ENOENT)
		strscpy(why, "the topic was removed", SLUICE_ERROR_TEXT_MAX);
	return ERR_PTR(err);
}

int sluice_topic_set(struct sluice_topic *t, const struct sluice_log_config *config,
		     u32 durability, s32 leader_epoch, char *why)
{
	struct sluice_partition **partitions = partitions_of(t);
	struct sluice_net *sn = sluice_net(t->net);
	int err;
	u32 i;

	err = check_settings(config, leader_epoch, why);
	if (err)
		return err;
	if (leader_epoch < t->leader_epoch) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "the leader epoch is %d already",
			 t->leader_epoch);
		return -ESTALE;
	}
	for (i = 0; i < t->partition_count; i++) {
		struct sluice_partition *p = partitions[i];

		/* Held in the tables, so none of them is drained. Waits for an append. */
		sluice_log_set_config(p->log, config);
		err = sluice_log_set_leader_epoch(p->log, leader_epoch);
		if (err) {
			snprintf(why, SLUICE_ERROR_TEXT_MAX,
				 "partition %u has a higher leader epoch already", i);
			return err;
		}
		cond_resched();
	}
	mutex_lock(&sn->config_mutex);
	t->config = *config;
	WRITE_ONCE(t->durability, durability);
	WRITE_ONCE(t->leader_epoch, leader_epoch);
	sn->generation++;
	mutex_unlock(&sn->config_mutex);
	return 0;
}

void sluice_topic_stop(struct sluice_topic *t)
{
	stop_partitions(partitions_of(t), t->partition_count);
}

int sluice_topic_remove(struct net *net, struct sluice_topic *t)
{
	struct sluice_partition **partitions = partitions_of(t);
	struct sluice_net *sn = sluice_net(net);
	int err;

	mutex_lock(&sn->config_mutex);
	sluice_topic_tables_remove(sn, t);
	sn->partition_count -= t->partition_count;
	t->data_dir->topic_count--;
	WRITE_ONCE(t->data_dir, NULL);
	mutex_unlock(&sn->config_mutex);
	err = remove_partitions(partitions, t->partition_count);
	sluice_event_topic(SLUICE_EVENT_TYPE_TOPIC_DELETED, t);
	sluice_topic_put(t);
	return err;
}

bool sluice_topic_is_used(const struct sluice_topic *t)
{
	return refcount_read(&t->ref) > 1 + t->lookers;
}
