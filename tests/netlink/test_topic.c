// SPDX-License-Identifier: Apache-2.0
/* Creating, changing, listing and deleting topics. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/netlink/nl.h"
#include "tests/socket/harness.h"

static const char *dir;

static const uint8_t *topic_id(unsigned int number)
{
	static uint8_t id[SLUICE_TOPIC_ID_LEN];

	memset(id, 0, sizeof(id));
	id[0] = 0x7f;
	memcpy(id + 4, &number, sizeof(number));
	return id;
}

static void start(struct nl *nl)
{
	nl_open(nl);
	dir = nl_dir();
	if (nl_attach(nl, dir))
		die("%s is not attached: %s", dir, nl->why);
}

static void end(struct nl *nl)
{
	if (nl_detach(nl, dir))
		die("%s stays attached: %s", dir, nl->why);
	nl_close(nl);
}

static void create__checks_the_name(void)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "a b", "a\xc3\xa4", "tab\t"};
	char long_name[SLUICE_TOPIC_NAME_MAX + 2];
	struct nl nl;

	start(&nl);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK_ERRNO(nl_topic_create(&nl, bad[i], topic_id(1), dir, 1), EINVAL);
		CHECK(strstr(nl.why, "topic name"));
	}
	/* Kafka's limit of 249 characters: one more is refused, it itself is not. */
	memset(long_name, 'x', sizeof(long_name));
	long_name[SLUICE_TOPIC_NAME_MAX + 1] = '\0';
	CHECK(nl_topic_create(&nl, long_name, topic_id(1), dir, 1) < 0);
	long_name[SLUICE_TOPIC_NAME_MAX] = '\0';
	nl_partition_dirs(dir, long_name, 0, 1);
	CHECK_EQ(nl_topic_create(&nl, long_name, topic_id(1), dir, 1), 0);
	nl_partition_dirs(dir, "a.b_c-D9", 0, 1);
	CHECK_EQ(nl_topic_create(&nl, "a.b_c-D9", topic_id(2), dir, 1), 0);
	end(&nl);
}

static void create__checks_id_and_count(void)
{
	static const uint8_t zero[SLUICE_TOPIC_ID_LEN];
	struct nl nl;

	start(&nl);
	CHECK_ERRNO(nl_topic_create(&nl, "t", zero, dir, 1), EINVAL);
	CHECK(strstr(nl.why, "id may not be zero"));
	CHECK_ERRNO(nl_topic_create(&nl, "t", topic_id(1), dir, 0), EINVAL);
	CHECK(strstr(nl.why, "1 to 100000 partitions"));
	CHECK_ERRNO(nl_topic_create(&nl, "t", topic_id(1), dir, 100001), EINVAL);
	CHECK_ERRNO(nl_topic_create(&nl, "t", topic_id(1), "/nowhere", 1), ENOENT);
	CHECK(strstr(nl.why, "/nowhere is not attached"));
	end(&nl);
}

static void create__all_or_none(void)
{
	char path[4096];
	struct stat st;
	struct nl_msg m;
	struct nl nl;

	start(&nl);
	nl_partition_dirs(dir, "some", 0, 2);
	CHECK_ERRNO(nl_topic_create(&nl, "some", topic_id(1), dir, 3), ENOENT);
	CHECK(strstr(nl.why, "some-2"));
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_GET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, "some");
	CHECK_ERRNO(nl_do(&nl, &m), ENOENT);
	nl_partition_dirs(dir, "some", 2, 3);
	CHECK_EQ(nl_topic_create(&nl, "some", topic_id(1), dir, 3), 0);
	/* An empty directory became an empty log. */
	snprintf(path, sizeof(path), "%s/some-2/00000000000000000000.log", dir);
	CHECK_EQ(stat(path, &st), 0);
	CHECK_EQ(st.st_size, 0);
	end(&nl);
}

static void create__follows_no_link(void)
{
	char path[4096];
	struct nl nl;

	start(&nl);
	nl_partition_dirs(dir, "real", 0, 1);
	snprintf(path, sizeof(path), "%s/linked-0", dir);
	CHECK_EQ(symlink("real-0", path), 0);
	CHECK(nl_topic_create(&nl, "linked", topic_id(1), dir, 1) < 0);
	CHECK(strstr(nl.why, "linked-0"));
	end(&nl);
}

