// SPDX-License-Identifier: GPL-2.0
#include "sock.h"
#include "sock_net.h"

#include <linux/percpu.h>
#include <net/netns/generic.h>

static unsigned int sock_net_id __read_mostly;

struct sluice_sock_net *sluice_sock_net(const struct net *net)
{
	return net_generic(net, sock_net_id);
}

void sluice_sock_net_add(struct sluice_sock *ssk)
{
	struct sluice_sock_net *sn = sluice_sock_net(sock_net(&ssk->sk));

	/* Looked up once; they go with the namespace, which the socket holds. */
	ssk->traffic = sn->traffic;
	mutex_lock(&sn->lock);
	hlist_add_head(&ssk->net_node, &sn->sockets);
	mutex_unlock(&sn->lock);
}

void sluice_sock_net_del(struct sluice_sock *ssk)
{
	struct sluice_sock_net *sn = sluice_sock_net(sock_net(&ssk->sk));

	mutex_lock(&sn->lock);
	hlist_del_init(&ssk->net_node);
	mutex_unlock(&sn->lock);
}

void sluice_count_sent(const struct sock *sk, u64 bytes)
{
	struct sluice_traffic __percpu *t = sluice_sk(sk)->traffic;

	this_cpu_inc(t->sent);
	this_cpu_add(t->sent_bytes, bytes);
}

void sluice_count_received(const struct sock *sk, u64 bytes)
{
	struct sluice_traffic __percpu *t = sluice_sk(sk)->traffic;

	this_cpu_inc(t->received);
	this_cpu_add(t->received_bytes, bytes);
}

void sluice_sock_net_sum(const struct net *net, struct sluice_traffic *ret)
{
	int cpu;

	memset(ret, 0, sizeof(*ret));
	for_each_possible_cpu(cpu) {
		const struct sluice_traffic *t = per_cpu_ptr(sluice_sock_net(net)->traffic, cpu);

		ret->sent += READ_ONCE(t->sent);
		ret->sent_bytes += READ_ONCE(t->sent_bytes);
		ret->received += READ_ONCE(t->received);
		ret->received_bytes += READ_ONCE(t->received_bytes);
	}
}

static int __net_init sock_net_init(struct net *net)
{
	struct sluice_sock_net *sn = sluice_sock_net(net);

	mutex_init(&sn->lock);
	INIT_HLIST_HEAD(&sn->sockets);
	sn->traffic = alloc_percpu(struct sluice_traffic);
	return sn->traffic ? 0 : -ENOMEM;
}

static void __net_exit sock_net_exit(struct net *net)
{
	struct sluice_sock_net *sn = sluice_sock_net(net);

	/* Each socket of userspace holds its namespace. */
	WARN_ON_ONCE(!hlist_empty(&sn->sockets));
	free_percpu(sn->traffic);
}

static struct pernet_operations sock_net_ops = {
	.init	= sock_net_init,
	.exit	= sock_net_exit,
	.id	= &sock_net_id,
	.size	= sizeof(struct sluice_sock_net),
};

int sluice_sock_net_init(void)
{
	return register_pernet_subsys(&sock_net_ops);
}

void sluice_sock_net_exit(void)
{
	unregister_pernet_subsys(&sock_net_ops);
}
