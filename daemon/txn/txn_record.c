// SPDX-License-Identifier: Apache-2.0
#include "daemon/txn/txn_record.h"

#define KEY_TXN 0

/* Version 1 is the first with compact types and tagged fields, and the one that is written. */
#define VALUE_VERSION 1

#define TAG_PREVIOUS_PRODUCER_ID 0
#define TAG_NEXT_PRODUCER_ID	 1
#define TAG_CLIENT_VERSION	 2

/* Fewest bytes of a topic: its name's length, and how many partitions. */
#define TOPIC_BYTES_MIN		 (2 + 4)
#define TOPIC_BYTES_MIN_FLEXIBLE 3

/* More than these no transaction can have. */
#define PLACES_MAX (1u << 20)

/** struct topic_places - of a value that is being read */
struct topic_places {
	struct kafka_str topic;
	struct kafka_int32_array partitions;
};

int txn_key_decode(const void *p, size_t len, struct kafka_str *ret_id)
{
	struct wire_reader r;
	int16_t version;

	wire_reader_init(&r, p, len);
	version = wire_read_int16(&r);
	if (!r.err && version != KEY_TXN)
		return -EOPNOTSUPP;
	*ret_id = wire_read_string(&r, false, false);
	return wire_reader_finish(&r);
}

void txn_key_encode(struct wire_writer *w, struct kafka_str id)
{
	wire_write_int16(w, KEY_TXN);
	wire_write_string(w, false, false, id);
}

static void read_tags(struct wire_reader *r, struct txn_value *v)
{
	struct wire_tags tags;

	wire_tags_begin(r, &tags);
	while (wire_tags_next(r, &tags)) {
		switch (tags.tag) {
		case TAG_PREVIOUS_PRODUCER_ID: v->previous_producer_id = wire_read_int64(r); break;
		case TAG_NEXT_PRODUCER_ID: v->next_producer_id = wire_read_int64(r); break;
		case TAG_CLIENT_VERSION: v->client_version = wire_read_int16(r); break;
		default: wire_tags_skip(r); break;
		}
	}
}

static struct topic_places *read_topics(struct wire_reader *r, struct arena *a, bool flexible,
					int32_t *ret_n)
{
	struct topic_places *topics = wire_read_array(
		r, a, flexible, true, flexible ? TOPIC_BYTES_MIN_FLEXIBLE : TOPIC_BYTES_MIN,
		sizeof(*topics), ret_n);

	for (int32_t i = 0; i < *ret_n && !r->err; i++) {
		topics[i].topic = wire_read_string(r, flexible, false);
		topics[i].partitions = wire_read_int32_array(r, a, flexible, false);
		if (flexible)
			wire_skip_tags(r);
	}
	return topics;
}

static int flatten(struct arena *a, const struct topic_places *topics, int32_t n,
		   struct txn_place **ret_places, size_t *ret_n)
{
	size_t total = 0, at = 0;

	for (int32_t i = 0; i < n; i++)
		total += (size_t)topics[i].partitions.n;
	if (total > PLACES_MAX)
		return -EBADMSG;
	*ret_places = arena_alloc(a, total, sizeof(**ret_places));
	if (!*ret_places)
		return -ENOMEM;
	for (int32_t i = 0; i < n; i++) {
		for (int32_t j = 0; j < topics[i].partitions.n; j++)
			(*ret_places)[at++] =
				(struct txn_place){topics[i].topic, topics[i].partitions.v[j]};
	}
	*ret_n = total;
	return 0;
}

int txn_value_decode(const void *p, size_t len, struct arena *a, struct txn_value *ret,
		     struct txn_place **ret_places, size_t *ret_n)
{
	struct topic_places *topics;
	struct wire_reader r;
	int16_t version;
	int32_t n;
	int8_t state;
	int err;

	wire_reader_init(&r, p, len);
	*ret = (struct txn_value){.previous_producer_id = -1, .next_producer_id = -1};
	version = wire_read_int16(&r);
	if (!r.err && (version < 0 || version > VALUE_VERSION))
		return -EOPNOTSUPP;
	ret->producer_id = wire_read_int64(&r);
	ret->producer_epoch = wire_read_int16(&r);
	ret->timeout_ms = wire_read_int32(&r);
	state = wire_read_int8(&r);
	topics = read_topics(&r, a, version > 0, &n);
	ret->update_ms = wire_read_int64(&r);
	ret->start_ms = wire_read_int64(&r);
	if (version > 0)
		read_tags(&r, ret);
	err = wire_reader_finish(&r);
	if (err)
		return err;
	if (state < TXN_EMPTY || state > TXN_COMPLETE_ABORT || ret->producer_id < 0)
		return -EBADMSG;
	ret->state = (enum txn_state)state;
	return flatten(a, topics, n < 0 ? 0 : n, ret_places, ret_n);
}

static void write_int64_tag(struct wire_writer *w, uint32_t tag, int64_t v)
{
	size_t at = wire_tag_begin(w, tag);

	wire_write_int64(w, v);
	wire_tag_end(w, at);
}

static void write_tags(struct wire_writer *w, const struct txn_value *v)
{
	size_t at;

	wire_write_uvarint(w, (uint32_t)(v->previous_producer_id != -1) +
				      (uint32_t)(v->next_producer_id != -1) +
				      (uint32_t)(v->client_version != 0));
	if (v->previous_producer_id != -1)
		write_int64_tag(w, TAG_PREVIOUS_PRODUCER_ID, v->previous_producer_id);
	if (v->next_producer_id != -1)
		write_int64_tag(w, TAG_NEXT_PRODUCER_ID, v->next_producer_id);
	if (!v->client_version)
		return;
	at = wire_tag_begin(w, TAG_CLIENT_VERSION);
	wire_write_int16(w, v->client_version);
	wire_tag_end(w, at);
}

/* How many places from @i on are of the same topic. */
static size_t run_length(const struct txn_place *places, size_t n, size_t i)
{
	size_t end = i + 1;

	while (end < n && kafka_str_equal(places[end].topic, places[i].topic))
		end++;
	return end - i;
}

static void write_places(struct wire_writer *w, const struct txn_place *places, size_t n)
{
	int32_t topics = 0;

	for (size_t i = 0; i < n; i += run_length(places, n, i))
		topics++;
	wire_write_count(w, true, true, topics);
	for (size_t i = 0; i < n;) {
		size_t run = run_length(places, n, i);

		wire_write_string(w, true, false, places[i].topic);
		wire_write_count(w, true, false, (int32_t)run);
		while (run--)
			wire_write_int32(w, places[i++].partition);
		wire_write_uvarint(w, 0);
	}
}

void txn_value_encode(struct wire_writer *w, const struct txn_value *v,
		      const struct txn_place *places, size_t n)
{
	wire_write_int16(w, VALUE_VERSION);
	wire_write_int64(w, v->producer_id);
	wire_write_int16(w, v->producer_epoch);
	wire_write_int32(w, v->timeout_ms);
	wire_write_int8(w, (int8_t)v->state);
	if (v->state == TXN_EMPTY)
		wire_write_count(w, true, true, -1);
	else
		write_places(w, places, n);
	wire_write_int64(w, v->update_ms);
	wire_write_int64(w, v->start_ms);
	write_tags(w, v);
}
