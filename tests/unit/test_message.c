// SPDX-License-Identifier: Apache-2.0
/*
 * The generated codec: against Apache Kafka's own encoder in every version of
 * every message, against itself with random values, and against hostile bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "kafka/message_table.h"

#define ARENA_LIMIT (1 << 20)

struct golden {
	const char *name;
	int16_t version;
	enum kafka_fill_mode mode;
	const char *hex;
};

static const struct golden goldens[] = {
#define X(message, version, mode, hex) {#message, version, KAFKA_FILL_##mode, hex},
#include "tests/unit/kafka_golden.def"
#undef X
};

#define GOLDEN_COUNT (sizeof(goldens) / sizeof(goldens[0]))

/* One message being encoded or decoded. */
struct work {
	const struct kafka_codec *codec;
	int16_t version;
	struct arena arena;
	struct buf buf;
	struct wire_writer w;
	void *message;
};

static void work_begin(struct work *t, const struct kafka_codec *codec, int16_t version)
{
	*t = (struct work){.codec = codec, .version = version};
	arena_init(&t->arena, ARENA_LIMIT);
	buf_init(&t->buf, 0);
	wire_writer_init(&t->w, &t->buf);
	t->message = calloc(1, codec->size);
	assert_non_null(t->message);
}

static void work_end(struct work *t)
{
	free(t->message);
	wire_writer_free(&t->w);
	buf_free(&t->buf);
	arena_free(&t->arena);
}

static void fill(struct work *t, enum kafka_fill_mode mode, uint64_t seed)
{
	struct kafka_fill f = {.mode = mode, .random = seed, .arena = &t->arena};

	t->codec->fill(&f, t->version, t->message);
}

/* The bytes are copied, so that reading behind them is an error that ASan sees. */
static int decode_copy(struct work *t, const void *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct wire_reader r;
	int err;

	assert_non_null(copy);
	if (len)
		memcpy(copy, data, len);
	wire_reader_init(&r, copy, len);
	err = t->codec->decode(&r, &t->arena, t->version, t->message);
	/* A message that decodes can be read all over. */
	if (!err) {
		t->codec->encode(&t->w, t->version, t->message);
		assert_int_equal(t->w.err, 0);
	}
	free(copy);
	return err;
}

static void expect_bytes(const struct work *t, const void *data, size_t len)
{
	if (t->w.err || t->buf.len != len || (len && memcmp(t->buf.data, data, len)))
		print_message("%s version %d\n", t->codec->name, t->version);
	assert_int_equal(t->w.err, 0);
	assert_int_equal(t->buf.len, len);
	if (len)
		assert_memory_equal(t->buf.data, data, len);
}

static const struct kafka_codec *codec_find(const char *name)
{
	for (size_t i = 0; i < KAFKA_CODEC_COUNT; i++) {
		if (!strcmp(kafka_codecs[i].name, name))
			return &kafka_codecs[i];
	}
	fail_msg("no codec for %s", name);
	return NULL;
}

static size_t from_hex(const char *hex, uint8_t **ret)
{
	size_t len = strlen(hex) / 2;

	*ret = malloc(len ? len : 1);
	assert_non_null(*ret);
	for (size_t i = 0; i < len; i++) {
		unsigned int byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		(*ret)[i] = (uint8_t)byte;
	}
	return len;
}

static void encode__gives_the_bytes_of_kafka_clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		const struct golden *g = &goldens[i];
		struct work t;
		uint8_t *data;
		size_t len = from_hex(g->hex, &data);

		work_begin(&t, codec_find(g->name), g->version);
		fill(&t, g->mode, 0);
		t.codec->encode(&t.w, t.version, t.message);
		expect_bytes(&t, data, len);
		work_end(&t);
		free(data);
	}
}

static void decode__reads_the_bytes_of_kafka_clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		const struct golden *g = &goldens[i];
		struct work t;
		uint8_t *data;
		size_t len = from_hex(g->hex, &data);

		work_begin(&t, codec_find(g->name), g->version);
		assert_int_equal(decode_copy(&t, data, len), 0);
		expect_bytes(&t, data, len);
		work_end(&t);
		free(data);
	}
}

