// SPDX-License-Identifier: Apache-2.0
/*
 * One record to each partition of a topic, and all of them received again.
 *
 * usage: each TOPIC PARTITIONS send|receive
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static void send_all(const struct topic *t)
{
	int fd = producer(SOCK_SEQPACKET, t, SLUICE_PARTITION_ANY);
	char value[32];

	for (uint32_t i = 0; i < t->partitions; i++) {
		struct record r = {.value = value, .partition = (int)i + 1};

		r.value_len = (size_t)snprintf(value, sizeof(value), "partition %u", i);
		if (send_record(fd, &r, 0) < 0)
			die("partition %u: %s: %s", i, strerror(errno), error_text(fd));
	}
	close(fd);
}

static void receive_all(const struct topic *t)
{
	int fd = consumer(SOCK_SEQPACKET, t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	static struct got got;
	uint32_t n = 0;

	while (receive(fd, &got, MSG_DONTWAIT) >= 0) {
		char want[32];

		snprintf(want, sizeof(want), "partition %d", got.info.partition);
		if (!got_text(&got, want))
			die("partition %d: another record", got.info.partition);
		n++;
	}
	if (errno != EAGAIN || n != t->partitions)
		die("%u records of %u: %s: %s", n, t->partitions, strerror(errno), error_text(fd));
	close(fd);
}

int main(int argc, char **argv)
{
	struct topic t = {0};

	if (argc != 4)
		die("usage: each TOPIC PARTITIONS send|receive");
	snprintf(t.name, sizeof(t.name), "%s", argv[1]);
	t.partitions = (uint32_t)atoi(argv[2]);
	if (!strcmp(argv[3], "send"))
		send_all(&t);
	else
		receive_all(&t);
	return 0;
}
