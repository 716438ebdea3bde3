// SPDX-License-Identifier: Apache-2.0
/* Records in and out, and the options that look into a log. */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/fault/fault.h"
#include "tests/socket/batch.h"

#define BIG_BYTES      (150 * 1024) /* two need two segments */
#define STREAM_BATCHES 3
#define STREAM_RECORDS 10

static char big[BIG_BYTES];
static uint8_t batches[STREAM_BATCHES * 2048];
static size_t one_batch;
static uint8_t bytes[2][1 << 16];
static struct got got;

static void prepare_producer(struct fault_world *w)
{
	w->fds[0] = producer(SOCK_SEQPACKET, &w->topic, 0);
}

static int run_send(struct fault_world *w)
{
	return fault_result(send_text(w->fds[0], "one"));
}

static const char *check_sent(struct fault_world *w, int ret)
{
	return fault_world_check_growth(w, ret < 0 ? 0 : 1);
}

static int run_send_big(struct fault_world *w)
{
	return fault_result(send(w->fds[0], big, sizeof(big), MSG_NOSIGNAL));
}

static void prepare_producer_any(struct fault_world *w)
{
	w->fds[0] = producer(SOCK_SEQPACKET, &w->topic, SLUICE_PARTITION_ANY);
}

static const struct header headers[] = {{"first", 5, "1", 1}, {"none", 4, NULL, -1}};

static int run_send_full(struct fault_world *w)
{
	struct record r = {.key = "key",
			   .key_len = 3,
			   .value = "value",
			   .value_len = 5,
			   .headers = headers,
			   .n_headers = 2};

	return fault_result(send_record(w->fds[0], &r, 0));
}

