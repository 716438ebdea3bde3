// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include "daemon/controller/topic_defaults.h"
#include "daemon/core/diag.h"
#include "daemon/log/log_dir_open.h"
#include "daemon/log/topic_config.h"
#include "daemon/log/topic_settings.h"

static struct diag_limit apply_limit;

/* What a topic without settings of its own has. */
static struct kern_topic_config broker_defaults(const struct config *config)
{
	struct kern_topic_config ret = {0};
	const struct topic_config_item *items;
	size_t n;

	items = topic_config_items(&n);
	for (size_t i = 0; i < n; i++) {
		const char *value = config_topic_default(config, items[i].key);

		topic_config_to_kern(items[i].key, value ? value : items[i].default_value, &ret);
	}
	ret.producer_expiration_ms = config->producer_expiration_ms;
	ret.set |= KERN_CONFIG_PRODUCER_ID_EXPIRATION_MS;
	return ret;
}

/* With the lock, under which settings are changed in the log and in the file. */
static int apply(const struct log_dir *d, struct kern *k, struct kern_topic *t,
		 struct kern_topic *wanted, struct log_dir_error *err)
{
	struct topic_settings own;
	int result = topic_settings_read(d->topics_fd, t->name, TOPIC_EXISTS, &own, err);

	if (result)
		return result;
	for (size_t i = 0; i < own.n; i++)
		topic_config_to_kern(own.items[i].key, own.items[i].value, &wanted->config);
	topic_settings_free(&own);
	result = kern_topic_set(k, wanted);
	if (result)
		return log_dir_fail(err, result, "topic %s: cannot set its defaults: %s", t->name,
				    kern_error(k));
	kern_config_merge(&t->config, &wanted->config);
	return 0;
}

int topic_defaults_apply(const struct config *config, struct kern *k, struct kern_topic *t)
{
	struct kern_topic wanted = *t;
	struct log_dir_error err;
	struct log_dir d;
	int result;

	wanted.leader_epoch = -1;
	wanted.config = broker_defaults(config);
	/* The usual case needs no file to be read. */
	if (kern_config_has(&t->config, &wanted.config))
		return 0;
	result = log_dir_open(t->data_dir, /* make= */ false, &d, &err);
	if (!result) {
		result = apply(&d, k, t, &wanted, &err);
		log_dir_close(&d);
	}
	/* It was deleted meanwhile. */
	if (result == -ENOENT)
		return 0;
	if (result)
		diag_limited(&apply_limit, DIAG_WARNING, "%s", err.text);
	return result;
}
