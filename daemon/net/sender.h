/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends one answer on a TCP socket: bytes in memory, with ranges of files
 * between them that never pass through memory.
 */
#ifndef SLUICE_NET_SENDER_H
#define SLUICE_NET_SENDER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct sender_range - bytes of a file that go between bytes of memory
 * @before: they come before the byte at this position of the memory
 * @fd: the file; stays open until the answer is sent
 * @position: first byte in the file; moves on as they are sent
 * @left: how many are still to be sent
 */
struct sender_range {
	size_t before;
	int fd;
	off_t position;
	size_t left;
};

/**
 * struct sender - an answer on its way; zero is none
 * @bytes: borrowed, @len of them; @sent so far
 * @ranges: borrowed, @n_ranges in order of @before; the first @at are sent
 */
struct sender {
	const uint8_t *bytes;
	size_t len;
	size_t sent;
	struct sender_range *ranges;
	size_t n_ranges;
	size_t at;
};

/**
 * sender_push - send as much as the socket takes
 * @ret_progress: bytes that went out in this call
 * Returns 1 when all is sent, 0 when the socket is full, or -errno. -ENODATA:
 * a file ended too early, and the connection must be closed, for the length
 * that was announced is wrong.
 */
int sender_push(struct sender *s, int fd, size_t *ret_progress);

#endif /* SLUICE_NET_SENDER_H */
