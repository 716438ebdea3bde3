// SPDX-License-Identifier: Apache-2.0
/* Many sockets at once, and what /proc/net/sluice says of them. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define SOCKETS	    100
#define PRODUCERS   10
#define RECORDS	    50
#define PARTITIONS  5
#define ALL_RECORDS (PRODUCERS * RECORDS)

struct worker {
	const struct topic *t;
	int fd;
	int number;
	const char *failure;
};

static void *produce(void *arg)
{
	struct worker *w = arg;
	char text[32];

	for (int i = 0; i < RECORDS; i++) {
		struct record r = {.value = text, .partition = (w->number + i) % PARTITIONS + 1};

		snprintf(text, sizeof(text), "%d %d", w->number, i);
		r.value_len = strlen(text);
		if (send_record(w->fd, &r, 0) != (ssize_t)r.value_len)
			w->failure = "send failed";
	}
	return NULL;
}

/* Each consumer sees each record once, and a producer's in order by partition. */
static void *consume(void *arg)
{
	struct worker *w = arg;
	int last[PRODUCERS][PARTITIONS], seen = 0;
	struct got *got = malloc(sizeof(*got));
	const struct timeval tv = {.tv_sec = 60};

	memset(last, -1, sizeof(last));
	setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	while (got && seen < ALL_RECORDS && !w->failure) {
		char control[512] __attribute__((aligned(8)));
		struct iovec iov = {.iov_base = got->value, .iov_len = 31};
		struct msghdr msg = {.msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = sizeof(control)};
		struct sluice_record_info info;
		ssize_t n = recvmsg(w->fd, &msg, 0);
		int number, i;

		if (n < 0) {
			w->failure = "recv failed";
			break;
		}
		got->value[n] = 0;
		memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(info));
		if (sscanf(got->value, "%d %d", &number, &i) != 2 || number < 0 ||
		    number >= PRODUCERS || (number + i) % PARTITIONS != info.partition)
			w->failure = "not what was sent";
		else if (i <= last[number][info.partition])
			w->failure = "out of order";
		else
			last[number][info.partition] = i;
		seen++;
	}
	free(got);
	return NULL;
}

static void many__each_sees_everything(void)
{
	struct topic t = topic_new(PARTITIONS, NULL);
	static struct worker workers[SOCKETS];
	pthread_t threads[SOCKETS];

	for (int i = 0; i < SOCKETS; i++) {
		workers[i] = (struct worker){.t = &t, .number = i};
		workers[i].fd = i < PRODUCERS ? producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY)
					      : consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY,
							 SLUICE_OFFSET_EARLIEST);
	}
	for (int i = SOCKETS - 1; i >= 0; i--)
		CHECK(!pthread_create(&threads[i], NULL, i < PRODUCERS ? produce : consume,
				      &workers[i]));
	for (int i = 0; i < SOCKETS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SOCKETS; i++) {
		if (workers[i].failure)
			note("socket %d: %s", i, workers[i].failure);
		CHECK(!workers[i].failure);
		close(workers[i].fd);
	}
}

static bool proc_line(unsigned long inode, char *line, size_t size)
{
	FILE *f = fopen("/proc/net/sluice", "re");
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, (int)size, f))
		found = strtoul(line, NULL, 10) == inode && line[0] != '#' && line[0] != 'i';
	fclose(f);
	return found;
}

static unsigned long inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static void proc__lines(void)
{
	struct topic t = topic_new(3, NULL);
	int in = producer(SOCK_STREAM, &t, 1), all, one = consumer(SOCK_SEQPACKET, &t, 1, 0);
	char line[512], expected[600], byte;
	int by_record = producer(SOCK_SEQPACKET, &t, 1);

	all = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(send_text(by_record, "x"), 1);
	CHECK_EQ(recv(one, &byte, 1, 0), 1);

	CHECK(proc_line(inode_of(in), line, sizeof(line)));
	snprintf(expected, sizeof(expected), "%lu stream 0 - - - - %s 1 0\n", inode_of(in), t.name);
	CHECK(!strcmp(line, expected));
	CHECK(proc_line(inode_of(one), line, sizeof(line)));
	snprintf(expected, sizeof(expected), "%lu seqpacket 0 %s 1 1 3 - - 0\n", inode_of(one),
		 t.name);
	CHECK(!strcmp(line, expected));
	CHECK(proc_line(inode_of(all), line, sizeof(line)));
	snprintf(expected, sizeof(expected), "%lu seqpacket 0 %s * - 4 - - 0\n", inode_of(all),
		 t.name);
	CHECK(!strcmp(line, expected));
	close(in);
	close(one);
	close(all);
	close(by_record);
	CHECK(!proc_line(inode_of(0), line, sizeof(line)));
}

struct counters {
	unsigned int topics, partitions, sockets;
	unsigned long long sent, sent_bytes, received, received_bytes;
};

static bool proc_header(struct counters *h)
{
	FILE *f = fopen("/proc/net/sluice", "re");
	bool fine;

	if (!f)
		return false;
	fine = fscanf(f,
		      "# topics %u partitions %u sockets %u sent %llu sent_bytes %llu "
		      "received %llu received_bytes %llu ",
		      &h->topics, &h->partitions, &h->sockets, &h->sent, &h->sent_bytes,
		      &h->received, &h->received_bytes) == 7;
	fclose(f);
	return fine;
}

static void proc__counters(void)
{
	struct topic t = topic_new(3, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 1);
	int out = consumer(SOCK_SEQPACKET, &t, 1, SLUICE_OFFSET_EARLIEST);
	struct counters before, after;
	char text[16];

	CHECK(proc_header(&before));
	CHECK(before.topics >= 1 && before.partitions >= 3 && before.sockets >= 2);
	CHECK_EQ(send_text(in, "12345"), 5);
	CHECK_EQ(recv(out, text, sizeof(text), 0), 5);
	CHECK(proc_header(&after));
	/* Others may use sluice meanwhile. */
	CHECK(after.sent > before.sent);
	CHECK(after.sent_bytes >= before.sent_bytes + topic_partition(&t, 1).size_bytes);
	CHECK(after.received > before.received);
	CHECK(after.received_bytes >= before.received_bytes + 5);
	close(in);
	close(out);
}

static const struct test tests[] = {
	TEST(many__each_sees_everything),
	TEST(proc__lines),
	TEST(proc__counters),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
