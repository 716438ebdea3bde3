// SPDX-License-Identifier: Apache-2.0
/* Sockets, their addresses, their options, and what tells of them. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "tests/fault/fault.h"
#include "tests/socket/filter.h"

static int run_socket(struct fault_world *w)
{
	w->fds[0] = socket(family(), SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return fault_result(w->fds[0]);
}

static int run_socket_stream(struct fault_world *w)
{
	w->fds[0] = socket(family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fault_result(w->fds[0]);
}

static void prepare_socket(struct fault_world *w)
{
	w->fds[0] = open_socket(SOCK_SEQPACKET);
}

static int run_bind(struct fault_world *w)
{
	return fault_result(bind_topic(w->fds[0], &w->topic, 0));
}

static int run_bind_any(struct fault_world *w)
{
	return fault_result(bind_topic(w->fds[0], &w->topic, SLUICE_PARTITION_ANY));
}

static int run_bind_id(struct fault_world *w)
{
	struct sockaddr_sluice addr = {.sl_family = (sa_family_t)family()};

	memcpy(addr.sl_topic_id, w->topic.id, sizeof(addr.sl_topic_id));
	return fault_result(bind(w->fds[0], (struct sockaddr *)&addr, sizeof(addr)));
}

/* A bind that failed has not bound: the next one must be free to. */
static const char *check_bind(struct fault_world *w, int ret)
{
	int64_t end = w->end[0];

	if (ret < 0 && bind_topic(w->fds[0], &w->topic, 0))
		return fault_format("cannot be bound any more: %s", error_text(w->fds[0]));
	if (position(w->fds[0], 0) != end)
		return fault_format("stands at %lld, not at the end %lld",
				    (long long)position(w->fds[0], 0), (long long)end);
	return NULL;
}

static int run_connect(struct fault_world *w)
{
	return fault_result(connect_topic(w->fds[0], &w->topic, 1));
}

static const char *check_connect(struct fault_world *w, int ret)
{
	const char *why;

	if (ret < 0 && send_text(w->fds[0], "x") >= 0)
		return "could send though connecting failed";
	if (ret < 0 && connect_topic(w->fds[0], &w->topic, 1))
		return fault_format("cannot be connected any more: %s", error_text(w->fds[0]));
	if (send_text(w->fds[0], "x") != 1)
		return fault_format("cannot send: %s", error_text(w->fds[0]));
	why = fault_world_check_growth(w, 1);
	return why;
}

static int run_set_topic(struct fault_world *w)
{
	return fault_result(
		set_option(w->fds[0], SLUICE_TOPIC, w->topic.name, strlen(w->topic.name)));
}

static void prepare_consumer(struct fault_world *w)
{
	w->fds[0] = consumer(SOCK_SEQPACKET, &w->topic, 0, SLUICE_OFFSET_EARLIEST);
}

static int run_seek_latest(struct fault_world *w)
{
	return fault_result(seek_to(w->fds[0], 0, SLUICE_OFFSET_LATEST));
}

static int run_seek_offset(struct fault_world *w)
{
	return fault_result(seek_to(w->fds[0], 0, w->end[0]));
}

static const char *check_seek(struct fault_world *w, int ret)
{
	int64_t at = position(w->fds[0], 0), should = ret < 0 ? 0 : w->end[0];

	if (at != should)
		return fault_format("stands at %lld, not at %lld", (long long)at,
				    (long long)should);
	return NULL;
}

static int run_position(struct fault_world *w)
{
	struct sluice_position pos = {.partition = SLUICE_PARTITION_ANY};

	return fault_result(get_option(w->fds[0], SLUICE_POSITION, &pos, sizeof(pos)));
}

static void prepare_readable(struct fault_world *w)
{
	fault_world_send(w, 0);
	w->fds[0] = consumer(SOCK_SEQPACKET, &w->topic, 0, w->end[0] - 1);
}

static int run_poll(struct fault_world *w)
{
	struct pollfd pfd = {.fd = w->fds[0], .events = POLLIN};
	int n = poll(&pfd, 1, 0);

	return n == 1 && pfd.revents == POLLIN ? 0 : n < 0 ? -errno : -ENOMSG;
}

static const char *check_readable(struct fault_world *w, int ret)
{
	static struct got got;

	(void)ret;
	if (receive(w->fds[0], &got, MSG_DONTWAIT) < 0 || got.info.offset != w->end[0] - 1)
		return "the record that was there is not received";
	return NULL;
}

/* ENOTSUPP, which programs have no name for: no memory to compile the filter. */
#define NO_JIT 524

static int run_attach_filter(struct fault_world *w)
{
	const struct sock_filter none[] = {BPF_STMT(BPF_RET | BPF_K, 0)};

	return fault_result(attach(w->fds[0], none, ARRAY_LEN(none)));
}

