// SPDX-License-Identifier: GPL-2.0
/* Waiters of a partition. */

#include "kunit_sluice.h"

#include "log/log_internal.h"

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sluice_netlink.h>

#define ROUNDS	2000

struct counting_waiter {
	struct sluice_waiter w;
	struct completion woken;
	unsigned int calls;
	s64 high_watermark;
	int err;
	bool remove;
};

static bool count_wake(struct sluice_waiter *w, s64 high_watermark, int err)
{
	struct counting_waiter *cw = container_of(w, struct counting_waiter, w);

	cw->calls++;
	cw->high_watermark = high_watermark;
	cw->err = err;
	complete(&cw->woken);
	return cw->remove;
}

static struct counting_waiter *new_waiter(struct kunit *test)
{
	struct counting_waiter *cw = kunit_kzalloc(test, sizeof(*cw), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cw);
	sluice_waiter_init(&cw->w, count_wake);
	init_completion(&cw->woken);
	return cw;
}

/* Of the partition only what waiting needs. */
static int notify_init(struct kunit *test)
{
	struct sluice_partition *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	p->log = kunit_kzalloc(test, sizeof(*p->log), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p->log);
	sluice_watermark_init(&p->log->watermark, 0, 0);
	p->state = SLUICE_PARTITION_STATE_ONLINE;
	sluice_notify_init(&p->notify);
	test->priv = p;
	return 0;
}

static void wake_at(struct sluice_partition *p, s64 log_end, int err)
{
	sluice_watermark_set_log_end(&p->log->watermark, log_end);
	sluice_notify_wake(p, err);
}

static void notify_wake__only_above(struct kunit *test)
{
	struct sluice_partition *p = test->priv;
	struct counting_waiter *cw = new_waiter(test);

	KUNIT_ASSERT_EQ(test, sluice_notify_add(p, &cw->w, 10), 0);
	wake_at(p, 10, 0);
	KUNIT_EXPECT_EQ(test, cw->calls, 0U);
	wake_at(p, 11, 0);
	KUNIT_EXPECT_EQ(test, cw->calls, 1U);
	KUNIT_EXPECT_EQ(test, cw->high_watermark, 11LL);
	/* It stays, as it did not ask to be removed. */
	wake_at(p, 12, 0);
	KUNIT_EXPECT_EQ(test, cw->calls, 2U);
	sluice_notify_del(p, &cw->w);
	wake_at(p, 13, 0);
	KUNIT_EXPECT_EQ(test, cw->calls, 2U);
	/* Twice does no harm. */
	sluice_notify_del(p, &cw->w);
}

static void notify_wake__error_tells_everybody(struct kunit *test)
{
	struct sluice_partition *p = test->priv;
	struct counting_waiter *low = new_waiter(test), *high = new_waiter(test);

	KUNIT_ASSERT_EQ(test, sluice_notify_add(p, &low->w, 0), 0);
	KUNIT_ASSERT_EQ(test, sluice_notify_add(p, &high->w, S64_MAX), 0);
	wake_at(p, 5, -EIO);
	KUNIT_EXPECT_EQ(test, low->err, -EIO);
	KUNIT_EXPECT_EQ(test, high->err, -EIO);
	sluice_notify_del(p, &low->w);
	sluice_notify_del(p, &high->w);
	KUNIT_EXPECT_TRUE(test, list_empty(&p->notify.waiters));
}

/* Where the log ends is told even to those who wait for more. */
static void notify_wake__truncation(struct kunit *test)
{
	struct sluice_partition *p = test->priv;
	struct counting_waiter *cw = new_waiter(test);

	KUNIT_ASSERT_EQ(test, sluice_notify_add(p, &cw->w, 20), 0);
	wake_at(p, 21, 0);
	KUNIT_EXPECT_EQ(test, cw->high_watermark, 21LL);
	wake_at(p, 7, -ESTALE);
	KUNIT_EXPECT_EQ(test, cw->high_watermark, 7LL);
	KUNIT_EXPECT_EQ(test, cw->err, -ESTALE);
	sluice_notify_del(p, &cw->w);
}

