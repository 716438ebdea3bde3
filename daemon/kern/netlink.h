/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and answers of the sluice family, for the files of this directory.
 */
#ifndef KERN_NETLINK_H
#define KERN_NETLINK_H

#include <netlink/netlink.h>
#include <netlink/genl/genl.h>
#include <linux/sluice_netlink.h>
#include "daemon/kern/kern.h"

/* Of so many partitions one request has offsets, of two kinds. */
#define KERN_OFFSETS_MAX 512
/* Larger than any request: two paths, a name, the configuration, the offsets. */
#define KERN_MESSAGE_BYTES_MAX (16384 + KERN_OFFSETS_MAX * 16)
/* A dump that changes under our feet is begun anew this often. */
#define KERN_DUMP_TRIES_MAX 10

struct kern {
	struct nl_sock *sock;
	int family;
	char error[512];
	/* Of the request under way. */
	uint32_t seq;
	int cmd;
	int err;
	bool explained; /* the kernel sent a sentence with the error */
	bool done;
	bool interrupted;
	int (*reply)(struct kern *k, void *ctx, struct nlmsghdr *h);
	void *reply_ctx;
};

/** kern_fail() - keep a sentence for kern_error(); returns @err. */
int kern_fail(struct kern *k, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * kern_ctrl() - ask about the family by a socket of its own
 * libnl would ask with the callbacks of a kern's requests.
 * @ask: what it returns is returned, or libnl's error
 */
int kern_ctrl(int (*ask)(struct nl_sock *sock));

/** kern_message() - begin a request; NULL if there is no memory. */
struct nl_msg *kern_message(struct kern *k, uint8_t cmd, int flags);

/**
 * kern_request() - send a request and wait until it is answered
 * @msg: from kern_message() and then filled; freed in any case. NULL and
 *	@fill_err together say that making it failed
 * @fill_err: result of filling the message, libnl's way; sent only if 0
 * @reply: called for each answer that carries data; may be NULL. It returns 0
 *	or -errno, which becomes the result once the kernel is done
 */
int kern_request(struct kern *k, struct nl_msg *msg, int fill_err,
		 int (*reply)(struct kern *k, void *ctx, struct nlmsghdr *h), void *ctx);

/**
 * kern_dump() - the same for a dump, begun anew if it was interrupted
 * @fill: puts the request's attributes; may be NULL
 * @reset: forgets what @reply has gathered
 */
int kern_dump(struct kern *k, uint8_t cmd, int (*fill)(struct nl_msg *msg, void *ctx),
	      int (*reply)(struct kern *k, void *ctx, struct nlmsghdr *h), void (*reset)(void *ctx),
	      void *ctx);

/*
 * Reading attributes. One that is absent or too short gives 0, -1 where it
 * says so, or leaves the string empty: a newer or older module is no error.
 */
int kern_attrs(struct nlmsghdr *h, struct nlattr **attrs, int max);
uint32_t kern_attr_u32(const struct nlattr *a);
uint64_t kern_attr_u64(const struct nlattr *a);
void kern_attr_string(const struct nlattr *a, char *buf, size_t size);
void kern_attr_id(const struct nlattr *a, uint8_t id[SLUICE_TOPIC_ID_LEN]);

#endif /* KERN_NETLINK_H */
