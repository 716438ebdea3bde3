// SPDX-License-Identifier: Apache-2.0
/*
 * Records between processes of one host: through the log, and by what is used for it
 * today (peers/).
 *
 * usage: bench_local pair|oneway|throughput|fanout|crowd
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/bench/measure.h"
#include "tests/bench/peers/peer.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define EXCHANGES  2000
#define WARM_UP	   200
#define READERS	   100
#define FAN_OUT	   200	 /* records to each reader */
#define OTHERS	   10000 /* topics of the crowd, and */
#define WAITING	   1000	 /* sockets that wait in it */
#define PEER_GOALS 7

static const struct peer *const peers[PEER_GOALS] = {
	&mqueue_peer, &unix_peer, &pipe_peer, &ring_peer, &tcp_peer, &file_peer, &sluice_peer,
};

static struct channel channel(const struct peer *p, size_t len)
{
	struct channel c = {.peer = p, .len = len, .buf = calloc(BURST, len)};

	if (!c.buf)
		die("no memory");
	p->open(&c);
	return c;
}

static void channel_close(struct channel *c)
{
	c->peer->close(c);
	free(c->buf);
}

/* A child that ends with this program, whatever becomes of it. */
static pid_t spawn(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void reap(void)
{
	int status;

	while (wait(&status) > 0)
		if (status)
			die("a process of the load failed");
}

/* One record sent and received by the same process. */
static double pair(const struct peer *p, size_t len)
{
	struct channel c = channel(p, len);
	struct samples s = {0};

	for (int i = 0; i < WARM_UP + EXCHANGES; i++) {
		int64_t begin = now();

		p->send(&c, 1);
		p->receive(&c, 1);
		if (i >= WARM_UP)
			samples_add(&s, now() - begin);
	}
	channel_close(&c);
	return (double)samples_median(&s);
}

/* Half of what it takes there and back, to a process that sleeps and one that does. */
static double oneway(const struct peer *p, size_t len)
{
	struct channel there = channel(p, len), back = channel(p, len);
	struct samples s = {0};

	if (!spawn()) {
		for (int i = 0; i < WARM_UP + EXCHANGES; i++) {
			p->receive(&there, 1);
			p->send(&back, 1);
		}
		_exit(0);
	}
	for (int i = 0; i < WARM_UP + EXCHANGES; i++) {
		int64_t begin = now();

		p->send(&there, 1);
		p->receive(&back, 1);
		if (i >= WARM_UP)
			samples_add(&s, now() - begin);
	}
	reap();
	channel_close(&there);
	channel_close(&back);
	return (double)samples_median(&s) / 2;
}

/* A record of many, from a process that sends as fast as it can to one that reads. */
static double throughput(const struct peer *p, size_t len)
{
	struct channel c = channel(p, len);
	unsigned int count = len > 4096 ? 2048 : 64 * 1024, got = 0;
	unsigned int burst = len > 4096 ? 8 : BURST;
	int64_t begin;

	if (!spawn()) {
		for (unsigned int i = 0; i < count; i += burst)
			p->send(&c, burst);
		_exit(0);
	}
	begin = now();
	while (got < count)
		got += p->receive(&c, burst);
	begin = now() - begin;
	reap();
	channel_close(&c);
	return (double)begin / count;
}

static void read_all(struct channel *c, unsigned int count)
{
	for (unsigned int got = 0; got < count;)
		got += c->peer->receive(c, BURST);
	_exit(0);
}

/* Records that each of a hundred processes reads. */
static double fanout(const struct peer *p, size_t len)
{
	static struct channel to[READERS];
	unsigned int sends = p->reader ? 1 : READERS;
	int64_t begin;

	for (int i = 0; i < READERS; i++) {
		if (!i || !p->reader) {
			to[i] = channel(p, len);
			continue;
		}
		to[i] = to[0];
		p->reader(&to[i], &to[0]);
	}
	for (int i = 0; i < READERS; i++)
		if (!spawn())
			read_all(&to[i], FAN_OUT);
	/* They wait before it begins. */
	usleep(200000);
	begin = now();
	for (int n = 0; n < FAN_OUT; n += BURST / 8)
		for (unsigned int i = 0; i < sends; i++)
			p->send(&to[i], BURST / 8);
	reap();
	begin = now() - begin;
	for (int i = 0; i < READERS; i++)
		close(to[i].in);
	for (unsigned int i = 0; i < sends; i++)
		close(to[i].out);
	free(to[0].buf);
	return (double)begin / FAN_OUT;
}

/* One record through one topic, when there are many, and many who wait for others. */
static void crowd(void)
{
	double alone = pair(&sluice_peer, 64);
	struct topic others = topic_new(OTHERS, NULL);

	pid_t waiting[WAITING];

	for (int i = 0; i < WAITING; i++) {
		int fd = consumer(SOCK_SEQPACKET, &others, i, SLUICE_OFFSET_EARLIEST);
		char byte;

		waiting[i] = spawn();
		if (!waiting[i])
			_exit(recv(fd, &byte, 1, 0) > 0);
		close(fd);
	}
	row("send and receive 64 B, 10,000 partitions and 1,000 waiting", "ns",
	    pair(&sluice_peer, 64), alone, 1.2);
	for (int i = 0; i < WAITING; i++) {
		kill(waiting[i], SIGKILL);
		waitpid(waiting[i], NULL, 0);
	}
}

/* @goals: what ours may cost of each peer's, in the order of peers; 0: it is only shown. */
static void compare(const char *what, double (*measure)(const struct peer *, size_t), size_t len,
		    const double *goals)
{
	double ours = measure(&sluice_peer, len);
	char title[96];

	for (int i = 0; peers[i] != &sluice_peer; i++) {
		snprintf(title, sizeof(title), "%s; %s", what, peers[i]->name);
		row(title, "ns", ours, measure(peers[i], len), goals[i]);
	}
}

int main(int argc, char **argv)
{
	const char *part = argc == 2 ? argv[1] : "";
	static const double pair_goals[PEER_GOALS] = {1}, oneway_goals[PEER_GOALS] = {0, 0.85},
			    small_goals[PEER_GOALS] = {0, 1 / 5.0},
			    large_goals[PEER_GOALS] = {0, 1 / 1.5};

	if (!strcmp(part, "pair")) {
		compare("send and receive 64 B, one process", pair, 64, pair_goals);
	} else if (!strcmp(part, "oneway")) {
		compare("one way 64 B, reader sleeps", oneway, 64, oneway_goals);
	} else if (!strcmp(part, "throughput")) {
		compare("throughput 64 B", throughput, 64, small_goals);
		compare("throughput 1 KiB", throughput, 1024, large_goals);
		compare("throughput 64 KiB", throughput, 65536, large_goals);
	} else if (!strcmp(part, "fanout")) {
		row("1 KiB to 100 readers; AF_UNIX", "ns", fanout(&sluice_peer, 1024),
		    fanout(&unix_peer, 1024), 0.1);
	} else if (!strcmp(part, "crowd")) {
		crowd();
	} else {
		fprintf(stderr, "usage: bench_local pair|oneway|throughput|fanout|crowd\n");
		return 2;
	}
	return 0;
}