static int run_sendto(struct fault_world *w)
{
	struct sockaddr_sluice addr = address(&w->topic, 1);

	return fault_result(
		sendto(w->fds[0], "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&addr, sizeof(addr)));
}

static int send_with_receipt(struct fault_world *w, unsigned int when)
{
	struct sluice_receipt_request request = {.when = when, .cookie = 77};
	struct record r = {.value = "x", .value_len = 1, .receipt = &request};

	return fault_result(send_record(w->fds[0], &r, 0));
}

static int run_send_appended(struct fault_world *w)
{
	return send_with_receipt(w, SLUICE_RECEIPT_APPENDED);
}

static int run_send_durable(struct fault_world *w)
{
	return send_with_receipt(w, SLUICE_RECEIPT_DURABLE);
}

/* A send that succeeded has its receipt, one that failed has none. */
static const char *check_receipt(struct fault_world *w, int ret)
{
	int64_t end = w->end[0];
	struct sluice_event ev;

	if (ret < 0) {
		if (read_events(w->fds[0], &ev, 1) >= 0 || errno != EAGAIN)
			return "a send that failed left a receipt";
		return check_sent(w, ret);
	}
	if (!wait_event(w->fds[0], &ev))
		return "the receipt does not come";
	if (ev.error || ev.cookie != 77 || ev.offset != end)
		return fault_format("a receipt of offset %lld, error %d, cookie %llu",
				    (long long)ev.offset, ev.error, (unsigned long long)ev.cookie);
	return check_sent(w, ret);
}

static void prepare_receipt(struct fault_world *w)
{
	prepare_producer(w);
	if (send_with_receipt(w, SLUICE_RECEIPT_APPENDED) < 0)
		die("%s", error_text(w->fds[0]));
	w->end[0]++;
}

static int run_read_receipt(struct fault_world *w)
{
	struct sluice_event ev;

	return fault_result(read_events(w->fds[0], &ev, 1));
}

static const char *check_read_receipt(struct fault_world *w, int ret)
{
	struct sluice_event ev;

	if (ret < 0 && read_events(w->fds[0], &ev, 1) != 1)
		return "the receipt was lost";
	return NULL;
}

static void prepare_stream(struct fault_world *w)
{
	w->fds[0] = producer(SOCK_STREAM, &w->topic, 0);
	for (int i = 0; i < STREAM_BATCHES; i++) {
		one_batch = batch_simple(bytes[0], "stream", STREAM_RECORDS);
		memcpy(batches + (size_t)i * one_batch, bytes[0], one_batch);
	}
}

static int run_send_stream(struct fault_world *w)
{
	return fault_result(send(w->fds[0], batches, STREAM_BATCHES * one_batch, MSG_NOSIGNAL));
}

/* What was sent of several is whole batches. */
static const char *check_send_stream(struct fault_world *w, int ret)
{
	if (ret >= 0 && (size_t)ret % one_batch)
		return fault_format("%d bytes are not whole batches", ret);
	return fault_world_check_growth(
		w, ret < 0 ? 0 : (int64_t)((size_t)ret / one_batch) * STREAM_RECORDS);
}

/* What is read comes from the disk again, with all the allocations of that. */
static void forget_pages(struct fault_world *w)
{
	struct sluice_flush flush = {.partition = 0};
	int fd = producer(SOCK_SEQPACKET, &w->topic, 0);
	glob_t files;

	if (set_option(fd, SLUICE_FLUSH, &flush, sizeof(flush)))
		die("%s", error_text(fd));
	close(fd);
	if (glob(topic_path(&w->topic, 0, "*"), 0, NULL, &files))
		die("no files of the log");
	/* In the order of their names: the last segment's, its indexes too. */
	for (size_t i = files.gl_pathc > 5 ? files.gl_pathc - 5 : 0; i < files.gl_pathc; i++) {
		fd = open(files.gl_pathv[i], O_RDONLY | O_CLOEXEC);
		fsync(fd);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
	globfree(&files);
}

static void prepare_full_record(struct fault_world *w)
{
	struct record r = {.key = "key",
			   .key_len = 3,
			   .value = "value",
			   .value_len = 5,
			   .headers = headers,
			   .n_headers = 2};
	int fd = producer(SOCK_SEQPACKET, &w->topic, 0);

	if (send_record(fd, &r, 0) < 0)
		die("%s", error_text(fd));
	close(fd);
	w->fds[0] = consumer(SOCK_SEQPACKET, &w->topic, 0, w->end[0]++);
}

static void prepare_cold_record(struct fault_world *w)
{
	prepare_full_record(w);
	forget_pages(w);
}

static int run_receive(struct fault_world *w)
{
	return fault_result(receive(w->fds[0], &got, MSG_DONTWAIT));
}

static int run_peek(struct fault_world *w)
{
	return fault_result(receive(w->fds[0], &got, MSG_DONTWAIT | MSG_PEEK));
}

/* A receive that failed must not have gone past the record. */
static const char *check_receive(struct fault_world *w, int ret)
{
	if (ret < 0 && receive(w->fds[0], &got, MSG_DONTWAIT) < 0)
		return fault_format("the record is lost: %s", strerror(errno));
	if (!got_text(&got, "value") || got.info.offset != w->end[0] - 1 || !got.has_key ||
	    got.key_len != 3 || got.n_headers != 2)
		return fault_format("offset %lld, %zu headers, value '%.*s' is another record",
				    (long long)got.info.offset, got.n_headers, (int)got.len,
				    got.value);
	return NULL;
}

static const char *check_peek(struct fault_world *w, int ret)
{
	const char *why = check_receive(w, ret);

	/* Peeked at or not, it is still the next one. */
	if (!why && ret >= 0)
		why = check_receive(w, -EAGAIN);
	return why;
}

static void prepare_stream_consumer(struct fault_world *w)
{
	int64_t begin = w->end[0];

	fault_world_send(w, 0);
	fault_world_send(w, 0);
	w->fds[0] = consumer(SOCK_STREAM, &w->topic, 0, begin);
}

static void prepare_cold_stream(struct fault_world *w)
{
	prepare_stream_consumer(w);
	forget_pages(w);
}

static size_t stream_got;

static int run_receive_stream(struct fault_world *w)
{
	ssize_t n = recv(w->fds[0], bytes[0], sizeof(bytes[0]), MSG_DONTWAIT);

	stream_got = n > 0 ? (size_t)n : 0;
	return fault_result(n);
}

static size_t read_stream(int fd, uint8_t *buf, size_t room)
{
	size_t total = 0;
	ssize_t n;

	while ((n = recv(fd, buf + total, room - total, MSG_DONTWAIT)) > 0)
		total += (size_t)n;
	return total;
}

/* What came, and what comes now, is what another consumer is given. */
static const char *check_stream(struct fault_world *w, int ret)
{
	int fd = consumer(SOCK_STREAM, &w->topic, 0, w->end[0] - 2);
	size_t all = read_stream(fd, bytes[1], sizeof(bytes[1]));

	(void)ret;
	close(fd);
	stream_got += read_stream(w->fds[0], bytes[0] + stream_got, sizeof(bytes[0]) - stream_got);
	if (all <= AT_RECORDS || stream_got != all || memcmp(bytes[0], bytes[1], all) != 0)
		return fault_format("%zu bytes, not the %zu that are there", stream_got, all);
	return NULL;
}

static void prepare_splice(struct fault_world *w)
{
	int pipe_fds[2];

	prepare_stream_consumer(w);
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK))
		die("pipe: %s", strerror(errno));
	w->fds[1] = pipe_fds[0];
	w->fds[2] = pipe_fds[1];
}

static void prepare_cold_splice(struct fault_world *w)
{
	prepare_splice(w);
	forget_pages(w);
}

static int run_splice(struct fault_world *w)
{
	return fault_result(
		splice(w->fds[0], NULL, w->fds[2], NULL, sizeof(bytes[0]), SPLICE_F_NONBLOCK));
}

static const char *check_splice(struct fault_world *w, int ret)
{
	ssize_t n = read(w->fds[1], bytes[0], sizeof(bytes[0]));

	stream_got = n > 0 ? (size_t)n : 0;
	if (stream_got != (ret > 0 ? (size_t)ret : 0))
		return fault_format("splice returned %d, the pipe has %zu bytes", ret, stream_got);
	return check_stream(w, ret);
}

static struct sluice_fetch fetch;

static void prepare_fetch(struct fault_world *w)
{
	fault_world_send(w, 0);
	w->fds[0] = open_socket(SOCK_SEQPACKET);
	forget_pages(w);
}

static int run_fetch(struct fault_world *w)
{
	memset(&fetch, 0, sizeof(fetch));
	memcpy(fetch.topic_id, w->topic.id, sizeof(fetch.topic_id));
	fetch.max_bytes = 1 << 20;
	fetch.offset = w->end[0] - 1;
	if (get_option(w->fds[0], SLUICE_FETCH, &fetch, sizeof(fetch)))
		return -errno;
	return fetch.error;
}

static const char *check_fetch(struct fault_world *w, int ret)
{
	if (ret >= 0 && (fetch.bytes < AT_RECORDS || fetch.log_end_offset != w->end[0]))
		return fault_format("%u bytes, log end %lld", fetch.bytes,
				    (long long)fetch.log_end_offset);
	return NULL;
}

static int run_offset_for_time(struct fault_world *w)
{
	struct sluice_offset_for_time oft = {.partition = 0, .timestamp = 1};

	memcpy(oft.topic_id, w->topic.id, sizeof(oft.topic_id));
	if (get_option(w->fds[0], SLUICE_OFFSET_FOR_TIME, &oft, sizeof(oft)))
		return -errno;
	/* The first record is younger than that. */
	return oft.offset ? -ENOMSG : 0;
}

static int run_max_timestamp(struct fault_world *w)
{
	struct sluice_offset_for_time oft = {.partition = 0};

	memcpy(oft.topic_id, w->topic.id, sizeof(oft.topic_id));
	if (get_option(w->fds[0], SLUICE_MAX_TIMESTAMP, &oft, sizeof(oft)))
		return -errno;
	return oft.offset < 0 ? -ENOMSG : 0;
}

static int run_aborted(struct fault_world *w)
{
	struct sluice_aborted_list list = {.partition = 0, .end_offset = w->end[0]};

	memcpy(list.topic_id, w->topic.id, sizeof(list.topic_id));
	if (get_option(w->fds[0], SLUICE_ABORTED, &list, sizeof(list)))
		return -errno;
	return list.count ? -ENOMSG : 0;
}

static int run_active_producers(struct fault_world *w)
{
	struct {
		struct sluice_active_producers list;
		struct sluice_active_producer room[4];
	} p = {.list = {.partition = 0}};

	memcpy(p.list.topic_id, w->topic.id, sizeof(p.list.topic_id));
	return fault_result(get_option(w->fds[0], SLUICE_ACTIVE_PRODUCERS, &p, sizeof(p)));
}

static int run_append_as(struct fault_world *w)
{
	uint32_t as = SLUICE_AS_COORDINATOR;

	return fault_result(set_option(w->fds[0], SLUICE_APPEND_AS, &as, sizeof(as)));
}

/* The kind that was set is in force, or the one before it. */
static const char *check_append_as(struct fault_world *w, int ret)
{
	uint32_t as = UINT32_MAX;

	if (get_option(w->fds[0], SLUICE_APPEND_AS, &as, sizeof(as)))
		return fault_format("it cannot be asked for: %s", strerror(errno));
	if (as != (ret < 0 ? SLUICE_AS_CLIENT : SLUICE_AS_COORDINATOR))
		return fault_format("it is %u", as);
	return NULL;
}

static int set_watch(struct fault_world *w)
{
	struct sluice_watch watch = {.partition = 0, .offset = w->end[0], .cookie = 5};

	memcpy(watch.topic_id, w->topic.id, sizeof(watch.topic_id));
	return set_option(w->fds[0], SLUICE_WATCH, &watch, sizeof(watch));
}

static void prepare_unconnected(struct fault_world *w)
{
	w->fds[0] = open_socket(SOCK_SEQPACKET);
}

static int run_watch(struct fault_world *w)
{
	return fault_result(set_watch(w));
}

static const char *check_watch(struct fault_world *w, int ret)
{
	struct sluice_event ev = {0};
	ssize_t n;

	fault_world_send(w, 0);
	n = read_events(w->fds[0], &ev, 1);
	if (ret < 0 && n >= 0)
		return "a watch that was not set fired";
	if (ret >= 0 && (n != 1 || ev.cookie != 5 || ev.offset != w->end[0]))
		return "the watch did not fire";
	return NULL;
}

static void prepare_watched(struct fault_world *w)
{
	prepare_producer(w);
	if (set_watch(w))
		die("%s", error_text(w->fds[0]));
}

/* Whatever the send needs memory for, the watch fires if and only if it grew. */
static const char *check_watched(struct fault_world *w, int ret)
{
	struct sluice_event ev;
	ssize_t n = read_events(w->fds[0], &ev, 1);

	if ((ret >= 0) != (n == 1))
		return "the watch and the log are not of one mind";
	return check_sent(w, ret);
}

static void prepare_flush(struct fault_world *w)
{
	fault_world_send(w, 0);
	prepare_producer(w);
}

static int run_flush(struct fault_world *w)
{
	struct sluice_flush flush = {.partition = SLUICE_PARTITION_ANY};

	return fault_result(set_option(w->fds[0], SLUICE_FLUSH, &flush, sizeof(flush)));
}

static const char *check_flush(struct fault_world *w, int ret)
{
	struct kern_partition p = topic_partition(&w->topic, 0);

	if (ret >= 0 && p.recovery_point != w->end[0])
		return fault_format("flushed up to %lld, not %lld", (long long)p.recovery_point,
				    (long long)w->end[0]);
	return NULL;
}

const struct fault_op fault_log_ops[] = {
	{"send", prepare_producer, run_send, check_sent, 0},
	{"send-key-headers-any", prepare_producer_any, run_send_full, check_sent, 0},
	{"send-roll", prepare_producer, run_send_big, check_sent, 0},
	{"sendto", prepare_unconnected, run_sendto, check_sent, 0},
	{"send-receipt-appended", prepare_producer, run_send_appended, check_receipt, 0},
	{"send-receipt-durable", prepare_producer, run_send_durable, check_receipt, 0},
	{"read-receipt", prepare_receipt, run_read_receipt, check_read_receipt, 0},
	{"send-stream", prepare_stream, run_send_stream, check_send_stream, 0},
	{"receive", prepare_full_record, run_receive, check_receive, 0},
	{"receive-cold", prepare_cold_record, run_receive, check_receive, 0},
	{"peek", prepare_cold_record, run_peek, check_peek, 0},
	{"receive-stream", prepare_stream_consumer, run_receive_stream, check_stream, 0},
	{"receive-stream-cold", prepare_cold_stream, run_receive_stream, check_stream, 0},
	{"splice", prepare_splice, run_splice, check_splice, 0},
	{"splice-cold", prepare_cold_splice, run_splice, check_splice, 0},
	{"fetch", prepare_fetch, run_fetch, check_fetch, 0},
	{"offset-for-time", prepare_fetch, run_offset_for_time, NULL, 0},
	{"max-timestamp", prepare_fetch, run_max_timestamp, NULL, 0},
	{"aborted", prepare_fetch, run_aborted, NULL, 0},
	{"active-producers", prepare_fetch, run_active_producers, NULL, 0},
	{"append-as", prepare_stream, run_append_as, check_append_as, 0},
	{"watch", prepare_unconnected, run_watch, check_watch, 0},
	{"send-watched", prepare_watched, run_send, check_watched, 0},
	{"flush", prepare_flush, run_flush, check_flush, 0},
};
const size_t fault_n_log_ops = ARRAY_LEN(fault_log_ops);
