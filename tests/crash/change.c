// SPDX-License-Identifier: Apache-2.0
/* What is done to the logs while they are written to. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/log/checkpoint.h"
#include "daemon/log/log_dir.h"
#include "tests/crash/load.h"
#include "tests/netlink/nl.h"
#include "tests/socket/harness.h"

#define RETENTION_CHECK_MS 150
#define CHECKPOINT_EVERY   8 /* rounds of changes */

static struct kern *connect_kern(void)
{
	struct kern *k;
	int err = kern_open(&k);

	if (err)
		die("no sluice here: %s", strerror(-err));
	return k;
}

static struct kern_partition look(struct kern *k, int topic, uint32_t index)
{
	struct kern_partition p;

	if (kern_partition_get(k, topics[topic].name, index, &p))
		die("%s: %s", topics[topic].name, kern_error(k));
	return p;
}

static void delete_records(struct kern *k, struct shared *s, int changes)
{
	struct kern_partition p = look(k, TOPIC_RETAIN, 1);
	int64_t room = p.high_watermark - p.log_start_offset, offset = p.log_start_offset;

	/* Once in a while all of it, whether it is durable or not. */
	offset += rand() % 16 ? room * (rand() % 100) / 200 : room;
	write_outside(changes, "delete 1 %" PRId64 "\n", offset);
	if (kern_partition_set_log_start(k, topics[TOPIC_RETAIN].name, 1, offset))
		die("deleting records below %" PRId64 ": %s", offset, kern_error(k));
	if (offset > p.log_start_offset)
		atomic_fetch_add(&s->deletions, 1);
}

/* A recovery must not take for durable what will stand behind the cut. */
static void lower_checkpoint(const char *name, int64_t offset)
{
	struct checkpoint c = {0};
	unsigned int line;
	int dir = open(OTHER_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = dir < 0 ? -errno : checkpoint_read(dir, name, &c, &line);

	if (!err && checkpoint_find(&c, topics[TOPIC_CUT].name, 0) > offset) {
		err = checkpoint_set(&c, topics[TOPIC_CUT].name, 0, offset);
		if (!err)
			err = checkpoint_write(dir, name, &c);
	}
	if (err)
		die("%s: %s", name, strerror(-err));
	checkpoint_free(&c);
	close(dir);
}

/* The batch that holds the new end goes whole: the log may end below @target. */
static void truncate_log(struct kern *k, struct shared *s, int changes)
{
	struct kern_partition p = look(k, TOPIC_CUT, 0);
	int64_t back = rand() % (rand() % 8 ? 100 : 2000);
	int64_t target = p.log_end_offset > back ? p.log_end_offset - back : 0;
	int64_t bound = target > BATCH_RECORDS ? target - BATCH_RECORDS + 1 : 0;
	uint32_t begun = next_ticket(s);

	write_outside(changes, "cut %u %" PRId64 " %" PRId64 "\n", begun, bound, target);
	lower_checkpoint(CHECKPOINT_RECOVERY_POINT, bound);
	lower_checkpoint(CHECKPOINT_HIGH_WATERMARK, bound);
	if (kern_partition_truncate(k, p.topic, 0, target))
		die("truncation to %" PRId64 ": %s", target, kern_error(k));
	write_outside(changes, "done %u %u\n", begun, next_ticket(s));
	if (target < p.log_end_offset)
		atomic_fetch_add(&s->truncations, 1);
}

void change_logs(struct shared *s, const char *dir, uint32_t round)
{
	int changes = open_outside(dir, "changes", round);
	struct kern *k = connect_kern();
	struct log_dir_error err;

	srand(round);
	for (;;) {
		usleep(20000 + (useconds_t)rand() % 200000);
		if (rand() % 2)
			truncate_log(k, s, changes);
		else
			delete_records(k, s, changes);
		if (rand() % CHECKPOINT_EVERY == 0 && log_dir_checkpoint(k, OTHER_DIR, &err))
			die("checkpoint: %s", err.text);
	}
}

/* Of one boot; the kernel's counters begin with it. */
struct counts {
	unsigned int rolls, compactions, retentions;
	int64_t log_start;
	bool all_roll;
};

static void count_partition(struct counts *c, const struct kern_partition *p)
{
	c->rolls += p->rolls;
	c->all_roll &= p->rolls > 0;
	c->compactions += p->replacements;
	if (strcmp(p->topic, topics[TOPIC_RETAIN].name) || p->index)
		return;
	if (p->log_start_offset > c->log_start && c->log_start >= 0)
		c->retentions++;
	c->log_start = p->log_start_offset;
}

static void count(struct kern *k, struct counts *c)
{
	c->rolls = c->compactions = 0;
	c->all_roll = true;
	for (int t = 0; t < TOPICS; t++)
		for (uint32_t i = 0; i < topics[t].partitions; i++) {
			struct kern_partition p = look(k, t, i);

			count_partition(c, &p);
		}
}

static bool is_written(const char *dir, const char *name, int number)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s.%d", dir, name, number);
	return !stat(path, &st) && st.st_size;
}

/* Of the load here, and of Kafka's clients on the other side. */
static bool all_acked(struct shared *s, const char *dir)
{
	if (!is_written(dir, "acks", CLIENT_ID) || !is_written(dir, "transactions", TXN_CLIENT_ID))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(s->acked); i++)
		if (!atomic_load(&s->acked[i]))
			return false;
	return true;
}

static void set_retention_interval(void)
{
	struct nl_msg m;
	struct nl nl;

	nl_open(&nl);
	nl_new(&nl, &m, SLUICE_CMD_INFO_SET);
	nl_put_u32(&m, SLUICE_A_INFO_RETENTION_CHECK_INTERVAL_MS, RETENTION_CHECK_MS);
	if (nl_do(&nl, &m))
		die("the interval of retention: %s", nl.why);
	nl_close(&nl);
}

void watch_logs(struct shared *s, const char *dir, uint32_t round)
{
	int out = open_outside(dir, "counts", round);
	struct counts c = {.log_start = -1};
	struct kern *k = connect_kern();
	bool ready = false;

	set_retention_interval();
	for (;;) {
		unsigned int deletions = atomic_load(&s->deletions);
		unsigned int truncations = atomic_load(&s->truncations);

		usleep(200000);
		count(k, &c);
		write_outside(out, "counts %u %u %u %u %u\n", c.rolls, c.compactions, c.retentions,
			      deletions, truncations);
		if (!ready && c.all_roll && c.compactions && c.retentions && deletions &&
		    truncations && all_acked(s, dir)) {
			close(open_outside(dir, "ready", round));
			ready = true;
		}
	}
}
