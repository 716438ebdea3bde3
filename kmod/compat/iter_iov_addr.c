// SPDX-License-Identifier: GPL-2.0
/* 6.4: where an iterator stands in user memory, for both of its kinds. */
#include <linux/uio.h>

const void __user *test(const struct iov_iter *iter);

const void __user *test(const struct iov_iter *iter)
{
	return iter_iov_len(iter) ? iter_iov_addr(iter) : NULL;
}
