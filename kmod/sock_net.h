/* SPDX-License-Identifier: GPL-2.0 */
/* The sockets of a network namespace, and what went through them. */
#ifndef SLUICE_SOCK_NET_H
#define SLUICE_SOCK_NET_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct net;
struct sluice_sock;
struct sock;

/**
 * struct sluice_traffic - counters that never go back
 * @sent: system calls that appended something
 * @sent_bytes: bytes of the batches they appended
 * @received: system calls that delivered something
 * @received_bytes: bytes of values, or of batches, they delivered
 */
struct sluice_traffic {
	u64 sent;
	u64 sent_bytes;
	u64 received;
	u64 received_bytes;
};

/**
 * struct sluice_sock_net - the sockets of one network namespace
 * @lock: protects @sockets; sleeps, so that a long list holds nobody's CPU
 * @sockets: struct sluice_sock
 * @traffic: each processor's share
 */
struct sluice_sock_net {
	struct mutex lock;
	struct hlist_head sockets;
	struct sluice_traffic __percpu *traffic;
};

struct sluice_sock_net *sluice_sock_net(const struct net *net);

void sluice_sock_net_add(struct sluice_sock *ssk);
void sluice_sock_net_del(struct sluice_sock *ssk);

void sluice_count_sent(const struct sock *sk, u64 bytes);
void sluice_count_received(const struct sock *sk, u64 bytes);

/** sluice_sock_net_sum() - all processors' counters; the last moment may miss. */
void sluice_sock_net_sum(const struct net *net, struct sluice_traffic *ret);

int sluice_sock_net_init(void);
void sluice_sock_net_exit(void);

#endif /* SLUICE_SOCK_NET_H */
