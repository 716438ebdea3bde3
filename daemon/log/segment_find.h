/* SPDX-License-Identifier: Apache-2.0 */
/* The file that a range of a log is in. */
#ifndef SLUICE_LOG_SEGMENT_FIND_H
#define SLUICE_LOG_SEGMENT_FIND_H

#include "daemon/log/data_socket.h"
#include "daemon/log/segment_fd_cache.h"

/**
 * segment_find - open the file of the range that @f was answered with
 * @f: may be asked anew, and be a shorter or longer range then
 * @ret_file: for segment_file_put(); NULL if there is no range any more
 * It is found by its name, which retention, truncation, compaction, or another
 * topic of that name may meanwhile have given to another file: what was opened
 * is used only if the kernel, asked while it is open, still means the same one.
 * Returns 0, or -errno; what cannot be opened was said in the diagnostics and
 * is -EIO.
 */
int segment_find(struct data_socket *data, struct segment_fd_cache *cache,
		 const struct image_topic *topic, struct sluice_fetch *f,
		 struct segment_file **ret_file);

#endif /* SLUICE_LOG_SEGMENT_FIND_H */
