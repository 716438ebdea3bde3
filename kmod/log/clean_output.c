// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* A cleaned segment being written. */
#include "clean_output.h"
#include "segment.h"
#include "segment_name.h"

#define NAME_MAX_BYTES	(SLUICE_SEGMENT_DIGITS + sizeof(".timeindex.cleaned"))

/* The .log as the last; they go in the other order. */
static const char *const suffixes[] = {
	SLUICE_SUFFIX_OFFSET_INDEX, SLUICE_SUFFIX_TIME_INDEX, SLUICE_SUFFIX_TXN_INDEX,
	SLUICE_SUFFIX_LOG,
};

static void output_name(char name[NAME_MAX_BYTES], const struct sluice_clean_output *o,
			const char *suffix, const char *state)
{
	snprintf(name, NAME_MAX_BYTES, "%020lld%s%s", o->base_offset, suffix, state);
}

static int create(const struct sluice_clean_output *o, const char *suffix,
		  struct port_file **ret_file)
{
	char name[NAME_MAX_BYTES];
	int ret;

	output_name(name, o, suffix, SLUICE_SUFFIX_CLEANED);
	ret = port_file_remove(o->dir, name);
	return ret ? ret : port_file_open(o->dir, name, PORT_CREATE, ret_file);
}

static int create_files(struct sluice_clean_output *o)
{
	char name[NAME_MAX_BYTES];
	struct port_file *file;
	const char *why;
	int ret;

	/* A crash may have left one, and a new one is made only if there is something for it. */
	output_name(name, o, SLUICE_SUFFIX_TXN_INDEX, SLUICE_SUFFIX_CLEANED);
	ret = port_file_remove(o->dir, name);
	if (!ret)
		ret = create(o, SLUICE_SUFFIX_LOG, &o->log);
	if (!ret)
		ret = create(o, SLUICE_SUFFIX_OFFSET_INDEX, &file);
	if (ret)
		return ret;
	ret = sluice_offset_index_init(&o->offset_index, file, 0, &why);
	if (!ret)
		ret = create(o, SLUICE_SUFFIX_TIME_INDEX, &file);
	if (ret) {
		if (!o->offset_index.file)
			port_file_close(file);
		return ret;
	}
	ret = sluice_time_index_init(&o->time_index, file, &why);
	if (ret)
		port_file_close(file);
	return ret;
}

int sluice_clean_output_open(struct sluice_clean_output *o, struct port_dir *dir, s64 base_offset,
			     u32 index_interval_bytes, u8 *buffer, u32 buffer_size)
{
	int ret;

	memset(o, 0, sizeof(*o));
	o->dir = dir;
	o->base_offset = base_offset;
	o->index_interval_bytes = index_interval_bytes;
	o->buffer = buffer;
	o->buffer_size = buffer_size;
	o->max_time.timestamp = -1;
	ret = create_files(o);
	if (ret)
		sluice_clean_output_discard(o);
	return ret;
}

static int flush(struct sluice_clean_output *o)
{
	int ret = 0;

	if (o->buffer_len)
		ret = port_file_write(o->log, o->bytes - o->buffer_len, o->buffer, o->buffer_len);
	if (!ret)
		o->buffer_len = 0;
	return ret;
}

static int add_time_entry(struct sluice_clean_output *o)
{
	int ret;

	if (!sluice_time_index_wants(&o->time_index, o->max_time.timestamp))
		return 0;
	ret = sluice_time_index_write(&o->time_index, &o->max_time);
	if (!ret)
		sluice_time_index_publish(&o->time_index, &o->max_time);
	return ret;
}

static int add_entries(struct sluice_clean_output *o, const struct sluice_batch *b)
{
	u32 relative_offset = (u32)(sluice_batch_last_offset(b) - o->base_offset);
	u32 position = (u32)o->bytes;
	int ret;

	if (b->max_timestamp > o->max_time.timestamp) {
		o->max_time.timestamp = b->max_timestamp;
		o->max_time.relative_offset = relative_offset;
	}
	if (!sluice_segment_index_due(&o->offset_index, position, o->index_interval_bytes))
		return 0;
	ret = sluice_offset_index_write(&o->offset_index, relative_offset, position);
	if (ret)
		return ret;
	sluice_offset_index_publish(&o->offset_index, relative_offset, position);
	return add_time_entry(o);
}

