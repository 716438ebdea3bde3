/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a coordinator writes to its topic, as the coordinator sees it: it has
 * neither disk nor socket.
 */
#ifndef SLUICE_COORDINATOR_TOPIC_WRITE_H
#define SLUICE_COORDINATOR_TOPIC_WRITE_H

#include "daemon/core/wire.h"
#include "daemon/kafka/error_code.h"

/** struct topic_record - one record to be written; a null value is a tombstone */
struct topic_record {
	struct kafka_bytes key;
	struct kafka_bytes value;
};

/**
 * struct topic_write - a batch on its way to the log
 * @done: called when the log has it, or with the error code of why it has not.
 *	Batches of one partition are done in the order in which they were given
 * @owner: the coordinator's: whom it is about
 * @number: the coordinator's: larger than that of any write before
 * @transactional: part of the open transaction of a producer: counts when that
 *	is committed
 * @producer_id, @producer_epoch: of that
 */
struct topic_write {
	void (*done)(struct topic_write *w, int16_t error_code);
	void *owner;
	uint64_t number;
	bool transactional;
	int64_t producer_id;
	int16_t producer_epoch;
};

/**
 * struct topic_load - one record of a partition that is being read
 * @value: NULL: a tombstone
 * @producer_id: of the transaction that it is part of, or -1
 */
struct topic_load {
	const void *key;
	size_t key_len;
	const void *value;
	size_t value_len;
	int64_t producer_id;
};

#endif /* SLUICE_COORDINATOR_TOPIC_WRITE_H */
