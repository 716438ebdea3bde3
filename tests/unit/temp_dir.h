/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory for one test, and short ways to files in it.
 */
#ifndef TESTS_TEMP_DIR_H
#define TESTS_TEMP_DIR_H

#include <stdbool.h>
#include <stddef.h>

/** temp_dir_make() - a new directory; its absolute path is static, its fd open */
const char *temp_dir_make(int *ret_fd);

/** temp_dir_remove() - remove it with all that is in it, and close the fd */
void temp_dir_remove(int fd);

void temp_file_write(int fd, const char *name, const char *text);
/** temp_file_read() - the whole text in a static buffer; NULL if there is no such file */
const char *temp_file_read(int fd, const char *name);
bool temp_exists(int fd, const char *name);
void temp_mkdir(int fd, const char *name);
/** temp_count() - names in a directory that end with @suffix */
size_t temp_count(int fd, const char *dir, const char *suffix);

#endif /* TESTS_TEMP_DIR_H */
