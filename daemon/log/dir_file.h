/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files and names in a directory that is held open: written whole or
 * not at all, read whole within a bound. Errors are -errno.
 */
#ifndef LOG_DIR_FILE_H
#define LOG_DIR_FILE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * dir_file_read() - read a regular file whole
 * @size_max: larger files are -EFBIG
 * @ret_text: NUL-terminated; free it
 * @ret_len: may be NULL; a file with NUL bytes in it is longer than its text
 */
int dir_file_read(int dir_fd, const char *name, size_t size_max, char **ret_text, size_t *ret_len);

/**
 * dir_file_replace() - put a file in place of what has the name, durably
 * Writes a temporary file, syncs it, renames it and syncs the directory: a
 * crash leaves the old content or the new.
 */
int dir_file_replace(int dir_fd, const char *name, const char *text, size_t len);

/** dir_file_write() - the same without syncing: a crash may leave it empty. */
int dir_file_write(int dir_fd, const char *name, const char *text, size_t len);

/** dir_file_remove() - unlink durably; 0 if it was not there. */
int dir_file_remove(int dir_fd, const char *name);

/** dir_file_exists() - 1, 0 or -errno; of any kind. */
int dir_file_exists(int dir_fd, const char *name);

int dir_sync(int dir_fd);

/** dir_open() - open a directory that is not a symbolic link; fd or -errno. */
int dir_open(int at_fd, const char *name);

/** dir_make() - mkdir() if it is not there, and open; fd or -errno. */
int dir_make(int at_fd, const char *name);

/**
 * dir_remove() - remove a directory and what is in it
 * Deeper than a partition directory ever is: -ELOOP. 0 if it is not there.
 */
int dir_remove(int at_fd, const char *name);

/**
 * dir_each() - call @fn for each name but . and .. ; non-zero ends it
 * @fn: gets d_type as readdir(3) gave it, DT_UNKNOWN resolved
 */
int dir_each(int dir_fd, int (*fn)(void *ctx, const char *name, bool is_dir), void *ctx);

#endif /* LOG_DIR_FILE_H */
