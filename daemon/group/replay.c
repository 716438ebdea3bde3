// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <stdlib.h>

#include "daemon/group/replay.h"
#include "kmod/log/record.h"

/* Key of a control record: a version, and what it says. */
#define CONTROL_KEY_LEN 4
#define CONTROL_COMMIT	1

/** struct held_batch - @bytes: the whole batch */
struct held_batch {
	struct list link;
	int64_t producer_id;
	uint8_t bytes[];
};

void replay_init(struct replay *r)
{
	*r = (struct replay){0};
	list_init(&r->held);
}

void replay_forget(struct replay *r)
{
	struct list *at;

	while ((at = list_take(&r->held)))
		free(list_entry(at, struct held_batch, link));
}

void replay_free(struct replay *r)
{
	replay_forget(r);
	sluice__bytes_free(&r->opened);
}

/* The records of a batch, opened if they are compressed. */
static int open_records(struct replay *r, const struct sluice_batch *b, const uint8_t *batch,
			const uint8_t **ret_p, size_t *ret_len)
{
	int codec = b->attributes & SLUICE_BATCH_COMPRESSION_MASK;
	int err;

	*ret_p = batch + SLUICE_BATCH_HEADER_LEN;
	*ret_len = b->size - SLUICE_BATCH_HEADER_LEN;
	if (codec == SLUICE_COMPRESSION_NONE)
		return 0;
	err = sluice__decompress(codec, *ret_p, *ret_len, SLUICE__INFLATED_MAX, &r->opened);
	*ret_p = r->opened.p;
	*ret_len = r->opened.len;
	return err;
}

static int replay_batch(struct replay *r, struct coordinator *c, int32_t partition,
			const struct sluice_batch *b, const uint8_t *batch, uint64_t *damaged)
{
	const uint8_t *p;
	size_t len, at = 0;
	int err = open_records(r, b, batch, &p, &len);

	for (int32_t i = 0; i < b->record_count && !err; i++) {
		struct sluice_record record;

		err = sluice_record_parse(p + at, len - at, &record);
		if (err)
			break;
		if (record.key_len < 0)
			err = -EBADMSG;
		else
			err = coordinator_load(
				c, partition, p + at + record.key_pos, (size_t)record.key_len,
				record.value_len < 0 ? NULL : p + at + record.value_pos,
				record.value_len < 0 ? 0 : (size_t)record.value_len);
		at += record.end;
		if (err != -EBADMSG)
			continue;
		++*damaged;
		err = 0;
	}
	if (err == -ENOMEM)
		return err;
	*damaged += err != 0;
	return 0;
}

static int hold(struct replay *r, const struct sluice_batch *b, const uint8_t *batch)
{
	struct held_batch *h = malloc(sizeof(*h) + b->size);

	if (!h)
		return -ENOMEM;
	h->producer_id = b->producer_id;
	memcpy(h->bytes, batch, b->size);
	list_append(&r->held, &h->link);
	return 0;
}

static bool is_commit(const struct sluice_batch *b, const uint8_t *batch)
{
	struct sluice_record record;
	const uint8_t *p = batch + SLUICE_BATCH_HEADER_LEN;

	return !sluice_record_parse(p, b->size - SLUICE_BATCH_HEADER_LEN, &record) &&
	       record.key_len >= CONTROL_KEY_LEN && p[record.key_pos + 2] == 0 &&
	       p[record.key_pos + 3] == CONTROL_COMMIT;
}

/* The end of a transaction: what it held counts now, or never. */
static int end_transaction(struct replay *r, struct coordinator *c, int32_t partition,
			   const struct sluice_batch *marker, const uint8_t *batch,
			   uint64_t *damaged)
{
	bool commit = is_commit(marker, batch);
	struct list *at;
	struct list *after;
	int err = 0;

	list_for_each_safe(at, after, &r->held)
	{
		struct held_batch *h = list_entry(at, struct held_batch, link);
		struct sluice_batch b;

		if (h->producer_id != marker->producer_id)
			continue;
		if (commit && !err && !sluice_batch_parse(h->bytes, INT_MAX, &b))
			err = replay_batch(r, c, partition, &b, h->bytes, damaged);
		list_remove(&h->link);
		free(h);
	}
	return err;
}

int64_t replay_bytes(struct replay *r, struct coordinator *c, int32_t partition, const uint8_t *p,
		     size_t len, int64_t *offset, uint64_t *damaged)
{
	size_t at = 0;

	while (len - at >= SLUICE_BATCH_HEADER_LEN) {
		struct sluice_batch b;
		int err = 0;

		if (sluice_batch_parse(p + at, INT_MAX, &b))
			return -EBADMSG;
		if (b.size > len - at)
			break;
		/* A fetch begins with the whole batch that has the offset. */
		if (sluice_batch_last_offset(&b) >= *offset) {
			if (b.attributes & SLUICE_BATCH_CONTROL)
				err = end_transaction(r, c, partition, &b, p + at, damaged);
			else if (b.attributes & SLUICE_BATCH_TRANSACTIONAL)
				err = hold(r, &b, p + at);
			else
				err = replay_batch(r, c, partition, &b, p + at, damaged);
			*offset = sluice_batch_last_offset(&b) + 1;
		}
		if (err)
			return err;
		at += b.size;
	}
	return (int64_t)at;
}
