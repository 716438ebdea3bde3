// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/diag.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/request_quota.h"
#include "daemon/net/conn.h"
#include "daemon/worker.h"

/* Requests of one connection before the others get their turn. */
#define CONN_ROUND_REQUESTS 16

/* What decoded arrays and the answer's structures of one request may take. */
#define REQUEST_ARENA_MAX (64u << 20)

/* How soon it is looked whether other workers have given memory for requests back. */
#define FEED_MS 10

static struct diag_limit close_limit;
static struct diag_limit limits_limit;

/* Memory for the request whose size is known now; false: there is none left. */
static bool take_memory(struct conn *c)
{
	int64_t size = frame_announced(&c->frames);

	if (size < 0 || c->taken_bytes)
		return true;
	if (!request_memory_take(c->worker->broker->request_memory, (uint32_t)size))
		return false;
	c->taken_bytes = (uint32_t)size;
	return true;
}

static void starve(struct conn *c)
{
	struct worker *w = c->worker;

	c->state = CONN_STARVED;
	if (list_empty(&w->starved))
		timer_set(&w->reactor.timers, &w->feed, w->reactor.now_ms + FEED_MS);
	list_append(&w->starved, &c->hungry);
}

/* In the order in which they came, so that a large one has its turn. */
static void feed(struct worker *w)
{
	while (!list_empty(&w->starved)) {
		struct conn *c = list_entry(w->starved.next, struct conn, hungry);

		if (!take_memory(c))
			return;
		list_remove(&c->hungry);
		c->state = CONN_READING;
		reactor_defer(&w->reactor, &c->advance);
	}
	timer_cancel(&w->reactor.timers, &w->feed);
}

void conn_feed_timer(struct timer *t)
{
	struct worker *w = list_entry(t, struct worker, feed);

	timer_set(&w->reactor.timers, t, w->reactor.now_ms + FEED_MS);
	feed(w);
}

static void give_memory(struct conn *c)
{
	request_memory_give(c->worker->broker->request_memory, c->taken_bytes);
	c->taken_bytes = 0;
	if (!list_empty(&c->worker->starved))
		feed(c->worker);
}

static void release_task(struct reactor_task *t)
{
	struct conn *c = list_entry(t, struct conn, release);

	request_free(&c->request);
	frame_reader_free(&c->frames);
	free(c->ranges);
	list_remove(&c->link);
	give_memory(c);
	worker_conn_gone(c->worker);
	free(c);
}

static void release(struct conn *c)
{
	/* Not at once: an event that was fetched already may name it. */
	c->release.fn = release_task;
	reactor_defer(&c->worker->reactor, &c->release);
}

void conn_close(struct conn *c, const char *why)
{
	struct request *r = &c->request;
	bool parked = c->state == CONN_PARKED && !c->advance.queued;

	if (c->state == CONN_CLOSED)
		return;
	if (why)
		diag_limited(&close_limit, DIAG_WARNING, "connection from %s closed: %s", c->peer,
			     why);
	reactor_remove(&c->worker->reactor, &c->io);
	close(c->io.fd);
	conn_limits_leave(c->worker->broker->limits, &c->from);
	timer_cancel(&c->worker->reactor.timers, &c->idle);
	timer_cancel(&c->worker->reactor.timers, &c->mute);
	if (c->state == CONN_STARVED)
		list_remove(&c->hungry);
	c->state = CONN_CLOSED;
	if (parked && !r->abandon)
		return; /* request_finish() will come, and releases it */
	if (parked)
		r->abandon(r);
	release(c);
}

static void want_events(struct conn *c, uint32_t events)
{
	if (c->events == events)
		return;
	c->events = events;
	reactor_change(&c->worker->reactor, &c->io, events);
}

static int start_sending(struct conn *c)
{
	struct request *r = &c->request;
	const struct wire_writer *w = &r->writer;

	c->sender = (struct sender){.bytes = r->out.data, .len = r->out.len};
	if (!w->gap_count)
		return 0;
	c->ranges = calloc(w->gap_count, sizeof(*c->ranges));
	if (!c->ranges)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->gap_count; i++) {
		const struct request_file *f = &r->files[i];

		c->ranges[i] = (struct sender_range){
			.before = w->gaps[i].position,
			.fd = f->file->fd,
			.position = f->position,
			.left = w->gaps[i].len,
		};
	}
	c->sender.ranges = c->ranges;
	c->sender.n_ranges = w->gap_count;
	return 0;
}

/* The client is over its quota: it is not heard until it has waited. */
static void mute(struct conn *c, int32_t ms)
{
	struct reactor *r = &c->worker->reactor;

	c->state = CONN_MUTED;
	want_events(c, EPOLLRDHUP);
	timer_set(&r->timers, &c->mute, r->now_ms + ms);
}

