// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/netlink/nl.h"
#include "tests/socket/harness.h"

#define GENL_HDRLEN_ALL (NLMSG_HDRLEN + GENL_HDRLEN)

static void parse(struct nl_attrs *a, const void *data, size_t len)
{
	const char *p = data;

	memset(a, 0, sizeof(*a));
	while (len >= NLA_HDRLEN) {
		const struct nlattr *nla = (const struct nlattr *)p;
		size_t step = NLA_ALIGN(nla->nla_len);

		if (nla->nla_len < NLA_HDRLEN || nla->nla_len > len)
			die("an answer has a broken attribute");
		if ((nla->nla_type & NLA_TYPE_MASK) < NL_ATTRS_MAX)
			a->attr[nla->nla_type & NLA_TYPE_MASK] = nla;
		if (step >= len)
			break;
		p += step;
		len -= step;
	}
}

static const void *nla_bytes(const struct nlattr *nla)
{
	return (const char *)nla + NLA_HDRLEN;
}

uint32_t nl_u32(const struct nl_attrs *a, int type)
{
	uint32_t v = UINT32_MAX;

	if (a->attr[type] && a->attr[type]->nla_len == NLA_HDRLEN + sizeof(v))
		memcpy(&v, nla_bytes(a->attr[type]), sizeof(v));
	return v;
}

uint64_t nl_u64(const struct nl_attrs *a, int type)
{
	uint64_t v = UINT64_MAX;

	if (a->attr[type] && a->attr[type]->nla_len == NLA_HDRLEN + sizeof(v))
		memcpy(&v, nla_bytes(a->attr[type]), sizeof(v));
	return v;
}

const char *nl_string(const struct nl_attrs *a, int type)
{
	return a->attr[type] ? nla_bytes(a->attr[type]) : "";
}

void nl_nested(const struct nl_attrs *a, int type, struct nl_attrs *ret)
{
	const struct nlattr *nla = a->attr[type];

	memset(ret, 0, sizeof(*ret));
	if (nla)
		parse(ret, nla_bytes(nla), nla->nla_len - NLA_HDRLEN);
}

static void begin(struct nl *nl, struct nl_msg *m, uint16_t type, uint8_t cmd)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->buf;
	struct genlmsghdr *genl = (struct genlmsghdr *)(m->buf + NLMSG_HDRLEN);

	memset(m->buf, 0, GENL_HDRLEN_ALL);
	m->len = GENL_HDRLEN_ALL;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++nl->seq;
	genl->cmd = cmd;
	genl->version = SLUICE_FAMILY_VERSION;
}

void nl_new(struct nl *nl, struct nl_msg *m, int cmd)
{
	begin(nl, m, nl->family, (uint8_t)cmd);
}

void nl_put(struct nl_msg *m, int type, const void *data, size_t len)
{
	struct nlattr *nla = (struct nlattr *)(m->buf + m->len);

	if (m->len + NLA_HDRLEN + NLA_ALIGN(len) > sizeof(m->buf))
		die("a request is too long");
	memset(nla, 0, NLA_HDRLEN + NLA_ALIGN(len));
	nla->nla_type = (uint16_t)type;
	nla->nla_len = (uint16_t)(NLA_HDRLEN + len);
	if (len)
		memcpy(m->buf + m->len + NLA_HDRLEN, data, len);
	m->len += NLA_HDRLEN + NLA_ALIGN(len);
}

void nl_put_string(struct nl_msg *m, int type, const char *s)
{
	nl_put(m, type, s, strlen(s) + 1);
}

void nl_put_u32(struct nl_msg *m, int type, uint32_t value)
{
	nl_put(m, type, &value, sizeof(value));
}

void nl_put_u64(struct nl_msg *m, int type, uint64_t value)
{
	nl_put(m, type, &value, sizeof(value));
}

size_t nl_nest(struct nl_msg *m, int type)
{
	size_t nest = m->len;

	nl_put(m, type | NLA_F_NESTED, NULL, 0);
	return nest;
}

void nl_nest_end(struct nl_msg *m, size_t nest)
{
	((struct nlattr *)(m->buf + nest))->nla_len = (uint16_t)(m->len - nest);
}

static void send_msg(struct nl *nl, struct nl_msg *m)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->buf;

	nlh->nlmsg_len = (uint32_t)m->len;
	nl->why[0] = '\0';
	if (send(nl->fd, m->buf, m->len, 0) != (ssize_t)m->len)
		die("netlink send: %s", strerror(errno));
}

/* The ack of a refusal: the error, the request (unless capped), attributes. */
static int read_error(struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = (const struct nlmsgerr *)((const char *)nlh + NLMSG_HDRLEN);
	size_t skip = NLMSG_HDRLEN + sizeof(*e);
	struct nl_attrs a;

	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
		parse(&a, (const char *)nlh + skip, nlh->nlmsg_len - skip);
		snprintf(nl->why, sizeof(nl->why), "%s", nl_string(&a, NLMSGERR_ATTR_MSG));
	}
	errno = -e->error;
	return e->error ? -1 : 0;
}

