// SPDX-License-Identifier: GPL-2.0
/*
 * What the engine needs of the kernel beside files: memory, time, checksums,
 * diagnostics, and its source of bytes.
 */

#include "log/port.h"

#include "compat.h"

#include <linux/crc32c.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

void *port_alloc(size_t size)
{
	return kvzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

void port_free(const void *p)
{
	kvfree(p);
}

s64 port_now_ms(void)
{
	return ktime_to_ms(ktime_get_real());
}

u32 port_random_u32(void)
{
	return get_random_u32();
}

u32 port_crc32c(u32 crc, const void *p, size_t len)
{
	/* The kernel's function leaves the inversions to its caller. */
	return ~crc32c(~crc, p, len);
}

void port_warn(const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_warn_ratelimited("%pV\n", &vaf);
	va_end(args);
}

size_t port_iter_count(const struct port_iter *iter)
{
	return iov_iter_count(iter->iov);
}

/*
 * Without the check of the destination that copy_from_iter() makes: it costs
 * more than the copy of a small record, and the engine has just compared the
 * length with the room in its buffer.
 */
int port_iter_copy(struct port_iter *iter, void *buf, size_t len)
{
	return _copy_from_iter(buf, len, iter->iov) == len ? 0 : -EFAULT;
}

static noinline size_t peek_pieces(const struct iov_iter *from, void *buf, size_t len)
{
	struct iov_iter iov = *from;

	return _copy_from_iter(buf, len, &iov);
}

/* A record of one piece of user memory, as nearly all are, needs no walk through the pieces. */
static size_t peek_user(const struct iov_iter *iov, void *buf, size_t len)
{
	const void __user *from = sluice_iter_user_piece(iov, len);

	if (!from || !access_ok(from, len))
		return 0;
	return len - raw_copy_from_user(buf, from, len);
}

int port_iter_peek(const struct port_iter *iter, void *buf, size_t len)
{
	size_t copied;

	pagefault_disable();
	copied = peek_user(iter->iov, buf, len);
	if (copied < len)
		copied = peek_pieces(iter->iov, buf, len);
	pagefault_enable();
	return copied == len ? 0 : -EFAULT;
}
