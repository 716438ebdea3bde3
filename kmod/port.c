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

/*
 * The kernel's function takes the registers of the FPU, which for few bytes costs
 * more than it gains: the instruction for the CRC needs none of them.
 */
#define CRC_SHORT	1024

#ifdef CONFIG_X86_64
static inline bool has_crc_instruction(void)
{
	return static_cpu_has(X86_FEATURE_XMM4_2);
}

#define CRC_STEP(insn, type, crc, p)	\
	asm(insn " %1, %0" : "+r"(crc) : "m"(*(const type *)(p)))

static u32 crc_short(u32 seed, const u8 *p, size_t len)
{
	unsigned int i;
	u64 crc = seed;
	u32 last;

	for (; len >= 128; p += 128, len -= 128) {
#pragma GCC unroll 16
		for (i = 0; i < 16; i++)
			CRC_STEP("crc32q", u64, crc, p + 8 * i);
	}
	for (; len >= 8; p += 8, len -= 8)
		CRC_STEP("crc32q", u64, crc, p);
	last = crc;
	if (len & 4) {
		CRC_STEP("crc32l", u32, last, p);
		p += 4;
	}
	if (len & 2) {
		CRC_STEP("crc32w", u16, last, p);
		p += 2;
	}
	if (len & 1)
		CRC_STEP("crc32b", u8, last, p);
	return last;
}
#else
static inline bool has_crc_instruction(void)
{
	return false;
}

static inline u32 crc_short(u32 seed, const u8 *p, size_t len)
{
	return seed;
}
#endif

u32 port_crc32c(u32 crc, const void *p, size_t len)
{
	/* Both leave the inversions to their caller. */
	if (len <= CRC_SHORT && has_crc_instruction())
		return ~crc_short(~crc, p, len);
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

void port_iter_revert(struct port_iter *iter, size_t len)
{
	iov_iter_revert(iter->iov, len);
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
