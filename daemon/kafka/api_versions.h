/* SPDX-License-Identifier: Apache-2.0 */
/* What is advertised: the APIs from the generated table, so that it cannot be untrue. */
#ifndef SLUICE_KAFKA_API_VERSIONS_H
#define SLUICE_KAFKA_API_VERSIONS_H

#include "kafka/message.h"

/* The one feature with levels, and the one level that is in force. */
#define TXN_FEATURE	  "transaction.version"
#define TXN_FEATURE_LEVEL 2

/** api_versions_fill - the ranges of all APIs, and the features; @version: of the answer; 0 or -ENOMEM */
int api_versions_fill(struct kafka_api_versions_response *m, struct arena *a, int16_t version);

#endif /* SLUICE_KAFKA_API_VERSIONS_H */
