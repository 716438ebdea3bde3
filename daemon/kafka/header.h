/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of requests and responses, in the version that goes with the
 * version of the message behind them.
 */
#ifndef SLUICE_KAFKA_HEADER_H
#define SLUICE_KAFKA_HEADER_H

#include "kafka/message.h"

/**
 * kafka_request_header_decode - read the header of a request
 * @r: at the header; afterwards at the message
 * @ret: the header; client_id points into the request
 * @ret_api: its API; may serve other versions than the one asked for: compare
 *	with min and max
 *
 * Returns 0; -EOPNOTSUPP if there is no such API, and @ret then has all but the
 * client_id; or -EBADMSG.
 */
int kafka_request_header_decode(struct wire_reader *r, struct kafka_request_header *ret,
				const struct kafka_api **ret_api);

/**
 * kafka_request_header_encode - append the header of a request
 * @w: where
 * @m: the header; its request_api_key and request_api_version choose the
 *	header's own version. An unknown key is the error -EOPNOTSUPP
 */
void kafka_request_header_encode(struct wire_writer *w, const struct kafka_request_header *m);

/** kafka_response_header_encode - append the header of a response of @api in @version */
void kafka_response_header_encode(struct wire_writer *w, const struct kafka_api *api,
				  int16_t version, int32_t correlation_id);

/**
 * kafka_response_header_decode - read the header of a response
 *
 * Returns 0 or -EBADMSG.
 */
int kafka_response_header_decode(struct wire_reader *r, const struct kafka_api *api,
				 int16_t version, struct kafka_response_header *ret);

#endif
