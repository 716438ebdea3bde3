/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The committed offsets of one group.
 *
 * An offset changes in two steps: it is claimed while its record is on the way
 * to the log, and set when the log has it. Who looks between the two sees the
 * old one, because a power cut could still bring that back.
 *
 * What a transaction commits stays pending when the log has it, until the
 * transaction ends.
 */
#ifndef SLUICE_GROUP_OFFSET_TABLE_H
#define SLUICE_GROUP_OFFSET_TABLE_H

#include "daemon/core/htable.h"
#include "daemon/core/list.h"
#include "daemon/group/group_record.h"

/** struct offset_pending - what a producer's open transaction commits; @value.metadata is owned */
struct offset_pending {
	struct list link;
	int64_t producer_id;
	uint64_t number;
	struct offset_value value;
};

/**
 * struct offset_entry - one partition; @topic and @value.metadata are owned
 * @present: whether there is an offset
 * @number: of the write that set or removed it; those of later writes are larger
 * @claims: writes on the way, @n_unstable of them parts of transactions
 * @pending: struct offset_pending, one for each transaction
 */
struct offset_entry {
	struct hnode node;
	struct list link;
	struct kafka_str topic;
	int32_t partition;
	struct offset_value value;
	bool present;
	uint64_t number;
	uint32_t claims;
	uint32_t n_unstable;
	struct list pending;
};

/**
 * struct offset_table - @entries: in the order in which they came; @n_present of
 *	them count
 * @n_pending: struct offset_pending of all
 */
struct offset_table {
	struct htable by_key;
	struct list entries;
	size_t n_present;
	size_t n_pending;
};

void offset_table_init(struct offset_table *t);
void offset_table_free(struct offset_table *t);

/** offset_find - NULL if there is no committed offset */
struct offset_entry *offset_find(const struct offset_table *t, struct kafka_str topic,
				 int32_t partition);

/** offset_claim - the entry for a write that begins; NULL: no memory */
struct offset_entry *offset_claim(struct offset_table *t, struct kafka_str topic,
				  int32_t partition);

/** offset_release - a write ended without a change; @e may be gone then */
void offset_release(struct offset_table *t, struct offset_entry *e);

/**
 * offset_set - a write ended; what a later one has set stays
 * @metadata: memory for v->metadata, taken; @v is copied
 */
void offset_set(struct offset_table *t, struct offset_entry *e, uint64_t number,
		const struct offset_value *v, struct kafka_str metadata);

/** offset_remove - a write ended that removed the offset; @e may be gone then */
void offset_remove(struct offset_table *t, struct offset_entry *e, uint64_t number);

/** offset_is_unstable - whether a transaction that is open may still change it */
bool offset_is_unstable(const struct offset_table *t, struct kafka_str topic, int32_t partition);

/**
 * offset_pend - a write ended that is part of a producer's transaction
 * As offset_set(), but nothing is changed before offset_end(). Returns 0 or
 * -ENOMEM; @metadata is taken, and the claim released, in any case.
 */
int offset_pend(struct offset_table *t, struct offset_entry *e, uint64_t number,
		int64_t producer_id, const struct offset_value *v, struct kafka_str metadata);

/** offset_end - a producer's transaction ended: what it left pending counts, or never did */
void offset_end(struct offset_table *t, int64_t producer_id, bool commit);

#endif /* SLUICE_GROUP_OFFSET_TABLE_H */
