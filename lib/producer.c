// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lib/internal.h"

#define HEADER_KEY_MAX INT16_MAX

struct sluice_producer {
	int fd;
	uint64_t cookie; /* of the last receipt asked for */
	struct sluice__bytes control;
};

SLUICE_API int sluice_producer_open(const char *topic, int32_t partition, sluice_producer **ret)
{
	struct sockaddr_sluice addr;
	sluice_producer *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return sluice__fail(-ENOMEM, "out of memory");
	err = p->fd = sluice__socket();
	if (err < 0)
		goto err_free;
	err = sluice__address(p->fd, topic, partition, &addr);
	if (err)
		goto err_close;
	if (connect(p->fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err = sluice__fail_socket(p->fd, -errno, topic);
		goto err_close;
	}
	*ret = p;
	return 0;

err_close:
	close(p->fd);
err_free:
	free(p);
	return err;
}

SLUICE_API void sluice_producer_close(sluice_producer *p)
{
	if (!p)
		return;
	close(p->fd);
	sluice__bytes_free(&p->control);
	free(p);
}

SLUICE_API int sluice_producer_fd(const sluice_producer *p)
{
	return p->fd;
}

/* Room for one control message of @len bytes; NULL if there is no memory. */
static void *add_control(struct sluice__bytes *control, int type, size_t len)
{
	struct cmsghdr *c;

	if (sluice__bytes_reserve(control, control->len + CMSG_SPACE(len)))
		return NULL;
	c = (struct cmsghdr *)(control->p + control->len);
	memset(c, 0, CMSG_SPACE(len));
	c->cmsg_level = SOL_SLUICE;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	control->len += CMSG_SPACE(len);
	return CMSG_DATA(c);
}

static int add_header(struct sluice__bytes *control, const sluice_header *h)
{
	struct sluice_record_header *to;
	size_t key_len;

	if (!h->key)
		return sluice__fail(-EINVAL, "a header needs a name");
	key_len = strlen(h->key);
	if (key_len > HEADER_KEY_MAX)
		return sluice__fail(-EINVAL, "a header's name has at most %d bytes",
				    HEADER_KEY_MAX);
	if (h->value_len > INT32_MAX || (!h->value && h->value_len))
		return sluice__fail(-EINVAL, "header '%.50s': a value of %zu bytes cannot be",
				    h->key, h->value_len);
	to = add_control(control, SLUICE_CMSG_HEADER, sizeof(*to) + key_len + h->value_len);
	if (!to)
		return sluice__fail(-ENOMEM, "out of memory");
	to->key_len = (int32_t)key_len;
	to->value_len = h->value ? (int32_t)h->value_len : -1;
	memcpy(to->data, h->key, key_len);
	if (h->value_len)
		memcpy(to->data + key_len, h->value, h->value_len);
	return 0;
}

static int fill_control(sluice_producer *p, const sluice_record *r, uint32_t receipt)
{
	struct sluice_receipt_request *request;
	struct sluice_record_info *info;
	uint8_t *key;
	int err;

	if ((!r->key && r->key_len) || (!r->value && r->value_len) || (!r->headers && r->n_headers))
		return sluice__fail(-EINVAL, "a length without bytes");
	if (r->key_len > INT32_MAX || r->value_len > INT32_MAX)
		return sluice__fail(-EMSGSIZE, "a record is smaller than 2 GiB");
	p->control.len = 0;
	info = add_control(&p->control, SLUICE_CMSG_RECORD, sizeof(*info));
	if (!info)
		return sluice__fail(-ENOMEM, "out of memory");
	info->timestamp = r->timestamp ? r->timestamp : -1;
	info->partition = r->partition;
	info->flags = r->value ? 0 : SLUICE_RECORD_NULL_VALUE;
	if (r->key) {
		key = add_control(&p->control, SLUICE_CMSG_KEY, r->key_len);
		if (!key)
			return sluice__fail(-ENOMEM, "out of memory");
		memcpy(key, r->key, r->key_len);
	}
	for (size_t i = 0; i < r->n_headers; i++) {
		err = add_header(&p->control, &r->headers[i]);
		if (err)
			return err;
	}
	if (receipt == SLUICE_RECEIPT_NONE)
		return 0;
	request = add_control(&p->control, SLUICE_CMSG_RECEIPT, sizeof(*request));
	if (!request)
		return sluice__fail(-ENOMEM, "out of memory");
	request->when = receipt;
	request->cookie = ++p->cookie;
	return 0;
}

/* The record is appended by now: no signal ends the wait for its receipt. */
static int wait_receipt(sluice_producer *p, struct sluice_event *ret)
{
	struct iovec iov = {.iov_base = ret, .iov_len = sizeof(*ret)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct pollfd ready = {.fd = p->fd};
	ssize_t n;

	for (;;) {
		n = recvmsg(p->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
		if (n == (ssize_t)sizeof(*ret) && ret->type == SLUICE_EVENT_RECEIPT &&
		    ret->cookie == p->cookie)
			return 0;
		if (n >= 0 || errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return sluice__fail_socket(p->fd, -errno, "waiting for the receipt");
		/* POLLERR, which needs no asking for. */
		if (poll(&ready, 1, -1) < 0 && errno != EINTR)
			return sluice__fail(-errno, "poll: %s", strerror(errno));
	}
}

static int fail_send(const sluice_producer *p, int err)
{
	if (err == -ENOBUFS)
		return sluice__fail(err,
				    "key and headers have %zu bytes, more than the kernel takes as "
				    "control data (sysctl net.core.optmem_max)",
				    p->control.len);
	return sluice__fail_socket(p->fd, err, "send");
}

SLUICE_API int sluice_produce(sluice_producer *p, const sluice_record *r, unsigned int flags,
			      sluice_receipt *receipt)
{
	uint32_t when = flags & SLUICE_DURABLE ? SLUICE_RECEIPT_DURABLE
			: receipt	       ? SLUICE_RECEIPT_APPENDED
					       : SLUICE_RECEIPT_NONE;
	struct iovec iov = {.iov_base = (void *)r->value, .iov_len = r->value_len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct sluice_event event;
	int err;

	if (flags & ~(unsigned int)(SLUICE_DURABLE | SLUICE_MORE))
		return sluice__fail(-EINVAL, "unknown flags %#x", flags);
	if (flags & SLUICE_MORE && when != SLUICE_RECEIPT_NONE)
		return sluice__fail(-EINVAL, "only the last record of a chain has a receipt");
	err = fill_control(p, r, when);
	if (err)
		return err;
	msg.msg_control = p->control.p;
	msg.msg_controllen = p->control.len;
	if (sendmsg(p->fd, &msg, MSG_NOSIGNAL | (flags & SLUICE_MORE ? MSG_MORE : 0)) < 0)
		return fail_send(p, -errno);
	if (when == SLUICE_RECEIPT_NONE)
		return 0;
	err = wait_receipt(p, &event);
	if (err)
		return err;
	if (receipt)
		*receipt = (sluice_receipt){.offset = event.offset,
					    .timestamp = event.timestamp,
					    .partition = event.partition};
	if (event.error)
		return sluice__fail(event.error,
				    "offset %lld of partition %d was appended, but "
				    "could not be made durable: %s",
				    (long long)event.offset, event.partition,
				    strerror(-event.error));
	return 0;
}

SLUICE_API int sluice_producer_flush(sluice_producer *p)
{
	struct sluice_flush flush = {.partition = SLUICE_PARTITION_ANY};

	if (setsockopt(p->fd, SOL_SLUICE, SLUICE_FLUSH, &flush, sizeof(flush)))
		return sluice__fail_socket(p->fd, -errno, "flush");
	return 0;
}

SLUICE_API int sluice_producer_batching(sluice_producer *p, int linger_ms, int batch_bytes)
{
	int32_t linger = linger_ms, bytes = batch_bytes, old;
	socklen_t len = sizeof(old);
	int err;

	if (getsockopt(p->fd, SOL_SLUICE, SLUICE_LINGER, &old, &len) ||
	    setsockopt(p->fd, SOL_SLUICE, SLUICE_LINGER, &linger, sizeof(linger)))
		return sluice__fail_socket(p->fd, -errno, "linger time");
	if (!setsockopt(p->fd, SOL_SLUICE, SLUICE_BATCH_BYTES, &bytes, sizeof(bytes)))
		return 0;
	err = sluice__fail_socket(p->fd, -errno, "batch size");
	/* Both or none. */
	setsockopt(p->fd, SOL_SLUICE, SLUICE_LINGER, &old, sizeof(old));
	return err;
}
