// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "daemon/core/diag.h"
#include "daemon/log/segment_find.h"

static struct diag_limit open_limit;

/* How often a segment may be replaced while one request looks for it. */
#define TRIES_MAX 8

static bool same_file(const struct sluice_fetch *a, const struct sluice_fetch *b)
{
	return a->segment_base_offset == b->segment_base_offset && a->inode == b->inode;
}

int segment_find(struct data_socket *data, struct segment_fd_cache *cache,
		 const struct image_topic *topic, struct sluice_fetch *f,
		 struct segment_file **ret_file)
{
	int err = 0;

	for (int i = 0; i < TRIES_MAX && f->bytes; i++) {
		const struct sluice_fetch found = *f;
		int again;
		bool opened;

		err = segment_file_get(cache, topic, found.partition, found.segment_base_offset,
				       found.inode, ret_file, &opened);
		if (!err && !opened)
			return 0;
		if (err && err != -ENOENT && err != -ESTALE)
			break;
		again = data_socket_fetch(data, f, 1);
		if (!again)
			again = f->error;
		if (!err && !again && same_file(&found, f))
			return 0;
		if (!err)
			segment_file_forget(cache, *ret_file);
		if (again)
			return again;
	}
	*ret_file = NULL;
	if (!f->bytes)
		return 0;
	diag_limited(&open_limit, DIAG_ERROR, "cannot open segment %lld of %s-%d in %s: %s",
		     (long long)f->segment_base_offset, topic->name, f->partition, topic->data_dir,
		     err ? strerror(-err) : "it changes all the time");
	return -EIO;
}
