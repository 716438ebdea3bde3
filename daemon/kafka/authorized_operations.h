/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations that are allowed, as bits of Kafka's AclOperation: all that there
 * are for the kind of resource, because there is no access control.
 */
#ifndef SLUICE_KAFKA_AUTHORIZED_OPERATIONS_H
#define SLUICE_KAFKA_AUTHORIZED_OPERATIONS_H

#define AUTHORIZED_ON_TOPIC   0x0df8 /* read ... describe, describe and alter configs */
#define AUTHORIZED_ON_CLUSTER 0x1fa0 /* create, alter, describe ... idempotent write */

#endif /* SLUICE_KAFKA_AUTHORIZED_OPERATIONS_H */