static void create__refuses_a_second_one(void)
{
	struct nl nl;

	start(&nl);
	nl_partition_dirs(dir, "one", 0, 2);
	nl_partition_dirs(dir, "two", 0, 1);
	CHECK_EQ(nl_topic_create(&nl, "one", topic_id(1), dir, 2), 0);
	CHECK_ERRNO(nl_topic_create(&nl, "one", topic_id(1), dir, 2), EEXIST);
	CHECK(strstr(nl.why, "with 2 partitions"));
	CHECK_ERRNO(nl_topic_create(&nl, "one", topic_id(2), dir, 3), EEXIST);
	CHECK(strstr(nl.why, "another id"));
	CHECK_ERRNO(nl_topic_create(&nl, "two", topic_id(1), dir, 1), EEXIST);
	CHECK(strstr(nl.why, "another name"));
	end(&nl);
}

struct topic_seen {
	uint32_t partitions;
	uint32_t leader_epoch;
	uint32_t segment_bytes;
	uint32_t durability;
	uint32_t cleanup_policy;
	uint32_t batch_bytes;
	uint32_t linger_ms;
	int64_t wide[SLUICE_A_TOPIC_CONFIG_MAX + 1];
};

/* The settings of 64 bits, and Kafka's defaults of them (LogConfig.java, 4.1). */
static const struct wide_setting {
	int type;
	int64_t first;
	int64_t lowest;
	const char *name;
} wide[] = {
	{SLUICE_A_TOPIC_CONFIG_SEGMENT_MS, 604800000, 1, "segment.ms"},
	{SLUICE_A_TOPIC_CONFIG_SEGMENT_JITTER_MS, 0, 0, "segment.jitter.ms"},
	{SLUICE_A_TOPIC_CONFIG_MESSAGE_TIMESTAMP_BEFORE_MAX_MS, INT64_MAX, 0,
	 "message.timestamp.before.max.ms"},
	{SLUICE_A_TOPIC_CONFIG_MESSAGE_TIMESTAMP_AFTER_MAX_MS, 3600000, 0,
	 "message.timestamp.after.max.ms"},
	{SLUICE_A_TOPIC_CONFIG_RETENTION_MS, 604800000, -1, "retention.ms"},
	{SLUICE_A_TOPIC_CONFIG_RETENTION_BYTES, -1, -1, "retention.bytes"},
	{SLUICE_A_TOPIC_CONFIG_FILE_DELETE_DELAY_MS, 60000, 0, "file.delete.delay.ms"},
	{SLUICE_A_TOPIC_CONFIG_FLUSH_MESSAGES, INT64_MAX, 1, "flush.messages"},
	{SLUICE_A_TOPIC_CONFIG_FLUSH_MS, INT64_MAX, 0, "flush.ms"},
	{SLUICE_A_TOPIC_CONFIG_PRODUCER_ID_EXPIRATION_MS, 86400000, 1, "producer.id.expiration.ms"},
};

static void see_topic(void *ctx, const struct nl_attrs *a)
{
	struct topic_seen *s = ctx;
	struct nl_attrs config;

	s->partitions = nl_u32(a, SLUICE_A_TOPIC_PARTITION_COUNT);
	s->leader_epoch = nl_u32(a, SLUICE_A_TOPIC_LEADER_EPOCH);
	nl_nested(a, SLUICE_A_TOPIC_CONFIG, &config);
	s->segment_bytes = nl_u32(&config, SLUICE_A_TOPIC_CONFIG_SEGMENT_BYTES);
	s->durability = nl_u32(&config, SLUICE_A_TOPIC_CONFIG_DURABILITY);
	s->cleanup_policy = nl_u32(&config, SLUICE_A_TOPIC_CONFIG_CLEANUP_POLICY);
	s->batch_bytes = nl_u32(&config, SLUICE_A_TOPIC_CONFIG_BATCH_BYTES);
	s->linger_ms = nl_u32(&config, SLUICE_A_TOPIC_CONFIG_LINGER_MS);
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		s->wide[wide[i].type] = (int64_t)nl_u64(&config, wide[i].type);
}

static int get_topic(struct nl *nl, const char *name, struct topic_seen *s)
{
	struct nl_msg m;

	nl_new(nl, &m, SLUICE_CMD_TOPIC_GET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, name);
	return nl_get(nl, &m, see_topic, s);
}

