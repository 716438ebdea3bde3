// SPDX-License-Identifier: Apache-2.0
/*
 * Any text as a configuration file: it is read or refused with a line and a
 * reason, and what was read can be used.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/config/properties.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct count {
	size_t bytes;
	unsigned int last_line;
};

static int check_pair(void *ctx, const char *key, const char *value, unsigned int line)
{
	struct count *c = ctx;

	if (line <= c->last_line)
		abort();
	c->last_line = line;
	c->bytes += strlen(key) + strlen(value);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct properties_error bad = {0};
	struct config_error err = {{0}};
	struct count count = {0};
	struct config c;
	int ret = properties_parse((const char *)data, size, check_pair, &count, &bad);

	/* What an escape stands for is never longer than the escape. */
	if (count.bytes > size || (ret && (!bad.why || bad.line <= count.last_line)))
		abort();
	if (config_init(&c))
		return 0;
	ret = config_parse(&c, "fuzz", (const char *)data, size, &err);
	if (!ret)
		ret = config_finish(&c, &err);
	if (ret ? !err.text[0] : !c.n_listeners || !c.network_threads || c.log_dir[0] != '/')
		abort();
	config_free(&c);
	return 0;
}
