// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/log/data_socket.h"

/* Elements of one option: below what the module takes, and enough for any usual request. */
#define ARRAY_AT_ONCE 4096

struct data_socket {
	int fd;
	sa_family_t family;
};

int data_socket_open(uint32_t family, struct data_socket **ret_ds)
{
	struct data_socket *ds = malloc(sizeof(*ds));
	int err;

	if (!ds)
		return -ENOMEM;
	ds->family = (sa_family_t)family;
	ds->fd = socket((int)family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ds->fd < 0) {
		err = -errno;
		free(ds);
		return err;
	}
	*ret_ds = ds;
	return 0;
}

void data_socket_close(struct data_socket *ds)
{
	close(ds->fd);
	free(ds);
}

int data_socket_fd(const struct data_socket *ds)
{
	return ds->fd;
}

uint32_t data_socket_poll_events(const struct data_socket *ds)
{
	(void)ds;
	return EPOLLERR;
}

int data_socket_append_as(struct data_socket *ds, uint32_t as)
{
	return setsockopt(ds->fd, SOL_SLUICE, SLUICE_APPEND_AS, &as, sizeof(as)) ? -errno : 0;
}

int data_socket_append(struct data_socket *ds, const uint8_t topic_id[SLUICE_TOPIC_ID_LEN],
		       int32_t partition, const void *batch, size_t len, uint32_t when,
		       uint64_t cookie)
{
	const struct sluice_receipt_request receipt = {.when = when, .cookie = cookie};
	struct sockaddr_sluice addr = {.sl_family = ds->family, .sl_partition = partition};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)batch, .iov_len = len};
	union {
		char buf[CMSG_SPACE(sizeof(receipt))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr msg = {
		.msg_name = &addr,
		.msg_namelen = sizeof(addr),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	memcpy(addr.sl_topic_id, topic_id, sizeof(addr.sl_topic_id));
	if (when != SLUICE_RECEIPT_NONE) {
		struct cmsghdr *cmsg = &control.align;

		cmsg->cmsg_level = SOL_SLUICE;
		cmsg->cmsg_type = SLUICE_CMSG_RECEIPT;
		cmsg->cmsg_len = CMSG_LEN(sizeof(receipt));
		memcpy(CMSG_DATA(cmsg), &receipt, sizeof(receipt));
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
	}
	do {
		n = sendmsg(ds->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int data_socket_events(struct data_socket *ds, struct sluice_event *ret_events, size_t max)
{
	struct iovec iov = {.iov_base = ret_events, .iov_len = max * sizeof(*ret_events)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(ds->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return (int)((size_t)n / sizeof(*ret_events));
}

int data_socket_fetch(struct data_socket *ds, struct sluice_fetch *f, size_t n)
{
	while (n) {
		size_t some = n < ARRAY_AT_ONCE ? n : ARRAY_AT_ONCE;
		socklen_t len = (socklen_t)(some * sizeof(*f));

		if (getsockopt(ds->fd, SOL_SLUICE, SLUICE_FETCH, f, &len))
			return -errno;
		f += some;
		n -= some;
	}
	return 0;
}

int data_socket_flush(struct data_socket *ds, const uint8_t topic_id[SLUICE_TOPIC_ID_LEN],
		      int32_t partition)
{
	struct sluice_flush f = {.partition = partition};

	memcpy(f.topic_id, topic_id, sizeof(f.topic_id));
	return setsockopt(ds->fd, SOL_SLUICE, SLUICE_FLUSH, &f, sizeof(f)) ? -errno : 0;
}

int data_socket_watch(struct data_socket *ds, const struct sluice_watch *w, size_t n)
{
	while (n) {
		size_t some = n < ARRAY_AT_ONCE ? n : ARRAY_AT_ONCE;

		if (setsockopt(ds->fd, SOL_SLUICE, SLUICE_WATCH, w, (socklen_t)(some * sizeof(*w))))
			return -errno;
		w += some;
		n -= some;
	}
	return 0;
}

int data_socket_offset_for_time(struct data_socket *ds, struct sluice_offset_for_time *q)
{
	socklen_t len = sizeof(*q);

	return getsockopt(ds->fd, SOL_SLUICE, SLUICE_OFFSET_FOR_TIME, q, &len) ? -errno : 0;
}

int data_socket_epoch_end(struct data_socket *ds, struct sluice_epoch_end *q)
{
	socklen_t len = sizeof(*q);

	return getsockopt(ds->fd, SOL_SLUICE, SLUICE_EPOCH_END, q, &len) ? -errno : 0;
}

int data_socket_max_timestamp(struct data_socket *ds, struct sluice_offset_for_time *q)
{
	socklen_t len = sizeof(*q);

	return getsockopt(ds->fd, SOL_SLUICE, SLUICE_MAX_TIMESTAMP, q, &len) ? -errno : 0;
}

int data_socket_aborted(struct data_socket *ds, struct sluice_aborted_list *list, uint32_t room)
{
	socklen_t len = (socklen_t)(sizeof(*list) + room * sizeof(list->txns[0]));

	if (getsockopt(ds->fd, SOL_SLUICE, SLUICE_ABORTED, list, &len))
		return -errno;
	return (int)((len - sizeof(*list)) / sizeof(list->txns[0]));
}

int data_socket_active_producers(struct data_socket *ds, struct sluice_active_producers *list,
				 uint32_t room)
{
	socklen_t len = (socklen_t)(sizeof(*list) + room * sizeof(list->producers[0]));

	if (getsockopt(ds->fd, SOL_SLUICE, SLUICE_ACTIVE_PRODUCERS, list, &len))
		return -errno;
	return (int)((len - sizeof(*list)) / sizeof(list->producers[0]));
}

void data_socket_error_text(struct data_socket *ds, char *buf, size_t size)
{
	socklen_t len = (socklen_t)(size - 1);

	memset(buf, 0, size);
	if (getsockopt(ds->fd, SOL_SLUICE, SLUICE_ERROR_TEXT, buf, &len))
		buf[0] = '\0';
}
