// SPDX-License-Identifier: Apache-2.0
/*
 * One disk that does not answer, and what goes on beside it. Nothing here asserts
 * a time: what is held up is held up until the disk is let go on.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"
#include "tests/socket/slow_disk.h"

#define HELD_MAX 16

static const struct kern_topic_config small_segments = {
	.set = KERN_CONFIG_SEGMENT_BYTES | KERN_CONFIG_FILE_DELETE_DELAY_MS | KERN_CONFIG_LINGER_MS,
	.segment_bytes = 4096,
	.linger_ms = 0,
};

static struct got got;

/* Processes that wait for the disk. */
static struct held {
	pid_t pid;
	const char *what;
} held[HELD_MAX];
static unsigned int n_held;

/* What they work on. */
static const char *slow;
static struct topic many, rolled, changed, deleted, made, cut;

static void append_record(struct kern *k)
{
	(void)k;
	if (send_text(producer(SOCK_SEQPACKET, &many, 0), "held") != 4)
		_exit(1);
}

static void append_batch(struct kern *k)
{
	uint8_t batch[1000];
	size_t len = batch_simple(batch, "b", 4);

	(void)k;
	if (send(producer(SOCK_STREAM, &many, 1), batch, len, 0) != (ssize_t)len)
		_exit(1);
}

static void roll(struct kern *k)
{
	char text[3000];
	int fd = producer(SOCK_SEQPACKET, &rolled, 0);

	(void)k;
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 4; i++)
		if (send(fd, text, sizeof(text), 0) != sizeof(text))
			_exit(1);
}

static void create(struct kern *k)
{
	if (topic_create(k, &made, NULL))
		_exit(1);
}

static void change(struct kern *k)
{
	struct kern_topic kt = {.leader_epoch = -1};

	memcpy(kt.id, changed.id, sizeof(kt.id));
	kt.config.set = KERN_CONFIG_LINGER_MS;
	kt.config.linger_ms = 7;
	/* An append that waits has the log. */
	if (!fork()) {
		send_text(producer(SOCK_SEQPACKET, &changed, 0), "held");
		_exit(0);
	}
	sleep(1);
	if (kern_topic_set(k, &kt))
		_exit(1);
	wait(NULL);
}

static void remove_topic(struct kern *k)
{
	if (kern_topic_delete(k, deleted.id))
		_exit(1);
}

static void cut_off(struct kern *k)
{
	if (kern_partition_truncate(k, cut.name, 0, 1))
		_exit(1);
}

static void attach(struct kern *k)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/second", slow);
	if (kern_data_dir_attach(k, path))
		_exit(1);
}

static void hold(const char *what, void (*fn)(struct kern *k))
{
	struct held *h = &held[n_held++];
	struct kern *k;

	fflush(stdout);
	h->what = what;
	h->pid = fork();
	if (h->pid)
		return;
	if (kern_open(&k))
		_exit(2);
	fn(k);
	_exit(0);
}

/* Asleep, and for long enough that it is not on its way. */
static bool sleeps(pid_t pid)
{
	char path[64], text[256] = "";
	int fd, asleep = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 600 && asleep < 10; i++) {
		const char *state;

		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
			return false;
		close(fd);
		state = strstr(text, ") ");
		asleep = state && (state[2] == 'D' || state[2] == 'S') ? asleep + 1 : 0;
		usleep(100000);
	}
	return asleep == 10;
}

/* False if one has ended: then the disk does not hold what it should. */
static bool all_held(void)
{
	bool all = true;

	for (unsigned int i = 0; i < n_held; i++) {
		if (!sleeps(held[i].pid) || waitpid(held[i].pid, NULL, WNOHANG)) {
			note("this is not held up: %s", held[i].what);
			all = false;
		}
	}
	return all;
}

static bool all_end_well(void)
{
	bool all = true;
	int status;

	for (unsigned int i = 0; i < n_held; i++) {
		slow_disk_watch(held[i].what);
		if (waitpid(held[i].pid, &status, 0) != held[i].pid || status) {
			note("this failed after all: %s", held[i].what);
			all = false;
		}
	}
	slow_disk_watch(NULL);
	n_held = 0;
	return all;
}

static void send_some(const struct topic *t, int partition, int n)
{
	int fd = producer(SOCK_SEQPACKET, t, partition);
	char text[32];

	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "record %d", i);
		if (send_text(fd, text) < 0)
			die("send to %s: %s", t->name, strerror(errno));
	}
	close(fd);
}

/* How many records there are to be read, without waiting for one. */
static int count_records(const struct topic *t, int partition)
{
	int fd = consumer(SOCK_SEQPACKET, t, partition, SLUICE_OFFSET_EARLIEST), n = 0;

	while (receive(fd, &got, MSG_DONTWAIT) >= 0)
		n++;
	close(fd);
	return n;
}

