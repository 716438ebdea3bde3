// SPDX-License-Identifier: Apache-2.0
/* Any text as .sluice/broker-settings: what is read is written and read again the same. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/dynamic_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *read_and_write(const char *text)
{
	struct dynamic_config d;
	unsigned int line;
	size_t len;
	char *out;
	int ret = dynamic_config_parse(text, &d, &line);

	if (ret && (ret != -EUCLEAN || !line))
		abort();
	if (ret)
		return NULL;
	out = dynamic_config_format(&d, &len);
	dynamic_config_free(&d);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	char *once = text ? read_and_write(text) : NULL;
	char *twice = once ? read_and_write(once) : NULL;

	if (once && (!twice || strcmp(once, twice)))
		abort();
	free(twice);
	free(once);
	free(text);
	return 0;
}
