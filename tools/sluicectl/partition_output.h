/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLUICECTL_PARTITION_OUTPUT_H
#define SLUICECTL_PARTITION_OUTPUT_H

#include "tools/sluicectl/ctl.h"

/** partition_list_json() - an array; sorts the partitions by topic and index */
json_t *partition_list_json(struct kern_partition *partitions, size_t n);

/** partition_list_print() - a table; sorts them too */
int partition_list_print(struct kern_partition *partitions, size_t n, bool with_topic);

#endif /* SLUICECTL_PARTITION_OUTPUT_H */
