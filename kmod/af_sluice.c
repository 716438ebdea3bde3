// SPDX-License-Identifier: GPL-2.0
/* The address family: its registration, and the life of a socket. */
#include "af_sluice.h"
#include "netns.h"
#include "partition.h"
#include "sock_chain.h"
#include "sock_event.h"
#include "sock_filter.h"
#include "sock_net.h"

#include <linux/module.h>
#include <linux/net.h>
#include <linux/random.h>
#include <linux/slab.h>

int sluice_family = SLUICE_FAMILY_DEFAULT;
module_param_named(family, sluice_family, int, 0444);
MODULE_PARM_DESC(family, "Number of the address family (default 18, AF_ASH)");

static struct proto sluice_proto = {
	.name		= "SLUICE",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct sluice_sock),
};

int sluice_sock_fail(struct sluice_sock *ssk, int err, const char *fmt, ...)
{
	va_list args;

	spin_lock(&ssk->text_lock);
	va_start(args, fmt);
	vscnprintf(ssk->error_text, sizeof(ssk->error_text), fmt, args);
	va_end(args);
	spin_unlock(&ssk->text_lock);
	return err;
}

static void sock_destruct(struct sock *sk)
{
	struct sluice_sock *ssk = sluice_sk(sk);

	/* A receipt holds a reference: the last one is gone with it. */
	WARN_ON_ONCE(ssk->events.receipts || ssk->watch_count || ssk->cursor_count || ssk->chain);
	kfree(ssk->topic_name);
}

/*
 * Everything that could call into the socket is silenced first; after that
 * only receipts that wait for a flush know it, and they find it closed.
 */
static int sluice_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct sluice_sock *ssk;

	if (!sk)
		return 0;
	ssk = sluice_sk(sk);
	sluice_sock_net_del(ssk);
	sluice_target_seal(ssk, &ssk->out);

	lock_sock(sk);
	sluice_cursors_close(ssk);
	sluice_filter_free(ssk);
	sluice_chain_free(sluice_chain_take(ssk));
	sluice_events_close(ssk);
	sluice_watches_close(ssk);
	sluice_target_put(&ssk->in);
	sluice_target_put(&ssk->out);
	sock_orphan(sk);
	sock->sk = NULL;
	release_sock(sk);

	atomic_dec(&sluice_net(sock_net(sk))->socket_count);
	sock_put(sk);
	return 0;
}

static int bind_locked(struct sluice_sock *ssk, const struct sockaddr *uaddr, int addr_len)
{
	struct sluice_target target;
	int err;

	if (ssk->in.topic || ssk->cursor_count)
		return sluice_sock_fail(ssk, -EINVAL, "it reads something already");
	err = sluice_target_resolve(ssk, uaddr, addr_len, MAY_READ, &target);
	if (err)
		return err;
	if (ssk->sk.sk_type == SOCK_STREAM && target.partition == SLUICE_PARTITION_ANY) {
		err = sluice_sock_fail(ssk, -EINVAL, "a SOCK_STREAM consumer names one partition");
		goto err_target;
	}
	err = sluice_cursors_open(ssk, &target, ssk->start);
	if (err)
		goto err_target;
	spin_lock(&ssk->addr_lock);
	ssk->in = target;
	spin_unlock(&ssk->addr_lock);
	return 0;

err_target:
	sluice_target_put(&target);
	return err;
}

static int sluice_bind(struct socket *sock, struct sockaddr *uaddr, int addr_len)
{
	struct sock *sk = sock->sk;
	int err;

	lock_sock(sk);
	err = bind_locked(sluice_sk(sk), uaddr, addr_len);
	release_sock(sk);
	return err;
}

static int sluice_connect(struct socket *sock, struct sockaddr *uaddr, int addr_len, int flags)
{
	struct sock *sk = sock->sk;
	struct sluice_sock *ssk = sluice_sk(sk);
	struct sluice_chain *chain = NULL;
	struct sluice_target target = {};
	int err = 0;

	if (addr_len < (int)sizeof(uaddr->sa_family))
		return -EINVAL;
	lock_sock(sk);
	/* AF_UNSPEC dissolves the association, as on a datagram socket. */
	if (uaddr->sa_family != AF_UNSPEC)
		err = sluice_target_resolve(ssk, uaddr, addr_len, MAY_WRITE, &target);
	if (!err) {
		sock->state = target.topic ? SS_CONNECTED : SS_UNCONNECTED;
		spin_lock(&ssk->addr_lock);
		swap(ssk->out, target);
		spin_unlock(&ssk->addr_lock);
		/* It was begun for where the socket was connected before. */
		chain = sluice_chain_take(ssk);
	}
	release_sock(sk);
	if (err)
		return err;
	sluice_chain_free(chain);
	sluice_target_seal(ssk, &target);
	sluice_target_put(&target);
	sk->sk_write_space(sk);
	return 0;
}

