// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>

#include "daemon/kafka/error_code.h"
#include "daemon/records/record_check.h"
#include "daemon/records/record_sink.h"
#include "daemon/records/record_stream.h"
#include "kmod/log/record.h"

/* Kafka's "no time". */
#define NO_TIMESTAMP (-1)

/**
 * struct walk - through the records
 * @sink: where they go if they are made anew; or NULL
 * @first_timestamp: of the first record; @max_timestamp: the largest
 * @index: of the record
 * @end: position behind it
 * @misnumbered: not all offsets are 0, 1, 2 and so on
 * @mistimed: a time is out of bounds
 */
struct walk {
	struct record_check *c;
	struct record_stream s;
	struct record_sink *sink;
	int64_t first_timestamp;
	int64_t max_timestamp;
	int32_t index;
	uint64_t end;
	bool misnumbered;
	bool mistimed;
};

bool record_check_remakes(const struct record_check *c)
{
	int target = c->rules.target.codec;

	return target != RECORD_CODEC_PRODUCER &&
	       target != (c->b.attributes & SLUICE_BATCH_COMPRESSION_MASK);
}

static int refuse(struct record_check *c, int16_t code, const char *why)
{
	c->code = code;
	c->why = why;
	return 0;
}

static int note_error(struct record_check *c, int32_t index, const char *why)
{
	struct record_error *grown;

	if (c->n_errors == RECORD_ERRORS_MAX)
		return 0;
	/* In powers of two. */
	if (!(c->n_errors & (c->n_errors - 1))) {
		grown = realloc(c->errors, (c->n_errors ? 2 * c->n_errors : 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		c->errors = grown;
	}
	c->errors[c->n_errors++] = (struct record_error){index, why};
	return 0;
}

/* The difference may exceed what 64 bits hold. */
static bool out_of_bounds(const struct record_rules *r, int64_t timestamp)
{
	uint64_t apart;

	if (timestamp == NO_TIMESTAMP)
		return false;
	if (timestamp > r->now_ms) {
		apart = (uint64_t)timestamp - (uint64_t)r->now_ms;
		return apart > (uint64_t)r->after_max_ms;
	}
	apart = (uint64_t)r->now_ms - (uint64_t)timestamp;
	return apart > (uint64_t)r->before_max_ms;
}

static int note_timestamp(struct walk *w, int64_t delta, bool has_key)
{
	const struct record_rules *r = &w->c->rules;
	/* Wraps where it is nonsense; then it is out of bounds, or as good as any. */
	int64_t timestamp = (int64_t)((uint64_t)w->c->b.base_timestamp + (uint64_t)delta);

	if (r->keys && !has_key)
		return note_error(w->c, w->index,
				  "a compacted topic takes no record without a key");
	if (r->times && out_of_bounds(r, timestamp)) {
		w->mistimed = true;
		return note_error(w->c, w->index, "its time is too far from the broker's");
	}
	if (timestamp > w->max_timestamp)
		w->max_timestamp = timestamp;
	return 0;
}

static int skip(struct walk *w, uint64_t n)
{
	if (record_stream_pos(&w->s) + n > w->end)
		return -EINVAL;
	return record_stream_skip(&w->s, n, w->sink);
}

/* Made anew, a number takes as few bytes as it can; the record's length counts on it. */
static int take_varint(struct walk *w, int32_t *ret_v)
{
	uint64_t pos = record_stream_pos(&w->s);
	uint8_t bytes[SLUICE_VARLONG_MAX];
	size_t n;
	int err = record_stream_varint(&w->s, ret_v);

	if (err || !w->sink)
		return err;
	n = sluice_varint_write(bytes, *ret_v);
	if (record_stream_pos(&w->s) - pos != n)
		return -EINVAL;
	return record_sink_put(w->sink, bytes, n);
}

static int take_bytes(struct walk *w, bool may_be_null, int32_t *ret_len)
{
	int err = take_varint(w, ret_len);

	if (err)
		return err;
	if (*ret_len < (may_be_null ? -1 : 0))
		return -EINVAL;
	return *ret_len > 0 ? skip(w, (uint64_t)*ret_len) : 0;
}

static int take_headers(struct walk *w)
{
	int32_t n, len;
	int err = take_varint(w, &n);

	if (!err && n < 0)
		err = -EINVAL;
	for (int32_t i = 0; !err && i < n; i++) {
		err = take_bytes(w, /* may_be_null= */ false, &len);
		if (!err)
			err = take_bytes(w, /* may_be_null= */ true, &len);
		if (!err && record_stream_pos(&w->s) > w->end)
			err = -EINVAL;
	}
	return err;
}

/* What stands before the key, for its new place in the batch. */
static int put_prefix(struct walk *w, uint64_t body, int64_t timestamp_delta)
{
	int64_t timestamp = (int64_t)((uint64_t)w->c->b.base_timestamp + (uint64_t)timestamp_delta);
	uint8_t bytes[4 * SLUICE_VARLONG_MAX];
	int64_t delta;
	size_t n;

	if (!w->index)
		w->first_timestamp = timestamp;
	delta = (int64_t)((uint64_t)timestamp - (uint64_t)w->first_timestamp);
	body += 1 + sluice_varlong_size(delta) + sluice_varint_size(w->index);
	if (body > INT32_MAX)
		return -EMSGSIZE;
	n = sluice_varint_write(bytes, (int32_t)body);
	bytes[n++] = 0;
	n += sluice_varlong_write(bytes + n, delta);
	n += sluice_varint_write(bytes + n, w->index);
	return record_sink_put(w->sink, bytes, n);
}

static int take_record(struct walk *w)
{
	int64_t timestamp_delta;
	int32_t len, offset_delta, key_len, value_len;
	int err = record_stream_varint(&w->s, &len);

	if (err)
		return err;
	if (len < 1)
		return -EINVAL;
	w->end = record_stream_pos(&w->s) + (uint64_t)len;
	/* Attributes, of which none is in use. */
	err = record_stream_skip(&w->s, 1, NULL);
	if (!err)
		err = record_stream_varlong(&w->s, &timestamp_delta);
	if (!err)
		err = record_stream_varint(&w->s, &offset_delta);
	if (!err && record_stream_pos(&w->s) > w->end)
		err = -EINVAL;
	if (!err && w->sink)
		err = put_prefix(w, w->end - record_stream_pos(&w->s), timestamp_delta);
	if (!err)
		err = take_bytes(w, /* may_be_null= */ true, &key_len);
	if (!err)
		err = take_bytes(w, /* may_be_null= */ true, &value_len);
	if (!err)
		err = take_headers(w);
	if (!err && record_stream_pos(&w->s) != w->end)
		err = -EINVAL;
	if (err)
		return err;
	if (offset_delta != w->index)
		w->misnumbered = true;
	return note_timestamp(w, timestamp_delta, key_len >= 0);
}

static int take_all(struct walk *w)
{
	int err = 0;

	for (w->index = 0; !err && w->index < w->c->b.record_count; w->index++)
		err = take_record(w);
	return err;
}

/* What the walk ended with, in Kafka's words. */
static int refuse_walk(struct walk *w, int err, uint64_t inflated_max)
{
	struct record_check *c = w->c;

	switch (err) {
	case -EINVAL: return refuse(c, KAFKA_ERROR_INVALID_RECORD, "a record is malformed");
	case -ENODATA:
	case -EPIPE:
		return refuse(c, KAFKA_ERROR_INVALID_RECORD,
			      "the batch has fewer records than its header says");
	case -EMSGSIZE:
		if (w->s.err == -EMSGSIZE && inflated_max < SLUICE__INFLATED_MAX)
			return -EAGAIN;
		return refuse(c, KAFKA_ERROR_MESSAGE_TOO_LARGE,
			      "the batch is too large once its records are decompressed");
	case -ENOMEM: return refuse(c, KAFKA_ERROR_REQUEST_TIMED_OUT, "there is no memory for it");
	default:
		return refuse(c, KAFKA_ERROR_UNKNOWN_SERVER_ERROR,
			      "the records cannot be decompressed");
	}
}

static int refuse_records(struct walk *w)
{
	return refuse(w->c,
		      w->mistimed ? KAFKA_ERROR_INVALID_TIMESTAMP : KAFKA_ERROR_INVALID_RECORD,
		      w->c->errors[0].why);
}

/* An offset that is wrong stays so unless the batch is made anew. */
static int refuse_numbers(struct walk *w)
{
	const char *why = "the offsets of the records are not 0, 1, 2 and so on";

	return refuse(w->c,
		      w->c->b.attributes & SLUICE_BATCH_COMPRESSION_MASK
			      ? KAFKA_ERROR_UNKNOWN_SERVER_ERROR
			      : KAFKA_ERROR_INVALID_RECORD,
		      why);
}

static bool crc_is_right(const struct record_check *c)
{
	return port_crc32c(0, c->batch + SLUICE_BATCH_CRC_START,
			   c->b.size - SLUICE_BATCH_CRC_START) == c->b.crc;
}

static void remake(struct walk *w)
{
	struct record_check *c = w->c;
	struct sluice_batch b = c->b;
	int err;

	b.base_timestamp = w->first_timestamp;
	b.max_timestamp = w->max_timestamp;
	err = record_sink_end(w->sink, &b, &c->made);
	if (err)
		refuse_walk(w, err, SLUICE__INFLATED_MAX);
	else
		c->b = b;
}

/* A batch that says another largest time than it has is not the producer's any more. */
static void mend_max_timestamp(struct walk *w)
{
	struct record_check *c = w->c;

	if (c->b.max_timestamp == w->max_timestamp)
		return;
	if (!crc_is_right(c)) {
		refuse(c, KAFKA_ERROR_CORRUPT_MESSAGE, "the CRC of the batch is wrong");
		return;
	}
	c->b.max_timestamp = w->max_timestamp;
	sluice_batch_write_header(c->batch, &c->b);
}

static int judge(struct walk *w, int err, uint64_t inflated_max)
{
	struct record_check *c = w->c;
	int more;

	if (err)
		return refuse_walk(w, err, inflated_max);
	more = record_stream_ended(&w->s);
	if (!more)
		return refuse(c, KAFKA_ERROR_INVALID_RECORD,
			      "the batch has more bytes than its records");
	if (more < 0)
		return refuse_walk(w, more == -EPIPE ? -EBADMSG : more, inflated_max);
	if (c->n_errors)
		return refuse_records(w);
	if (w->misnumbered && !w->sink)
		return refuse_numbers(w);
	if (w->sink)
		remake(w);
	else
		mend_max_timestamp(w);
	return 0;
}

static int walk(struct record_check *c, struct record_sink *sink, uint64_t inflated_max)
{
	struct walk w = {.c = c, .sink = sink, .max_timestamp = NO_TIMESTAMP};
	int err = record_stream_open(&w.s, c->b.attributes & SLUICE_BATCH_COMPRESSION_MASK,
				     c->batch + SLUICE_BATCH_HEADER_LEN,
				     c->b.size - SLUICE_BATCH_HEADER_LEN, inflated_max);

	if (err)
		return refuse_walk(&w, err, inflated_max);
	err = judge(&w, take_all(&w), inflated_max);
	record_stream_close(&w.s);
	return err;
}

/* Records that came damaged are sent again; those that were made wrong never will do. */
static void doubt(struct record_check *c)
{
	if (c->code == KAFKA_ERROR_REQUEST_TIMED_OUT || crc_is_right(c))
		return;
	free(c->errors);
	c->errors = NULL;
	c->n_errors = 0;
	refuse(c, KAFKA_ERROR_CORRUPT_MESSAGE, "the CRC of the batch is wrong");
}

int record_check_run(struct record_check *c, uint64_t inflated_max)
{
	struct record_sink sink;
	bool remakes = record_check_remakes(c);
	int err;

	if (remakes && !crc_is_right(c))
		return refuse(c, KAFKA_ERROR_CORRUPT_MESSAGE, "the CRC of the batch is wrong");
	if (remakes && record_sink_open(&sink, c->rules.target.codec, c->rules.target.level,
					c->rules.size_max))
		return refuse(c, KAFKA_ERROR_REQUEST_TIMED_OUT, "there is no memory for it");
	err = walk(c, remakes ? &sink : NULL, inflated_max);
	if (remakes)
		record_sink_close(&sink);
	if (err)
		record_check_free(c);
	else if (c->code && !remakes)
		doubt(c);
	return err;
}

void record_check_free(struct record_check *c)
{
	free(c->errors);
	c->errors = NULL;
	c->n_errors = 0;
	sluice__bytes_free(&c->made);
}
