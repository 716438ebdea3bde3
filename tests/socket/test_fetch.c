// SPDX-License-Identifier: Apache-2.0
/* What a broker asks of any socket: ranges of logs, watches, offsets by time. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct sluice_fetch fetch_of(const struct topic *t, int partition, int64_t offset,
				    uint32_t max_bytes)
{
	struct sluice_fetch f = {.partition = partition, .offset = offset, .max_bytes = max_bytes};

	memcpy(f.topic_id, t->id, sizeof(f.topic_id));
	return f;
}

/* Ten batches of two records with 61 + 2 * 9 bytes each. */
static struct topic ten_batches(uint32_t segment_bytes)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_SEGMENT_BYTES,
					   .segment_bytes = segment_bytes};
	struct topic t = topic_new(2, &config);
	int in = producer(SOCK_STREAM, &t, 0);
	uint8_t buf[256];
	size_t size = batch_simple(buf, "a", 2);

	for (int i = 0; i < 10; i++) {
		put_be64(buf + AT_BASE_TIMESTAMP, 1000 + (uint64_t)i * 10);
		put_be64(buf + AT_MAX_TIMESTAMP, 1000 + (uint64_t)i * 10);
		batch_fix_crc(buf, size);
		if (send(in, buf, size, 0) != (ssize_t)size)
			die("send: %s", error_text(in));
	}
	close(in);
	return t;
}

static void fetch__ranges(void)
{
	struct topic t = ten_batches(1 << 20);
	int fd = open_socket(SOCK_SEQPACKET);
	const uint32_t size = (uint32_t)topic_partition(&t, 0).size_bytes / 10;
	struct sluice_fetch f[] = {
		fetch_of(&t, 0, 0, 1 << 20),  fetch_of(&t, 0, 5, 1 << 20),
		fetch_of(&t, 0, 19, 1 << 20), fetch_of(&t, 0, 20, 1 << 20),
		fetch_of(&t, 0, 4, size + 5), fetch_of(&t, 1, 0, 100),
	};

	CHECK(!get_option(fd, SLUICE_FETCH, f, sizeof(f)));
	for (size_t i = 0; i < ARRAY_LEN(f); i++) {
		CHECK_EQ(f[i].error, 0);
		CHECK_EQ(f[i].log_start_offset, 0);
		CHECK_EQ(f[i].high_watermark, i < 5 ? 20 : 0);
		CHECK_EQ(f[i].last_stable_offset, i < 5 ? 20 : 0);
		CHECK_EQ(f[i].log_end_offset, i < 5 ? 20 : 0);
		CHECK_EQ(f[i].leader_epoch, topic_partition(&t, 0).leader_epoch);
	}
	CHECK_EQ(f[0].position, 0);
	CHECK_EQ(f[0].bytes, size * 10);
	CHECK_EQ(f[0].segment_base_offset, 0);
	/* Offset 5 is the second record of the third batch. */
	CHECK_EQ(f[1].position, size * 2);
	CHECK_EQ(f[1].bytes, size * 8);
	CHECK_EQ(f[2].position, size * 9);
	CHECK_EQ(f[2].bytes, size);
	CHECK_EQ(f[3].bytes, 0);
	CHECK_EQ(f[4].position, size * 2);
	CHECK_EQ(f[4].bytes, size + 5);
	CHECK_EQ(f[5].bytes, 0);
	close(fd);
}

