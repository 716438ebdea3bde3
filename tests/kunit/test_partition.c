// SPDX-License-Identifier: GPL-2.0
/* Appending to a partition, and its end. */

#include "kunit_sluice.h"

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sluice_netlink.h>

struct seen {
	struct sluice_waiter w;
	unsigned int calls;
	s64 high_watermark;
	int err;
};

static bool seen_wake(struct sluice_waiter *w, s64 high_watermark, int err)
{
	struct seen *s = container_of(w, struct seen, w);

	s->calls++;
	s->high_watermark = high_watermark;
	s->err = err;
	return false;
}

static int partition_init(struct kunit *test)
{
	test->priv = kunit_partition_new(test);
	return 0;
}

static void partition_exit(struct kunit *test)
{
	kunit_partition_free(test->priv);
}

static void partition_append__counts_and_wakes(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct sluice_append a;
	struct seen s = {};

	sluice_waiter_init(&s.w, seen_wake);
	KUNIT_ASSERT_EQ(test, sluice_notify_add(kp->p, &s.w, 0), 0);
	KUNIT_ASSERT_EQ(test, kunit_append(test, kp, -1, &a), 0);
	KUNIT_EXPECT_EQ(test, a.base_offset, 0LL);
	KUNIT_EXPECT_EQ(test, s.calls, 1U);
	KUNIT_EXPECT_EQ(test, s.high_watermark, 1LL);
	KUNIT_EXPECT_EQ(test, atomic64_read(&kp->p->stats.append_batches), 1LL);
	KUNIT_EXPECT_EQ(test, atomic64_read(&kp->p->stats.append_records), 1LL);
	KUNIT_EXPECT_EQ(test, atomic64_read(&kp->p->stats.append_bytes), (s64)a.size);
	KUNIT_EXPECT_EQ(test, atomic64_read(&kp->p->stats.refused_batches), 0LL);
	sluice_notify_del(kp->p, &s.w);
}

static void partition_append__bad_crc_leaves_nothing(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct sluice_append a;
	struct seen s = {};

	KUNIT_ASSERT_EQ(test, kunit_append(test, kp, -1, &a), 0);
	sluice_waiter_init(&s.w, seen_wake);
	KUNIT_ASSERT_EQ(test, sluice_notify_add(kp->p, &s.w, 1), 0);
	/* The last byte of the batch, so that only its CRC is wrong. */
	KUNIT_EXPECT_EQ(test, kunit_append(test, kp, a.size - 1, &a), -EBADMSG);
	KUNIT_EXPECT_NOT_NULL(test, a.why);
	KUNIT_EXPECT_EQ(test, s.calls, 0U);
	KUNIT_EXPECT_EQ(test, sluice_log_end_offset(kp->p->log), 1LL);
	KUNIT_EXPECT_EQ(test, atomic64_read(&kp->p->stats.refused_batches), 1LL);
	KUNIT_EXPECT_EQ(test, kp->p->state, (int)SLUICE_PARTITION_STATE_ONLINE);
	KUNIT_ASSERT_EQ(test, kunit_append(test, kp, -1, &a), 0);
	KUNIT_EXPECT_EQ(test, a.base_offset, 1LL);
	sluice_notify_del(kp->p, &s.w);
}

static void partition_append__rolls(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct sluice_log_config config = kp->topic.config;
	struct sluice_append a;

	KUNIT_ASSERT_EQ(test, kunit_append(test, kp, -1, &a), 0);
	config.segment_bytes = a.size + a.size / 2;
	sluice_log_set_config(kp->p->log, &config);
	KUNIT_ASSERT_EQ(test, kunit_append(test, kp, -1, &a), 0);
	KUNIT_EXPECT_TRUE(test, a.rolled);
	KUNIT_EXPECT_EQ(test, atomic64_read(&kp->p->stats.rolls), 1LL);
	KUNIT_EXPECT_EQ(test, sluice_log_segment_count(kp->p->log), 2U);
}

static void partition_create__finds_what_was_there(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct sluice_append a;
	int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, kunit_append(test, kp, -1, &a), 0);
	kunit_partition_end(kp);
	kunit_partition_open(test, kp);
	KUNIT_EXPECT_EQ(test, sluice_log_end_offset(kp->p->log), 3LL);
	KUNIT_ASSERT_EQ(test, kunit_append(test, kp, -1, &a), 0);
	KUNIT_EXPECT_EQ(test, a.base_offset, 3LL);
}

