// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/quota/quota_table.h"

struct quota_table {
	atomic_uint refs;
	struct quota_entity *entities;
	size_t n;
};

const char *const quota_key_names[QUOTA_KEYS] = {
	[QUOTA_PRODUCER_BYTE_RATE] = "producer_byte_rate",
	[QUOTA_CONSUMER_BYTE_RATE] = "consumer_byte_rate",
	[QUOTA_REQUEST_PERCENTAGE] = "request_percentage",
};

const char *const quota_kind_names[QUOTA_KINDS] = {
	[QUOTA_USER] = "user",
	[QUOTA_CLIENT_ID] = "client-id",
};

struct quota_table *quota_table_new(void)
{
	struct quota_table *t = calloc(1, sizeof(*t));

	if (t)
		atomic_init(&t->refs, 1);
	return t;
}

static void free_names(struct quota_entity *e)
{
	for (int i = 0; i < QUOTA_KINDS; i++)
		free(e->names[i].text);
}

struct quota_table *quota_table_get(struct quota_table *t)
{
	if (t)
		atomic_fetch_add(&t->refs, 1);
	return t;
}

void quota_table_put(struct quota_table *t)
{
	if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	for (size_t i = 0; i < t->n; i++)
		free_names(&t->entities[i]);
	free(t->entities);
	free(t);
}

const struct quota_entity *quota_table_entities(const struct quota_table *t, size_t *ret_n)
{
	*ret_n = t->n;
	return t->entities;
}

bool quota_table_has(const struct quota_table *t, enum quota_key key)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->entities[i].set & (1u << key))
			return true;
	}
	return false;
}

static bool same_name(const struct quota_name *a, const struct quota_name *b)
{
	if (a->given != b->given || !a->text != !b->text)
		return false;
	return !a->text || !strcmp(a->text, b->text);
}

static struct quota_entity *find_same(const struct quota_table *t,
				      const struct quota_name names[QUOTA_KINDS])
{
	for (size_t i = 0; i < t->n; i++) {
		int same = 0;

		for (int j = 0; j < QUOTA_KINDS; j++)
			same += same_name(&t->entities[i].names[j], &names[j]);
		if (same == QUOTA_KINDS)
			return &t->entities[i];
	}
	return NULL;
}

static struct quota_entity *add(struct quota_table *t, const struct quota_name names[QUOTA_KINDS])
{
	struct quota_entity *e = reallocarray(t->entities, t->n + 1, sizeof(*e));

	if (!e)
		return NULL;
	t->entities = e;
	e += t->n;
	*e = (struct quota_entity){0};
	for (int i = 0; i < QUOTA_KINDS; i++) {
		e->names[i].given = names[i].given;
		if (!names[i].text)
			continue;
		e->names[i].text = strdup(names[i].text);
		if (!e->names[i].text) {
			free_names(e);
			return NULL;
		}
	}
	t->n++;
	return e;
}

int quota_table_set(struct quota_table *t, const struct quota_name names[QUOTA_KINDS],
		    enum quota_key key, const double *value)
{
	struct quota_entity *e = find_same(t, names);

	if (!e && !value)
		return 0;
	if (!e)
		e = add(t, names);
	if (!e)
		return -ENOMEM;
	if (value) {
		e->values[key] = *value;
		e->set |= 1u << key;
		return 0;
	}
	e->set &= ~(1u << key);
	if (!e->set) {
		free_names(e);
		*e = t->entities[--t->n];
	}
	return 0;
}

struct quota_table *quota_table_copy(const struct quota_table *t)
{
	struct quota_table *copy = quota_table_new();

	for (size_t i = 0; copy && i < t->n; i++) {
		struct quota_entity *e = add(copy, t->entities[i].names);

		if (!e) {
			quota_table_put(copy);
			return NULL;
		}
		e->set = t->entities[i].set;
		memcpy(e->values, t->entities[i].values, sizeof(e->values));
	}
	return copy;
}

/* How well a part fits: 0 not at all, 1 the entity does not say, 2 the default, 3 by name. */
static unsigned int fits(const struct quota_name *name, struct kafka_str who)
{
	if (!name->given)
		return 1;
	if (!name->text)
		return 2;
	return kafka_str_equal(kafka_str_from(name->text), who) ? 3 : 0;
}

bool quota_table_find(const struct quota_table *t, struct kafka_str user, struct kafka_str client,
		      enum quota_key key, struct quota_match *ret)
{
	unsigned int best = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct quota_entity *e = &t->entities[i];
		unsigned int by_user = fits(&e->names[QUOTA_USER], user);
		unsigned int by_client = fits(&e->names[QUOTA_CLIENT_ID], client);
		unsigned int rank = by_user * 4 + by_client;

		if (!by_user || !by_client || !(e->set & (1u << key)) || rank <= best)
			continue;
		best = rank;
		ret->value = e->values[key];
		ret->by = (by_user > 1 ? 1u << QUOTA_USER : 0) |
			  (by_client > 1 ? 1u << QUOTA_CLIENT_ID : 0);
	}
	return best;
}
