// SPDX-License-Identifier: GPL-2.0
/*
 * A cursor in the open batch: records that were sent one by one are received
 * from the log's memory as soon as their sender has returned, and go on to be
 * when the batch was sealed meanwhile. What follows is then found anew, by its
 * offset: in the files or in the next open batch.
 *
 * A cursor that has read everything holds no buffer, so that a sleeping reader
 * pins none; it remembers where it stood in it.
 */
#include "pages.h"
#include "partition.h"
#include "sock.h"

#include <linux/uio.h>

static void enter(struct sluice_cursor *c, struct sluice_open_batch *ob)
{
	struct sluice_place *at = &c->at;
	bool again = at->open_base == ob->base_offset;

	sluice_cursor_drop_segment(c);
	c->open = ob;
	at->open_base = ob->base_offset;
	if (!again)
		at->open_pos = SLUICE_BATCH_HEADER_LEN;
	/* What a delivery says of the batch; its end is not yet known. */
	at->batch = (struct sluice_batch){
		.base_offset = ob->base_offset,
		.leader_epoch = ob->leader_epoch,
		.attributes = ob->attributes,
		.base_timestamp = ob->base_timestamp,
		.max_timestamp = ob->base_timestamp,
	};
}

void sluice_cursor_leave_open(struct sluice_cursor *c)
{
	if (c->open)
		sluice_open_batch_put(c->open);
	c->open = NULL;
}

bool sluice_cursor_settle_open(struct sluice_cursor *c)
{
	struct sluice_place *at = &c->at;

	for (;;) {
		if (!c->open) {
			struct sluice_open_batch *ob;

			ob = sluice_log_open_batch(c->p->log, at->next_offset);
			if (!ob)
				return false;
			enter(c, ob);
		}
		while (sluice_open_batch_read(c->open, at->open_pos, &at->record)) {
			if (at->open_base + at->record.offset_delta >= at->next_offset)
				return true;
			at->open_pos = at->record.end;
		}
		/* It was sealed, and what is wanted is behind it. */
		sluice_cursor_leave_open(c);
	}
}

void sluice_cursor_advance_open(struct sluice_cursor *c)
{
	struct sluice_place *at = &c->at;

	at->open_pos = at->record.end;
	WRITE_ONCE(at->next_offset, at->open_base + at->record.offset_delta + 1);
	if (at->open_pos >= READ_ONCE(c->open->len))
		sluice_cursor_leave_open(c);
}

size_t sluice_cursor_copy(struct sluice_cursor *c, u64 pos, size_t len, struct iov_iter *to,
			  int *ret_err)
{
	size_t copied;

	if (!c->open)
		return sluice_pages_copy(c->file, &c->ra, pos, len, to, ret_err);
	copied = copy_to_iter(c->open->bytes + pos, len, to);
	*ret_err = copied < len ? -EFAULT : 0;
	return copied;
}

ssize_t sluice_cursor_read(struct sluice_cursor *c, u64 pos, void *buf, size_t len)
{
	if (!c->open)
		return port_file_read(c->file, pos, buf, len);
	memcpy(buf, c->open->bytes + pos, len);
	return len;
}

int sluice_cursor_header_read(struct sluice_cursor *c, u64 pos, struct sluice_record_part *ret_h)
{
	u64 end = c->at.record.end;

	if (!c->open)
		return sluice_record_header_read(c->file, pos, end, ret_h);
	return sluice_record_header_read_memory(c->open->bytes, pos, end, ret_h);
}
