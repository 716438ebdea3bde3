// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

int family(void)
{
	static int number;
	FILE *f;

	if (number)
		return number;
	f = fopen("/sys/module/sluice/parameters/family", "re");
	if (!f || fscanf(f, "%d", &number) != 1)
		die("the module is not loaded");
	fclose(f);
	return number;
}

int open_socket(int type)
{
	int fd = socket(family(), type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	return fd;
}

struct sockaddr_sluice address(const struct topic *t, int partition)
{
	struct sockaddr_sluice addr = {.sl_family = family(), .sl_partition = partition};

	if (strlen(t->name) <= SLUICE_ADDR_TOPIC_MAX)
		snprintf(addr.sl_topic, sizeof(addr.sl_topic), "%s", t->name);
	else
		memcpy(addr.sl_topic_id, t->id, sizeof(addr.sl_topic_id));
	return addr;
}

int bind_topic(int fd, const struct topic *t, int partition)
{
	struct sockaddr_sluice addr = address(t, partition);

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr));
}

int connect_topic(int fd, const struct topic *t, int partition)
{
	struct sockaddr_sluice addr = address(t, partition);

	return connect(fd, (struct sockaddr *)&addr, sizeof(addr));
}

int consumer(int type, const struct topic *t, int partition, int64_t start)
{
	int fd = open_socket(type);

	if (set_option(fd, SLUICE_START, &start, sizeof(start)))
		die("SLUICE_START: %s", strerror(errno));
	if (bind_topic(fd, t, partition))
		die("bind: %s: %s", strerror(errno), error_text(fd));
	return fd;
}

int producer(int type, const struct topic *t, int partition)
{
	int fd = open_socket(type);

	if (connect_topic(fd, t, partition))
		die("connect: %s: %s", strerror(errno), error_text(fd));
	return fd;
}

const char *error_text(int fd)
{
	static char text[200];
	socklen_t len = sizeof(text);

	if (getsockopt(fd, SOL_SLUICE, SLUICE_ERROR_TEXT, text, &len))
		return "?";
	return text;
}

/* Append a control message; the buffers here are large enough for all tests. */
static void put(struct msghdr *msg, int type, const void *a, size_t a_len, const void *b,
		size_t b_len, const void *c, size_t c_len)
{
	struct cmsghdr *cmsg = (void *)((char *)msg->msg_control + msg->msg_controllen);
	unsigned char *data = CMSG_DATA(cmsg);

	cmsg->cmsg_level = SOL_SLUICE;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(a_len + b_len + c_len);
	memcpy(data, a, a_len);
	if (b_len)
		memcpy(data + a_len, b, b_len);
	if (c_len)
		memcpy(data + a_len + b_len, c, c_len);
	msg->msg_controllen += CMSG_SPACE(a_len + b_len + c_len);
}