static void partition_create__says_which_directory(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	const struct sluice_log_open_args args = {};
	char why[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_partition *p;

	KUNIT_EXPECT_EQ(test, sluice_partition_create(&kp->topic, 7, &args, why, &p), -ENOENT);
	KUNIT_EXPECT_NOT_NULL(test, strstr(why, kp->topic.name));
	KUNIT_EXPECT_NOT_NULL(test, strstr(why, "-7"));
}

static void partition_set_offline__first_reason_wins(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct sluice_append a;
	struct seen s = {};

	sluice_waiter_init(&s.w, seen_wake);
	KUNIT_ASSERT_EQ(test, sluice_notify_add(kp->p, &s.w, S64_MAX), 0);
	KUNIT_ASSERT_EQ(test, sluice_partition_enter(kp->p), 0);
	sluice_partition_set_offline(kp->p, -EROFS, "first");
	sluice_partition_set_offline(kp->p, -EIO, "second");
	sluice_partition_leave(kp->p);
	KUNIT_EXPECT_EQ(test, s.calls, 1U);
	KUNIT_EXPECT_EQ(test, s.err, -EIO);
	KUNIT_EXPECT_EQ(test, kp->p->state, (int)SLUICE_PARTITION_STATE_OFFLINE);
	KUNIT_EXPECT_EQ(test, kp->p->error, -EROFS);
	KUNIT_EXPECT_STREQ(test, kp->p->reason, "first");
	KUNIT_EXPECT_EQ(test, kunit_append(test, kp, -1, &a), -EIO);
	KUNIT_EXPECT_NOT_NULL(test, a.why);
	/* What it has can still be read. */
	KUNIT_EXPECT_EQ(test, sluice_partition_enter(kp->p), 0);
	sluice_partition_leave(kp->p);
	sluice_notify_del(kp->p, &s.w);
}

static void partition_make_dead__fails_and_tells(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct sluice_append a;
	struct seen s = {};

	sluice_waiter_init(&s.w, seen_wake);
	KUNIT_ASSERT_EQ(test, sluice_notify_add(kp->p, &s.w, S64_MAX), 0);
	sluice_partition_make_dead(kp->p);
	KUNIT_EXPECT_EQ(test, s.err, -ENODEV);
	KUNIT_EXPECT_EQ(test, sluice_partition_enter(kp->p), -ENODEV);
	KUNIT_EXPECT_EQ(test, kunit_append(test, kp, -1, &a), -ENODEV);
	KUNIT_EXPECT_EQ(test, sluice_partition_drain(kp->p), 0);
	KUNIT_EXPECT_NULL(test, kp->p->log);
	KUNIT_EXPECT_NULL(test, kp->p->dir);
	sluice_notify_del(kp->p, &s.w);
}

struct log_user {
	struct sluice_partition *p;
	struct completion entered;
	bool left;
	int err;
};

static int log_user_fn(void *arg)
{
	struct log_user *u = arg;

	u->err = sluice_partition_enter(u->p);
	complete(&u->entered);
	if (!u->err) {
		msleep(100);
		/* Still there, though the partition is dead by now. */
		u->err = u->p->log ? 0 : -EINVAL;
		WRITE_ONCE(u->left, true);
		sluice_partition_leave(u->p);
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void partition_drain__waits_for_users(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct log_user *u = kunit_kzalloc(test, sizeof(*u), GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, u);
	u->p = kp->p;
	init_completion(&u->entered);
	task = kthread_run(log_user_fn, u, "sluice_kunit_user");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&u->entered);
	sluice_partition_make_dead(kp->p);
	KUNIT_EXPECT_EQ(test, sluice_partition_drain(kp->p), 0);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(u->left));
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, u->err, 0);
}

static struct kunit_case partition_cases[] = {
	KUNIT_CASE(partition_append__counts_and_wakes),
	KUNIT_CASE(partition_append__bad_crc_leaves_nothing),
	KUNIT_CASE(partition_append__rolls),
	KUNIT_CASE(partition_create__finds_what_was_there),
	KUNIT_CASE(partition_create__says_which_directory),
	KUNIT_CASE(partition_set_offline__first_reason_wins),
	KUNIT_CASE(partition_make_dead__fails_and_tells),
	KUNIT_CASE(partition_drain__waits_for_users),
	{}
};

struct kunit_suite partition_suite = {
	.name = "sluice_partition",
	.init = partition_init,
	.exit = partition_exit,
	.test_cases = partition_cases,
};
