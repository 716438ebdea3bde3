/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the power-cut test. One says whose it is, which one, and how long,
 * and all its bytes follow from that, so that each can be checked whatever
 * happened to the others.
 */
#ifndef TESTS_CRASH_VALUE_H
#define TESTS_CRASH_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUE_MAX 4000
#define KEY_MAX	  40

/** mix() - a number that looks random, the same for the same record. */
uint32_t mix(uint32_t producer, uint32_t sequence);

/** make_value() - into @text of VALUE_MAX + 1 bytes; its length without the 0. */
size_t make_value(uint32_t producer, uint32_t sequence, char *text);

/** value_is_right() - is it one of make_value()? Of whom, and which? */
bool value_is_right(const char *text, size_t len, uint32_t *producer, uint32_t *sequence);

/**
 * make_key() - of a record of the compacted topic, into @text of KEY_MAX bytes
 * Each producer has a few keys of its own, so that which record of a key is the
 * newer one does not depend on others.
 */
size_t make_key(uint32_t producer, uint32_t sequence, char *text);

/**
 * is_tombstone() - has this record of the compacted topic no value?
 * Then its header TOMBSTONE_HEADER says whose it is and which: make_name().
 */
bool is_tombstone(uint32_t producer, uint32_t sequence);
#define TOMBSTONE_HEADER "t"

/** make_name() - into @text of KEY_MAX bytes; its length without the 0. */
size_t make_name(uint32_t producer, uint32_t sequence, char *text);

#endif /* TESTS_CRASH_VALUE_H */
