/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of strings and bytes of requests that outlive them. */
#ifndef SLUICE_CORE_OWNED_H
#define SLUICE_CORE_OWNED_H

#include <stdlib.h>

#include "daemon/core/wire.h"

/** str_copy - 0 or -ENOMEM; null stays null; free with str_free() */
static inline int str_copy(struct kafka_str *to, struct kafka_str from)
{
	char *p = NULL;

	if (from.len >= 0) {
		p = malloc((size_t)from.len + 1);
		if (!p)
			return -ENOMEM;
		memcpy(p, from.len ? from.p : "", (size_t)from.len);
		p[from.len] = '\0';
	}
	*to = (struct kafka_str){p, from.len};
	return 0;
}

static inline void str_free(struct kafka_str *s)
{
	free((void *)(uintptr_t)s->p);
	*s = (struct kafka_str){NULL, -1};
}

/** bytes_copy - 0 or -ENOMEM; null becomes empty; free with bytes_free() */
static inline int bytes_copy(struct kafka_bytes *to, struct kafka_bytes from)
{
	int32_t len = from.len > 0 ? from.len : 0;
	uint8_t *p = malloc((size_t)len + 1);

	if (!p)
		return -ENOMEM;
	memcpy(p, len ? from.p : (const uint8_t *)"", (size_t)len);
	*to = (struct kafka_bytes){p, len};
	return 0;
}

static inline void bytes_free(struct kafka_bytes *b)
{
	free((void *)(uintptr_t)b->p);
	*b = (struct kafka_bytes){NULL, 0};
}

#endif /* SLUICE_CORE_OWNED_H */
