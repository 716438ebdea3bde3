// SPDX-License-Identifier: Apache-2.0
/* What readers see while segments take the place of others, and what is refused. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define BASES_MAX  64
#define RECORDS	   120
#define TIME_ENTRY 12

static struct got got;

/* Small segments, each record a batch; what goes is unlinked at once. */
static struct topic make_topic(void)
{
	struct kern_topic_config config = {
		.set = KERN_CONFIG_SEGMENT_BYTES | KERN_CONFIG_FILE_DELETE_DELAY_MS |
		       KERN_CONFIG_LINGER_MS,
		.segment_bytes = 1024,
	};
	struct topic t = topic_new(1, &config);
	int fd = producer(SOCK_SEQPACKET, &t, 0);
	char value[16];

	for (int i = 0; i < RECORDS; i++) {
		snprintf(value, sizeof(value), "v%d", i);
		if (send_text(fd, value) < 0)
			die("%s", error_text(fd));
	}
	if (flush_topic(fd, &t))
		die("%s", error_text(fd));
	close(fd);
	return t;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Base offsets of the segments, in order. */
static size_t list_bases(const struct topic *t, int64_t *bases)
{
	DIR *dir = opendir(topic_path(t, 0, NULL));
	struct dirent *e;
	size_t n = 0;

	if (!dir)
		die("%s: %s", topic_path(t, 0, NULL), strerror(errno));
	while ((e = readdir(dir)) && n < BASES_MAX)
		if (strlen(e->d_name) == 24 && !strcmp(e->d_name + 20, ".log"))
			bases[n++] = strtoll(e->d_name, NULL, 10);
	closedir(dir);
	qsort(bases, n, sizeof(*bases), compare);
	return n;
}

static const char *file_of(const struct topic *t, int64_t base, const char *suffix)
{
	char name[64];

	snprintf(name, sizeof(name), "%020" PRId64 "%s", base, suffix);
	return topic_path(t, 0, name);
}

static size_t load(const struct topic *t, int64_t base, const char *suffix, uint8_t *buf,
		   size_t room)
{
	int fd = open(file_of(t, base, suffix), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		die("%lld%s: %s", (long long)base, suffix, strerror(errno));
	n = read(fd, buf, room);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

static void store(const struct topic *t, int64_t base, const char *suffix, const void *buf,
		  size_t len)
{
	int fd = open(file_of(t, base, suffix), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, buf, len) != (ssize_t)len || fsync(fd))
		die("%lld%s: %s", (long long)base, suffix, strerror(errno));
	close(fd);
}

/* The segments at @bases become one, with all their records. */
static void make_swap(const struct topic *t, const int64_t *bases, size_t n)
{
	static uint8_t log[65536], entry[4096];
	size_t len = 0, times = 0;

	for (size_t i = 0; i < n; i++) {
		len += load(t, bases[i], ".log", log + len, sizeof(log) - len);
		times = load(t, bases[i], ".timeindex", entry, sizeof(entry));
	}
	if (times >= TIME_ENTRY) {
		uint8_t *last = entry + times - TIME_ENTRY;
		int64_t further = bases[n - 1] - bases[0];

		memmove(entry, last, TIME_ENTRY);
		put_be32(entry + 8, get_be32(entry + 8) + (uint32_t)further);
		times = TIME_ENTRY;
	}
	store(t, bases[0], ".index.cleaned", "", 0);
	store(t, bases[0], ".timeindex.cleaned", entry, times);
	store(t, bases[0], ".log.cleaned", log, len);
}

static int replace(const struct topic *t, int64_t first, int64_t last)
{
	return kern_partition_replace(test_kern(), t->name, 0, topic_partition(t, 0).generation,
				      first, last);
}

/* All records, from one end to the other; false: something is wrong. */
static bool read_all(const struct topic *t, struct got *to)
{
	int fd = consumer(SOCK_SEQPACKET, t, 0, SLUICE_OFFSET_EARLIEST);
	char value[16];
	bool right = true;

	for (int i = 0; i < RECORDS && right; i++) {
		snprintf(value, sizeof(value), "v%d", i);
		right = receive(fd, to, MSG_DONTWAIT) >= 0 && to->info.offset == i &&
			got_text(to, value);
	}
	right = right && receive(fd, to, MSG_DONTWAIT) < 0 && errno == EAGAIN;
	close(fd);
	return right;
}

static void replace__takes_the_place(void)
{
	struct topic t = make_topic();
	struct kern_partition before = topic_partition(&t, 0), after;
	int64_t bases[BASES_MAX], then[BASES_MAX];
	size_t n = list_bases(&t, bases);

	CHECK(n >= 6);
	CHECK_EQ(before.segments, n);
	make_swap(&t, bases + 1, 3);
	CHECK_EQ(replace(&t, bases[1], bases[3]), 0);
	after = topic_partition(&t, 0);
	CHECK_EQ(after.segments, n - 2);
	CHECK_EQ(after.size_bytes, before.size_bytes);
	CHECK_EQ(after.log_end_offset, before.log_end_offset);
	CHECK(after.generation == before.generation);
	CHECK_EQ(list_bases(&t, then), n - 2);
	CHECK_EQ(then[1], bases[1]);
	CHECK_EQ(then[2], bases[4]);
	CHECK(access(file_of(&t, bases[1], ".log.swap"), F_OK));
	CHECK(read_all(&t, &got));
	topic_delete(&t);
}

static void replace__refusals(void)
{
	struct topic t = make_topic();
	int64_t bases[BASES_MAX];
	size_t n = list_bases(&t, bases);
	uint64_t generation = topic_partition(&t, 0).generation;

	CHECK_EQ(replace(&t, bases[1] + 1, bases[2]), -EINVAL);
	CHECK(strstr(kern_error(test_kern()), "no segment of the log begins there"));
	CHECK_EQ(replace(&t, bases[2], bases[1]), -EINVAL);
	CHECK(strstr(kern_error(test_kern()), "before the first"));
	CHECK_EQ(replace(&t, bases[n - 2], bases[n - 1]), -EINVAL);
	CHECK(strstr(kern_error(test_kern()), "active"));
	CHECK_EQ(replace(&t, -1, bases[1]), -EINVAL);
	CHECK(strstr(kern_error(test_kern()), "first-base-offset"));
	CHECK_EQ(replace(&t, bases[1], -1), -EINVAL);
	CHECK(strstr(kern_error(test_kern()), "last-base-offset"));
	/* No files; then files that are not as they should be. */
	CHECK_EQ(replace(&t, bases[1], bases[2]), -EUCLEAN);
	make_swap(&t, bases + 1, 3);
	CHECK_EQ(replace(&t, bases[1], bases[2]), -EUCLEAN);
	CHECK(strstr(kern_error(test_kern()), "reaches into the next"));
	store(&t, bases[1], ".log.cleaned", "what?", 5);
	CHECK_EQ(replace(&t, bases[1], bases[3]), -EUCLEAN);
	make_swap(&t, bases + 1, 3);
	CHECK_EQ(kern_partition_replace(test_kern(), t.name, 0, generation + 1, bases[1], bases[3]),
		 -ESTALE);
	CHECK_EQ(kern_partition_truncate(test_kern(), t.name, 0, RECORDS - 1), 0);
	CHECK_EQ(kern_partition_replace(test_kern(), t.name, 0, generation, bases[1], bases[3]),
		 -ESTALE);
	CHECK_EQ(topic_partition(&t, 0).replacements, 0);
	CHECK_EQ(topic_partition(&t, 0).state, 0);
	CHECK_EQ(replace(&t, bases[1], bases[3]), 0);
	CHECK_EQ(topic_partition(&t, 0).replacements, 1);
	topic_delete(&t);
}

/* Bytes that are in a pipe are those of the old file. */
static void replace__bytes_in_a_pipe_stay(void)
{
	static uint8_t want[65536], bytes[65536];
	struct topic t = make_topic();
	int64_t bases[BASES_MAX];
	ssize_t size;
	int fd, pipes[2];

	list_bases(&t, bases);
	fd = consumer(SOCK_STREAM, &t, 0, bases[1]);
	CHECK_EQ(pipe(pipes), 0);
	size = splice(fd, NULL, pipes[1], NULL, 4096, SPLICE_F_NONBLOCK);
	CHECK(size > AT_RECORDS);
	close(fd);
	fd = consumer(SOCK_STREAM, &t, 0, bases[1]);
	for (ssize_t n, at = 0; at < size; at += n) {
		n = recv(fd, want + at, (size_t)(size - at), MSG_DONTWAIT);
		CHECK(n > 0);
	}
	make_swap(&t, bases + 1, 2);
	CHECK_EQ(replace(&t, bases[1], bases[2]), 0);
	CHECK_EQ(read(pipes[0], bytes, sizeof(bytes)), size);
	CHECK(!memcmp(bytes, want, (size_t)size));
	/* And who stands in it goes on. */
	CHECK(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > AT_RECORDS);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
	topic_delete(&t);
}

static struct {
	const struct topic *t;
	bool stop;
	bool wrong;
	int rounds;
} readers[2];

static void *read_on(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;
	struct got *mine = calloc(1, sizeof(*mine));

	while (mine && !__atomic_load_n(&readers[i].stop, __ATOMIC_RELAXED)) {
		readers[i].wrong |= !read_all(readers[i].t, mine);
		readers[i].rounds++;
	}
	free(mine);
	return NULL;
}

/* Neighbours become one, again and again, until one segment and the active are left. */
static void replace__beside_readers(void)
{
	struct topic t = make_topic();
	pthread_t threads[2];
	int64_t bases[BASES_MAX];
	int done = 0;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		readers[i].t = &t;
		pthread_create(&threads[i], NULL, read_on, (void *)(uintptr_t)i);
	}
	while ((n = list_bases(&t, bases)) > 2) {
		size_t first = (size_t)done % (n - 2);

		make_swap(&t, bases + first, 2);
		if (replace(&t, bases[first], bases[first + 1]))
			break;
		done++;
		usleep(20000);
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		__atomic_store_n(&readers[i].stop, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	note("%d replacements, %d and %d walks through the log", done, readers[0].rounds,
	     readers[1].rounds);
	CHECK_EQ(n, 2);
	CHECK(!readers[0].wrong && !readers[1].wrong);
	CHECK(readers[0].rounds > 0);
	CHECK_EQ(topic_partition(&t, 0).replacements, done);
	CHECK(read_all(&t, &got));
	topic_delete(&t);
}

static const struct test tests[] = {
	TEST(replace__takes_the_place),
	TEST(replace__refusals),
	TEST(replace__bytes_in_a_pipe_stay),
	TEST(replace__beside_readers),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
