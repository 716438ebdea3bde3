/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the family, and records through them, as a program would do it. */
#ifndef TESTS_SOCKET_RECORD_H
#define TESTS_SOCKET_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <linux/sluice.h>
#include "tests/socket/topic.h"

/** family() - the number the module reports. */
int family(void);

/** open_socket() - SOCK_SEQPACKET or SOCK_STREAM, with flags; dies on failure. */
int open_socket(int type);

struct sockaddr_sluice address(const struct topic *t, int partition);
int bind_topic(int fd, const struct topic *t, int partition);
int connect_topic(int fd, const struct topic *t, int partition);

/** consumer() - bound, starting at @start; dies on failure. */
int consumer(int type, const struct topic *t, int partition, int64_t start);

/** producer() - connected; dies on failure. */
int producer(int type, const struct topic *t, int partition);

/** error_text() - SLUICE_ERROR_TEXT. */
const char *error_text(int fd);

struct header {
	const void *key;
	int key_len;
	const void *value;
	int value_len; /* -1: none */
};

/* A record to send; a NULL key is none, a NULL value is null. */
struct record {
	const void *key;
	size_t key_len;
	const void *value;
	size_t value_len;
	const struct header *headers;
	size_t n_headers;
	int64_t timestamp; /* 0: no SLUICE_CMSG_RECORD unless it is needed */
	int partition;	   /* 0: as addressed; else index + 1 */
	const struct sluice_receipt_request *receipt;
};

ssize_t send_record(int fd, const struct record *r, int flags);

/** send_text() - a value, no key. */
ssize_t send_text(int fd, const char *text);

/* What a receive gave. */
#define GOT_HEADERS_MAX 64
struct got {
	ssize_t len; /* -1 and errno, or what recvmsg() returned */
	int flags;
	bool has_info;
	struct sluice_record_info info;
	bool has_key;
	size_t key_len;
	char key[70000];
	size_t n_headers;
	struct {
		int key_len;
		int value_len;
		char data[300];
	} headers[GOT_HEADERS_MAX];
	char value[1 << 16];
};

/** receive() - one record into @got; returns got->len. */
ssize_t receive(int fd, struct got *got, int flags);

/** receive_sized() - the same with this much room for value and control data. */
ssize_t receive_sized(int fd, struct got *got, int flags, size_t value_room, size_t control_room);

bool got_text(const struct got *got, const char *text);

int64_t position(int fd, int partition);
int seek_to(int fd, int partition, int64_t offset);
int set_option(int fd, int name, const void *value, size_t len);
int get_option(int fd, int name, void *value, size_t len);

/** flush_topic() - its partition 0, through any socket; what was sent is in the files. */
int flush_topic(int fd, const struct topic *t);

/** read_events() - of MSG_ERRQUEUE; the number, or -1 and errno. */
ssize_t read_events(int fd, struct sluice_event *events, size_t max);

/** wait_event() - one event, for which it waits up to 20 s; false: none came. */
bool wait_event(int fd, struct sluice_event *event);

/** now_ms() - monotonic. */
int64_t now_ms(void);

#endif /* TESTS_SOCKET_RECORD_H */
