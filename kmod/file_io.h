/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's half of the port layer: the only file that calls the VFS.
 */
#ifndef SLUICE_FILE_IO_H
#define SLUICE_FILE_IO_H

#include "log/port.h"

struct address_space;
struct cred;
struct file;

int sluice_file_io_init(void);
void sluice_file_io_exit(void);

/**
 * sluice_root_check() - can logs be kept in this directory
 * @why: SLUICE_ERROR_TEXT_MAX bytes: on failure, what was wrong
 * Return: 0; -ENOTDIR; -EOPNOTSUPP the file system is not one that is tested;
 * -EACCES current may not use it; -EROFS.
 */
int __must_check sluice_root_check(struct file *root, char *why);

/**
 * sluice_dir_open() - open a partition's directory below a data directory
 * @root: the data directory's file
 * @cred: credentials that files are created with from now on, whoever appends;
 *	a reference is taken
 * @name: "<topic>-<index>"
 * Return: the directory, or ERR_PTR: -ENOENT, -ENOTDIR, -EACCES, -EXDEV if
 * another file system is mounted there.
 */
struct port_dir *sluice_dir_open(struct file *root, const struct cred *cred, const char *name);
void sluice_dir_close(struct port_dir *dir);

/** sluice_dir_permission() - may current use the directory with MAY_* @mask. */
int __must_check sluice_dir_permission(struct port_dir *dir, int mask);

/** sluice_file_mapping() - page cache of a file; valid while the file is open. */
struct address_space *sluice_file_mapping(struct port_file *file);

/** sluice_open_files() - files that logs have open. */
unsigned long sluice_open_files(void);

/** sluice_file() - the struct file itself, for readahead; borrowed. */
struct file *sluice_file(struct port_file *file);

#endif /* SLUICE_FILE_IO_H */