static void fetch__names_the_file(void)
{
	struct topic t = ten_batches(300);
	int fd = open_socket(SOCK_STREAM);

	CHECK(topic_partition(&t, 0).segments > 2);
	for (int64_t offset = 0; offset < 20; offset++) {
		struct sluice_fetch f = fetch_of(&t, 0, offset, 1 << 20);
		struct stat st;
		uint8_t header[61];
		char name[32];
		int file;

		CHECK(!get_option(fd, SLUICE_FETCH, &f, sizeof(f)));
		snprintf(name, sizeof(name), "%020lld.log", (long long)f.segment_base_offset);
		file = open(topic_path(&t, 0, name), O_RDONLY | O_CLOEXEC);
		CHECK(file >= 0);
		CHECK(!fstat(file, &st));
		CHECK_EQ(f.inode, st.st_ino);
		CHECK_EQ(pread(file, header, 61, f.position), 61);
		CHECK_EQ(get_be64(header), offset & ~1);
		CHECK(lseek(file, 0, SEEK_END) >= f.position + f.bytes);
		close(file);
	}
	close(fd);
}

static void fetch__min_one(void)
{
	struct topic t = ten_batches(1 << 20);
	int fd = open_socket(SOCK_SEQPACKET);
	const uint32_t size = (uint32_t)topic_partition(&t, 0).size_bytes / 10;
	struct sluice_fetch f = fetch_of(&t, 0, 2, 10);

	CHECK(!get_option(fd, SLUICE_FETCH, &f, sizeof(f)));
	CHECK_EQ(f.bytes, 10);
	f = fetch_of(&t, 0, 2, 10);
	f.flags = SLUICE_FETCH_MIN_ONE;
	CHECK(!get_option(fd, SLUICE_FETCH, &f, sizeof(f)));
	CHECK_EQ(f.bytes, size);
	f = fetch_of(&t, 0, 2, 0);
	CHECK(!get_option(fd, SLUICE_FETCH, &f, sizeof(f)));
	CHECK_EQ(f.error, 0);
	CHECK_EQ(f.bytes, 0);
	close(fd);
}

/* With nothing open and no replicas the three bounds are the same. */
static void fetch__bounds(void)
{
	const uint32_t flags[] = {0, SLUICE_FETCH_COMMITTED, SLUICE_FETCH_LOG_END,
				  SLUICE_FETCH_COMMITTED | SLUICE_FETCH_MIN_ONE};
	struct topic t = ten_batches(1 << 20);
	int fd = open_socket(SOCK_SEQPACKET);
	const uint32_t size = (uint32_t)topic_partition(&t, 0).size_bytes / 10;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		struct sluice_fetch f[] = {fetch_of(&t, 0, 6, 1 << 20), fetch_of(&t, 0, 20, 100)};

		f[0].flags = flags[i];
		f[1].flags = flags[i];
		CHECK(!get_option(fd, SLUICE_FETCH, f, sizeof(f)));
		CHECK_EQ(f[0].error, 0);
		CHECK_EQ(f[0].bytes, size * 7);
		CHECK_EQ(f[0].end_offset, flags[i] & SLUICE_FETCH_COMMITTED ? 20 : -1);
		CHECK_EQ(f[1].error, 0);
		CHECK_EQ(f[1].bytes, 0);
		CHECK_EQ(f[1].inode, 0);
		CHECK_EQ(f[1].end_offset, -1);
	}
	close(fd);
}

static void fetch__errors_by_element(void)
{
	struct topic t = ten_batches(1 << 20);
	int fd = open_socket(SOCK_SEQPACKET);
	struct sluice_fetch f[] = {
		fetch_of(&t, 2, 0, 100),  fetch_of(&t, -1, 0, 100), fetch_of(&t, 0, 21, 100),
		fetch_of(&t, 0, -1, 100), fetch_of(&t, 0, 0, 100),  fetch_of(&t, 0, 0, 100),
		fetch_of(&t, 0, 0, 100),  fetch_of(&t, 0, 0, 100),  fetch_of(&t, 0, 0, 100),
	};

	f[4].topic_id[0] ^= 1;
	f[5].flags = 8;
	f[8].flags = SLUICE_FETCH_COMMITTED | SLUICE_FETCH_LOG_END;
	CHECK(!get_option(fd, SLUICE_FETCH, f, sizeof(f)));
	CHECK_EQ(f[0].error, -ENOENT);
	CHECK_EQ(f[0].high_watermark, -1);
	CHECK_EQ(f[0].segment_base_offset, -1);
	CHECK_EQ(f[0].position, -1);
	CHECK_EQ(f[0].bytes, 0);
	CHECK_EQ(f[1].error, -ENOENT);
	CHECK_EQ(f[2].error, -ERANGE);
	CHECK_EQ(f[2].high_watermark, 20);
	CHECK_EQ(f[2].log_start_offset, 0);
	CHECK_EQ(f[2].position, -1);
	CHECK_EQ(f[3].error, -ERANGE);
	CHECK_EQ(f[4].error, -ENOENT);
	CHECK_EQ(f[5].error, -EINVAL);
	CHECK_EQ(f[6].error, 0);
	CHECK_EQ(f[7].error, 0);
	CHECK_EQ(f[8].error, -EINVAL);
	CHECK_EQ(f[8].inode, 0);
	close(fd);
}

