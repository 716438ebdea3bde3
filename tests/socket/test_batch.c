// SPDX-License-Identifier: Apache-2.0
/* Batches through a SOCK_STREAM producer: good ones, and all that is not one. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct got got;
static uint8_t buf[1 << 17];

static off_t file_size(const struct topic *t)
{
	struct stat st;

	if (stat(topic_path(t, 0, "00000000000000000000.log"), &st))
		return -1;
	return st.st_size;
}

static void batch__good(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	size_t size = batch_simple(buf, "a", 3);

	CHECK_EQ(send(in, buf, 0, 0), 0);
	CHECK_EQ(send(in, buf, size, 0), size);
	/* Several at once; the log gives the offsets. */
	size = batch_simple(buf, "b", 1);
	size += batch_simple(buf + size, "c", 2);
	size += batch_simple(buf + size, "d", 1);
	CHECK_EQ(send(in, buf, size, 0), size);
	for (int i = 0; i < 7; i++) {
		static const char *const texts[] = {"a0", "a1", "a2", "b0", "c0", "c1", "d0"};

		CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
		CHECK(got_text(&got, texts[i]));
		CHECK_EQ(got.info.offset, i);
		CHECK_EQ(got.info.timestamp, 1700000000000);
	}
	CHECK_EQ(topic_partition(&t, 0).append_batches, 4);
	CHECK_EQ(topic_partition(&t, 0).append_records, 7);
	close(in);
	close(fd);
}

/* From several pieces of memory, cut where it hurts. */
static void batch__scattered(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	size_t one = batch_simple(buf, "a", 2), two = batch_simple(buf + one, "b", 2);
	struct iovec iov[] = {
		{buf, 1},	    {buf + 1, 15},
		{buf + 16, 45},	    {buf + 61, one - 61 + 3},
		{buf + one + 3, 0}, {buf + one + 3, two - 3},
	};

	CHECK_EQ(writev(in, iov, ARRAY_LEN(iov)), one + two);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
	CHECK(got_text(&got, "b1"));
	close(in);
	close(fd);
}

static void batch__stamped(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	uint8_t stored[256];
	size_t size = batch_simple(buf, "a", 2);

	CHECK_EQ(send(in, buf, size, 0), size);
	CHECK_EQ(send(in, buf, size, 0), size);
	CHECK_EQ(recv(fd, stored, size, MSG_WAITALL), size);
	CHECK_EQ(get_be64(stored), 0);
	CHECK_EQ(recv(fd, stored, size, MSG_WAITALL), size);
	CHECK_EQ(get_be64(stored), 2);
	CHECK_EQ((int32_t)get_be32(stored + AT_LEADER_EPOCH), topic_partition(&t, 0).leader_epoch);
	/* Offset and epoch are the log's; the rest is the producer's. */
	CHECK(!memcmp(stored + AT_MAGIC, buf + AT_MAGIC, size - AT_MAGIC));
	close(in);
	close(fd);
}

struct damage {
	const char *what;
	size_t at;
	uint64_t value;
	int bytes;
	bool fix_crc;
	int error;
};

static const struct damage damages[] = {
	{"base offset not zero", AT_BASE_OFFSET, 1, 8, false, EINVAL},
	{"length zero", AT_LENGTH, 0, 4, false, EINVAL},
	{"length of a header only, less one", AT_LENGTH, 48, 4, false, EINVAL},
	{"length negative", AT_LENGTH, 0xffffffff, 4, false, EINVAL},
	{"length larger than what is sent", AT_LENGTH, 1000, 4, false, EINVAL},
	{"length larger than the topic takes", AT_LENGTH, 2000000, 4, false, EMSGSIZE},
	{"magic 0", AT_MAGIC, 0, 1, false, EINVAL},
	{"magic 1", AT_MAGIC, 1, 1, false, EINVAL},
	{"magic 3", AT_MAGIC, 3, 1, false, EINVAL},
	{"CRC", AT_CRC, 0x12345678, 4, false, EBADMSG},
	{"a byte of a record", AT_RECORDS + 8, 'x', 1, false, EBADMSG},
	{"control batch", AT_ATTRIBUTES, 0x20, 2, true, EINVAL},
	{"unknown attributes", AT_ATTRIBUTES, 0x8000, 2, true, EINVAL},
	{"unknown compression", AT_ATTRIBUTES, 5, 2, true, EINVAL},
	{"log append time", AT_ATTRIBUTES, 8, 2, true, ETIME},
	{"no records", AT_RECORD_COUNT, 0, 4, true, EINVAL},
	{"records negative", AT_RECORD_COUNT, 0xffffffff, 4, true, EINVAL},
	{"one record too few", AT_RECORD_COUNT, 2, 4, true, EINVAL},
	{"last offset delta too large", AT_LAST_OFFSET_DELTA, 3, 4, true, EINVAL},
	{"last offset delta negative", AT_LAST_OFFSET_DELTA, 0xffffffff, 4, true, EINVAL},
	{"producer without sequence", AT_PRODUCER_ID, 7, 8, true, EINVAL},
};