int sluice_clean_output_add(struct sluice_clean_output *o, const struct sluice_batch *b,
			    const u8 *bytes)
{
	int ret = 0;

	if (o->bytes + b->size > SLUICE_SEGMENT_BYTES_MAX)
		return -EFBIG;
	if (o->buffer_len + b->size > o->buffer_size)
		ret = flush(o);
	if (!ret)
		ret = add_entries(o, b);
	if (ret)
		return ret;
	if (b->size > o->buffer_size) {
		ret = port_file_write(o->log, o->bytes, bytes, b->size);
	} else {
		memcpy(o->buffer + o->buffer_len, bytes, b->size);
		o->buffer_len += b->size;
	}
	o->bytes += b->size;
	return ret;
}

int sluice_clean_output_add_aborted(struct sluice_clean_output *o,
				    const struct sluice_aborted_txn *txn)
{
	struct sluice_txn_index_entry raw;
	int ret;

	if (!o->txn_index) {
		ret = create(o, SLUICE_SUFFIX_TXN_INDEX, &o->txn_index);
		if (ret)
			return ret;
	}
	put_unaligned_be16(SLUICE_TXN_INDEX_VERSION, &raw.version);
	put_unaligned_be64((u64)txn->producer_id, &raw.producer_id);
	put_unaligned_be64((u64)txn->first_offset, &raw.first_offset);
	put_unaligned_be64((u64)txn->last_offset, &raw.last_offset);
	put_unaligned_be64((u64)txn->last_stable_offset, &raw.last_stable_offset);
	ret = port_file_write(o->txn_index, (u64)o->txn_entries * sizeof(raw), &raw, sizeof(raw));
	if (!ret)
		o->txn_entries++;
	return ret;
}

static void close_files(struct sluice_clean_output *o)
{
	port_file_close(o->log);
	port_file_close(o->offset_index.file);
	port_file_close(o->time_index.file);
	port_file_close(o->txn_index);
	o->log = NULL;
	o->offset_index.file = NULL;
	o->time_index.file = NULL;
	o->txn_index = NULL;
}

static int sync_files(struct sluice_clean_output *o)
{
	int ret = port_file_sync(o->log);

	if (!ret)
		ret = port_file_sync(o->offset_index.file);
	if (!ret)
		ret = port_file_sync(o->time_index.file);
	if (!ret && o->txn_index)
		ret = port_file_sync(o->txn_index);
	return ret;
}

int sluice_clean_output_finish(struct sluice_clean_output *o)
{
	int ret = flush(o);

	/* So that the time index alone tells the largest time of a sealed segment. */
	if (!ret)
		ret = add_time_entry(o);
	if (!ret)
		ret = sync_files(o);
	if (!ret)
		close_files(o);
	return ret;
}

void sluice_clean_output_discard(struct sluice_clean_output *o)
{
	char name[NAME_MAX_BYTES];
	u32 i;
	int ret = 0;

	close_files(o);
	/* The log first: without it the others are nothing, under either name. */
	for (i = ARRAY_SIZE(suffixes); i-- > 0 && !ret;) {
		output_name(name, o, suffixes[i], SLUICE_SUFFIX_SWAP);
		ret = port_file_remove(o->dir, name);
		output_name(name, o, suffixes[i], SLUICE_SUFFIX_CLEANED);
		if (!ret)
			ret = port_file_remove(o->dir, name);
	}
	if (ret)
		port_warn("%s: %s: cannot be removed (error %d); recovery will",
			  port_dir_name(o->dir), name, -ret);
}

/* @suffix: of those that are to go. */
struct leftovers {
	struct port_dir *dir;
	const char *suffix;
};

static int remove_leftover(void *ctx, const char *name, size_t len)
{
	const struct leftovers *l = ctx;
	size_t suffix_len = strlen(l->suffix);
	char text[NAME_MAX_BYTES];

	if (len >= sizeof(text) || len < suffix_len ||
	    memcmp(name + len - suffix_len, l->suffix, suffix_len))
		return 0;
	memcpy(text, name, len);
	text[len] = '\0';
	return port_file_remove(l->dir, text);
}

int sluice_clean_leftovers(struct port_dir *dir)
{
	/* Those of a log first, as above. */
	static const char *const order[] = {
		SLUICE_SUFFIX_LOG SLUICE_SUFFIX_SWAP, SLUICE_SUFFIX_SWAP, SLUICE_SUFFIX_CLEANED,
	};
	struct leftovers l = { .dir = dir };
	int ret = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(order) && !ret; i++) {
		l.suffix = order[i];
		ret = port_dir_list(dir, remove_leftover, &l);
	}
	return ret;
}