static int sluice_getname(struct socket *sock, struct sockaddr *uaddr, int peer)
{
	struct sluice_sock *ssk = sluice_sk(sock->sk);
	struct sluice_target target;
	int len;

	sluice_target_get(ssk, peer ? &ssk->out : &ssk->in, &target);
	if (peer && !target.topic)
		return -ENOTCONN;
	if (!target.topic)
		target.partition = SLUICE_PARTITION_ANY;
	len = sluice_addr_fill((struct sockaddr_sluice *)uaddr, target.topic, target.partition);
	sluice_target_put(&target);
	return len;
}

static const struct proto_ops sluice_record_ops = {
	.family		= PF_UNSPEC,
	.owner		= THIS_MODULE,
	.release	= sluice_release,
	.bind		= sluice_bind,
	.connect	= sluice_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= sock_no_accept,
	.getname	= sluice_getname,
	.poll		= sluice_poll,
	.ioctl		= sock_no_ioctl,
	.listen		= sock_no_listen,
	.shutdown	= sock_no_shutdown,
	.setsockopt	= sluice_setsockopt,
	.getsockopt	= sluice_getsockopt,
	.sendmsg	= sluice_sendmsg_record,
	.recvmsg	= sluice_recvmsg_record,
	.mmap		= sock_no_mmap,
	.splice_read	= sluice_splice_read,
};

static const struct proto_ops sluice_stream_ops = {
	.family		= PF_UNSPEC,
	.owner		= THIS_MODULE,
	.release	= sluice_release,
	.bind		= sluice_bind,
	.connect	= sluice_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= sock_no_accept,
	.getname	= sluice_getname,
	.poll		= sluice_poll,
	.ioctl		= sock_no_ioctl,
	.listen		= sock_no_listen,
	.shutdown	= sock_no_shutdown,
	.setsockopt	= sluice_setsockopt,
	.getsockopt	= sluice_getsockopt,
	.sendmsg	= sluice_sendmsg_stream,
	.recvmsg	= sluice_recvmsg_stream,
	.mmap		= sock_no_mmap,
	.splice_read	= sluice_splice_read,
};

static void sock_setup(struct sluice_sock *ssk)
{
	spin_lock_init(&ssk->addr_lock);
	spin_lock_init(&ssk->ready_lock);
	spin_lock_init(&ssk->text_lock);
	INIT_LIST_HEAD(&ssk->ready);
	ssk->cursors = RB_ROOT;
	sluice_events_init(ssk);
	ssk->watches = RB_ROOT;
	ssk->start = SLUICE_OFFSET_LATEST;
	ssk->batching = (struct sluice_batching){ .linger_ms = -1, .batch_bytes = -1 };
	ssk->sticky = get_random_u32();
}

static int sluice_create(struct net *net, struct socket *sock, int protocol, int kern)
{
	const struct proto_ops *ops;
	struct sock *sk;

	if (protocol)
		return -EPROTONOSUPPORT;
	if (sock->type == SOCK_SEQPACKET)
		ops = &sluice_record_ops;
	else if (sock->type == SOCK_STREAM)
		ops = &sluice_stream_ops;
	else
		return -ESOCKTNOSUPPORT;

	sk = sk_alloc(net, sluice_family, GFP_KERNEL, &sluice_proto, kern);
	if (!sk)
		return -ENOMEM;
	sock->ops = ops;
	sock_init_data(sock, sk);
	sk->sk_destruct = sock_destruct;
	sock_setup(sluice_sk(sk));
	atomic_inc(&sluice_net(net)->socket_count);
	sluice_sock_net_add(sluice_sk(sk));
	return 0;
}

/* Not MODULE_ALIAS_NETPROTO: nobody's socket() may load the module. */
static struct net_proto_family sluice_family_ops = {
	.create	= sluice_create,
	.owner	= THIS_MODULE,
};

int sluice_af_init(void)
{
	int err;

	if (sluice_family <= AF_UNSPEC || sluice_family >= AF_MAX) {
		pr_err("family=%d is not an address family: use 1 to %d, best %d (AF_ASH)\n",
		       sluice_family, AF_MAX - 1, SLUICE_FAMILY_DEFAULT);
		return -EINVAL;
	}
	err = sluice_sock_net_init();
	if (err)
		return err;
	err = proto_register(&sluice_proto, 1);
	if (err)
		goto err_sock_net;
	sluice_family_ops.family = sluice_family;
	err = sock_register(&sluice_family_ops);
	if (err) {
		pr_err("address family %d is taken by another module: unload it, or choose a free number with family=N (22, 13 and 19 are unused, too)\n",
		       sluice_family);
		goto err_proto;
	}
	return 0;

err_proto:
	proto_unregister(&sluice_proto);
err_sock_net:
	sluice_sock_net_exit();
	return err;
}

void sluice_af_exit(void)
{
	sock_unregister(sluice_family);
	proto_unregister(&sluice_proto);
	sluice_sock_net_exit();
}
