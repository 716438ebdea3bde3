// SPDX-License-Identifier: Apache-2.0
/*
 * Fill a topic with batches of 16 records of 1,000 bytes.
 *
 * usage: bench_fill TOPIC MiB
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

int main(int argc, char **argv)
{
	static char value[1001];
	static uint8_t batch[20000];
	const char *values[16];
	struct topic t = {0};
	long long left;
	size_t size;
	int fd;

	if (argc != 3)
		die("usage: bench_fill TOPIC MiB");
	snprintf(t.name, sizeof(t.name), "%s", argv[1]);
	left = atoll(argv[2]) << 20;
	memset(value, 'x', 1000);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i] = value;
	size = batch_encode(batch, &(struct batch_header)BATCH_HEADER_INIT, values,
			    ARRAY_LEN(values));
	fd = producer(SOCK_STREAM, &t, 0);
	for (; left > 0; left -= (long long)size) {
		if (send(fd, batch, size, 0) != (ssize_t)size)
			die("append failed: %s", error_text(fd));
	}
	close(fd);
	return 0;
}
