// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/ip_limits.h"

#define HOST_MAX 253

static int add(struct ip_limit **limits, unsigned int *n, const struct sockaddr *sa, int32_t max)
{
	struct ip_limit *grown = reallocarray(*limits, *n + 1, sizeof(*grown));
	struct in6_addr *to;

	if (!grown)
		return -ENOMEM;
	*limits = grown;
	grown += (*n)++;
	*grown = (struct ip_limit){.max = max};
	to = &grown->addr;
	if (sa->sa_family == AF_INET6) {
		*to = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	} else {
		to->s6_addr[10] = to->s6_addr[11] = 0xff;
		memcpy(&to->s6_addr[12], &((const struct sockaddr_in *)(const void *)sa)->sin_addr,
		       4);
	}
	return 0;
}

static int add_host(struct ip_limit **limits, unsigned int *n, const char *host, int32_t max,
		    const char **ret_why)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	int err = 0;

	if (getaddrinfo(host, NULL, &hints, &found)) {
		*ret_why = "there is no such host";
		return -EINVAL;
	}
	for (const struct addrinfo *a = found; a && !err; a = a->ai_next) {
		if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
			err = add(limits, n, a->ai_addr, max);
	}
	freeaddrinfo(found);
	return err;
}

/* One "host:count"; an IPv6 address may stand in brackets. */
static int parse_one(const char *text, size_t len, struct ip_limit **limits, unsigned int *n,
		     const char **ret_why)
{
	const char *colon = memrchr(text, ':', len);
	size_t host_len = colon ? (size_t)(colon - text) : 0;
	char host[HOST_MAX + 1], *end;
	long max;

	*ret_why = "it must be host:count,host:count";
	if (!host_len || host_len > HOST_MAX)
		return -EINVAL;
	errno = 0;
	max = strtol(colon + 1, &end, 10);
	if (errno || end == colon + 1 || end != text + len || max < 0 || max > INT32_MAX)
		return -EINVAL;
	if (text[0] == '[' && text[host_len - 1] == ']') {
		text++;
		host_len -= 2;
	}
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	return add_host(limits, n, host, (int32_t)max, ret_why);
}

int ip_limits_parse(const char *text, struct ip_limit **ret_limits, unsigned int *ret_n,
		    const char **ret_why)
{
	struct ip_limit *limits = NULL;
	unsigned int n = 0;
	int err = 0;

	while (!err && *text) {
		size_t len;

		text += strspn(text, " \t,");
		len = strcspn(text, " \t,");
		if (len)
			err = parse_one(text, len, &limits, &n, ret_why);
		text += len;
	}
	if (err) {
		free(limits);
		return err;
	}
	*ret_limits = limits;
	*ret_n = n;
	return 0;
}
