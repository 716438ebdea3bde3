// SPDX-License-Identifier: Apache-2.0
/*
 * Who may produce and consume: the mode of the partition's directory, the
 * caller's credentials, the caller's network namespace.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define SOMEBODY 12345

static struct got got;

/* Run in a child without privileges; its checks say by its status. */
static bool as_somebody(bool (*run)(const struct topic *t, int fd), const struct topic *t, int fd)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		if (setgid(SOMEBODY) || setuid(SOMEBODY))
			_exit(2);
		_exit(!run(t, fd));
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void mode(const struct topic *t, int partition, mode_t bits)
{
	if (chmod(topic_path(t, (uint32_t)partition, NULL), bits))
		die("chmod: %s", strerror(errno));
}

static bool fails_with(int result, int error)
{
	bool as_told = result < 0 && errno == error;

	if (!as_told)
		note("returned %d with %s", result, strerror(errno));
	return as_told;
}

static bool may_only_read(const struct topic *t, int fd)
{
	(void)fd;
	int out = open_socket(SOCK_SEQPACKET), in = open_socket(SOCK_SEQPACKET);
	struct sockaddr_sluice addr = address(t, 0);

	return !bind_topic(out, t, 0) && fails_with(connect_topic(in, t, 0), EACCES) &&
	       strstr(error_text(in), "mode") &&
	       fails_with((int)sendto(in, "x", 1, 0, (struct sockaddr *)&addr, sizeof(addr)),
			  EACCES);
}

static bool may_only_write(const struct topic *t, int fd)
{
	(void)fd;
	int out = open_socket(SOCK_SEQPACKET), in = open_socket(SOCK_SEQPACKET);
	struct sluice_fetch f = {.max_bytes = 100};
	struct sluice_watch w = {.offset = 100};
	struct sluice_offset_for_time oft = {.timestamp = 0};
	struct sluice_aborted_list aborted = {.partition = 0};
	struct sluice_active_producers producers = {.partition = 0};

	memcpy(producers.topic_id, t->id, sizeof(producers.topic_id));
	memcpy(aborted.topic_id, t->id, sizeof(aborted.topic_id));
	memcpy(f.topic_id, t->id, sizeof(f.topic_id));
	memcpy(w.topic_id, t->id, sizeof(w.topic_id));
	memcpy(oft.topic_id, t->id, sizeof(oft.topic_id));
	return fails_with(bind_topic(out, t, 0), EACCES) && !connect_topic(in, t, 0) &&
	       send_text(in, "x") == 1 && !get_option(out, SLUICE_FETCH, &f, sizeof(f)) &&
	       f.error == -EACCES && f.high_watermark == -1 &&
	       fails_with(set_option(out, SLUICE_WATCH, &w, sizeof(w)), EACCES) &&
	       fails_with(get_option(out, SLUICE_ABORTED, &aborted, sizeof(aborted)), EACCES) &&
	       fails_with(get_option(out, SLUICE_ACTIVE_PRODUCERS, &producers, sizeof(producers)),
			  EACCES) &&
	       fails_with(get_option(out, SLUICE_OFFSET_FOR_TIME, &oft, sizeof(oft)), EACCES);
}

static bool may_nothing(const struct topic *t, int fd)
{
	(void)fd;
	int s = open_socket(SOCK_STREAM);
	struct sluice_flush flush = {.partition = 0};

	memcpy(flush.topic_id, t->id, sizeof(flush.topic_id));
	return fails_with(bind_topic(s, t, 0), EACCES) &&
	       fails_with(connect_topic(s, t, 0), EACCES) &&
	       fails_with(set_option(s, SLUICE_FLUSH, &flush, sizeof(flush)), EACCES);
}

static void mode__of_others(void)
{
	struct topic t = topic_new(1, NULL);

	mode(&t, 0, 0755);
	CHECK(as_somebody(may_only_read, &t, -1));
	mode(&t, 0, 0733);
	CHECK(as_somebody(may_only_write, &t, -1));
	mode(&t, 0, 0700);
	CHECK(as_somebody(may_nothing, &t, -1));
	/* And the owner may what root may. */
	if (chown(topic_path(&t, 0, NULL), SOMEBODY, SOMEBODY))
		die("chown: %s", strerror(errno));
	mode(&t, 0, 0500);
	CHECK(as_somebody(may_only_read, &t, -1));
}

