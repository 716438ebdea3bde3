// SPDX-License-Identifier: Apache-2.0
/* Retention, DeleteRecords and housekeeping, by the module alone. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/netlink/nl.h"
#include "tests/socket/harness.h"

#define WAIT_MS 30000
#define VALUE	"0123456789012345678901234567890123456789"
#define SEGMENT 1024
#define RECORDS 60

static const char *dir;

struct setting {
	int type;
	int64_t value;
	bool wide;
};

static void put_config(struct nl_msg *m, const struct setting *settings, size_t n)
{
	size_t nest = nl_nest(m, SLUICE_A_TOPIC_CONFIG);

	for (size_t i = 0; i < n; i++) {
		if (settings[i].wide)
			nl_put_u64(m, settings[i].type, (uint64_t)settings[i].value);
		else
			nl_put_u32(m, settings[i].type, (uint32_t)settings[i].value);
	}
	nl_nest_end(m, nest);
}

static int set_config(struct nl *nl, const char *topic, const struct setting *settings, size_t n)
{
	struct nl_msg m;

	nl_new(nl, &m, SLUICE_CMD_TOPIC_SET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, topic);
	put_config(&m, settings, n);
	return nl_do(nl, &m);
}

static int set_interval(struct nl *nl, uint32_t ms)
{
	struct nl_msg m;

	nl_new(nl, &m, SLUICE_CMD_INFO_SET);
	nl_put_u32(&m, SLUICE_A_INFO_RETENTION_CHECK_INTERVAL_MS, ms);
	return nl_do(nl, &m);
}

static int set_log_start(struct nl *nl, const char *topic, uint64_t offset)
{
	struct nl_msg m;

	nl_new(nl, &m, SLUICE_CMD_PARTITION_SET);
	nl_put_string(&m, SLUICE_A_PARTITION_TOPIC, topic);
	nl_put_u32(&m, SLUICE_A_PARTITION_INDEX, 0);
	nl_put_u64(&m, SLUICE_A_PARTITION_LOG_START_OFFSET, offset);
	return nl_do(nl, &m);
}

/* Small segments, each record a batch of its own; nothing is kept for a delay. */
static int start(struct nl *nl, const char *topic)
{
	static const struct setting settings[] = {
		{SLUICE_A_TOPIC_CONFIG_SEGMENT_BYTES, SEGMENT, false},
		{SLUICE_A_TOPIC_CONFIG_FILE_DELETE_DELAY_MS, 0, true},
		{SLUICE_A_TOPIC_CONFIG_LINGER_MS, 0, false},
	};
	uint8_t id[SLUICE_TOPIC_ID_LEN] = {0};
	int fd;

	memcpy(id, topic, strlen(topic));
	nl_open(nl);
	dir = nl_dir();
	nl_partition_dirs(dir, topic, 0, 1);
	if (nl_attach(nl, dir) || nl_topic_create(nl, topic, id, dir, 1) ||
	    set_config(nl, topic, settings, ARRAY_LEN(settings)))
		die("%s: %s", topic, nl->why);
	fd = nl_socket(nl, topic, true);
	if (fd < 0)
		die("%s: no socket", topic);
	return fd;
}

static void end(struct nl *nl, int fd)
{
	close(fd);
	if (nl_detach(nl, dir))
		die("%s stays attached: %s", dir, nl->why);
	nl_close(nl);
}

static void produce(int fd, int records)
{
	for (int i = 0; i < records; i++)
		CHECK_EQ(send(fd, VALUE, sizeof(VALUE), 0), sizeof(VALUE));
}

struct seen {
	uint32_t segments;
	uint64_t log_start, log_end, size, removed, recovery_point;
};

static void see(void *ctx, const struct nl_attrs *a)
{
	struct seen *s = ctx;

	s->segments = nl_u32(a, SLUICE_A_PARTITION_SEGMENTS);
	s->log_start = nl_u64(a, SLUICE_A_PARTITION_LOG_START_OFFSET);
	s->log_end = nl_u64(a, SLUICE_A_PARTITION_LOG_END_OFFSET);
	s->recovery_point = nl_u64(a, SLUICE_A_PARTITION_RECOVERY_POINT);
	s->size = nl_u64(a, SLUICE_A_PARTITION_SIZE_BYTES);
	s->removed = nl_u64(a, SLUICE_A_PARTITION_REMOVED_BYTES);
}

