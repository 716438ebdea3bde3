// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "daemon/kafka/error_code.h"
#include "daemon/kafka/fetch_lookup.h"

int16_t fetch_error_code(int err)
{
	/* Deleted between the image and now. */
	if (err == -ENODEV)
		return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	return kafka_error_from_errno(err);
}

int16_t fetch_check_epoch(int32_t wanted, int32_t ours)
{
	if (wanted < 0 || wanted == ours)
		return KAFKA_ERROR_NONE;
	return wanted < ours ? KAFKA_ERROR_FENCED_LEADER_EPOCH : KAFKA_ERROR_UNKNOWN_LEADER_EPOCH;
}

int16_t fetch_watermarks(struct worker *w, const struct image_topic *topic, int32_t partition,
			 int32_t epoch, struct sluice_fetch *ret)
{
	int err;

	if (!topic || partition < 0 || partition >= topic->partition_count)
		return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	*ret = (struct sluice_fetch){.partition = partition};
	memcpy(ret->topic_id, topic->id, sizeof(ret->topic_id));
	err = data_socket_fetch(w->data, ret, 1);
	if (!err)
		err = ret->error;
	/* The log does not begin at 0 any more; its offsets are there all the same. */
	if (err && err != -ERANGE)
		return fetch_error_code(err);
	ret->leader_epoch = topic->leader_epoch;
	return fetch_check_epoch(epoch, ret->leader_epoch);
}
