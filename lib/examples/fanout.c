// SPDX-License-Identifier: Apache-2.0
/*
 * Everybody gets everything: fanout TOPIC CONSUMERS RECORDS opens so many consumers,
 * says "ready", and ends when each of them has received so many of the records that
 * come then. Nothing is stored twice: each consumer is but a place in the log.
 */
#include <poll.h>
#include <sluice.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
	sluice_consumer *consumer;
	long received;
};

/* What is there for one of them, as far as it wants; < 0 on failure. */
static int receive(struct reader *r, long records)
{
	sluice_record record;
	int got = 1;

	while (r->received < records && (got = sluice_consume(r->consumer, 0, &record)) > 0)
		r->received++;
	return got;
}

int main(int argc, char **argv)
{
	long n = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	long records = argc == 4 ? strtol(argv[3], NULL, 10) : 0, left = n;
	struct reader *readers = calloc((size_t)(n > 0 ? n : 1), sizeof(*readers));
	struct pollfd *fds = calloc((size_t)(n > 0 ? n : 1), sizeof(*fds));

	if (!readers || !fds || n < 1 || records < 1) {
		fprintf(stderr, "usage: fanout TOPIC CONSUMERS RECORDS\n");
		return 2;
	}
	for (long i = 0; i < n; i++) {
		if (sluice_consumer_open(argv[1], SLUICE_ANY_PARTITION, SLUICE_LATEST,
					 &readers[i].consumer))
			goto fail;
		fds[i].fd = sluice_consumer_fd(readers[i].consumer);
		fds[i].events = POLLIN;
	}
	puts("ready");
	fflush(stdout);
	while (left && poll(fds, (nfds_t)n, -1) > 0) {
		for (long i = 0; i < n; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			if (receive(&readers[i], records) < 0)
				goto fail;
			if (readers[i].received == records) {
				fds[i].fd = -1; /* poll() passes over it */
				left--;
			}
		}
	}
	printf("%ld consumers got %ld records each\n", n - left, records);
	for (long i = 0; i < n; i++)
		sluice_consumer_close(readers[i].consumer);
	free(readers);
	free(fds);
	return left ? 1 : 0;
fail:
	fprintf(stderr, "fanout: %s\n", sluice_strerror());
	return 1;
}
