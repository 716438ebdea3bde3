// SPDX-License-Identifier: Apache-2.0
/* What those notice of a truncation who read, wait or hold bytes of the log. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct got got;

static int truncate_to(const struct topic *t, int64_t offset)
{
	return kern_partition_truncate(test_kern(), t->name, 0, offset);
}

/* Records from..to-1, each a batch of its own, with a value that tells @life. */
static void fill(const struct topic *t, int from, int to, char life)
{
	int fd = producer(SOCK_SEQPACKET, t, 0);
	char value[16];

	for (int i = from; i < to; i++) {
		snprintf(value, sizeof(value), "%c%d", life, i);
		CHECK_EQ(send_text(fd, value), strlen(value));
		CHECK_EQ(flush_topic(fd, t), 0);
	}
	close(fd);
}

static bool next_is(int fd, int64_t offset, const char *value)
{
	return receive(fd, &got, MSG_DONTWAIT) >= 0 && got.info.offset == offset &&
	       got_text(&got, value);
}

static void truncate__below_the_cut_nothing_changes(void)
{
	struct topic t = topic_new(1, NULL);
	int fd;

	fill(&t, 0, 6, 'a');
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	CHECK(next_is(fd, 0, "a0"));
	CHECK_EQ(truncate_to(&t, 3), 0);
	CHECK(next_is(fd, 1, "a1"));
	CHECK(next_is(fd, 2, "a2"));
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	fill(&t, 3, 5, 'b');
	CHECK(next_is(fd, 3, "b3"));
	CHECK(next_is(fd, 4, "b4"));
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	close(fd);
	topic_delete(&t);
}

static void truncate__above_the_cut_a_reader_is_told_once(void)
{
	struct topic t = topic_new(1, NULL);
	int fd;

	fill(&t, 0, 6, 'a');
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	for (int i = 0; i < 5; i++)
		CHECK(receive(fd, &got, MSG_DONTWAIT) >= 0);
	CHECK_EQ(truncate_to(&t, 2), 0);
	/* As long as it was before: the offsets alone would not tell. */
	fill(&t, 2, 8, 'b');
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), ERANGE);
	CHECK(strstr(error_text(fd), "truncated"));
	for (int i = 2; i < 8; i++) {
		char value[16];

		snprintf(value, sizeof(value), "b%d", i);
		CHECK(next_is(fd, i, value));
	}
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	close(fd);
	topic_delete(&t);
}

/* Of several the lowest counts. */
static void truncate__twice_before_the_reader_looks(void)
{
	struct topic t = topic_new(1, NULL);
	int fd;

	fill(&t, 0, 6, 'a');
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_LATEST);
	CHECK_EQ(truncate_to(&t, 1), 0);
	fill(&t, 1, 9, 'b');
	CHECK_EQ(truncate_to(&t, 7), 0);
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), ERANGE);
	CHECK(next_is(fd, 1, "b1"));
	close(fd);
	topic_delete(&t);
}

static void truncate__a_seek_forgets_it(void)
{
	struct topic t = topic_new(1, NULL);
	int fd;

	fill(&t, 0, 6, 'a');
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_LATEST);
	CHECK_EQ(truncate_to(&t, 4), 0);
	CHECK_EQ(seek_to(fd, 0, 3), 0);
	CHECK(next_is(fd, 3, "a3"));
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(seek_to(fd, 0, 5), ERANGE);
	close(fd);
	topic_delete(&t);
}

/* A seek that is refused changes nothing: the reader is still to be told. */
static void truncate__a_seek_that_fails_does_not_forget_it(void)
{
	struct topic t = topic_new(1, NULL);
	int fd;

	fill(&t, 0, 6, 'a');
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_LATEST);
	CHECK_EQ(truncate_to(&t, 4), 0);
	CHECK_ERRNO(seek_to(fd, 0, 5), ERANGE);
	fill(&t, 4, 8, 'b');
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), ERANGE);
	CHECK(next_is(fd, 4, "b4"));
	close(fd);
	topic_delete(&t);
}

