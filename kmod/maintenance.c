// SPDX-License-Identifier: GPL-2.0
/* Housekeeping, retention and expiry: who does it, and when. */

#include "maintenance.h"

#include "data_dir.h"
#include "event.h"
#include "netns.h"
#include "partition.h"

/* Partitions that a pass looks at before it lets go of the config mutex. */
#define PASS_PARTITIONS	256

enum {
	FLAG_RETAIN,
};

/* Passes take a config mutex, which may be held for long: for nobody else's work. */
static struct workqueue_struct *pass_wq;

int sluice_maintenance_init(void)
{
	pass_wq = alloc_workqueue("sluice_pass", WQ_UNBOUND, 0);
	return pass_wq ? 0 : -ENOMEM;
}

void sluice_maintenance_exit(void)
{
	destroy_workqueue(pass_wq);
}

static void retain(struct sluice_partition *p, s64 now_ms)
{
	s64 start_offset = sluice_log_start_offset(p->log);
	u64 freed;
	int err;

	sluice_log_expire_producers(p->log, now_ms);
	err = sluice_log_retain(p->log, now_ms, &freed);
	atomic64_add(freed, &p->stats.removed_bytes);
	if (err && !sluice_log_failed(p->log))
		pr_warn_ratelimited("%s: retention: %pe\n", port_dir_name(p->dir), ERR_PTR(err));
	if (sluice_log_start_offset(p->log) != start_offset)
		sluice_event_log_start(p);
}

/* The partition is entered. */
static void housekeep(struct sluice_partition *p, s64 now_ms)
{
	int err = sluice_log_housekeep(p->log, now_ms);
	int failed = sluice_log_failed(p->log);
	s64 due;

	if (failed)
		sluice_partition_set_offline(p, failed, "housekeeping failed");
	else if (err)
		pr_warn_ratelimited("%s: housekeeping: %pe\n", port_dir_name(p->dir),
				    ERR_PTR(err));
	due = sluice_log_housekeeping_due(p->log);
	/* What failed is left to the next append or pass: it would only fail again. */
	if (err || due == S64_MAX)
		return;
	due = clamp_t(s64, due - now_ms, 0, INT_MAX);
	queue_delayed_work(p->maintenance.wq, &p->maintenance.work, msecs_to_jiffies(due));
}

static void prepare_fn(struct work_struct *work)
{
	struct sluice_maintenance_state *ms =
		container_of(work, struct sluice_maintenance_state, prepare);
	struct sluice_partition *p = container_of(ms, struct sluice_partition, maintenance);
	int err;

	if (sluice_partition_enter(p))
		return;
	err = sluice_log_prepare(p->log);
	if (err)
		pr_warn_ratelimited("%s: preparing the next segment: %pe\n",
				    port_dir_name(p->dir), ERR_PTR(err));
	sluice_partition_leave(p);
}

static void maintain_fn(struct work_struct *work)
{
	struct sluice_maintenance_state *ms =
		container_of(to_delayed_work(work), struct sluice_maintenance_state, work);
	struct sluice_partition *p = container_of(ms, struct sluice_partition, maintenance);
	s64 now_ms = port_now_ms();

	if (sluice_partition_enter(p))
		return;
	if (test_and_clear_bit(FLAG_RETAIN, &ms->flags) && !sluice_log_failed(p->log))
		retain(p, now_ms);
	housekeep(p, now_ms);
	sluice_partition_leave(p);
}

void sluice_maintenance_state_init(struct sluice_partition *p)
{
	INIT_DELAYED_WORK(&p->maintenance.work, maintain_fn);
	p->maintenance.wq = p->topic->data_dir->maintenance_wq;
	INIT_WORK(&p->maintenance.prepare, prepare_fn);
	p->maintenance.prepare_wq = p->topic->data_dir->prepare_wq;
}

void sluice_maintenance_housekeep(struct sluice_partition *p)
{
	queue_work(p->maintenance.prepare_wq, &p->maintenance.prepare);
	mod_delayed_work(p->maintenance.wq, &p->maintenance.work, 0);
}

void sluice_maintenance_retain(struct sluice_partition *p)
{
	set_bit(FLAG_RETAIN, &p->maintenance.flags);
	sluice_maintenance_housekeep(p);
}

void sluice_maintenance_drain(struct sluice_partition *p)
{
	cancel_delayed_work_sync(&p->maintenance.work);
	cancel_work_sync(&p->maintenance.prepare);
}

/* Go on with the pass; true: it is done. */
static bool pass_some(struct sluice_net *sn)
{
	unsigned int left = PASS_PARTITIONS;
	unsigned long serial;
	struct sluice_topic *t;

	lockdep_assert_held(&sn->config_mutex);
	xa_for_each_start(&sn->topics, serial, t, sn->pass.serial) {
		struct sluice_partition **partitions =
			rcu_dereference_protected(t->partitions,
						  lockdep_is_held(&sn->config_mutex));

		/* The one it stood at may have been removed meanwhile. */
		if (serial != sn->pass.serial)
			sn->pass.index = 0;
		sn->pass.serial = serial;
		for (; sn->pass.index < t->partition_count; sn->pass.index++) {
			if (!left--)
				return false;
			sluice_maintenance_retain(partitions[sn->pass.index]);
		}
	}
	sn->pass.serial = 0;
	sn->pass.index = 0;
	return true;
}

static void pass_fn(struct work_struct *work)
{
	struct sluice_net *sn = container_of(to_delayed_work(work), struct sluice_net, pass.work);
	unsigned long delay = 0;
	bool again;

	mutex_lock(&sn->config_mutex);
	if (pass_some(sn))
		delay = msecs_to_jiffies(sn->pass.interval_ms);
	again = !list_empty(&sn->data_dirs);
	mutex_unlock(&sn->config_mutex);
	/* Not the latest word: a shorter interval set meanwhile has queued it already. */
	if (again)
		queue_delayed_work(pass_wq, &sn->pass.work, delay);
}

void sluice_maintenance_net_init(struct sluice_net *sn)
{
	INIT_DELAYED_WORK(&sn->pass.work, pass_fn);
	sn->pass.interval_ms = SLUICE_RETENTION_CHECK_INTERVAL_MS;
}

void sluice_maintenance_net_start(struct sluice_net *sn)
{
	lockdep_assert_held(&sn->config_mutex);
	queue_delayed_work(pass_wq, &sn->pass.work, msecs_to_jiffies(sn->pass.interval_ms));
}

void sluice_maintenance_net_set_interval(struct sluice_net *sn, u32 interval_ms)
{
	lockdep_assert_held(&sn->config_mutex);
	WRITE_ONCE(sn->pass.interval_ms, interval_ms);
	if (!list_empty(&sn->data_dirs))
		mod_delayed_work(pass_wq, &sn->pass.work, msecs_to_jiffies(interval_ms));
}

void sluice_maintenance_net_exit(struct sluice_net *sn)
{
	cancel_delayed_work_sync(&sn->pass.work);
}
