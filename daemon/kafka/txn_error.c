// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/error_code.h"
#include "daemon/kafka/txn_error.h"

int16_t txn_write_error(int16_t code, bool knows_abortable, bool adds)
{
	switch (code) {
	case KAFKA_ERROR_PRODUCER_FENCED: return KAFKA_ERROR_INVALID_PRODUCER_EPOCH;
	case KAFKA_ERROR_TRANSACTION_ABORTABLE:
		return knows_abortable ? code : KAFKA_ERROR_INVALID_TXN_STATE;
	case KAFKA_ERROR_CONCURRENT_TRANSACTIONS:
		return adds ? code : KAFKA_ERROR_NOT_ENOUGH_REPLICAS;
	case KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS:
	case KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE:
	case KAFKA_ERROR_NOT_COORDINATOR: return KAFKA_ERROR_NOT_ENOUGH_REPLICAS;
	default: return code;
	}
}