static void fetch__array_sizes(void)
{
	struct topic t = ten_batches(1 << 20);
	int fd = open_socket(SOCK_SEQPACKET);
	const size_t n = 1000;
	struct sluice_fetch *f = calloc(65537, sizeof(*f));

	CHECK(f);
	for (size_t i = 0; i < n; i++)
		f[i] = fetch_of(&t, 0, (int64_t)(i % 20), 100);
	CHECK(!get_option(fd, SLUICE_FETCH, f, n * sizeof(*f)));
	for (size_t i = 0; i < n; i++)
		CHECK(!f[i].error && f[i].bytes);
	CHECK_ERRNO(get_option(fd, SLUICE_FETCH, f, 0), EINVAL);
	CHECK_ERRNO(get_option(fd, SLUICE_FETCH, f, sizeof(*f) + 1), EINVAL);
	CHECK_ERRNO(get_option(fd, SLUICE_FETCH, f, 65537 * sizeof(*f)), EMSGSIZE);
	free(f);
	close(fd);
}

static int watch(int fd, const struct topic *t, int partition, int64_t offset, uint64_t cookie)
{
	struct sluice_watch w = {.partition = partition, .offset = offset, .cookie = cookie};

	memcpy(w.topic_id, t->id, sizeof(w.topic_id));
	return set_option(fd, SLUICE_WATCH, &w, sizeof(w));
}

static int unwatch(int fd, const struct topic *t, int partition)
{
	struct sluice_watch w = {.partition = partition, .flags = SLUICE_WATCH_REMOVE};

	memcpy(w.topic_id, t->id, sizeof(w.topic_id));
	return set_option(fd, SLUICE_WATCH, &w, sizeof(w));
}

static void watch__fires_once(void)
{
	struct topic t = topic_new(2, NULL);
	int fd = open_socket(SOCK_SEQPACKET), in = producer(SOCK_SEQPACKET, &t, 1);
	struct pollfd pfd = {.fd = fd};
	struct sluice_event events[2];

	CHECK(!watch(fd, &t, 1, 0, 9));
	CHECK(!watch(fd, &t, 0, 0, 8));
	CHECK_EQ(poll(&pfd, 1, 0), 0);
	CHECK_ERRNO(read_events(fd, events, 2), EAGAIN);
	CHECK_EQ(send_text(in, "a"), 1);
	CHECK_EQ(poll(&pfd, 1, 5000), 1);
	CHECK_EQ(pfd.revents, POLLERR);
	CHECK_EQ(send_text(in, "b"), 1);
	CHECK_EQ(read_events(fd, events, 2), 1);
	CHECK_EQ(events[0].type, SLUICE_EVENT_WATCH);
	CHECK_EQ(events[0].error, 0);
	CHECK_EQ(events[0].cookie, 9);
	CHECK_EQ(events[0].partition, 1);
	CHECK_EQ(events[0].offset, 2);
	CHECK_EQ(events[0].log_start_offset, 0);
	CHECK_EQ(events[0].timestamp, -1);
	CHECK(!memcmp(events[0].topic_id, t.id, sizeof(t.id)));
	CHECK_EQ(send_text(in, "c"), 1);
	CHECK_ERRNO(read_events(fd, events, 2), EAGAIN);
	close(fd);
	close(in);
}

