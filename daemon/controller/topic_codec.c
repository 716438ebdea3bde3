// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/controller/topic_codec.h"
#include "daemon/core/diag.h"
#include "daemon/log/topic_config.h"

static struct diag_limit read_limit;

/* compression.type in the order of SLUICE_COMPRESSION_*. */
static const char *const types[] = {"uncompressed", "gzip", "snappy", "lz4", "zstd"};

/* The topic's value, or the broker's, or the default. */
static const char *value_of(const struct config *config, const struct log_dir_setting *own,
			    size_t n, const char *key)
{
	const char *value = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!strcmp(own[i].key, key))
			return own[i].value;
	}
	value = config_topic_default(config, key);
	return value ? value : topic_config_find(key)->default_value;
}

static struct record_codec codec_of(const struct config *config, const struct log_dir_setting *own,
				    size_t n)
{
	static const char *const levels[] = {NULL, "compression.gzip.level", NULL,
					     "compression.lz4.level", "compression.zstd.level"};
	struct record_codec ret = {.codec = RECORD_CODEC_PRODUCER};
	const char *type = value_of(config, own, n, "compression.type");

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(types[i], type)) {
			ret.codec = (int)i;
			if (levels[i])
				ret.level =
					(int)strtol(value_of(config, own, n, levels[i]), NULL, 10);
		}
	}
	return ret;
}

int topic_codec_read(const struct config *config, const struct kern_topic *t,
		     struct record_codec *ret)
{
	struct log_dir_setting *own = NULL;
	struct log_dir_error err;
	size_t n = 0;
	int result = log_dir_topic_settings(t->data_dir, t->name, &own, &n, &err);

	*ret = codec_of(config, own, n);
	if (!result)
		log_dir_settings_free(own, n);
	/* It was deleted meanwhile, or somebody else opened it. */
	if (result == -ENOENT)
		return 0;
	if (result)
		diag_limited(&read_limit, DIAG_WARNING, "%s", err.text);
	return result;
}

bool topic_codec_key(const char *key)
{
	return !strncmp(key, "compression.", strlen("compression."));
}
