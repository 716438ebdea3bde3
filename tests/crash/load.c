// SPDX-License-Identifier: Apache-2.0
/*
 * What the power-cut test does inside the machine.
 *
 * usage: crash-load load DIR DISK_DIR ROUND [appended]
 *        crash-load continue DIR DISK_DIR
 *        crash-load acks FILE
 *        crash-load dump FILE
 *
 * load produces through sockets without end: each durable receipt is written
 * to a file in DIR, which is outside the machine, and so is what is done to the
 * logs meanwhile; those of the topic that keeps all to one in DISK_DIR, too,
 * which is on the disk of the log (acks.h; -: in none). With `appended` receipts
 * of the page cache are taken for durable: the checker must find that out.
 * continue lets the idempotent producers go on where they were. acks prints what
 * is written in a file of DISK_DIR. dump reads the topics into FILE, and then
 * sees that producing goes on.
 *
 * CRASH_TOPIC in the environment names one topic of three partitions: there is no
 * other then, only producers, and nothing else is done to it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/crash/load.h"
#include "tests/socket/harness.h"

#define CONTINUED_BATCHES 20

static struct shared *share(void)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return s;
}

static int load(const char *dir, const char *disk_dir, uint32_t round, unsigned int when)
{
	unsigned int count = getenv("CRASH_TOPIC") ? PLAIN_ROLES : ROLES + CONTINUING + 2;
	struct shared *shared = share();
	int status;

	for (unsigned int i = 0; i < count; i++) {
		struct load l = {.shared = shared, .when = when, .producer = round * PER_ROUND + i};

		if (fork())
			continue;
		/* One that fails ends all, but where failures are what is looked at. */
		if (count > PLAIN_ROLES)
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (i == ROLES + CONTINUING) {
			change_logs(shared, dir, round);
		} else if (i > ROLES + CONTINUING) {
			watch_logs(shared, dir, round);
		} else if (i >= ROLES) {
			produce_on(&l, dir, disk_dir, i - ROLES, 0);
		} else {
			produce(&l, dir, disk_dir, i);
		}
	}
	/* None ends by itself but by a failure. */
	wait(&status);
	return 1;
}

static int go_on_where_it_was(const char *dir, const char *disk_dir)
{
	for (unsigned int i = 0; i < CONTINUING; i++) {
		struct load l = {.shared = share(), .when = SLUICE_RECEIPT_DURABLE};

		produce_on(&l, dir, disk_dir, i, CONTINUED_BATCHES);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = getenv("CRASH_TOPIC");

	if (name)
		snprintf(topics[TOPIC_PLAIN].name, sizeof(topics[0].name), "%s", name);
	if (argc >= 5 && !strcmp(argv[1], "load"))
		return load(argv[2], argv[3], (uint32_t)atoi(argv[4]),
			    argc > 5 ? SLUICE_RECEIPT_APPENDED : SLUICE_RECEIPT_DURABLE);
	if (argc == 4 && !strcmp(argv[1], "continue"))
		return go_on_where_it_was(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "acks")) {
		acks_print(argv[2]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "dump"))
		return dump(argv[2], name ? 1 : TOPICS);
	fprintf(stderr, "usage: crash-load load|continue|acks|dump ...\n");
	return 2;
}