static void watch__at_once_if_it_is(void)
{
	struct topic t = ten_batches(1 << 20);
	int fd = open_socket(SOCK_SEQPACKET);
	struct sluice_event event;

	CHECK(!watch(fd, &t, 0, 19, 1));
	CHECK_EQ(read_events(fd, &event, 1), 1);
	CHECK_EQ(event.offset, 20);
	CHECK(!watch(fd, &t, 0, 20, 2));
	CHECK_ERRNO(read_events(fd, &event, 1), EAGAIN);
	close(fd);
}

/* Set again: moved, and an unread event of it is taken back. */
static void watch__set_again(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = open_socket(SOCK_SEQPACKET), in = producer(SOCK_SEQPACKET, &t, 0);
	struct sluice_event events[4];

	CHECK(!watch(fd, &t, 0, 0, 1));
	CHECK_EQ(send_text(in, "a"), 1);
	CHECK(!watch(fd, &t, 0, 2, 2));
	CHECK_ERRNO(read_events(fd, events, 4), EAGAIN);
	CHECK_EQ(send_text(in, "b"), 1);
	CHECK_ERRNO(read_events(fd, events, 4), EAGAIN);
	CHECK_EQ(send_text(in, "c"), 1);
	CHECK_EQ(read_events(fd, events, 4), 1);
	CHECK_EQ(events[0].cookie, 2);
	/* Removed before, and after it fired. */
	CHECK(!watch(fd, &t, 0, 3, 3));
	CHECK(!unwatch(fd, &t, 0));
	CHECK_ERRNO(unwatch(fd, &t, 0), ENOENT);
	CHECK_EQ(send_text(in, "d"), 1);
	CHECK(!watch(fd, &t, 0, 3, 4));
	CHECK(!unwatch(fd, &t, 0));
	CHECK_ERRNO(read_events(fd, events, 4), EAGAIN);
	close(fd);
	close(in);
}

static void watch__refused(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = open_socket(SOCK_SEQPACKET);
	struct sluice_watch w = {.flags = 2};

	memcpy(w.topic_id, t.id, sizeof(w.topic_id));
	CHECK_ERRNO(watch(fd, &t, 1, 0, 0), ENOENT);
	CHECK_ERRNO(watch(fd, &t, -1, 0, 0), ENOENT);
	CHECK_ERRNO(set_option(fd, SLUICE_WATCH, &w, sizeof(w)), EINVAL);
	CHECK_ERRNO(set_option(fd, SLUICE_WATCH, &w, sizeof(w) - 1), EINVAL);
	CHECK_ERRNO(set_option(fd, SLUICE_WATCH, &w, 0), EINVAL);
	close(fd);
}

static void watch__array_and_close(void)
{
	struct topic t = topic_new(64, NULL);
	int fd = open_socket(SOCK_SEQPACKET), in = producer(SOCK_SEQPACKET, &t, 5);
	struct sluice_watch w[64];
	struct sluice_event events[64];

	for (int i = 0; i < 64; i++) {
		w[i] = (struct sluice_watch){.partition = 63 - i, .cookie = (uint64_t)i};
		memcpy(w[i].topic_id, t.id, sizeof(t.id));
	}
	CHECK(!set_option(fd, SLUICE_WATCH, w, sizeof(w)));
	CHECK_EQ(send_text(in, "x"), 1);
	CHECK_EQ(read_events(fd, events, 64), 1);
	CHECK_EQ(events[0].cookie, 63 - 5);
	CHECK(!set_option(fd, SLUICE_WATCH, w, sizeof(w)));
	/* 63 armed, one fired and unread. */
	close(fd);
	CHECK_EQ(send_text(in, "y"), 1);
	close(in);
}

