// SPDX-License-Identifier: Apache-2.0
/* What netlink says of partitions that are written to, and that nothing a producer does hurts one. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/netlink/nl.h"
#include "tests/socket/harness.h"

#define ROUNDS 40

static const char *dir;

/* Of each topic its own, so that one that a failed test left disturbs no other. */
static int create(struct nl *nl, const char *topic)
{
	uint8_t id[SLUICE_TOPIC_ID_LEN] = {0};

	memcpy(id, topic, strlen(topic));
	return nl_topic_create(nl, topic, id, dir, 1);
}

static void start(struct nl *nl, const char *topic)
{
	nl_open(nl);
	dir = nl_dir();
	nl_partition_dirs(dir, topic, 0, 1);
	if (nl_attach(nl, dir))
		die("%s is not attached: %s", dir, nl->why);
	if (create(nl, topic))
		die("%s: %s", topic, nl->why);
}

static void end(struct nl *nl)
{
	if (nl_detach(nl, dir))
		die("%s stays attached: %s", dir, nl->why);
	nl_close(nl);
}

struct seen {
	uint32_t state, segments;
	uint64_t log_end, size, batches, records, bytes, rolls, refused;
};

static void see(void *ctx, const struct nl_attrs *a)
{
	struct seen *s = ctx;

	s->state = nl_u32(a, SLUICE_A_PARTITION_STATE);
	s->segments = nl_u32(a, SLUICE_A_PARTITION_SEGMENTS);
	s->log_end = nl_u64(a, SLUICE_A_PARTITION_LOG_END_OFFSET);
	s->size = nl_u64(a, SLUICE_A_PARTITION_SIZE_BYTES);
	s->batches = nl_u64(a, SLUICE_A_PARTITION_APPEND_BATCHES);
	s->records = nl_u64(a, SLUICE_A_PARTITION_APPEND_RECORDS);
	s->bytes = nl_u64(a, SLUICE_A_PARTITION_APPEND_BYTES);
	s->rolls = nl_u64(a, SLUICE_A_PARTITION_ROLLS);
	s->refused = nl_u64(a, SLUICE_A_PARTITION_REFUSED_BATCHES);
}

static int look(struct nl *nl, const char *topic, struct seen *s)
{
	return nl_partition_get(nl, topic, see, s);
}

static void get__counts_appends(void)
{
	const struct sluice_flush flush = {.partition = 0};
	struct seen s = {0};
	struct nl nl;
	int fd;

	start(&nl, "counts");
	CHECK_EQ(look(&nl, "counts", &s), 0);
	CHECK_EQ(s.log_end, 0);
	CHECK_EQ(s.segments, 1);
	fd = nl_socket(&nl, "counts", true);
	CHECK(fd >= 0);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(send(fd, "0123456789", 10, 0), 10);
	/* What is in the open batch has no bytes in a file yet. */
	CHECK_EQ(setsockopt(fd, SOL_SLUICE, SLUICE_FLUSH, &flush, sizeof(flush)), 0);
	CHECK_EQ(look(&nl, "counts", &s), 0);
	CHECK_EQ(s.state, SLUICE_PARTITION_STATE_ONLINE);
	CHECK_EQ(s.log_end, 10);
	CHECK_EQ(s.records, 10);
	CHECK_EQ(s.bytes, s.size);
	CHECK_EQ(s.refused, 0);
	close(fd);
	end(&nl);
}

static void read_roll(void *ctx, const struct nl_attrs *a)
{
	if (nl_u32(a, SLUICE_A_EVENT_TYPE) == SLUICE_EVENT_TYPE_SEGMENT_ROLLED)
		*(uint64_t *)ctx = nl_u64(a, SLUICE_A_EVENT_BASE_OFFSET);
}

static void event__tells_of_a_roll(void)
{
	uint64_t base_offset = UINT64_MAX;
	struct nl nl, listener;
	struct seen s = {0};
	struct nl_msg m;
	size_t nest;
	int fd;

	start(&nl, "rolls");
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_SET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, "rolls");
	nest = nl_nest(&m, SLUICE_A_TOPIC_CONFIG);
	nl_put_u32(&m, SLUICE_A_TOPIC_CONFIG_SEGMENT_BYTES, 200);
	/* Each record a batch of its own. */
	nl_put_u32(&m, SLUICE_A_TOPIC_CONFIG_LINGER_MS, 0);
	nl_nest_end(&m, nest);
	CHECK_EQ(nl_do(&nl, &m), 0);
	nl_open(&listener);
	CHECK_EQ(nl_listen(&listener), 0);
	fd = nl_socket(&nl, "rolls", true);
	CHECK(fd >= 0);
	/* Each batch is some 80 bytes: the third does not fit any more. */
	for (int i = 0; i < 3; i++)
		CHECK_EQ(send(fd, "0123456789", 10, 0), 10);
	CHECK_EQ(nl_event(&listener, 5000, read_roll, &base_offset), 1);
	CHECK_EQ(base_offset, 2);
	CHECK_EQ(look(&nl, "rolls", &s), 0);
	CHECK_EQ(s.rolls, 1);
	CHECK_EQ(s.segments, 2);
	close(fd);
	nl_close(&listener);
	end(&nl);
}

