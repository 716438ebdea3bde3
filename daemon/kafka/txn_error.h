/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLUICE_KAFKA_TXN_ERROR_H
#define SLUICE_KAFKA_TXN_ERROR_H

#include <stdbool.h>
#include <stdint.h>

/**
 * txn_write_error - what is told of a write that the transaction coordinator refused
 * @code: the coordinator's
 * @knows_abortable: the client knows TRANSACTION_ABORTABLE
 * @adds: it is one whose writes add what they write to
 * As Kafka: an error that such a client would not try again after becomes one that it does.
 */
int16_t txn_write_error(int16_t code, bool knows_abortable, bool adds);

#endif /* SLUICE_KAFKA_TXN_ERROR_H */
