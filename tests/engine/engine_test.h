/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's tests share: a directory, batches, and a log in it. */
#ifndef TESTS_ENGINE_ENGINE_TEST_H
#define TESTS_ENGINE_ENGINE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "log.h"
#include "record.h"
#include "recover.h"

#define TIME_0 1700000000000LL /* of the first record, unless a test says so */

/* cmocka fixtures: *state becomes the struct port_dir of a new empty directory. */
int dir_setup(void **state);
int dir_teardown(void **state);

/** dir_clear() - remove all files. */
void dir_clear(struct port_dir *dir);

/** dir_copy() - make @to hold just what @from holds. */
void dir_copy(struct port_dir *to, struct port_dir *from);

/** dir_digest() - a number that changes with any name, size or content. */
u64 dir_digest(struct port_dir *dir);

/** dir_file_count() */
u32 dir_file_count(struct port_dir *dir);

/* Whole files: content is malloc'ed; writing creates. Failure fails the test. */
u8 *file_load(struct port_dir *dir, const char *name, size_t *ret_len);
void file_store(struct port_dir *dir, const char *name, const void *bytes, size_t len);
s64 file_size(struct port_dir *dir, const char *name);
bool file_exists(struct port_dir *dir, const char *name);

/**
 * struct batch_spec - a batch to be made
 * All zero but @records is a plain batch of empty records. @producer_id is
 * meant plus one, so that 0 is none. Values are of @value_len bytes; times are
 * @timestamp (TIME_0 if 0) and then @timestamp_step more for each record.
 */
struct batch_spec {
	s32 records;
	u32 value_len;
	s64 timestamp;
	s64 timestamp_step;
	s64 producer_id_plus_1;
	s16 producer_epoch;
	s32 base_sequence;
	u16 attributes;
};

/** batch_make() - encode it; malloc'ed. */
u8 *batch_make(const struct batch_spec *spec, size_t *ret_size);

/** batch_seal() - set the CRC after a change. */
void batch_seal(u8 *batch, size_t size);

/** append_bytes() - sluice_log_append() of a buffer, as a client. */
int append_bytes(struct sluice_log *log, const void *bytes, size_t len, struct sluice_append *a);
int append_bytes_as(struct sluice_log *log, const void *bytes, size_t len, enum sluice_append_as as,
		    struct sluice_append *a);

/** append_spec() - make and append; must succeed; gives the base offset. */
s64 append_spec(struct sluice_log *log, struct batch_spec spec);

/** small_config() - segments and index intervals of a few hundred bytes. */
struct sluice_log_config small_config(void);

/** log_open() - must succeed. */
struct sluice_log *log_open(struct port_dir *dir, const struct sluice_log_config *c);

/** log_close_cleanly() - flush all, then close: nothing is left to recovery. */
void log_close_cleanly(struct sluice_log *log);

/** log_check() - fetch all of it: whole batches, offsets 0, 1, 2, CRCs valid. */
void log_check(struct sluice_log *log);

/** struct fixture - a log in a directory of its own; @config: that it was opened with */
struct fixture {
	struct port_dir *dir;
	struct sluice_log *log;
	struct sluice_log_config config;
};

int fixture_setup(void **state, const struct sluice_log_config *config);
int fixture_teardown(void **state);

#endif /* TESTS_ENGINE_ENGINE_TEST_H */
