// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "daemon/config/properties.h"
#include "daemon/config/topic_default.h"

#define CONFIG_FILE_MAX (1 << 20)

__attribute__((format(printf, 2, 3))) static int fail(struct config_error *err, const char *fmt,
						      ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return -EINVAL;
}

static int fail_memory(struct config_error *err)
{
	fail(err, "out of memory");
	return -ENOMEM;
}

/* @where: NULL: the caller knows. */
static int fail_value(struct config_error *err, const char *where, const char *key,
		      const char *value, const char *why)
{
	return fail(err, "%s%s%s=%s: %s", where ? where : "", where ? ": " : "", key, value, why);
}

static int replace(char **text, const char *value, struct config_error *err)
{
	char *copy = strdup(value);

	if (!copy)
		return fail_memory(err);
	free(*text);
	*text = copy;
	return 0;
}

int config_init(struct config *c)
{
	*c = (struct config){0};
	for (int id = 0; id < CONFIG_ITEM_COUNT; id++) {
		c->text[id] = strdup(config_items[id].default_value);
		if (!c->text[id]) {
			config_free(c);
			return -ENOMEM;
		}
	}
	return 0;
}

static int copy_topic_defaults(struct config *to, const struct config *from)
{
	to->topic_defaults = calloc(from->n_topic_defaults + 1, sizeof(*to->topic_defaults));
	if (!to->topic_defaults)
		return -ENOMEM;
	for (unsigned int i = 0; i < from->n_topic_defaults; i++) {
		const struct config_topic_default *d = &from->topic_defaults[i];
		struct config_topic_default *copy = &to->topic_defaults[to->n_topic_defaults++];

		*copy = (struct config_topic_default){.key = d->key, .rank = d->rank};
		copy->value = strdup(d->value);
		copy->broker_key = strdup(d->broker_key);
		copy->broker_value = strdup(d->broker_value);
		if (!copy->value || !copy->broker_key || !copy->broker_value)
			return -ENOMEM;
	}
	return 0;
}

/* All that is not owned by pointers is simply the same. */
static int copy_owned(struct config *to, const struct config *from)
{
	for (int id = 0; id < CONFIG_ITEM_COUNT; id++) {
		to->text[id] = strdup(from->text[id]);
		if (!to->text[id])
			return -ENOMEM;
	}
	if (from->n_ip_limits) {
		to->ip_limits = calloc(from->n_ip_limits, sizeof(*to->ip_limits));
		if (!to->ip_limits)
			return -ENOMEM;
		memcpy(to->ip_limits, from->ip_limits, from->n_ip_limits * sizeof(*to->ip_limits));
		to->n_ip_limits = from->n_ip_limits;
	}
	to->ignored = calloc(from->n_ignored + 1, sizeof(*to->ignored));
	if (!to->ignored)
		return -ENOMEM;
	for (unsigned int i = 0; i < from->n_ignored; i++) {
		to->ignored[i] = strdup(from->ignored[i]);
		if (!to->ignored[i])
			return -ENOMEM;
		to->n_ignored++;
	}
	return copy_topic_defaults(to, from);
}

int config_copy(struct config *to, const struct config *from)
{
	int ret;

	*to = *from;
	memset(to->text, 0, sizeof(to->text));
	to->topic_defaults = NULL;
	to->n_topic_defaults = 0;
	to->ip_limits = NULL;
	to->n_ip_limits = 0;
	to->ignored = NULL;
	to->n_ignored = 0;
	ret = copy_owned(to, from);
	to->log_dir = to->text[CONFIG_LOG_DIRS];
	if (ret)
		config_free(to);
	return ret;
}

static void free_topic_default(struct config_topic_default *d)
{
	free(d->value);
	free(d->broker_key);
	free(d->broker_value);
}

