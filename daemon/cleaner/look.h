/* SPDX-License-Identifier: Apache-2.0 */
/* The search for the log that is compacted next. */
#ifndef SLUICE_CLEANER_LOOK_H
#define SLUICE_CLEANER_LOOK_H

#include "daemon/cleaner/manager.h"
#include "daemon/cleaner/run.h"
#include "daemon/config/config.h"

/**
 * struct cleaner_look - what a search needs
 * @config: for what topics have that do not set it themselves
 * @data_dir: only logs in this one; as the kernel names it
 * @manager: whoever searches has it for himself
 * @stopped: asked now and then, with @ctx
 */
struct cleaner_look {
	const struct config *config;
	const char *data_dir;
	struct cleaner_manager *manager;
	bool (*stopped)(void *ctx);
	void *ctx;
};

/**
 * cleaner_look() - find it, and take it
 * @k: of the caller
 * @ret_entry: NULL: nothing is due
 * @ret_run: all but @limits, @pace and @ctx
 * Returns 0; or -errno, and said why.
 */
int cleaner_look(const struct cleaner_look *l, struct kern *k, struct cleaner_entry **ret_entry,
		 struct cleaner_run *ret_run);

#endif /* SLUICE_CLEANER_LOOK_H */