/* A version that nothing was compared for is not known to be right. */
static void goldens__cover_every_version(void **state)
{
	(void)state;
	for (size_t i = 0; i < KAFKA_CODEC_COUNT; i++) {
		for (int16_t v = kafka_codecs[i].min; v <= kafka_codecs[i].max; v++) {
			unsigned int modes = 0;

			for (size_t g = 0; g < GOLDEN_COUNT; g++) {
				if (!strcmp(goldens[g].name, kafka_codecs[i].name) &&
				    goldens[g].version == v)
					modes |= 1u << goldens[g].mode;
			}
			if (modes != 7)
				fail_msg("%s %d has no golden bytes", kafka_codecs[i].name, v);
		}
	}
}

typedef void (*check_fn)(const struct kafka_codec *codec, int16_t version);

static void each_version(check_fn check)
{
	for (size_t i = 0; i < KAFKA_CODEC_COUNT; i++) {
		for (int16_t v = kafka_codecs[i].min; v <= kafka_codecs[i].max; v++)
			check(&kafka_codecs[i], v);
	}
}

static void check_round_trip(const struct kafka_codec *codec, int16_t version)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct work from, to;

		work_begin(&from, codec, version);
		fill(&from, KAFKA_FILL_RANDOM, seed * UINT64_C(0x9e3779b97f4a7c15));
		codec->encode(&from.w, version, from.message);
		assert_int_equal(from.w.err, 0);

		work_begin(&to, codec, version);
		assert_int_equal(decode_copy(&to, from.buf.data, from.buf.len), 0);
		expect_bytes(&to, from.buf.data, from.buf.len);
		work_end(&to);
		work_end(&from);
	}
}

static void decode__reverses_encode(void **state)
{
	(void)state;
	each_version(check_round_trip);
}

static void encode_pattern(struct work *t, const struct kafka_codec *codec, int16_t version)
{
	work_begin(t, codec, version);
	fill(t, KAFKA_FILL_PATTERN, 0);
	codec->encode(&t->w, version, t->message);
	assert_int_equal(t->w.err, 0);
}

static int decode_alone(const struct kafka_codec *codec, int16_t version, const void *data,
			size_t len)
{
	struct work t;
	int err;

	work_begin(&t, codec, version);
	err = decode_copy(&t, data, len);
	work_end(&t);
	return err;
}

static void check_cut(const struct kafka_codec *codec, int16_t version)
{
	/* Bytes behind a request are ignored, as Kafka does; librdkafka 2.16 sends some. */
	bool request = strstr(codec->name, "Request");
	struct work t;

	encode_pattern(&t, codec, version);
	for (size_t len = 0; len < t.buf.len; len++)
		assert_int_equal(decode_alone(codec, version, t.buf.data, len), -EBADMSG);
	wire_write_int8(&t.w, 0);
	assert_int_equal(decode_alone(codec, version, t.buf.data, t.buf.len),
			 request ? 0 : -EBADMSG);
	work_end(&t);
}

static void decode__refuses_what_is_cut_or_too_long(void **state)
{
	(void)state;
	each_version(check_cut);
}

/* Each byte in turn becomes one that is large, negative, zero or unfinished. */
static void check_damage(const struct kafka_codec *codec, int16_t version)
{
	static const uint8_t bad[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	struct work t;

	encode_pattern(&t, codec, version);
	for (size_t at = 0; at < t.buf.len; at++) {
		uint8_t good = t.buf.data[at];

		for (size_t i = 0; i < sizeof(bad); i++) {
			int err;

			t.buf.data[at] = bad[i];
			err = decode_alone(codec, version, t.buf.data, t.buf.len);
			assert_true(!err || err == -EBADMSG || err == -ENOMEM);
		}
		t.buf.data[at] = good;
	}
	work_end(&t);
}

static void decode__survives_damage(void **state)
{
	(void)state;
	each_version(check_damage);
}

static void check_outside(const struct kafka_codec *codec)
{
	const int16_t outside[] = {-1, (int16_t)(codec->min - 1), (int16_t)(codec->max + 1),
				   INT16_MAX};

	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		struct work t;

		work_begin(&t, codec, outside[i]);
		assert_int_equal(decode_copy(&t, "", 0), -EOPNOTSUPP);
		codec->init(t.message);
		codec->encode(&t.w, outside[i], t.message);
		assert_int_equal(t.w.err, -EOPNOTSUPP);
		assert_int_equal(t.buf.len, 0);
		work_end(&t);
	}
}

