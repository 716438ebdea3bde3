// SPDX-License-Identifier: Apache-2.0
/* The tracepoints, as perf or bpftrace would see them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define TRACING "/sys/kernel/tracing/"

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	bool fine = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return fine;
}

/* Lines of the trace that have both words. */
static int traced(const char *event, const char *words)
{
	FILE *f = fopen(TRACING "trace", "re");
	char line[1024];
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, event) && strstr(line, words);
	if (f)
		fclose(f);
	return n;
}

static void trace__append_fetch_roll_flush(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_SEGMENT_BYTES, .segment_bytes = 400};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct sluice_flush flush = {.partition = 0};
	char words[400], byte;

	if (!write_file(TRACING "events/sluice/enable", "1")) {
		skip_test("no tracefs");
		return;
	}
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(send_text(in, "x"), 1);
		CHECK_EQ(recv(out, &byte, 1, 0), 1);
	}
	CHECK(!set_option(in, SLUICE_FLUSH, &flush, sizeof(flush)));
	write_file(TRACING "events/sluice/enable", "0");
	snprintf(words, sizeof(words), "topic=%s partition=0 base_offset=", t.name);
	CHECK_EQ(traced("sluice_append:", words), 10);
	CHECK_EQ(traced("sluice_roll:", words), topic_partition(&t, 0).rolls);
	snprintf(words, sizeof(words), "topic=%s partition=0 offset=7 ", t.name);
	CHECK(traced("sluice_fetch:", words) >= 1);
	snprintf(words, sizeof(words), "topic=%s partition=0 recovery_point=10 err=0", t.name);
	CHECK(traced("sluice_flush:", words) >= 1);
	close(in);
	close(out);
}

static const struct test tests[] = {
	TEST(trace__append_fetch_roll_flush),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
