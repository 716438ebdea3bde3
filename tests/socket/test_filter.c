// SPDX-License-Identifier: Apache-2.0
/*
 * Filters of consumers: what a program sees of a record, and what becomes of
 * the records that it rejects.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/sluice_format.h>
#include "tests/socket/batch.h"
#include "tests/socket/filter.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct got got;

/* Is the record at @offset received with the filter that is attached? */
static bool passes(int fd, int64_t offset)
{
	if (seek_to(fd, 0, offset))
		die("seek: %s", error_text(fd));
	if (receive(fd, &got, MSG_DONTWAIT) >= 0)
		return got.info.offset == offset;
	if (errno != EAGAIN)
		note("receive: %s: %s", strerror(errno), error_text(fd));
	return false;
}

/* Is this, and nothing else, the word that a program finds there? */
static bool sees(int fd, int64_t offset, uint32_t at, uint32_t word)
{
	attach_word(fd, at, ~word);
	if (passes(fd, offset))
		return false;
	attach_word(fd, at, word);
	return passes(fd, offset);
}

#define CHECK_SEES(fd, offset, at, word) CHECK(sees(fd, offset, at, word))

static uint32_t word_of(const char *bytes)
{
	return get_be32((const uint8_t *)bytes);
}

static void view_of_a_record(bool in_file)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const struct header headers[] = {{"name", 4, "value", 5}, {"none", 4, NULL, -1}};
	const struct record r = {.key = "keys",
				 .key_len = 4,
				 .value = "some value",
				 .value_len = 10,
				 .headers = headers,
				 .n_headers = 2,
				 .timestamp = 0x1234567890};
	const uint32_t key_at = sizeof(struct sluice_filter_view), value_at = key_at + 4 + 1;
	const uint32_t name_at = value_at + 10 + 1 + 1;

	CHECK_EQ(send_text(in, "first"), 5);
	CHECK_EQ(send_record(in, &r, 0), 10);
	if (in_file)
		CHECK(!flush_topic(in, &t));
	CHECK_SEES(out, 1, 0, sizeof(struct sluice_filter_view) << 16);
	CHECK_SEES(out, 1, VIEW(flags), 0);
	CHECK_SEES(out, 1, VIEW(offset), 0);
	CHECK_SEES(out, 1, VIEW(offset) + 4, 1);
	CHECK_SEES(out, 1, VIEW(timestamp), 0x12);
	CHECK_SEES(out, 1, VIEW(timestamp) + 4, 0x34567890);
	CHECK_SEES(out, 1, VIEW(partition), 0);
	CHECK_SEES(out, 1, VIEW(leader_epoch), 0);
	CHECK_SEES(out, 1, VIEW(attributes), 0);
	CHECK_SEES(out, 1, VIEW(record_count), 1);
	CHECK_SEES(out, 1, VIEW(bytes), name_at + 4 + 1 + 5 + 1 + 4 + 1 - key_at);
	CHECK_SEES(out, 1, VIEW(key_at), key_at);
	CHECK_SEES(out, 1, VIEW(key_len), 4);
	CHECK_SEES(out, 1, VIEW(value_at), value_at);
	CHECK_SEES(out, 1, VIEW(value_len), 10);
	CHECK_SEES(out, 1, VIEW(header_count), 2);
	CHECK_SEES(out, 1, VIEW(headers_listed), 2);
	CHECK_SEES(out, 1, VIEW(topic_id), get_be32(t.id));
	CHECK_SEES(out, 1, VIEW(headers[0].name_at), name_at);
	CHECK_SEES(out, 1, VIEW(headers[0].name_len), 4);
	CHECK_SEES(out, 1, VIEW(headers[0].value_at), name_at + 5);
	CHECK_SEES(out, 1, VIEW(headers[0].value_len), 5);
	CHECK_SEES(out, 1, VIEW(headers[1].value_len), UINT32_MAX);
	CHECK_SEES(out, 1, VIEW(headers[2].name_at), 0);
	CHECK_SEES(out, 1, key_at, word_of("keys"));
	CHECK_SEES(out, 1, value_at + 1, word_of("ome "));
	CHECK_SEES(out, 1, name_at + 5, word_of("valu"));
	/* The one before it has neither key nor headers, and nothing is left of these. */
	CHECK_SEES(out, 0, VIEW(headers_listed), 0);
	CHECK_SEES(out, 0, VIEW(headers[0].name_len), 0);
	CHECK_SEES(out, 0, VIEW(key_len), UINT32_MAX);
	CHECK_SEES(out, 0, VIEW(bytes), 1 + 5 + 1);
	CHECK_EQ(attach_ebpf_word(out, key_at, word_of("keys")), 0);
	CHECK(passes(out, 1));
	CHECK(seek_to(out, 0, 0) == 0 && receive(out, &got, MSG_DONTWAIT) == 10);
	CHECK_EQ(got.info.offset, 1);
	CHECK_EQ(attach_ebpf_word(out, key_at, word_of("keyx")), 0);
	CHECK(!passes(out, 1));
	close(in);
	close(out);
}

