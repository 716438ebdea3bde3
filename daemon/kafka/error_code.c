// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "daemon/kafka/error_code.h"

/* In order of code, from -1, without a hole: a code is its own index. */
static const struct kafka_error errors[] = {
#define X(code, name, retriable, text) {code, #name, retriable, text},
#include "daemon/kafka/error_code.def"
#undef X
};

#define ERROR_COUNT ((int)(sizeof(errors) / sizeof(errors[0])))

const struct kafka_error *kafka_error_find(int16_t code)
{
	int index = code + 1;

	return &errors[index >= 0 && index < ERROR_COUNT ? index : 0];
}

const char *kafka_error_name(int16_t code)
{
	return kafka_error_find(code)->name;
}

int16_t kafka_error_from_errno(int err)
{
	switch (abs(err)) {
	case 0: return KAFKA_ERROR_NONE;
	case EBADMSG: return KAFKA_ERROR_CORRUPT_MESSAGE;
	case EINVAL: return KAFKA_ERROR_INVALID_RECORD;
	case EMSGSIZE: return KAFKA_ERROR_MESSAGE_TOO_LARGE;
	case ENOENT: return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	case ERANGE: return KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
	case EILSEQ: return KAFKA_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER;
	case ESTALE: return KAFKA_ERROR_INVALID_PRODUCER_EPOCH;
	case ECANCELED: return KAFKA_ERROR_NOT_LEADER_OR_FOLLOWER;
	case ETIME: return KAFKA_ERROR_INVALID_TIMESTAMP;
	case EBUSY: return KAFKA_ERROR_INVALID_TXN_STATE;
	case EOWNERDEAD: return KAFKA_ERROR_TRANSACTION_COORDINATOR_FENCED;
	case EACCES:
	case EPERM: return KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
	case EEXIST: return KAFKA_ERROR_TOPIC_ALREADY_EXISTS;
	case EOPNOTSUPP: return KAFKA_ERROR_UNSUPPORTED_VERSION;
	case ETIMEDOUT: return KAFKA_ERROR_REQUEST_TIMED_OUT;
	case ENOSPC:
	case EDQUOT:
	case EIO:
	case EROFS: return KAFKA_ERROR_KAFKA_STORAGE_ERROR;
	default: return KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
	}
}