static void unmute(struct timer *t)
{
	struct conn *c = list_entry(t, struct conn, mute);

	c->state = CONN_READING;
	c->progress_ms = c->worker->reactor.now_ms;
	reactor_defer(&c->worker->reactor, &c->advance);
}

static void request_is_over(struct conn *c)
{
	int32_t throttle_ms = c->request.throttle_ms;

	c->request.throttle_ms = 0;
	request_free(&c->request);
	free(c->ranges);
	c->ranges = NULL;
	frame_used(&c->frames);
	c->state = CONN_READING;
	give_memory(c);
	if (throttle_ms > 0)
		mute(c, throttle_ms);
}

/* Go on sending. Returns false if the connection must wait, or is closed. */
static bool push(struct conn *c)
{
	size_t progress;
	int ret = sender_push(&c->sender, c->io.fd, &progress);

	if (progress)
		c->progress_ms = c->worker->reactor.now_ms;
	if (ret > 0) {
		request_is_over(c);
		return c->state == CONN_READING;
	}
	if (ret == 0) {
		want_events(c, EPOLLOUT);
		return false;
	}
	/* The client going away is its own business; a segment that is too short is ours. */
	conn_close(c, ret == -ENODATA ? "a segment file is shorter than the log says" : NULL);
	return false;
}

/* Act on what a handler returned. Returns false if the connection must wait, or is closed. */
static bool answer(struct conn *c, enum handled how)
{
	switch (how) {
	case REQUEST_ANSWERED:
		if (start_sending(c)) {
			conn_close(c, "out of memory");
			return false;
		}
		c->state = CONN_SENDING;
		return push(c);
	case REQUEST_PARKED:
		request_quota_parked(&c->request);
		c->state = CONN_PARKED;
		/* Level-triggered input would come again and again: only its end matters now. */
		want_events(c, EPOLLRDHUP);
		return false;
	case REQUEST_SILENT:
		request_quota_answer(&c->request);
		request_is_over(c);
		return c->state == CONN_READING;
	case REQUEST_REFUSED:
	default: conn_close(c, c->request.refused_why); return false;
	}
}

/* Handle the next request. Returns false if there is none, or as answer(). */
static bool take_request(struct conn *c)
{
	const uint8_t *data;
	size_t len;
	int ret;

	if (c->worker->draining) {
		conn_close(c, NULL);
		return false;
	}
	ret = frame_next(&c->frames, &data, &len);
	if (ret == -EMSGSIZE) {
		conn_close(c, "its request is larger than socket.request.max.bytes");
		return false;
	}
	if (ret < 0) {
		conn_close(c, "what it sent is not a Kafka request");
		return false;
	}
	if (!take_memory(c)) {
		/* Whatever comes then is its end. */
		want_events(c, EPOLLRDHUP);
		starve(c);
		return false;
	}
	if (ret == 0) {
		want_events(c, EPOLLIN);
		return false;
	}
	return answer(c, dispatch(&c->request, data, len));
}

static void advance(struct conn *c)
{
	for (int i = 0; i < CONN_ROUND_REQUESTS; i++) {
		if (c->state != CONN_READING || !take_request(c))
			return;
	}
	reactor_defer(&c->worker->reactor, &c->advance);
}

/* Queued when a parked request has its answer, and when it is somebody else's turn. */
static void advance_task(struct reactor_task *t)
{
	struct conn *c = list_entry(t, struct conn, advance);

	if (c->state == CONN_CLOSED)
		return;
	if (c->state == CONN_PARKED && !answer(c, c->answered))
		return;
	advance(c);
}

static void request_done(struct request *r, enum handled how)
{
	struct conn *c = list_entry(r, struct conn, request);

	if (c->state == CONN_CLOSED) {
		release(c);
		return;
	}
	c->answered = how;
	reactor_defer(&c->worker->reactor, &c->advance);
}

/* Read what is there, up to the end of a request. Returns false if the connection is closed. */
static bool read_some(struct conn *c)
{
	const uint8_t *data;
	uint8_t *room;
	size_t len;
	ssize_t n;

	do {
		if (frame_room(&c->frames, &room, &len)) {
			conn_close(c, "out of memory");
			return false;
		}
		n = recv(c->io.fd, room, len, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			conn_close(c, n == 0 && c->frames.in.len
					      ? "it ended in the middle of a request"
					      : NULL);
			return false;
		}
		if (n > 0)
			frame_filled(&c->frames, (size_t)n);
	} while (n == (ssize_t)len && !frame_next(&c->frames, &data, &len) && take_memory(c));
	c->progress_ms = c->worker->reactor.now_ms;
	return true;
}

static void on_io(struct reactor_fd *rfd, uint32_t events)
{
	struct conn *c = list_entry(rfd, struct conn, io);

	switch (c->state) {
	case CONN_READING:
		/* Also on EPOLLERR and EPOLLHUP: reading tells what is wrong. */
		if (read_some(c))
			advance(c);
		return;
	case CONN_SENDING:
		if (events & (EPOLLERR | EPOLLHUP))
			conn_close(c, NULL);
		else if (push(c))
			advance(c);
		return;
	case CONN_STARVED:
	case CONN_MUTED:
	case CONN_PARKED: conn_close(c, NULL); return;
	case CONN_CLOSED: return;
	}
}

