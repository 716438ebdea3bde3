// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/kafka_fill.h"

static void *take(struct kafka_fill *f, size_t n, size_t size)
{
	void *p = arena_alloc(f->arena, n, size);

	if (!p) {
		fprintf(stderr, "kafka_fill: no memory for %zu times %zu bytes\n", n, size);
		abort();
	}
	return p;
}

static uint64_t next_random(struct kafka_fill *f)
{
	uint64_t x = f->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	f->random = x;
	return x;
}

/* FNV-1a of the name, so that fields differ; plus the element, so that elements do. */
static uint64_t value(struct kafka_fill *f, const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	if (f->mode == KAFKA_FILL_RANDOM)
		return next_random(f);
	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return h + f->salt;
}

static bool is_default(const struct kafka_fill *f)
{
	return f->mode == KAFKA_FILL_DEFAULT;
}

static bool is_null(struct kafka_fill *f, bool nullable)
{
	return nullable && (f->mode == KAFKA_FILL_NULL ||
			    (f->mode == KAFKA_FILL_RANDOM && next_random(f) % 4 == 0));
}

static int32_t element_count(struct kafka_fill *f)
{
	switch (f->mode) {
	case KAFKA_FILL_DEFAULT: return 1;
	case KAFKA_FILL_RANDOM: return (int32_t)(next_random(f) % 4);
	default: return 2;
	}
}

bool kafka_fill_present(struct kafka_fill *f)
{
	return !is_default(f) && !is_null(f, true);
}

void *kafka_fill_array(struct kafka_fill *f, bool nullable, size_t size, int32_t *ret_n)
{
	if (is_null(f, nullable)) {
		*ret_n = -1;
		return NULL;
	}
	*ret_n = element_count(f);
	return take(f, (size_t)*ret_n, size);
}

uint64_t kafka_fill_element(struct kafka_fill *f, int32_t i)
{
	uint64_t outer = f->salt;

	f->salt = (uint64_t)i;
	return outer;
}

void kafka_fill_bool(struct kafka_fill *f, const char *name, bool *v)
{
	(void)name;
	if (!is_default(f))
		*v = f->mode != KAFKA_FILL_RANDOM || next_random(f) % 2;
}

void kafka_fill_int8(struct kafka_fill *f, const char *name, int8_t *v)
{
	if (!is_default(f))
		*v = (int8_t)value(f, name);
}

void kafka_fill_int16(struct kafka_fill *f, const char *name, int16_t *v)
{
	if (!is_default(f))
		*v = (int16_t)value(f, name);
}

void kafka_fill_int32(struct kafka_fill *f, const char *name, int32_t *v)
{
	if (!is_default(f))
		*v = (int32_t)value(f, name);
}

void kafka_fill_int64(struct kafka_fill *f, const char *name, int64_t *v)
{
	if (!is_default(f))
		*v = (int64_t)value(f, name);
}

void kafka_fill_float64(struct kafka_fill *f, const char *name, double *v)
{
	if (!is_default(f))
		*v = (double)(int64_t)value(f, name);
}

void kafka_fill_uuid(struct kafka_fill *f, const char *name, struct kafka_uuid *v)
{
	uint64_t halves[2];

	if (is_default(f))
		return;
	halves[0] = htobe64(value(f, name));
	halves[1] = ~halves[0];
	memcpy(v->b, halves, sizeof(v->b));
}

/* "name-salt"; a random one has up to 400 bytes, for lengths of one and of two bytes. */
static struct kafka_str text(struct kafka_fill *f, const char *name, uint64_t salt)
{
	struct kafka_str s;
	char *p;

	if (f->mode == KAFKA_FILL_RANDOM) {
		s.len = (int32_t)(next_random(f) % (next_random(f) % 8 ? 12 : 400));
		p = take(f, (size_t)s.len + 1, 1);
		for (int32_t i = 0; i < s.len; i++)
			p[i] = (char)('a' + next_random(f) % 26);
	} else {
		size_t size = strlen(name) + 22;

		p = take(f, size, 1);
		s.len = snprintf(p, size, "%s-%llu", name, (unsigned long long)salt);
	}
	s.p = p;
	return s;
}

void kafka_fill_string(struct kafka_fill *f, const char *name, bool nullable, struct kafka_str *v)
{
	if (is_default(f))
		return;
	if (is_null(f, nullable))
		*v = (struct kafka_str){NULL, -1};
	else
		*v = text(f, name, f->salt);
}

void kafka_fill_bytes(struct kafka_fill *f, const char *name, bool nullable, struct kafka_bytes *v)
{
	if (is_null(f, nullable))
		*v = (struct kafka_bytes){NULL, -1};
	else if (!is_default(f))
		kafka_fill_records(f, name, false, v);
}

void kafka_fill_records(struct kafka_fill *f, const char *name, bool nullable,
			struct kafka_bytes *v)
{
	struct kafka_str s;

	if (is_default(f) || is_null(f, nullable)) {
		*v = (struct kafka_bytes){NULL, -1};
		return;
	}
	s = text(f, name, f->salt);
	*v = (struct kafka_bytes){(const uint8_t *)s.p, s.len};
}

/* Returns whether there are elements to set. */
static bool primitive_array(struct kafka_fill *f, bool nullable, size_t size, int32_t *ret_n,
			    void **ret_v)
{
	if (is_default(f))
		return false;
	*ret_v = kafka_fill_array(f, nullable, size, ret_n);
	return true;
}

void kafka_fill_int8_array(struct kafka_fill *f, const char *name, bool nullable,
			   struct kafka_int8_array *v)
{
	void *elements;

	if (!primitive_array(f, nullable, sizeof(*v->v), &v->n, &elements))
		return;
	v->v = elements;
	for (int32_t i = 0; i < v->n; i++)
		v->v[i] = (int8_t)(value(f, name) + (uint64_t)i);
}

void kafka_fill_int32_array(struct kafka_fill *f, const char *name, bool nullable,
			    struct kafka_int32_array *v)
{
	void *elements;

	if (!primitive_array(f, nullable, sizeof(*v->v), &v->n, &elements))
		return;
	v->v = elements;
	for (int32_t i = 0; i < v->n; i++)
		v->v[i] = (int32_t)(value(f, name) + (uint64_t)i);
}

void kafka_fill_int64_array(struct kafka_fill *f, const char *name, bool nullable,
			    struct kafka_int64_array *v)
{
	void *elements;

	if (!primitive_array(f, nullable, sizeof(*v->v), &v->n, &elements))
		return;
	v->v = elements;
	for (int32_t i = 0; i < v->n; i++)
		v->v[i] = (int64_t)(value(f, name) + (uint64_t)i);
}

void kafka_fill_string_array(struct kafka_fill *f, const char *name, bool nullable,
			     struct kafka_str_array *v)
{
	void *elements;

	if (!primitive_array(f, nullable, sizeof(*v->v), &v->n, &elements))
		return;
	v->v = elements;
	for (int32_t i = 0; i < v->n; i++)
		v->v[i] = text(f, name, f->salt + (uint64_t)i);
}
