/* SPDX-License-Identifier: Apache-2.0 */
/* "NAME://host:port": where the broker listens, or where clients are told to go. */
#ifndef SLUICE_CONFIG_LISTENER_SPEC_H
#define SLUICE_CONFIG_LISTENER_SPEC_H

#include <stddef.h>
#include <stdint.h>

#define LISTENERS_MAX	  8
#define LISTENER_NAME_MAX 63
#define LISTENER_HOST_MAX 253

/**
 * struct listener_spec - one of them
 * @name: of the listener, upper case
 * @host: name or address, an IPv6 one without its brackets; empty: all addresses
 * @port: 0: any that is free
 */
struct listener_spec {
	char name[LISTENER_NAME_MAX + 1];
	char host[LISTENER_HOST_MAX + 1];
	uint16_t port;
};

/**
 * listener_specs_parse - read a list, with commas between
 * @ret_specs: room for LISTENERS_MAX; @ret_n: how many there are, 0 for an empty list
 * @ret_why: what is wrong, static
 * Returns 0 or -EINVAL.
 */
int listener_specs_parse(const char *text, struct listener_spec *ret_specs, unsigned int *ret_n,
			 const char **ret_why);

/**
 * listener_protocol - the security protocol of a listener's name
 * @map: listener.security.protocol.map, "NAME:PROTOCOL,...", may be empty
 * @ret: room for @size bytes
 * A name that the map does not have is taken for a protocol, as in Kafka.
 */
void listener_protocol(const char *map, const char *name, char *ret, size_t size);

#endif /* SLUICE_CONFIG_LISTENER_SPEC_H */
