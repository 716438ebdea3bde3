// SPDX-License-Identifier: Apache-2.0
/*
 * What recovery is compared with: one pass of read(2) over a file, and of
 * CRC-32C over what was read.
 *
 * usage: bench_crc FILE...	prints what it took
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "tests/bench/measure.h"
#include "tests/socket/harness.h"

#define CHUNK (1024 * 1024)

int main(int argc, char **argv)
{
	uint8_t *buf = malloc(CHUNK);
	int64_t begin = now();
	uint32_t sum = 0;

	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);
		ssize_t n;

		if (fd < 0)
			die("%s cannot be opened", argv[i]);
		while ((n = read(fd, buf, CHUNK)) > 0)
			sum += crc32c(buf, (size_t)n);
		close(fd);
	}
	printf("%lld\n", (long long)(now() - begin));
	free(buf);
	return sum == 1;
}
