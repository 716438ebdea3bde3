/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of this broker from start to end; read by all threads, written by none. */
#ifndef SLUICE_BROKER_H
#define SLUICE_BROKER_H

#include "daemon/config/live_config.h"
#include "daemon/core/helpers.h"
#include "daemon/kafka/fetch_cache.h"
#include "daemon/net/conn_limits.h"
#include "daemon/net/listener.h"
#include "daemon/net/request_memory.h"
#include "daemon/quota/quota_usage.h"

/**
 * struct broker - this broker
 * @config: finished; as at the start, for all that only a restart changes
 * @live: as it is now, for the rest; has a lock of its own
 * @cluster_id: of the data directory's meta.properties
 * @listeners: open, @n_listeners of them, in the order of the configuration
 * @limits: of connections; has a lock of its own
 * @request_memory: of requests that are in memory; workers change it
 * @quota_usage: what clients with quotas use; has a lock of its own
 * @fetches: fetch sessions; has a lock of its own
 * @helpers: threads for what takes workers too long
 * @family: number of the module's address family
 */
struct broker {
	const struct config *config;
	struct live_config *live;
	char cluster_id[64];
	struct listener listeners[LISTENERS_MAX];
	struct conn_limits *limits;
	struct request_memory *request_memory;
	struct quota_usage *quota_usage;
	struct fetch_cache *fetches;
	struct helpers *helpers;
	unsigned int n_listeners;
	uint32_t family;
};

/** broker_limits_open - make @live to @helpers of @b->config; 0 or -errno */
int broker_limits_open(struct broker *b);

/** broker_limits_close - after the workers have ended */
void broker_limits_close(struct broker *b);

/**
 * broker_endpoint - where a client that came in by a listener is told to connect
 * @listener: its index
 * @local_host, @local_port: the address that it reached
 * @ret_host: lives as long as the broker and @local_host do
 * advertised.listeners if it names that listener; else the listener's own
 * host; else, because the client evidently can reach it, @local_host.
 */
void broker_endpoint(const struct broker *b, unsigned int listener, const char *local_host,
		     uint16_t local_port, const char **ret_host, uint16_t *ret_port);

#endif /* SLUICE_BROKER_H */
