// SPDX-License-Identifier: Apache-2.0
#include "clean_test.h"

#include <stdlib.h>

#include "clean_aborted.h"
#include "clean_segments.h"
#include "segment_name.h"

#define SEGMENT_ROOM (16 << 20)

int clog_dir_setup(void **state)
{
	/* In memory: the cleaner syncs all that it writes, and these tests clean thousands of times. */
	char path[] = "/dev/shm/sluice-clean-XXXXXX";

	if (!mkdtemp(path))
		return -1;
	*state = port_dir_open(path);
	return *state ? 0 : -1;
}

void clog_init(struct clog *l, struct port_dir *dir)
{
	*l = (struct clog){
		.dir = dir, .time = TIME_0, .now_ms = TIME_0 + 1000, .delete_retention_ms = DAY_MS};
	sluice_log_config_default(&l->config);
	l->config.index_interval_bytes = 100;
	l->segment = malloc(SEGMENT_ROOM);
	l->aborted = calloc(CLOG_ABORTED, sizeof(*l->aborted));
	for (int i = 0; i < CLOG_PRODUCERS; i++)
		l->txn_first[i] = -1;
}

void clog_destroy(struct clog *l)
{
	free(l->segment);
	free(l->aborted);
}

static u32 producer_at(struct clog *l, s64 id)
{
	u32 i = 0;

	while (i < l->producer_count && l->producers[i].id < id)
		i++;
	if (i < l->producer_count && l->producers[i].id == id)
		return i;
	assert_true(l->producer_count < CLOG_PRODUCERS);
	for (u32 j = l->producer_count++; j > i; j--) {
		l->producers[j] = l->producers[j - 1];
		l->sequences[j] = l->sequences[j - 1];
		l->txn_first[j] = l->txn_first[j - 1];
	}
	l->producers[i] = (struct sluice_clean_producer){.id = id, .last_offset = -1};
	l->sequences[i] = 0;
	l->txn_first[i] = -1;
	return i;
}

static u8 *put_number(u8 *p, int v)
{
	char text[16];
	int len;

	if (v < 0)
		return p + sluice_varint_write(p, -1);
	len = snprintf(text, sizeof(text), "%d", v);
	p += sluice_varint_write(p, len);
	memcpy(p, text, (size_t)len);
	return p + len;
}

static size_t put_records(u8 *to, const struct clog_record *r, u32 n)
{
	u8 body[128], *p = to, *q;

	for (u32 i = 0; i < n; i++) {
		q = body;
		*q++ = 0;
		q += sluice_varlong_write(q, i);
		q += sluice_varint_write(q, (s32)i);
		q = put_number(q, r[i].key);
		q = put_number(q, r[i].value);
		q += sluice_varint_write(q, 0);
		p += sluice_varint_write(p, (s32)(q - body));
		memcpy(p, body, (size_t)(q - body));
		p += q - body;
	}
	return (size_t)(p - to);
}

/* Header and CRC around the records, which are there already. */
static s64 put_batch(struct clog *l, const struct sluice_batch *b, size_t size)
{
	u8 *bytes = l->segment + l->segment_len;
	struct sluice_batch_header *h = (struct sluice_batch_header *)bytes;

	sluice_batch_stamp(h, l->next_offset, 0);
	put_unaligned_be32((u32)(size - SLUICE_BATCH_PREFIX_LEN), &h->length);
	h->magic = 2;
	put_unaligned_be16(b->attributes, &h->attributes);
	put_unaligned_be32((u32)b->last_offset_delta, &h->last_offset_delta);
	put_unaligned_be64((u64)b->base_timestamp, &h->base_timestamp);
	put_unaligned_be64((u64)b->max_timestamp, &h->max_timestamp);
	put_unaligned_be64((u64)b->producer_id, &h->producer_id);
	put_unaligned_be16((u16)b->producer_epoch, &h->producer_epoch);
	put_unaligned_be32((u32)b->base_sequence, &h->base_sequence);
	put_unaligned_be32((u32)b->record_count, &h->record_count);
	batch_seal(bytes, size);
	l->segment_len += size;
	assert_true(l->segment_len < SEGMENT_ROOM - (1 << 20));
	l->next_offset += b->last_offset_delta + 1;
	return l->next_offset - b->last_offset_delta - 1;
}