static void watch__partition_goes_away(void)
{
	struct topic t = topic_new(2, NULL);
	int fd = open_socket(SOCK_SEQPACKET);
	struct sluice_event events[4];
	struct sluice_watch w = {.partition = 1, .flags = SLUICE_WATCH_REMOVE};

	memcpy(w.topic_id, t.id, sizeof(w.topic_id));
	CHECK(!watch(fd, &t, 0, 100, 5));
	CHECK(!watch(fd, &t, 1, 100, 6));
	topic_delete(&t);
	/* One is read, one removed although its topic is gone. */
	CHECK(!set_option(fd, SLUICE_WATCH, &w, sizeof(w)));
	CHECK_EQ(read_events(fd, events, 4), 1);
	CHECK_EQ(events[0].cookie, 5);
	CHECK_EQ(events[0].error, -ENODEV);
	CHECK_EQ(events[0].offset, -1);
	CHECK_ERRNO(watch(fd, &t, 0, 0, 0), ENOENT);
	close(fd);
}

static int64_t offset_for_time(int fd, const struct topic *t, int64_t time, int64_t *ret_time)
{
	struct sluice_offset_for_time oft = {.timestamp = time};

	memcpy(oft.topic_id, t->id, sizeof(oft.topic_id));
	if (get_option(fd, SLUICE_OFFSET_FOR_TIME, &oft, sizeof(oft)))
		return -errno;
	*ret_time = oft.timestamp;
	return oft.offset;
}

static void offset_for_time__finds(void)
{
	struct topic t = ten_batches(300);
	int fd = open_socket(SOCK_SEQPACKET);
	int64_t time = 0;

	CHECK_EQ(offset_for_time(fd, &t, 0, &time), 0);
	CHECK_EQ(time, 1000);
	CHECK_EQ(offset_for_time(fd, &t, 1000, &time), 0);
	CHECK_EQ(offset_for_time(fd, &t, 1001, &time), 2);
	CHECK_EQ(time, 1010);
	CHECK_EQ(offset_for_time(fd, &t, 1055, &time), 12);
	CHECK_EQ(time, 1060);
	CHECK_EQ(offset_for_time(fd, &t, 1090, &time), 18);
	CHECK_EQ(offset_for_time(fd, &t, 1091, &time), -1);
	CHECK_EQ(time, -1);
	close(fd);
}

static void offset_for_time__refused(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = open_socket(SOCK_SEQPACKET);
	struct sluice_offset_for_time oft = {.partition = 1};

	memcpy(oft.topic_id, t.id, sizeof(oft.topic_id));
	CHECK_ERRNO(get_option(fd, SLUICE_OFFSET_FOR_TIME, &oft, sizeof(oft)), ENOENT);
	oft.partition = 0;
	oft.reserved = 1;
	CHECK_ERRNO(get_option(fd, SLUICE_OFFSET_FOR_TIME, &oft, sizeof(oft)), EINVAL);
	CHECK_ERRNO(get_option(fd, SLUICE_OFFSET_FOR_TIME, &oft, 8), EINVAL);
	oft.reserved = 0;
	CHECK(!get_option(fd, SLUICE_OFFSET_FOR_TIME, &oft, sizeof(oft)));
	CHECK_EQ(oft.offset, -1);
	close(fd);
}

static const struct test tests[] = {
	TEST(fetch__ranges),
	TEST(fetch__names_the_file),
	TEST(fetch__min_one),
	TEST(fetch__bounds),
	TEST(fetch__errors_by_element),
	TEST(fetch__array_sizes),
	TEST(watch__fires_once),
	TEST(watch__at_once_if_it_is),
	TEST(watch__set_again),
	TEST(watch__refused),
	TEST(watch__array_and_close),
	TEST(watch__partition_goes_away),
	TEST(offset_for_time__finds),
	TEST(offset_for_time__refused),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
