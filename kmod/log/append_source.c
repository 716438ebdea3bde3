// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The bytes of a batch on their way into the log. */
#include "append_source.h"

static const char crc_wrong[] = "the CRC of the batch is wrong";
static const char not_read[] = "the batch could not be read from the caller";

static u32 stated_crc(const u8 *bytes)
{
	return get_unaligned_be32(&((const struct sluice_batch_header *)bytes)->crc);
}

static u32 computed_crc(const u8 *bytes, u32 len)
{
	return port_crc32c(0, bytes + SLUICE_BATCH_CRC_START, len - SLUICE_BATCH_CRC_START);
}

/* How many bytes make it whole, going by a length that nothing has checked yet; 0: leave it. */
static u32 bytes_to_take(const struct sluice_append_source *src, const struct sluice_append *a,
			 u32 whole_max)
{
	const struct sluice_batch_header *h = (const struct sluice_batch_header *)src->head;
	u64 size = (u64)get_unaligned_be32(&h->length) + SLUICE_BATCH_PREFIX_LEN;

	if (h->magic != SLUICE_BATCH_MAGIC || size < src->len || size > whole_max ||
	    size - src->len > port_iter_count(a->src))
		return 0;
	return (u32)size;
}

static int take(struct sluice_append_source *src, struct sluice_append *a, u32 len)
{
	int ret;

	if (len <= src->len)
		return 0;
	ret = port_iter_copy(a->src, src->bytes + src->len, len - src->len);
	if (ret)
		a->why = not_read;
	else
		src->len = len;
	return ret;
}

int sluice_append_source_init(struct sluice_append_source *src, struct sluice_append *a,
			      u32 whole_max)
{
	u32 size;
	int ret;

	src->bytes = src->head;
	src->len = 0;
	src->whole = false;
	if (port_iter_count(a->src) < SLUICE_BATCH_HEADER_LEN) {
		a->why = "what was sent is shorter than a batch header";
		return -EINVAL;
	}
	ret = take(src, a, SLUICE_BATCH_HEADER_LEN);
	if (ret)
		return ret;
	size = bytes_to_take(src, a, whole_max);
	if (!size)
		return 0;
	if (size > sizeof(src->head)) {
		u8 *bytes = port_buffer_get();

		/* Then it goes the way of the large ones. */
		if (!bytes)
			return 0;
		memcpy(bytes, src->head, src->len);
		src->bytes = bytes;
	}
	ret = take(src, a, size);
	if (ret)
		return ret;
	if (computed_crc(src->bytes, size) != stated_crc(src->bytes)) {
		a->why = crc_wrong;
		return -EBADMSG;
	}
	src->whole = true;
	return 0;
}

void sluice_append_source_end(struct sluice_append_source *src)
{
	if (src->bytes != src->head)
		port_buffer_put(src->bytes);
}

int sluice_append_source_fill(struct sluice_append_source *src, struct sluice_append *a, u32 size)
{
	if (src->whole)
		return 0;
	return take(src, a, min_t(u32, size, sizeof(src->head)));
}

int sluice_append_source_judge(struct sluice_append_source *src, struct sluice_append *a, int err,
			       const struct sluice_batch *b)
{
	u32 crc, left = b->size - src->len;
	u8 *chunk = src->head;

	if (src->whole)
		return err;
	crc = computed_crc(src->bytes, src->len);
	while (left) {
		u32 n = min_t(u32, left, sizeof(src->head));

		if (port_iter_copy(a->src, chunk, n)) {
			a->why = not_read;
			return -EFAULT;
		}
		crc = port_crc32c(crc, chunk, n);
		left -= n;
	}
	if (crc == b->crc)
		return err;
	a->why = crc_wrong;
	return -EBADMSG;
}