static void on_idle(struct timer *t)
{
	struct conn *c = list_entry(t, struct conn, idle);
	struct worker *w = c->worker;
	int64_t max_ms = w->broker->config->connections_max_idle_ms;

	/* Not moved with every request: it looks how long ago the last one was, and sleeps on. */
	if (c->state == CONN_PARKED || c->state == CONN_STARVED || c->state == CONN_MUTED)
		c->progress_ms = w->reactor.now_ms;
	if (w->reactor.now_ms - c->progress_ms >= max_ms)
		conn_close(c, NULL);
	else
		timer_set(&w->reactor.timers, t, c->progress_ms + max_ms);
}

/* An address as text, an IPv4 one that came through an IPv6 socket as what it is. */
static uint16_t format_address(const struct sockaddr_in6 *addr, char *host, size_t size)
{
	const struct sockaddr_in *v4 = (const void *)addr;

	if (addr->sin6_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, host, (socklen_t)size);
		return ntohs(v4->sin_port);
	}
	if (IN6_IS_ADDR_V4MAPPED(&addr->sin6_addr))
		inet_ntop(AF_INET, &addr->sin6_addr.s6_addr[12], host, (socklen_t)size);
	else
		inet_ntop(AF_INET6, &addr->sin6_addr, host, (socklen_t)size);
	return ntohs(addr->sin6_port);
}

static struct in6_addr ipv6_form(const struct sockaddr_in6 *addr)
{
	struct in6_addr ret = addr->sin6_addr;

	if (addr->sin6_family == AF_INET) {
		memset(&ret, 0, sizeof(ret));
		ret.s6_addr[10] = ret.s6_addr[11] = 0xff;
		memcpy(&ret.s6_addr[12], &((const struct sockaddr_in *)addr)->sin_addr, 4);
	}
	return ret;
}

static void read_addresses(struct conn *c)
{
	struct sockaddr_in6 addr = {0};
	socklen_t len = sizeof(addr);
	uint16_t port = 0;

	if (!getpeername(c->io.fd, (struct sockaddr *)&addr, &len)) {
		port = format_address(&addr, c->peer_host, sizeof(c->peer_host));
		c->from = ipv6_form(&addr);
	}
	snprintf(c->peer, sizeof(c->peer), "%s:%u", c->peer_host[0] ? c->peer_host : "?", port);
	c->request.peer_host = c->peer_host;
	len = sizeof(addr);
	if (!getsockname(c->io.fd, (struct sockaddr *)&addr, &len))
		c->request.local_port = format_address(&addr, c->local_host, sizeof(c->local_host));
	c->request.local_host = c->local_host;
}

void conn_open(struct worker *w, int fd, unsigned int listener)
{
	int64_t max_ms = w->broker->config->connections_max_idle_ms;
	struct conn *c = calloc(1, sizeof(*c));
	const int on = 1;
	int err;

	if (!c) {
		conn_limits_unreserve(w->broker->limits);
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	c->worker = w;
	c->io = (struct reactor_fd){.fd = fd, .fn = on_io};
	c->advance.fn = advance_task;
	c->idle.fn = on_idle;
	c->mute.fn = unmute;
	c->events = EPOLLIN;
	c->progress_ms = w->reactor.now_ms;
	frame_reader_init(&c->frames, w->broker->config->request_max_bytes);
	buf_init(&c->request.out, 0);
	arena_init(&c->request.arena, REQUEST_ARENA_MAX);
	c->request.worker = w;
	c->request.done = request_done;
	c->request.listener = listener;
	read_addresses(c);
	err = conn_limits_enter(w->broker->limits, &c->from);
	if (err) {
		diag_limited(&limits_limit, DIAG_WARNING, "connection from %s refused: %s", c->peer,
			     err == -EDQUOT ? "its address has max.connections.per.ip already"
					    : "out of memory");
		goto err_free;
	}
	if (reactor_add(&w->reactor, &c->io, c->events)) {
		conn_limits_leave(w->broker->limits, &c->from);
		goto err_free;
	}
	list_append(&w->conns, &c->link);
	w->n_conns++;
	if (max_ms >= 0)
		timer_set(&w->reactor.timers, &c->idle, c->progress_ms + max_ms);
	return;

err_free:
	close(fd);
	free(c);
}

void conn_drain(struct conn *c)
{
	bool waits_for_data = c->state == CONN_PARKED && c->request.api->key == KAFKA_API_FETCH;

	if (c->state == CONN_READING || c->state == CONN_STARVED || c->state == CONN_MUTED ||
	    waits_for_data)
		conn_close(c, NULL);
}
