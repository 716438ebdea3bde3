// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/sluice_format.h>

#include "daemon/kafka/fetch_aborted.h"
#include "daemon/kafka/fetch_files.h"
#include "daemon/kafka/fetch_lookup.h"
#include "daemon/log/segment_find.h"

/* The file that the range is in. What is sent stays within the limits that were shared out. */
static int16_t get_file(struct worker *w, struct fetch_part *part, struct segment_file **ret_file)
{
	int err = segment_find(w->data, &w->segments, part->topic, part->lookup, ret_file);

	if (err)
		return fetch_error_code(err);
	if (part->lookup->bytes > part->bytes)
		part->cut = true;
	else
		part->bytes = part->lookup->bytes;
	return KAFKA_ERROR_NONE;
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
