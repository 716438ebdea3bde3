// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/sluice_format.h>

#include "daemon/core/diag.h"
#include "daemon/kafka/fetch_aborted.h"
#include "daemon/kafka/fetch_files.h"
#include "daemon/kafka/fetch_lookup.h"

static struct diag_limit open_limit;

/* How often a segment may be replaced while one request looks for it. */
#define TRIES_MAX 8

/* Ask anew what the range is. What is sent stays within the limits that were shared out. */
static int16_t ask_again(struct worker *w, struct fetch_part *part)
{
	struct sluice_fetch *f = part->lookup;
	int err = data_socket_fetch(w->data, f, 1);

	if (!err)
		err = f->error;
	if (err)
		return fetch_error_code(err);
	if (f->bytes > part->bytes)
		part->cut = true;
	else
		part->bytes = f->bytes;
	return KAFKA_ERROR_NONE;
}

static bool same_file(const struct sluice_fetch *a, const struct sluice_fetch *b)
{
	return a->segment_base_offset == b->segment_base_offset && a->inode == b->inode;
}

/*
 * The file that the range is in. It is found by its name, which retention,
 * truncation, compaction, or another topic of that name may meanwhile have given
 * to another file: what was opened is used only if the kernel, asked while it is
 * open, still means the same one.
 */
static int16_t get_file(struct worker *w, struct fetch_part *part, struct segment_file **ret_file)
{
	int err = 0;

	for (int i = 0; i < TRIES_MAX && part->bytes; i++) {
		const struct sluice_fetch found = *part->lookup;
		int16_t code;
		bool opened;

		err = segment_file_get(&w->segments, part->topic, found.partition,
				       found.segment_base_offset, found.inode, ret_file, &opened);
		if (!err && !opened)
			return KAFKA_ERROR_NONE;
		if (err && err != -ENOENT && err != -ESTALE)
			break;
		code = ask_again(w, part);
		if (!err && !code && same_file(&found, part->lookup))
			return KAFKA_ERROR_NONE;
		if (!err)
			segment_file_forget(&w->segments, *ret_file);
		if (code)
			return code;
	}
	*ret_file = NULL;
	if (!part->bytes)
		return KAFKA_ERROR_NONE;
	diag_limited(&open_limit, DIAG_ERROR, "cannot open segment %lld of %s-%d in %s: %s",
		     (long long)part->lookup->segment_base_offset, part->topic->name,
		     part->lookup->partition, part->topic->data_dir,
		     err ? strerror(-err) : "it changes all the time");
	return KAFKA_ERROR_KAFKA_STORAGE_ERROR;
}

/* Whether the range holds its first batch whole. */
static bool first_is_whole(const struct segment_file *file, const struct fetch_part *part)
{
	uint8_t prefix[SLUICE_BATCH_PREFIX_LEN];
	uint32_t be;

	if (part->bytes < sizeof(prefix) ||
	    pread(file->fd, prefix, sizeof(prefix), part->lookup->position) !=
		    (ssize_t)sizeof(prefix))
		return false;
	memcpy(&be, prefix + sizeof(prefix) - sizeof(be), sizeof(be));
	return (uint64_t)be32toh(be) + sizeof(prefix) <= part->bytes;
}

int fetch_files_open(struct request *r, struct fetch_part *parts, uint32_t n)
{
	r->files = request_alloc(r, n, sizeof(*r->files));
	if (!r->files)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct fetch_part *part = &parts[i];
		struct segment_file *file;

		if (!part->bytes)
			continue;
		part->out->error_code = get_file(r->worker, part, &file);
		if (part->out->error_code || !file)
			continue;
		if (part->cut && !first_is_whole(file, part)) {
			segment_file_put(&r->worker->segments, file);
			continue;
		}
		if (part->lookup->flags & SLUICE_FETCH_COMMITTED)
			part->out->error_code = fetch_aborted(r, part->lookup, part->out);
		if (part->out->error_code) {
			segment_file_put(&r->worker->segments, file);
			continue;
		}
		part->out->records.len = (int32_t)part->bytes;
		r->files[r->n_files++] = (struct request_file){
			.file = file,
			.position = part->lookup->position,
		};
	}
	return 0;
}
