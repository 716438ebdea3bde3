// SPDX-License-Identifier: Apache-2.0
/* The requests that take segments away at once: truncation, replacement. */
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/netlink/nl.h"
#include "tests/socket/harness.h"

static const char *dir;

/* Each record a batch of its own. */
static int create(struct nl *nl, const char *topic)
{
	uint8_t id[SLUICE_TOPIC_ID_LEN] = {0};
	struct nl_msg m;
	size_t nest;

	memcpy(id, topic, strlen(topic));
	if (nl_topic_create(nl, topic, id, dir, 1))
		return -1;
	nl_new(nl, &m, SLUICE_CMD_TOPIC_SET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, topic);
	nest = nl_nest(&m, SLUICE_A_TOPIC_CONFIG);
	nl_put_u32(&m, SLUICE_A_TOPIC_CONFIG_LINGER_MS, 0);
	nl_nest_end(&m, nest);
	return nl_do(nl, &m);
}

static int start(struct nl *nl, const char *topic)
{
	int fd;

	nl_open(nl);
	dir = nl_dir();
	nl_partition_dirs(dir, topic, 0, 1);
	if (nl_attach(nl, dir) || create(nl, topic))
		die("%s: %s", topic, nl->why);
	fd = nl_socket(nl, topic, true);
	if (fd < 0)
		die("%s: no socket", topic);
	for (int i = 0; i < 10; i++)
		if (send(fd, "0123456789", 10, 0) != 10)
			die("%s: cannot send", topic);
	return fd;
}

static void end(struct nl *nl, int fd)
{
	close(fd);
	if (nl_detach(nl, dir))
		die("%s stays attached: %s", dir, nl->why);
	nl_close(nl);
}

static int truncate_to(struct nl *nl, const char *topic, uint64_t offset)
{
	struct nl_msg m;

	nl_partition(nl, &m, SLUICE_CMD_PARTITION_TRUNCATE, topic);
	nl_put_u64(&m, SLUICE_A_PARTITION_LOG_END_OFFSET, offset);
	return nl_do(nl, &m);
}

struct seen {
	uint32_t state;
	uint64_t log_end, high_watermark, recovery_point, generation, truncations;
};

static void see(void *ctx, const struct nl_attrs *a)
{
	struct seen *s = ctx;

	s->state = nl_u32(a, SLUICE_A_PARTITION_STATE);
	s->log_end = nl_u64(a, SLUICE_A_PARTITION_LOG_END_OFFSET);
	s->high_watermark = nl_u64(a, SLUICE_A_PARTITION_HIGH_WATERMARK);
	s->recovery_point = nl_u64(a, SLUICE_A_PARTITION_RECOVERY_POINT);
	s->generation = nl_u64(a, SLUICE_A_PARTITION_GENERATION);
	s->truncations = nl_u64(a, SLUICE_A_PARTITION_TRUNCATIONS);
}

static int look(struct nl *nl, const char *topic, struct seen *s)
{
	return nl_partition_get(nl, topic, see, s);
}

static void truncate__says_what_is_missing_or_wrong(void)
{
	struct nl_msg m;
	struct nl nl;
	int fd = start(&nl, "missing");

	nl_new(&nl, &m, SLUICE_CMD_PARTITION_TRUNCATE);
	nl_put_string(&m, SLUICE_A_PARTITION_TOPIC, "missing");
	nl_put_u64(&m, SLUICE_A_PARTITION_LOG_END_OFFSET, 1);
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	CHECK(strstr(nl.why, "index is missing"));
	nl_partition(&nl, &m, SLUICE_CMD_PARTITION_TRUNCATE, "missing");
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	CHECK(strstr(nl.why, "log-end-offset is missing"));
	CHECK_ERRNO(truncate_to(&nl, "missing", (uint64_t)1 << 63), EINVAL);
	CHECK(strstr(nl.why, "log-end-offset is not an offset"));
	CHECK_ERRNO(truncate_to(&nl, "nothing", 1), ENOENT);
	CHECK(nl.why[0]);
	nl_partition(&nl, &m, SLUICE_CMD_PARTITION_TRUNCATE, "missing");
	nl_put_u32(&m, SLUICE_A_PARTITION_LOG_END_OFFSET, 1);
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	end(&nl, fd);
}

static void replace__says_what_is_missing_or_wrong(void)
{
	static const struct {
		int attr;
		const char *name;
	} needed[] = {
		{SLUICE_A_PARTITION_GENERATION, "generation is missing"},
		{SLUICE_A_PARTITION_FIRST_BASE_OFFSET, "first-base-offset is missing"},
		{SLUICE_A_PARTITION_LAST_BASE_OFFSET, "last-base-offset is missing"},
	};
	struct seen s = {0};
	struct nl_msg m;
	struct nl nl;
	int fd = start(&nl, "needs");

	CHECK_EQ(look(&nl, "needs", &s), 0);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		nl_partition(&nl, &m, SLUICE_CMD_PARTITION_REPLACE, "needs");
		for (size_t k = 0; k < ARRAY_LEN(needed); k++)
			if (k != i)
				nl_put_u64(&m, needed[k].attr, k ? 0 : s.generation);
		CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
		CHECK(strstr(nl.why, needed[i].name));
	}
	nl_partition(&nl, &m, SLUICE_CMD_PARTITION_REPLACE, "needs");
	nl_put_u64(&m, SLUICE_A_PARTITION_GENERATION, s.generation);
	nl_put_u64(&m, SLUICE_A_PARTITION_FIRST_BASE_OFFSET, 0);
	nl_put_u64(&m, SLUICE_A_PARTITION_LAST_BASE_OFFSET, 0);
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	CHECK(strstr(nl.why, "the active segment cannot be replaced"));
	end(&nl, fd);
}

