/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of requests as C strings, for what works with files and the kernel. */
#ifndef SLUICE_KAFKA_REQUEST_TEXT_H
#define SLUICE_KAFKA_REQUEST_TEXT_H

#include "daemon/kafka/request.h"

/** request_text - a copy in the request's arena; NULL if there is a NUL in it, or no memory */
const char *request_text(struct request *r, struct kafka_str s);

/** request_copy_text - a copy of a C string in the arena, or NULL */
const char *request_copy_text(struct request *r, const char *text);

#endif /* SLUICE_KAFKA_REQUEST_TEXT_H */