static void filter__view_in_the_open_batch(void)
{
	view_of_a_record(false);
}

static void filter__view_in_the_file(void)
{
	view_of_a_record(true);
}

static void filter__null_is_not_empty(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const struct record empty_key = {.key = "", .value = "", .value_len = 0};
	const struct record tombstone = {.key = "k", .key_len = 1};

	CHECK(send_record(in, &empty_key, 0) >= 0);
	CHECK(send_record(in, &tombstone, 0) >= 0);
	CHECK_SEES(out, 0, VIEW(key_len), 0);
	CHECK_SEES(out, 0, VIEW(value_len), 0);
	CHECK_SEES(out, 1, VIEW(key_len), 1);
	CHECK_SEES(out, 1, VIEW(value_len), UINT32_MAX);
	CHECK_SEES(out, 1, VIEW(flags), SLUICE_RECORD_NULL_VALUE);
	close(in);
	close(out);
}

static void filter__lists_as_many_headers_as_it_can(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct header headers[20];
	struct record r = {.value = "x", .value_len = 1, .headers = headers, .n_headers = 20};

	for (size_t i = 0; i < 20; i++)
		headers[i] = (struct header){"n", 1, "v", 1};
	CHECK(send_record(in, &r, 0) >= 0);
	CHECK(!flush_topic(in, &t));
	CHECK_SEES(out, 0, VIEW(header_count), 20);
	CHECK_SEES(out, 0, VIEW(headers_listed), 16);
	CHECK_SEES(out, 0, VIEW(headers[15].name_len), 1);
	close(in);
	close(out);
}

#define LONG_LEN 100000

static void long_value(size_t len, bool in_file)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const uint32_t view = sizeof(struct sluice_filter_view);
	static uint8_t value[LONG_LEN];
	struct record r = {.key = "key", .key_len = 3, .value = value, .value_len = len};
	uint32_t value_at = view + 3 + (len > 8191 ? 3 : 2), end;

	for (size_t i = 0; i < len; i++)
		value[i] = (uint8_t)(i * 2654435761U >> 13);
	CHECK_EQ(send_text(in, "x"), 1);
	CHECK_EQ(send_record(in, &r, 0), len);
	if (in_file)
		CHECK(!flush_topic(in, &t));
	end = len < SLUICE_FILTER_BYTES_MAX ? value_at + (uint32_t)len
					    : view + SLUICE_FILTER_BYTES_MAX;
	CHECK_SEES(out, 1, VIEW(value_len), (uint32_t)len);
	CHECK_SEES(out, 1, VIEW(value_at), value_at);
	/* Also where copied bytes end and pages begin, and where pages meet. */
	for (uint32_t at = value_at; at + 4 <= end; at += at < view + 2040 ? 339 : 1) {
		if (at > view + 2060)
			at += 400;
		if (at + 4 > end)
			at = end - 4;
		CHECK_SEES(out, 1, at, get_be32(value + at - value_at));
	}
	if (len > SLUICE_FILTER_BYTES_MAX) {
		attach_load(out, BPF_LD | BPF_B | BPF_ABS, end - 1);
		CHECK(passes(out, 1));
		attach_load(out, BPF_LD | BPF_B | BPF_ABS, end);
		CHECK(!passes(out, 1));
	}
	/* It is delivered whole all the same. */
	attach_all(out);
	CHECK(!seek_to(out, 0, 1));
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT | MSG_TRUNC), len);
	CHECK(!memcmp(got.value, value, len < sizeof(got.value) ? len : sizeof(got.value)));
	close(in);
	close(out);
}

static void filter__long_value_in_the_open_batch(void)
{
	long_value(9000, false);
}

static void filter__long_value_in_the_file(void)
{
	long_value(9000, true);
	long_value(LONG_LEN, true);
}