static void notify_wake__true_removes(struct kunit *test)
{
	struct sluice_partition *p = test->priv;
	struct counting_waiter *cw = new_waiter(test);

	cw->remove = true;
	KUNIT_ASSERT_EQ(test, sluice_notify_add(p, &cw->w, 0), 0);
	wake_at(p, 1, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&cw->w.node));
	wake_at(p, 2, 0);
	KUNIT_EXPECT_EQ(test, cw->calls, 1U);
}

static void notify_add__twice_moves(struct kunit *test)
{
	struct sluice_partition *p = test->priv;
	struct counting_waiter *cw = new_waiter(test);

	KUNIT_ASSERT_EQ(test, sluice_notify_add(p, &cw->w, 0), 0);
	KUNIT_ASSERT_EQ(test, sluice_notify_add(p, &cw->w, 100), 0);
	wake_at(p, 50, 0);
	KUNIT_EXPECT_EQ(test, cw->calls, 0U);
	wake_at(p, 101, 0);
	KUNIT_EXPECT_EQ(test, cw->calls, 1U);
	sluice_notify_del(p, &cw->w);
}

static void notify_add__dead(struct kunit *test)
{
	struct sluice_partition *p = test->priv;
	struct counting_waiter *cw = new_waiter(test);

	p->state = SLUICE_PARTITION_STATE_OFFLINE;
	KUNIT_EXPECT_EQ(test, sluice_notify_add(p, &cw->w, 0), 0);
	sluice_notify_del(p, &cw->w);
	p->state = SLUICE_PARTITION_STATE_DEAD;
	KUNIT_EXPECT_EQ(test, sluice_notify_add(p, &cw->w, 0), -ENODEV);
	KUNIT_EXPECT_TRUE(test, list_empty(&p->notify.waiters));
}

struct appender {
	struct sluice_partition *p;
	struct completion next;
};

static int appender_fn(void *arg)
{
	struct appender *ap = arg;
	s64 i;

	for (i = 1; i <= ROUNDS; i++) {
		wait_for_completion(&ap->next);
		wake_at(ap->p, i, 0);
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Each growth races with a waiter that adds itself and then looks. */
static void notify_add__loses_no_wakeup(struct kunit *test)
{
	struct sluice_partition *p = test->priv;
	struct counting_waiter *cw = new_waiter(test);
	struct appender *ap = kunit_kzalloc(test, sizeof(*ap), GFP_KERNEL);
	struct task_struct *task;
	unsigned long left = 1;
	s64 i;

	KUNIT_ASSERT_NOT_NULL(test, ap);
	ap->p = p;
	init_completion(&ap->next);
	task = kthread_run(appender_fn, ap, "sluice_kunit_appender");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < ROUNDS; i++) {
		complete(&ap->next);
		reinit_completion(&cw->woken);
		KUNIT_EXPECT_EQ(test, sluice_notify_add(p, &cw->w, i), 0);
		if (sluice_watermark_log_end(&p->log->watermark) <= i)
			left = wait_for_completion_timeout(&cw->woken, 10 * HZ);
		sluice_notify_del(p, &cw->w);
		if (!left)
			break;
	}
	KUNIT_EXPECT_EQ(test, i, (s64)ROUNDS);
	/* After a failure the appender still waits for its rounds. */
	complete_all(&ap->next);
	kthread_stop(task);
}

static struct kunit_case notify_cases[] = {
	KUNIT_CASE(notify_wake__only_above),
	KUNIT_CASE(notify_wake__error_tells_everybody),
	KUNIT_CASE(notify_wake__truncation),
	KUNIT_CASE(notify_wake__true_removes),
	KUNIT_CASE(notify_add__twice_moves),
	KUNIT_CASE(notify_add__dead),
	KUNIT_CASE(notify_add__loses_no_wakeup),
	{}
};

struct kunit_suite notify_suite = {
	.name = "sluice_notify",
	.init = notify_init,
	.test_cases = notify_cases,
};
