/* SPDX-License-Identifier: Apache-2.0 */
/* max.connections.per.ip.overrides: "host:count,address:count". */
#ifndef SLUICE_CONFIG_IP_LIMITS_H
#define SLUICE_CONFIG_IP_LIMITS_H

#include <netinet/in.h>
#include <stdint.h>

/** struct ip_limit - connections that an address may have; IPv4 in IPv6's form */
struct ip_limit {
	struct in6_addr addr;
	int32_t max;
};

/**
 * ip_limits_parse - read the list; names are looked up
 * @ret_limits: free it; one for each address of a name
 * Returns 0; -ENOMEM; -EINVAL with @ret_why, a static sentence.
 */
int ip_limits_parse(const char *text, struct ip_limit **ret_limits, unsigned int *ret_n,
		    const char **ret_why);

#endif /* SLUICE_CONFIG_IP_LIMITS_H */
