// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Snapshots of the producer state: reading and writing the files. */
#include "producer_snapshot.h"
#include "segment_name.h"

static_assert(sizeof(struct sluice_snapshot_header) == 10, "packed");
static_assert(sizeof(struct sluice_snapshot_entry) == 46, "packed");
static_assert(offsetof(struct sluice_snapshot_header, count) == SLUICE_SNAPSHOT_CRC_START,
	      "the CRC covers all from the count on");

/* Producers that one read brings. */
#define ENTRIES_AT_ONCE		8

/* More than a log remembers; another's snapshot may have some more. */
#define ENTRIES_MAX		(16 * SLUICE_PRODUCERS_MAX)

static void put_batch(struct sluice_snapshot_entry *raw, const struct sluice_producer_entry *e,
		      const struct sluice_producer_batch *b, s64 timestamp, s64 txn_first_offset)
{
	put_unaligned_be64((u64)e->id, &raw->producer_id);
	put_unaligned_be16((u16)e->epoch, &raw->epoch);
	put_unaligned_be32((u32)b->last_sequence, &raw->last_sequence);
	put_unaligned_be64((u64)b->last_offset, &raw->last_offset);
	put_unaligned_be32((u32)b->offset_delta, &raw->offset_delta);
	put_unaligned_be64((u64)timestamp, &raw->timestamp);
	put_unaligned_be32((u32)e->coordinator_epoch, &raw->coordinator_epoch);
	put_unaligned_be64((u64)txn_first_offset, &raw->txn_first_offset);
}

static int put_entries(void *ctx, const struct sluice_producer_entry *e)
{
	struct sluice_snapshot_entry **next = ctx;
	u32 i;

	for (i = 0; i < e->earlier_count; i++)
		put_batch((*next)++, e, &e->earlier[i], e->earlier[i].timestamp, -1);
	put_batch((*next)++, e, &e->last, e->last_timestamp, e->txn_first_offset);
	return 0;
}

static int count_entries(void *ctx, const struct sluice_producer_entry *e)
{
	*(u32 *)ctx += 1 + e->earlier_count;
	return 0;
}

struct sluice_producer_snapshot *
sluice_producer_snapshot_new(const struct sluice_producer_state *s, s64 offset)
{
	struct sluice_producer_snapshot *snap;
	struct sluice_snapshot_header *h;
	struct sluice_snapshot_entry *next;
	u32 count = 0;
	size_t len;

	if (sluice_producer_state_each(s, count_entries, &count))
		return NULL;
	len = sizeof(*h) + count * sizeof(*next);
	snap = port_alloc(sizeof(*snap) + len);
	if (!snap)
		return NULL;
	snap->offset = offset;
	snap->len = len;
	h = (struct sluice_snapshot_header *)snap->bytes;
	next = (struct sluice_snapshot_entry *)(h + 1);
	put_unaligned_be16(SLUICE_SNAPSHOT_VERSION, &h->version);
	put_unaligned_be32(count, &h->count);
	if (sluice_producer_state_each(s, put_entries, &next)) {
		port_free(snap);
		return NULL;
	}
	put_unaligned_be32(port_crc32c(0, snap->bytes + SLUICE_SNAPSHOT_CRC_START,
				       len - SLUICE_SNAPSHOT_CRC_START), &h->crc);
	return snap;
}

static int open_new(struct port_dir *dir, s64 offset, struct port_file **ret_file)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	int ret;

	sluice_segment_name(name, offset, SLUICE_SUFFIX_SNAPSHOT);
	ret = port_file_open(dir, name, PORT_CREATE, ret_file);
	if (ret != -EEXIST)
		return ret;
	ret = port_file_open(dir, name, 0, &file);
	if (ret)
		return ret;
	ret = port_file_truncate(file, 0);
	if (ret)
		port_file_close(file);
	else
		*ret_file = file;
	return ret;
}

static int write_file(struct port_dir *dir, const struct sluice_producer_snapshot *snap)
{
	struct port_file *file;
	int ret;

	ret = open_new(dir, snap->offset, &file);
	if (ret)
		return ret;
	ret = port_file_write(file, 0, snap->bytes, snap->len);
	if (!ret)
		ret = port_file_sync(file);
	port_file_close(file);
	return ret;
}

int sluice_producer_snapshot_write(struct port_dir *dir,
				   const struct sluice_producer_snapshot *snap)
{
	int ret = write_file(dir, snap);

	/* What is torn would be taken for damage when the log is truncated or opened. */
	if (ret && sluice_producer_snapshot_remove(dir, snap->offset))
		port_warn("%s: %020lld.snapshot: cannot be removed", port_dir_name(dir),
			  snap->offset);
	return ret;
}

int sluice_producer_state_save(const struct sluice_producer_state *s, struct port_dir *dir,
			       s64 offset)
{
	struct sluice_producer_snapshot *snap = sluice_producer_snapshot_new(s, offset);
	int ret;

	if (!snap)
		return -ENOMEM;
	ret = sluice_producer_snapshot_write(dir, snap);
	port_free(snap);
	return ret;
}

/*
 * A file being read.
 * @position: of what @why is about
 */
struct load {
	struct sluice_producer_state *s;
	struct port_file *file;
	s64 offset;
	u32 count;
	u64 position;
	const char *why;
};

static int damaged(struct load *l, u64 position, const char *why)
{
	l->position = position;
	l->why = why;
	return -EUCLEAN;
}

