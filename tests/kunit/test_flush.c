// SPDX-License-Identifier: GPL-2.0
/* Group commit. */

#include "kunit_sluice.h"

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/workqueue.h>

#define REQUESTS	50

struct request {
	struct sluice_durable d;
	struct completion done;
	atomic_t answers;
	int err;
	struct completion *gate;
};

static void request_done(struct sluice_durable *d, int err)
{
	struct request *r = container_of(d, struct request, d);

	r->err = err;
	atomic_inc(&r->answers);
	complete(&r->done);
	/* Keeps the flusher from its next sync, so that requests gather. */
	if (r->gate)
		wait_for_completion(r->gate);
}

static struct request *new_requests(struct kunit *test, unsigned int count, s64 offset)
{
	struct request *r = kunit_kcalloc(test, count, sizeof(*r), GFP_KERNEL);
	struct kunit_partition *kp = test->priv;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, r);
	for (i = 0; i < count; i++) {
		init_completion(&r[i].done);
		r[i].d.done = request_done;
		r[i].d.offset = offset;
		r[i].d.generation = kp->p->flush.generation;
	}
	return r;
}

static int flush_init(struct kunit *test)
{
	test->priv = kunit_partition_new(test);
	return 0;
}

static void flush_exit(struct kunit *test)
{
	kunit_partition_free(test->priv);
}

static s64 append(struct kunit *test)
{
	struct sluice_append a;

	KUNIT_ASSERT_EQ(test, kunit_append(test, test->priv, -1, &a), 0);
	return a.last_offset + 1;
}

static u64 flushes(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;

	return atomic64_read(&kp->p->stats.flushes);
}

/* Holds the flusher in the answer to a request of its own. */
static void close_gate(struct kunit *test, struct completion *gate)
{
	struct kunit_partition *kp = test->priv;
	struct request *first = new_requests(test, 1, append(test));

	first->gate = gate;
	sluice_flush_request(kp->p, &first->d);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&first->done, 30 * HZ), 0UL);
	KUNIT_EXPECT_EQ(test, first->err, 0);
}

static void flush_request__durable_already(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct request *r = new_requests(test, 1, 0);

	sluice_flush_request(kp->p, &r->d);
	KUNIT_EXPECT_EQ(test, atomic_read(&r->answers), 1);
	KUNIT_EXPECT_EQ(test, r->err, 0);
	KUNIT_EXPECT_EQ(test, flushes(test), 0ULL);
}

static void flush_request__moves_the_recovery_point(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct request *r = new_requests(test, 1, append(test));

	KUNIT_EXPECT_LT(test, sluice_log_recovery_point(kp->p->log), r->d.offset);
	sluice_flush_request(kp->p, &r->d);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&r->done, 30 * HZ), 0UL);
	KUNIT_EXPECT_EQ(test, r->err, 0);
	KUNIT_EXPECT_EQ(test, sluice_log_recovery_point(kp->p->log), r->d.offset);
}

static void flush_request__many_share_one_sync(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	DECLARE_COMPLETION_ONSTACK(gate);
	struct request *r;
	unsigned int i;
	u64 before;

	close_gate(test, &gate);
	before = flushes(test);
	r = new_requests(test, REQUESTS, 0);
	for (i = 0; i < REQUESTS; i++) {
		r[i].d.offset = append(test);
		sluice_flush_request(kp->p, &r[i].d);
		KUNIT_EXPECT_EQ(test, atomic_read(&r[i].answers), 0);
	}
	complete(&gate);
	for (i = 0; i < REQUESTS; i++) {
		KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&r[i].done, 30 * HZ), 0UL);
		KUNIT_EXPECT_EQ(test, r[i].err, 0);
	}
	KUNIT_EXPECT_EQ(test, flushes(test), before + 1);
}

static int truncate(struct kunit *test, s64 offset)
{
	struct kunit_partition *kp = test->priv;
	char why[SLUICE_ERROR_TEXT_MAX];
	int err;

	KUNIT_ASSERT_EQ(test, sluice_partition_enter(kp->p), 0);
	err = sluice_partition_truncate(kp->p, offset, why);
	sluice_partition_leave(kp->p);
	return err;
}