ssize_t send_record(int fd, const struct record *r, int flags)
{
	static _Thread_local char control[1 << 17] __attribute__((aligned(8)));
	struct iovec iov = {.iov_base = (void *)r->value, .iov_len = r->value ? r->value_len : 0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	struct sluice_record_info info = {
		.timestamp = r->timestamp ? r->timestamp : -1,
		.partition = r->partition - 1,
		.flags = r->value ? 0 : SLUICE_RECORD_NULL_VALUE,
	};

	if (r->timestamp || r->partition || !r->value)
		put(&msg, SLUICE_CMSG_RECORD, &info, sizeof(info), NULL, 0, NULL, 0);
	if (r->key)
		put(&msg, SLUICE_CMSG_KEY, r->key, r->key_len, NULL, 0, NULL, 0);
	for (size_t i = 0; i < r->n_headers; i++) {
		const struct header *h = &r->headers[i];
		struct sluice_record_header prefix = {.key_len = h->key_len,
						      .value_len = h->value_len};

		put(&msg, SLUICE_CMSG_HEADER, &prefix, sizeof(prefix), h->key, (size_t)h->key_len,
		    h->value, h->value_len > 0 ? (size_t)h->value_len : 0);
	}
	if (r->receipt)
		put(&msg, SLUICE_CMSG_RECEIPT, r->receipt, sizeof(*r->receipt), NULL, 0, NULL, 0);
	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
}

ssize_t send_text(int fd, const char *text)
{
	return send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void take_header(struct got *got, const struct cmsghdr *cmsg)
{
	const struct sluice_record_header *h = (const void *)CMSG_DATA(cmsg);
	size_t len = cmsg->cmsg_len - CMSG_LEN(sizeof(*h));

	if (got->n_headers == GOT_HEADERS_MAX || cmsg->cmsg_len < CMSG_LEN(sizeof(*h)))
		return;
	got->headers[got->n_headers].key_len = h->key_len;
	got->headers[got->n_headers].value_len = h->value_len;
	if (len > sizeof(got->headers[0].data))
		len = sizeof(got->headers[0].data);
	memcpy(got->headers[got->n_headers].data, h->data, len);
	got->n_headers++;
}

static void take(struct got *got, const struct cmsghdr *cmsg)
{
	size_t len = cmsg->cmsg_len - CMSG_LEN(0);

	if (cmsg->cmsg_level != SOL_SLUICE)
		return;
	switch (cmsg->cmsg_type) {
	case SLUICE_CMSG_RECORD:
		got->has_info = len == sizeof(got->info);
		memcpy(&got->info, CMSG_DATA(cmsg), sizeof(got->info));
		break;
	case SLUICE_CMSG_KEY:
		got->has_key = true;
		got->key_len = len;
		memcpy(got->key, CMSG_DATA(cmsg), len < sizeof(got->key) ? len : sizeof(got->key));
		break;
	case SLUICE_CMSG_HEADER: take_header(got, cmsg); break;
	default: break;
	}
}

ssize_t receive_sized(int fd, struct got *got, int flags, size_t value_room, size_t control_room)
{
	static _Thread_local char control[1 << 18] __attribute__((aligned(8)));
	struct iovec iov = {.iov_base = got->value, .iov_len = value_room};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = control_room};

	memset(got, 0, offsetof(struct got, key));
	got->n_headers = 0;
	got->len = recvmsg(fd, &msg, flags);
	if (got->len < 0)
		return -1;
	got->flags = msg.msg_flags;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		take(got, c);
	return got->len;
}

ssize_t receive(int fd, struct got *got, int flags)
{
	return receive_sized(fd, got, flags, sizeof(got->value), 1 << 18);
}

bool got_text(const struct got *got, const char *text)
{
	return got->len == (ssize_t)strlen(text) && !memcmp(got->value, text, strlen(text));
}

int64_t position(int fd, int partition)
{
	struct sluice_position pos = {.partition = partition};

	return get_option(fd, SLUICE_POSITION, &pos, sizeof(pos)) ? -errno : pos.offset;
}

int seek_to(int fd, int partition, int64_t offset)
{
	struct sluice_seek seek = {.offset = offset, .partition = partition};

	return set_option(fd, SLUICE_SEEK, &seek, sizeof(seek));
}

int set_option(int fd, int name, const void *value, size_t len)
{
	return setsockopt(fd, SOL_SLUICE, name, value, (socklen_t)len);
}

int get_option(int fd, int name, void *value, size_t len)
{
	socklen_t size = (socklen_t)len;

	return getsockopt(fd, SOL_SLUICE, name, value, &size);
}

int flush_topic(int fd, const struct topic *t)
{
	struct sluice_flush flush = {.partition = 0};

	memcpy(flush.topic_id, t->id, sizeof(flush.topic_id));
	return set_option(fd, SLUICE_FLUSH, &flush, sizeof(flush));
}

ssize_t read_events(int fd, struct sluice_event *events, size_t max)
{
	ssize_t n = recv(fd, events, max * sizeof(*events), MSG_ERRQUEUE);

	return n < 0 ? -1 : n / (ssize_t)sizeof(*events);
}

bool wait_event(int fd, struct sluice_event *event)
{
	struct pollfd pfd = {.fd = fd};

	return poll(&pfd, 1, 20000) == 1 && pfd.revents & POLLERR && read_events(fd, event, 1) == 1;
}

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}
