// SPDX-License-Identifier: Apache-2.0
#include <errno.h>

#include "daemon/kafka/names.h"

struct name {
	struct hnode node;
	struct kafka_str text;
	int8_t kind;
	bool twice;
};

static uint64_t hash(int8_t kind, struct kafka_str text)
{
	return hash_bytes((uint64_t)kind, text.p, text.len > 0 ? (size_t)text.len : 0);
}

static struct name *find(const struct names *names, int8_t kind, struct kafka_str text)
{
	for (struct hnode *n = htable_first(&names->table, hash(kind, text)); n;
	     n = htable_next(n)) {
		struct name *name = hnode_entry(n, struct name, node);

		if (name->kind == kind && kafka_str_equal(name->text, text))
			return name;
	}
	return NULL;
}

int names_note(struct names *names, struct request *r, int8_t kind, struct kafka_str text)
{
	struct name *name = find(names, kind, text);

	if (name) {
		name->twice = true;
		return 0;
	}
	name = request_alloc(r, 1, sizeof(*name));
	if (!name)
		return -ENOMEM;
	name->text = text;
	name->kind = kind;
	return htable_insert(&names->table, &name->node, hash(kind, text));
}

bool names_has(const struct names *names, int8_t kind, struct kafka_str text)
{
	return find(names, kind, text);
}

bool names_twice(const struct names *names, int8_t kind, struct kafka_str text)
{
	const struct name *name = find(names, kind, text);

	return name && name->twice;
}

void names_free(struct names *names)
{
	htable_free(&names->table);
}