static void decode__refuses_unknown_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < KAFKA_CODEC_COUNT; i++)
		check_outside(&kafka_codecs[i]);
}

struct bad_bytes {
	const char *what;
	const char *name;
	int16_t version;
	const char *hex;
};

static const struct bad_bytes bad_bytes[] = {
	{"more topics than bytes", "MetadataRequest", 0, "7fffffff"},
	{"a count below null", "MetadataRequest", 1, "fffffffe"},
	{"null topics before version 1", "MetadataRequest", 0, "ffffffff"},
	{"a compact count of 2^32-1", "MetadataRequest", 9, "ffffffff0f00000000"},
	{"a varint of more than 32 bits", "MetadataRequest", 9, "ffffffff1f00000000"},
	{"a varint without end", "MetadataRequest", 9, "808080808000000000"},
	{"a name of length -2", "MetadataRequest", 0, "00000001fffe"},
	{"a null name", "MetadataRequest", 0, "00000001ffff"},
	{"a null compact name", "MetadataRequest", 9, "02000000000000"},
	{"a name longer than the request", "MetadataRequest", 0,
	 "000000010003"
	 "6162"},
	{"more tags than bytes", "ApiVersionsRequest", 3, "0101ffffffff0f"},
	{"a tag longer than the request", "ApiVersionsRequest", 3, "010101050361"},
	{"the same tag twice", "ApiVersionsRequest", 3,
	 "010102050005"
	 "00"},
	{"tags that fall", "ApiVersionsRequest", 3, "01010206000500"},
	{"a known tag with too few bytes", "FetchRequest", 15,
	 "00000000"
	 "00000000"
	 "00000000"
	 "00"
	 "00000000"
	 "00000000"
	 "010101"
	 "010103"
	 "000000"
	 "00000000000000000000"},
	{"a known tag with too many bytes", "ApiVersionsResponse", 3,
	 "00000100000000"
	 "01"
	 "0303"
	 "000000"},
	{"records longer than the request", "ProduceRequest", 3,
	 "ffff000100000000"
	 "00000001"
	 "000161"
	 "00000001"
	 "00000000"
	 "7fffffff"},
	{"records of length -2", "ProduceRequest", 3,
	 "ffff000100000000"
	 "00000001"
	 "000161"
	 "00000001"
	 "00000000"
	 "fffffffe"},
};

static void decode__refuses_bad_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_bytes) / sizeof(bad_bytes[0]); i++) {
		const struct bad_bytes *b = &bad_bytes[i];
		struct work t;
		uint8_t *data;
		size_t len = from_hex(b->hex, &data);
		int err;

		work_begin(&t, codec_find(b->name), b->version);
		err = decode_copy(&t, data, len);
		if (err != -EBADMSG)
			print_message("%s: %d\n", b->what, err);
		assert_int_equal(err, -EBADMSG);
		assert_in_range(t.arena.used_bytes, 0, 8192);
		work_end(&t);
		free(data);
	}
}

static void decode__skips_unknown_tags(void **state)
{
	/* Two empty strings, then tags 4 (2 bytes) and 9 (none), and the same without them. */
	static const uint8_t tagged[] = {1, 1, 2, 4, 2, 0xaa, 0xbb, 9, 0};
	static const uint8_t plain[] = {1, 1, 0};
	struct work t;

	(void)state;
	work_begin(&t, codec_find("ApiVersionsRequest"), 3);
	assert_int_equal(decode_copy(&t, tagged, sizeof(tagged)), 0);
	expect_bytes(&t, plain, sizeof(plain));
	work_end(&t);
}