static int look(struct nl *nl, const char *topic, struct seen *s)
{
	return nl_partition_get(nl, topic, see, s);
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static bool wait_for_segments(struct nl *nl, const char *topic, uint32_t at_most, struct seen *s)
{
	for (int waited = 0; waited < WAIT_MS; waited += 100) {
		if (look(nl, topic, s))
			return false;
		if (s->segments <= at_most)
			return true;
		sleep_ms(100);
	}
	return false;
}

/* Files of the partition whose names end so. */
static unsigned int count_files(const char *topic, const char *suffix)
{
	char path[4096];
	unsigned int count = 0;
	struct dirent *entry;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s-0", dir, topic);
	d = opendir(path);
	if (!d)
		die("%s is not there", path);
	while ((entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len > strlen(suffix) && !strcmp(entry->d_name + len - strlen(suffix), suffix))
			count++;
	}
	closedir(d);
	return count;
}

static bool wait_for_no_files(const char *topic, const char *suffix)
{
	for (int waited = 0; waited < WAIT_MS; waited += 100) {
		if (!count_files(topic, suffix))
			return true;
		sleep_ms(100);
	}
	return false;
}

static void read_interval(void *ctx, const struct nl_attrs *a)
{
	*(uint32_t *)ctx = nl_u32(a, SLUICE_A_INFO_RETENTION_CHECK_INTERVAL_MS);
}

static void interval__is_set_and_told(void)
{
	uint32_t ms = 0;
	struct nl_msg m;
	struct nl nl;

	nl_open(&nl);
	CHECK_ERRNO(set_interval(&nl, 0), EINVAL);
	CHECK(strstr(nl.why, "retention-check-interval-ms"));
	CHECK_ERRNO(set_interval(&nl, 0x80000000), EINVAL);
	CHECK_EQ(set_interval(&nl, 12345), 0);
	nl_new(&nl, &m, SLUICE_CMD_INFO_GET);
	CHECK_EQ(nl_get(&nl, &m, read_interval, &ms), 0);
	CHECK_EQ(ms, 12345);
	CHECK_EQ(set_interval(&nl, 300000), 0);
	nl_close(&nl);
}

static void read_log_start(void *ctx, const struct nl_attrs *a)
{
	if (nl_u32(a, SLUICE_A_EVENT_TYPE) == SLUICE_EVENT_TYPE_LOG_START_MOVED)
		*(uint64_t *)ctx = nl_u64(a, SLUICE_A_EVENT_BASE_OFFSET);
}

static void retention__by_size(void)
{
	static const struct setting by_size = {SLUICE_A_TOPIC_CONFIG_RETENTION_BYTES, 3 * SEGMENT,
					       true};
	uint64_t told = UINT64_MAX;
	struct seen before, s;
	struct nl nl, listener;
	int fd;

	fd = start(&nl, "by-size");
	nl_open(&listener);
	CHECK_EQ(nl_listen(&listener), 0);
	produce(fd, RECORDS);
	CHECK_EQ(look(&nl, "by-size", &before), 0);
	CHECK(before.segments >= 6);
	CHECK_EQ(before.log_start, 0);
	CHECK_EQ(set_config(&nl, "by-size", &by_size, 1), 0);
	CHECK_EQ(set_interval(&nl, 100), 0);
	/* Kafka removes while what is left is not below the limit: so at most 4 stay. */
	CHECK(wait_for_segments(&nl, "by-size", 4, &s));
	CHECK(s.size >= 3 * SEGMENT);
	CHECK(s.log_start > 0 && s.log_start < RECORDS);
	CHECK_EQ(s.log_end, RECORDS);
	CHECK(wait_for_no_files("by-size", ".deleted"));
	CHECK_EQ(look(&nl, "by-size", &s), 0);
	CHECK_EQ(s.removed, before.size - s.size);
	CHECK_EQ(count_files("by-size", ".log"), s.segments);
	while (nl_event(&listener, 1000, read_log_start, &told))
		;
	CHECK_EQ(told, s.log_start);
	CHECK_EQ(set_interval(&nl, 300000), 0);
	nl_close(&listener);
	end(&nl, fd);
}

/* All of it, the active segment too, and the log goes on where it was. */
static void retention__by_age(void)
{
	static const struct setting by_age = {SLUICE_A_TOPIC_CONFIG_RETENTION_MS, 1, true};
	static const struct setting off = {SLUICE_A_TOPIC_CONFIG_RETENTION_MS, -1, true};
	struct seen s;
	struct nl nl;
	int fd;

	fd = start(&nl, "by-age");
	produce(fd, RECORDS);
	sleep_ms(10);
	CHECK_EQ(set_config(&nl, "by-age", &by_age, 1), 0);
	CHECK_EQ(set_interval(&nl, 100), 0);
	CHECK(wait_for_segments(&nl, "by-age", 1, &s));
	for (int waited = 0; waited < WAIT_MS && s.log_start < RECORDS; waited += 100) {
		sleep_ms(100);
		CHECK_EQ(look(&nl, "by-age", &s), 0);
	}
	CHECK_EQ(s.log_start, RECORDS);
	CHECK_EQ(s.size, 0);
	CHECK_EQ(set_config(&nl, "by-age", &off, 1), 0);
	produce(fd, 1);
	CHECK_EQ(look(&nl, "by-age", &s), 0);
	CHECK_EQ(s.log_end, RECORDS + 1);
	CHECK_EQ(set_interval(&nl, 300000), 0);
	end(&nl, fd);
}

static void set__moves_the_log_start(void)
{
	struct seen before, s;
	struct nl nl;
	int fd;

	fd = start(&nl, "cut");
	produce(fd, RECORDS);
	CHECK_EQ(look(&nl, "cut", &before), 0);
	CHECK_ERRNO(set_log_start(&nl, "cut", RECORDS + 1), ERANGE);
	CHECK(strstr(nl.why, "high watermark 60"));
	CHECK_ERRNO(set_log_start(&nl, "cut", UINT64_MAX), EINVAL);
	CHECK_EQ(set_log_start(&nl, "cut", 31), 0);
	CHECK_EQ(look(&nl, "cut", &s), 0);
	CHECK_EQ(s.log_start, 31);
	/* Without a pass over the namespace. */
	CHECK(wait_for_segments(&nl, "cut", before.segments - 1, &s));
	CHECK_EQ(set_log_start(&nl, "cut", 5), 0);
	CHECK_EQ(look(&nl, "cut", &s), 0);
	CHECK_EQ(s.log_start, 31);
	CHECK_ERRNO(set_log_start(&nl, "none", 5), ENOENT);
	end(&nl, fd);
}

static int set_high_watermark(struct nl *nl, const char *topic, uint64_t offset)
{
	struct nl_msg m;

	nl_new(nl, &m, SLUICE_CMD_PARTITION_SET);
	nl_put_string(&m, SLUICE_A_PARTITION_TOPIC, topic);
	nl_put_u32(&m, SLUICE_A_PARTITION_INDEX, 0);
	nl_put_u64(&m, SLUICE_A_PARTITION_HIGH_WATERMARK, offset);
	return nl_do(nl, &m);
}

/* A reader gets what is below it, and waits for it to move. */
static void set__moves_the_high_watermark(void)
{
	char buf[64];
	struct nl_msg m;
	struct nl nl;
	int fd, reader;

	fd = start(&nl, "replicated");
	CHECK_EQ(set_high_watermark(&nl, "replicated", 0), 0);
	produce(fd, 2);
	reader = nl_socket(&nl, "replicated", false);
	CHECK(reader >= 0);
	CHECK_ERRNO(recv(reader, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(set_high_watermark(&nl, "replicated", 1), 0);
	CHECK_EQ(recv(reader, buf, sizeof(buf), 0), sizeof(VALUE));
	CHECK_ERRNO(recv(reader, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(set_log_start(&nl, "replicated", 2), ERANGE);
	CHECK_EQ(set_high_watermark(&nl, "replicated", INT64_MAX), 0);
	CHECK_EQ(recv(reader, buf, sizeof(buf), 0), sizeof(VALUE));
	CHECK_EQ(set_log_start(&nl, "replicated", 2), 0);
	CHECK_ERRNO(set_high_watermark(&nl, "replicated", UINT64_MAX), EINVAL);
	nl_new(&nl, &m, SLUICE_CMD_PARTITION_SET);
	nl_put_string(&m, SLUICE_A_PARTITION_TOPIC, "replicated");
	nl_put_u32(&m, SLUICE_A_PARTITION_INDEX, 0);
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	CHECK(strstr(nl.why, "neither high-watermark nor log-start-offset"));
	close(reader);
	end(&nl, fd);
}

static int create_with(struct nl *nl, uint32_t partitions, int type, const int64_t *values,
		       size_t size)
{
	static const uint8_t id[SLUICE_TOPIC_ID_LEN] = {'k'};
	struct nl_msg m;

	nl_new(nl, &m, SLUICE_CMD_TOPIC_CREATE);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, "known");
	nl_put(&m, SLUICE_A_TOPIC_ID, id, sizeof(id));
	nl_put_string(&m, SLUICE_A_TOPIC_DATA_DIR, dir);
	nl_put_u32(&m, SLUICE_A_TOPIC_PARTITION_COUNT, partitions);
	nl_put(&m, type, values, size);
	return nl_do(nl, &m);
}

static void count_start(void *ctx, const struct nl_attrs *a)
{
	((uint64_t *)ctx)[nl_u32(a, SLUICE_A_PARTITION_INDEX)] =
		nl_u64(a, SLUICE_A_PARTITION_LOG_START_OFFSET);
}

static void create__what_is_known_of_the_logs(void)
{
	static const int64_t starts[] = {70, 0, 90, -1};
	uint64_t seen[4] = {0};
	struct nl_msg m;
	struct nl nl;

	nl_open(&nl);
	dir = nl_dir();
	nl_partition_dirs(dir, "known", 0, 4);
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_ERRNO(create_with(&nl, 3, SLUICE_A_TOPIC_LOG_START_OFFSETS, starts, 16), EINVAL);
	CHECK(strstr(nl.why, "offsets of 2 partitions, and 3 are added"));
	CHECK_ERRNO(create_with(&nl, 3, SLUICE_A_TOPIC_RECOVERY_POINTS, starts, 23), EINVAL);
	CHECK(strstr(nl.why, "recovery-points is not an array"));
	CHECK_ERRNO(create_with(&nl, 4, SLUICE_A_TOPIC_LOG_START_OFFSETS, starts, 32), EINVAL);
	CHECK(strstr(nl.why, "partition 3 is negative"));
	CHECK_EQ(create_with(&nl, 2, SLUICE_A_TOPIC_LOG_START_OFFSETS, starts, 16), 0);
	/* Only of those that are added. */
	CHECK_EQ(create_with(&nl, 3, SLUICE_A_TOPIC_LOG_START_OFFSETS, starts + 2, 8), 0);
	nl_new(&nl, &m, SLUICE_CMD_PARTITION_GET);
	nl_put_string(&m, SLUICE_A_PARTITION_TOPIC, "known");
	CHECK_EQ(nl_dump(&nl, &m, count_start, seen), 3);
	CHECK_EQ(seen[0], 70);
	CHECK_EQ(seen[1], 0);
	CHECK_EQ(seen[2], 90);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	nl_close(&nl);
}

/* A directory with work of every kind queued ends at once. */
static void detach__does_not_wait_for_what_is_due_later(void)
{
	static const struct setting later[] = {
		{SLUICE_A_TOPIC_CONFIG_FILE_DELETE_DELAY_MS, 3600000, true},
		{SLUICE_A_TOPIC_CONFIG_FLUSH_MS, 3600000, true},
	};
	struct timespec begin, done;
	struct seen before, s;
	struct nl nl;
	int fd;

	fd = start(&nl, "later");
	CHECK_EQ(set_config(&nl, "later", later, ARRAY_LEN(later)), 0);
	produce(fd, RECORDS);
	CHECK_EQ(look(&nl, "later", &before), 0);
	CHECK_EQ(set_log_start(&nl, "later", 31), 0);
	CHECK(wait_for_segments(&nl, "later", before.segments - 1, &s));
	CHECK(count_files("later", ".log.deleted") > 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	end(&nl, fd);
	clock_gettime(CLOCK_MONOTONIC, &done);
	CHECK(done.tv_sec - begin.tv_sec < 60);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(interval__is_set_and_told),
		TEST(retention__by_size),
		TEST(retention__by_age),
		TEST(set__moves_the_log_start),
		TEST(set__moves_the_high_watermark),
		TEST(create__what_is_known_of_the_logs),
		TEST(detach__does_not_wait_for_what_is_due_later),
	};

	return run_tests(tests, ARRAY_LEN(tests));
}
