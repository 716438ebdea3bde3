// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/broker.h"

int broker_limits_open(struct broker *b)
{
	int err = helpers_start(b->config->io_threads, &b->helpers);

	if (err)
		return err;
	b->live = live_config_new(b->config);
	b->limits = b->live ? conn_limits_new(b->live) : NULL;
	b->request_memory = malloc(sizeof(*b->request_memory));
	b->quota_usage = quota_usage_new(b->config->quota_windows, b->config->quota_window_ms);
	b->fetches = fetch_cache_new((uint32_t)b->config->fetch_session_slots);
	if (!b->limits || !b->request_memory || !b->quota_usage || !b->fetches) {
		broker_limits_close(b);
		return -ENOMEM;
	}
	request_memory_init(b->request_memory, b->config->queued_max_bytes);
	return 0;
}

void broker_limits_close(struct broker *b)
{
	conn_limits_free(b->limits);
	live_config_free(b->live);
	free(b->request_memory);
	quota_usage_free(b->quota_usage);
	fetch_cache_free(b->fetches);
	b->fetches = NULL;
	if (b->helpers)
		helpers_stop(b->helpers);
	b->helpers = NULL;
	b->quota_usage = NULL;
	b->limits = NULL;
	b->live = NULL;
	b->request_memory = NULL;
}

static bool is_any(const char *host)
{
	return !host[0] || !strcmp(host, "0.0.0.0") || !strcmp(host, "::");
}

void broker_endpoint(const struct broker *b, unsigned int listener, const char *local_host,
		     uint16_t local_port, const char **ret_host, uint16_t *ret_port)
{
	const struct listener_spec *own = &b->listeners[listener].spec;
	const struct config *c = b->config;

	for (unsigned int i = 0; i < c->n_advertised; i++) {
		if (!strcmp(c->advertised[i].name, own->name)) {
			*ret_host = c->advertised[i].host;
			*ret_port = c->advertised[i].port ? c->advertised[i].port : own->port;
			if (is_any(*ret_host))
				*ret_host = local_host;
			return;
		}
	}
	*ret_host = is_any(own->host) ? local_host : own->host;
	*ret_port = is_any(own->host) ? local_port : own->port;
}
