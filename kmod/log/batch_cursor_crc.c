// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Verifying batches on the way: one pass over the file for headers and CRCs. */
#include "batch_cursor.h"

int sluice_batch_cursor_crc(struct sluice_batch_cursor *c, const struct sluice_batch *b,
			    u32 *ret_crc)
{
	u64 position = c->position + SLUICE_BATCH_CRC_START;
	u64 end = c->position + b->size;
	u32 crc = 0;

	while (position < end) {
		u64 chunk_end = c->chunk_position + c->chunk_len;
		u32 part;
		int ret;

		if (position >= chunk_end) {
			ret = sluice_batch_cursor_read(c, position, c->chunk_size);
			if (ret)
				return ret;
			if (!c->chunk_len)
				return -EIO;
			chunk_end = position + c->chunk_len;
		}
		part = (u32)(min(end, chunk_end) - position);
		crc = port_crc32c(crc, c->chunk + (position - c->chunk_position), part);
		position += part;
	}
	/* All of it is wanted, so what is behind it most likely is, too. */
	c->read_size = c->chunk_size;
	*ret_crc = crc;
	return 0;
}
