/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of sluice_kunit.ko share: a directory on a real file system,
 * and a partition in it that belongs to no namespace's tables.
 */
#ifndef KUNIT_SLUICE_H
#define KUNIT_SLUICE_H

#include <kunit/test.h>

#include "data_dir.h"
#include "partition.h"

extern struct kunit_suite port_suite;
extern struct kunit_suite file_io_suite;
extern struct kunit_suite notify_suite;
extern struct kunit_suite flush_suite;
extern struct kunit_suite partition_suite;

/** kunit_root() - the directory that the module parameter names, open. */
struct file *kunit_root(void);

/**
 * kunit_make_dir() - make an empty directory in the root
 * @name: 32 bytes: gets a name that was never used, without the partition
 * The directory is called "<name>-0".
 */
void kunit_make_dir(struct kunit *test, char *name);

/**
 * struct kunit_partition - a partition alone with its topic
 * @p: NULL when it could not be created, or was put
 */
struct kunit_partition {
	struct sluice_data_dir data_dir;
	struct sluice_topic topic;
	struct sluice_partition *p;
};

/** kunit_partition_new() - with an empty log; for a suite's init. */
struct kunit_partition *kunit_partition_new(struct kunit *test);

/** kunit_partition_open() - open (again) what kunit_partition_end() closed. */
void kunit_partition_open(struct kunit *test, struct kunit_partition *kp);

/** kunit_partition_end() - drain, unless it is drained, and put. */
void kunit_partition_end(struct kunit_partition *kp);

/** kunit_partition_free() - the same and what it needs; for a suite's exit. */
void kunit_partition_free(struct kunit_partition *kp);

/**
 * kunit_append() - append a batch of one record
 * @flip: position of a byte to spoil before, or -1
 */
int kunit_append(struct kunit *test, struct kunit_partition *kp, int flip,
		 struct sluice_append *ret_a);

#endif /* KUNIT_SLUICE_H */