s64 clog_append(struct clog *l, s64 id, bool transactional, const struct clog_record *r, u32 n)
{
	u8 *to = l->segment + l->segment_len + SLUICE_BATCH_HEADER_LEN;
	struct sluice_batch b = {
		.attributes = (u16)(l->codec | l->attributes |
				    (transactional ? SLUICE_BATCH_TRANSACTIONAL : 0)),
		.last_offset_delta = (s32)n - 1,
		.base_timestamp = l->time,
		.max_timestamp = l->time + n - 1,
		.producer_id = id,
		.producer_epoch = id < 0 ? -1 : 0,
		.base_sequence = -1,
		.record_count = (s32)n,
	};
	size_t len = put_records(to, r, n);
	s64 base;
	u32 i;

	if (l->codec) {
		struct sluice__bytes packed = {0};

		assert_int_equal(sluice__compress(l->codec, to, len, &packed), 0);
		memcpy(to, packed.p, packed.len);
		len = packed.len;
		sluice__bytes_free(&packed);
	}
	if (id >= 0) {
		i = producer_at(l, id);
		b.base_sequence = l->sequences[i];
		l->sequences[i] += (s32)n;
		l->producers[i].last_offset = l->next_offset + n - 1;
		if (transactional && l->txn_first[i] < 0)
			l->txn_first[i] = l->next_offset;
	}
	base = put_batch(l, &b, SLUICE_BATCH_HEADER_LEN + len);
	return base;
}

s64 clog_append_keys(struct clog *l, s64 id, bool transactional, const int *keys, u32 n)
{
	struct clog_record r[64];

	assert_true(n <= ARRAY_SIZE(r));
	for (u32 i = 0; i < n; i++)
		r[i] = (struct clog_record){keys[i], (int)(l->next_offset + i)};
	return clog_append(l, id, transactional, r, n);
}

static void note_abort(struct clog *l, u32 producer, s64 marker)
{
	struct sluice_txn_index_entry *e = &l->aborted[l->aborted_count];
	s64 lso = marker + 1;

	if (l->txn_first[producer] < 0)
		return;
	assert_true(++l->aborted_count <= CLOG_ABORTED);
	for (u32 i = 0; i < l->producer_count; i++) {
		if (i != producer && l->txn_first[i] >= 0)
			lso = min(lso, l->txn_first[i]);
	}
	put_unaligned_be16(0, &e->version);
	put_unaligned_be64((u64)l->producers[producer].id, &e->producer_id);
	put_unaligned_be64((u64)l->txn_first[producer], &e->first_offset);
	put_unaligned_be64((u64)marker, &e->last_offset);
	put_unaligned_be64((u64)lso, &e->last_stable_offset);
}

s64 clog_marker(struct clog *l, s64 id, bool commit)
{
	u8 *to = l->segment + l->segment_len + SLUICE_BATCH_HEADER_LEN;
	const u8 record[] = {
		2 * (1 + 1 + 1 + 1 + 4 + 1 + 6 + 1),
		0,
		0,
		0,
		8,
		0,
		0,
		0,
		commit,
		12,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
	};
	struct sluice_batch b = {
		.attributes = SLUICE_BATCH_CONTROL | SLUICE_BATCH_TRANSACTIONAL,
		.base_timestamp = l->time,
		.max_timestamp = l->time,
		.producer_id = id,
		.base_sequence = -1,
		.record_count = 1,
	};
	u32 i = producer_at(l, id);

	memcpy(to, record, sizeof(record));
	if (!commit)
		note_abort(l, i, l->next_offset);
	l->txn_first[i] = -1;
	return put_batch(l, &b, SLUICE_BATCH_HEADER_LEN + sizeof(record));
}

