// SPDX-License-Identifier: Apache-2.0
/*
 * One request and its answers. The kernel's extended ack is read here, since
 * libnl 3.7 does not hand it out.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netlink/genl/ctrl.h>
#include <netlink/msg.h>
#include "daemon/kern/netlink.h"
#include "sluice_netlink_names.h"

static _Thread_local char open_error[256];

int kern_fail(struct kern *k, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->error, sizeof(k->error), fmt, ap);
	va_end(ap);
	return err;
}

const char *kern_error(const struct kern *k)
{
	return k ? k->error : open_error;
}

static int open_fail(int err, const char *text)
{
	snprintf(open_error, sizeof(open_error), "%s", text);
	return err;
}

/* The text of an extended ack, which follows @tlvs bytes into the payload. */
static bool read_extack(struct kern *k, struct nlmsghdr *h, int tlvs)
{
	const struct nlattr *a;
	int left;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS) || tlvs > nlmsg_datalen(h))
		return false;
	a = (const struct nlattr *)((const char *)nlmsg_data(h) + tlvs);
	left = nlmsg_datalen(h) - tlvs;
	while (nla_ok(a, left)) {
		if (nla_type(a) == NLMSGERR_ATTR_MSG && nla_len(a) > 0) {
			kern_attr_string(a, k->error, sizeof(k->error));
			return k->error[0] != '\0';
		}
		a = nla_next(a, &left);
	}
	return false;
}

static void refused(struct kern *k, int err, struct nlmsghdr *h, int tlvs)
{
	const char *name = "request";

	k->err = err;
	k->explained = read_extack(k, h, tlvs);
	if (k->explained)
		return;
	if (k->cmd > 0 && k->cmd <= SLUICE_CMD_MAX && sluice_cmd_names[k->cmd])
		name = sluice_cmd_names[k->cmd];
	if (err == -EPERM)
		kern_fail(k, err, "%s needs CAP_NET_ADMIN: run this as root, or with sudo", name);
	else
		kern_fail(k, err, "%s: %s", name, strerror(-err));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *ctx)
{
	struct nlmsghdr *h = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	struct kern *k = ctx;
	int tlvs = NLMSG_ALIGN(sizeof(*e));

	(void)from;
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > NLMSG_HDRLEN)
		tlvs += NLMSG_ALIGN(e->msg.nlmsg_len - NLMSG_HDRLEN);
	refused(k, e->error < 0 ? e->error : -EPROTO, h, tlvs);
	k->done = true;
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *ctx)
{
	struct kern *k = ctx;

	(void)msg;
	k->done = true;
	return NL_STOP;
}

/* A dump ends with its own error, which libnl does not look at. */
static int on_finish(struct nl_msg *msg, void *ctx)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct kern *k = ctx;
	int err = 0;

	if (nlmsg_datalen(h) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(h), sizeof(err));
	if (err < 0)
		refused(k, err, h, NLMSG_ALIGN(sizeof(err)));
	k->done = true;
	return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *ctx)
{
	struct kern *k = ctx;
	int err;

	if (k->reply && !k->err) {
		err = k->reply(k, k->reply_ctx, nlmsg_hdr(msg));
		if (err) {
			k->err = err;
			kern_fail(k, err, "%s: %s", sluice_cmd_names[k->cmd], strerror(-err));
		}
	}
	return NL_OK;
}

/* What is left of an earlier, failed exchange is not ours. */
static int on_seq_check(struct nl_msg *msg, void *ctx)
{
	struct kern *k = ctx;

	return nlmsg_hdr(msg)->nlmsg_seq == k->seq ? NL_OK : NL_SKIP;
}

static int on_interrupted(struct nl_msg *msg, void *ctx)
{
	struct kern *k = ctx;

	(void)msg;
	k->interrupted = true;
	return NL_OK;
}

static void set_callbacks(struct kern *k)
{
	struct nl_cb *cb = nl_socket_get_cb(k->sock);

	nl_cb_err(cb, NL_CB_CUSTOM, on_error, k);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, k);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, k);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, k);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_seq_check, k);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, k);
	nl_cb_put(cb);
}

int kern_ctrl(int (*ask)(struct nl_sock *sock))
{
	struct nl_sock *sock = nl_socket_alloc();
	int ret;

	if (!sock)
		return -NLE_NOMEM;
	ret = genl_connect(sock);
	if (!ret)
		ret = ask(sock);
	nl_socket_free(sock);
	return ret;
}

