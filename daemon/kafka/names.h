/* SPDX-License-Identifier: Apache-2.0 */
/* What a request names, and whether twice, however much that is. */
#ifndef SLUICE_KAFKA_NAMES_H
#define SLUICE_KAFKA_NAMES_H

#include "daemon/core/htable.h"
#include "daemon/kafka/request.h"

/** struct names - zeroed in the beginning; entries lie in the request's arena */
struct names {
	struct htable table;
};

/** names_note - @name, which stays where it is, of some @kind; 0 or -ENOMEM */
int names_note(struct names *names, struct request *r, int8_t kind, struct kafka_str name);

/** names_has - was it noted */
bool names_has(const struct names *names, int8_t kind, struct kafka_str name);

/** names_twice - was it noted more than once */
bool names_twice(const struct names *names, int8_t kind, struct kafka_str name);

void names_free(struct names *names);

#endif /* SLUICE_KAFKA_NAMES_H */