/* Neither by a later sync, nor by what takes their place, are they made durable. */
static void flush_request__of_what_is_truncated(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	DECLARE_COMPLETION_ONSTACK(gate);
	struct request *r = new_requests(test, 3, 0);

	close_gate(test, &gate);
	r[0].d.offset = append(test);
	r[1].d.offset = append(test);
	r[2].d.offset = r[1].d.offset;
	sluice_flush_request(kp->p, &r[0].d);
	sluice_flush_request(kp->p, &r[1].d);
	KUNIT_EXPECT_EQ(test, truncate(test, r[0].d.offset), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&r[0].answers), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&r[1].answers), 1);
	KUNIT_EXPECT_EQ(test, r[1].err, -ESTALE);
	/* The append was before, the request comes now. */
	append(test);
	sluice_flush_request(kp->p, &r[2].d);
	KUNIT_EXPECT_EQ(test, r[2].err, -ESTALE);
	complete(&gate);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&r[0].done, 30 * HZ), 0UL);
	KUNIT_EXPECT_EQ(test, r[0].err, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&r[1].answers), 1);
}

static void flush_request__never_appended(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct request *r = new_requests(test, 1, append(test) + 1000);

	sluice_flush_request(kp->p, &r->d);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&r->done, 30 * HZ), 0UL);
	KUNIT_EXPECT_EQ(test, r->err, -EINVAL);
}

static void flush_request__failed_log(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	struct request *r = new_requests(test, 1, append(test));

	sluice_log_set_failed(kp->p->log, -EIO);
	sluice_flush_request(kp->p, &r->d);
	KUNIT_EXPECT_EQ(test, atomic_read(&r->answers), 1);
	KUNIT_EXPECT_EQ(test, r->err, -EIO);
	KUNIT_EXPECT_EQ(test, sluice_flush_wait(kp->p), -EIO);
}

/* A log that fails while requests wait answers them with what ended it. */
static void flush_request__fails_while_waiting(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	DECLARE_COMPLETION_ONSTACK(gate);
	struct request *r;
	unsigned int i;

	close_gate(test, &gate);
	r = new_requests(test, REQUESTS, append(test));
	for (i = 0; i < REQUESTS; i++)
		sluice_flush_request(kp->p, &r[i].d);
	sluice_log_set_failed(kp->p->log, -EIO);
	complete(&gate);
	for (i = 0; i < REQUESTS; i++) {
		KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&r[i].done, 30 * HZ), 0UL);
		KUNIT_EXPECT_EQ(test, r[i].err, -EIO);
	}
	KUNIT_EXPECT_EQ(test, kp->p->error, -EIO);
}

static void flush_wait__is_durable(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	s64 end = append(test);

	KUNIT_EXPECT_EQ(test, sluice_flush_wait(kp->p), 0);
	KUNIT_EXPECT_EQ(test, sluice_log_recovery_point(kp->p->log), end);
	/* Nothing to do the second time. */
	KUNIT_EXPECT_EQ(test, sluice_flush_wait(kp->p), 0);
	KUNIT_EXPECT_EQ(test, flushes(test), 1ULL);
}

/* The third record makes it three that are not on stable storage. */
static void flush_messages__the_append_waits(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;

	kp->topic.config.flush_messages = 3;
	append(test);
	append(test);
	KUNIT_EXPECT_EQ(test, flushes(test), 0ULL);
	KUNIT_EXPECT_EQ(test, sluice_log_recovery_point(kp->p->log), 0LL);
	append(test);
	KUNIT_EXPECT_EQ(test, sluice_log_recovery_point(kp->p->log), 3LL);
	append(test);
	KUNIT_EXPECT_EQ(test, sluice_log_recovery_point(kp->p->log), 3LL);
}

static void wait_for_recovery_point(struct kunit *test, s64 offset)
{
	struct kunit_partition *kp = test->priv;
	unsigned int i;

	/* It is a timer's work. */
	for (i = 0; i < 300 && sluice_log_recovery_point(kp->p->log) < offset; i++)
		msleep(100);
	KUNIT_EXPECT_EQ(test, sluice_log_recovery_point(kp->p->log), offset);
}

static void flush_ms__syncs_later(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;

	append(test);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&kp->p->flush.due));
	kp->topic.config.flush_ms = 50;
	append(test);
	append(test);
	wait_for_recovery_point(test, 3);
	KUNIT_EXPECT_EQ(test, flushes(test), 1ULL);
	/* Armed again by the next one. */
	append(test);
	wait_for_recovery_point(test, 4);
}

static void flush_ms__ends_with_the_partition(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;

	kp->topic.config.flush_ms = 3600 * 1000;
	append(test);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&kp->p->flush.due));
	sluice_partition_make_dead(kp->p);
	KUNIT_EXPECT_EQ(test, sluice_partition_drain(kp->p), 0);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&kp->p->flush.due));
}

struct blocker {
	struct work_struct work;
	struct completion *gate;
};

static void blocker_fn(struct work_struct *work)
{
	wait_for_completion(container_of(work, struct blocker, work)->gate);
}