static int ask_family(struct nl_sock *sock)
{
	return genl_ctrl_resolve(sock, SLUICE_FAMILY_NAME);
}

int kern_open(struct kern **ret_k)
{
	struct kern *k = calloc(1, sizeof(*k));
	int one = 1, err;

	if (!k)
		return open_fail(-ENOMEM, strerror(ENOMEM));
	k->sock = nl_socket_alloc();
	if (!k->sock) {
		err = open_fail(-ENOMEM, strerror(ENOMEM));
		goto err_free;
	}
	if (genl_connect(k->sock) < 0) {
		err = errno ? -errno : -EPROTO;
		open_fail(err, "cannot open a netlink socket to the kernel");
		goto err_sock;
	}
	k->family = kern_ctrl(ask_family);
	if (k->family == -NLE_OBJ_NOTFOUND) {
		err = open_fail(-EAFNOSUPPORT, "the sluice module is not loaded: run "
					       "'sluicectl up', or 'modprobe sluice'");
		goto err_sock;
	}
	if (k->family < 0) {
		err = open_fail(-EPROTO, nl_geterror(k->family));
		goto err_sock;
	}
	/* Without these the errors come without their sentence; no reason to fail. */
	setsockopt(nl_socket_get_fd(k->sock), SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl_socket_get_fd(k->sock), SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	nl_socket_set_msg_buf_size(k->sock, 2 * KERN_MESSAGE_BYTES_MAX);
	set_callbacks(k);
	*ret_k = k;
	return 0;

err_sock:
	nl_socket_free(k->sock);
err_free:
	free(k);
	return err;
}

void kern_close(struct kern *k)
{
	if (!k)
		return;
	nl_socket_free(k->sock);
	free(k);
}

struct nl_msg *kern_message(struct kern *k, uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(KERN_MESSAGE_BYTES_MAX);

	k->cmd = cmd;
	if (!msg)
		return NULL;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, k->family, 0, flags, cmd,
			 SLUICE_FAMILY_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/*
 * Generic netlink has no number of its own for a family that is not there (any more);
 * one that was loaded again has another, and none of what @k knew.
 */
static bool is_unloaded(struct kern *k)
{
	int family;

	if (k->err != -ENOENT || k->explained)
		return false;
	family = kern_ctrl(ask_family);
	return family == -NLE_OBJ_NOTFOUND || (family > 0 && family != k->family);
}

int kern_request(struct kern *k, struct nl_msg *msg, int fill_err,
		 int (*reply)(struct kern *k, void *ctx, struct nlmsghdr *h), void *ctx)
{
	int err;

	if (!msg || fill_err < 0) {
		nlmsg_free(msg);
		return kern_fail(k, -ENOMEM, "%s: the request does not fit a message",
				 sluice_cmd_names[k->cmd]);
	}
	k->error[0] = '\0';
	k->err = 0;
	k->explained = false;
	k->done = false;
	k->interrupted = false;
	k->reply = reply;
	k->reply_ctx = ctx;
	nl_complete_msg(k->sock, msg);
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
	k->seq = nlmsg_hdr(msg)->nlmsg_seq;
	err = nl_send(k->sock, msg);
	nlmsg_free(msg);
	while (err >= 0 && !k->done)
		err = nl_recvmsgs_default(k->sock);
	if (!k->done)
		return kern_fail(k, -EIO, "%s: netlink: %s", sluice_cmd_names[k->cmd],
				 nl_geterror(err));
	if (is_unloaded(k))
		return kern_fail(k, -EAFNOSUPPORT, "%s: the sluice module was unloaded meanwhile",
				 sluice_cmd_names[k->cmd]);
	return k->err;
}

int kern_dump(struct kern *k, uint8_t cmd, int (*fill)(struct nl_msg *msg, void *ctx),
	      int (*reply)(struct kern *k, void *ctx, struct nlmsghdr *h), void (*reset)(void *ctx),
	      void *ctx)
{
	struct nl_msg *msg;
	int err, fill_err;

	for (int i = 0; i < KERN_DUMP_TRIES_MAX; i++) {
		msg = kern_message(k, cmd, NLM_F_DUMP);
		fill_err = msg && fill ? fill(msg, ctx) : 0;
		err = kern_request(k, msg, fill_err, reply, ctx);
		if (!err && !k->interrupted)
			return 0;
		reset(ctx);
		if (err)
			return err;
	}
	return kern_fail(k, -EAGAIN, "%s: what is listed changes all the time: try again",
			 sluice_cmd_names[cmd]);
}