static void decode__stops_at_the_limit_of_the_arena(void **state)
{
	struct kafka_metadata_request m;
	uint8_t data[4 + 2 * 1000 + 0] = {0, 0, 0x03, 0xe8};
	struct wire_reader r;
	struct arena a;

	(void)state;
	arena_init(&a, 4096);
	wire_reader_init(&r, data, sizeof(data));
	assert_int_equal(kafka_metadata_request_decode(&r, &a, 0, &m), -ENOMEM);
	arena_free(&a);

	arena_init(&a, ARENA_LIMIT);
	wire_reader_init(&r, data, sizeof(data));
	assert_int_equal(kafka_metadata_request_decode(&r, &a, 0, &m), 0);
	assert_int_equal(m.topics.n, 1000);
	arena_free(&a);
}

static void decode__points_into_the_request(void **state)
{
	static const char data[] = "\xff\xff\x00\x01\x00\x00\x00\x05"
				   "\x00\x00\x00\x01\x00\x02t1"
				   "\x00\x00\x00\x01\x00\x00\x00\x07\x00\x00\x00\x04RECS";
	struct kafka_produce_request m;
	struct wire_reader r;
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_LIMIT);
	wire_reader_init(&r, data, sizeof(data) - 1);
	assert_int_equal(kafka_produce_request_decode(&r, &a, 7, &m), 0);
	assert_int_equal(m.transactional_id.len, -1);
	assert_int_equal(m.acks, 1);
	assert_int_equal(m.timeout_ms, 5);
	assert_int_equal(m.topic_data.n, 1);
	assert_true(kafka_str_equal(m.topic_data.v[0].name, kafka_str_from("t1")));
	assert_int_equal(m.topic_data.v[0].partition_data.v[0].index, 7);
	assert_ptr_equal(m.topic_data.v[0].partition_data.v[0].records.p, data + sizeof(data) - 5);
	assert_int_equal(m.topic_data.v[0].partition_data.v[0].records.len, 4);
	arena_free(&a);
}

static void encode__refuses_null_where_the_version_has_none(void **state)
{
	struct kafka_metadata_request m;
	struct wire_writer w;
	struct buf b;

	(void)state;
	kafka_metadata_request_init(&m);
	m.topics.n = -1;
	for (int16_t v = 0; v <= 1; v++) {
		buf_init(&b, 0);
		wire_writer_init(&w, &b);
		kafka_metadata_request_encode(&w, v, &m);
		assert_int_equal(w.err, v ? 0 : -EINVAL);
		buf_free(&b);
	}
}

static void encode__says_when_the_buffer_is_full(void **state)
{
	struct work t;

	(void)state;
	encode_pattern(&t, codec_find("MetadataResponse"), 12);
	for (size_t max = 1; max <= t.buf.len; max++) {
		struct buf b;
		struct wire_writer w;

		buf_init(&b, max);
		wire_writer_init(&w, &b);
		t.codec->encode(&w, t.version, t.message);
		assert_int_equal(w.err, max < t.buf.len ? -EMSGSIZE : 0);
		assert_in_range(b.len, 0, max);
		buf_free(&b);
	}
	work_end(&t);
}

/* What the sender does with gaps: buffer and left out bytes, in turn. */
static size_t join(const struct wire_writer *w, const char *const left_out[], uint8_t *out)
{
	size_t position = 0, n = 0;

	for (uint32_t i = 0; i < w->gap_count; i++) {
		const struct wire_gap *g = &w->gaps[i];

		memcpy(out + n, w->buf->data + position, g->position - position);
		n += g->position - position;
		position = g->position;
		memcpy(out + n, left_out[g->index], g->len);
		n += g->len;
	}
	memcpy(out + n, w->buf->data + position, w->buf->len - position);
	return n + w->buf->len - position;
}

