/* SPDX-License-Identifier: Apache-2.0 */
/* The segment files behind the ranges of a fetch. */
#ifndef SLUICE_KAFKA_FETCH_FILES_H
#define SLUICE_KAFKA_FETCH_FILES_H

#include "daemon/kafka/request.h"
#include "daemon/worker.h"

/**
 * struct fetch_part - one partition of a fetch that was looked up
 * @topic: in the worker's image; good until the worker goes back to its loop
 * @out: its place in the answer
 * @lookup: what the log said
 * @leader_epoch: what the client believes it is
 * @bytes: so many are to be sent; 0 if there is an error
 * @cut: @bytes was made smaller than what the log said
 */
struct fetch_part {
	const struct image_topic *topic;
	struct kafka_fetch_response_partition *out;
	struct sluice_fetch *lookup;
	int32_t leader_epoch;
	uint32_t bytes;
	bool cut;
};

/**
 * fetch_files_open - get the files, and put lengths and files into the answer
 * A file that cannot be had is an error of that partition. A cut range without
 * even one whole batch is left out: some clients (librdkafka) take it for a
 * batch larger than their limit, and raise the limit.
 * Returns 0 or -ENOMEM.
 */
int fetch_files_open(struct request *r, struct fetch_part *parts, uint32_t n);

#endif /* SLUICE_KAFKA_FETCH_FILES_H */