static void store(struct clog *l, const char *suffix, const void *bytes, size_t len)
{
	char name[SLUICE_SEGMENT_NAME_MAX];

	sluice_segment_name(name, l->base_offset, suffix);
	file_store(l->dir, name, bytes, len);
}

void clog_roll(struct clog *l)
{
	store(l, ".log", l->segment, l->segment_len);
	store(l, ".index", "", 0);
	store(l, ".timeindex", "", 0);
	if (l->aborted_count)
		store(l, ".txnindex", l->aborted, l->aborted_count * sizeof(*l->aborted));
	l->segment_len = 0;
	l->aborted_count = 0;
	l->base_offset = l->next_offset;
}

struct swap {
	struct port_dir *dir;
	s64 first;
	s64 last;
	char names[64][64];
	u32 count;
};

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && !strcmp(name + len - end_len, end);
}

static int collect(void *ctx, const char *name, size_t len)
{
	struct swap *s = ctx;

	assert_true(s->count < ARRAY_SIZE(s->names));
	memcpy(s->names[s->count], name, len);
	s->names[s->count++][len] = '\0';
	return 0;
}

/* The order of Kafka's: the old ones go, then the new ones lose their suffix. */
static int replace(void *ctx, s64 first_base, s64 last_base, char *err)
{
	static const char *const suffixes[] = {".log", ".index", ".timeindex", ".txnindex"};
	struct clog *l = ctx;
	char name[64], swap[80];
	u32 count, faults;
	s64 *bases;
	int ret = 0;

	if (l->replace_error) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "refused");
		return l->replace_error;
	}
	if (port_fault_hit()) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "nothing works any more");
		return -ESHUTDOWN;
	}
	faults = port_fault_left();
	port_fault_set(0, false);
	assert_int_equal(sluice_segment_list_dir(l->dir, ".log", &bases, &count), 0);
	for (u32 i = 0; i < count; i++) {
		for (u32 s = 0; s < 4; s++) {
			if (bases[i] < first_base || bases[i] > last_base)
				continue;
			snprintf(name, sizeof(name), "%020lld%s", bases[i], suffixes[s]);
			assert_int_equal(port_file_remove(l->dir, name), 0);
		}
	}
	port_free(bases);
	for (u32 s = 0; s < 4 && !ret; s++) {
		snprintf(name, sizeof(name), "%020lld%s", first_base, suffixes[s]);
		snprintf(swap, sizeof(swap), "%s.cleaned", name);
		ret = port_file_rename(l->dir, swap, name);
		if (ret == -ENOENT && s == 3)
			ret = 0;
	}
	assert_int_equal(ret, 0);
	l->replaced++;
	port_fault_set(faults, l->sticky_faults);
	return 0;
}

/* Without .log.swap it never happened; with it, it is done again, which is the same. */
void clog_finish_swaps(struct port_dir *dir)
{
	struct swap s = {.dir = dir};
	char name[64];

	assert_int_equal(port_dir_list(dir, collect, &s), 0);
	for (u32 i = 0; i < s.count; i++) {
		if (ends_with(s.names[i], ".cleaned"))
			assert_int_equal(port_file_remove(dir, s.names[i]), 0);
		if (!ends_with(s.names[i], ".swap"))
			continue;
		snprintf(name, sizeof(name), "%.20s.log.swap", s.names[i]);
		if (!file_exists(dir, name) && !ends_with(s.names[i], ".log.swap"))
			assert_int_equal(port_file_remove(dir, s.names[i]), 0);
	}
}

int clog_try_clean(struct clog *l, struct sluice_clean *c, s64 first_dirty, s64 first_uncleanable)
{
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	int ret;

	*c = (struct sluice_clean){
		.dir = l->dir,
		.config = &l->config,
		.delete_retention_ms = l->delete_retention_ms,
		.first_dirty = first_dirty,
		.first_uncleanable = first_uncleanable,
		.now_ms = l->now_ms,
		.producers = l->producers,
		.producer_count = l->producer_count,
		.map_bytes = (l->slots ? l->slots : 1000000) * SLUICE_CLEAN_MAP_ENTRY,
		.map_load_percent = 75,
		.io_bytes = 4096,
		.replace = replace,
		.ctx = l,
	};
	ret = sluice_log_clean(c, err);
	assert_true((ret != 0) == (err[0] != '\0'));
	return ret;
}