static int flush(const struct topic *t, int partition)
{
	struct sluice_flush f = {.partition = partition};
	int fd = open_socket(SOCK_SEQPACKET), ret;

	memcpy(f.topic_id, t->id, sizeof(f.topic_id));
	ret = setsockopt(fd, SOL_SLUICE, SLUICE_FLUSH, &f, sizeof(f));
	close(fd);
	return ret;
}

static bool has_topic(struct kern_topic *topics, size_t n, const struct topic *t)
{
	for (size_t i = 0; i < n; i++)
		if (!memcmp(topics[i].id, t->id, sizeof(t->id)))
			return true;
	return false;
}

static bool lists_topics(const struct topic *a, const struct topic *b)
{
	struct kern_topic *topics;
	bool both;
	size_t n;

	if (kern_topics(test_kern(), &topics, &n))
		return false;
	both = has_topic(topics, n, a) && has_topic(topics, n, b);
	kern_topics_free(topics, n);
	return both;
}

static size_t count_partitions(void)
{
	struct kern_partition *partitions;
	size_t n;

	if (kern_partitions(test_kern(), NULL, &partitions, &n))
		return 0;
	kern_partitions_free(partitions);
	return n;
}

static bool reads_proc(void)
{
	char text[4096];
	int fd = open("/proc/net/sluice", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text));

	close(fd);
	return n > 0;
}

/* Rolls, and the segments it leaves go by themselves. */
static bool rolls_and_removes(const struct topic *t)
{
	send_some(t, 0, 200);
	if (topic_partition(t, 0).segments < 3 ||
	    kern_partition_set_log_start(test_kern(), t->name, 0,
					 topic_partition(t, 0).log_end_offset))
		return false;
	/* A worker does it; a test that waits in vain is ended by the watch. */
	while (topic_partition(t, 0).segments > 1)
		usleep(20000);
	return true;
}

static void check_data_path(const struct topic *t)
{
	slow_disk_watch("appending, reading and flushing on another disk");
	send_some(t, 0, 20);
	CHECK_EQ(count_records(t, 0), 20);
	CHECK_EQ(flush(t, 0), 0);
	CHECK_EQ(topic_partition(t, 0).recovery_point, 20);
	slow_disk_watch("reading what is there of the disk that stands still");
	CHECK_EQ(count_records(&many, 2), 10);
	slow_disk_watch("rolling and retention on another disk");
	CHECK(rolls_and_removes(t));
}

static void check_control_path(const struct topic *t)
{
	struct kern_topic kt = {.leader_epoch = -1};
	struct topic grown = *t, fresh;
	char path[4096];

	slow_disk_watch("listing and looking");
	CHECK(lists_topics(t, &many));
	CHECK(count_partitions() >= 6);
	CHECK_EQ(topic_partition(&many, 2).log_end_offset, 10);
	CHECK_EQ(kern_topic_get(test_kern(), many.name, &kt), 0);
	free(kt.data_dir);
	CHECK(reads_proc());
	slow_disk_watch("creating, changing, growing and deleting on another disk");
	fresh = topic_new(2, NULL);
	send_some(&fresh, 0, 1);
	topic_delete(&fresh);
	kt = (struct kern_topic){.leader_epoch = -1};
	memcpy(kt.id, t->id, sizeof(kt.id));
	kt.config.set = KERN_CONFIG_LINGER_MS;
	CHECK_EQ(kern_topic_set(test_kern(), &kt), 0);
	topic_grow(&grown, t->partitions + 1);
	slow_disk_watch("attaching and detaching on another disk");
	snprintf(path, sizeof(path), "%s/another", test_dir());
	CHECK_EQ(mkdir(path, 0755), 0);
	CHECK_EQ(kern_data_dir_attach(test_kern(), path), 0);
	CHECK_EQ(kern_data_dir_detach(test_kern(), path), 0);
	CHECK_EQ(rmdir(path), 0);
	slow_disk_watch(NULL);
}

static void check_others(const struct topic *t)
{
	check_data_path(t);
	check_control_path(t);
}

static void make_topics(void)
{
	char path[300];

	test_kern();
	snprintf(path, sizeof(path), "%s/second", slow);
	if (mkdir(path, 0755) || kern_data_dir_attach(test_kern(), slow))
		die("%s is not attached: %s", slow, kern_error(test_kern()));
	many = topic_new_in(slow, "many", 3, NULL);
	send_some(&many, 2, 10);
	rolled = topic_new_in(slow, "rolled", 1, &small_segments);
	changed = topic_new_in(slow, "changed", 1, NULL);
	deleted = topic_new_in(slow, "deleted", 1, NULL);
	send_some(&deleted, 0, 3);
	cut = topic_new_in(slow, "cut", 1, &small_segments);
	send_some(&cut, 0, 3);
	made = topic_prepare(slow, "made", 2);
}

