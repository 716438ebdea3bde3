// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/model.h"

#include <stdarg.h>
#include <stdlib.h>
#include "marker.h"
#include "record.h"
#include "tests/sim/expect.h"
#include "tests/sim/say.h"

#define KEYS 7

struct model model;

static void say_entries(void)
{
	for (u32 i = 0; i < model.count; i++) {
		const struct model_entry *e = &model.entries[i];

		sim_say("entry %u: state %d, kind %d, offset %lld, %d records, seen 0x%x, "
			"producer %d, epoch %d, sequence %d",
			i, e->state, e->kind, e->base, e->count, e->seen, e->slot, e->epoch,
			e->sequence);
	}
}

void model_fail(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	say_entries();
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

void model_reset(void)
{
	memset(&model, 0, sizeof(model));
	model.cut = S64_MAX;
	for (int i = 0; i < MODEL_PRODUCERS_MAX; i++)
		model.producers[i].id = 100 + i;
}

void model_begin_phase(void)
{
	model.cut = S64_MAX;
}

void model_acknowledged(s64 offset)
{
	sim_say("acknowledged: %lld", offset);
	model.durable = max(model.durable, min(offset, model.cut));
}

u32 model_send(s32 count, int slot)
{
	struct model_entry *e = &model.entries[model.count];

	assert(model.count < MODEL_ENTRIES_MAX);
	*e = (struct model_entry){.state = MODEL_SENT, .base = -1, .count = count, .slot = slot};
	if (slot >= 0) {
		e->epoch = model.producers[slot].epoch;
		e->sequence = model.producers[slot].next_sequence;
	}
	return model.count++;
}

u32 model_send_marker(int slot, enum model_kind kind)
{
	u32 id = model_send(1, slot);

	model.entries[id].kind = kind;
	model.entries[id].sequence = -1;
	return id;
}

void model_appended(u32 id, s64 base)
{
	struct model_entry *e = &model.entries[id];

	e->base = base;
	sim_say("entry %u: %d records at %lld", id, e->count, base);
	/* Beside a truncation nobody can say which came first. */
	if (model.cut == S64_MAX)
		e->state = MODEL_THERE;
	if (e->slot < 0)
		return;
	if (e->kind == MODEL_DATA)
		model.producers[e->slot].next_sequence += e->count;
	model.producers[e->slot].open = e->kind == MODEL_DATA && e->slot >= MODEL_TXN_SLOT;
}

void model_refused(u32 id, bool uncertain)
{
	model.entries[id].refused = true;
	if (!uncertain)
		model.entries[id].state = MODEL_GONE;
}

u32 model_make_value(char text[256], u32 id, s32 index)
{
	u32 len = (u32)snprintf(text, 256, "%u %d ", id, index);
	u32 size = len + (id * 7 + (u32)index * 31) % 120;

	for (; len < size; len++)
		text[len] = (char)('a' + (id + len) % 26);
	return len;
}

const char *model_make_key(u32 id, s32 index)
{
	static const char *const keys[KEYS] = {"a", "b", "c", "d", "e", "f", "g"};

	return model.compact ? keys[(id * 5 + (u32)index * 3) % KEYS] : NULL;
}

static u8 *put_record(u8 *p, u32 id, s32 index)
{
	char value[256];
	const char *key = model_make_key(id, index);
	struct sluice_record_out r = {.key = key, .key_len = key ? 1 : -1, .value = value};
	struct sluice_record_size size;
	int ret;

	r.value_len = (s32)model_make_value(value, id, index);
	size.parts = sluice_record_parts_size(&r);
	sluice_record_size_at(&size, 0, index);
	ret = sluice_record_write(p, &r, &size, 0, index, true);
	assert(!ret);
	return p + size.whole;
}

u32 model_make_batch(u8 *bytes, u32 id, s64 timestamp)
{
	const struct model_entry *e = &model.entries[id];
	bool idempotent = e->slot >= 0;
	struct sluice_batch b = {
		.last_offset_delta = e->count - 1,
		.attributes = e->slot >= MODEL_TXN_SLOT ? SLUICE_BATCH_TRANSACTIONAL : 0,
		.base_timestamp = timestamp,
		.max_timestamp = timestamp,
		.producer_id = idempotent ? model.producers[e->slot].id : -1,
		.producer_epoch = idempotent ? e->epoch : -1,
		.base_sequence = idempotent ? e->sequence : -1,
		.record_count = e->count,
	};
	u8 *p = bytes + SLUICE_BATCH_HEADER_LEN;

	for (s32 i = 0; i < e->count; i++)
		p = put_record(p, id, i);
	b.size = (u32)(p - bytes);
	sluice_batch_write_header(bytes, &b);
	return b.size;
}

/* Its coordinator's epoch is the number of the entry. */
u32 model_make_marker(u8 *bytes, u32 id, s64 timestamp)
{
	const struct model_entry *e = &model.entries[id];
	u8 key[4] = {0, 0, 0, e->kind == MODEL_COMMIT}, value[6] = {0};
	struct sluice_record_out r = {.key = key, .key_len = 4, .value = value, .value_len = 6};
	struct sluice_batch b = {
		.attributes = SLUICE_BATCH_TRANSACTIONAL | SLUICE_BATCH_CONTROL,
		.base_timestamp = timestamp,
		.max_timestamp = timestamp,
		.producer_id = model.producers[e->slot].id,
		.producer_epoch = e->epoch,
		.base_sequence = -1,
		.record_count = 1,
	};
	struct sluice_record_size size;
	int ret;

	put_unaligned_be32(id, value + 2);
	size.parts = sluice_record_parts_size(&r);
	sluice_record_size_at(&size, 0, 0);
	ret = sluice_record_write(bytes + SLUICE_BATCH_HEADER_LEN, &r, &size, 0, 0, true);
	assert(!ret);
	b.size = SLUICE_BATCH_HEADER_LEN + (u32)size.whole;
	sluice_batch_write_header(bytes, &b);
	return b.size;
}

int model_slot_of(s64 producer_id)
{
	for (int i = 0; i < MODEL_PRODUCERS_MAX; i++)
		if (model.producers[i].id == producer_id)
			return i;
	return -1;
}

/* @index of entry @id is at @offset. */
static void note_seen(s64 offset, u32 id, s32 index, enum model_after after)
{
	struct model_entry *e = &model.entries[id];

	if (e->state == MODEL_GONE && e->refused && after == MODEL_CRASH) {
		e->state = MODEL_SENT;
		if (offset >= model.durable)
			model.cut = min(model.cut, offset);
	}
	if (e->state == MODEL_GONE)
		model_fail("offset %lld: entry %u is there, and must not be", offset, id);
	if (e->base < 0)
		e->base = offset - index;
	if (e->base + index != offset)
		model_fail("offset %lld: entry %u was appended at %lld", offset, id, e->base);
	if (e->seen & 1U << index)
		model_fail("offset %lld: entry %u, record %d, is there twice", offset, id, index);
	e->seen |= 1U << index;
}

/* A record as the log gives it. */
static void see_record(s64 offset, const u8 *value, u32 len, enum model_after after)
{
	char text[256], expected[256];
	u32 id;
	s32 index;

	if (len >= sizeof(text))
		model_fail("offset %lld: a value of %u bytes", offset, len);
	memcpy(text, value, len);
	text[len] = '\0';
	if (sscanf(text, "%u %d ", &id, &index) != 2 || id >= model.count || index < 0 ||
	    index >= model.entries[id].count || model_make_value(expected, id, index) != len ||
	    memcmp(expected, text, len) != 0)
		model_fail("offset %lld: nobody sent '%.30s'", offset, text);
	note_seen(offset, id, index, after);
}

/* Gives whether it aborts. */
static bool see_marker(const u8 *bytes, const struct sluice_batch *b, enum model_after after)
{
	struct sluice_marker m;
	u32 id;

	if (sluice_marker_parse(b, bytes + SLUICE_BATCH_HEADER_LEN,
				b->size - SLUICE_BATCH_HEADER_LEN, &m))
		model_fail("offset %lld: that is no marker", b->base_offset);
	id = (u32)m.coordinator_epoch;
	if (id >= model.count || model.entries[id].kind != (m.abort ? MODEL_ABORT : MODEL_COMMIT))
		model_fail("offset %lld: nobody sent this marker", b->base_offset);
	if (b->base_offset >= model.seen_start)
		note_seen(b->base_offset, id, 0, after);
	return m.abort;
}

static s64 see_batch(const u8 *bytes, const struct sluice_batch *b, enum model_after after)
{
	bool control = b->attributes & SLUICE_BATCH_CONTROL;
	u64 pos = SLUICE_BATCH_HEADER_LEN;

	if (port_crc32c(0, bytes + SLUICE_BATCH_CRC_START, b->size - SLUICE_BATCH_CRC_START) !=
	    b->crc)
		model_fail("offset %lld: the CRC is wrong", b->base_offset);
	/* Compaction leaves batches without records. */
	expect_batch(b, control && b->record_count && see_marker(bytes, b, after));
	for (s32 i = 0; i < b->record_count; i++) {
		struct sluice_record r;
		s64 offset;

		if (sluice_record_read_memory(bytes, pos, b->size, &r))
			model_fail("offset %lld: record %d is torn", b->base_offset, i);
		offset = b->base_offset + r.offset_delta;
		if (offset >= model.seen_start) {
			expect_record(offset, b->base_timestamp + r.timestamp_delta);
			if (!control)
				see_record(offset, bytes + r.value_pos, (u32)r.value_len, after);
		}
		pos = r.end;
	}
	return sluice_batch_last_offset(b) + 1;
}

static void see_all(struct sluice_log *log, enum model_after after)
{
	s64 start = sluice_log_start_offset(log), end = sluice_log_end_offset(log);
	static u8 bytes[64 * 1024];
	s64 offset = start;

	while (offset < end) {
		struct sluice_range range;
		struct sluice_batch b;
		int ret = sluice_log_fetch(log, offset, 1, SLUICE_FETCH_WHOLE_FIRST, &range);

		if (ret || (!range.seg && !model.compact))
			model_fail("offset %lld cannot be read: error %d", offset, ret);
		if (!range.seg) {
			offset = range.base_offset;
			continue;
		}
		ret = sluice_log_read_batch(range.file, range.position,
					    range.position + range.bytes, &b);
		if (ret || b.size > sizeof(bytes) ||
		    port_file_read(range.file, range.position, bytes, b.size) != (ssize_t)b.size)
			model_fail("offset %lld: no batch there: error %d", offset, ret);
		if (b.base_offset > offset && !model.compact)
			model_fail("there is a gap from %lld to %lld", offset, b.base_offset);
		offset = see_batch(bytes, &b, after);
		sluice_segment_put(range.seg);
	}
	if (offset != end)
		model_fail("batches end at %lld, the log at %lld", offset, end);
}

static u32 bits_from(const struct model_entry *e, s64 start)
{
	u32 bits = (1U << e->count) - 1;

	return start > e->base ? bits & ~((1U << (start - e->base)) - 1) : bits;
}

/*
 * Is what is missing of an entry allowed to be?
 * By a truncation, if it lies behind the cut; by a power cut, if it was not
 * durable and nothing is left of what came behind it.
 */
static bool may_be_missing(const struct model_entry *e, s64 end, enum model_after after)
{
	s64 last = e->base + e->count - 1;

	if (last >= model.cut)
		return true;
	/* The end is inside of it only where a start offset is all that was saved. */
	return after == MODEL_CRASH && last >= model.durable && last >= end;
}

static bool has_key(const struct model_entry *e, const char *key)
{
	for (s32 i = 0; i < e->count; i++)
		if (model_make_key((u32)(e - model.entries), i) == key)
			return true;
	return false;
}

/*
 * May compaction have found that its transaction ended so; MODEL_DATA: it did not,
 * or it is in none. Another end may have been cut off.
 */
static bool may_have_ended(const struct model_entry *e, enum model_kind kind)
{
	if (e->slot < MODEL_TXN_SLOT)
		return kind == MODEL_DATA;
	for (const struct model_entry *m = e + 1; m < model.entries + model.count; m++) {
		if (m->slot != e->slot || m->kind == MODEL_DATA || m->base <= e->base)
			continue;
		if (m->state == MODEL_THERE || (m->cut_off && m->kind == kind))
			return m->kind == kind;
	}
	return kind == MODEL_DATA;
}

/* Compaction may have taken it for a newer one of its key, or because it was aborted. */
static bool may_be_compacted(u32 id, s32 index)
{
	const struct model_entry *e = &model.entries[id];
	const char *key = model_make_key(id, index);

	if (!model.compact)
		return false;
	if (e->kind != MODEL_DATA || may_have_ended(e, MODEL_ABORT))
		return true;
	for (s32 i = index + 1; i < e->count; i++)
		if (model_make_key(id, i) == key)
			return true;
	for (u32 i = 0; i < model.count; i++) {
		const struct model_entry *newer = &model.entries[i];

		if (newer->kind == MODEL_DATA && newer->base > e->base &&
		    (newer->state == MODEL_THERE || newer->cut_off) && has_key(newer, key) &&
		    (may_have_ended(newer, MODEL_COMMIT) || may_have_ended(newer, MODEL_DATA)))
			return true;
	}
	return false;
}

static u32 bits_compacted(u32 id, u32 missing)
{
	u32 bits = 0;

	for (s32 i = 0; i < model.entries[id].count; i++)
		if (missing & 1U << i && may_be_compacted(id, i))
			bits |= 1U << i;
	return bits;
}

/* What is known now of one whose outcome was open, or that may be lost. */
static void settle(struct model_entry *e, s64 start, s64 end, enum model_after after)
{
	/* Below the start nothing is seen, and it may come back with an older start. */
	if (!e->seen && e->base >= 0 && e->base < start) {
		if (e->state == MODEL_THERE && e->base + e->count > model.cut)
			e->state = MODEL_SENT;
		if (e->base + e->count <= start || e->state == MODEL_SENT)
			return;
	}
	if (e->state == MODEL_SENT && !e->seen) {
		e->state = MODEL_GONE;
		e->cut_off = e->base >= 0 && model.cut != S64_MAX;
	} else if (e->state == MODEL_SENT) {
		e->state = MODEL_THERE;
	}
	if (e->state == MODEL_THERE && e->base + e->count > start && !e->seen &&
	    may_be_missing(e, end, after)) {
		e->cut_off = e->base + e->count > model.cut;
		e->state = MODEL_GONE;
	}
}

/* Of one that was there, at or above the start. */
static void judge(u32 id, s64 start, s64 end)
{
	const struct model_entry *e = &model.entries[id];
	u32 missing = bits_from(e, start) & ~e->seen;

	missing &= ~bits_compacted(id, missing);
	if (missing)
		model_fail("entry %u, offsets %lld to %lld, is missing, or some of it (0x%x): the "
			   "log is from %lld to %lld, durable to %lld, cut at %lld",
			   id, e->base, e->base + e->count - 1, missing, start, end, model.durable,
			   model.cut);
}

const struct model_entry *model_last_of(int slot)
{
	const struct model_entry *last = NULL;

	for (u32 i = 0; i < model.count; i++) {
		const struct model_entry *e = &model.entries[i];

		if (e->slot == slot && e->kind == MODEL_DATA && e->state == MODEL_THERE &&
		    e->seen && (!last || e->base > last->base))
			last = e;
	}
	return last;
}

bool model_may_be_open(int slot)
{
	bool open = false;

	for (u32 i = 0; i < model.count; i++) {
		const struct model_entry *e = &model.entries[i];

		if (e->slot != slot || e->base < 0 || e->base >= model.seen_start ||
		    e->state == MODEL_GONE)
			continue;
		if (e->kind == MODEL_DATA)
			open = slot >= MODEL_TXN_SLOT;
		else if (e->state == MODEL_THERE && e->base < model.cut)
			open = false;
	}
	return open;
}

static bool is_open(int slot)
{
	bool open = false;

	for (u32 i = 0; i < model.count; i++) {
		const struct model_entry *e = &model.entries[i];

		if (e->slot == slot && e->state == MODEL_THERE)
			open = e->kind == MODEL_DATA;
	}
	return open && slot >= MODEL_TXN_SLOT;
}

static void continue_producer(int slot, enum model_after after)
{
	const struct model_entry *last = model_last_of(slot);
	struct model_producer *p = &model.producers[slot];

	p->open = is_open(slot);
	/* What it wrote last may have been compacted away. */
	if (model.compact && after == MODEL_PHASE && model.cut == S64_MAX)
		return;
	if (!model.compact && last && last->epoch == p->epoch) {
		p->next_sequence = last->sequence + last->count;
		return;
	}
	/* Nothing of it is left for sure: a new epoch, which any log takes. */
	p->epoch++;
	p->next_sequence = 0;
}

void model_check(struct sluice_log *log, enum model_after after)
{
	s64 start = sluice_log_start_offset(log), end = sluice_log_end_offset(log);

	sim_say("the log is from %lld to %lld after a %s", start, end,
		after == MODEL_CRASH ? "crash" : "phase");
	if (start > model.start)
		model_fail("the log begins at %lld, behind %lld", start, model.start);
	if (end < min(model.durable, model.cut) && !model.gap_at_end)
		model_fail("the log ends at %lld, but was durable to %lld", end, model.durable);
	for (u32 i = 0; i < model.count; i++)
		model.entries[i].seen = 0;
	model.seen_start = start;
	expect_begin();
	see_all(log, after);
	expect_check(log);
	for (u32 i = 0; i < model.count; i++)
		settle(&model.entries[i], start, end, after);
	/* All are settled: compaction takes records for newer ones that are there. */
	for (u32 i = 0; i < model.count; i++)
		if (model.entries[i].state == MODEL_THERE &&
		    model.entries[i].base + (s64)model.entries[i].count > start)
			judge(i, start, end);
	model.durable = min(model.durable, end);
	for (int i = 0; i < MODEL_PRODUCERS_MAX; i++)
		continue_producer(i, after);
	model_begin_phase();
}
