// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Walking from batch to batch over a part of a log file, by the headers. */
#include "batch_cursor.h"

void sluice_batch_cursor_init(struct sluice_batch_cursor *c, struct port_file *file,
			      u64 position, u64 end, s64 min_offset)
{
	c->file = file;
	c->position = position;
	c->end = end;
	c->min_offset = min_offset;
	c->bytes_read = 0;
	c->chunk_position = position;
	c->chunk_len = 0;
	sluice_batch_cursor_use(c, c->own, sizeof(c->own));
}

void sluice_batch_cursor_use(struct sluice_batch_cursor *c, u8 *chunk, u32 size)
{
	c->chunk = chunk;
	c->chunk_size = size;
	c->chunk_len = 0;
	c->read_size = SLUICE_BATCH_CURSOR_CHUNK;
}

int sluice_batch_cursor_read(struct sluice_batch_cursor *c, u64 position, u32 len)
{
	u64 most = min_t(u64, c->chunk_size, c->end - position);
	ssize_t n = port_file_read(c->file, position, c->chunk, min_t(u64, len, most));

	if (n < 0)
		return (int)n;
	c->chunk_position = position;
	c->chunk_len = (u32)n;
	c->bytes_read += (u64)n;
	return 0;
}

static int fill(struct sluice_batch_cursor *c)
{
	u64 chunk_end = c->chunk_position + c->chunk_len;
	int ret;

	if (c->position >= c->chunk_position && c->position + SLUICE_BATCH_HEADER_LEN <= chunk_end)
		return 0;
	if (c->position > chunk_end)
		c->read_size = SLUICE_BATCH_CURSOR_CHUNK;
	ret = sluice_batch_cursor_read(c, c->position, c->read_size);
	if (ret)
		return ret;
	c->read_size = min(2 * c->read_size, c->chunk_size);
	return c->chunk_len < SLUICE_BATCH_HEADER_LEN ? -EBADMSG : 0;
}

static const char *parse_error(int err)
{
	switch (err) {
	case -EPROTONOSUPPORT:
		return "no batch of magic 2 starts here";
	case -EMSGSIZE:
		return "the batch is longer than the file";
	default:
		return "the header of the batch is impossible";
	}
}

int sluice_batch_cursor_peek(struct sluice_batch_cursor *c, struct sluice_batch *ret_b,
			     const char **ret_why)
{
	u64 left = c->end - c->position;
	struct sluice_batch b;
	int ret;

	if (c->position >= c->end)
		return 0;
	ret = left < SLUICE_BATCH_HEADER_LEN ? -EBADMSG : fill(c);
	if (ret == -EBADMSG)
		*ret_why = "the file ends inside the header of a batch";
	if (ret)
		return ret;
	ret = sluice_batch_parse(c->chunk + (c->position - c->chunk_position),
				 min_t(u64, left, U32_MAX), &b);
	if (ret) {
		*ret_why = parse_error(ret);
		return -EBADMSG;
	}
	if (b.base_offset < c->min_offset) {
		*ret_why = "the offset of the batch is below that of the one before";
		return -EBADMSG;
	}
	*ret_b = b;
	return 1;
}

void sluice_batch_cursor_next(struct sluice_batch_cursor *c, const struct sluice_batch *b)
{
	c->position += b->size;
	c->min_offset = sluice_batch_last_offset(b) + 1;
}
