// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/net/sender.h"

#define FILE_BYTES 300000

struct world {
	int pair[2];
	int file;
	uint8_t *content;
	uint8_t *got;
	size_t n_got;
};

static int setup(void **state)
{
	char path[] = "/tmp/sluice-sender-XXXXXX";
	struct world *w = calloc(1, sizeof(*w));

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, w->pair), 0);
	w->file = mkstemp(path);
	unlink(path);
	w->content = malloc(FILE_BYTES);
	w->got = malloc(FILE_BYTES * 3);
	for (int i = 0; i < FILE_BYTES; i++)
		w->content[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(write(w->file, w->content, FILE_BYTES), FILE_BYTES);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	close(w->pair[0]);
	close(w->pair[1]);
	close(w->file);
	free(w->content);
	free(w->got);
	free(w);
	return 0;
}

static void drain(struct world *w)
{
	ssize_t n;

	while ((n = read(w->pair[1], w->got + w->n_got, 10000)) > 0)
		w->n_got += (size_t)n;
}

/* Push until all is sent; returns how often the socket was full. */
static int push_all(struct world *w, struct sender *s)
{
	size_t progress, total = 0;
	int full = 0;
	int ret;

	while ((ret = sender_push(s, w->pair[0], &progress)) == 0) {
		total += progress;
		full++;
		drain(w);
	}
	assert_int_equal(ret, 1);
	drain(w);
	assert_int_equal(total + progress, w->n_got);
	return full;
}

static void push__bytes_alone(void **state)
{
	struct world *w = *state;
	struct sender s = {.bytes = (const uint8_t *)"hello", .len = 5};

	assert_int_equal(push_all(w, &s), 0);
	assert_int_equal(w->n_got, 5);
	assert_memory_equal(w->got, "hello", 5);
}

static void push__files_between_bytes(void **state)
{
	struct world *w = *state;
	struct sender_range ranges[] = {
		{.before = 2, .fd = w->file, .position = 1000, .left = 250000},
		{.before = 2, .fd = w->file, .position = 5, .left = 1},
		{.before = 4, .fd = w->file, .position = 0, .left = FILE_BYTES},
	};
	struct sender s = {
		.bytes = (const uint8_t *)"abcd", .len = 4, .ranges = ranges, .n_ranges = 3};

	/* More than a socket holds: it must go on where it was. */
	assert_true(push_all(w, &s) > 0);
	assert_int_equal(w->n_got, 4 + 250000 + 1 + FILE_BYTES);
	assert_memory_equal(w->got, "ab", 2);
	assert_memory_equal(w->got + 2, w->content + 1000, 250000);
	assert_int_equal(w->got[250002], w->content[5]);
	assert_memory_equal(w->got + 250003, "cd", 2);
	assert_memory_equal(w->got + 250005, w->content, FILE_BYTES);
}

static void push__file_too_short(void **state)
{
	struct world *w = *state;
	struct sender_range range = {
		.before = 1, .fd = w->file, .position = FILE_BYTES - 10, .left = 11};
	struct sender s = {
		.bytes = (const uint8_t *)"ab", .len = 2, .ranges = &range, .n_ranges = 1};
	size_t progress;

	assert_int_equal(sender_push(&s, w->pair[0], &progress), -ENODATA);
}

static void push__peer_gone(void **state)
{
	struct world *w = *state;
	struct sender s = {.bytes = (const uint8_t *)"ab", .len = 2};
	size_t progress;

	shutdown(w->pair[1], SHUT_RD);
	assert_int_equal(sender_push(&s, w->pair[0], &progress), -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(push__bytes_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(push__files_between_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(push__file_too_short, setup, teardown),
		cmocka_unit_test_setup_teardown(push__peer_gone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