/* What was made of it goes, so that another test can make its own. */
static void end(void)
{
	topic_delete(&many);
	topic_delete(&rolled);
	topic_delete(&changed);
	topic_delete(&cut);
	kern_topic_delete(test_kern(), made.id);
	topic_forget(&deleted);
	if (kern_data_dir_detach(test_kern(), slow))
		die("%s stays attached: %s", slow, kern_error(test_kern()));
	slow_disk_remove();
}

static void frozen(const char *fs)
{
	struct topic fast;
	char path[300];
	bool ended;

	slow = slow_disk_new(fs);
	make_topics();
	fast = topic_new(1, &small_segments);
	slow_disk_freeze();
	hold("an append of a record", append_record);
	hold("an append of a batch", append_batch);
	hold("a roll", roll);
	hold("a change of settings behind an append", change);
	hold("the deletion of a topic", remove_topic);
	hold("a truncation", cut_off);
	hold("the creation of a topic", create);
	hold("attaching a directory", attach);
	if (all_held())
		check_others(&fast);
	else
		check_failed(__FILE__, __LINE__, "the disk does not hold what it should");
	slow_disk_thaw();
	ended = all_end_well();
	CHECK(ended);
	CHECK_EQ(topic_partition(&many, 0).log_end_offset, 1);
	CHECK_EQ(topic_partition(&many, 1).log_end_offset, 4);
	CHECK_EQ(topic_partition(&rolled, 0).log_end_offset, 4);
	CHECK_EQ(topic_partition(&cut, 0).log_end_offset, 1);
	CHECK_EQ(topic_partition(&made, 1).log_end_offset, 0);
	topic_delete(&fast);
	snprintf(path, sizeof(path), "%s/second", slow);
	CHECK_EQ(kern_data_dir_detach(test_kern(), path), 0);
	end();
}

static void frozen__ext4(void)
{
	frozen("ext4");
}

static void frozen__xfs(void)
{
	frozen("xfs");
}

static void drop_caches(void)
{
	int fd;

	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		die("drop_caches: %s", strerror(errno));
	close(fd);
}

/* A log that is not in memory, but for its end. */
static void read_cold(struct kern *k)
{
	(void)k;
	if (count_records(&many, 1) < 100)
		_exit(1);
}

/* A reader of its end, which is in memory; so is what the other partitions have. */
static int fill_cold(void)
{
	char text[1000];
	int fd = producer(SOCK_SEQPACKET, &many, 1), tail;

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 100; i++)
		if (send(fd, text, sizeof(text), 0) != sizeof(text))
			die("send: %s", strerror(errno));
	close(fd);
	if (flush(&many, 1))
		die("flush: %s", strerror(errno));
	drop_caches();
	tail = consumer(SOCK_SEQPACKET, &many, 1, SLUICE_OFFSET_LATEST);
	/* What an append needs of the file system is then in memory again. */
	send_some(&many, 1, 1);
	send_some(&many, 0, 1);
	if (receive(tail, &got, 0) < 0 || count_records(&many, 2) != 10)
		die("receive: %s", strerror(errno));
	return tail;
}

static void cold_reader__holds_up_nobody(void)
{
	struct topic fast;
	int tail;

	slow = slow_disk_new("ext4");
	make_topics();
	fast = topic_new(1, &small_segments);
	tail = fill_cold();
	slow_disk_stop();
	hold("a read of what is not in memory", read_cold);
	if (all_held()) {
		slow_disk_watch("appending beside a cold reader, and reading that");
		send_some(&many, 1, 5);
		for (int i = 0; i < 5; i++)
			if (receive(tail, &got, 0) < 0)
				check_failed(__FILE__, __LINE__, "receive");
		slow_disk_watch("another partition of the same disk");
		send_some(&many, 0, 5);
		if (count_records(&many, 0) != 6)
			check_failed(__FILE__, __LINE__, "records are missing");
		check_others(&fast);
	} else {
		check_failed(__FILE__, __LINE__, "the disk does not hold what it should");
	}
	slow_disk_go();
	close(tail);
	CHECK(all_end_well());
	topic_delete(&fast);
	topic_delete(&deleted);
	end();
}

static const struct test tests[] = {
	TEST(frozen__ext4),
	TEST(frozen__xfs),
	TEST(cold_reader__holds_up_nobody),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
