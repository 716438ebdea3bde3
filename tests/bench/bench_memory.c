// SPDX-License-Identifier: Apache-2.0
/*
 * Kernel memory that a partition and a closed segment hold, when all that is
 * only cache has been given back: the mean of three hundred.
 *
 * usage: bench_memory [partitions|segments]
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/bench/measure.h"
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define MANY 300

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	if (fd < 0 || write(fd, "3", 1) != 1)
		die("the caches cannot be dropped");
	close(fd);
	sleep(1);
}

/* Bytes in use; inodes of files that are open are among them. */
static double kernel_memory(void)
{
	static const char *const kinds[] = {"Slab:", "Percpu:", "VmallocUsed:"};
	char line[256];
	double sum = 0;
	FILE *f;

	/* Twice: what the first round frees may hold what the second can free. */
	drop_caches();
	drop_caches();
	f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f)) {
		char kind[64];
		long kib;

		if (sscanf(line, "%63s %ld", kind, &kib) != 2)
			continue;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			sum += strcmp(kind, kinds[i]) ? 0 : (double)kib * 1024;
	}
	if (f)
		fclose(f);
	return sum;
}

static void bench_partitions(void)
{
	double before = kernel_memory();

	topic_new(MANY, NULL);
	row("kernel memory of an idle partition", "bytes", (kernel_memory() - before) / MANY, 0,
	    16384);
}

static void bench_segments(void)
{
	const struct kern_topic_config config = {.set = KERN_CONFIG_SEGMENT_BYTES,
						 .segment_bytes = 1024};
	struct topic t = topic_new(1, &config);
	int fd = producer(SOCK_STREAM, &t, 0);
	const struct sluice_flush flush = {.partition = 0};
	char value[801];
	const char *values[] = {value};
	uint8_t batch[1024];
	size_t size;
	double before;

	memset(value, 'x', 800);
	value[800] = 0;
	size = batch_encode(batch, &(struct batch_header)BATCH_HEADER_INIT, values, 1);
	before = kernel_memory();
	for (int i = 0; i < MANY; i++) {
		if (send(fd, batch, size, 0) != (ssize_t)size)
			die("append failed: %s", error_text(fd));
	}
	if (set_option(fd, SLUICE_FLUSH, &flush, sizeof(flush)))
		die("flush failed: %s", error_text(fd));
	row("kernel memory of a closed segment", "bytes", (kernel_memory() - before) / MANY, 0,
	    2048);
}

int main(int argc, char **argv)
{
	test_kern();
	if (argc < 2 || !strcmp(argv[1], "partitions"))
		bench_partitions();
	if (argc < 2 || !strcmp(argv[1], "segments"))
		bench_segments();
	return 0;
}
