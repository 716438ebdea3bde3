// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Recovery of one segment: read, cut, index. */
#include "recover_segment.h"
#include "batch_cursor.h"
#include "segment.h"
#include "segment_name.h"

/* The content of an index file, as it should be. */
struct index_image {
	u8 *bytes;
	size_t len;
	size_t capacity;
};

/*
 * A segment being read.
 * @last_indexed, @last_time: of the entries so far, as the appender keeps them
 */
struct scan {
	struct sluice_segment_recovery *r;
	struct port_file *file;
	struct sluice_batch_cursor cursor;
	struct index_image offsets;
	struct index_image times;
	struct index_image txns;
	struct sluice_offset_index last_indexed;
	struct sluice_time_index last_time;
};

static u8 *image_add(struct index_image *image, size_t len)
{
	if (image->len + len > image->capacity) {
		size_t capacity = image->capacity ? image->capacity * 2 : 4096;
		u8 *bytes = port_alloc(capacity);

		if (!bytes)
			return NULL;
		if (image->len)
			memcpy(bytes, image->bytes, image->len);
		port_free(image->bytes);
		image->bytes = bytes;
		image->capacity = capacity;
	}
	image->len += len;
	return image->bytes + image->len - len;
}

static int add_time_entry(struct scan *s)
{
	struct sluice_time_index_entry *raw;

	if (!sluice_time_index_wants(&s->last_time, s->r->max_time.timestamp))
		return 0;
	raw = (struct sluice_time_index_entry *)image_add(&s->times, sizeof(*raw));
	if (!raw)
		return -ENOMEM;
	put_unaligned_be64((u64)s->r->max_time.timestamp, &raw->timestamp);
	put_unaligned_be32(s->r->max_time.relative_offset, &raw->relative_offset);
	s->last_time.last = s->r->max_time;
	return 0;
}

static int add_entries(struct scan *s, const struct sluice_batch *b)
{
	u32 relative_offset = (u32)(sluice_batch_last_offset(b) - s->r->base_offset);
	struct sluice_offset_index_entry *raw;

	if (b->max_timestamp > s->r->max_time.timestamp) {
		s->r->max_time.timestamp = b->max_timestamp;
		s->r->max_time.relative_offset = relative_offset;
	}
	if (!sluice_segment_index_due(&s->last_indexed, s->cursor.position,
				      s->r->index_interval_bytes))
		return 0;
	raw = (struct sluice_offset_index_entry *)image_add(&s->offsets, sizeof(*raw));
	if (!raw)
		return -ENOMEM;
	put_unaligned_be32(relative_offset, &raw->relative_offset);
	put_unaligned_be32((u32)s->cursor.position, &raw->position);
	s->last_indexed.last_position = (u32)s->cursor.position;
	return add_time_entry(s);
}

static int add_txn(struct scan *s, const struct sluice_aborted_txn *txn)
{
	struct sluice_txn_index_entry *raw;

	raw = (struct sluice_txn_index_entry *)image_add(&s->txns, sizeof(*raw));
	if (!raw)
		return -ENOMEM;
	put_unaligned_be16(SLUICE_TXN_INDEX_VERSION, &raw->version);
	put_unaligned_be64((u64)txn->producer_id, &raw->producer_id);
	put_unaligned_be64((u64)txn->first_offset, &raw->first_offset);
	put_unaligned_be64((u64)txn->last_offset, &raw->last_offset);
	put_unaligned_be64((u64)txn->last_stable_offset, &raw->last_stable_offset);
	return 0;
}

static int replay(struct scan *s, const struct sluice_batch *b)
{
	struct sluice_producer_state *producers = s->r->producers;
	struct sluice_aborted_txn txn;
	int ret;

	if (!producers || b->producer_id < 0)
		return 0;
	ret = sluice_producer_state_replay(producers, s->file, s->cursor.position, b, &txn);
	return ret > 0 ? add_txn(s, &txn) : ret;
}

/* 1 if the batch is good, 0 if not, or an error of the file. */
static int check_batch(struct scan *s, const struct sluice_batch *b)
{
	s64 last_offset = sluice_batch_last_offset(b);
	u32 crc = 0;
	int ret;

	if (last_offset >= s->r->end_offset || last_offset - s->r->base_offset > S32_MAX)
		return 0;
	if (last_offset < s->r->recovery_point)
		return 1;
	ret = sluice_batch_cursor_crc(&s->cursor, b, &crc);
	return ret ? ret : crc == b->crc;
}

/* Walks as far as the batches are good; the cursor then stands at the cut. */
static int scan_batches(struct scan *s)
{
	u64 before = *s->r->bytes_read;
	struct sluice_batch b;
	const char *why;
	int ret;

	while ((ret = sluice_batch_cursor_peek(&s->cursor, &b, &why)) > 0) {
		ret = check_batch(s, &b);
		if (ret <= 0)
			break;
		ret = add_entries(s, &b);
		if (!ret)
			ret = replay(s, &b);
		if (ret)
			break;
		sluice_batch_cursor_next(&s->cursor, &b);
		WRITE_ONCE(*s->r->bytes_read, before + s->cursor.bytes_read);
	}
	WRITE_ONCE(*s->r->bytes_read, before + s->cursor.bytes_read);
	return ret == -EBADMSG ? 0 : ret;
}

