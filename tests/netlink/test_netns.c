// SPDX-License-Identifier: Apache-2.0
/* Namespaces, permissions and events. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/netlink/nl.h"
#include "tests/socket/harness.h"

static const uint8_t id[SLUICE_TOPIC_ID_LEN] = "netns-test";

/* Run @fn in a child; 0 if it returned 0, else what it returned. */
static int in_child(int (*fn)(const char *dir), const char *dir)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		_exit(fn(dir));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

static int attach_and_leave(const char *dir)
{
	struct nl nl;

	if (unshare(CLONE_NEWNET))
		return 1;
	nl_open(&nl);
	if (nl_attach(&nl, dir))
		return 2;
	if (nl_topic_create(&nl, "left", id, dir, 2))
		return 3;
	/* The namespace ends with its last process. */
	return 0;
}

static void netns__its_end_detaches(void)
{
	const char *dir = nl_dir();
	struct nl nl;
	int ret = -1;

	nl_open(&nl);
	nl_partition_dirs(dir, "left", 0, 2);
	CHECK_EQ(in_child(attach_and_leave, dir), 0);
	/* The kernel takes namespaces down in the background. */
	for (int i = 0; i < 300 && ret; i++) {
		ret = nl_attach(&nl, dir);
		if (ret)
			usleep(100000);
	}
	CHECK_EQ(ret, 0);
	CHECK_EQ(nl_topic_create(&nl, "left", id, dir, 2), 0);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	nl_close(&nl);
}

static int look_from_another(const char *dir)
{
	struct nl_msg m;
	struct nl nl;

	if (unshare(CLONE_NEWNET))
		return 1;
	nl_open(&nl);
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_GET);
	if (nl_dump(&nl, &m, NULL, NULL) != 0)
		return 2;
	nl_new(&nl, &m, SLUICE_CMD_DATA_DIR_GET);
	if (nl_dump(&nl, &m, NULL, NULL) != 0)
		return 3;
	if (!nl_attach(&nl, dir) || errno != EBUSY)
		return 4;
	return strstr(nl.why, "network namespace") ? 0 : 5;
}

static void netns__sees_only_its_own(void)
{
	const char *dir = nl_dir();
	struct nl nl;

	nl_open(&nl);
	nl_partition_dirs(dir, "mine", 0, 1);
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_EQ(nl_topic_create(&nl, "mine", id, dir, 1), 0);
	CHECK_EQ(in_child(look_from_another, dir), 0);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	nl_close(&nl);
}

static int act_unprivileged(const char *dir)
{
	struct nl_msg m;
	struct nl nl;

	if (setgid(65534) || setuid(65534))
		return 1;
	nl_open(&nl);
	nl_new(&nl, &m, SLUICE_CMD_TOPIC_GET);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, "mine");
	if (nl_do(&nl, &m))
		return 2;
	nl_new(&nl, &m, SLUICE_CMD_PARTITION_GET);
	if (nl_dump(&nl, &m, NULL, NULL) < 1)
		return 3;
	if (!nl_topic_delete(&nl, "mine") || errno != EPERM)
		return 4;
	if (!nl_detach(&nl, dir) || errno != EPERM)
		return 5;
	return nl_attach(&nl, "/") && errno == EPERM ? 0 : 6;
}

static void permission__reading_needs_none(void)
{
	const char *dir = nl_dir();
	struct nl nl;

	nl_open(&nl);
	nl_partition_dirs(dir, "mine", 0, 1);
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_EQ(nl_topic_create(&nl, "mine", id, dir, 1), 0);
	CHECK_EQ(in_child(act_unprivileged, dir), 0);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	nl_close(&nl);
}

struct event {
	uint32_t type;
	char topic[64];
	char dir[4096];
};

static void read_event(void *ctx, const struct nl_attrs *a)
{
	struct event *e = ctx;

	e->type = nl_u32(a, SLUICE_A_EVENT_TYPE);
	snprintf(e->topic, sizeof(e->topic), "%s", nl_string(a, SLUICE_A_EVENT_TOPIC));
	snprintf(e->dir, sizeof(e->dir), "%s", nl_string(a, SLUICE_A_EVENT_DATA_DIR));
}

static int change_elsewhere(const char *dir)
{
	struct nl nl;

	if (unshare(CLONE_NEWNET))
		return 1;
	nl_open(&nl);
	return nl_attach(&nl, dir) || nl_detach(&nl, dir) ? 2 : 0;
}

static void event__in_the_order_of_changes(void)
{
	static const uint32_t types[] = {
		SLUICE_EVENT_TYPE_DATA_DIR_ATTACHED, SLUICE_EVENT_TYPE_TOPIC_CREATED,
		SLUICE_EVENT_TYPE_TOPIC_DELETED,     SLUICE_EVENT_TYPE_TOPIC_CREATED,
		SLUICE_EVENT_TYPE_TOPIC_DELETED,     SLUICE_EVENT_TYPE_DATA_DIR_DETACHED,
	};
	const char *dir = nl_dir();
	struct nl nl, listener;
	struct event e = {0};

	nl_open(&nl);
	nl_open(&listener);
	CHECK_EQ(nl_listen(&listener), 0);
	nl_partition_dirs(dir, "told", 0, 1);
	/* What happens in another namespace is not ours to hear. */
	CHECK_EQ(in_child(change_elsewhere, dir), 0);
	CHECK_EQ(nl_attach(&nl, dir), 0);
	CHECK_EQ(nl_topic_create(&nl, "told", id, dir, 1), 0);
	CHECK_EQ(nl_topic_delete(&nl, "told"), 0);
	CHECK_EQ(nl_topic_create(&nl, "told", id, dir, 1), 0);
	CHECK_EQ(nl_detach(&nl, dir), 0);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		CHECK_EQ(nl_event(&listener, 5000, read_event, &e), 1);
		CHECK_EQ(e.type, types[i]);
		if (i == 0 || i == ARRAY_LEN(types) - 1)
			CHECK(!strcmp(e.dir, dir));
		else
			CHECK(!strcmp(e.topic, "told"));
	}
	CHECK_EQ(nl_event(&listener, 100, read_event, &e), 0);
	nl_close(&listener);
	nl_close(&nl);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(netns__its_end_detaches),
		TEST(netns__sees_only_its_own),
		TEST(permission__reading_needs_none),
		TEST(event__in_the_order_of_changes),
	};

	return run_tests(tests, ARRAY_LEN(tests));
}