/* A filter is there, or it is not. */
static const char *check_attached(struct fault_world *w, int ret)
{
	static struct got got;

	if ((receive(w->fds[0], &got, MSG_DONTWAIT) < 0) != (ret >= 0))
		return "what was received is not what the filter lets pass";
	return NULL;
}

/* Two records, of which the second passes; nothing has run the filter yet. */
static void prepare_filtered(struct fault_world *w)
{
	fault_world_send(w, 0);
	fault_world_send(w, 0);
	w->fds[0] = consumer(SOCK_SEQPACKET, &w->topic, 0, w->end[0] - 2);
	attach_word(w->fds[0], VIEW(offset) + 4, (uint32_t)w->end[0] - 1);
}

static int run_receive_filtered(struct fault_world *w)
{
	char value[64];

	return fault_result(recv(w->fds[0], value, sizeof(value), MSG_DONTWAIT | MSG_PEEK));
}

static void prepare_epoll(struct fault_world *w)
{
	prepare_readable(w);
	w->fds[1] = epoll_create1(EPOLL_CLOEXEC);
}

static int run_epoll(struct fault_world *w)
{
	struct epoll_event ev = {.events = EPOLLIN};

	if (epoll_ctl(w->fds[1], EPOLL_CTL_ADD, w->fds[0], &ev))
		return -errno;
	return fault_result(epoll_wait(w->fds[1], &ev, 1, 0));
}

static uint32_t count_sockets(void)
{
	struct kern_info info;

	if (kern_info_get(test_kern(), &info))
		die("info-get: %s", kern_error(test_kern()));
	return info.sockets;
}

/* With all that a socket may hold. */
static void prepare_full(struct fault_world *w)
{
	struct sluice_receipt_request request = {.when = SLUICE_RECEIPT_APPENDED};
	struct record r = {.value = "x", .value_len = 1, .partition = 1, .receipt = &request};
	struct sluice_watch watch = {.partition = 1, .offset = w->end[1]};

	w->sockets = count_sockets();
	w->fds[0] =
		consumer(SOCK_SEQPACKET, &w->topic, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	memcpy(watch.topic_id, w->topic.id, sizeof(watch.topic_id));
	if (connect_topic(w->fds[0], &w->topic, SLUICE_PARTITION_ANY) ||
	    set_option(w->fds[0], SLUICE_WATCH, &watch, sizeof(watch)) ||
	    send_record(w->fds[0], &r, 0) < 0)
		die("%s", error_text(w->fds[0]));
	w->end[0]++;
}

static int run_close(struct fault_world *w)
{
	int ret = close(w->fds[0]);

	w->fds[0] = -1;
	return fault_result(ret);
}

static const char *check_closed(struct fault_world *w, int ret)
{
	uint32_t sockets = count_sockets();

	(void)ret;
	if (sockets != w->sockets)
		return fault_format("%u sockets were there, %u are left", w->sockets, sockets);
	return NULL;
}

static int run_getsockname(struct fault_world *w)
{
	struct sockaddr_sluice addr;
	socklen_t len = sizeof(addr);

	return fault_result(getsockname(w->fds[0], (struct sockaddr *)&addr, &len));
}

static int run_proc(struct fault_world *w)
{
	char text[4096];
	ssize_t n;

	w->fds[1] = open("/proc/net/sluice", O_RDONLY | O_CLOEXEC);
	if (w->fds[1] < 0)
		return -errno;
	do
		n = read(w->fds[1], text, sizeof(text));
	while (n > 0);
	return fault_result(n);
}

const struct fault_op fault_socket_ops[] = {
	{"socket-seqpacket", NULL, run_socket, NULL, -ENFILE},
	{"socket-stream", NULL, run_socket_stream, NULL, -ENFILE},
	{"bind-name", prepare_socket, run_bind, check_bind, 0},
	{"bind-any", prepare_socket, run_bind_any, check_bind, 0},
	{"bind-id", prepare_socket, run_bind_id, check_bind, 0},
	{"connect", prepare_socket, run_connect, check_connect, 0},
	{"getsockname", prepare_consumer, run_getsockname, NULL, 0},
	{"option-topic", prepare_socket, run_set_topic, NULL, 0},
	{"seek-latest", prepare_consumer, run_seek_latest, check_seek, 0},
	{"seek-offset", prepare_consumer, run_seek_offset, check_seek, 0},
	{"position", prepare_consumer, run_position, NULL, 0},
	{"poll", prepare_readable, run_poll, check_readable, 0},
	{"filter-attach", prepare_readable, run_attach_filter, check_attached, -NO_JIT},
	{"filter-receive", prepare_filtered, run_receive_filtered, check_readable, 0},
	{"epoll", prepare_epoll, run_epoll, check_readable, 0},
	{"close", prepare_full, run_close, check_closed, 0},
	{"proc-net-sluice", prepare_full, run_proc, NULL, 0},
};
const size_t fault_n_socket_ops = ARRAY_LEN(fault_socket_ops);
