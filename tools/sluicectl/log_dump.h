/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Printing the files of a log, one line for each thing in them. A line is an
 * object: as it is with -j, and as "name: value" without.
 */
#ifndef SLUICECTL_LOG_DUMP_H
#define SLUICECTL_LOG_DUMP_H

#include <jansson.h>
#include "kmod/log/batch.h"

/**
 * struct log_dump - what is dumped, and how
 * @json: one object a line
 * @records: those of uncompressed batches, too
 * @path: the file that is dumped now; for JSON and error messages
 */
struct log_dump {
	bool json;
	bool records;
	const char *path;
};

/**
 * log_dump_path() - print a file, or all segments of a partition's directory
 * What kind of file it is, its name tells. Returns 0; 1 if something in it is
 * broken, which is printed where it is; 2 if it cannot be read, which is said
 * on stderr.
 */
int log_dump_path(struct log_dump *d, const char *path);

/** log_dump_line() - print one object; takes it, NULL is no memory. 0 or -errno */
int log_dump_line(const struct log_dump *d, const char *indent, json_t *line);

/** log_dump_broken() - the line for what makes no sense; returns 1 or -errno */
int log_dump_broken(const struct log_dump *d, const char *indent, u64 position, const char *why);

/* Each prints one kind of file. Returns 0, 1 if something is broken, or -errno. */
int log_dump_segment(const struct log_dump *d, struct port_file *file);
int log_dump_offset_index(const struct log_dump *d, struct port_file *file, s64 base_offset);
int log_dump_time_index(const struct log_dump *d, struct port_file *file, s64 base_offset);
int log_dump_txn_index(const struct log_dump *d, struct port_file *file);
int log_dump_snapshot(const struct log_dump *d, struct port_file *file);
int log_dump_checkpoint(const struct log_dump *d, int dir_fd, const char *name);
int log_dump_epochs(const struct log_dump *d, int dir_fd);
int log_dump_metadata(const struct log_dump *d, int dir_fd);

/** log_dump_records() - of an uncompressed batch at @position; returns as above */
int log_dump_records(const struct log_dump *d, struct port_file *file, u64 position,
		     const struct sluice_batch *b);

#endif /* SLUICECTL_LOG_DUMP_H */