static void truncate__what_was_peeked_at_is_gone(void)
{
	struct topic t = topic_new(1, NULL);
	int fd;

	fill(&t, 0, 4, 'a');
	fd = consumer(SOCK_SEQPACKET, &t, 0, 2);
	CHECK(receive(fd, &got, MSG_DONTWAIT | MSG_PEEK) >= 0);
	CHECK(got_text(&got, "a2"));
	CHECK_EQ(truncate_to(&t, 2), 0);
	/* It was not received, so there is nothing to tell. */
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	fill(&t, 2, 3, 'b');
	CHECK(next_is(fd, 2, "b2"));
	close(fd);
	topic_delete(&t);
}

/* Records in memory alone go like the others. */
static void truncate__in_the_open_batch(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_LINGER_MS, .linger_ms = 60000};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);

	for (int i = 0; i < 4; i++)
		CHECK_EQ(send_text(in, "open"), 4);
	CHECK(next_is(fd, 0, "open"));
	CHECK(next_is(fd, 1, "open"));
	CHECK_EQ(truncate_to(&t, 2), 0);
	/* They were in one batch, and that goes whole. */
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), ERANGE);
	CHECK_EQ(position(fd, 0), 0);
	CHECK_EQ(send_text(in, "again"), 5);
	CHECK(next_is(fd, 0, "again"));
	close(in);
	close(fd);
	topic_delete(&t);
}

static void *truncate_soon(void *arg)
{
	usleep(200000);
	truncate_to(arg, 2);
	return NULL;
}

static void truncate__wakes_who_waits_above(void)
{
	struct topic t = topic_new(1, NULL);
	struct pollfd pfd = {.events = POLLIN};
	pthread_t thread;

	fill(&t, 0, 5, 'a');
	pfd.fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_LATEST);
	CHECK_EQ(poll(&pfd, 1, 0), 0);
	pthread_create(&thread, NULL, truncate_soon, &t);
	CHECK_EQ(poll(&pfd, 1, 20000), 1);
	pthread_join(thread, NULL);
	CHECK_ERRNO(receive(pfd.fd, &got, 0), ERANGE);
	CHECK_EQ(position(pfd.fd, 0), 2);
	CHECK_EQ(poll(&pfd, 1, 0), 0);
	close(pfd.fd);

	fill(&t, 2, 5, 'b');
	pfd.fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_LATEST);
	pthread_create(&thread, NULL, truncate_soon, &t);
	CHECK_ERRNO(receive(pfd.fd, &got, 0), ERANGE);
	pthread_join(thread, NULL);
	close(pfd.fd);
	topic_delete(&t);
}

/* Bytes of a batch are those of one batch, whatever became of it. */
static void truncate__inside_a_batch_of_a_stream(void)
{
	static uint8_t whole[4096], bytes[4096];
	struct topic t = topic_new(1, NULL);
	ssize_t size;
	int fd, in;

	fill(&t, 0, 4, 'a');
	fd = consumer(SOCK_STREAM, &t, 0, 1);
	size = recv(fd, whole, sizeof(whole), MSG_DONTWAIT | MSG_PEEK);
	CHECK(size > AT_RECORDS);
	in = consumer(SOCK_STREAM, &t, 0, 1);

	/* The batch stays, another file holds it. */
	CHECK_EQ(recv(fd, bytes, 20, MSG_DONTWAIT), 20);
	CHECK_EQ(truncate_to(&t, 2), 0);
	fill(&t, 2, 4, 'b');
	CHECK_EQ(recv(fd, bytes + 20, (size_t)size - 20, MSG_DONTWAIT), size - 20);
	CHECK(!memcmp(bytes, whole, (size_t)size));
	CHECK(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > AT_RECORDS);
	CHECK(memmem(bytes, sizeof(bytes), "b2", 2));

	/* The batch goes: what was received of it is worth nothing. */
	CHECK_EQ(recv(in, bytes, 20, MSG_DONTWAIT), 20);
	CHECK_EQ(truncate_to(&t, 1), 0);
	fill(&t, 1, 2, 'c');
	CHECK_ERRNO(recv(in, bytes, sizeof(bytes), MSG_DONTWAIT), ERANGE);
	CHECK(recv(in, bytes, sizeof(bytes), MSG_DONTWAIT) > AT_RECORDS);
	CHECK(memmem(bytes, sizeof(bytes), "c1", 2));
	close(in);
	close(fd);
	topic_delete(&t);
}

