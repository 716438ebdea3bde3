/* SPDX-License-Identifier: Apache-2.0 */
/* What the processes of the load share, and how they send and get receipts. */
#ifndef TESTS_CRASH_LOAD_H
#define TESTS_CRASH_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "tests/crash/acks.h"
#include "tests/socket/record.h"

/*
 * crash: records stay. crash-compact: the last record of each key stays, and a
 * tombstone of one not for long. crash-retain: partition 0 loses its oldest by size,
 * of partition 1 records are deleted, too. crash-cut: truncated. crash-txn: has the
 * transactions of transactions.py, and nothing from here.
 */
enum { TOPIC_PLAIN, TOPIC_COMPACT, TOPIC_RETAIN, TOPIC_CUT, TOPIC_TXN, TOPICS };
extern struct topic topics[TOPICS];

/* Producers of the first topic alone: roles below this one. */
#define PLAIN_ROLES 4

/* Where the topics are that no daemon knows. */
#define OTHER_DIR "/data/other"

#define ROLES	      11 /* of producers that begin anew with each power cut */
#define PER_ROUND     20 /* their numbers: round * PER_ROUND + role */
#define CONTINUING    2	 /* producers that go on after it */
#define CONTINUING_ID 1000
#define CLIENT_ID     2000 /* client.py's */
#define TXN_CLIENT_ID 3000 /* transactions.py's */
#define BATCH_RECORDS 12   /* of a batch at most */

/**
 * struct shared - by all processes of one round
 * @ticket: counts up; orders what was written down by different processes
 * @acked: acknowledgements written down, of each role and each that continues
 */
struct shared {
	atomic_uint ticket;
	atomic_uint acked[ROLES + CONTINUING];
	atomic_uint deletions;
	atomic_uint truncations;
};

#define WINDOW 16

/* A send that waits for its receipt; the receipt's cookie is its place. */
struct sent {
	uint32_t first, count, ticket;
	bool waiting;
};

/**
 * struct load - one producer
 * @sequence: of the next record
 * @window: sends that may wait for their receipts, at most WINDOW
 * @stale_is_fine: a truncation may take what was not yet acknowledged
 */
struct load {
	struct shared *shared;
	atomic_uint *acked;
	const struct topic *topic;
	uint32_t producer;
	uint32_t sequence;
	unsigned int when;
	unsigned int window;
	bool stale_is_fine;
	int fd;
	struct acks acks;
	unsigned int waiting;
	struct sent sent[WINDOW];
};

/** open_acks() - in @dir, and, of the first topic, in @disk_dir on the disk; -: in none. */
void open_acks(struct load *l, const char *dir, const char *disk_dir);

/** open_outside() - a file in @dir, which is outside of the machine, to append to. */
int open_outside(const char *dir, const char *name, uint32_t number);

/** write_outside() - all in one write, or the program ends. */
void write_outside(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** next_ticket() - later than all that were taken before. */
uint32_t next_ticket(struct shared *s);

/** load_send() - records @sequence to @sequence + @count - 1, once the window has room. */
void load_send(struct load *l, struct record *r, uint32_t count);

/** load_wait() - until nothing waits for a receipt. */
void load_wait(struct load *l);

/** load_batches() - encode @n batches, of @counts records each, and send them as one. */
void load_batches(struct load *l, const uint32_t *counts, unsigned int n,
		  const int64_t *producer_id);
#define BATCHES_MAX 3

/** produce() - as this role, until the power is cut. */
void produce(struct load *l, const char *dir, const char *disk_dir, unsigned int role);

/**
 * produce_on() - as an idempotent producer that knows what was acknowledged to it
 * What was not it sends again: the log says which of it is there.
 * @more: batches to send then; 0: without end
 */
void produce_on(struct load *l, const char *dir, const char *disk_dir, unsigned int index,
		unsigned int more);

/** change_logs() - truncate, delete records, write checkpoints, without end. */
void change_logs(struct shared *s, const char *dir, uint32_t round);

/** watch_logs() - count what happens to the logs; say when all of it did. */
void watch_logs(struct shared *s, const char *dir, uint32_t round);

/** dump() - all records of the first @n topics; then see that producing goes on. */
int dump(const char *path, int n);

#endif /* TESTS_CRASH_LOAD_H */