s64 clog_clean_to(struct clog *l, s64 first_dirty, s64 first_uncleanable,
		  struct sluice_clean_stats *ret_stats)
{
	struct sluice_clean c;

	assert_int_equal(clog_try_clean(l, &c, first_dirty, first_uncleanable), 0);
	if (ret_stats)
		*ret_stats = c.stats;
	return c.end_offset;
}

s64 clog_clean(struct clog *l, s64 first_dirty)
{
	return clog_clean_to(l, first_dirty, l->base_offset, NULL);
}

static int number_at(const u8 *p, s32 len)
{
	char text[16] = "";

	if (len < 0)
		return -1;
	assert_true(len < 16);
	memcpy(text, p, (size_t)len);
	return atoi(text);
}

static void read_records(struct clog_found *f, const struct sluice_batch *b, const u8 *bytes)
{
	const u8 *p = bytes + SLUICE_BATCH_HEADER_LEN;
	size_t len = b->size - SLUICE_BATCH_HEADER_LEN, pos = 0;
	int codec = b->attributes & SLUICE_BATCH_COMPRESSION_MASK;
	struct sluice__bytes inflated = {0};
	struct sluice_record r;

	if (codec) {
		assert_int_equal(sluice__decompress(codec, p, len, 1 << 24, &inflated), 0);
		p = inflated.p;
		len = inflated.len;
	}
	f->records = realloc(f->records,
			     (f->record_count + (u32)b->record_count + 1) * sizeof(*f->records));
	for (s32 i = 0; i < b->record_count; i++, f->record_count++) {
		bool control = b->attributes & SLUICE_BATCH_CONTROL;
		const u8 *at = p + pos;

		assert_int_equal(sluice_record_parse(at, len - pos, &r), 0);
		pos += r.end;
		f->records[f->record_count].offset = b->base_offset + r.offset_delta;
		f->records[f->record_count].timestamp =
			b->attributes & SLUICE_BATCH_LOG_APPEND_TIME
				? b->max_timestamp
				: b->base_timestamp + r.timestamp_delta;
		f->records[f->record_count].control = control;
		f->records[f->record_count].key =
			control ? 0 : number_at(at + r.key_pos, r.key_len);
		f->records[f->record_count].value =
			control ? 0 : number_at(at + r.value_pos, r.value_len);
	}
	assert_int_equal(pos, len);
	sluice__bytes_free(&inflated);
}

static void read_segment(struct clog_found *f, s64 base, const u8 *bytes, size_t len, s64 *min)
{
	struct sluice_batch b;
	u32 crc;

	f->segment_count++;
	f->bytes += len;
	for (size_t pos = 0; pos < len; pos += b.size) {
		assert_int_equal(sluice_batch_parse(bytes + pos, (u32)(len - pos), &b), 0);
		crc = port_crc32c_table(0, bytes + pos + SLUICE_BATCH_CRC_START,
					b.size - SLUICE_BATCH_CRC_START);
		assert_int_equal(crc, b.crc);
		assert_true(b.base_offset >= *min && b.base_offset >= base);
		*min = sluice_batch_last_offset(&b) + 1;
		f->batches = realloc(f->batches, (f->batch_count + 1) * sizeof(*f->batches));
		f->batches[f->batch_count++] = (struct clog_batch){b, base};
		read_records(f, &b, bytes + pos);
	}
}

