// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/net/listener.h"

static int bind_and_listen(const struct sockaddr *addr, socklen_t len, int backlog)
{
	const int on = 1;
	const int off = 0;
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	/* Restarting must not wait for connections of the one before to time out. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, addr, len) || listen(fd, backlog)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* All addresses: both families on one socket, or IPv4 alone where there is no IPv6. */
static int open_any(uint16_t port, int backlog)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = bind_and_listen((struct sockaddr *)&v6, sizeof(v6), backlog);

	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
		fd = bind_and_listen((struct sockaddr *)&v4, sizeof(v4), backlog);
	return fd;
}

static int open_host(const struct listener_spec *spec, int backlog, const char **ret_text)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found;
	char port[8];
	int fd;
	int ret;

	snprintf(port, sizeof(port), "%u", spec->port);
	ret = getaddrinfo(spec->host, port, &hints, &found);
	if (ret) {
		*ret_text = gai_strerror(ret);
		return -EADDRNOTAVAIL;
	}
	fd = bind_and_listen(found->ai_addr, found->ai_addrlen, backlog);
	freeaddrinfo(found);
	return fd;
}

static void read_port(int fd, struct listener_spec *spec)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} addr = {0};
	socklen_t len = sizeof(addr);

	if (getsockname(fd, &addr.any, &len))
		return;
	spec->port = ntohs(addr.any.sa_family == AF_INET6 ? addr.v6.sin6_port : addr.v4.sin_port);
}

static void explain(const struct listener_spec *spec, int err, const char *text, char *why,
		    size_t size)
{
	const char *host = spec->host[0] ? spec->host : "*";

	switch (err) {
	case -EADDRINUSE:
		snprintf(why, size,
			 "port %u is taken on %s: stop what listens there (ss -ltnp 'sport = %u' "
			 "names it) or set another port in listeners",
			 spec->port, host, spec->port);
		break;
	case -EACCES:
		snprintf(why, size,
			 "port %u on %s needs more rights: ports below 1024 are for root; set "
			 "another port in listeners",
			 spec->port, host);
		break;
	default:
		snprintf(why, size, "cannot listen on %s:%u: %s; see listeners", host, spec->port,
			 text ? text : strerror(-err));
	}
}

int listener_open(const struct listener_spec *spec, int backlog, struct listener *ret_listener,
		  char *why, size_t size)
{
	const char *text = NULL;
	int fd = spec->host[0] ? open_host(spec, backlog, &text) : open_any(spec->port, backlog);

	if (fd < 0) {
		explain(spec, fd, text, why, size);
		return fd;
	}
	ret_listener->fd = fd;
	ret_listener->spec = *spec;
	read_port(fd, &ret_listener->spec);
	return 0;
}

void listener_close(struct listener *l)
{
	close(l->fd);
	l->fd = -1;
}
