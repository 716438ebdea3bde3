/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compaction of the logs that this daemon has open (Kafka's LogCleaner):
 * log.cleaner.threads threads, each of which again and again compacts the
 * dirtiest log that is due, or waits log.cleaner.backoff.ms if none is.
 */
#ifndef SLUICE_CLEANER_CLEANER_H
#define SLUICE_CLEANER_CLEANER_H

#include "daemon/config/live_config.h"

struct cleaner;

/**
 * cleaner_start() - start the threads
 * @live: borrowed; what log.cleaner.* say counts from the next log on
 * @ret_c: NULL if log.cleaner.enable or log.cleaner.threads say so
 * The data directory is attached. Returns 0 or -errno.
 */
int cleaner_start(struct live_config *live, struct cleaner **ret_c);

/**
 * cleaner_stop() - interrupt what is under way, wait for the threads and free it
 * NULL is nothing. Waits for the sync of a file at most.
 */
void cleaner_stop(struct cleaner *c);

#endif /* SLUICE_CLEANER_CLEANER_H */
