/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading Java's properties format, which server.properties is written in:
 * comments (# and !), = or : or white space between key and value, lines that
 * go on after a backslash, and escapes with \uXXXX. Text is UTF-8.
 */
#ifndef SLUICE_CONFIG_PROPERTIES_H
#define SLUICE_CONFIG_PROPERTIES_H

#include <stddef.h>

/**
 * struct properties_error - what is wrong with a file
 * @line: where, counted from 1
 * @why: a sentence, static
 */
struct properties_error {
	unsigned int line;
	const char *why;
};

/**
 * typedef properties_fn - is given each pair in the order of the text
 * @key: NUL-terminated, valid during the call; so is @value
 * @line: the line it begins on, counted from 1
 * Returns 0 to go on; anything else ends the reading and is its result.
 */
typedef int (*properties_fn)(void *ctx, const char *key, const char *value, unsigned int line);

/**
 * properties_parse - call @fn for each pair of @len bytes at @text
 * A key may come more than once; the last one is meant to win.
 * Returns 0; what @fn returned; -EINVAL with @err filled; -ENOMEM.
 */
int properties_parse(const char *text, size_t len, properties_fn fn, void *ctx,
		     struct properties_error *err);

#endif /* SLUICE_CONFIG_PROPERTIES_H */
