// SPDX-License-Identifier: Apache-2.0
/* Deleting records below an offset. */
#include <errno.h>
#include <inttypes.h>
#include "daemon/log/log_dir_open.h"

int log_dir_delete_records(struct kern *k, const char *topic, uint32_t partition, int64_t offset,
			   int64_t *ret_start, struct log_dir_error *err)
{
	struct kern_partition p;
	int result = kern_partition_get(k, topic, partition, &p);

	if (!result) {
		if (offset < 0)
			offset = p.high_watermark;
		result = kern_partition_set_log_start(k, topic, partition, offset);
	}
	if (!result)
		result = kern_partition_get(k, topic, partition, &p);
	if (result == -ERANGE)
		return log_dir_fail(err, result,
				    "offset %" PRId64 " is not between %" PRId64 " and %" PRId64
				    ", the high watermark of %s-%" PRIu32,
				    offset, p.log_start_offset, p.high_watermark, topic, partition);
	if (result)
		return log_dir_fail(err, result, "%s", kern_error(k));
	*ret_start = p.log_start_offset;
	return 0;
}
