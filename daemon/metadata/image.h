/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata image: which topics there are. Immutable once built, shared by
 * reference; the controller builds a new one when something changed and hands
 * it to the workers.
 */
#ifndef SLUICE_METADATA_IMAGE_H
#define SLUICE_METADATA_IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "daemon/kern/kern.h"
#include "daemon/quota/quota_table.h"
#include "daemon/records/record_check.h"

/**
 * struct image_topic - one topic; lives as long as its image
 * @data_dir: absolute path of the directory its partitions are in
 * @config: in force in the log, all fields valid
 * @codec: how batches are stored
 */
struct image_topic {
	char name[SLUICE_TOPIC_NAME_MAX + 1];
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	int32_t partition_count;
	int32_t leader_epoch;
	const char *data_dir;
	struct kern_topic_config config;
	struct record_codec codec;
};

/** OFFSETS_TOPIC - where the groups and their offsets are kept; made and written by the broker */
#define OFFSETS_TOPIC "__consumer_offsets"

/** TXN_TOPIC - where transactional ids and their transactions are kept; likewise */
#define TXN_TOPIC "__transaction_state"

/** image_topic_internal - whether the broker made it for itself */
static inline bool image_topic_internal(const struct image_topic *t)
{
	return !strcmp(t->name, OFFSETS_TOPIC) || !strcmp(t->name, TXN_TOPIC);
}

struct image;

/**
 * image_build - copy what the kernel says
 * @codecs: how batches of each topic are stored; NULL: as they are sent
 * Returns 0 with one reference in @ret_image, or -ENOMEM.
 */
int image_build(const struct kern_topic *topics, const struct record_codec *codecs, size_t n,
		struct image **ret_image);

/** image_set_quotas - the quotas that are set, before the image is shared; takes a reference */
void image_set_quotas(struct image *image, struct quota_table *quotas);

/** image_quotas - NULL if none is set */
const struct quota_table *image_quotas(const struct image *image);

/** image_get, image_put - from any thread */
struct image *image_get(struct image *image);
void image_put(struct image *image);

/** image_topics - all of them, sorted by name */
const struct image_topic *image_topics(const struct image *image, size_t *ret_n);

/** image_by_name - @name need not end with a NUL; NULL if there is none */
const struct image_topic *image_by_name(const struct image *image, const char *name, size_t len);

/** image_by_id - NULL if there is none */
const struct image_topic *image_by_id(const struct image *image,
				      const uint8_t id[SLUICE_TOPIC_ID_LEN]);

#endif /* SLUICE_METADATA_IMAGE_H */
