// SPDX-License-Identifier: Apache-2.0
/*
 * Logs that a bad disk or a hostile hand changed, opened without recovery: the
 * module may refuse them, and what it reads may be wrong where no CRC is
 * checked, but it must neither fall over nor go on for ever. Worth most in the
 * debug kernel.
 */
#include <fcntl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define MUTATIONS    120
#define RECORDS	     120
#define FILES_MAX    64
#define FILE_MAX     16384
#define RECEIVES_MAX 2000

static struct file {
	char name[64];
	size_t len;
	uint8_t bytes[FILE_MAX];
} files[FILES_MAX];
static size_t n_files;

static const struct kern_topic_config config = {
	.set = KERN_CONFIG_SEGMENT_BYTES | KERN_CONFIG_INDEX_INTERVAL_BYTES,
	.segment_bytes = 2000,
	.index_interval_bytes = 200,
};

static struct got got;
static uint64_t seed = 0x5eed5eed;

/* The same in every run, so that what fails can be run again. */
static uint32_t number(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static void keep(const char *dir, const char *name)
{
	struct file *f = &files[n_files];
	char path[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || n_files == FILES_MAX || strlen(name) >= sizeof(f->name))
		die("%s: %s", path, strerror(errno));
	n = read(fd, f->bytes, sizeof(f->bytes));
	close(fd);
	if (n < 0)
		die("%s: %s", path, strerror(errno));
	strcpy(f->name, name);
	f->len = (size_t)n;
	n_files++;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

/* Every fifth append: transactions, of which each second one is aborted. */
static void send_transaction(int fd, int i)
{
	uint8_t batch[1000];

	if (send(fd, batch, batch_transaction(batch, 5, i / 5, "v"), 0) < 0 ||
	    send(fd, batch, batch_marker(batch, 5, i / 5 % 2), 0) < 0)
		die("send: %s", error_text(fd));
}

/* One of each kind that a log has, or a kind is not mutated. */
static void check_kinds(const char *dir)
{
	static const char *const kinds[] = {".log",	 ".index",    ".timeindex",
					    ".txnindex", ".snapshot", "leader-epoch-checkpoint"};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		bool found = false;

		for (size_t n = 0; n < n_files; n++)
			found |= strstr(files[n].name, kinds[i]) && files[n].len;
		if (!found)
			die("%s has no %s with anything in it", dir, kinds[i]);
	}
}

/* A log of several segments, as its files are after it was closed. */
static void make_files(void)
{
	struct topic t = topic_new(1, &config);
	const char *dir = topic_path(&t, 0, NULL);
	struct dirent *e;
	uint32_t as = SLUICE_AS_COORDINATOR;
	char text[128];
	int fd, stream;
	DIR *d;

	fd = producer(SOCK_SEQPACKET, &t, 0);
	stream = producer(SOCK_STREAM, &t, 0);
	if (set_option(stream, SLUICE_APPEND_AS, &as, sizeof(as)))
		die("SLUICE_APPEND_AS: %s", error_text(stream));
	for (int i = 0; i < RECORDS; i++) {
		snprintf(text, sizeof(text), "record %d %.*s", i, i % 40,
			 "----------------------------------------");
		if (i % 5)
			send_text(fd, text);
		else
			send_transaction(stream, i);
	}
	close(fd);
	close(stream);
	/* Out of the kernel alone: what is in memory goes to the files. */
	if (kern_topic_delete(test_kern(), t.id))
		die("%s", kern_error(test_kern()));
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] != '.')
			keep(dir, e->d_name);
	}
	if (!d)
		die("%s: %s", dir, strerror(errno));
	closedir(d);
	check_kinds(dir);
	qsort(files, n_files, sizeof(files[0]), compare_files);
}

