/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The topic __consumer_offsets: writes the coordinator's batches to it, and
 * reads it when the daemon starts. The coordinator's only way to the disk.
 */
#ifndef SLUICE_GROUP_OFFSETS_LOG_H
#define SLUICE_GROUP_OFFSETS_LOG_H

#include "daemon/group/coordinator.h"
#include "daemon/group/replay.h"
#include "daemon/kafka/produce_purgatory.h"
#include "daemon/log/data_socket.h"
#include "daemon/log/segment_fd_cache.h"

/**
 * struct offsets_log - of the coordinator's thread
 * @topic: in @image, or NULL if there is none
 * @timeout_ms: how long a write may take
 * @loading: the partition that is being read, at @offset
 * @parts: enum part_state of each; those that could not be read are tried again
 *	when @retry is due
 */
struct offsets_log {
	struct reactor *reactor;
	struct coordinator *coordinator;
	struct data_socket *data;
	struct reactor_fd data_io;
	struct produce_purgatory writes;
	struct segment_fd_cache segments;
	struct image *image;
	const struct image_topic *topic;
	int64_t timeout_ms;
	struct reactor_task load;
	struct replay replay;
	int32_t loading;
	uint8_t *parts;
	struct timer retry;
	int64_t offset;
	uint8_t *buf;
	uint64_t n_damaged;
};

/** offsets_log_init - @family: of the module's sockets; 0 or -errno */
int offsets_log_init(struct offsets_log *l, struct reactor *r, struct coordinator *c,
		     uint32_t family, int64_t timeout_ms);

/** offsets_log_free - coordinator_stop() was called; writes that are not done are told that they failed */
void offsets_log_free(struct offsets_log *l);

/** offsets_log_set_image - topics have changed; @image: a reference, taken */
void offsets_log_set_image(struct offsets_log *l, struct image *image);

/** offsets_log_append - for struct coordinator_env */
int16_t offsets_log_append(struct offsets_log *l, int32_t partition,
			   const struct group_record *records, size_t n, int64_t wall_ms,
			   struct group_write *w);

#endif /* SLUICE_GROUP_OFFSETS_LOG_H */
