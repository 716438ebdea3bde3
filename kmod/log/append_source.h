/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The bytes of a batch on their way into the log, as far as the log has them
 * in memory of its own.
 *
 * A small batch is taken whole before the append mutex is. Nobody can change it
 * then, so its CRC is known at once, and one write stores what was checked. Of a
 * larger one the header is taken; the batch goes straight from the sender into the
 * page cache, where the header is put right and the CRC is taken. What is small
 * depends on the files: where changing the header is a second call into the file
 * system, that costs as much as the copy of many bytes.
 */
#ifndef SLUICE_LOG_APPEND_SOURCE_H
#define SLUICE_LOG_APPEND_SOURCE_H

#include "log.h"

#define SLUICE_APPEND_HEAD	128
#define SLUICE_APPEND_WHOLE_MAX	PORT_BUFFER_BYTES
#define SLUICE_APPEND_WHOLE_PATCHED	512 /* where port_file_patches() */

/**
 * struct sluice_append_source - a batch being appended
 * @bytes: @head, or one of the port's buffers
 * @len: how many of the batch's bytes they are
 * @whole: all of them, and their CRC is right
 * @head: the header, and what is behind it of a small batch; small itself, for
 *	kernels may zero what a function has on its stack
 */
struct sluice_append_source {
	u8 *bytes;
	u32 len;
	bool whole;
	u8 head[SLUICE_APPEND_HEAD];
};

/**
 * sluice_append_source_init() - take the header, and all of a batch that is not large
 * @src: end it with sluice_append_source_end(), also after a failure
 * @whole_max: what is not large; at most SLUICE_APPEND_WHOLE_MAX
 * Returns 0 or, with a->why set, -EINVAL if there is no header, -EFAULT, or
 * -EBADMSG if a whole batch has a wrong CRC.
 */
int __must_check sluice_append_source_init(struct sluice_append_source *src,
					   struct sluice_append *a, u32 whole_max);
void sluice_append_source_end(struct sluice_append_source *src);

/**
 * sluice_append_source_fill() - have as much of the batch as @head takes
 * @size: of the whole batch
 * Does nothing for what is whole. -EFAULT with a->why set.
 */
int __must_check sluice_append_source_fill(struct sluice_append_source *src,
					   struct sluice_append *a, u32 size);

/**
 * sluice_append_source_judge() - what is to be said of a batch that was refused
 * @err: why it was refused, before any of it was stored
 * @b: its header
 * A field that is impossible may be one that was damaged on its way: then it is
 * the CRC that is wrong, and the sender should try again. Returns -EBADMSG if
 * it is, else @err. Reads the rest of a->src.
 */
int __must_check sluice_append_source_judge(struct sluice_append_source *src,
					    struct sluice_append *a, int err,
					    const struct sluice_batch *b);

#endif /* SLUICE_LOG_APPEND_SOURCE_H */
