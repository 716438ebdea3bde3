// SPDX-License-Identifier: Apache-2.0
/* Records of __consumer_offsets; the bytes are what Apache Kafka 4.3.1 writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/coordinator/key_partition.h"
#include "daemon/group/group_record.h"

#define OFFSET_KEY "00010001670005746f70696300000003"
#define GROUP_KEY  "0002000167"

static size_t from_hex(const char *hex, uint8_t *bytes)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};

		bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return n;
}

static void expect_hex(struct wire_writer *w, const char *hex)
{
	uint8_t bytes[512];
	size_t n = from_hex(hex, bytes);

	assert_int_equal(w->err, 0);
	assert_int_equal(w->buf->len, n);
	assert_memory_equal(w->buf->data, bytes, n);
	buf_free(w->buf);
	wire_writer_free(w);
}

static void begin(struct wire_writer *w, struct buf *b)
{
	buf_init(b, 0);
	wire_writer_init(w, b);
}

static bool is(struct kafka_str s, const char *expected)
{
	return kafka_str_equal(s, kafka_str_from(expected));
}

static void key__is_kafkas(void **state)
{
	struct group_key offset = {
		.kind = GROUP_RECORD_OFFSET,
		.group = kafka_str_from("g"),
		.topic = kafka_str_from("topic"),
		.partition = 3,
	};
	struct group_key group = {.kind = GROUP_RECORD_GROUP, .group = kafka_str_from("g")};
	struct wire_writer w;
	struct buf b;

	(void)state;
	begin(&w, &b);
	group_key_encode(&w, &offset);
	expect_hex(&w, OFFSET_KEY);
	begin(&w, &b);
	group_key_encode(&w, &group);
	expect_hex(&w, GROUP_KEY);
}

static void key__is_read(void **state)
{
	uint8_t bytes[64];
	struct group_key k;

	(void)state;
	assert_int_equal(group_key_decode(bytes, from_hex(OFFSET_KEY, bytes), &k), 0);
	assert_int_equal(k.kind, GROUP_RECORD_OFFSET);
	assert_true(is(k.group, "g") && is(k.topic, "topic"));
	assert_int_equal(k.partition, 3);
	/* Version 0 is the same. */
	bytes[1] = 0;
	assert_int_equal(group_key_decode(bytes, strlen(OFFSET_KEY) / 2, &k), 0);
	assert_int_equal(k.kind, GROUP_RECORD_OFFSET);
	assert_int_equal(group_key_decode(bytes, from_hex(GROUP_KEY, bytes), &k), 0);
	assert_int_equal(k.kind, GROUP_RECORD_GROUP);
	assert_true(is(k.group, "g"));
	/* Later ones are of other kinds of groups. */
	bytes[1] = 3;
	assert_int_equal(group_key_decode(bytes, strlen(GROUP_KEY) / 2, &k), 0);
	assert_int_equal(k.kind, GROUP_RECORD_OTHER);
}

static void key__refuses_what_is_cut_or_too_long(void **state)
{
	uint8_t bytes[64];
	size_t len = from_hex(OFFSET_KEY, bytes);
	struct group_key k;

	(void)state;
	for (size_t n = 0; n < len; n++)
		assert_int_equal(group_key_decode(bytes, n, &k), -EBADMSG);
	assert_int_equal(group_key_decode(bytes, len + 1, &k), -EBADMSG);
}

static struct offset_value offset_42(void)
{
	return (struct offset_value){
		.offset = 42,
		.leader_epoch = 7,
		.metadata = kafka_str_from("meta"),
		.commit_ms = 1700000000000,
		.expire_ms = -1,
	};
}

static void offset_value__is_kafkas(void **state)
{
	struct offset_value v = offset_42();
	struct wire_writer w;
	struct buf b;

	(void)state;
	begin(&w, &b);
	offset_value_encode(&w, &v);
	expect_hex(&w, "0004000000000000002a00000007056d6574610000018bcfe5680000");
	v.topic_id.b[7] = 1;
	v.topic_id.b[15] = 2;
	begin(&w, &b);
	offset_value_encode(&w, &v);
	expect_hex(&w,
		   "0004000000000000002a00000007056d6574610000018bcfe568000100100000000000000001"
		   "0000000000000002");
	/* A time to expire has a place in version 1 only. */
	v.expire_ms = 1700000060000;
	begin(&w, &b);
	offset_value_encode(&w, &v);
	expect_hex(&w, "0001000000000000002a00046d6574610000018bcfe568000000018bcfe65260");
}