static void filter__records_across_pages(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const uint32_t key_at = sizeof(struct sluice_filter_view);
	char value[300] = "";

	for (uint32_t n = 0; n < 3000; n++) {
		uint8_t key[4];
		struct record r = {
			.key = key, .key_len = 4, .value = value, .value_len = n * 7 % 300};

		put_be32(key, n);
		CHECK(send_record(in, &r, 0) >= 0);
	}
	CHECK(!flush_topic(in, &t));
	for (uint32_t n = 0; n < 3000; n += 37) {
		CHECK(!seek_to(out, 0, 0));
		attach_word(out, key_at, n);
		CHECK_EQ(receive(out, &got, MSG_DONTWAIT), n * 7 % 300);
		CHECK_EQ(got.info.offset, n);
		CHECK_EQ(receive(out, &got, MSG_DONTWAIT), -1);
		CHECK_EQ(position(out, 0), 3000);
	}
	close(in);
	close(out);
}

/* Segments so small that their pages have the same places: none is taken for another's. */
static void filter__records_across_segments(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_SEGMENT_BYTES, .segment_bytes = 2000};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const uint32_t key_at = sizeof(struct sluice_filter_view);

	for (uint32_t n = 0; n < 600; n++) {
		uint8_t key[4];
		struct record r = {.key = key, .key_len = 4, .value = "x", .value_len = n % 2};

		put_be32(key, n);
		CHECK(send_record(in, &r, 0) >= 0);
		if (n % 50 == 49)
			CHECK(!flush_topic(in, &t));
	}
	CHECK(topic_partition(&t, 0).segments >= 4);
	for (uint32_t n = 0; n < 600; n += 7) {
		CHECK(!seek_to(out, 0, 0));
		attach_word(out, key_at, n);
		CHECK_EQ(receive(out, &got, MSG_DONTWAIT), n % 2);
		CHECK_EQ(got.info.offset, n);
		CHECK_EQ(receive(out, &got, MSG_DONTWAIT), -1);
		CHECK_EQ(position(out, 0), 600);
	}
	close(in);
	close(out);
}

/* Kinds of loads that were made for packets of a network: harmless, and bounded. */
static void filter__loads_of_other_kinds(void)
{
	static const int32_t others[] = {SKF_AD_PROTOCOL,  SKF_AD_PKTTYPE,     SKF_AD_IFINDEX,
					 SKF_AD_NLATTR,	   SKF_AD_NLATTR_NEST, SKF_AD_MARK,
					 SKF_AD_QUEUE,	   SKF_AD_HATYPE,      SKF_AD_RXHASH,
					 SKF_AD_CPU,	   SKF_AD_VLAN_TAG,    SKF_AD_RANDOM,
					 SKF_AD_PAY_OFFSET};
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const uint32_t size = sizeof(struct sluice_filter_view);

	CHECK_EQ(send_text(in, "text"), 4);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		attach_load(out, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + others[i]));
		passes(out, 0);
	}
	/* Both count from the view's first byte, and end where the record does. */
	CHECK_SEES(out, 0, (uint32_t)SKF_NET_OFF, size << 16);
	CHECK_SEES(out, 0, (uint32_t)SKF_LL_OFF, size << 16);
	attach_load(out, BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + size + 4);
	CHECK(!passes(out, 0));
	attach_load(out, BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF - 4);
	CHECK(!passes(out, 0));
	attach_load(out, BPF_LD | BPF_B | BPF_ABS, size + 6);
	CHECK(!passes(out, 0));
	close(in);
	close(out);
}

static void filter__compressed_batches(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const uint32_t view = sizeof(struct sluice_filter_view);
	uint8_t buf[512];
	size_t size = batch_simple(buf, "r", 3);

	put_be16(buf + AT_ATTRIBUTES, SLUICE_COMPRESSION_ZSTD);
	batch_fix_crc(buf, size);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(send(in, buf, size, 0), size);
	CHECK_SEES(out, 3, VIEW(flags), SLUICE_RECORD_BATCH);
	CHECK_SEES(out, 3, VIEW(attributes), SLUICE_COMPRESSION_ZSTD);
	CHECK_SEES(out, 3, VIEW(offset) + 4, 3);
	CHECK_SEES(out, 3, VIEW(record_count), 3);
	CHECK_SEES(out, 3, VIEW(value_len), (uint32_t)size);
	CHECK_SEES(out, 3, VIEW(value_at), view);
	CHECK_SEES(out, 3, VIEW(key_len), UINT32_MAX);
	CHECK_SEES(out, 3, view + AT_LENGTH, (uint32_t)size - 12);
	CHECK(got.info.flags & SLUICE_RECORD_BATCH);
	attach_none(out);
	CHECK(!passes(out, 0));
	CHECK_EQ(position(out, 0), 6);
	close(in);
	close(out);
}

