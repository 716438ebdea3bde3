/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink by hand: requests with whatever attributes a test likes, wrong ones
 * too, and the text of every refusal.
 */
#ifndef TESTS_NETLINK_NL_H
#define TESTS_NETLINK_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/sluice.h>
#include <linux/sluice_netlink.h>

#define NL_ATTRS_MAX 64

/**
 * struct nl - a connection
 * @why: text of the last refusal; empty if it had none
 */
struct nl {
	int fd;
	uint32_t seq;
	uint16_t family;
	uint32_t group;
	char why[256];
};

/** struct nl_msg - a request being built. */
struct nl_msg {
	size_t len;
	_Alignas(8) char buf[16384];
};

/** nl_open() - connect in the current namespace; ends the program if it cannot. */
void nl_open(struct nl *nl);
void nl_close(struct nl *nl);

/** nl_new() - a request without attributes. */
void nl_new(struct nl *nl, struct nl_msg *m, int cmd);
void nl_put(struct nl_msg *m, int type, const void *data, size_t len);
void nl_put_string(struct nl_msg *m, int type, const char *s);
void nl_put_u32(struct nl_msg *m, int type, uint32_t value);
void nl_put_u64(struct nl_msg *m, int type, uint64_t value);

/** nl_nest() - put a nested attribute; give what it returns to nl_nest_end(). */
size_t nl_nest(struct nl_msg *m, int type);
void nl_nest_end(struct nl_msg *m, size_t nest);

/** nl_do() - send; 0 or -1 with errno, and the reason in nl->why. */
int nl_do(struct nl *nl, struct nl_msg *m);

/** struct nl_attrs - attributes of an answer, by type; NULL where there is none. */
struct nl_attrs {
	const struct nlattr *attr[NL_ATTRS_MAX];
};
uint32_t nl_u32(const struct nl_attrs *a, int type);
uint64_t nl_u64(const struct nl_attrs *a, int type);
const char *nl_string(const struct nl_attrs *a, int type);

/** nl_nested() - the attributes inside one; none if it is not there. */
void nl_nested(const struct nl_attrs *a, int type, struct nl_attrs *ret);

/** nl_get() - send and have @fn called with the answer; like nl_do(). */
int nl_get(struct nl *nl, struct nl_msg *m, void (*fn)(void *ctx, const struct nl_attrs *a),
	   void *ctx);

/** nl_dump() - the same for each answer of a dump; the number of answers or -1. */
int nl_dump(struct nl *nl, struct nl_msg *m, void (*fn)(void *ctx, const struct nl_attrs *a),
	    void *ctx);

/** nl_partition() - a request about partition 0 of a topic. */
void nl_partition(struct nl *nl, struct nl_msg *m, int cmd, const char *topic);

/** nl_partition_get() - what netlink says of it; like nl_get(). */
int nl_partition_get(struct nl *nl, const char *topic,
		     void (*fn)(void *ctx, const struct nl_attrs *a), void *ctx);

/** nl_listen() - receive events from now on. */
int nl_listen(struct nl *nl);

/** nl_event() - the next event within @ms; 1, or 0 if there was none. */
int nl_event(struct nl *nl, int ms, void (*fn)(void *ctx, const struct nl_attrs *a), void *ctx);

/* Requests that many tests make; like nl_do(). */
int nl_attach(struct nl *nl, const char *path);
int nl_attach_as(struct nl *nl, const char *dir, const char *path);
int nl_detach(struct nl *nl, const char *path);
int nl_topic_create(struct nl *nl, const char *name, const void *id, const char *data_dir,
		    uint32_t partitions);
int nl_topic_delete(struct nl *nl, const char *name);

/**
 * nl_socket() - a SOCK_SEQPACKET socket that reads all of a topic
 * @produce: it writes to the topic instead
 * The descriptor, or -1 with errno.
 */
int nl_socket(struct nl *nl, const char *topic, bool produce);

/** nl_dir() - a new, empty directory below $SLUICE_TEST_DIR, removed at exit. */
const char *nl_dir(void);

/** nl_partition_dirs() - make the directories of partitions @from to @to - 1. */
void nl_partition_dirs(const char *dir, const char *name, uint32_t from, uint32_t to);

#endif /* TESTS_NETLINK_NL_H */
