/* SPDX-License-Identifier: Apache-2.0 */
/* Printing segments. */
#ifndef TOOLS_DUMP_LOG_DUMP_H
#define TOOLS_DUMP_LOG_DUMP_H

#include "batch.h"

/**
 * dump_path() - print a segment file, or all of a directory in their order
 * Returns 0; 1 if something is broken, which is printed where it is; 2 if a
 * file cannot be read, which is said on stderr.
 */
int dump_path(const char *path, bool records);

/**
 * dump_records() - print the records of an uncompressed batch
 * @position: of the batch in @file
 * Returns as dump_path().
 */
int dump_records(struct port_file *file, u64 position, const struct sluice_batch *b);

#endif /* TOOLS_DUMP_LOG_DUMP_H */