static void filter__stream_of_batches(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	int out = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct pollfd pfd = {.fd = out, .events = POLLIN};
	uint8_t buf[512], bytes[4096];
	size_t size = batch_simple(buf, "r", 2);
	int ends[2];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(send(in, buf, size, 0), size);
	attach_word(out, VIEW(offset) + 4, 4);
	CHECK_EQ(poll(&pfd, 1, 0), 1);
	/* In pieces: who began a batch gets all of it. */
	CHECK_EQ(recv(out, bytes, 10, MSG_DONTWAIT), 10);
	attach_none(out);
	CHECK_EQ(recv(out, bytes + 10, sizeof(bytes) - 10, MSG_DONTWAIT), size - 10);
	CHECK_EQ(get_be64(bytes), 4);
	CHECK_ERRNO(recv(out, bytes, sizeof(bytes), MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(poll(&pfd, 1, 0), 0);
	CHECK_EQ(position(out, 0), 8);

	CHECK(!seek_to(out, 0, 0));
	attach_word(out, VIEW(offset) + 4, 6);
	CHECK(!pipe(ends));
	CHECK_EQ(splice(out, NULL, ends[1], NULL, 65536, SPLICE_F_NONBLOCK), size);
	CHECK_EQ(read(ends[0], bytes, sizeof(bytes)), size);
	CHECK_EQ(get_be64(bytes), 6);
	attach_none(out);
	CHECK(!seek_to(out, 0, 0));
	CHECK_ERRNO(splice(out, NULL, ends[1], NULL, 65536, SPLICE_F_NONBLOCK), EAGAIN);
	close(ends[0]);
	close(ends[1]);
	close(in);
	close(out);
}

static void filter__poll_tells_of_what_passes(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct pollfd pfd = {.fd = out, .events = POLLIN};
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
	int edge = epoll_create1(EPOLL_CLOEXEC);

	attach_word(out, VIEW(value_len), 4);
	CHECK(!epoll_ctl(edge, EPOLL_CTL_ADD, out, &ev));
	for (int i = 0; i < 10; i++)
		CHECK_EQ(send_text(in, "rejected"), 8);
	CHECK_EQ(poll(&pfd, 1, 50), 0);
	CHECK_EQ(epoll_wait(edge, &ev, 1, 50), 0);
	CHECK_EQ(position(out, 0), 10);
	CHECK_EQ(send_text(in, "pass"), 4);
	CHECK_EQ(send_text(in, "rejected"), 8);
	CHECK_EQ(poll(&pfd, 1, 10000), 1);
	CHECK_EQ(epoll_wait(edge, &ev, 1, 10000), 1);
	CHECK_EQ(epoll_wait(edge, &ev, 1, 0), 0);
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT | MSG_PEEK), 4);
	CHECK_EQ(position(out, 0), 10);
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT | MSG_PEEK), 4);
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 4);
	CHECK_EQ(got.info.offset, 10);
	CHECK_EQ(poll(&pfd, 1, 0), 0);
	CHECK_EQ(position(out, 0), 12);
	/* What was passed over is still there for who goes back without the filter. */
	CHECK(!detach(out));
	CHECK(!seek_to(out, 0, 3));
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 8);
	CHECK_EQ(got.info.offset, 3);
	CHECK_ERRNO(detach(out), ENOENT);
	close(edge);
	close(in);
	close(out);
}

/* A child that receives once and leaves with 0 if it got the text. */
static pid_t receiver(int fd, const char *text)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		return pid;
	_exit(receive(fd, &got, 0) >= 0 && got_text(&got, text) ? 0 : 1);
}

static bool still_waits(pid_t pid)
{
	usleep(100000);
	return waitpid(pid, NULL, WNOHANG) == 0;
}

