/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broker settings that were changed while it ran: those of this broker, and
 * behind them those of all brokers. They go before the configuration file.
 *
 * As text, in .sluice/broker-settings of the data directory, a line for each:
 * "broker:KEY=VALUE" or "default:KEY=VALUE".
 */
#ifndef SLUICE_CONFIG_DYNAMIC_CONFIG_H
#define SLUICE_CONFIG_DYNAMIC_CONFIG_H

#include <stddef.h>

#include "daemon/log/log_dir.h"

/* In the order in which they are looked into. */
enum config_scope {
	CONFIG_SCOPE_BROKER,
	CONFIG_SCOPE_DEFAULT,
	CONFIG_SCOPES,
};

/** struct config_settings - of one scope, in the order in which they were set first */
struct config_settings {
	struct log_dir_setting *items;
	size_t n;
};

/** struct dynamic_config - of both; zeroed: none */
struct dynamic_config {
	struct config_settings scopes[CONFIG_SCOPES];
};

void dynamic_config_free(struct dynamic_config *d);

/** dynamic_config_copy - 0 or -ENOMEM */
int dynamic_config_copy(struct dynamic_config *to, const struct dynamic_config *from);

/** dynamic_config_get - the value in one scope, or NULL */
const char *dynamic_config_get(const struct dynamic_config *d, enum config_scope scope,
			       const char *key);

/** dynamic_config_set - copy it in; @value NULL: take it back; 0 or -ENOMEM */
int dynamic_config_set(struct dynamic_config *d, enum config_scope scope, const char *key,
		       const char *value);

/**
 * dynamic_config_parse - read the text; it is not looked at which settings there are
 * Returns 0, -ENOMEM, or -EUCLEAN with the line in @ret_line.
 */
int dynamic_config_parse(const char *text, struct dynamic_config *ret, unsigned int *ret_line);

/** dynamic_config_format - the text, to be freed; NULL: no memory */
char *dynamic_config_format(const struct dynamic_config *d, size_t *ret_len);

/**
 * dynamic_config_read - from the data directory at @path; none if there is no file
 * dynamic_config_write - durably
 * 0 or -errno with @err.
 */
int dynamic_config_read(const char *path, struct dynamic_config *ret, struct log_dir_error *err);
int dynamic_config_write(const char *path, const struct dynamic_config *d,
			 struct log_dir_error *err);

#endif /* SLUICE_CONFIG_DYNAMIC_CONFIG_H */
