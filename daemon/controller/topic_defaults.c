// SPDX-License-Identifier: Apache-2.0
#include "daemon/controller/topic_defaults.h"
#include "daemon/core/diag.h"
#include "daemon/log/log_dir.h"
#include "daemon/log/topic_config.h"

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

void topic_defaults_apply(const struct config *config, struct kern *k, struct kern_topic *t)
{
	struct kern_topic wanted = *t;
	struct log_dir_setting *own;
	struct log_dir_error err;
	size_t n;

	wanted.leader_epoch = -1;
	wanted.config = broker_defaults(config);
	/* The usual case needs no file to be read. */
	if (kern_config_has(&t->config, &wanted.config))
		return;
	if (log_dir_topic_settings(t->data_dir, t->name, &own, &n, &err)) {
		diag_limited(&apply_limit, DIAG_WARNING, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		topic_config_to_kern(own[i].key, own[i].value, &wanted.config);
	log_dir_settings_free(own, n);
	if (kern_config_has(&t->config, &wanted.config))
		return;
	if (kern_topic_set(k, &wanted)) {
		diag_limited(&apply_limit, DIAG_WARNING, "topic %s: cannot set its defaults: %s",
			     t->name, kern_error(k));
		return;
	}
	kern_config_merge(&t->config, &wanted.config);
}
