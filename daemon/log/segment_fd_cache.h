/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segment files that a worker has open for sendfile(2): a bounded table, the
 * longest unused one goes first. One thread only.
 */
#ifndef SLUICE_LOG_SEGMENT_FD_CACHE_H
#define SLUICE_LOG_SEGMENT_FD_CACHE_H

#include <stdbool.h>

#include "daemon/core/htable.h"
#include "daemon/core/list.h"
#include "daemon/metadata/image.h"

/**
 * struct segment_file - one open .log file, read-only
 * @fd: for sendfile and pread at a position; its own offset is not used
 * The rest is the cache's.
 */
struct segment_file {
	int fd;
	struct hnode node;
	struct list link;
	unsigned int users;
	bool cached;
	uint8_t topic_id[SLUICE_TOPIC_ID_LEN];
	int32_t partition;
	int64_t base_offset;
	uint64_t inode;
};

struct segment_fd_cache {
	struct htable files;
	struct list unused; /* the longest unused one first */
	size_t max;
};

/** segment_fd_cache_init - keep up to @max files open, and more only while they are in use */
void segment_fd_cache_init(struct segment_fd_cache *c, size_t max);

/** segment_fd_cache_free - nobody uses a file any more */
void segment_fd_cache_free(struct segment_fd_cache *c);

/**
 * segment_file_get - the file of a segment; give it back with segment_file_put()
 * @inode: of the file, as SLUICE_FETCH told; one that was opened as another
 *	file is forgotten
 * @ret_opened: whether it was opened just now. Then the number may have been
 *	given to another file before it was opened: ask the kernel once more, and
 *	call segment_file_forget() if the answer is not the same. While it is open
 *	no other file can have the number.
 * Returns 0; -ESTALE if the name is another file's; or -errno of open(2).
 */
int segment_file_get(struct segment_fd_cache *c, const struct image_topic *topic, int32_t partition,
		     int64_t base_offset, uint64_t inode, struct segment_file **ret_file,
		     bool *ret_opened);
void segment_file_put(struct segment_fd_cache *c, struct segment_file *f);

/** segment_file_forget - put it, and never give it out again */
void segment_file_forget(struct segment_fd_cache *c, struct segment_file *f);

/** segment_fd_cache_prune - forget the files of topics that @image does not have */
void segment_fd_cache_prune(struct segment_fd_cache *c, const struct image *image);

#endif /* SLUICE_LOG_SEGMENT_FD_CACHE_H */