static void damage(uint8_t *batch, size_t size, const struct damage *d)
{
	switch (d->bytes) {
	case 1: batch[d->at] = (uint8_t)d->value; break;
	case 2: put_be16(batch + d->at, (uint16_t)d->value); break;
	case 4: put_be32(batch + d->at, (uint32_t)d->value); break;
	default: put_be64(batch + d->at, d->value); break;
	}
	if (d->fix_crc)
		batch_fix_crc(batch, size);
}

static void batch__damaged(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	size_t size = batch_simple(buf, "good", 1);
	off_t before;

	CHECK_EQ(send(in, buf, size, 0), size);
	CHECK_EQ(receive(fd, &got, 0), 5);
	before = (off_t)topic_partition(&t, 0).size_bytes;
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		const struct damage *d = &damages[i];

		size = batch_simple(buf, "rec", 3);
		damage(buf, size, d);
		note("%s", d->what);
		CHECK_ERRNO(send(in, buf, size, 0), d->error);
		CHECK(error_text(in)[0]);
		/* Nothing of it is to be seen, by anybody. */
		CHECK_EQ(topic_partition(&t, 0).log_end_offset, 1);
		CHECK_EQ(topic_partition(&t, 0).size_bytes, before);
		CHECK_EQ(file_size(&t), before);
		CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	}
	size = batch_simple(buf, "after", 1);
	CHECK_EQ(send(in, buf, size, 0), size);
	CHECK_EQ(receive(fd, &got, 0), 6);
	CHECK_EQ(got.info.offset, 1);
	close(in);
	close(fd);
}

static void batch__cut(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	size_t size = batch_simple(buf, "rec", 3);

	for (size_t cut = 1; cut < size; cut++)
		CHECK_ERRNO(send(in, buf, cut, 0), EINVAL);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 0);
	close(in);
}

/* What came before the bad one is in the log, and said to be. */
static void batch__bad_behind_good(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	size_t one = batch_simple(buf, "a", 1), two = batch_simple(buf + one, "b", 2);
	size_t bad = batch_simple(buf + one + two, "c", 1);

	buf[one + two + AT_RECORDS + 7] ^= 1;
	CHECK_EQ(send(in, buf, one + two + bad, 0), one + two);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 3);
	/* A part of a batch at the end: the same. */
	CHECK_EQ(send(in, buf, one + 30, 0), one);
	CHECK_EQ(send(in, buf, one + 61, 0), one);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 5);
	close(in);
}

static void batch__too_large(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_MAX_MESSAGE_BYTES,
					   .max_message_bytes = 200};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_STREAM, &t, 0);
	size_t size = batch_simple(buf, "0123456789", 10);

	CHECK(size > 200);
	CHECK_ERRNO(send(in, buf, size, 0), EMSGSIZE);
	size = batch_simple(buf, "0123456789", 5);
	CHECK(size < 200);
	CHECK_EQ(send(in, buf, size, 0), size);
	close(in);
}

static void batch__no_keys_outside(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	struct record r = {.key = "k", .key_len = 1, .value = buf};

	r.value_len = batch_simple(buf, "a", 1);
	CHECK_ERRNO(send_record(in, &r, 0), EINVAL);
	close(in);
}

static ssize_t send_sequence(int fd, int64_t id, int16_t epoch, int32_t sequence, size_t n)
{
	static const char *const values[] = {"a", "b", "c", "d", "e"};
	struct batch_header h = BATCH_HEADER_INIT;
	size_t size;

	h.producer_id = id;
	h.producer_epoch = epoch;
	h.base_sequence = sequence;
	size = batch_encode(buf, &h, values, n);
	return send(fd, buf, size, 0) == (ssize_t)size ? 0 : -1;
}

