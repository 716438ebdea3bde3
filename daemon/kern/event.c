// SPDX-License-Identifier: Apache-2.0
/*
 * The multicast group of events.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <netlink/genl/ctrl.h>
#include <netlink/msg.h>
#include "daemon/kern/netlink.h"

static int ask_group(struct nl_sock *sock)
{
	return genl_ctrl_resolve_grp(sock, SLUICE_FAMILY_NAME, SLUICE_MCGRP_EVENTS);
}

int kern_subscribe(struct kern *k)
{
	int group = kern_ctrl(ask_group), err;

	if (group < 0)
		return kern_fail(k, -ENOENT, "the sluice module has no events: %s",
				 nl_geterror(group));
	err = nl_socket_add_membership(k->sock, group);
	if (err < 0)
		return kern_fail(k, -EPERM, "cannot subscribe to events: %s", nl_geterror(err));
	return 0;
}

int kern_event_fd(const struct kern *k)
{
	return nl_socket_get_fd(k->sock);
}

static int read_event(struct nlmsghdr *h, struct kern_event *ret)
{
	struct nlattr *attrs[SLUICE_A_EVENT_MAX + 1];
	int err = kern_attrs(h, attrs, SLUICE_A_EVENT_MAX);

	if (err)
		return err;
	memset(ret, 0, sizeof(*ret));
	ret->type = kern_attr_u32(attrs[SLUICE_A_EVENT_TYPE]);
	kern_attr_string(attrs[SLUICE_A_EVENT_DATA_DIR], ret->data_dir, sizeof(ret->data_dir));
	kern_attr_string(attrs[SLUICE_A_EVENT_TOPIC], ret->topic, sizeof(ret->topic));
	kern_attr_id(attrs[SLUICE_A_EVENT_TOPIC_ID], ret->topic_id);
	kern_attr_string(attrs[SLUICE_A_EVENT_REASON], ret->reason, sizeof(ret->reason));
	ret->partition = -1;
	if (attrs[SLUICE_A_EVENT_PARTITION])
		ret->partition = (int32_t)kern_attr_u32(attrs[SLUICE_A_EVENT_PARTITION]);
	ret->base_offset = (int64_t)kern_attr_u64(attrs[SLUICE_A_EVENT_BASE_OFFSET]);
	ret->error = (int)kern_attr_u32(attrs[SLUICE_A_EVENT_ERROR]);
	return 0;
}

int kern_event_next(struct kern *k, struct kern_event *ret)
{
	union {
		struct nlmsghdr h;
		char bytes[KERN_MESSAGE_BYTES_MAX];
	} buf;
	struct sockaddr_nl from;
	socklen_t from_len;
	ssize_t n;
	int err;

	for (;;) {
		from_len = sizeof(from);
		n = recvfrom(kern_event_fd(k), &buf, sizeof(buf), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &from_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			return kern_fail(k, err, "reading events: %s", strerror(-err));
		}
		/* Anybody may send to a netlink socket; only the kernel has port 0. */
		if (from_len != sizeof(from) || from.nl_pid != 0)
			continue;
		if (!nlmsg_ok(&buf.h, (int)n) || buf.h.nlmsg_type != k->family ||
		    !genlmsg_valid_hdr(&buf.h, 0))
			continue;
		if (genlmsg_hdr(&buf.h)->cmd == SLUICE_CMD_EVENT && !read_event(&buf.h, ret))
			return 0;
	}
}
