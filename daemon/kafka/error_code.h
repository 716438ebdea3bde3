/* SPDX-License-Identifier: Apache-2.0 */
/* Error codes of the Kafka protocol: the only place where they meet errno. */
#ifndef SLUICE_KAFKA_ERROR_CODE_H
#define SLUICE_KAFKA_ERROR_CODE_H

#include <stdbool.h>
#include <stdint.h>

enum kafka_error_code {
#define X(code, name, retriable, text) KAFKA_ERROR_##name = (code),
#include "daemon/kafka/error_code.def"
#undef X
};

/**
 * struct kafka_error - what is known about an error code
 * @code: number on the wire
 * @name: Kafka's name, "UNKNOWN_TOPIC_OR_PARTITION"
 * @retriable: whether clients send the request again
 * @text: a sentence for people, without capital and full stop
 */
struct kafka_error {
	int16_t code;
	const char *name;
	bool retriable;
	const char *text;
};

/** kafka_error_find - the entry of a code; that of UNKNOWN_SERVER_ERROR if there is none */
const struct kafka_error *kafka_error_find(int16_t code);

/** kafka_error_name - the name of a code */
const char *kafka_error_name(int16_t code);

/**
 * kafka_error_from_errno - the code that a client gets for an error
 * @err: 0, or an errno, positive or negative, from the module, its sockets,
 *	the codec or the daemon itself
 *
 * The table at the end of uapi/linux/sluice.h, and what else the daemon can
 * meet. Anything else is UNKNOWN_SERVER_ERROR.
 */
int16_t kafka_error_from_errno(int err);

#endif
