// SPDX-License-Identifier: Apache-2.0
/*
 * The log beside the file it is made of: what an append costs beside write(2)
 * and a CRC of the same bytes, what a read costs beside pread(2), and whether
 * an append waits for a roll. All of it in the page cache: nothing is synced.
 *
 * usage: bench_log [append|record|read|rolls]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "kmod/log/batch.h"
#include "tests/bench/measure.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define MIB (1024 * 1024)

static volatile uint32_t crc_sink;

/* A batch of exactly @size bytes with one record. */
static uint8_t *make_batch(size_t size)
{
	struct sluice_record_out r = {.timestamp = port_now_ms(), .key_len = -1};
	size_t around = sluice_batch_build_size(&r);
	uint8_t *value = malloc(size), *batch = malloc(size);

	for (size_t i = 0; i < size; i++)
		value[i] = (uint8_t)(i * 2654435761u >> 13);
	r.value = value;
	/* Lengths are varints: a few bytes more around a longer value. */
	for (r.value_len = (s32)(size - around); sluice_batch_build_size(&r) > size;)
		r.value_len--;
	if (sluice_batch_build_size(&r) != size)
		die("no batch has %zu bytes", size);
	sluice_batch_build(batch, size, &r);
	free(value);
	return batch;
}

static int scratch_file(void)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/reference", test_dir());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		die("%s cannot be made", path);
	unlink(path);
	return fd;
}

static double measure_write(const uint8_t *batch, size_t size, int n)
{
	struct samples writes = {0};
	int fd = scratch_file();

	for (int i = 0; i < n; i++) {
		int64_t begin = now();

		if (write(fd, batch, size) != (ssize_t)size)
			die("write failed");
		crc_sink = crc32c(batch, size);
		samples_add(&writes, now() - begin);
	}
	close(fd);
	return (double)samples_median(&writes);
}

static double measure_append(const uint8_t *batch, size_t size, int n)
{
	const struct kern_topic_config config = {.set = KERN_CONFIG_MAX_MESSAGE_BYTES,
						 .max_message_bytes = 2 * MIB};
	struct topic t = topic_new(1, &config);
	int fd = producer(SOCK_STREAM, &t, 0);
	struct samples appends = {0};

	for (int i = 0; i < n; i++) {
		int64_t begin = now();

		if (send(fd, batch, size, 0) != (ssize_t)size)
			die("append failed: %s", error_text(fd));
		samples_add(&appends, now() - begin);
	}
	close(fd);
	return (double)samples_median(&appends);
}

static void bench_batches(const char *what, size_t size, int n, double goal)
{
	uint8_t *batch = make_batch(size);
	double reference = measure_write(batch, size, n);

	row(what, "ns", measure_append(batch, size, n), reference, goal);
	free(batch);
}

static void bench_record(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = producer(SOCK_SEQPACKET, &t, 0);
	struct samples sends = {0}, calls = {0}, clocks = {0};
	char value[64], copy[64];
	int64_t clock;

	memset(value, 'x', sizeof(value));
	for (int i = 0; i < 5000; i++) {
		int64_t begin = now();

		samples_add(&clocks, now() - begin);
		begin = now();
		getppid();
		memcpy(copy, value, sizeof(copy));
		__asm__ volatile("" : : "r"(copy) : "memory");
		samples_add(&calls, now() - begin);
		begin = now();
		if (send(fd, value, sizeof(value), 0) != sizeof(value))
			die("send failed: %s", error_text(fd));
		samples_add(&sends, now() - begin);
	}
	close(fd);
	/* So short that looking at the clock would count. */
	clock = samples_median(&clocks);
	printf("# getppid and a copy: %lld\n", (long long)(samples_median(&calls) - clock));
	row("append one 64 B record to the open batch", "ns",
	    (double)(samples_median(&sends) - clock), 0, 1500);
}

static double read_all(int fd, bool is_log, uint8_t *buf, int n)
{
	struct samples reads = {0};

	for (int i = 0; i < n; i++) {
		int64_t begin = now();
		ssize_t got = is_log ? recv(fd, buf, MIB, 0) : pread(fd, buf, MIB, (off_t)i * MIB);

		if (got != MIB)
			die("a read gave %zd bytes", got);
		samples_add(&reads, now() - begin);
	}
	close(fd);
	return (double)samples_median(&reads);
}