static void create__adds_partitions(void)
{
	struct topic_seen s = {0};
	struct nl nl;

	start(&nl);
	nl_partition_dirs(dir, "grows", 0, 5);
	CHECK_EQ(nl_topic_create(&nl, "grows", topic_id(1), dir, 2), 0);
	CHECK_EQ(nl_topic_create(&nl, "grows", topic_id(1), dir, 5), 0);
	CHECK_EQ(get_topic(&nl, "grows", &s), 0);
	CHECK_EQ(s.partitions, 5);
	CHECK_ERRNO(nl_topic_create(&nl, "grows", topic_id(1), dir, 6), ENOENT);
	CHECK_EQ(get_topic(&nl, "grows", &s), 0);
	CHECK_EQ(s.partitions, 5);
	end(&nl);
}

static int set(struct nl *nl, const char *name, int type, uint32_t value)
{
	struct nl_msg m;
	size_t nest;

	nl_new(nl, &m, SLUICE_CMD_TOPIC_SET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, name);
	nest = nl_nest(&m, SLUICE_A_TOPIC_CONFIG);
	nl_put_u32(&m, type, value);
	nl_nest_end(&m, nest);
	return nl_do(nl, &m);
}

static int set_wide(struct nl *nl, const char *name, int type, int64_t value)
{
	struct nl_msg m;
	size_t nest;

	nl_new(nl, &m, SLUICE_CMD_TOPIC_SET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, name);
	nest = nl_nest(&m, SLUICE_A_TOPIC_CONFIG);
	nl_put_u64(&m, type, (uint64_t)value);
	nl_nest_end(&m, nest);
	return nl_do(nl, &m);
}

static int set_epoch(struct nl *nl, const char *name, uint32_t epoch)
{
	struct nl_msg m;

	nl_new(nl, &m, SLUICE_CMD_TOPIC_SET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, name);
	nl_put_u32(&m, SLUICE_A_TOPIC_LEADER_EPOCH, epoch);
	return nl_do(nl, &m);
}

static void set__changes_only_what_is_given(void)
{
	struct topic_seen s = {0};
	struct nl nl;

	start(&nl);
	nl_partition_dirs(dir, "set", 0, 1);
	CHECK_EQ(nl_topic_create(&nl, "set", topic_id(1), dir, 1), 0);
	CHECK_EQ(get_topic(&nl, "set", &s), 0);
	CHECK_EQ(s.segment_bytes, 1073741824);
	CHECK_EQ(s.durability, SLUICE_DURABILITY_ACKS);
	CHECK_EQ(set(&nl, "set", SLUICE_A_TOPIC_CONFIG_SEGMENT_BYTES, 65536), 0);
	CHECK_EQ(set(&nl, "set", SLUICE_A_TOPIC_CONFIG_DURABILITY, SLUICE_DURABILITY_CACHE), 0);
	CHECK_EQ(set_epoch(&nl, "set", 7), 0);
	CHECK_EQ(get_topic(&nl, "set", &s), 0);
	CHECK_EQ(s.segment_bytes, 65536);
	CHECK_EQ(s.durability, SLUICE_DURABILITY_CACHE);
	CHECK_EQ(s.leader_epoch, 7);
	end(&nl);
}

static void set__each_setting_alone(void)
{
	struct topic_seen s = {0};
	struct nl nl;

	start(&nl);
	nl_partition_dirs(dir, "each", 0, 1);
	CHECK_EQ(nl_topic_create(&nl, "each", topic_id(1), dir, 1), 0);
	CHECK_EQ(get_topic(&nl, "each", &s), 0);
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		CHECK_EQ(s.wide[wide[i].type], wide[i].first);
	CHECK_EQ(s.cleanup_policy, 1);
	for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
		const struct wide_setting *w = &wide[i];

		CHECK_EQ(set_wide(&nl, "each", w->type, w->lowest), 0);
		CHECK_ERRNO(set_wide(&nl, "each", w->type, w->lowest - 1), EINVAL);
		CHECK(strstr(nl.why, w->name));
		CHECK_EQ(set_wide(&nl, "each", w->type, 5000000000 + (int64_t)i), 0);
	}
	CHECK_EQ(set(&nl, "each", SLUICE_A_TOPIC_CONFIG_CLEANUP_POLICY, 3), 0);
	CHECK_ERRNO(set(&nl, "each", SLUICE_A_TOPIC_CONFIG_CLEANUP_POLICY, 4), EINVAL);
	CHECK_EQ(set(&nl, "each", SLUICE_A_TOPIC_CONFIG_BATCH_BYTES, 4096), 0);
	CHECK_ERRNO(set(&nl, "each", SLUICE_A_TOPIC_CONFIG_BATCH_BYTES, 60), EINVAL);
	CHECK_EQ(set(&nl, "each", SLUICE_A_TOPIC_CONFIG_LINGER_MS, 7), 0);
	CHECK_EQ(get_topic(&nl, "each", &s), 0);
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		CHECK_EQ(s.wide[wide[i].type], 5000000000 + (int64_t)i);
	CHECK_EQ(s.cleanup_policy, 3);
	CHECK_EQ(s.batch_bytes, 4096);
	CHECK_EQ(s.linger_ms, 7);
	end(&nl);
}