void config_free(struct config *c)
{
	for (int id = 0; id < CONFIG_ITEM_COUNT; id++)
		free(c->text[id]);
	for (unsigned int i = 0; i < c->n_topic_defaults; i++)
		free_topic_default(&c->topic_defaults[i]);
	free(c->topic_defaults);
	for (unsigned int i = 0; i < c->n_ignored; i++)
		free(c->ignored[i]);
	free(c->ignored);
	free(c->ip_limits);
	*c = (struct config){0};
}

/* What has a form of its own is read where it stands, so that the error names the line. */
static int check_form(struct config *c, enum config_id id, const char *value, const char **why)
{
	switch (id) {
	case CONFIG_LISTENERS:
		if (listener_specs_parse(value, c->listeners, &c->n_listeners, why))
			return -EINVAL;
		*why = "it must name at least one listener";
		return c->n_listeners ? 0 : -EINVAL;
	case CONFIG_ADVERTISED_LISTENERS:
		return listener_specs_parse(value, c->advertised, &c->n_advertised, why);
	case CONFIG_MAX_CONNECTIONS_PER_IP_OVERRIDES:
		free(c->ip_limits);
		c->ip_limits = NULL;
		c->n_ip_limits = 0;
		return ip_limits_parse(value, &c->ip_limits, &c->n_ip_limits, why);
	case CONFIG_LOG_DIRS:
		*why = "it must be one absolute path; several data directories are not supported";
		return value[0] == '/' && !strchr(value, ',') && strlen(value) < PATH_MAX ? 0
											  : -EINVAL;
	default: return 0;
	}
}

static int set_item(struct config *c, enum config_id id, const char *where, const char *key,
		    const char *value, struct config_error *err)
{
	const struct config_item *item = &config_items[id];
	uint8_t given = strcmp(key, item->key) ? 1 : 2;
	char range[128];
	const char *why = range;

	/* Kafka's way to ask for a number to be chosen. */
	if (id == CONFIG_NODE_ID && given == 1 && !strcmp(value, "-1"))
		return 0;
	if (config_item_check(item, value, range, sizeof(range)) || check_form(c, id, value, &why))
		return fail_value(err, where, key, value, why);
	if (given < c->given[id])
		return 0;
	c->given[id] = given;
	return replace(&c->text[id], value, err);
}

static int set_topic_default(struct config *c, const struct topic_default *d, const char *where,
			     const char *key, const char *value, struct config_error *err)
{
	struct config_topic_default *at = NULL;
	char buf[32];
	const char *scaled, *why;
	int ret;

	if (topic_default_scale(d, value, buf, sizeof(buf), &scaled, &why) ||
	    topic_default_check(d, scaled, &why))
		return fail_value(err, where, key, value, why);
	for (unsigned int i = 0; i < c->n_topic_defaults; i++) {
		if (!strcmp(c->topic_defaults[i].key, d->topic_key))
			at = &c->topic_defaults[i];
	}
	if (!at) {
		size_t n = c->n_topic_defaults + 1;
		struct config_topic_default *more =
			reallocarray(c->topic_defaults, n, sizeof(*more));

		if (!more)
			return fail_memory(err);
		c->topic_defaults = more;
		at = &more[n - 1];
		*at = (struct config_topic_default){.key = d->topic_key};
		c->n_topic_defaults++;
	}
	if (d->rank < at->rank)
		return 0;
	at->rank = d->rank;
	ret = replace(&at->value, scaled, err);
	if (!ret)
		ret = replace(&at->broker_key, key, err);
	return ret ? ret : replace(&at->broker_value, value, err);
}

static int set_ignored(struct config *c, const char *key, struct config_error *err)
{
	char **more;

	for (unsigned int i = 0; i < c->n_ignored; i++) {
		if (!strcmp(c->ignored[i], key))
			return 0;
	}
	more = reallocarray(c->ignored, c->n_ignored + 1, sizeof(*more));
	if (!more)
		return fail_memory(err);
	c->ignored = more;
	more[c->n_ignored] = strdup(key);
	if (!more[c->n_ignored])
		return fail_memory(err);
	c->n_ignored++;
	return 0;
}