/* Few changes, most of them where they hurt: in headers and in short files. */
static void mutate(struct file *f)
{
	uint32_t at = f->len ? number((uint32_t)f->len) : 0;

	if (f->len > 200 && number(2))
		at = number(61);
	switch (number(6)) {
	case 0: f->len = at; break;
	case 1:
		memset(f->bytes + at, number(2) ? 0xff : 0, f->len - at < 9 ? f->len - at : 9);
		break;
	case 2:
		for (uint32_t i = 0; i < 1 + number(8); i++)
			f->bytes[number(FILE_MAX)] = (uint8_t)number(256);
		break;
	case 3: f->len = f->len + number(40) < FILE_MAX ? f->len + number(40) : f->len; break;
	case 4: f->name[0] = '\0'; break;
	default: f->bytes[at] ^= (uint8_t)(1u << number(8));
	}
}

static void store(const struct topic *t, const struct file *f)
{
	const char *path = topic_path(t, 0, f->name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, f->bytes, f->len) != (ssize_t)f->len)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static void store_mutated(const struct topic *t)
{
	static struct file changed[FILES_MAX];

	memcpy(changed, files, sizeof(changed));
	for (uint32_t i = 0; i < 1 + number(3); i++)
		mutate(&changed[number((uint32_t)n_files)]);
	for (size_t i = 0; i < n_files; i++) {
		if (changed[i].name[0])
			store(t, &changed[i]);
	}
	/* One that has another's content. */
	if (!number(4)) {
		struct file f = files[number((uint32_t)n_files)];

		snprintf(f.name, sizeof(f.name), "%s", files[number((uint32_t)n_files)].name);
		store(t, &f);
	}
}

static void read_records(const struct topic *t, int64_t start)
{
	int fd = open_socket(SOCK_SEQPACKET), n = 0;
	int64_t last = -1;

	set_option(fd, SLUICE_START, &start, sizeof(start));
	if (bind_topic(fd, t, 0)) {
		close(fd);
		return;
	}
	while (n < RECEIVES_MAX && receive(fd, &got, MSG_DONTWAIT) >= 0) {
		/* Whatever is in the files, a consumer only goes forward. */
		CHECK(got.info.offset > last);
		last = got.info.offset;
		n++;
	}
	CHECK(n < RECEIVES_MAX);
	close(fd);
}