static void idempotence__duplicates_and_gaps(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	struct sluice_event event;
	uint32_t receipts = SLUICE_RECEIPT_APPENDED;

	CHECK(!send_sequence(in, 1000, 0, 0, 2));
	CHECK(!send_sequence(in, 1000, 0, 2, 3));
	CHECK(!set_option(in, SLUICE_RECEIPTS, &receipts, sizeof(receipts)));
	/* A retry is answered with the offset of the first try. */
	CHECK(!send_sequence(in, 1000, 0, 0, 2));
	CHECK_EQ(read_events(in, &event, 1), 1);
	CHECK_EQ(event.offset, 0);
	CHECK(!send_sequence(in, 1000, 0, 2, 3));
	CHECK_EQ(read_events(in, &event, 1), 1);
	CHECK_EQ(event.offset, 2);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 5);
	CHECK_ERRNO(send_sequence(in, 1000, 0, 6, 1), EILSEQ);
	CHECK(!send_sequence(in, 1000, 0, 5, 1));
	CHECK_EQ(read_events(in, &event, 1), 1);
	/* A newer epoch begins at 0, and shuts the old one out. */
	CHECK_ERRNO(send_sequence(in, 1000, 1, 4, 1), EILSEQ);
	CHECK(!send_sequence(in, 1000, 1, 0, 1));
	CHECK_EQ(read_events(in, &event, 1), 1);
	CHECK_ERRNO(send_sequence(in, 1000, 0, 6, 1), ESTALE);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 7);
	CHECK_ERRNO(read_events(in, &event, 1), EAGAIN);
	close(in);
}

/* A duplicate's bytes are consumed: what follows it is appended. */
static void idempotence__duplicate_before_new(void)
{
	static const char *const values[] = {"a", "b"};
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	struct batch_header h = BATCH_HEADER_INIT;
	size_t first, size;

	h.producer_id = 5;
	h.producer_epoch = 0;
	h.base_sequence = 0;
	first = batch_encode(buf, &h, values, 2);
	CHECK_EQ(send(in, buf, first, 0), first);
	h.base_sequence = 2;
	size = first + batch_encode(buf + first, &h, values, 1);
	CHECK_EQ(send(in, buf, size, 0), size);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 3);
	close(in);
}

static void stream__any_partition_is_sticky(void)
{
	struct topic t = topic_new(5, NULL);
	int in = producer(SOCK_STREAM, &t, SLUICE_PARTITION_ANY);
	size_t size = batch_simple(buf, "a", 1);
	int used = 0;

	for (int i = 0; i < 10; i++)
		CHECK_EQ(send(in, buf, size, 0), size);
	for (uint32_t p = 0; p < 5; p++)
		used += topic_partition(&t, p).log_end_offset == 10;
	CHECK_EQ(used, 1);
	close(in);
}

/* Compressed: the module does not open it, whoever reads it does. */
static void compressed__delivered_whole(void)
{
	static const char *const values[] = {"not really gzip", "but nobody looks"};
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0), plain = producer(SOCK_SEQPACKET, &t, 0), fd;
	struct batch_header h = BATCH_HEADER_INIT;
	size_t size;

	CHECK_EQ(send_text(plain, "before"), 6);
	h.attributes = 1;
	size = batch_encode(buf, &h, values, 2);
	CHECK_EQ(send(in, buf, size, 0), size);
	CHECK_EQ(send_text(plain, "after"), 5);
	/* Also for a start inside it: the reader drops what is too early. */
	fd = consumer(SOCK_SEQPACKET, &t, 0, 2);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), size);
	CHECK_EQ(got.info.flags, SLUICE_RECORD_BATCH);
	CHECK_EQ(got.info.offset, 1);
	CHECK_EQ(got.info.timestamp, h.base_timestamp);
	CHECK(!got.has_key && !got.n_headers);
	put_be64(buf, 1);
	CHECK(!memcmp(got.value + AT_MAGIC, buf + AT_MAGIC, size - AT_MAGIC));
	CHECK_EQ(position(fd, 0), 3);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 5);
	CHECK(got_text(&got, "after"));
	close(in);
	close(plain);
	close(fd);
}

static const struct test tests[] = {
	TEST(batch__good),
	TEST(batch__scattered),
	TEST(batch__stamped),
	TEST(batch__damaged),
	TEST(batch__cut),
	TEST(batch__bad_behind_good),
	TEST(batch__too_large),
	TEST(batch__no_keys_outside),
	TEST(idempotence__duplicates_and_gaps),
	TEST(idempotence__duplicate_before_new),
	TEST(stream__any_partition_is_sticky),
	TEST(compressed__delivered_whole),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
