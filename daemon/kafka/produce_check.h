/* SPDX-License-Identifier: Apache-2.0 */
/* What a leader checks of a batch before it is appended, as far as the log itself does not. */
#ifndef SLUICE_KAFKA_PRODUCE_CHECK_H
#define SLUICE_KAFKA_PRODUCE_CHECK_H

#include "daemon/kafka/error_code.h"
#include "daemon/core/wire.h"
#include "kmod/log/batch.h"

/**
 * produce_check - check the records of one partition of a request
 * @version: of the Produce request
 * @ret_why: a static sentence; set if there is one
 *
 * Exactly one batch of format 2, in a compression that the version allows; and,
 * if it is not compressed, each record well formed (LogValidator). The CRC, the
 * size limit, sequences and the rest of the header are the log's own business.
 *
 * Returns KAFKA_ERROR_NONE or the error code.
 */
int16_t produce_check(struct kafka_bytes records, int16_t version, const char **ret_why);

/** produce_is_transactional - whether it begins with a batch of a transaction; its header in @ret_b */
bool produce_is_transactional(struct kafka_bytes records, struct sluice_batch *ret_b);

#endif /* SLUICE_KAFKA_PRODUCE_CHECK_H */
