// SPDX-License-Identifier: Apache-2.0
/* Attaching and detaching data directories. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/netlink/nl.h"
#include "tests/socket/harness.h"

static const uint8_t id[SLUICE_TOPIC_ID_LEN] = "data-dir-test";

static void attach__names_the_missing_attribute(void)
{
	struct nl_msg m;
	struct nl nl;

	nl_open(&nl);
	nl_new(&nl, &m, SLUICE_CMD_DATA_DIR_ATTACH);
	nl_put_u32(&m, SLUICE_A_DATA_DIR_FD, 0);
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	CHECK(strstr(nl.why, "attribute path is missing"));
	nl_new(&nl, &m, SLUICE_CMD_DATA_DIR_ATTACH);
	nl_put_string(&m, SLUICE_A_DATA_DIR_PATH, "/not-attached");
	CHECK_ERRNO(nl_do(&nl, &m), EINVAL);
	CHECK(strstr(nl.why, "attribute fd is missing"));
	nl_close(&nl);
}

static void attach__refuses_what_is_no_directory(void)
{
	struct nl_msg m;
	struct nl nl;

	nl_open(&nl);
	CHECK_ERRNO(nl_attach_as(&nl, nl_dir(), "relative/path"), EINVAL);
	CHECK(strstr(nl.why, "absolute"));
	CHECK_ERRNO(nl_attach(&nl, "/proc/self/status"), ENOTDIR);
	CHECK(strstr(nl.why, "not a directory"));
	nl_new(&nl, &m, SLUICE_CMD_DATA_DIR_ATTACH);
	nl_put_string(&m, SLUICE_A_DATA_DIR_PATH, "/not-attached");
	nl_put_u32(&m, SLUICE_A_DATA_DIR_FD, 1000000);
	CHECK_ERRNO(nl_do(&nl, &m), EBADF);
	CHECK(strstr(nl.why, "1000000"));
	nl_close(&nl);
}

static void attach__names_the_file_system(void)
{
	struct nl nl;

	nl_open(&nl);
	CHECK_ERRNO(nl_attach(&nl, "/dev/shm"), EOPNOTSUPP);
	CHECK(strstr(nl.why, "tmpfs is not supported"));
	CHECK_ERRNO(nl_attach(&nl, "/proc"), EOPNOTSUPP);
	CHECK(strstr(nl.why, "proc is not supported"));
	nl_close(&nl);
}

static void attach__only_once(void)
{
	const char *dir = nl_dir();
	char other[4096];
	struct nl nl;

	nl_open(&nl);
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_ERRNO(nl_attach(&nl, dir), EEXIST);
	snprintf(other, sizeof(other), "%s/.", dir);
	CHECK_ERRNO(nl_attach(&nl, other), EBUSY);
	CHECK(strstr(nl.why, "attached already"));
	CHECK_EQ(nl_detach(&nl, dir), 0);
	CHECK_EQ(nl_attach(&nl, other), 0);
	CHECK_EQ(nl_detach(&nl, other), 0);
	nl_close(&nl);
}

static void detach__unknown(void)
{
	struct nl nl;

	nl_open(&nl);
	CHECK_ERRNO(nl_detach(&nl, "/nowhere"), ENOENT);
	CHECK(strstr(nl.why, "/nowhere is not attached"));
	nl_close(&nl);
}

static void detach__closes_every_file(void)
{
	const char *dir = nl_dir();
	struct nl nl;

	nl_open(&nl);
	nl_partition_dirs(dir, "closes", 0, 3);
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_EQ(nl_topic_create(&nl, "closes", id, dir, 3), 0);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	/* Attaching finds the logs as they were left. */
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_EQ(nl_topic_create(&nl, "closes", id, dir, 3), 0);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	nl_close(&nl);
}

static void detach__busy_while_a_socket_uses_it(void)
{
	const char *dir = nl_dir();
	struct nl nl;
	int fd;

	nl_open(&nl);
	nl_partition_dirs(dir, "busy", 0, 1);
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_EQ(nl_topic_create(&nl, "busy", id, dir, 1), 0);
	fd = nl_socket(&nl, "busy", false);
	CHECK(fd >= 0);
	CHECK_ERRNO(nl_detach(&nl, dir), EBUSY);
	CHECK(strstr(nl.why, "topic busy is in use"));
	close(fd);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	nl_close(&nl);
}

struct found {
	const char *dir;
	unsigned int count;
	uint32_t topics;
	uint32_t state;
};

static void find_dir(void *ctx, const struct nl_attrs *a)
{
	struct found *f = ctx;

	if (strcmp(nl_string(a, SLUICE_A_DATA_DIR_PATH), f->dir))
		return;
	f->count++;
	f->topics = nl_u32(a, SLUICE_A_DATA_DIR_TOPICS);
	f->state = nl_u32(a, SLUICE_A_DATA_DIR_STATE);
}

static void get__lists_what_is_attached(void)
{
	struct found f = {.dir = nl_dir()};
	struct nl_msg m;
	struct nl nl;

	nl_open(&nl);
	nl_partition_dirs(f.dir, "listed", 0, 2);
	CHECK_EQ(nl_attach(&nl, f.dir), 0);
	CHECK_EQ(nl_topic_create(&nl, "listed", id, f.dir, 2), 0);
	nl_new(&nl, &m, SLUICE_CMD_DATA_DIR_GET);
	CHECK(nl_dump(&nl, &m, find_dir, &f) >= 1);
	CHECK_EQ(f.count, 1);
	CHECK_EQ(f.topics, 1);
	CHECK_EQ(f.state, SLUICE_DATA_DIR_STATE_ATTACHED);
	CHECK_EQ(nl_detach(&nl, f.dir), 0);
	f.count = 0;
	nl_new(&nl, &m, SLUICE_CMD_DATA_DIR_GET);
	CHECK(nl_dump(&nl, &m, find_dir, &f) >= 0);
	CHECK_EQ(f.count, 0);
	nl_close(&nl);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(attach__names_the_missing_attribute),
		TEST(attach__refuses_what_is_no_directory),
		TEST(attach__names_the_file_system),
		TEST(attach__only_once),
		TEST(detach__unknown),
		TEST(detach__closes_every_file),
		TEST(detach__busy_while_a_socket_uses_it),
		TEST(get__lists_what_is_attached),
	};

	return run_tests(tests, ARRAY_LEN(tests));
}