static void truncate__bytes_in_a_pipe_stay(void)
{
	static uint8_t want[4096], bytes[4096];
	struct topic t = topic_new(1, NULL);
	ssize_t size;
	int fd, pipes[2];

	fill(&t, 0, 1, 'a');
	fd = consumer(SOCK_STREAM, &t, 0, 0);
	size = recv(fd, want, sizeof(want), MSG_DONTWAIT | MSG_PEEK);
	CHECK(size > AT_RECORDS);
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(splice(fd, NULL, pipes[1], NULL, 4096, SPLICE_F_NONBLOCK), size);
	CHECK_EQ(truncate_to(&t, 0), 0);
	fill(&t, 0, 1, 'b');
	CHECK_EQ(read(pipes[0], bytes, sizeof(bytes)), size);
	CHECK(!memcmp(bytes, want, (size_t)size));
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
	topic_delete(&t);
}

static void truncate__a_watch_above_fires(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = open_socket(SOCK_STREAM);
	struct sluice_watch watch = {.offset = 5, .cookie = 7};
	struct sluice_event event;

	fill(&t, 0, 5, 'a');
	memcpy(watch.topic_id, t.id, sizeof(watch.topic_id));
	CHECK_EQ(set_option(fd, SLUICE_WATCH, &watch, sizeof(watch)), 0);
	CHECK_EQ(truncate_to(&t, 3), 0);
	CHECK(wait_event(fd, &event));
	CHECK_EQ(event.error, -ESTALE);
	CHECK_EQ(event.cookie, 7);
	watch.offset = 3;
	CHECK_EQ(set_option(fd, SLUICE_WATCH, &watch, sizeof(watch)), 0);
	CHECK_ERRNO(read_events(fd, &event, 1), EAGAIN);
	fill(&t, 3, 4, 'b');
	CHECK(wait_event(fd, &event));
	CHECK_EQ(event.error, 0);
	close(fd);
	topic_delete(&t);
}

static struct {
	const struct topic *t;
	bool stop;
	int appended;
	int truncated;
	int told;
	int received;
	const char *wrong;
} race;

static void *race_append(void *arg)
{
	int fd = producer(SOCK_SEQPACKET, race.t, 0);

	(void)arg;
	while (!__atomic_load_n(&race.stop, __ATOMIC_RELAXED)) {
		char text[24];

		snprintf(text, sizeof(text), "%d", race.appended);
		if (send_text(fd, text) < 0) {
			race.wrong = "an append failed";
			break;
		}
		race.appended++;
	}
	close(fd);
	return NULL;
}

/*
 * Values grow in the order of the appends, and after a truncation the offsets
 * are given anew. So between two errors the offsets have no gap and the values grow;
 * behind an error reading goes on at or below where it was.
 */
static void *race_read(void *arg)
{
	static struct got mine;
	int fd = consumer(SOCK_SEQPACKET, race.t, 0, SLUICE_OFFSET_EARLIEST);
	int64_t next = 0;

	(void)arg;
	while (!__atomic_load_n(&race.stop, __ATOMIC_RELAXED) && !race.wrong) {
		if (receive(fd, &mine, MSG_DONTWAIT) >= 0) {
			if (mine.info.offset != next)
				race.wrong = "an offset was passed over or came twice";
			next = mine.info.offset + 1;
			race.received++;
		} else if (errno == ERANGE) {
			int64_t now = position(fd, 0);

			if (now >= next)
				race.wrong = "told of a truncation that took nothing away";
			next = now;
			race.told++;
		} else if (errno != EAGAIN) {
			race.wrong = "receiving failed";
		}
	}
	close(fd);
	return NULL;
}

static void truncate__beside_appends_and_readers(void)
{
	struct kern_topic_config config = {
		.set = KERN_CONFIG_SEGMENT_BYTES | KERN_CONFIG_FILE_DELETE_DELAY_MS,
		.segment_bytes = 16384,
	};
	struct topic t = topic_new(1, &config);
	int64_t until = now_ms() + 4000;
	pthread_t threads[3];

	memset(&race, 0, sizeof(race));
	race.t = &t;
	pthread_create(&threads[0], NULL, race_append, NULL);
	pthread_create(&threads[1], NULL, race_read, NULL);
	while (now_ms() < until && !race.wrong) {
		int64_t end = topic_partition(&t, 0).log_end_offset;

		if (truncate_to(&t, end > 30 ? end - 30 : 0))
			race.wrong = "a truncation failed";
		race.truncated++;
	}
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	note("%d appended, %d truncations, told %d times, %d received", race.appended,
	     race.truncated, race.told, race.received);
	if (race.wrong)
		note("%s", race.wrong);
	CHECK(!race.wrong);
	CHECK(race.truncated > 3 && race.received > 0);
	CHECK_EQ(topic_partition(&t, 0).state, 0);
	topic_delete(&t);
}