/* What ends a dump carries its error, and attributes behind it. */
static int read_done(struct nl *nl, const struct nlmsghdr *nlh, int count)
{
	int error = 0;
	struct nl_attrs a;

	memcpy(&error, (const char *)nlh + NLMSG_HDRLEN, sizeof(error));
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
		size_t skip = NLMSG_HDRLEN + sizeof(error);

		parse(&a, (const char *)nlh + skip, nlh->nlmsg_len - skip);
		snprintf(nl->why, sizeof(nl->why), "%s", nl_string(&a, NLMSGERR_ATTR_MSG));
	}
	errno = -error;
	return error ? -1 : count;
}

static int receive(struct nl *nl, void (*fn)(void *ctx, const struct nl_attrs *a), void *ctx)
{
	static _Alignas(8) char buf[65536];
	struct nl_attrs a;
	int count = 0;

	for (;;) {
		ssize_t n = recv(nl->fd, buf, sizeof(buf), 0);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;

		if (n < 0)
			die("netlink receive: %s", strerror(errno));
		for (; n >= (ssize_t)sizeof(*nlh) && nlh->nlmsg_len <= (size_t)n;) {
			size_t step = NLMSG_ALIGN(nlh->nlmsg_len);

			if (nlh->nlmsg_seq != nl->seq)
				goto next;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return read_error(nl, nlh);
			if (nlh->nlmsg_type == NLMSG_DONE)
				return read_done(nl, nlh, count);
			parse(&a, (const char *)nlh + GENL_HDRLEN_ALL,
			      nlh->nlmsg_len - GENL_HDRLEN_ALL);
			count++;
			if (fn)
				fn(ctx, &a);
next:
			n -= (ssize_t)step;
			nlh = (const struct nlmsghdr *)((const char *)nlh + step);
		}
	}
}

int nl_do(struct nl *nl, struct nl_msg *m)
{
	send_msg(nl, m);
	return receive(nl, NULL, NULL);
}

int nl_get(struct nl *nl, struct nl_msg *m, void (*fn)(void *ctx, const struct nl_attrs *a),
	   void *ctx)
{
	send_msg(nl, m);
	return receive(nl, fn, ctx);
}

int nl_dump(struct nl *nl, struct nl_msg *m, void (*fn)(void *ctx, const struct nl_attrs *a),
	    void *ctx)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->buf;

	nlh->nlmsg_flags |= NLM_F_DUMP;
	send_msg(nl, m);
	return receive(nl, fn, ctx);
}

static void read_family(void *ctx, const struct nl_attrs *a)
{
	struct nl *nl = ctx;
	const struct nlattr *groups = a->attr[CTRL_ATTR_MCAST_GROUPS];
	struct nl_attrs list, group;

	memcpy(&nl->family, nla_bytes(a->attr[CTRL_ATTR_FAMILY_ID]), sizeof(nl->family));
	if (!groups)
		return;
	parse(&list, nla_bytes(groups), groups->nla_len - NLA_HDRLEN);
	for (int i = 0; i < NL_ATTRS_MAX; i++) {
		if (!list.attr[i])
			continue;
		parse(&group, nla_bytes(list.attr[i]), list.attr[i]->nla_len - NLA_HDRLEN);
		if (!strcmp(nl_string(&group, CTRL_ATTR_MCAST_GRP_NAME), SLUICE_MCGRP_EVENTS))
			nl->group = nl_u32(&group, CTRL_ATTR_MCAST_GRP_ID);
	}
}

void nl_open(struct nl *nl)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK};
	struct nl_msg m;
	int one = 1;

	memset(nl, 0, sizeof(*nl));
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (nl->fd < 0 || bind(nl->fd, (struct sockaddr *)&sa, sizeof(sa)))
		die("netlink: %s", strerror(errno));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	begin(nl, &m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	nl_put_string(&m, CTRL_ATTR_FAMILY_NAME, SLUICE_FAMILY_NAME);
	if (nl_get(nl, &m, read_family, nl))
		die("no netlink family %s: %s", SLUICE_FAMILY_NAME, strerror(errno));
}

void nl_close(struct nl *nl)
{
	close(nl->fd);
}

void nl_partition(struct nl *nl, struct nl_msg *m, int cmd, const char *topic)
{
	nl_new(nl, m, cmd);
	nl_put_string(m, SLUICE_A_PARTITION_TOPIC, topic);
	nl_put_u32(m, SLUICE_A_PARTITION_INDEX, 0);
}

int nl_partition_get(struct nl *nl, const char *topic,
		     void (*fn)(void *ctx, const struct nl_attrs *a), void *ctx)
{
	struct nl_msg m;

	nl_partition(nl, &m, SLUICE_CMD_PARTITION_GET, topic);
	return nl_get(nl, &m, fn, ctx);
}