static bool succeeded(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void filter__blocked_reader(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct timeval limit = {.tv_usec = 100000};
	pid_t pid;

	attach_word(out, VIEW(value_len), 4);
	pid = receiver(out, "pass");
	CHECK(still_waits(pid));
	for (int i = 0; i < 5; i++)
		CHECK_EQ(send_text(in, "rejected"), 8);
	CHECK(still_waits(pid));
	CHECK_EQ(position(out, 0), 5);
	CHECK_EQ(send_text(in, "pass"), 4);
	CHECK(succeeded(pid));

	/* The filter is changed while somebody waits. */
	pid = receiver(out, "now it passes");
	CHECK(still_waits(pid));
	attach_all(out);
	CHECK_EQ(send_text(in, "now it passes"), 13);
	CHECK(succeeded(pid));

	attach_none(out);
	CHECK_EQ(send_text(in, "none"), 4);
	CHECK(!setsockopt(out, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	CHECK_ERRNO(recv(out, &got, sizeof(got), 0), EAGAIN);
	close(in);
	close(out);
}

static void filter__several_partitions_take_turns(void)
{
	struct topic t = topic_new(3, NULL);
	int in[3];
	int out = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);

	for (int i = 0; i < 3; i++) {
		in[i] = producer(SOCK_SEQPACKET, &t, i);
		for (int n = 0; n < 20; n++)
			CHECK(send_text(in[i], n % 5 ? "no" : "pass") > 0);
	}
	attach_word(out, VIEW(value_len), 4);
	for (int n = 0; n < 12; n++) {
		CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 4);
		CHECK_EQ(got.info.offset % 5, 0);
	}
	CHECK_ERRNO(recv(out, &got, sizeof(got), MSG_DONTWAIT), EAGAIN);
	CHECK(!seek_to(out, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST));
	attach_word(out, VIEW(partition), 2);
	for (int n = 0; n < 20; n++) {
		CHECK(receive(out, &got, MSG_DONTWAIT) > 0);
		CHECK_EQ(got.info.partition, 2);
	}
	for (int i = 0; i < 3; i++)
		close(in[i]);
	close(out);
}

static void filter__can_be_locked(void)
{
	struct topic t = topic_new(1, NULL);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, 1)};
	const struct sock_filter endless[] = {BPF_STMT(BPF_LD | BPF_IMM, 1)};
	int on = 1;

	CHECK_ERRNO(attach(out, endless, 1), EINVAL);
	attach_all(out);
	CHECK(!setsockopt(out, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)));
	CHECK_ERRNO(attach(out, all, 1), EPERM);
	CHECK_ERRNO(detach(out), EPERM);
	close(out);
}

static void interrupt(int signal)
{
	(void)signal;
}

/* All rejected, very many: in bounded time, and a signal ends it. */
static void filter__a_long_run_of_rejected_records(void)
{
	/* The debug kernel is some twenty times slower. */
	int batches = access("/proc/lockdep", F_OK) ? 1000 : 40;
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct sigaction sa = {.sa_handler = interrupt};
	struct itimerval soon = {.it_value.tv_usec = 20000};
	static uint8_t buf[64000];
	static const char *values[1000];
	struct batch_header header = BATCH_HEADER_INIT;
	int64_t begin, end = batches * 1000;
	size_t size;

	for (int i = 0; i < 1000; i++)
		values[i] = "rejected";
	size = batch_encode(buf, &header, values, 1000);
	for (int i = 0; i < batches; i++)
		CHECK_EQ(send(in, buf, size, 0), size);
	attach_none(out);
	begin = now_ms();
	CHECK_ERRNO(recv(out, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	note("%lld records were rejected in %lld ms", (long long)end,
	     (long long)(now_ms() - begin));
	CHECK_EQ(position(out, 0), end);

	CHECK(!sigaction(SIGALRM, &sa, NULL));
	CHECK(!seek_to(out, 0, 0));
	CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
	CHECK_ERRNO(recv(out, buf, sizeof(buf), 0), EINTR);
	CHECK(position(out, 0) < end);
	close(in);
	close(out);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(filter__view_in_the_open_batch),
		TEST(filter__view_in_the_file),
		TEST(filter__null_is_not_empty),
		TEST(filter__lists_as_many_headers_as_it_can),
		TEST(filter__long_value_in_the_open_batch),
		TEST(filter__long_value_in_the_file),
		TEST(filter__records_across_pages),
		TEST(filter__records_across_segments),
		TEST(filter__loads_of_other_kinds),
		TEST(filter__compressed_batches),
		TEST(filter__stream_of_batches),
		TEST(filter__poll_tells_of_what_passes),
		TEST(filter__blocked_reader),
		TEST(filter__several_partitions_take_turns),
		TEST(filter__can_be_locked),
		TEST(filter__a_long_run_of_rejected_records),
	};

	return run_tests(tests, ARRAY_LEN(tests));
}
