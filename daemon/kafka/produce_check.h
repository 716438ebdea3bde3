/* SPDX-License-Identifier: Apache-2.0 */
/* What a leader checks of a batch before it is appended, as far as the log itself does not. */
#ifndef SLUICE_KAFKA_PRODUCE_CHECK_H
#define SLUICE_KAFKA_PRODUCE_CHECK_H

#include "daemon/kafka/error_code.h"
#include "daemon/core/wire.h"
#include "daemon/metadata/image.h"
#include "daemon/records/record_check.h"

/**
 * struct produce_batch - the records of one partition of a request; zeroed to begin with
 * @check: the records that are to be appended; its code and sentence are the answer
 * @in_log: it was refused by the log's rules: Kafka then tells where the log begins
 * @heavy: what is left of the check takes long: produce_check_heavy()
 */
struct produce_batch {
	struct record_check check;
	bool in_log;
	bool heavy;
};

/**
 * produce_check - check the records of one partition of a request
 * @records: they may be changed as record_check says
 * @version: of the Produce request
 *
 * Exactly one batch of format 2, in a compression that the version allows, with
 * what the topic asks of its records (record_check.h). The CRC, sequences and
 * what is open in transactions are the log's own business.
 */
void produce_check(struct produce_batch *batch, struct kafka_bytes records, int16_t version,
		   const struct image_topic *topic);

/** produce_check_heavy - the rest, in whatever thread may take its time */
void produce_check_heavy(struct produce_batch *batch);

/** produce_batch_bytes - what is to be appended */
static inline struct kafka_bytes produce_batch_bytes(const struct produce_batch *batch)
{
	const struct record_check *c = &batch->check;

	return c->made.len ? (struct kafka_bytes){c->made.p, (int32_t)c->made.len}
			   : (struct kafka_bytes){c->batch, (int32_t)c->b.size};
}

/** produce_is_transactional - whether it begins with a batch of a transaction; its header in @ret_b */
bool produce_is_transactional(struct kafka_bytes records, struct sluice_batch *ret_b);

#endif /* SLUICE_KAFKA_PRODUCE_CHECK_H */
