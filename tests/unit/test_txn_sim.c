// SPDX-License-Identifier: Apache-2.0
/*
 * Lives of transactional producers, each from a seed: they write, commit, abort,
 * fall silent, are replaced, and hear late or never what came of a request;
 * writes and markers fail; the coordinator crashes and loses what was not
 * durable. Some are old producers, whose epoch stays, some have a new one with
 * each transaction. What must hold in each:
 *
 *	- of a transaction that was told to be committed every record is;
 *	- of one that was told to be aborted none is;
 *	- of any other all records are, or none;
 *	- records that are committed are of one producer at a time: in a partition
 *	  epochs do not go back;
 *	- every request is answered once;
 *	- in the end, left alone, no transaction is open.
 *
 * usage: test_txn_sim [SEED [COUNT]]
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/daemon/lives.h"
#include "tests/daemon/txn_world.h"

#define IDS	   2
#define PRODUCERS  4 /* two for each id, which fence each other */
#define STEPS	   600
#define TXNS_MAX   4096
#define VALUES_MAX 8
#define TIMEOUT_MS 20000

enum said {
	SAID_NOTHING,
	SAID_COMMITTED,
	SAID_ABORTED,
};

/** struct history - a transaction as its producer knows it; values that the log took */
struct history {
	enum said said;
	bool asked;
	int32_t partitions[VALUES_MAX];
	int64_t values[VALUES_MAX];
	unsigned int n;
};

enum producer_state {
	NEW,	/* has to initialise */
	READY,	/* no transaction */
	OPEN,	/* writes */
	ENDING, /* has decided, and asks until it hears */
};

/**
 * struct producer - a client
 * @waits: for an answer
 * @guard: it may append, to @partition
 */
struct producer {
	enum producer_state state;
	bool waits;
	bool silent;
	bool commits;
	int16_t version;
	char id[16];
	int64_t producer_id;
	int16_t epoch;
	struct history *txn;
	int32_t partition;
	struct txn_place place;
	struct txn_guard *guard;
	struct txn_init_call init;
	struct txn_add_call add;
	struct txn_end_call end;
};

static struct life {
	struct txn_world w;
	struct producer producers[PRODUCERS];
	struct history txns[TXNS_MAX];
	unsigned int n_txns;
	int64_t next_value;
	unsigned int calls;
	unsigned int answers;
	unsigned int commits;
	unsigned int aborts;
	bool calm;
} life;

static void answered(struct producer *p)
{
	must(p->waits, "a request is answered twice");
	p->waits = false;
	life.answers++;
}

static void asks(struct producer *p)
{
	p->waits = true;
	life.calls++;
}

static struct txn_producer self(const struct producer *p)
{
	return (struct txn_producer){kafka_str_from(p->id), p->producer_id, p->epoch, p->version};
}

/* Another one has its place, or the coordinator does not know it: it begins anew. */
static bool is_fatal(int16_t code)
{
	return code == KAFKA_ERROR_PRODUCER_FENCED ||
	       code == KAFKA_ERROR_INVALID_PRODUCER_ID_MAPPING ||
	       code == KAFKA_ERROR_INVALID_TXN_STATE || code == KAFKA_ERROR_TRANSACTION_ABORTABLE;
}

static void inited(struct txn_init_call *call, int16_t code, int64_t id, int16_t epoch)
{
	struct producer *p = list_entry(call, struct producer, init);

	answered(p);
	if (code)
		return;
	p->producer_id = id;
	p->epoch = epoch;
	p->state = READY;
}

static void send_init(struct producer *p)
{
	p->init = (struct txn_init_call){
		.id = kafka_str_from(p->id),
		.timeout_ms = TIMEOUT_MS,
		.answer = inited,
	};
	asks(p);
	txn_init(&life.w.c, &p->init);
}

static void added(struct txn_add_call *call, int16_t code)
{
	struct producer *p = list_entry(call, struct producer, add);
	struct txn_producer who = self(p);

	answered(p);
	if (is_fatal(code))
		p->state = NEW;
	/* The request may have been on its way while the producer gave up. */
	if (!code && p->state == OPEN)
		p->guard = txn_guard(&life.w.c, &who);
}

/* A batch: its partition is added, or, an old producer's, was, and is looked at again. */
static void send_batch(struct producer *p)
{
	p->partition = (int32_t)below(TXN_WORLD_DATA);
	p->place = (struct txn_place){kafka_str_from("t"), p->partition};
	p->add = (struct txn_add_call){
		.producer = self(p),
		.places = &p->place,
		.n = 1,
		.answer = added,
	};
	asks(p);
	txn_add(&life.w.c, &p->add);
}

static void append(struct producer *p)
{
	struct history *h = p->txn;
	int64_t value = ++life.next_value;
	int err = txn_world_produce(&life.w, p->partition, p->producer_id, p->epoch, value);

	txn_guard_put(p->guard);
	p->guard = NULL;
	if (err) {
		p->state = NEW;
		return;
	}
	h->partitions[h->n] = p->partition;
	h->values[h->n++] = value;
}

static void ended(struct txn_end_call *call, int16_t code, int64_t id, int16_t epoch)
{
	struct producer *p = list_entry(call, struct producer, end);

	answered(p);
	if (is_fatal(code))
		p->state = NEW;
	if (code || p->state != ENDING)
		return;
	must(p->version < 2 || (id >= 0 && epoch >= 0), "no epoch to go on with");
	if (p->version >= 2) {
		p->producer_id = id;
		p->epoch = epoch;
	}
	p->txn->said = p->commits ? SAID_COMMITTED : SAID_ABORTED;
	life.commits += p->commits;
	life.aborts += !p->commits;
	p->state = READY;
}

