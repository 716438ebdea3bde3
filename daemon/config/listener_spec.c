// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/listener_spec.h"

static int fail(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EINVAL;
}

static bool copy_upper(char *to, size_t size, const char *from, size_t len)
{
	if (!len || len >= size)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)from[i];

		if (!isalnum(c) && c != '_' && c != '-' && c != '.')
			return false;
		to[i] = (char)toupper(c);
	}
	to[len] = '\0';
	return true;
}

/* Read "host:port", where an IPv6 address stands in brackets. */
static int parse_address(const char *p, size_t len, struct listener_spec *ret, const char **ret_why)
{
	const char *end = p + len;
	const char *host = p;
	const char *colon = memrchr(p, ':', len);
	size_t host_len;
	long port = 0;

	if (!colon || colon + 1 == end)
		return fail(ret_why, "it must end with a port, as in PLAINTEXT://host:9092");
	host_len = (size_t)(colon - p);
	for (const char *c = colon + 1; c < end; c++) {
		if (!isdigit((unsigned char)*c) || port > 65535)
			return fail(ret_why, "the port must be 0 to 65535");
		port = port * 10 + (*c - '0');
	}
	if (port > 65535)
		return fail(ret_why, "the port must be 0 to 65535");
	if (host_len && host[0] == '[') {
		if (host_len < 3 || host[host_len - 1] != ']')
			return fail(ret_why, "the bracket around the IPv6 address does not close");
		host++;
		host_len -= 2;
	} else if (memchr(host, ':', host_len)) {
		return fail(ret_why, "an IPv6 address must stand in brackets");
	}
	if (host_len > LISTENER_HOST_MAX)
		return fail(ret_why, "the host is longer than 253 characters");
	memcpy(ret->host, host, host_len);
	ret->host[host_len] = '\0';
	ret->port = (uint16_t)port;
	return 0;
}

static int parse_one(const char *p, size_t len, struct listener_spec *ret, const char **ret_why)
{
	const char *sep = memmem(p, len, "://", 3);

	if (!sep)
		return fail(ret_why, "it must look like PLAINTEXT://host:9092");
	if (!copy_upper(ret->name, sizeof(ret->name), p, (size_t)(sep - p)))
		return fail(ret_why,
			    "the name before :// is empty, too long, or has odd characters");
	return parse_address(sep + 3, len - (size_t)(sep + 3 - p), ret, ret_why);
}

int listener_specs_parse(const char *text, struct listener_spec *ret_specs, unsigned int *ret_n,
			 const char **ret_why)
{
	const char *at = text;
	unsigned int n = 0;

	while (*at) {
		size_t len = strcspn(at, ",");
		const char *next = at + len + (at[len] == ',');
		int err;

		while (len && isspace((unsigned char)*at)) {
			at++;
			len--;
		}
		while (len && isspace((unsigned char)at[len - 1]))
			len--;
		if (len) {
			if (n == LISTENERS_MAX)
				return fail(ret_why, "there are more than 8 listeners");
			err = parse_one(at, len, &ret_specs[n], ret_why);
			if (err)
				return err;
			n++;
		}
		at = next;
	}
	*ret_n = n;
	return 0;
}

void listener_protocol(const char *map, const char *name, char *ret, size_t size)
{
	size_t name_len = strlen(name);
	const char *found = name;
	size_t len = name_len;

	for (const char *at = map; *at; at += strcspn(at, ","), at += *at == ',') {
		at += strspn(at, " \t");
		if (!strncasecmp(at, name, name_len) && at[name_len] == ':') {
			found = at + name_len + 1;
			len = strcspn(found, ", \t");
		}
	}
	if (len >= size)
		len = size - 1;
	for (size_t i = 0; i < len; i++)
		ret[i] = (char)toupper((unsigned char)found[i]);
	ret[len] = '\0';
}