static void detach__leaves_what_was_appended(void)
{
	struct seen s = {0};
	struct nl nl;
	int fd;

	start(&nl, "durable");
	fd = nl_socket(&nl, "durable", true);
	CHECK(fd >= 0);
	CHECK_EQ(send(fd, "x", 1, 0), 1);
	close(fd);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_EQ(create(&nl, "durable"), 0);
	CHECK_EQ(look(&nl, "durable", &s), 0);
	CHECK_EQ(s.log_end, 1);
	end(&nl);
}

/* A child with a limit on the size of files; 0 if its send failed with EFBIG alone. */
static int send_limited(const char *topic, rlim_t limit)
{
	struct rlimit rl = {.rlim_cur = limit, .rlim_max = limit};
	struct nl nl;
	pid_t pid = fork();
	int status, fd;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid) {
		waitpid(pid, &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
	}
	nl_open(&nl);
	fd = nl_socket(&nl, topic, true);
	if (fd < 0 || setrlimit(RLIMIT_FSIZE, &rl))
		_exit(1);
	errno = 0;
	_exit(send(fd, "x", 1, 0) == -1 && errno == EFBIG ? 0 : 2);
}

static void append__file_size_limit_hurts_only_its_process(void)
{
	struct seen s = {0};
	struct nl nl;
	int fd;

	start(&nl, "limited");
	CHECK_EQ(send_limited("limited", 0), 0);
	CHECK_EQ(send_limited("limited", 100), 0);
	fd = nl_socket(&nl, "limited", true);
	CHECK(fd >= 0);
	CHECK_EQ(send(fd, "x", 1, 0), 1);
	CHECK_EQ(look(&nl, "limited", &s), 0);
	CHECK_EQ(s.state, SLUICE_PARTITION_STATE_ONLINE);
	CHECK_EQ(s.log_end, 1);
	close(fd);
	end(&nl);
}

static char large[900 * 1024];

static pid_t start_producer(const char *topic)
{
	struct nl nl;
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	nl_open(&nl);
	fd = nl_socket(&nl, topic, true);
	if (fd < 0)
		_exit(1);
	for (;;)
		if (send(fd, large, sizeof(large), 0) != sizeof(large))
			_exit(errno);
}

/* What one append takes here, in microseconds, so that deaths fall inside of one. */
static long append_us(int fd)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (send(fd, large, sizeof(large), 0) != sizeof(large))
		die("send: %s", strerror(errno));
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000;
}

/* Killed in the middle of an append, of a roll, of an index entry. */
static void append__death_hurts_only_the_dead(void)
{
	struct seen s = {0};
	struct nl_msg m;
	struct nl nl;
	size_t nest;
	int fd, status;
	long took;

	start(&nl, "killed");
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_SET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, "killed");
	nest = nl_nest(&m, SLUICE_A_TOPIC_CONFIG);
	nl_put_u32(&m, SLUICE_A_TOPIC_CONFIG_SEGMENT_BYTES, 2 * 1024 * 1024);
	nl_nest_end(&m, nest);
	CHECK_EQ(nl_do(&nl, &m), 0);
	fd = nl_socket(&nl, "killed", true);
	CHECK(fd >= 0);
	memset(large, 'k', sizeof(large));
	took = append_us(fd);
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pid = start_producer("killed");

		/* Up to some appends, and the time it takes to begin. */
		usleep((useconds_t)(5000 + took * 4 * round / ROUNDS));
		CHECK_EQ(kill(pid, SIGKILL), 0);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		/* Not by itself, with an errno. */
		CHECK_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : 0, 0);
	}
	CHECK_EQ(look(&nl, "killed", &s), 0);
	CHECK_EQ(s.state, SLUICE_PARTITION_STATE_ONLINE);
	CHECK_EQ(s.log_end, s.records);
	note("%llu records, %llu refused, %u segments", (unsigned long long)s.records,
	     (unsigned long long)s.refused, s.segments);
	CHECK_EQ(send(fd, "x", 1, 0), 1);
	close(fd);
	/* A log with a torn tail would not open again. */
	CHECK_EQ(nl_detach(&nl, dir), 0);
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_EQ(create(&nl, "killed"), 0);
	end(&nl);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(get__counts_appends),
		TEST(event__tells_of_a_roll),
		TEST(detach__leaves_what_was_appended),
		TEST(append__file_size_limit_hurts_only_its_process),
		TEST(append__death_hurts_only_the_dead),
	};

	return run_tests(tests, ARRAY_LEN(tests));
}