static int load_header(struct load *l)
{
	s64 size = port_file_size(l->file);
	struct sluice_snapshot_header h;
	u32 crc = 0;
	ssize_t n;
	int ret;

	if (size < 0)
		return (int)size;
	n = port_file_read(l->file, 0, &h, sizeof(h));
	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof(h))
		return damaged(l, 0, "the file ends inside the header");
	if (get_unaligned_be16(&h.version) != SLUICE_SNAPSHOT_VERSION)
		return damaged(l, 0, "the version is unknown");
	l->count = get_unaligned_be32(&h.count);
	/* Before the CRC, which so is of a bounded number of bytes. */
	if (l->count > ENTRIES_MAX ||
	    size != (s64)(sizeof(h) + (u64)l->count * sizeof(struct sluice_snapshot_entry)))
		return damaged(l, SLUICE_SNAPSHOT_CRC_START,
			       "the count does not fit the size of the file");
	ret = port_file_crc32c(l->file, SLUICE_SNAPSHOT_CRC_START,
			       (size_t)size - SLUICE_SNAPSHOT_CRC_START, &crc);
	if (ret)
		return ret;
	if (crc != get_unaligned_be32(&h.crc))
		return damaged(l, 2, "the CRC is wrong");
	return 0;
}

static void get_entry(const struct sluice_snapshot_entry *raw, struct sluice_producer_entry *e)
{
	e->id = (s64)get_unaligned_be64(&raw->producer_id);
	e->epoch = (s16)get_unaligned_be16(&raw->epoch);
	e->last.last_sequence = (s32)get_unaligned_be32(&raw->last_sequence);
	e->last.last_offset = (s64)get_unaligned_be64(&raw->last_offset);
	e->last.offset_delta = (s32)get_unaligned_be32(&raw->offset_delta);
	e->last.timestamp = (s64)get_unaligned_be64(&raw->timestamp);
	e->last_timestamp = e->last.timestamp;
	e->coordinator_epoch = (s32)get_unaligned_be32(&raw->coordinator_epoch);
	e->txn_first_offset = (s64)get_unaligned_be64(&raw->txn_first_offset);
	/* Any negative offset is Kafka's "none". */
	if (e->last.last_offset < 0)
		e->last.last_offset = -1;
	if (e->txn_first_offset < 0)
		e->txn_first_offset = -1;
}

/* The CRC was right, but it is no signature: nothing may come of it that was not appended. */
static const char *entry_error(const struct load *l, const struct sluice_producer_entry *e)
{
	if (e->id < 0)
		return "the producer id is negative";
	if (e->last.last_offset >= l->offset)
		return "the offset of the last batch is behind the snapshot";
	if (e->last.last_offset >= 0 &&
	    (e->last.offset_delta < 0 || e->last.offset_delta > e->last.last_offset))
		return "the length of the last batch is impossible";
	if (e->last.last_offset >= 0 && e->last.last_sequence < -1)
		return "the last sequence is negative";
	if (e->txn_first_offset >= l->offset)
		return "the transaction begins behind the snapshot";
	return NULL;
}

static int load_entry(struct load *l, const struct sluice_snapshot_entry *raw, u64 position)
{
	struct sluice_producer_entry e;
	const char *why;
	int ret;

	get_entry(raw, &e);
	why = entry_error(l, &e);
	if (why)
		return damaged(l, position, why);
	ret = sluice_producer_state_add(l->s, &e);
	return ret == -EEXIST ? damaged(l, position, "the producer is there twice") : ret;
}

static int load_entries(struct load *l)
{
	struct sluice_snapshot_entry raw[ENTRIES_AT_ONCE];
	u64 position = sizeof(struct sluice_snapshot_header);
	u32 left, i;
	int ret;

	for (left = l->count; left; left -= i) {
		size_t len = min_t(u32, left, ENTRIES_AT_ONCE) * sizeof(raw[0]);
		ssize_t n = port_file_read(l->file, position, raw, len);

		if (n < 0)
			return (int)n;
		if ((size_t)n != len)
			return damaged(l, position, "the file has become shorter");
		for (i = 0; i < len / sizeof(raw[0]); i++) {
			ret = load_entry(l, &raw[i], position);
			if (ret)
				return ret;
			position += sizeof(raw[0]);
		}
	}
	sluice_producer_state_added(l->s);
	return 0;
}

int sluice_producer_state_load(struct sluice_producer_state *s, struct port_dir *dir, s64 offset,
			       char *err)
{
	struct load l = { .s = s, .offset = offset };
	char name[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	sluice_segment_name(name, offset, SLUICE_SUFFIX_SNAPSHOT);
	ret = port_file_open(dir, name, PORT_RDONLY, &l.file);
	if (!ret) {
		ret = load_header(&l);
		if (!ret)
			ret = load_entries(&l);
		port_file_close(l.file);
	}
	if (ret == -EUCLEAN && l.why)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: position %llu: %s", name, l.position,
			 l.why);
	else if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be read (error %d)", name, -ret);
	return ret;
}

int sluice_producer_snapshot_remove(struct port_dir *dir, s64 offset)
{
	char name[SLUICE_SEGMENT_NAME_MAX];

	sluice_segment_name(name, offset, SLUICE_SUFFIX_SNAPSHOT);
	return port_file_remove(dir, name);
}