static void offset_value__is_read_in_all_versions(void **state)
{
	static const struct {
		const char *hex;
		int32_t epoch;
		int64_t expire_ms;
	} cases[] = {
		{"0000000000000000002a00046d6574610000018bcfe56800", -1, -1},
		{"0001000000000000002a00046d6574610000018bcfe568000000018bcfe65260", -1,
		 1700000060000},
		{"0002000000000000002a00046d6574610000018bcfe56800", -1, -1},
		{"0003000000000000002a0000000700046d6574610000018bcfe56800", 7, -1},
		{"0004000000000000002a00000007056d6574610000018bcfe56800010010000000000000000100"
		 "00000000000002",
		 7, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[128];
		size_t len = from_hex(cases[i].hex, bytes);
		struct offset_value v;

		assert_int_equal(offset_value_decode(bytes, len, &v), 0);
		assert_int_equal(v.offset, 42);
		assert_int_equal(v.leader_epoch, cases[i].epoch);
		assert_true(is(v.metadata, "meta"));
		assert_int_equal(v.commit_ms, 1700000000000);
		assert_int_equal(v.expire_ms, cases[i].expire_ms);
		assert_int_equal(v.topic_id.b[15], i == 4 ? 2 : 0);
		for (size_t n = 0; n < len; n++)
			assert_int_equal(offset_value_decode(bytes, n, &v), -EBADMSG);
		bytes[1] = 5;
		assert_int_equal(offset_value_decode(bytes, len, &v), -EOPNOTSUPP);
	}
}

static const char *const group_values[] = {
	"00000008636f6e73756d657200000005000572616e676500026d310000000200026d31000163000a2f3132372e3"
	"02e302e3100002710000000020102000000010300026d3200016300022f68000027100000000000000000",
	"00010008636f6e73756d657200000005000572616e676500026d310000000200026d31000163000a2f3132372e3"
	"02e302e310000ea6000002710000000020102000000010300026d3200016300022f680000ea6000002710000000"
	"0000000000",
	"00020008636f6e73756d657200000005000572616e676500026d310000018bcfe568000000000200026d3100016"
	"3000a2f3132372e302e302e310000ea6000002710000000020102000000010300026d3200016300022f680000ea"
	"60000027100000000000000000",
	"00030008636f6e73756d657200000005000572616e676500026d310000018bcfe568000000000200026d3100026"
	"931000163000a2f3132372e302e302e310000ea6000002710000000020102000000010300026d32ffff00016300"
	"022f680000ea60000027100000000000000000",
	"000409636f6e73756d6572000000050672616e6765036d310000018bcfe5680003036d3103693102630b2f31323"
	"72e302e302e310000ea6000002710030102020300036d32000263032f680000ea600000271001010000",
};

static void group_value__is_kafkas(void **state)
{
	struct group_value_member members[] = {
		{
			.id = kafka_str_from("m1"),
			.instance_id = kafka_str_from("i1"),
			.client_id = kafka_str_from("c"),
			.client_host = kafka_str_from("/127.0.0.1"),
			.rebalance_ms = 60000,
			.session_ms = 10000,
			.subscription = {(const uint8_t *)"\1\2", 2},
			.assignment = {(const uint8_t *)"\3", 1},
		},
		{
			.id = kafka_str_from("m2"),
			.instance_id = kafka_str_from(NULL),
			.client_id = kafka_str_from("c"),
			.client_host = kafka_str_from("/h"),
			.rebalance_ms = 60000,
			.session_ms = 10000,
		},
	};
	struct group_value v = {
		.protocol_type = kafka_str_from("consumer"),
		.generation = 5,
		.protocol = kafka_str_from("range"),
		.leader = kafka_str_from("m1"),
		.state_ms = 1700000000000,
		.members = members,
		.n_members = 2,
	};
	struct wire_writer w;
	struct buf b;

	(void)state;
	begin(&w, &b);
	group_value_encode(&w, &v);
	expect_hex(&w, group_values[3]);
	v = (struct group_value){
		.protocol_type = kafka_str_from(""),
		.protocol = kafka_str_from(NULL),
		.leader = kafka_str_from(NULL),
		.state_ms = 1,
	};
	begin(&w, &b);
	group_value_encode(&w, &v);
	expect_hex(&w, "0003000000000000ffffffff000000000000000100000000");
}

static void group_value__is_read_in_all_versions(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		uint8_t bytes[256];
		size_t len = from_hex(group_values[i], bytes);
		struct group_value v;
		struct arena a;

		arena_init(&a, 1 << 20);
		assert_int_equal(group_value_decode(bytes, len, &a, &v), 0);
		assert_true(is(v.protocol_type, "consumer") && is(v.protocol, "range"));
		assert_true(is(v.leader, "m1"));
		assert_int_equal(v.generation, 5);
		assert_int_equal(v.state_ms, i >= 2 ? 1700000000000 : -1);
		assert_int_equal(v.n_members, 2);
		assert_true(is(v.members[0].id, "m1") && is(v.members[1].client_host, "/h"));
		assert_int_equal(v.members[0].rebalance_ms, i >= 1 ? 60000 : 10000);
		assert_int_equal(v.members[0].session_ms, 10000);
		assert_true(is(v.members[0].instance_id, i >= 3 ? "i1" : NULL));
		assert_true(is(v.members[1].instance_id, NULL));
		assert_int_equal(v.members[0].subscription.len, 2);
		assert_int_equal(v.members[0].assignment.p[0], 3);
		for (size_t n = 0; n < len; n++)
			assert_int_equal(group_value_decode(bytes, n, &a, &v), -EBADMSG);
		arena_free(&a);
	}
}

/* Utils.abs(id.hashCode()) % 50, as Java says. */
static void partition__is_that_of_kafka(void **state)
{
	static const struct {
		const char *group;
		int32_t partition;
	} cases[] = {
		{"", 0},
		{"g", 3},
		{"my-group", 12},
		{"gr\xc3\xbc\xc3\x9f"
		 "e",
		 23},
		{"\xf0\x9f\x98\x80 emoji", 1},
		{"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 43},
		{"console-consumer-12345", 6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(key_partition(kafka_str_from(cases[i].group), 50),
				 cases[i].partition);
	/* What is no UTF-8 has a partition, too. */
	assert_in_range(key_partition(kafka_str_from("\xff\xf0\x9f\xc3"), 50), 0, 49);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key__is_kafkas),
		cmocka_unit_test(key__is_read),
		cmocka_unit_test(key__refuses_what_is_cut_or_too_long),
		cmocka_unit_test(offset_value__is_kafkas),
		cmocka_unit_test(offset_value__is_read_in_all_versions),
		cmocka_unit_test(group_value__is_kafkas),
		cmocka_unit_test(group_value__is_read_in_all_versions),
		cmocka_unit_test(partition__is_that_of_kafka),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
