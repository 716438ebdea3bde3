/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's defaults, given to topics whose log does not have them yet. */
#ifndef SLUICE_CONTROLLER_TOPIC_DEFAULTS_H
#define SLUICE_CONTROLLER_TOPIC_DEFAULTS_H

#include "daemon/config/config.h"
#include "daemon/kern/kern.h"

/**
 * topic_defaults_apply - have the log act on the topic's own settings, and on
 *	the broker's where it has none of its own
 * @t: as the kernel told; its config is made what it is then
 * A topic may have been made without the daemon, or under another
 * configuration of it. Takes the lock of the topic's directory, so that a
 * change of its settings made meanwhile is not undone.
 * Returns 0, also if the topic is gone; -errno, said in the diagnostics.
 */
int topic_defaults_apply(const struct config *config, struct kern *k, struct kern_topic *t);

#endif /* SLUICE_CONTROLLER_TOPIC_DEFAULTS_H */