/* All that one disk's queue can run waits; another disk's syncs go on. */
static void flush__is_not_held_by_another_disk(struct kunit *test)
{
	const unsigned int count = WQ_DFL_ACTIVE + 1;
	struct blocker *b = kunit_kcalloc(test, count, sizeof(*b), GFP_KERNEL);
	struct kunit_partition *slow = kunit_partition_new(test);
	struct kunit_partition *kp = test->priv;
	DECLARE_COMPLETION_ONSTACK(gate);
	struct request *held, *r;
	struct sluice_append a;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_ASSERT_EQ(test, kunit_append(test, slow, -1, &a), 0);
	held = new_requests(test, 1, 1);
	held->d.generation = slow->p->flush.generation;
	r = new_requests(test, 1, append(test));
	for (i = 0; i < count; i++) {
		INIT_WORK(&b[i].work, blocker_fn);
		b[i].gate = &gate;
		queue_work(slow->data_dir.flush_wq, &b[i].work);
	}
	sluice_flush_request(slow->p, &held->d);
	sluice_flush_request(kp->p, &r->d);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&r->done, 30 * HZ), 0UL);
	KUNIT_EXPECT_EQ(test, atomic_read(&held->answers), 0);
	complete_all(&gate);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&held->done, 30 * HZ), 0UL);
	kunit_partition_free(slow);
}

struct gate_opener {
	struct delayed_work work;
	struct completion gate;
};

static void open_gate_fn(struct work_struct *work)
{
	struct gate_opener *go = container_of(to_delayed_work(work), struct gate_opener, work);

	complete(&go->gate);
}

/*
 * The gate opens after @delay: the flusher takes the requests while drain holds
 * the log, or finds none any more.
 */
static void drain_with_requests(struct kunit *test, unsigned long delay)
{
	struct kunit_partition *kp = test->priv;
	struct gate_opener *go = kunit_kzalloc(test, sizeof(*go), GFP_KERNEL);
	struct request *r, *late;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, go);
	init_completion(&go->gate);
	INIT_DELAYED_WORK(&go->work, open_gate_fn);
	close_gate(test, &go->gate);
	r = new_requests(test, REQUESTS, append(test));
	for (i = 0; i < REQUESTS; i++)
		sluice_flush_request(kp->p, &r[i].d);
	schedule_delayed_work(&go->work, delay);
	sluice_partition_make_dead(kp->p);
	KUNIT_EXPECT_EQ(test, sluice_partition_drain(kp->p), 0);
	flush_delayed_work(&go->work);
	for (i = 0; i < REQUESTS; i++) {
		KUNIT_EXPECT_EQ(test, atomic_read(&r[i].answers), 1);
		KUNIT_EXPECT_EQ(test, r[i].err, 0);
	}
	late = new_requests(test, 1, 0);
	sluice_flush_request(kp->p, &late->d);
	KUNIT_EXPECT_EQ(test, atomic_read(&late->answers), 1);
	KUNIT_EXPECT_EQ(test, late->err, -ENODEV);
	KUNIT_EXPECT_EQ(test, sluice_flush_wait(kp->p), -ENODEV);
}

static void partition_drain__answers_before_the_flusher(struct kunit *test)
{
	drain_with_requests(test, HZ / 2);
}

static void partition_drain__answers_beside_the_flusher(struct kunit *test)
{
	struct kunit_partition *kp = test->priv;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		drain_with_requests(test, i);
		kunit_partition_end(kp);
		kunit_partition_open(test, kp);
	}
}

static struct kunit_case flush_cases[] = {
	KUNIT_CASE(flush_request__durable_already),
	KUNIT_CASE(flush_request__moves_the_recovery_point),
	KUNIT_CASE(flush_request__many_share_one_sync),
	KUNIT_CASE(flush_request__of_what_is_truncated),
	KUNIT_CASE(flush_request__never_appended),
	KUNIT_CASE(flush_request__failed_log),
	KUNIT_CASE(flush_request__fails_while_waiting),
	KUNIT_CASE(flush_wait__is_durable),
	KUNIT_CASE(flush_messages__the_append_waits),
	KUNIT_CASE(flush_ms__syncs_later),
	KUNIT_CASE(flush_ms__ends_with_the_partition),
	KUNIT_CASE(flush__is_not_held_by_another_disk),
	KUNIT_CASE(partition_drain__answers_before_the_flusher),
	KUNIT_CASE(partition_drain__answers_beside_the_flusher),
	{}
};

struct kunit_suite flush_suite = {
	.name = "sluice_flush",
	.init = flush_init,
	.exit = flush_exit,
	.test_cases = flush_cases,
};
