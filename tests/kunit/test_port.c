// SPDX-License-Identifier: GPL-2.0
/* The engine's port, as far as it is not files. */

#include "kunit_sluice.h"

#include <linux/mm.h>
#include <linux/slab.h>

static void port_alloc__is_zeroed(struct kunit *test)
{
	/* Larger than the slab gives. */
	size_t size = 5 * 1024 * 1024;
	u8 *p = port_alloc(size);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, size));
	port_free(p);
	port_free(NULL);
}

/* The check value of CRC-32C (iSCSI), and that it can be taken in pieces. */
static void port_crc32c__known_value(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, port_crc32c(0, "123456789", 9), 0xe3069283U);
	KUNIT_EXPECT_EQ(test, port_crc32c(port_crc32c(0, "1234", 4), "56789", 5), 0xe3069283U);
	KUNIT_EXPECT_EQ(test, port_crc32c(0, "", 0), 0U);
}

static void port_now_ms__is_milliseconds(struct kunit *test)
{
	s64 seconds = ktime_get_real_seconds();
	s64 ms = port_now_ms();

	KUNIT_EXPECT_GE(test, ms, seconds * 1000);
	KUNIT_EXPECT_LT(test, ms, (seconds + 60) * 1000);
}

static void port_iter_copy__takes_and_counts(struct kunit *test)
{
	char data[] = "0123456789", buf[8] = "";
	struct kvec kvec = { .iov_base = data, .iov_len = 10 };
	struct port_iter src;
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_SOURCE, &kvec, 1, 10);
	port_iter_init(&src, &iter);
	KUNIT_EXPECT_EQ(test, port_iter_copy(&src, buf, 4), 0);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "0123", 4), 0);
	KUNIT_EXPECT_EQ(test, port_iter_count(&src), (size_t)6);
	KUNIT_EXPECT_EQ(test, port_iter_copy(&src, buf, 7), -EFAULT);
}

static void port_ref_put__says_when_last(struct kunit *test)
{
	struct port_ref ref;

	port_ref_init(&ref);
	port_ref_get(&ref);
	KUNIT_EXPECT_FALSE(test, port_ref_put(&ref));
	KUNIT_EXPECT_TRUE(test, port_ref_put(&ref));
}

/* With lockdep the assertions would warn, and a warning ends the machine. */
static void port_lock__asserts_held(struct kunit *test)
{
	struct port_mutex m;
	struct port_spin s;

	port_mutex_init(&m);
	port_mutex_lock(&m);
	port_mutex_assert_held(&m);
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&m.mutex));
	port_mutex_unlock(&m);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&m.mutex));
	port_mutex_destroy(&m);

	port_spin_init(&s);
	port_spin_lock(&s);
	port_spin_assert_held(&s);
	port_spin_unlock(&s);
	port_spin_destroy(&s);
}

static struct kunit_case port_cases[] = {
	KUNIT_CASE(port_alloc__is_zeroed),
	KUNIT_CASE(port_crc32c__known_value),
	KUNIT_CASE(port_now_ms__is_milliseconds),
	KUNIT_CASE(port_iter_copy__takes_and_counts),
	KUNIT_CASE(port_ref_put__says_when_last),
	KUNIT_CASE(port_lock__asserts_held),
	{}
};

struct kunit_suite port_suite = {
	.name = "sluice_port",
	.test_cases = port_cases,
};
