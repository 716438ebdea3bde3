// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The segments that are to be cleaned, and which of them become one. */
#include "clean_segments.h"
#include "segment_name.h"

static int file_bytes(struct port_dir *dir, s64 base_offset, const char *suffix, u64 *ret_bytes,
		      char *err)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	s64 size;
	int ret;

	sluice_segment_name(name, base_offset, suffix);
	ret = port_file_open(dir, name, PORT_RDONLY, &file);
	if (!ret) {
		size = port_file_size(file);
		port_file_close(file);
		ret = size < 0 ? (int)size : 0;
		*ret_bytes = (u64)size;
	}
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be opened (error %d)", name, -ret);
	return ret;
}

static int measure(struct port_dir *dir, struct sluice_clean_segment *s, char *err)
{
	int ret;

	ret = file_bytes(dir, s->base_offset, SLUICE_SUFFIX_LOG, &s->log_bytes, err);
	if (!ret)
		ret = file_bytes(dir, s->base_offset, SLUICE_SUFFIX_OFFSET_INDEX,
				 &s->offset_index_bytes, err);
	if (!ret)
		ret = file_bytes(dir, s->base_offset, SLUICE_SUFFIX_TIME_INDEX,
				 &s->time_index_bytes, err);
	return ret;
}

int sluice_clean_segments(struct port_dir *dir, s64 end_offset,
			  struct sluice_clean_segment **ret_segments, u32 *ret_count, char *err)
{
	struct sluice_clean_segment *segments = NULL;
	u32 count, i;
	s64 *offsets;
	int ret;

	ret = sluice_segment_list_dir(dir, SLUICE_SUFFIX_LOG, &offsets, &count);
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "the directory cannot be listed (error %d)",
			 -ret);
		return ret;
	}
	while (count && offsets[count - 1] >= end_offset)
		count--;
	if (count) {
		segments = port_alloc(count * sizeof(*segments));
		ret = segments ? 0 : -ENOMEM;
		if (ret)
			snprintf(err, SLUICE_ERROR_TEXT_MAX, "out of memory");
	}
	for (i = 0; !ret && i < count; i++) {
		segments[i].base_offset = offsets[i];
		ret = measure(dir, &segments[i], err);
	}
	port_free(offsets);
	if (ret) {
		port_free(segments);
		return ret;
	}
	*ret_segments = segments;
	*ret_count = count;
	return 0;
}

u32 sluice_clean_group(const struct sluice_clean_segment *segments, u32 count,
		       const struct sluice_log_config *c, s64 end_offset)
{
	struct sluice_clean_segment sum = segments[0];
	u32 n;

	for (n = 1; n < count; n++) {
		/* Where the next one begins is known; this one's last record costs a read. */
		s64 last_offset = (n + 1 < count ? segments[n + 1].base_offset : end_offset) - 1;

		sum.log_bytes += segments[n].log_bytes;
		sum.offset_index_bytes += segments[n].offset_index_bytes;
		sum.time_index_bytes += segments[n].time_index_bytes;
		if (sum.log_bytes > c->segment_bytes ||
		    sum.offset_index_bytes > c->segment_index_bytes ||
		    sum.time_index_bytes > c->segment_index_bytes)
			break;
		/* An empty one adds no offset. */
		if (segments[n].log_bytes && last_offset - sum.base_offset > S32_MAX)
			break;
	}
	return n;
}