int config_set(struct config *c, const char *where, const char *key, const char *value,
	       struct config_error *err)
{
	enum config_id id = config_item_find(key);
	struct topic_default d;

	if (id != CONFIG_ITEM_COUNT)
		return set_item(c, id, where, key, value, err);
	if (topic_default_find(key, &d))
		return set_topic_default(c, &d, where, key, value, err);
	/* The one that must not be ignored: whoever sets it believes to be protected by it. */
	if (!strcmp(key, "authorizer.class.name")) {
		if (*value)
			return fail(err,
				    "%s: %s: this version has no access control; "
				    "remove the setting to run without",
				    where, key);
		return 0;
	}
	if (config_kafka_key(key))
		return set_ignored(c, key, err);
	return fail(err, "%s: %s: there is no such setting", where, key);
}

struct parse_ctx {
	struct config *config;
	const char *name;
	struct config_error *err;
};

static int set_pair(void *ctx, const char *key, const char *value, unsigned int line)
{
	struct parse_ctx *p = ctx;
	char where[512];

	snprintf(where, sizeof(where), "%s:%u", p->name, line);
	return config_set(p->config, where, key, value, p->err);
}

int config_parse(struct config *c, const char *name, const char *text, size_t len,
		 struct config_error *err)
{
	struct parse_ctx ctx = {.config = c, .name = name, .err = err};
	struct properties_error bad = {0};
	int ret;

	err->text[0] = '\0';
	ret = properties_parse(text, len, set_pair, &ctx, &bad);
	if (ret && !err->text[0]) {
		if (bad.why)
			fail(err, "%s:%u: %s", name, bad.line, bad.why);
		else
			fail_memory(err);
	}
	return ret;
}

/* Read a whole small file; *ret_text is malloc'ed. */
static int read_file(const char *path, char **ret_text, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t len = 0;
	ssize_t n = 0;
	int err = 0;

	if (fd < 0)
		return -errno;
	text = malloc(CONFIG_FILE_MAX);
	if (!text) {
		err = -ENOMEM;
		goto out;
	}
	do {
		len += (size_t)n;
		n = read(fd, text + len, CONFIG_FILE_MAX - len);
	} while (n > 0);
	if (n < 0)
		err = -errno;
	else if (len == CONFIG_FILE_MAX)
		err = -EFBIG;
out:
	close(fd);
	if (err) {
		free(text);
		return err;
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

int config_load(struct config *c, const char *path, struct config_error *err)
{
	char *text = NULL;
	size_t len = 0;
	int ret = read_file(path, &text, &len);

	if (ret) {
		fail(err, "%s: %s", path, strerror(-ret));
		return ret;
	}
	ret = config_parse(c, path, text, len, err);
	free(text);
	return ret;
}

int config_override(struct config *c, const char *assignment, struct config_error *err)
{
	const char *sep = strchr(assignment, '=');
	char *key;
	int ret;

	if (!sep || sep == assignment)
		return fail(err, "--override %s: it must be key=value", assignment);
	key = strndup(assignment, (size_t)(sep - assignment));
	if (!key)
		return fail_memory(err);
	ret = config_set(c, "--override", key, sep + 1, err);
	free(key);
	return ret;
}

static bool in_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',') {
		at += strspn(at, " \t");
		if (!strncasecmp(at, name, len) && strchr(", \t", at[len]))
			return true;
	}
	return false;
}

/* Leave out Kafka's controller listeners, and see that the rest is plaintext. */
static int finish_listeners(struct config *c, struct listener_spec *specs, unsigned int *n,
			    enum config_id id, struct config_error *err)
{
	const char *map = c->text[CONFIG_LISTENER_SECURITY_PROTOCOL_MAP];
	const char *controllers = c->text[CONFIG_CONTROLLER_LISTENER_NAMES];
	unsigned int kept = 0;