int nl_listen(struct nl *nl)
{
	return setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &nl->group,
			  sizeof(nl->group));
}

int nl_event(struct nl *nl, int ms, void (*fn)(void *ctx, const struct nl_attrs *a), void *ctx)
{
	static _Alignas(8) char buf[65536];
	struct pollfd pfd = {.fd = nl->fd, .events = POLLIN};
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	struct nl_attrs a;

	if (poll(&pfd, 1, ms) <= 0)
		return 0;
	if (recv(nl->fd, buf, sizeof(buf), 0) < (ssize_t)GENL_HDRLEN_ALL)
		die("an event is too short");
	parse(&a, buf + GENL_HDRLEN_ALL, nlh->nlmsg_len - GENL_HDRLEN_ALL);
	fn(ctx, &a);
	return 1;
}

int nl_attach_as(struct nl *nl, const char *dir, const char *path)
{
	int fd = open(dir, O_RDONLY | O_CLOEXEC), ret, error;
	struct nl_msg m;

	if (fd < 0)
		die("%s: %s", dir, strerror(errno));
	nl_new(nl, &m, SLUICE_CMD_DATA_DIR_ATTACH);
	nl_put_string(&m, SLUICE_A_DATA_DIR_PATH, path);
	nl_put_u32(&m, SLUICE_A_DATA_DIR_FD, (uint32_t)fd);
	ret = nl_do(nl, &m);
	error = errno;
	close(fd);
	errno = error;
	return ret;
}

int nl_attach(struct nl *nl, const char *path)
{
	return nl_attach_as(nl, path, path);
}

int nl_detach(struct nl *nl, const char *path)
{
	struct nl_msg m;

	nl_new(nl, &m, SLUICE_CMD_DATA_DIR_DETACH);
	nl_put_string(&m, SLUICE_A_DATA_DIR_PATH, path);
	return nl_do(nl, &m);
}

int nl_topic_create(struct nl *nl, const char *name, const void *id, const char *data_dir,
		    uint32_t partitions)
{
	struct nl_msg m;

	nl_new(nl, &m, SLUICE_CMD_TOPIC_CREATE);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, name);
	nl_put(&m, SLUICE_A_TOPIC_ID, id, SLUICE_TOPIC_ID_LEN);
	nl_put_string(&m, SLUICE_A_TOPIC_DATA_DIR, data_dir);
	nl_put_u32(&m, SLUICE_A_TOPIC_PARTITION_COUNT, partitions);
	return nl_do(nl, &m);
}

int nl_topic_delete(struct nl *nl, const char *name)
{
	struct nl_msg m;

	nl_new(nl, &m, SLUICE_CMD_TOPIC_DELETE);
	nl_put_string(&m, SLUICE_A_TOPIC_NAME, name);
	return nl_do(nl, &m);
}

static void read_number(void *ctx, const struct nl_attrs *a)
{
	*(uint32_t *)ctx = nl_u32(a, SLUICE_A_INFO_FAMILY);
}

int nl_socket(struct nl *nl, const char *topic, bool produce)
{
	struct sockaddr_sluice sa = {.sl_partition = SLUICE_PARTITION_ANY};
	uint32_t family = 0;
	struct nl_msg m;
	int fd, ret;

	nl_new(nl, &m, SLUICE_CMD_INFO_GET);
	if (nl_get(nl, &m, read_number, &family))
		return -1;
	fd = socket((int)family, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	sa.sl_family = (__kernel_sa_family_t)family;
	snprintf(sa.sl_topic, sizeof(sa.sl_topic), "%s", topic);
	ret = produce ? connect(fd, (struct sockaddr *)&sa, sizeof(sa))
		      : bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	if (ret) {
		close(fd);
		return -1;
	}
	return fd;
}

static char base[PATH_MAX / 2];
static pid_t base_owner;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_base(void)
{
	if (getpid() == base_owner)
		nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *nl_dir(void)
{
	static char dirs[16][PATH_MAX];
	static unsigned int count;
	const char *top = getenv("SLUICE_TEST_DIR");
	char *dir = dirs[count % ARRAY_LEN(dirs)];

	if (!top)
		top = "/data/selftest";
	if (!base[0]) {
		mkdir(top, 0755);
		snprintf(base, sizeof(base), "%s/netlink.%d", top, getpid());
		if (mkdir(base, 0755))
			die("%s: %s", base, strerror(errno));
		base_owner = getpid();
		atexit(remove_base);
	}
	snprintf(dir, PATH_MAX, "%s/%u", base, count++);
	if (mkdir(dir, 0755))
		die("%s: %s", dir, strerror(errno));
	return dir;
}

void nl_partition_dirs(const char *dir, const char *name, uint32_t from, uint32_t to)
{
	char path[PATH_MAX];

	for (uint32_t i = from; i < to; i++) {
		snprintf(path, sizeof(path), "%s/%s-%u", dir, name, i);
		if (mkdir(path, 0755))
			die("%s: %s", path, strerror(errno));
	}
}
