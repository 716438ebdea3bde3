/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a log ought to hold: every batch that was ever sent to it, where it got
 * its place, and what is known of it.
 *
 * Operations run beside each other in a phase, and in between one cannot say
 * what of them counts already. So a phase only notes; at its end, when nobody
 * runs, the log is read as a whole and compared, and what was open is then known.
 */
#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include "log.h"

#define MODEL_ENTRIES_MAX   8192
#define MODEL_PRODUCERS_MAX 6
#define MODEL_TXN_SLOT	    3 /* producers from here on write in transactions */
#define MODEL_RECORDS_MAX   6

/*
 * SENT: on its way, or its outcome is open: it may be there. THERE: it was
 * appended. GONE: it was refused, cut off, or lost before it was durable.
 */
enum model_state { MODEL_SENT, MODEL_THERE, MODEL_GONE };

enum model_kind { MODEL_DATA, MODEL_COMMIT, MODEL_ABORT };

/**
 * struct model_entry - a batch, a record that was sent by itself, or a marker
 * @base: its offset, once it is THERE
 * @refused: it is GONE because its append failed. A sync beside that may have
 *	stored what was cut off again, and a power cut may bring it back, unless
 *	what took its place was acknowledged
 * @cut_off: it is GONE because of a truncation; compaction may have known of it
 * @seen: its records that are in the log: a bit for each
 * @slot: its producer, -1 is none
 */
struct model_entry {
	enum model_state state;
	enum model_kind kind;
	s64 base;
	s32 count;
	bool refused;
	bool cut_off;
	u32 seen;
	int slot;
	s16 epoch;
	s32 sequence;
};

/** struct model_producer - an idempotent one; @open: a transaction is, as far as known */
struct model_producer {
	s64 id;
	s16 epoch;
	s32 next_sequence;
	bool open;
};

/**
 * struct model - all that is known
 * @durable: all below it was acknowledged as being on stable storage
 * @cut: the smallest offset that the phase's truncation may have cut at; S64_MAX
 *	if there is none
 * @start: the largest that the log start can be
 * @seen_start: what it is, while model_check() runs
 * @removed: the start may have been as far as this once; a crash may bring back
 *	what is below, but not what was known of it
 * @compact: records have keys, and go once there is a newer one of their key
 * @gap_at_end: a truncation may have left the log ending where compaction took all:
 *	such an end lasts until the log is opened again, as in Kafka
 */
struct model {
	struct model_entry entries[MODEL_ENTRIES_MAX];
	u32 count;
	struct model_producer producers[MODEL_PRODUCERS_MAX];
	s64 durable;
	s64 cut;
	s64 start;
	s64 seen_start;
	s64 removed;
	bool compact;
	bool gap_at_end;
};

extern struct model model;

void model_reset(void);

/** model_begin_phase() - nothing is cut off as yet. */
void model_begin_phase(void);

/** model_acknowledged() - somebody was told that all below @offset is durable. */
void model_acknowledged(s64 offset);

/** model_send() - a new entry; its number goes into the values of its records. */
u32 model_send(s32 count, int slot);

/** model_send_marker() - the end of a transaction. */
u32 model_send_marker(int slot, enum model_kind kind);

/** model_appended() - it was answered. */
void model_appended(u32 id, s64 base);

/** model_refused() - @uncertain: the log failed, so it may be there nevertheless. */
void model_refused(u32 id, bool uncertain);

enum model_after {
	MODEL_PHASE, /* all operations came to an end */
	MODEL_CRASH, /* the power was cut, the log recovered */
};

/**
 * model_check() - read all of the log and compare; aborts if they differ
 * Then everything is known again, and the producers go on behind what is there.
 */
void model_check(struct sluice_log *log, enum model_after after);

/** model_slot_of() - of the producer with this id; -1: there is none. */
int model_slot_of(s64 producer_id);

/** model_may_be_open() - below the log start a transaction may have been left open. */
bool model_may_be_open(int slot);

/** model_last_of() - the last batch of a producer that the log must know; or NULL. */
const struct model_entry *model_last_of(int slot);

/** model_fail() - say what is wrong, and end. */
__printf(1, 2) _Noreturn void model_fail(const char *fmt, ...);

/** model_make_batch() - encode entry @id; gives the size. */
u32 model_make_batch(u8 *bytes, u32 id, s64 timestamp);

/** model_make_marker() - the same of a marker. */
u32 model_make_marker(u8 *bytes, u32 id, s64 timestamp);

/** model_make_key() - of a record of @id; NULL if records have none. */
const char *model_make_key(u32 id, s32 index);

/** model_make_value() - of a record of @id; gives the length. */
u32 model_make_value(char text[256], u32 id, s32 index);

#endif /* TESTS_SIM_MODEL_H */