	for (unsigned int i = 0; i < *n; i++) {
		char protocol[32];

		if (in_list(controllers, specs[i].name))
			continue;
		listener_protocol(map, specs[i].name, protocol, sizeof(protocol));
		if (strcmp(protocol, "PLAINTEXT"))
			return fail(err,
				    "%s: listener %s has the security protocol %s; this version "
				    "has only PLAINTEXT",
				    config_items[id].key, specs[i].name, protocol);
		specs[kept++] = specs[i];
	}
	*n = kept;
	return 0;
}

static int64_t number(const struct config *c, enum config_id id)
{
	return strtoll(c->text[id], NULL, 10);
}

static bool boolean(const struct config *c, enum config_id id)
{
	return !strcasecmp(c->text[id], "true");
}

static unsigned int cpu_count(void)
{
	cpu_set_t set;
	int n = 1;

	if (!sched_getaffinity(0, sizeof(set), &set))
		n = CPU_COUNT(&set);
	return n > 0 ? (unsigned int)n : 1;
}

static void finish_cleaner(const struct config *c, struct config_cleaner *ret)
{
	*ret = (struct config_cleaner){
		.enable = boolean(c, CONFIG_LOG_CLEANER_ENABLE),
		.threads = (unsigned int)number(c, CONFIG_LOG_CLEANER_THREADS),
		.backoff_ms = number(c, CONFIG_LOG_CLEANER_BACKOFF_MS),
		.dedupe_buffer_bytes = (uint64_t)number(c, CONFIG_LOG_CLEANER_DEDUPE_BUFFER_SIZE),
		.load_factor = strtod(c->text[CONFIG_LOG_CLEANER_IO_BUFFER_LOAD_FACTOR], NULL),
		.io_buffer_bytes = (uint32_t)number(c, CONFIG_LOG_CLEANER_IO_BUFFER_SIZE),
		.io_max_bytes_per_second =
			strtod(c->text[CONFIG_LOG_CLEANER_IO_MAX_BYTES_PER_SECOND], NULL),
	};
}

static int finish_groups(const struct config *c, struct group_settings *ret,
			 struct config_error *err)
{
	*ret = (struct group_settings){
		.initial_delay_ms = number(c, CONFIG_GROUP_INITIAL_REBALANCE_DELAY_MS),
		.offsets_retention_ms = number(c, CONFIG_OFFSETS_RETENTION_MINUTES) * 60 * 1000,
		.session_min_ms = (int32_t)number(c, CONFIG_GROUP_MIN_SESSION_TIMEOUT_MS),
		.session_max_ms = (int32_t)number(c, CONFIG_GROUP_MAX_SESSION_TIMEOUT_MS),
		.size_max = (int32_t)number(c, CONFIG_GROUP_MAX_SIZE),
		.metadata_max = (int32_t)number(c, CONFIG_OFFSET_METADATA_MAX_BYTES),
	};
	if (ret->session_max_ms >= ret->session_min_ms)
		return 0;
	return fail(err, "group.max.session.timeout.ms is below group.min.session.timeout.ms");
}

static void finish_txns(const struct config *c, struct txn_settings *ret)
{
	*ret = (struct txn_settings){
		.timeout_max_ms = (int32_t)number(c, CONFIG_TRANSACTION_MAX_TIMEOUT_MS),
		.id_expiration_ms = number(c, CONFIG_TRANSACTIONAL_ID_EXPIRATION_MS),
		.abort_check_ms = number(
			c, CONFIG_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS),
		.expire_check_ms = number(
			c, CONFIG_TRANSACTION_REMOVE_EXPIRED_TRANSACTION_CLEANUP_INTERVAL_MS),
	};
}