/* Receipts: those above the cut say so, whenever it comes; no other does. */
static void truncate__receipts_that_wait(void)
{
	struct topic t = topic_new(1, NULL);
	struct sluice_receipt_request request = {.when = SLUICE_RECEIPT_DURABLE};
	struct record r = {.value = "x", .value_len = 1, .receipt = &request};
	int fd = producer(SOCK_SEQPACKET, &t, 0), stale = 0;
	struct sluice_event event;

	for (int round = 0; round < 20; round++) {
		int64_t begin = topic_partition(&t, 0).log_end_offset;

		for (int i = 0; i < 8; i++) {
			request.cookie = (uint64_t)i;
			CHECK_EQ(send_record(fd, &r, 0), 1);
			if (i == 3)
				CHECK_EQ(flush_topic(fd, &t), 0);
		}
		CHECK_EQ(truncate_to(&t, begin + 4), 0);
		for (int i = 0; i < 8; i++) {
			CHECK(wait_event(fd, &event));
			CHECK_EQ(event.offset, begin + (int)event.cookie);
			CHECK(!event.error || event.error == -ESTALE);
			/* What stayed was made durable, and not by chance. */
			CHECK(!event.error || event.cookie >= 4);
			stale += event.error == -ESTALE;
		}
		CHECK_ERRNO(read_events(fd, &event, 1), EAGAIN);
	}
	note("%d of 80 receipts of what went had to wait for it", stale);
	close(fd);
	topic_delete(&t);
}

static void truncate__refusals(void)
{
	struct topic t = topic_new(1, NULL);

	fill(&t, 0, 2, 'a');
	CHECK_EQ(truncate_to(&t, -1), -EINVAL);
	CHECK_EQ(truncate_to(&t, INT64_MAX), -EINVAL);
	CHECK_EQ(kern_partition_truncate(test_kern(), t.name, 1, 0), -ENOENT);
	CHECK_EQ(truncate_to(&t, 2), 0);
	CHECK_EQ(truncate_to(&t, 100), 0);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 2);
	topic_delete(&t);
}

static void truncate__is_another_generation(void)
{
	struct topic t = topic_new(1, NULL);
	uint64_t before;

	fill(&t, 0, 2, 'a');
	before = topic_partition(&t, 0).generation;
	fill(&t, 2, 3, 'a');
	CHECK(topic_partition(&t, 0).generation == before);
	CHECK_EQ(truncate_to(&t, 1), 0);
	CHECK(topic_partition(&t, 0).generation != before);
	CHECK_EQ(kern_partition_replace(test_kern(), t.name, 0, before, 0, 0), -ESTALE);
	before = topic_partition(&t, 0).generation;
	/* The active segment is not one to be replaced. */
	CHECK_EQ(kern_partition_replace(test_kern(), t.name, 0, before, 0, 0), -EINVAL);
	CHECK_EQ(kern_partition_replace(test_kern(), t.name, 0, before, 5, 0), -EINVAL);
	topic_delete(&t);
}

static const struct test tests[] = {
	TEST(truncate__below_the_cut_nothing_changes),
	TEST(truncate__above_the_cut_a_reader_is_told_once),
	TEST(truncate__twice_before_the_reader_looks),
	TEST(truncate__a_seek_forgets_it),
	TEST(truncate__a_seek_that_fails_does_not_forget_it),
	TEST(truncate__what_was_peeked_at_is_gone),
	TEST(truncate__in_the_open_batch),
	TEST(truncate__wakes_who_waits_above),
	TEST(truncate__inside_a_batch_of_a_stream),
	TEST(truncate__bytes_in_a_pipe_stay),
	TEST(truncate__a_watch_above_fires),
	TEST(truncate__beside_appends_and_readers),
	TEST(truncate__receipts_that_wait),
	TEST(truncate__refusals),
	TEST(truncate__is_another_generation),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
