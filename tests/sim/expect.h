/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a log ought to know of itself, worked out from all of its batches by a
 * scan: producers, transactions, leader epochs, and where a time is.
 */
#ifndef TESTS_SIM_EXPECT_H
#define TESTS_SIM_EXPECT_H

#include "log.h"

/** expect_begin() - the scan begins; nobody runs until expect_check(). */
void expect_begin(void);

/** expect_record() - the log has one with this time; of what it lets be read. */
void expect_record(s64 offset, s64 timestamp);

/** expect_batch() - a whole batch, in the order of the log. @abort: of a control batch. */
void expect_batch(const struct sluice_batch *b, bool abort);

/** expect_check() - does the log say the same; fails the model if not. */
void expect_check(struct sluice_log *log);

#endif /* TESTS_SIM_EXPECT_H */
