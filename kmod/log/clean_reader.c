// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Reading the batches of a segment whole and verified. */
#include "clean_reader.h"
#include "log.h"

int sluice_clean_reader_init(struct sluice_clean_reader *r, u32 chunk_size)
{
	memset(r, 0, sizeof(*r));
	r->chunk_size = max_t(u32, chunk_size, SLUICE_BATCH_CURSOR_CHUNK);
	r->chunk = port_alloc(r->chunk_size);
	return r->chunk ? 0 : -ENOMEM;
}

void sluice_clean_reader_destroy(struct sluice_clean_reader *r)
{
	sluice_clean_reader_close(r);
	port_free(r->chunk);
	r->chunk = NULL;
}

int sluice_clean_reader_open(struct sluice_clean_reader *r, struct port_dir *dir, s64 base_offset,
			     char *err)
{
	s64 size = 0;
	int ret;

	sluice_segment_name(r->name, base_offset, SLUICE_SUFFIX_LOG);
	ret = port_file_open(dir, r->name, PORT_RDONLY, &r->file);
	if (!ret) {
		size = port_file_size(r->file);
		ret = size < 0 ? (int)size : 0;
	}
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be opened (error %d)", r->name,
			 -ret);
		sluice_clean_reader_close(r);
		return ret;
	}
	sluice_batch_cursor_init(&r->cursor, r->file, 0, (u64)size, base_offset);
	sluice_batch_cursor_use(&r->cursor, r->chunk, r->chunk_size);
	return 0;
}

void sluice_clean_reader_close(struct sluice_clean_reader *r)
{
	port_file_close(r->file);
	r->file = NULL;
}

/* The file has so many bytes, or the cursor had not let it pass. */
static int grow(struct sluice_clean_reader *r, u32 size)
{
	u8 *chunk = port_alloc(size);

	if (!chunk)
		return -ENOMEM;
	port_free(r->chunk);
	r->chunk = chunk;
	r->chunk_size = size;
	sluice_batch_cursor_use(&r->cursor, r->chunk, r->chunk_size);
	return 0;
}

/* Has all of the batch in the chunk. */
static int load(struct sluice_clean_reader *r, const struct sluice_batch *b)
{
	struct sluice_batch_cursor *c = &r->cursor;
	int ret;

	if (b->size > r->chunk_size) {
		ret = grow(r, b->size);
		if (ret)
			return ret;
	}
	if (c->position < c->chunk_position ||
	    c->position + b->size > c->chunk_position + c->chunk_len) {
		ret = sluice_batch_cursor_read(c, c->position, r->chunk_size);
		if (ret)
			return ret;
	}
	return c->chunk_len < b->size ? -EIO : 0;
}

int sluice_clean_reader_next(struct sluice_clean_reader *r, s64 end_offset,
			     struct sluice_batch *ret_b, const u8 **ret_bytes, char *err)
{
	struct sluice_batch_cursor *c = &r->cursor;
	const char *why = "cannot be read";
	struct sluice_batch b;
	const u8 *bytes;
	int ret;

	ret = sluice_batch_cursor_peek(c, &b, &why);
	if (!ret)
		return 0;
	if (ret > 0)
		ret = load(r, &b);
	if (!ret) {
		bytes = c->chunk + (c->position - c->chunk_position);
		if (sluice_batch_last_offset(&b) >= end_offset) {
			why = "the batch has an offset of a later segment";
			ret = -EUCLEAN;
		} else if (port_crc32c(0, bytes + SLUICE_BATCH_CRC_START,
				       b.size - SLUICE_BATCH_CRC_START) != b.crc) {
			why = "the CRC of the batch is wrong";
			ret = -EUCLEAN;
		}
	}
	if (ret) {
		ret = ret == -EBADMSG ? -EUCLEAN : ret;
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: position %llu: %s (error %d)", r->name,
			 c->position, why, -ret);
		return ret;
	}
	sluice_batch_cursor_next(c, &b);
	*ret_b = b;
	*ret_bytes = bytes;
	return 1;
}