int config_finish(struct config *c, struct config_error *err)
{
	const char *why;
	int ret;

	if (!c->n_listeners &&
	    listener_specs_parse(c->text[CONFIG_LISTENERS], c->listeners, &c->n_listeners, &why))
		return fail(err, "listeners: %s", why);
	ret = finish_listeners(c, c->listeners, &c->n_listeners, CONFIG_LISTENERS, err);
	if (!ret)
		ret = finish_listeners(c, c->advertised, &c->n_advertised,
				       CONFIG_ADVERTISED_LISTENERS, err);
	if (ret)
		return ret;
	if (!c->n_listeners)
		return fail(err, "listeners: all of them are controller.listener.names");

	c->log_dir = c->text[CONFIG_LOG_DIRS];
	c->node_id = (int32_t)number(c, CONFIG_NODE_ID);
	c->num_partitions = (int32_t)number(c, CONFIG_NUM_PARTITIONS);
	c->describe_partitions_max = (int32_t)number(c, CONFIG_MAX_REQUEST_PARTITION_SIZE_LIMIT);
	c->default_replication_factor = (int16_t)number(c, CONFIG_DEFAULT_REPLICATION_FACTOR);
	c->auto_create_topics = boolean(c, CONFIG_AUTO_CREATE_TOPICS_ENABLE);
	c->delete_topics = boolean(c, CONFIG_DELETE_TOPIC_ENABLE);
	c->network_threads = (unsigned int)number(c, CONFIG_NUM_NETWORK_THREADS);
	if (!c->network_threads)
		c->network_threads = cpu_count();
	c->io_threads = (unsigned int)number(c, CONFIG_NUM_IO_THREADS);
	if (!c->io_threads)
		c->io_threads = cpu_count();
	c->recovery_threads = (unsigned int)number(c, CONFIG_NUM_RECOVERY_THREADS_PER_DATA_DIR);
	c->listen_backlog = (int)number(c, CONFIG_SOCKET_LISTEN_BACKLOG_SIZE);
	c->request_max_bytes = (uint32_t)number(c, CONFIG_SOCKET_REQUEST_MAX_BYTES);
	c->fetch_max_bytes = (uint32_t)number(c, CONFIG_FETCH_MAX_BYTES);
	c->fetch_session_slots =
		(int32_t)number(c, CONFIG_MAX_INCREMENTAL_FETCH_SESSION_CACHE_SLOTS);
	c->connections_max_idle_ms = number(c, CONFIG_CONNECTIONS_MAX_IDLE_MS);
	c->connections_max = (int32_t)number(c, CONFIG_MAX_CONNECTIONS);
	c->connections_max_per_ip = (int32_t)number(c, CONFIG_MAX_CONNECTIONS_PER_IP);
	c->queued_max_bytes = number(c, CONFIG_QUEUED_MAX_REQUEST_BYTES);
	c->quota_windows = (unsigned int)number(c, CONFIG_QUOTA_WINDOW_NUM);
	c->quota_window_ms = number(c, CONFIG_QUOTA_WINDOW_SIZE_SECONDS) * 1000;
	c->producer_expiration_ms = number(c, CONFIG_PRODUCER_ID_EXPIRATION_MS);
	c->offsets_topic_partitions = (int32_t)number(c, CONFIG_OFFSETS_TOPIC_NUM_PARTITIONS);
	c->offsets_commit_timeout_ms = number(c, CONFIG_OFFSETS_COMMIT_TIMEOUT_MS);
	c->offsets_retention_check_ms = number(c, CONFIG_OFFSETS_RETENTION_CHECK_INTERVAL_MS);
	c->txn_topic_partitions = (int32_t)number(c, CONFIG_TRANSACTION_STATE_LOG_NUM_PARTITIONS);
	finish_txns(c, &c->txns);
	finish_cleaner(c, &c->cleaner);
	return finish_groups(c, &c->groups, err);
}

const struct config_topic_default *config_topic_default_given(const struct config *c,
							      const char *topic_key)
{
	for (unsigned int i = 0; i < c->n_topic_defaults; i++) {
		if (!strcmp(c->topic_defaults[i].key, topic_key))
			return &c->topic_defaults[i];
	}
	return NULL;
}

const char *config_topic_default(const struct config *c, const char *topic_key)
{
	const struct config_topic_default *d = config_topic_default_given(c, topic_key);

	return d ? d->value : NULL;
}