static void bench_read(void)
{
	const struct kern_topic_config config = {.set = KERN_CONFIG_MAX_MESSAGE_BYTES,
						 .max_message_bytes = 2 * MIB};
	struct topic t = topic_new(1, &config);
	int fd = producer(SOCK_STREAM, &t, 0), file;
	uint8_t *batch = make_batch(MIB);
	double reference;

	for (int i = 0; i < 32; i++) {
		if (send(fd, batch, MIB, 0) != MIB)
			die("append failed: %s", error_text(fd));
	}
	close(fd);
	file = open(topic_path(&t, 0, "00000000000000000000.log"), O_RDONLY);
	if (file < 0)
		die("the segment cannot be opened");
	/* The first reads of a page move it between the lists of the page cache. */
	for (int i = 0; i < 2; i++)
		read_all(dup(file), false, batch, 32);
	reference = read_all(file, false, batch, 32);
	row("read hot log into user memory, 1 MiB", "ns",
	    read_all(consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST), true, batch, 32),
	    reference, 1.05);
	free(batch);
}

/* What appends took: by the clock, and of the processor; and how many slept. */
struct appends {
	struct samples took;
	struct samples own;
	int slept;
};

static int64_t own_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static long sleeps(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

static void append_one(int fd, const uint8_t *batch, size_t size, struct appends *a)
{
	long before = sleeps();
	int64_t own = own_time(), begin = now();

	if (send(fd, batch, size, 0) != (ssize_t)size)
		die("append failed: %s", error_text(fd));
	samples_add(&a->took, now() - begin);
	samples_add(&a->own, own_time() - own);
	a->slept += sleeps() != before;
}

/* Appends with pauses, as producers make them: what is done beside them has time. */
static struct appends append_many(uint32_t segment_bytes, const uint8_t *batch, size_t size, int n)
{
	const struct kern_topic_config config = {.set = KERN_CONFIG_SEGMENT_BYTES,
						 .segment_bytes = segment_bytes};
	struct topic t = topic_new(1, &config);
	int fd = producer(SOCK_STREAM, &t, 0);
	struct appends a = {0};
	char what[80];
	uint32_t segments;

	for (int i = 0; i < n; i++) {
		append_one(fd, batch, size, &a);
		usleep(1000);
	}
	close(fd);
	segments = topic_partition(&t, 0).segments;
	snprintf(what, sizeof(what), "%d appends of %zu bytes, %u segments", n, size, segments);
	histogram(what, "ns", &a.took);
	snprintf(what, sizeof(what), "The same, of the processor; %d slept", a.slept);
	histogram(what, "ns", &a.own);
	topic_delete(&t);
	return a;
}

static void bench_rolls(void)
{
	uint8_t *batch = make_batch(16384);
	struct appends without = append_many(1 << 30, batch, 16384, 4000);
	struct appends with = append_many(4 * 16384, batch, 16384, 4000);

	row("worst append in a run with a thousand rolls", "ns",
	    (double)samples_percentile(&with.took, 100),
	    (double)samples_percentile(&without.took, 100), 1.5);
	row("99th percentile of the same", "ns", (double)samples_percentile(&with.took, 99),
	    (double)samples_percentile(&without.took, 99), 1.5);
	row("worst append's own work, a thousand rolls", "ns",
	    (double)samples_percentile(&with.own, 100),
	    (double)samples_percentile(&without.own, 100), 1.5);
	free(batch);
}

static void bench_append(void)
{
	bench_batches("append 1 MiB batches, CRC check included", MIB, 32, 1.1);
	bench_batches("append 16 KiB batches", 16384, 500, 1.1);
	bench_batches("append 1 KiB batches", 1024, 2000, 1.5);
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {{"append", bench_append},
	     {"record", bench_record},
	     {"read", bench_read},
	     {"rolls", bench_rolls}};

int main(int argc, char **argv)
{
	test_kern();
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (argc < 2 || !strcmp(argv[1], parts[i].name))
			parts[i].run();
	}
	return 0;
}