/* Without a capability over the namespace; 0 as the exit status: refused. */
static int as_nobody(const char *topic)
{
	struct nl_msg m;
	struct nl nl;

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return 2;
	nl_open(&nl);
	if (!truncate_to(&nl, topic, 1) || errno != EPERM)
		return 3;
	nl_partition(&nl, &m, SLUICE_CMD_PARTITION_REPLACE, topic);
	return !nl_do(&nl, &m) || errno != EPERM ? 4 : 0;
}

static void change__needs_the_capability(void)
{
	struct seen s = {0};
	struct nl nl;
	int fd = start(&nl, "mine"), status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(as_nobody("mine"));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK_EQ(look(&nl, "mine", &s), 0);
	CHECK_EQ(s.log_end, 10);
	end(&nl, fd);
}

struct events {
	int count;
	uint64_t offset;
};

static void read_truncated(void *ctx, const struct nl_attrs *a)
{
	struct events *e = ctx;

	if (nl_u32(a, SLUICE_A_EVENT_TYPE) != SLUICE_EVENT_TYPE_LOG_TRUNCATED)
		return;
	e->count++;
	e->offset = nl_u64(a, SLUICE_A_EVENT_BASE_OFFSET);
}

static void truncate__is_told_and_counted_once(void)
{
	struct events told = {0};
	struct seen before, s;
	struct nl nl, listener;
	int fd = start(&nl, "told");

	nl_open(&listener);
	CHECK_EQ(nl_listen(&listener), 0);
	CHECK_EQ(look(&nl, "told", &before), 0);
	/* Behind the end nothing happens. */
	CHECK_EQ(truncate_to(&nl, "told", 10), 0);
	CHECK_EQ(truncate_to(&nl, "told", 1000), 0);
	CHECK_EQ(look(&nl, "told", &s), 0);
	CHECK_EQ(s.truncations, 0);
	CHECK(s.generation == before.generation);
	CHECK_EQ(truncate_to(&nl, "told", 6), 0);
	CHECK_EQ(look(&nl, "told", &s), 0);
	CHECK_EQ(s.truncations, 1);
	CHECK(s.generation != before.generation);
	CHECK_EQ(s.log_end, 6);
	CHECK_EQ(s.high_watermark, 6);
	CHECK(s.recovery_point <= 6);
	while (nl_event(&listener, 1000, read_truncated, &told))
		;
	CHECK_EQ(told.count, 1);
	CHECK_EQ(told.offset, 6);
	CHECK_EQ(send(fd, "again", 5, 0), 5);
	CHECK_EQ(look(&nl, "told", &s), 0);
	CHECK_EQ(s.log_end, 7);
	nl_close(&listener);
	end(&nl, fd);
}

/* A log that was cut opens again, as it was left. */
static void truncate__is_there_after_a_detach(void)
{
	struct seen s = {0};
	struct nl nl;
	int fd = start(&nl, "opened");

	CHECK_EQ(truncate_to(&nl, "opened", 4), 0);
	CHECK_EQ(send(fd, "after", 5, 0), 5);
	CHECK_EQ(truncate_to(&nl, "opened", 3), 0);
	close(fd);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_EQ(create(&nl, "opened"), 0);
	CHECK_EQ(look(&nl, "opened", &s), 0);
	CHECK_EQ(s.state, SLUICE_PARTITION_STATE_ONLINE);
	CHECK_EQ(s.log_end, 3);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	nl_close(&nl);
}

/* The limit of who asks is not the log's. */
static void truncate__file_size_limit(void)
{
	struct rlimit old, small;
	struct seen s = {0};
	struct nl nl;
	int fd = start(&nl, "limit"), ret;

	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 100;
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
	ret = truncate_to(&nl, "limit", 5);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
	CHECK_EQ(ret, 0);
	CHECK_EQ(look(&nl, "limit", &s), 0);
	CHECK_EQ(s.log_end, 5);
	CHECK_EQ(s.state, SLUICE_PARTITION_STATE_ONLINE);
	end(&nl, fd);
}

static void truncate_and_fill(const char *topic)
{
	struct nl nl;
	int fd;

	nl_open(&nl);
	fd = nl_socket(&nl, topic, true);
	for (;;) {
		if (send(fd, "0123456789", 10, 0) != 10 || truncate_to(&nl, topic, 4))
			_exit(1);
	}
}

/* Nor is its death. */
static void truncate__death_of_who_asked(void)
{
	struct seen s = {0};
	struct nl nl;
	int fd = start(&nl, "killed"), status;

	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();

		if (!pid)
			truncate_and_fill("killed");
		usleep(20000 + (useconds_t)round * 700);
		CHECK_EQ(kill(pid, SIGKILL), 0);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFSIGNALED(status));
	}
	CHECK_EQ(look(&nl, "killed", &s), 0);
	CHECK_EQ(s.state, SLUICE_PARTITION_STATE_ONLINE);
	CHECK(s.truncations > 0);
	CHECK_EQ(truncate_to(&nl, "killed", 1), 0);
	CHECK_EQ(send(fd, "x", 1, 0), 1);
	end(&nl, fd);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(truncate__says_what_is_missing_or_wrong),
		TEST(replace__says_what_is_missing_or_wrong),
		TEST(change__needs_the_capability),
		TEST(truncate__is_told_and_counted_once),
		TEST(truncate__is_there_after_a_detach),
		TEST(truncate__file_size_limit),
		TEST(truncate__death_of_who_asked),
	};

	return run_tests(tests, ARRAY_LEN(tests));
}
