// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <string.h>
#include <unistd.h>
#include <linux/sluice_format.h>

#include "daemon/core/diag.h"
#include "daemon/kafka/fetch_files.h"
#include "daemon/kafka/fetch_lookup.h"

static struct diag_limit open_limit;

/* Whether a file that was found by the topic's name is the topic's: see segment_file_get(). */
static bool still_there(struct worker *w, const struct fetch_part *part)
{
	struct sluice_fetch again = *part->lookup;

	return !data_socket_fetch(w->data, &again, 1) && again.error != -ENOENT;
}

static int16_t get_file(struct worker *w, const struct fetch_part *part,
			struct segment_file **ret_file)
{
	const struct sluice_fetch *found = part->lookup;
	bool opened;
	int err = segment_file_get(&w->segments, part->topic, found->partition,
				   found->segment_base_offset, ret_file, &opened);

	if (err) {
		/* Gone with its topic, most likely; otherwise somebody should look. */
		if (err == -ENOENT && !still_there(w, part))
			return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
		diag_limited(&open_limit, DIAG_ERROR, "cannot open segment %lld of %s-%d in %s: %s",
			     (long long)found->segment_base_offset, part->topic->name,
			     found->partition, part->topic->data_dir, strerror(-err));
		return KAFKA_ERROR_KAFKA_STORAGE_ERROR;
	}
	if (opened && !still_there(w, part)) {
		segment_file_forget(&w->segments, *ret_file);
		return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	}
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
		if (part->out->error_code)
			continue;
		if (part->cut && !first_is_whole(file, part)) {
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