static void read_stream(const struct topic *t)
{
	int64_t start = SLUICE_OFFSET_EARLIEST;
	int fd = open_socket(SOCK_STREAM), n = 0;
	static uint8_t bytes[4096];

	set_option(fd, SLUICE_START, &start, sizeof(start));
	if (!bind_topic(fd, t, 0)) {
		while (n < RECEIVES_MAX && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			n++;
	}
	close(fd);
	CHECK(n < RECEIVES_MAX);
}

static void find_times(const struct topic *t)
{
	int fd = open_socket(SOCK_SEQPACKET);

	for (int i = 0; i < 4; i++) {
		struct sluice_offset_for_time o = {.timestamp = i * 600000000000LL +
								(i == 3 ? number(1000) : 0)};

		memcpy(o.topic_id, t->id, sizeof(o.topic_id));
		get_option(fd, SLUICE_OFFSET_FOR_TIME, &o, sizeof(o));
	}
	for (int64_t offset = 0; offset < RECORDS * 2; offset += 7) {
		struct sluice_fetch f = {
			.max_bytes = 5000, .offset = offset, .flags = SLUICE_FETCH_MIN_ONE};

		memcpy(f.topic_id, t->id, sizeof(f.topic_id));
		get_option(fd, SLUICE_FETCH, &f, sizeof(f));
	}
	close(fd);
}

/* What asks the indexes, the epochs and the producers. */
static void ask(const struct topic *t)
{
	union {
		struct sluice_aborted_list list;
		char room[sizeof(struct sluice_aborted_list) + 8 * sizeof(struct sluice_aborted)];
	} a;
	struct sluice_offset_for_time o = {0};
	int fd = open_socket(SOCK_SEQPACKET);

	memcpy(o.topic_id, t->id, sizeof(o.topic_id));
	get_option(fd, SLUICE_MAX_TIMESTAMP, &o, sizeof(o));
	for (int32_t epoch = -1; epoch < 3; epoch++) {
		struct sluice_epoch_end e = {.leader_epoch = epoch};

		memcpy(e.topic_id, t->id, sizeof(e.topic_id));
		get_option(fd, SLUICE_EPOCH_END, &e, sizeof(e));
	}
	for (int64_t offset = 0; offset < RECORDS; offset += 20) {
		memset(&a, 0, sizeof(a));
		memcpy(a.list.topic_id, t->id, sizeof(a.list.topic_id));
		a.list.offset = offset;
		a.list.end_offset = offset + 40;
		get_option(fd, SLUICE_ABORTED, &a, sizeof(a));
	}
	close(fd);
}

/* Taking away from both ends, and then it goes on. */
static void shorten(const struct topic *t)
{
	int fd;

	kern_partition_set_log_start(test_kern(), t->name, 0, 20 + number(20));
	kern_partition_truncate(test_kern(), t->name, 0, 60 + number(60));
	read_records(t, SLUICE_OFFSET_EARLIEST);
	fd = producer(SOCK_SEQPACKET, t, 0);
	send(fd, "the last", 8, MSG_DONTWAIT);
	close(fd);
	read_records(t, SLUICE_OFFSET_EARLIEST);
}

static void use(const struct topic *t)
{
	int fd;

	read_records(t, SLUICE_OFFSET_EARLIEST);
	for (int64_t start = 1; start < RECORDS; start += 17)
		read_records(t, start);
	read_stream(t);
	find_times(t);
	ask(t);
	fd = producer(SOCK_SEQPACKET, t, 0);
	for (int i = 0; i < 40; i++)
		send(fd, "one more", 8, MSG_DONTWAIT);
	close(fd);
	read_records(t, SLUICE_OFFSET_EARLIEST);
	if (number(2))
		shorten(t);
}

/* The name of a file is in it, or what it is about is no single file. */
static bool says_where(const char *why)
{
	static const char *const places[] = {".log",	  ".index",    ".timeindex",
					     ".txnindex", ".snapshot", "leader-epoch-checkpoint",
					     "offset"};

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (strstr(why, places[i]))
			return true;
	note("this does not say where it is: %s", why);
	return false;
}

static void mutated__files_of_a_log(void)
{
	int refused = 0;

	make_files();
	for (int i = 0; i < MUTATIONS; i++) {
		struct topic t = {.partitions = 1};
		struct kern_topic kt = {.partition_count = 1, .config = config};

		snprintf(t.name, sizeof(t.name), "mutated.%d", i);
		t.id[0] = (uint8_t)i;
		t.id[15] = 77;
		if (mkdir(topic_path(&t, 0, NULL), 0755))
			die("%s: %s", topic_path(&t, 0, NULL), strerror(errno));
		store_mutated(&t);
		memcpy(kt.name, t.name, sizeof(kt.name));
		memcpy(kt.id, t.id, sizeof(kt.id));
		kt.data_dir = (char *)test_dir();
		if (kern_topic_create(test_kern(), &kt)) {
			refused++;
			CHECK(says_where(kern_error(test_kern())));
			continue;
		}
		use(&t);
		/* What cannot be opened cannot be synced, but the topic goes. */
		if (kern_topic_delete(test_kern(), t.id) &&
		    kern_topic_set(test_kern(), &kt) != -ENOENT)
			die("%s", kern_error(test_kern()));
	}
	note("%d of %d were refused", refused, MUTATIONS);
	/* Some of each kind, or the mutations are none. */
	CHECK(refused > MUTATIONS / 20);
	CHECK(refused < MUTATIONS * 19 / 20);
}

static const struct test tests[] = {
	TEST(mutated__files_of_a_log),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
