/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acknowledgements, written where they outlive the machine: into a file outside
 * of it, and onto the disk that the log is on. There a line stands behind all
 * that was durable when it was written, so that whatever is left of the disk says
 * by itself what has to be there.
 */
#ifndef TESTS_CRASH_ACKS_H
#define TESTS_CRASH_ACKS_H

#include <stddef.h>
#include <sys/types.h>

/* What a disk writes as a whole. */
#define ACKS_SECTOR   512
#define ACKS_LINE_MAX 100

/**
 * struct acks - of one producer
 * @file: outside of the machine; -1: none
 * @disk: its blocks are written already, so that writing them again changes
 *	nothing but them; -1: none, or full
 * @position: of the next sector of @disk
 * @size: of @disk
 */
struct acks {
	int file;
	int disk;
	off_t position;
	off_t size;
};

/** acks_open() - @disk_path may be NULL, or that of a file that acks_make() made; dies. */
void acks_open(struct acks *a, const char *path, const char *disk_path);

/** acks_make() - the file on the disk, or nothing if it is there; dies. */
void acks_make(const char *disk_path);

/** acks_note() - whole lines, none above ACKS_LINE_MAX; 0 or -1 with errno. */
int acks_note(struct acks *a, const char *text, size_t len);

/** acks_print() - the lines of a file on a disk that was cut anywhere; dies. */
void acks_print(const char *disk_path);

#endif /* TESTS_CRASH_ACKS_H */
