/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as it is now: the file and the command line, and over them
 * what was changed while the broker runs. A change makes new layers; who reads
 * holds a reference to those that it reads. What can only change by a restart
 * is in struct broker's config, too, and needs none.
 */
#ifndef SLUICE_CONFIG_LIVE_CONFIG_H
#define SLUICE_CONFIG_LIVE_CONFIG_H

#include <stdatomic.h>

#include "daemon/config/config.h"
#include "daemon/config/dynamic_config.h"

/**
 * struct config_layers - immutable once it is shared
 * @refs: private
 * @base: of the file and the command line
 * @dynamic: over it
 * @now: what they add up to
 */
struct config_layers {
	atomic_uint refs;
	struct config base;
	struct dynamic_config dynamic;
	struct config now;
};

/**
 * config_layers_new - with one reference
 * @base, @dynamic: copied; @base is finished
 * @strict: false: what @dynamic has that cannot be is left out, with a line that says so
 * Returns 0; -EINVAL or -ENOMEM with @err.
 */
int config_layers_new(const struct config *base, const struct dynamic_config *dynamic, bool strict,
		      struct config_layers **ret, struct config_error *err);

/** config_layers_put - from any thread; NULL is let be */
void config_layers_put(struct config_layers *l);

/** config_dynamic - can the broker setting @key, by its own name, be changed while it runs */
bool config_dynamic(const char *key);

/**
 * config_keep_static - before a file that was read again takes effect
 * @fresh: finished; gets back from @running what only a restart changes
 * @changed: gets the names of those that were different, ", " between them; @size bytes
 * Returns 0; -EINVAL or -ENOMEM with @err.
 */
int config_keep_static(struct config *fresh, const struct config *running, char *changed,
		       size_t size, struct config_error *err);

struct live_config;

/** live_config_new - with @base alone; NULL: no memory */
struct live_config *live_config_new(const struct config *base);
void live_config_free(struct live_config *live);

/** live_config_get - a reference, from any thread; takes a lock for a moment */
struct config_layers *live_config_get(struct live_config *live);

/** live_config_set - @l, taken, counts from now on */
void live_config_set(struct live_config *live, struct config_layers *l);

#endif /* SLUICE_CONFIG_LIVE_CONFIG_H */
