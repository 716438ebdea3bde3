// SPDX-License-Identifier: Apache-2.0
/*
 * Reading the attributes of an answer without trusting their lengths.
 */
#include <errno.h>
#include <string.h>
#include <netlink/msg.h>
#include "daemon/kern/netlink.h"

int kern_attrs(struct nlmsghdr *h, struct nlattr **attrs, int max)
{
	return genlmsg_parse(h, 0, attrs, max, NULL) < 0 ? -EPROTO : 0;
}

uint32_t kern_attr_u32(const struct nlattr *a)
{
	uint32_t v = 0;

	if (a && nla_len(a) >= (int)sizeof(v))
		memcpy(&v, nla_data(a), sizeof(v));
	return v;
}

uint64_t kern_attr_u64(const struct nlattr *a)
{
	uint64_t v = 0;

	if (a && nla_len(a) >= (int)sizeof(v))
		memcpy(&v, nla_data(a), sizeof(v));
	return v;
}

void kern_attr_string(const struct nlattr *a, char *buf, size_t size)
{
	size_t len;

	buf[0] = '\0';
	if (!a)
		return;
	len = strnlen(nla_data(a), nla_len(a));
	if (len >= size)
		len = size - 1;
	memcpy(buf, nla_data(a), len);
	buf[len] = '\0';
}

void kern_attr_id(const struct nlattr *a, uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	memset(id, 0, SLUICE_TOPIC_ID_LEN);
	if (a && nla_len(a) == SLUICE_TOPIC_ID_LEN)
		memcpy(id, nla_data(a), SLUICE_TOPIC_ID_LEN);
}
