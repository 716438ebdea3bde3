// SPDX-License-Identifier: GPL-2.0
#include "partition.h"
#include "sock_cmsg.h"

#include <linux/mm.h>
#include <linux/slab.h>

static int parse_record(struct sluice_sock *ssk, const struct cmsghdr *cmsg, size_t len,
			struct sluice_send_request *req)
{
	struct sluice_record_info info;

	if (len != sizeof(info))
		return sluice_sock_fail(ssk, -EINVAL, "SLUICE_CMSG_RECORD of %zu bytes", len);
	memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
	if (info.reserved || info.flags & ~SLUICE_RECORD_NULL_VALUE)
		return sluice_sock_fail(ssk, -EINVAL, "a flag or reserved field is set");
	if (info.timestamp < -1)
		return sluice_sock_fail(ssk, -EINVAL, "timestamp %lld cannot be", info.timestamp);
	if (info.partition < SLUICE_PARTITION_ANY)
		return sluice_sock_fail(ssk, -EINVAL, "partition %d cannot be", info.partition);
	req->partition = info.partition;
	req->timestamp = info.timestamp;
	req->flags = info.flags;
	return 0;
}

static int parse_header(struct sluice_sock *ssk, const struct cmsghdr *cmsg, size_t len,
			struct sluice_header_out *h)
{
	const struct sluice_record_header *in = (const void *)CMSG_DATA(cmsg);
	s32 key_len, value_len;
	size_t room;

	if (len < sizeof(*in))
		return sluice_sock_fail(ssk, -EINVAL, "SLUICE_CMSG_HEADER of %zu bytes", len);
	room = len - sizeof(*in);
	key_len = in->key_len;
	value_len = in->value_len;
	if (key_len < 0 || key_len > S16_MAX || value_len < -1 || key_len > room ||
	    (size_t)max(value_len, 0) != room - key_len)
		return sluice_sock_fail(ssk, -EINVAL, "a header's lengths do not fit its message");
	h->key = in->data;
	h->key_len = key_len;
	h->value = value_len < 0 ? NULL : in->data + key_len;
	h->value_len = value_len;
	return 0;
}

static int parse_receipt(struct sluice_sock *ssk, const struct cmsghdr *cmsg, size_t len,
			 struct sluice_send_request *req)
{
	if (len != sizeof(req->receipt))
		return sluice_sock_fail(ssk, -EINVAL, "SLUICE_CMSG_RECEIPT of %zu bytes", len);
	memcpy(&req->receipt, CMSG_DATA(cmsg), sizeof(req->receipt));
	if (req->receipt.when > SLUICE_RECEIPT_DURABLE || req->receipt.reserved)
		return sluice_sock_fail(ssk, -EINVAL, "a field of SLUICE_CMSG_RECEIPT is wrong");
	return 0;
}

/* One message; @seen says which of those that come once were there. */
static int parse_one(struct sluice_sock *ssk, struct cmsghdr *cmsg,
		     struct sluice_send_request *req, u32 *header_count, unsigned long *seen)
{
	size_t len = cmsg->cmsg_len - sizeof(*cmsg);

	if (cmsg->cmsg_level != SOL_SLUICE || cmsg->cmsg_type < SLUICE_CMSG_RECORD ||
	    cmsg->cmsg_type > SLUICE_CMSG_RECEIPT)
		return sluice_sock_fail(ssk, -EINVAL, "unknown control message %d of level %d",
					cmsg->cmsg_type, cmsg->cmsg_level);
	if (cmsg->cmsg_type == SLUICE_CMSG_HEADER) {
		/* The first pass only counts. */
		if (!req->headers) {
			(*header_count)++;
			return 0;
		}
		return parse_header(ssk, cmsg, len, &req->headers[req->header_count++]);
	}
	if (req->headers)
		return 0;
	if (*seen & BIT(cmsg->cmsg_type))
		return sluice_sock_fail(ssk, -EINVAL, "control message %d is there twice",
					cmsg->cmsg_type);
	*seen |= BIT(cmsg->cmsg_type);
	if (cmsg->cmsg_type == SLUICE_CMSG_RECORD)
		return parse_record(ssk, cmsg, len, req);
	if (cmsg->cmsg_type == SLUICE_CMSG_RECEIPT)
		return parse_receipt(ssk, cmsg, len, req);
	req->key = CMSG_DATA(cmsg);
	req->key_len = len;
	return 0;
}

static int parse_all(struct sluice_sock *ssk, struct msghdr *msg,
		     struct sluice_send_request *req, u32 *header_count)
{
	unsigned long seen = 0;
	struct cmsghdr *cmsg;
	int err;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return sluice_sock_fail(ssk, -EINVAL, "a control message ends too late");
		err = parse_one(ssk, cmsg, req, header_count, &seen);
		if (err)
			return err;
	}
	return 0;
}

int sluice_cmsg_parse_all(struct sluice_sock *ssk, struct msghdr *msg,
			  struct sluice_send_request *ret)
{
	u32 header_count = 0;
	int err;

