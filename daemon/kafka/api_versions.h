/* SPDX-License-Identifier: Apache-2.0 */
/* What is advertised: from the generated table, so that it cannot be untrue. */
#ifndef SLUICE_KAFKA_API_VERSIONS_H
#define SLUICE_KAFKA_API_VERSIONS_H

#include "kafka/message.h"

/** api_versions_fill - the ranges of all APIs; 0 or -ENOMEM */
int api_versions_fill(struct kafka_api_versions_response *m, struct arena *a);

#endif /* SLUICE_KAFKA_API_VERSIONS_H */
