// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log/segment_fd_cache.h"

void segment_fd_cache_init(struct segment_fd_cache *c, size_t max)
{
	htable_init(&c->files);
	list_init(&c->unused);
	c->max = max;
}

static void file_free(struct segment_file *f)
{
	close(f->fd);
	free(f);
}

/* Take it out of the table; whoever uses it may go on, and the last one frees it. */
static void uncache(struct segment_fd_cache *c, struct segment_file *f)
{
	if (!f->cached)
		return;
	htable_remove(&c->files, &f->node);
	list_remove(&f->link);
	f->cached = false;
	if (!f->users)
		file_free(f);
}

static void uncache_node(struct hnode *n, void *ctx)
{
	uncache(ctx, hnode_entry(n, struct segment_file, node));
}

void segment_fd_cache_free(struct segment_fd_cache *c)
{
	htable_each(&c->files, uncache_node, c);
	htable_free(&c->files);
}

static uint64_t hash_key(const uint8_t id[SLUICE_TOPIC_ID_LEN], int32_t partition,
			 int64_t base_offset)
{
	uint64_t h = hash_bytes(0, id, SLUICE_TOPIC_ID_LEN);

	return hash_u64(hash_u64(h, (uint64_t)partition), (uint64_t)base_offset);
}

static struct segment_file *find(const struct segment_fd_cache *c, uint64_t hash,
				 const uint8_t id[SLUICE_TOPIC_ID_LEN], int32_t partition,
				 int64_t base_offset)
{
	for (struct hnode *n = htable_first(&c->files, hash); n; n = htable_next(n)) {
		struct segment_file *f = hnode_entry(n, struct segment_file, node);

		if (f->partition == partition && f->base_offset == base_offset &&
		    !memcmp(f->topic_id, id, SLUICE_TOPIC_ID_LEN))
			return f;
	}
	return NULL;
}

/* A descriptor, or -ESTALE if the file of that name is not the one that is wanted. */
static int open_segment(const struct image_topic *topic, int32_t partition, int64_t base_offset,
			uint64_t inode)
{
	char path[PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s-%" PRId32 "/%020" PRId64 ".log",
			 topic->data_dir, topic->name, partition, base_offset);
	int fd, err;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : 0;
	if (!err && st.st_ino != inode)
		err = -ESTALE;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int segment_file_get(struct segment_fd_cache *c, const struct image_topic *topic, int32_t partition,
		     int64_t base_offset, uint64_t inode, struct segment_file **ret_file,
		     bool *ret_opened)
{
	uint64_t hash = hash_key(topic->id, partition, base_offset);
	struct segment_file *f = find(c, hash, topic->id, partition, base_offset);
	int err;

	if (f && f->inode != inode) {
		uncache(c, f);
		f = NULL;
	}
	*ret_opened = !f;
	if (f) {
		list_remove(&f->link);
		f->users++;
		*ret_file = f;
		return 0;
	}

	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->fd = open_segment(topic, partition, base_offset, inode);
	if (f->fd < 0) {
		err = f->fd;
		free(f);
		return err;
	}
	f->partition = partition;
	f->base_offset = base_offset;
	f->inode = inode;
	f->users = 1;
	list_init(&f->link);
	memcpy(f->topic_id, topic->id, sizeof(f->topic_id));
	/* A file that does not get into the table is used once and closed. */
	f->cached = !htable_insert(&c->files, &f->node, hash);
	*ret_file = f;
	return 0;
}

void segment_file_put(struct segment_fd_cache *c, struct segment_file *f)
{
	if (--f->users)
		return;
	if (!f->cached) {
		file_free(f);
		return;
	}
	list_append(&c->unused, &f->link);
	while (c->files.count > c->max && !list_empty(&c->unused))
		uncache(c, list_entry(c->unused.next, struct segment_file, link));
}

void segment_file_forget(struct segment_fd_cache *c, struct segment_file *f)
{
	uncache(c, f);
	segment_file_put(c, f);
}

struct prune {
	struct segment_fd_cache *cache;
	const struct image *image;
};

static void prune_node(struct hnode *n, void *ctx)
{
	struct segment_file *f = hnode_entry(n, struct segment_file, node);
	struct prune *p = ctx;

	if (!image_by_id(p->image, f->topic_id))
		uncache(p->cache, f);
}

void segment_fd_cache_prune(struct segment_fd_cache *c, const struct image *image)
{
	struct prune p = {.cache = c, .image = image};

	htable_each(&c->files, prune_node, &p);
}