static int cut(struct scan *s, u64 size, char *err)
{
	int ret;

	s->r->size = s->cursor.position;
	s->r->bytes_cut = size - s->cursor.position;
	if (s->r->bytes_cut) {
		/*
		 * Where the next segment goes on it is the rest of an append that
		 * failed and was taken back, which a sync beside it made durable.
		 */
		ret = s->cursor.min_offset == s->r->end_offset ?
			0 : s->r->before_cut(s->r->ctx, err);
		if (!ret)
			ret = port_file_truncate(s->file, s->cursor.position);
		if (ret)
			return ret;
	}
	/*
	 * What was read becomes the new recovery point, and may have been only in
	 * the page cache: the module ended without a crash of the machine.
	 */
	return port_file_sync(s->file);
}

static int image_equals(const struct index_image *image, struct port_file *file)
{
	ssize_t n;
	u8 *bytes;
	int equal;

	if (port_file_size(file) != (s64)image->len)
		return 0;
	if (!image->len)
		return 1;
	bytes = port_alloc(image->len);
	if (!bytes)
		return -ENOMEM;
	n = port_file_read(file, 0, bytes, image->len);
	if (n < 0)
		equal = (int)n;
	else
		equal = (size_t)n == image->len && !memcmp(bytes, image->bytes, image->len);
	port_free(bytes);
	return equal;
}

static int write_image(struct sluice_segment_recovery *r, struct port_file *file,
		       const struct index_image *image)
{
	int ret = image_equals(image, file);

	if (ret)
		return min(ret, 0);
	ret = port_file_truncate(file, 0);
	if (!ret && image->len)
		ret = port_file_write(file, 0, image->bytes, image->len);
	if (!ret)
		ret = port_file_sync(file);
	if (!ret)
		r->indexes_rebuilt++;
	return ret;
}

static int write_index(struct sluice_segment_recovery *r, const char *suffix,
		       const struct index_image *image, char *err)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	bool created = false;
	int ret;

	sluice_segment_name(name, r->base_offset, suffix);
	ret = port_file_open(r->dir, name, 0, &file);
	/* Most segments have no aborted transaction, and so no index of them. */
	if (ret == -ENOENT && !image->len && !strcmp(suffix, SLUICE_SUFFIX_TXN_INDEX))
		return 0;
	if (ret == -ENOENT) {
		created = true;
		ret = port_file_open(r->dir, name, PORT_CREATE, &file);
	}
	if (ret)
		goto err;
	if (!created)
		ret = port_file_refresh(file);
	if (!ret)
		ret = write_image(r, file, image);
	port_file_close(file);
	if (ret)
		goto err;
	if (created) {
		r->created = true;
		/* An empty one is as it should be, but was missing all the same. */
		r->indexes_rebuilt += image->len == 0;
	}
	return 0;
err:
	snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be written (error %d)", name, -ret);
	return ret;
}

static int recover_file(struct scan *s, char *err)
{
	bool last = s->r->end_offset == S64_MAX;
	s64 size = port_file_size(s->file);
	int ret;

	if (size < 0)
		return (int)size;
	sluice_batch_cursor_init(&s->cursor, s->file, 0, (u64)min_t(s64, size, S32_MAX),
				 s->r->base_offset);
	sluice_batch_cursor_use(&s->cursor, s->r->chunk, s->r->chunk_size);
	ret = scan_batches(s);
	if (ret)
		return ret;
	s->r->end_offset = s->cursor.min_offset;
	ret = cut(s, (u64)size, err);
	if (ret)
		return ret;
	/* A sealed segment has its largest time in the index, see roll.c. */
	if (!last) {
		ret = add_time_entry(s);
		if (ret)
			return ret;
	}
	ret = write_index(s->r, SLUICE_SUFFIX_OFFSET_INDEX, &s->offsets, err);
	if (ret)
		return ret;
	ret = write_index(s->r, SLUICE_SUFFIX_TIME_INDEX, &s->times, err);
	if (ret || !s->r->producers)
		return ret;
	return write_index(s->r, SLUICE_SUFFIX_TXN_INDEX, &s->txns, err);
}

int sluice_segment_recover(struct sluice_segment_recovery *r, char *err)
{
	struct scan s = { .r = r, .last_time.last.timestamp = -1 };
	char name[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	r->size = 0;
	r->bytes_cut = 0;
	r->indexes_rebuilt = 0;
	r->created = false;
	r->max_time = (struct sluice_time_entry){.timestamp = -1};
	err[0] = '\0';

	sluice_segment_name(name, r->base_offset, SLUICE_SUFFIX_LOG);
	ret = port_file_open(r->dir, name, 0, &s.file);
	if (!ret) {
		/* The log may be down because a sync of it failed. */
		ret = port_file_refresh(s.file);
		if (!ret)
			ret = recover_file(&s, err);
		port_file_close(s.file);
		port_free(s.offsets.bytes);
		port_free(s.times.bytes);
		port_free(s.txns.bytes);
	}
	if (ret && !err[0])
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be recovered (error %d)", name,
			 -ret);
	return ret;
}

static int append_time(struct port_file *file, const struct sluice_time_entry *e)
{
	struct sluice_time_index index;
	const char *why;
	int ret;

	ret = sluice_time_index_init(&index, file, &why);
	if (ret || !sluice_time_index_wants(&index, e->timestamp))
		return ret;
	ret = sluice_time_index_write(&index, e);
	return ret ? ret : port_file_sync(file);
}

int sluice_segment_recover_seal(const struct sluice_segment_recovery *r, char *err)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	int ret;

	sluice_segment_name(name, r->base_offset, SLUICE_SUFFIX_TIME_INDEX);
	ret = port_file_open(r->dir, name, 0, &file);
	if (!ret) {
		ret = append_time(file, &r->max_time);
		port_file_close(file);
	}
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be recovered (error %d)", name,
			 -ret);
	return ret;
}
