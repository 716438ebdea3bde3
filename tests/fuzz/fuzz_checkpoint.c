// SPDX-License-Identifier: Apache-2.0
/*
 * The text files of a data directory: offset checkpoints, and a topic's
 * settings. The first byte chooses.
 */
#include <stdint.h>
#include <stdlib.h>
#include "daemon/log/checkpoint.h"
#include "daemon/log/topic_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct topic_settings s;
	struct log_dir_error err;
	struct checkpoint c;
	unsigned int line;

	if (!len)
		return 0;
	if (data[0] & 1) {
		if (!checkpoint_parse((const char *)data + 1, len - 1, &c, &line)) {
			for (size_t i = 0; i < c.n; i++) {
				if (checkpoint_find(&c, c.entries[i].topic,
						    c.entries[i].partition) < 0)
					abort();
			}
			checkpoint_free(&c);
		}
	} else if (!topic_settings_parse((const char *)data + 1, len - 1, &s, &err)) {
		topic_settings_free(&s);
	}
	return 0;
}