static void set__refuses_what_cannot_be(void)
{
	struct nl nl;

	start(&nl);
	nl_partition_dirs(dir, "set", 0, 1);
	CHECK_EQ(nl_topic_create(&nl, "set", topic_id(1), dir, 1), 0);
	CHECK_ERRNO(set(&nl, "set", SLUICE_A_TOPIC_CONFIG_SEGMENT_BYTES, 1), EINVAL);
	CHECK(strstr(nl.why, "segment.bytes"));
	CHECK_ERRNO(set(&nl, "set", SLUICE_A_TOPIC_CONFIG_MESSAGE_TIMESTAMP_TYPE, 2), EINVAL);
	CHECK(strstr(nl.why, "message-timestamp-type"));
	CHECK_ERRNO(set(&nl, "set", SLUICE_A_TOPIC_CONFIG_DURABILITY, 3), ERANGE);
	CHECK_ERRNO(set(&nl, "none", SLUICE_A_TOPIC_CONFIG_DURABILITY, 0), ENOENT);
	CHECK(strstr(nl.why, "no topic none"));
	CHECK_EQ(set_epoch(&nl, "set", 7), 0);
	CHECK_ERRNO(set_epoch(&nl, "set", 6), ESTALE);
	CHECK(strstr(nl.why, "leader epoch"));
	CHECK_ERRNO(set_epoch(&nl, "set", 0x80000000), EINVAL);
	end(&nl);
}

static void get__name_and_id_must_agree(void)
{
	struct nl_msg m;
	struct nl nl;

	start(&nl);
	nl_partition_dirs(dir, "agree", 0, 1);
	CHECK_EQ(nl_topic_create(&nl, "agree", topic_id(1), dir, 1), 0);
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_GET);
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	CHECK(strstr(nl.why, "neither the name nor the id"));
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_GET);
	nl_put(&m, SLUICE_A_TOPIC_ID, topic_id(1), SLUICE_TOPIC_ID_LEN);
	CHECK_EQ(nl_do(&nl, &m), 0);
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_GET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, "agree");
	nl_put(&m, SLUICE_A_TOPIC_ID, topic_id(2), SLUICE_TOPIC_ID_LEN);
	CHECK_ERRNO(nl_do(&nl, &m), ENOENT);
	end(&nl);
}

static void delete__makes_room_for_another(void)
{
	struct nl nl;

	start(&nl);
	nl_partition_dirs(dir, "gone", 0, 2);
	CHECK_EQ(nl_topic_create(&nl, "gone", topic_id(1), dir, 2), 0);
	CHECK_EQ(nl_topic_delete(&nl, "gone"), 0);
	CHECK_ERRNO(nl_topic_delete(&nl, "gone"), ENOENT);
	CHECK_EQ(nl_topic_create(&nl, "gone", topic_id(2), dir, 2), 0);
	end(&nl);
}

static void request__strict_about_attributes(void)
{
	struct nl_msg m;
	struct nl nl;

	start(&nl);
	/* One that the operation does not take. */
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_DELETE);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, "t");
	nl_put_u32(&m, SLUICE_A_TOPIC_PARTITION_COUNT, 1);
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	nl_new(&nl, &m, SLUICE_CMD_INFO_GET);
	nl_put_u32(&m, SLUICE_A_INFO_FAMILY, 1);
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	/* One of another length. */
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_DELETE);
	nl_put(&m, SLUICE_A_TOPIC_ID, topic_id(1), SLUICE_TOPIC_ID_LEN - 1);
	CHECK_ERRNO(nl_do(&nl, &m), ERANGE);
	/* A string that does not end. */
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_DELETE);
	nl_put(&m, SLUICE_A_TOPIC_NAME, "t", 1);
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	/* A missing one is named. */
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_CREATE);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, "t");
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	CHECK(strstr(nl.why, "attribute id is missing"));
	end(&nl);
}

