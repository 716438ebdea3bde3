// SPDX-License-Identifier: GPL-2.0
/* 6.7: shrinkers are allocated by the kernel. */
#include <linux/shrinker.h>

struct shrinker *test(void);

struct shrinker *test(void)
{
	struct shrinker *s = shrinker_alloc(0, "test");

	shrinker_register(s);
	return s;
}
