/* SPDX-License-Identifier: Apache-2.0 */
/* compression.type of a topic, which the log does not act on: sluiced does. */
#ifndef SLUICE_CONTROLLER_TOPIC_CODEC_H
#define SLUICE_CONTROLLER_TOPIC_CODEC_H

#include "daemon/config/config.h"
#include "daemon/kern/kern.h"
#include "daemon/records/record_check.h"

/**
 * topic_codec_read - by the topic's own settings, and the broker's where it has none
 * Returns 0, also for a topic without a settings file; or -errno, said in the
 * diagnostics, and then @ret is the broker's.
 */
int topic_codec_read(const struct config *config, const struct kern_topic *t,
		     struct record_codec *ret);

/** topic_codec_key - is a topic setting one that this depends on */
bool topic_codec_key(const char *key);

#endif /* SLUICE_CONTROLLER_TOPIC_CODEC_H */
