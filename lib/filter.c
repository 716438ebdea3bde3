// SPDX-License-Identifier: Apache-2.0
/* Filters as the user has them, and their answer about a record in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/filter.h"
#include "lib/internal.h"

SLUICE_API int sluice_filter_compile(const char *expression, sluice_filter **ret)
{
	struct sluice_filter *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return sluice__fail(-ENOMEM, "out of memory");
	f->refs = 1;
	err = filter_parse(expression, f);
	if (!err)
		err = filter_compile(f);
	if (err) {
		sluice_filter_free(f);
		return err;
	}
	*ret = f;
	return 0;
}

struct sluice_filter *filter_get(const struct sluice_filter *f)
{
	/* The count alone changes: handles of other threads may use it, too. */
	struct sluice_filter *held = (struct sluice_filter *)(uintptr_t)f;

	__atomic_add_fetch(&held->refs, 1, __ATOMIC_RELAXED);
	return held;
}

SLUICE_API void sluice_filter_free(sluice_filter *f)
{
	if (!f || __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (uint16_t i = 0; i < f->n_nodes; i++) {
		free(f->nodes[i].name);
		free(f->nodes[i].text);
	}
	free(f->nodes);
	free(f->program.filter);
	free(f);
}

SLUICE_API const struct sock_fprog *sluice_filter_program(const sluice_filter *f)
{
	return &f->program;
}

static bool bytes_match(const struct filter_node *n, const void *p, size_t len)
{
	if (n->op == FILTER_IS_NULL)
		return !p;
	if (!p || len < n->text->len || (n->op == FILTER_EQUAL && len != n->text->len))
		return false;
	return memcmp(p, n->text->bytes, n->text->len) == 0;
}

static bool name_matches(const struct filter_text *name, const char *key)
{
	/* A name that has a NUL inside is cut there by sluice_header. */
	return strlen(key) == name->len && memcmp(key, name->bytes, name->len) == 0;
}

static bool header_matches(const struct filter_node *n, const sluice_record *r)
{
	bool is_null = n->op == FILTER_IS_NULL;

	for (size_t i = 0; i < r->n_headers; i++) {
		const sluice_header *h = &r->headers[i];

		if (name_matches(n->name, h->key) &&
		    (is_null ? !!h->value : bytes_match(n, h->value, h->value_len)))
			return !is_null;
	}
	return is_null;
}

static bool number_matches(const struct filter_node *n, int64_t v)
{
	return n->op == FILTER_ABOVE ? v > n->number : v == n->number;
}

static bool node_matches(const struct sluice_filter *f, uint16_t index, const sluice_record *r)
{
	const struct filter_node *n = &f->nodes[index];

	switch (n->kind) {
	case FILTER_AND: return node_matches(f, n->left, r) && node_matches(f, n->right, r);
	case FILTER_OR: return node_matches(f, n->left, r) || node_matches(f, n->right, r);
	case FILTER_NOT: return !node_matches(f, n->left, r);
	case FILTER_KEY: return bytes_match(n, r->key, r->key_len);
	case FILTER_VALUE: return bytes_match(n, r->value, r->value_len);
	case FILTER_HEADER: return header_matches(n, r);
	case FILTER_OFFSET: return number_matches(n, r->offset);
	case FILTER_TIME: return number_matches(n, r->timestamp);
	case FILTER_PARTITION: return number_matches(n, r->partition);
	}
	return false;
}

SLUICE_API int sluice_filter_matches(const sluice_filter *f, const sluice_record *r)
{
	return node_matches(f, f->root, r);
}