static void fetch_response(struct wire_writer *w, int16_t version, bool leave_out,
			   const char *const records[], int32_t n)
{
	struct kafka_fetch_response_partition p[4];
	struct kafka_fetch_response_topic topic;
	struct kafka_fetch_response m;
	struct wire_frame f = wire_frame_begin(w);

	assert_in_range(n, 0, 4);
	for (int32_t i = 0; i < n; i++) {
		kafka_fetch_response_partition_init(&p[i]);
		p[i].partition_index = i;
		p[i].current_leader.leader_id = i;
		p[i].records.len = (int32_t)strlen(records[i]);
		p[i].records.p = leave_out ? NULL : (const uint8_t *)records[i];
	}
	kafka_fetch_response_topic_init(&topic);
	topic.topic = kafka_str_from("t");
	topic.partitions.v = p;
	topic.partitions.n = n;
	kafka_fetch_response_init(&m);
	m.responses.v = &topic;
	m.responses.n = 1;
	kafka_fetch_response_encode(w, version, &m);
	wire_frame_end(w, f);
	assert_int_equal(w->err, 0);
}

static void encode__leaves_gaps_for_records(void **state)
{
	static const char *const records[] = {"first batch", "", "third", "fourth one"};

	(void)state;
	for (int16_t v = 4; v <= 18; v++) {
		struct buf whole, parts;
		struct wire_writer w, with_gaps;
		uint8_t joined[1024];
		size_t n;

		buf_init(&whole, 0);
		buf_init(&parts, 0);
		wire_writer_init(&w, &whole);
		wire_writer_init(&with_gaps, &parts);
		fetch_response(&w, v, false, records, 4);
		fetch_response(&with_gaps, v, true, records, 4);

		assert_int_equal(w.gap_count, 0);
		assert_int_equal(with_gaps.gap_count, 3);
		assert_int_equal(with_gaps.gap_bytes, 11 + 5 + 10);
		assert_int_equal(with_gaps.gaps[1].index, 2);
		n = join(&with_gaps, records, joined);
		assert_int_equal(n, whole.len);
		assert_memory_equal(joined, whole.data, n);

		wire_writer_free(&with_gaps);
		buf_free(&whole);
		buf_free(&parts);
	}
}

static void api_find__knows_the_served_ranges(void **state)
{
	const struct kafka_api *api = kafka_api_find(KAFKA_API_PRODUCE);

	(void)state;
	assert_non_null(api);
	assert_string_equal(api->name, "Produce");
	assert_int_equal(api->advertise_min, 0);
	assert_int_equal(api->min, 3);
	assert_int_equal(api->flexible_from, 9);
	for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
		api = &kafka_apis[i];
		assert_ptr_equal(kafka_api_find(api->key), api);
		assert_true(api->codec_min <= api->min && api->max <= api->codec_max);
		assert_true(api->advertise_min <= api->min && api->min <= api->max);
		assert_true(!i || kafka_apis[i - 1].key < api->key);
	}
	assert_null(kafka_api_find(-1));
	assert_null(kafka_api_find(4));
	assert_null(kafka_api_find(INT16_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encode__gives_the_bytes_of_kafka_clients),
		cmocka_unit_test(decode__reads_the_bytes_of_kafka_clients),
		cmocka_unit_test(goldens__cover_every_version),
		cmocka_unit_test(decode__reverses_encode),
		cmocka_unit_test(decode__refuses_what_is_cut_or_too_long),
		cmocka_unit_test(decode__survives_damage),
		cmocka_unit_test(decode__refuses_unknown_versions),
		cmocka_unit_test(decode__refuses_bad_bytes),
		cmocka_unit_test(decode__skips_unknown_tags),
		cmocka_unit_test(decode__stops_at_the_limit_of_the_arena),
		cmocka_unit_test(decode__points_into_the_request),
		cmocka_unit_test(encode__refuses_null_where_the_version_has_none),
		cmocka_unit_test(encode__says_when_the_buffer_is_full),
		cmocka_unit_test(encode__leaves_gaps_for_records),
		cmocka_unit_test(api_find__knows_the_served_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
