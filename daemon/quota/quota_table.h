/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which quotas are set, for which users and clients. Immutable once it is
 * shared: the controller makes a changed copy and hands it out with the image.
 *
 * As text, in .sluice/client-quotas of the data directory, a line for each
 * entity: "user:NAME client-id:NAME producer_byte_rate=1024 ...". A name is
 * percent-encoded; "<default>" stands for all that have none of their own.
 */
#ifndef SLUICE_QUOTA_QUOTA_TABLE_H
#define SLUICE_QUOTA_QUOTA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/wire.h"

enum quota_key {
	QUOTA_PRODUCER_BYTE_RATE,
	QUOTA_CONSUMER_BYTE_RATE,
	QUOTA_REQUEST_PERCENTAGE,
	QUOTA_KEYS,
};

/** quota_key_names - Kafka's, by enum quota_key */
extern const char *const quota_key_names[QUOTA_KEYS];

enum quota_kind {
	QUOTA_USER,
	QUOTA_CLIENT_ID,
	QUOTA_KINDS,
};

/** quota_kind_names - Kafka's entity types, by enum quota_kind */
extern const char *const quota_kind_names[QUOTA_KINDS];

/**
 * struct quota_name - one part of an entity
 * @given: the entity has this part
 * @text: the name; NULL: the default
 */
struct quota_name {
	bool given;
	char *text;
};

/**
 * struct quota_entity - who has quotas of their own
 * @set: bit set of enum quota_key
 * @values: those that are set
 */
struct quota_entity {
	struct quota_name names[QUOTA_KINDS];
	unsigned int set;
	double values[QUOTA_KEYS];
};

struct quota_table;

/** quota_table_new - empty, with one reference; NULL: no memory */
struct quota_table *quota_table_new(void);

/** quota_table_copy - to be changed; NULL: no memory */
struct quota_table *quota_table_copy(const struct quota_table *t);

/** quota_table_get, quota_table_put - from any thread; NULL is let be */
struct quota_table *quota_table_get(struct quota_table *t);
void quota_table_put(struct quota_table *t);

/** quota_table_entities - all that have any, in no order */
const struct quota_entity *quota_table_entities(const struct quota_table *t, size_t *ret_n);

/** quota_table_has - is any entity's @key set */
bool quota_table_has(const struct quota_table *t, enum quota_key key);

/**
 * quota_table_set - set or take back one quota, before the table is shared
 * @names: copied
 * @value: NULL: take it back
 * Returns 0 or -ENOMEM.
 */
int quota_table_set(struct quota_table *t, const struct quota_name names[QUOTA_KINDS],
		    enum quota_key key, const double *value);

/**
 * struct quota_match - the quota that counts for a client
 * @value: it
 * @by: which parts of who it is have a share of their own; bit set of enum quota_kind
 */
struct quota_match {
	double value;
	unsigned int by;
};

/**
 * quota_table_find - the most precise one, in Kafka's order: (user, client),
 *	(user, any client), user, (any user, client), (any, any), any user, client,
 *	any client
 * Returns false if there is none.
 */
bool quota_table_find(const struct quota_table *t, struct kafka_str user, struct kafka_str client,
		      enum quota_key key, struct quota_match *ret);

/** quota_table_parse - 0, -ENOMEM, or -EUCLEAN with the line in @ret_line */
int quota_table_parse(const char *text, struct quota_table **ret_t, unsigned int *ret_line);

/** quota_table_format - the text, to be freed; NULL: no memory */
char *quota_table_format(const struct quota_table *t, size_t *ret_len);

#endif /* SLUICE_QUOTA_QUOTA_TABLE_H */