static bool may_partition_1_only(const struct topic *t, int fd)
{
	(void)fd;
	int any = open_socket(SOCK_SEQPACKET), one = open_socket(SOCK_SEQPACKET);
	struct record r = {.value = "x", .value_len = 1, .partition = 0 + 1};

	return fails_with(connect_topic(any, t, SLUICE_PARTITION_ANY), EACCES) &&
	       fails_with(bind_topic(any, t, SLUICE_PARTITION_ANY), EACCES) &&
	       !connect_topic(one, t, 1) && send_text(one, "x") == 1 &&
	       fails_with((int)send_record(one, &r, 0), EACCES);
}

static void mode__of_each_partition(void)
{
	struct topic t = topic_new(2, NULL);

	mode(&t, 0, 0700);
	mode(&t, 1, 0777);
	CHECK(as_somebody(may_partition_1_only, &t, -1));
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 0);
}

static bool may_use_what_was_opened(const struct topic *t, int fd)
{
	(void)t;
	return send_text(fd, "y") == 1 && receive(fd, &got, 0) == 1;
}

/* As with a file: the right is looked at when it is opened. */
static void mode__checked_when_bound(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = producer(SOCK_SEQPACKET, &t, 0);

	mode(&t, 0, 0700);
	CHECK(!bind_topic(fd, &t, 0));
	CHECK(as_somebody(may_use_what_was_opened, &t, fd));
	close(fd);
}

/* Who appends is not who owns the files: they stay the data directory's. */
static bool fill(const struct topic *t, int fd)
{
	static char value[900];
	int in = open_socket(SOCK_SEQPACKET);

	(void)fd;
	if (connect_topic(in, t, 0))
		return false;
	for (int i = 0; i < 10; i++)
		if (send(in, value, sizeof(value), 0) != sizeof(value))
			return false;
	return true;
}

static void mode__new_segments_are_not_the_producers(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_SEGMENT_BYTES, .segment_bytes = 2000};
	struct topic t = topic_new(1, &config);
	struct stat st;

	mode(&t, 0, 0733);
	CHECK(as_somebody(fill, &t, -1));
	CHECK(topic_partition(&t, 0).segments > 3);
	CHECK(!stat(topic_path(&t, 0, "00000000000000000002.log"), &st));
	CHECK_EQ(st.st_uid, 0);
	CHECK_EQ(st.st_mode & 022, 0);
}

static bool another_namespace(const struct topic *t, int fd)
{
	struct sockaddr_sluice addr = address(t, 0);
	struct sluice_fetch f = {.max_bytes = 100};
	char line[256];
	FILE *proc;
	int here;

	if (unshare(CLONE_NEWNET))
		return false;
	/* The topic is not here, under no name; an open socket stays what it is. */
	here = open_socket(SOCK_SEQPACKET);
	if (!fails_with(bind_topic(here, t, 0), ENOENT) ||
	    !fails_with(connect_topic(here, t, 0), ENOENT))
		return false;
	addr.sl_topic[0] = 0;
	memcpy(addr.sl_topic_id, t->id, sizeof(addr.sl_topic_id));
	memcpy(f.topic_id, t->id, sizeof(f.topic_id));
	if (!fails_with(bind(here, (struct sockaddr *)&addr, sizeof(addr)), ENOENT) ||
	    get_option(here, SLUICE_FETCH, &f, sizeof(f)) || f.error != -ENOENT)
		return false;
	if (send_text(fd, "z") != 1 || receive(fd, &got, 0) != 1)
		return false;
	proc = fopen("/proc/net/sluice", "re");
	if (!proc || !fgets(line, sizeof(line), proc))
		return false;
	fclose(proc);
	return strstr(line, "topics 0 partitions 0 sockets 1 ") != NULL;
}

static void netns__has_its_own_topics(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = producer(SOCK_SEQPACKET, &t, 0), status;
	pid_t child;

	CHECK(!bind_topic(fd, &t, 0));
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(!another_namespace(&t, fd));
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(fd);
}

/* The last thing that keeps a namespace alive is a socket with an open topic. */
static void netns__ends_with_its_last_socket(void)
{
	for (int i = 0; i < 5; i++) {
		int status;
		pid_t child;

		fflush(stdout);
		child = fork();
		if (!child) {
			if (unshare(CLONE_NEWNET))
				_exit(2);
			open_socket(SOCK_SEQPACKET);
			open_socket(SOCK_STREAM);
			_exit(0);
		}
		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK_EQ(status, 0);
	}
}

static const struct test tests[] = {
	TEST(mode__of_others),		 TEST(mode__of_each_partition),
	TEST(mode__checked_when_bound),	 TEST(mode__new_segments_are_not_the_producers),
	TEST(netns__has_its_own_topics), TEST(netns__ends_with_its_last_socket),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
