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
}

static int fill(struct sluice_batch_cursor *c)
{
	ssize_t n;

	if (c->position >= c->chunk_position &&
	    c->position + SLUICE_BATCH_HEADER_LEN <= c->chunk_position + c->chunk_len)
		return 0;
	n = port_file_read(c->file, c->position, c->chunk,
			   min_t(u64, sizeof(c->chunk), c->end - c->position));
	if (n < 0)
		return (int)n;
	c->chunk_position = c->position;
	c->chunk_len = (u32)n;
	c->bytes_read += (u64)n;
	return n < SLUICE_BATCH_HEADER_LEN ? -EBADMSG : 0;
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
