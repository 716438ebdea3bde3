/* SPDX-License-Identifier: GPL-2.0 */
/* Control messages: what goes with a record, in both directions. */
#ifndef SLUICE_SOCK_CMSG_H
#define SLUICE_SOCK_CMSG_H

#include <linux/mm.h>

#include "sock.h"

/**
 * struct sluice_send_request - the control messages of one send
 * @partition: SLUICE_PARTITION_ANY unless asked for
 * @timestamp: milliseconds; -1 is now
 * @flags: SLUICE_RECORD_NULL_VALUE or 0
 * @key: in the message's control buffer; length -1: none
 * @key_len: of @key
 * @headers: array of @header_count, or NULL
 * @header_count: of @headers
 * @receipt: when to give a receipt
 */
struct sluice_send_request {
	s32 partition;
	s64 timestamp;
	u32 flags;
	const void *key;
	s32 key_len;
	struct sluice_header_out *headers;
	u32 header_count;
	struct sluice_receipt_request receipt;
};

/** sluice_cmsg_parse_all() - what sluice_cmsg_parse() does where there are some */
int __must_check sluice_cmsg_parse_all(struct sluice_sock *ssk, struct msghdr *msg,
				       struct sluice_send_request *ret);

/**
 * sluice_cmsg_parse() - read the control messages of a send
 * @ret: give it back with sluice_cmsg_release()
 * Inline, because most sends of single records have none.
 * Return: 0, -EINVAL with error text, -ENOMEM.
 */
static inline int __must_check sluice_cmsg_parse(struct sluice_sock *ssk, struct msghdr *msg,
						 struct sluice_send_request *ret)
{
	*ret = (struct sluice_send_request) {
		.partition = SLUICE_PARTITION_ANY,
		.timestamp = -1,
		.key_len = -1,
		.receipt.when = READ_ONCE(ssk->receipts),
	};
	return msg->msg_controllen ? sluice_cmsg_parse_all(ssk, msg, ret) : 0;
}

static inline void sluice_cmsg_release(struct sluice_send_request *req)
{
	if (req->headers)
		kvfree(req->headers);
	req->headers = NULL;
}

/**
 * sluice_cmsg_put_record() - the control messages of the record at hand
 * What does not fit the caller's buffer is cut, with MSG_CTRUNC.
 * Context: lock_sock() held, the cursor settled.
 * Return: 0, -EFAULT, -ENOMEM, or -EBADMSG: a header is malformed.
 */
int __must_check sluice_cmsg_put_record(struct sluice_cursor *c, struct msghdr *msg);

#endif /* SLUICE_SOCK_CMSG_H */
