// SPDX-License-Identifier: Apache-2.0
/* What the module keeps in memory: it gives back what is cache, and the rest is charged. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define SEGMENTS   200
#define PARTITIONS 400

/* A partition costs more than this. */
#define PARTITION_BYTES_MIN 2048

static struct got got;
static const char group[] = "/tmp/cgroup/sluice-test";

/* Each record is a segment: two do not fit. */
static const struct kern_topic_config one_a_segment = {
	.set = KERN_CONFIG_SEGMENT_BYTES | KERN_CONFIG_LINGER_MS,
	.segment_bytes = 1024,
	.linger_ms = 0,
};

static long read_number(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
	return atol(text);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = fd < 0;

	if (!err && write(fd, text, strlen(text)) < 0)
		err = 1;
	close(fd);
	return err ? -1 : 0;
}

/* Of the whole machine, those that the module has open too. */
static long open_files(void)
{
	return read_number("/proc/sys/fs/file-nr");
}

static int count_records(const struct topic *t)
{
	int fd = consumer(SOCK_SEQPACKET, t, 0, SLUICE_OFFSET_EARLIEST), n = 0;

	while (receive(fd, &got, MSG_DONTWAIT) >= 0)
		n++;
	close(fd);
	return n;
}

static void send_segments(const struct topic *t, int n)
{
	int fd = producer(SOCK_SEQPACKET, t, 0);
	char text[700];

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < n; i++)
		if (send(fd, text, sizeof(text), 0) != sizeof(text))
			die("send: %s", strerror(errno));
	close(fd);
}

static void flush(const struct topic *t)
{
	struct sluice_flush f = {.partition = 0};
	int fd = open_socket(SOCK_SEQPACKET);

	memcpy(f.topic_id, t->id, sizeof(f.topic_id));
	if (set_option(fd, SLUICE_FLUSH, &f, sizeof(f)))
		die("flush: %s", error_text(fd));
	close(fd);
}

/*
 * Until there are no more than @goal. Reclaim passes over a shrinker while another
 * comes or goes anywhere in the kernel, so that one time alone may do nothing.
 */
static long open_files_after_reclaim(long goal)
{
	long n = LONG_MAX;

	for (int i = 0; i < 50 && n > goal; i++) {
		if (write_text("/proc/sys/vm/drop_caches", "2"))
			die("drop_caches: %s", strerror(errno));
		n = open_files();
		if (n > goal)
			usleep(100000);
	}
	return n;
}

static void shrinker__files_of_sealed_segments(void)
{
	struct topic t = topic_new(1, &one_a_segment);
	long before, after;

	send_segments(&t, SEGMENTS);
	flush(&t);
	CHECK_EQ(topic_partition(&t, 0).segments, SEGMENTS);
	CHECK_EQ(count_records(&t), SEGMENTS);
	before = open_files();
	after = open_files_after_reclaim(before - SEGMENTS / 2);
	note("%ld files were open, then %ld", before, after);
	CHECK(after <= before - SEGMENTS / 2);
	/* It was cache: all is still there, and the log goes on. */
	CHECK_EQ(count_records(&t), SEGMENTS);
	send_segments(&t, 2);
	CHECK_EQ(count_records(&t), SEGMENTS + 2);
	topic_delete(&t);
}

/* While readers open what it closes. */
static void shrinker__beside_readers(void)
{
	struct topic t = topic_new(1, &one_a_segment);
	bool all = true;
	pid_t child;
	int status;

	send_segments(&t, SEGMENTS);
	flush(&t);
	fflush(stdout);
	child = fork();
	if (!child) {
		for (;;)
			if (write_text("/proc/sys/vm/drop_caches", "2"))
				_exit(1);
	}
	for (int i = 0; i < 5; i++)
		all &= count_records(&t) == SEGMENTS;
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK(all);
	topic_delete(&t);
}

/* A group of processes that memory is charged to; false: not in this kernel. */
static bool make_group(void)
{
	mkdir("/tmp/cgroup", 0755);
	if (mount("cgroup2", "/tmp/cgroup", "cgroup2", 0, NULL) && errno != EBUSY)
		return false;
	if (write_text("/tmp/cgroup/cgroup.subtree_control", "+memory"))
		return false;
	return !mkdir(group, 0755) || errno == EEXIST;
}

static const char *group_file(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", group, name);
	return path;
}

static void enter_group(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	if (write_text(group_file("cgroup.procs"), pid))
		_exit(2);
}

static pid_t create_in_group(const struct topic *t)
{
	struct kern *k;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child)
		return child;
	if (kern_open(&k))
		_exit(2);
	enter_group();
	_exit(topic_create(k, t, NULL) ? 1 : 0);
}

static void charged__to_who_creates_partitions(void)
{
	struct topic t = topic_prepare(NULL, NULL, PARTITIONS);
	struct kern_topic kt;
	long before, after;
	int status;

	if (!make_group()) {
		skip_test("no memory control groups here");
		topic_forget(&t);
		return;
	}
	before = read_number(group_file("memory.current"));
	waitpid(create_in_group(&t), &status, 0);
	CHECK_EQ(status, 0);
	after = read_number(group_file("memory.current"));
	note("%ld bytes are charged for a partition", (after - before) / PARTITIONS);
	CHECK(after - before >= (long)PARTITIONS * PARTITION_BYTES_MIN);
	topic_delete(&t);
	/* The limit: what does not fit is not made, whether it is refused or killed for it. */
	t = topic_prepare(NULL, NULL, PARTITIONS);
	CHECK_EQ(write_text(group_file("memory.max"), "524288"), 0);
	waitpid(create_in_group(&t), &status, 0);
	CHECK(status != 0);
	CHECK_EQ(kern_topic_get(test_kern(), t.name, &kt), -ENOENT);
	/* And nobody else notices. */
	CHECK_EQ(write_text(group_file("memory.max"), "max"), 0);
	CHECK_EQ(topic_create(test_kern(), &t, NULL), 0);
	topic_delete(&t);
	rmdir(group);
	umount("/tmp/cgroup");
}

static const struct test tests[] = {
	TEST(shrinker__files_of_sealed_segments),
	TEST(shrinker__beside_readers),
	TEST(charged__to_who_creates_partitions),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