static void send_end(struct producer *p)
{
	p->txn->asked = true;
	p->end = (struct txn_end_call){
		.producer = self(p),
		.commit = p->commits,
		.answer = ended,
	};
	asks(p);
	txn_end(&life.w.c, &p->end);
}

static void begin(struct producer *p)
{
	must(life.n_txns < TXNS_MAX, "too many transactions");
	p->txn = &life.txns[life.n_txns++];
	p->state = OPEN;
}

/* What a producer does of its own when it is its turn. */
static void act(struct producer *p)
{
	if (p->waits || p->silent)
		return;
	switch (p->state) {
	case NEW:
		if (life.calm || !below(4))
			send_init(p);
		return;
	case READY:
		if (!life.calm)
			begin(p);
		return;
	case OPEN:
		if (p->guard)
			append(p);
		else if (p->txn->n < VALUES_MAX && !life.calm && below(4))
			send_batch(p);
		else if (p->txn->n)
			p->state = ENDING;
		else if (life.calm)
			p->state = READY;
		p->commits = below(3) != 0;
		return;
	case ENDING: send_end(p); return;
	}
}

/* Old producers say that what came of an end is unknown when they give up. */
static void restart(struct producer *p)
{
	if (p->waits)
		return;
	if (p->guard)
		txn_guard_put(p->guard);
	p->guard = NULL;
	p->state = NEW;
}

/* Whoever was about to append is gone with the daemon. */
static void crash(void)
{
	for (int i = 0; i < PRODUCERS; i++) {
		struct producer *p = &life.producers[i];

		if (p->guard)
			txn_guard_put(p->guard);
		p->guard = NULL;
	}
	txn_world_crash(&life.w, below(4));
}

static void fault(void)
{
	switch (below(8)) {
	case 0: crash(); return;
	case 1: life.w.world.append_code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE; return;
	case 2: world_flush(&life.w.world, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE); return;
	case 3: txn_world_mark_done(&life.w, -EIO); return;
	case 4: life.w.mark_error = -EIO; return;
	case 5: restart(&life.producers[below(PRODUCERS)]); return;
	default: life.producers[below(PRODUCERS)].silent ^= true; return;
	}
}

static void step(void)
{
	life.w.world.append_code = 0;
	life.w.mark_error = 0;
	if (!life.calm && !below(10))
		fault();
	for (unsigned int i = 0; i < PRODUCERS; i++)
		act(&life.producers[below(PRODUCERS)]);
	while (below(3) && (world_flush(&life.w.world, 0) || txn_world_mark_done(&life.w, 0)))
		continue;
	while (below(3) && txn_world_mark_done(&life.w, 0))
		continue;
	world_pass(&life.w.world, below(1000));
	if (!below(10))
		txn_abort_timed_out(&life.w.c);
}

static bool at_rest(void)
{
	struct list *at;

	for (int i = 0; i < PRODUCERS; i++) {
		if (life.producers[i].state != READY)
			return false;
	}
	for (at = life.w.c.list.next; at != &life.w.c.list; at = at->next) {
		const struct txn *t = list_entry(at, struct txn, link);

		if (t->moving || t->now.state == TXN_ONGOING || t->now.state == TXN_PREPARE_ABORT ||
		    t->now.state == TXN_PREPARE_COMMIT)
			return false;
	}
	return true;
}

static void judge(const struct history *h)
{
	unsigned int committed = 0, open = 0;

	for (unsigned int i = 0; i < h->n; i++) {
		enum fate fate = txn_world_fate(&life.w, h->partitions[i], h->values[i]);

		must(fate != FATE_NONE, "a record is lost");
		committed += fate == FATE_COMMITTED;
		open += fate == FATE_OPEN;
	}
	must(!open, "a record is in no transaction that ended");
	must(h->said != SAID_COMMITTED || committed == h->n, "what was committed is not");
	must(h->said != SAID_ABORTED || !committed, "what was aborted is not");
	must(!committed || committed == h->n, "a part of a transaction is committed");
	must(!committed || h->asked, "what nobody committed is committed");
}

static void judge_epochs(const struct txn_world_data *d)
{
	for (size_t i = 1; i < d->n; i++) {
		for (size_t j = i; j-- > 0;) {
			if (d->entries[j].producer_id != d->entries[i].producer_id)
				continue;
			must(d->entries[j].epoch <= d->entries[i].epoch, "an epoch went back");
			break;
		}
	}
}

static void live(void)
{
	unsigned int steps = 0;

	memset(&life, 0, sizeof(life));
	txn_world_init(&life.w);
	for (int i = 0; i < PRODUCERS; i++) {
		life.producers[i].version = below(2) ? 2 : 0;
		snprintf(life.producers[i].id, sizeof(life.producers[i].id), "id-%d", i % IDS);
	}
	for (int i = 0; i < STEPS; i++)
		step();
	life.calm = true;
	for (int i = 0; i < PRODUCERS; i++)
		life.producers[i].silent = false;
	while (!at_rest()) {
		step();
		must(steps++ < 4000, "it does not come to rest");
	}
	for (unsigned int i = 0; i < life.n_txns; i++)
		judge(&life.txns[i]);
	for (int i = 0; i < TXN_WORLD_DATA; i++)
		judge_epochs(&life.w.data[i]);
	must(life.commits && life.aborts, "nothing happened");
	txn_world_free(&life.w);
	must(life.calls == life.answers, "a request was not answered");
}

int main(int argc, char **argv)
{
	return lives_main(argc, argv, live, "transactional producers");
}