/* Each entry is of a batch that begins there and ends with that offset. */
static void check_indexes(struct clog *l, s64 base, const u8 *log, size_t len)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	size_t index_len, time_len;
	struct sluice_batch b;
	u8 *index, *time;
	s64 last = -1;

	sluice_segment_name(name, base, ".index");
	index = file_load(l->dir, name, &index_len);
	assert_int_equal(index_len % 8, 0);
	for (size_t i = 0; i < index_len; i += 8) {
		u32 position = get_unaligned_be32(index + i + 4);

		assert_true(position > 0 && position < len);
		assert_int_equal(sluice_batch_parse(log + position, (u32)len - position, &b), 0);
		assert_int_equal(get_unaligned_be32(index + i),
				 sluice_batch_last_offset(&b) - base);
	}
	free(index);
	sluice_segment_name(name, base, ".timeindex");
	time = file_load(l->dir, name, &time_len);
	assert_int_equal(time_len % 12, 0);
	for (size_t i = 0; i < time_len; i += 12) {
		assert_true((s64)get_unaligned_be64(time + i) > last);
		last = (s64)get_unaligned_be64(time + i);
	}
	if (time_len) {
		s64 max = -1;

		for (size_t pos = 0; pos < len; pos += b.size) {
			assert_int_equal(sluice_batch_parse(log + pos, (u32)(len - pos), &b), 0);
			max = max_t(s64, max, b.max_timestamp);
		}
		assert_int_equal(last, max);
	}
	free(time);
}

void clog_read(struct clog *l, struct clog_found *f)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	s64 *bases, min = 0;
	u32 count;

	*f = (struct clog_found){0};
	assert_int_equal(sluice_segment_list_dir(l->dir, ".log", &bases, &count), 0);
	for (u32 i = 0; i < count; i++) {
		size_t len;
		u8 *bytes;

		sluice_segment_name(name, bases[i], ".log");
		bytes = file_load(l->dir, name, &len);
		min = max(min, bases[i]);
		read_segment(f, bases[i], bytes, len, &min);
		check_indexes(l, bases[i], bytes, len);
		free(bytes);
	}
	port_free(bases);
	if (l->segment_len)
		read_segment(f, l->base_offset, l->segment, l->segment_len, &min);
}

void clog_found_free(struct clog_found *f)
{
	free(f->batches);
	free(f->records);
}

static u32 gather(struct clog *l, struct clog_found *f, char what, s64 *got)
{
	struct sluice_aborted_txn *txns;
	char err[SLUICE_ERROR_TEXT_MAX];
	u32 n = 0, count;

	if (what == 'a') {
		assert_int_equal(sluice_clean_aborted(l->dir, 0, S64_MAX, &txns, &count, err), 0);
		for (u32 i = 0; i < count; i++)
			got[n++] = txns[i].first_offset;
		port_free(txns);
		return n;
	}
	for (u32 i = 0; i < f->batch_count && (what == 'l' || what == 'b'); i++)
		got[n++] = what == 'b' ? f->batches[i].b.base_offset
				       : sluice_batch_last_offset(&f->batches[i].b);
	for (u32 i = 0; i < f->record_count && (what == 'o' || what == 'k'); i++) {
		if (f->records[i].key < 0 || f->records[i].value < 0)
			continue;
		if (what == 'o')
			got[n++] = f->records[i].offset;
		else if (!f->records[i].control)
			got[n++] = f->records[i].key;
	}
	return n;
}

void clog_assert(struct clog *l, char what, const s64 *expected)
{
	struct clog_found f;
	s64 got[4096];
	u32 n, i;

	clog_read(l, &f);
	assert_true(f.batch_count + f.record_count < ARRAY_SIZE(got));
	n = gather(l, &f, what, got);
	clog_found_free(&f);
	for (i = 0; i < n || expected[i] != -1; i++) {
		if (i < n && got[i] == expected[i])
			continue;
		print_error("%c: at %u there is %lld, not %lld; all there is:", what, i,
			    i < n ? got[i] : -1LL, expected[i]);
		for (u32 j = 0; j < n; j++)
			print_error(" %lld", got[j]);
		print_error("\n");
		fail();
	}
}
