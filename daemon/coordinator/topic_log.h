/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A coordinator's topic: writes its batches to it, and reads it when the daemon
 * starts. The coordinator's only way to the disk.
 */
#ifndef SLUICE_COORDINATOR_TOPIC_LOG_H
#define SLUICE_COORDINATOR_TOPIC_LOG_H

#include "daemon/coordinator/batch_writer.h"
#include "daemon/coordinator/replay.h"
#include "daemon/log/segment_fd_cache.h"

/**
 * struct topic_log - of the coordinators' thread
 * @name: of the topic
 * @topic: in @image, or NULL if there is none
 * @loading: the partition that is being read, at @offset
 * @parts: enum part_state of each of the @n_parts; those that could not be read are
 *	tried again when @retry is due
 */
struct topic_log {
	struct reactor *reactor;
	struct batch_writer *writer;
	struct topic_reader *reader;
	const char *name;
	struct segment_fd_cache segments;
	struct image *image;
	const struct image_topic *topic;
	struct reactor_task load;
	struct sluice__bytes opened;
	int32_t loading;
	uint8_t *parts;
	int32_t n_parts;
	struct timer retry;
	int64_t offset;
	uint8_t *buf;
	uint64_t n_damaged;
};

void topic_log_init(struct topic_log *l, struct batch_writer *w, struct topic_reader *reader,
		    const char *name);

/** topic_log_free - reader->stop() was called; batch_writer_free() comes after it */
void topic_log_free(struct topic_log *l);

/** topic_log_drain - read no more */
void topic_log_drain(struct topic_log *l);

/** topic_log_set_image - topics have changed; @image: a reference, taken */
void topic_log_set_image(struct topic_log *l, struct image *image);

/**
 * topic_log_append - write records as one batch, which are copied
 * Returns 0, and w->done is called later, not from inside; or the error code of
 * why nothing was written.
 */
int16_t topic_log_append(struct topic_log *l, int32_t partition, const struct topic_record *records,
			 size_t n, int64_t wall_ms, struct topic_write *w);

#endif /* SLUICE_COORDINATOR_TOPIC_LOG_H */