	err = parse_all(ssk, msg, ret, &header_count);
	if (err || !header_count)
		return err;

	/* Bounded by what the core takes as control data (optmem_max). */
	ret->headers = kvcalloc(header_count, sizeof(*ret->headers), GFP_KERNEL_ACCOUNT);
	if (!ret->headers)
		return -ENOMEM;
	err = parse_all(ssk, msg, ret, &header_count);
	if (err)
		sluice_cmsg_release(ret);
	return err;
}

/* A record's part on its way into a control message. */
struct part {
	u64 pos;
	s32 len;
};

/*
 * Put a message made of @prefix and up to two parts of the record. No more is read
 * than the caller has room for.
 */
static int put_parts(struct sluice_cursor *c, struct msghdr *msg, int type, const void *prefix,
		     size_t prefix_len, const struct part *parts, int count)
{
	size_t total = prefix_len, room, filled;
	u8 *buf;
	int i, err = 0;

	for (i = 0; i < count; i++)
		total += max(parts[i].len, 0);
	if (total > SLUICE_SOCK_CMSG_MAX || msg->msg_controllen < sizeof(struct cmsghdr)) {
		msg->msg_flags |= MSG_CTRUNC;
		return 0;
	}
	/* put_cmsg() copies at most what fits, which is less than this. */
	room = min_t(size_t, total, msg->msg_controllen);
	buf = kvmalloc(room + 1, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;

	filled = min(room, prefix_len);
	if (filled)
		memcpy(buf, prefix, filled);
	for (i = 0; i < count && filled < room; i++) {
		size_t n = min_t(size_t, room - filled, max(parts[i].len, 0));
		ssize_t got = sluice_cursor_read(c, parts[i].pos, buf + filled, n);

		if (got < 0 || (size_t)got < n) {
			err = got < 0 ? got : -EIO;
			goto out;
		}
		filled += n;
	}
	err = put_cmsg(msg, SOL_SLUICE, type, total, buf);
out:
	kvfree(buf);
	return err;
}

static int put_headers(struct sluice_cursor *c, struct msghdr *msg)
{
	const struct sluice_record *r = &c->at.record;
	u64 pos = r->headers_pos;
	u32 i;

	/* As many headers as the record says, if it has the bytes for them. */
	for (i = 0; i < r->header_count && !(msg->msg_flags & MSG_CTRUNC); i++) {
		struct sluice_record_header prefix;
		struct sluice_record_part h;
		struct part parts[2];
		int err;

		err = sluice_cursor_header_read(c, pos, &h);
		if (err)
			return err;
		prefix.key_len = h.key_len;
		prefix.value_len = h.value_len;
		parts[0].pos = h.key_pos;
		parts[0].len = h.key_len;
		parts[1].pos = h.value_pos;
		parts[1].len = h.value_len;
		err = put_parts(c, msg, SLUICE_CMSG_HEADER, &prefix, sizeof(prefix), parts, 2);
		if (err)
			return err;
		pos = h.end;
	}
	return 0;
}

static void record_info(const struct sluice_cursor *c, struct sluice_record_info *info)
{
	const struct sluice_batch *b = &c->at.batch;
	const struct sluice_record *r = &c->at.record;

	memset(info, 0, sizeof(*info));
	info->offset = sluice_cursor_record_offset(c);
	info->partition = c->p->index;
	info->leader_epoch = b->leader_epoch;
	memcpy(info->topic_id, c->p->topic->id, sizeof(info->topic_id));
	if (b->attributes & SLUICE_BATCH_LOG_APPEND_TIME)
		info->flags |= SLUICE_RECORD_LOG_APPEND_TIME;
	if (b->attributes & SLUICE_BATCH_COMPRESSION_MASK) {
		info->flags |= SLUICE_RECORD_BATCH;
		info->timestamp = b->max_timestamp;
		if (sluice_cursor_is_sought(c)) {
			info->flags |= SLUICE_RECORD_SOUGHT;
			info->timestamp = c->sought_time;
		}
		return;
	}
	/* Unsigned: a hostile file may make the sum wrap. */
	info->timestamp = (s64)((u64)b->base_timestamp + (u64)r->timestamp_delta);
	if (b->attributes & SLUICE_BATCH_LOG_APPEND_TIME)
		info->timestamp = b->max_timestamp;
	if (r->value_len < 0)
		info->flags |= SLUICE_RECORD_NULL_VALUE;
}

int sluice_cmsg_put_record(struct sluice_cursor *c, struct msghdr *msg)
{
	const struct sluice_record *r = &c->at.record;
	struct sluice_record_info info;
	int err;

	record_info(c, &info);
	err = put_cmsg(msg, SOL_SLUICE, SLUICE_CMSG_RECORD, sizeof(info), &info);
	if (err || info.flags & SLUICE_RECORD_BATCH)
		return err;
	if (r->key_len >= 0) {
		struct part key = { .pos = r->key_pos, .len = r->key_len };

		err = put_parts(c, msg, SLUICE_CMSG_KEY, NULL, 0, &key, 1);
		if (err)
			return err;
	}
	return put_headers(c, msg);
}