#define MANY 300

struct many {
	unsigned int seen[MANY];
	unsigned int others;
};

static void count_topic(void *ctx, const struct nl_attrs *a)
{
	const char *name = nl_string(a, SLUICE_A_TOPIC_NAME);
	struct many *many = ctx;
	unsigned int i;

	if (sscanf(name, "many.%u", &i) == 1 && i < MANY)
		many->seen[i]++;
	else
		many->others++;
}

static void count_partition(void *ctx, const struct nl_attrs *a)
{
	unsigned int *seen = ctx;
	uint32_t i = nl_u32(a, SLUICE_A_PARTITION_INDEX);

	if (i < MANY && nl_u64(a, SLUICE_A_PARTITION_LOG_END_OFFSET) == 0 &&
	    nl_u32(a, SLUICE_A_PARTITION_SEGMENTS) == 1)
		seen[i]++;
}

/* More than fits into one message. */
static void dump__each_topic_once(void)
{
	static struct many many;
	struct nl_msg m;
	struct nl nl;
	char name[32];

	start(&nl);
	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many.%u", i);
		nl_partition_dirs(dir, name, 0, 1);
		CHECK_EQ(nl_topic_create(&nl, name, topic_id(100 + i), dir, 1), 0);
	}
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_GET);
	CHECK(nl_dump(&nl, &m, count_topic, &many) >= MANY);
	for (unsigned int i = 0; i < MANY; i++)
		CHECK_EQ(many.seen[i], 1);
	end(&nl);
}

static void dump__partitions_of_one_topic(void)
{
	static unsigned int seen[MANY];
	struct nl_msg m;
	struct nl nl;

	start(&nl);
	nl_partition_dirs(dir, "wide", 0, MANY);
	nl_partition_dirs(dir, "other", 0, 2);
	CHECK_EQ(nl_topic_create(&nl, "wide", topic_id(1), dir, MANY), 0);
	CHECK_EQ(nl_topic_create(&nl, "other", topic_id(2), dir, 2), 0);
	nl_new(&nl, &m, SLUICE_CMD_PARTITION_GET);
	nl_put_string(&m, SLUICE_A_PARTITION_TOPIC, "wide");
	CHECK_EQ(nl_dump(&nl, &m, count_partition, seen), MANY);
	for (unsigned int i = 0; i < MANY; i++)
		CHECK_EQ(seen[i], 1);
	nl_new(&nl, &m, SLUICE_CMD_PARTITION_GET);
	CHECK(nl_dump(&nl, &m, NULL, NULL) >= MANY + 2);
	nl_new(&nl, &m, SLUICE_CMD_PARTITION_GET);
	nl_put_string(&m, SLUICE_A_PARTITION_TOPIC, "none");
	CHECK_ERRNO(nl_dump(&nl, &m, NULL, NULL), ENOENT);
	CHECK(strstr(nl.why, "no such topic"));
	nl_new(&nl, &m, SLUICE_CMD_PARTITION_GET);
	nl_put_string(&m, SLUICE_A_PARTITION_TOPIC, "other");
	nl_put_u32(&m, SLUICE_A_PARTITION_INDEX, 2);
	CHECK_ERRNO(nl_do(&nl, &m), ENOENT);
	CHECK(strstr(nl.why, "no partition 2"));
	end(&nl);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(create__checks_the_name),
		TEST(create__checks_id_and_count),
		TEST(create__all_or_none),
		TEST(create__follows_no_link),
		TEST(create__refuses_a_second_one),
		TEST(create__adds_partitions),
		TEST(set__changes_only_what_is_given),
		TEST(set__each_setting_alone),
		TEST(set__refuses_what_cannot_be),
		TEST(get__name_and_id_must_agree),
		TEST(delete__makes_room_for_another),
		TEST(request__strict_about_attributes),
		TEST(dump__each_topic_once),
		TEST(dump__partitions_of_one_topic),
	};

	return run_tests(tests, ARRAY_LEN(tests));
}
