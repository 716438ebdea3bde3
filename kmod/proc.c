// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/sluice: the sockets of a network namespace.
 *
 *   # topics 2 partitions 6 sockets 1 sent 10 sent_bytes 700 received 3 received_bytes 21
 *   inode type uid topic partition position lag peer peer_partition events
 *   18220 seqpacket 0 orders 1 42 7 - - 0
 *
 * The first line has the namespace's counters, as pairs of name and value; sent
 * and received count system calls that moved something. One line per socket
 * follows the line of titles. topic and partition are what the socket reads
 * (bind, SLUICE_ASSIGN), peer and peer_partition what it writes (connect); "-" is
 * none, "*" several. position is the next offset to be received, "-" unless the socket
 * reads one partition; lag is how many offsets lie before the log end, summed
 * over its partitions. events counts receipts that were promised or wait to be
 * read. New columns are added at the end.
 */
#include "af_sluice.h"
#include "netns.h"
#include "partition.h"
#include "sock.h"
#include "sock_net.h"

#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>

static void show_header(struct seq_file *seq)
{
	struct net *net = seq_file_net(seq);
	struct sluice_net *sn = sluice_net(net);
	struct sluice_traffic sum;

	sluice_sock_net_sum(net, &sum);
	seq_printf(seq, "# topics %u partitions %u sockets %d sent %llu sent_bytes %llu received %llu received_bytes %llu\n",
		   READ_ONCE(sn->topic_count), READ_ONCE(sn->partition_count),
		   atomic_read(&sn->socket_count), sum.sent, sum.sent_bytes, sum.received,
		   sum.received_bytes);
	seq_puts(seq, "inode type uid topic partition position lag peer peer_partition events\n");
}

static void show_target(struct seq_file *seq, const struct sluice_target *t)
{
	if (!t->topic)
		seq_puts(seq, " - -");
	else if (t->partition == SLUICE_PARTITION_ANY)
		seq_printf(seq, " %s *", t->topic->name);
	else
		seq_printf(seq, " %s %d", t->topic->name, t->partition);
}

/* What is read, as it is by now; of a socket that reads nothing what bind named. */
static void show_source(struct seq_file *seq, const struct sluice_sock *ssk)
{
	struct sluice_target t = ssk->in;
	struct sluice_cursor *first = sluice_cursor_first(ssk), *c;

	lockdep_assert_held(&ssk->addr_lock);
	if (first) {
		c = rb_entry(rb_last(&ssk->cursors), struct sluice_cursor, node);
		if (c->topic != first->topic) {
			seq_puts(seq, " * *");
			return;
		}
		t.topic = first->topic;
		t.partition = c == first ? first->p->index : SLUICE_PARTITION_ANY;
	}
	show_target(seq, &t);
}

static void show_progress(struct seq_file *seq, const struct sluice_sock *ssk)
{
	const struct sluice_cursor *c;
	s64 lag = 0;

	lockdep_assert_held(&ssk->addr_lock);
	if (!ssk->cursor_count) {
		seq_puts(seq, " - -");
		return;
	}
	for (c = sluice_cursor_first(ssk); c; c = sluice_cursor_next_of(c))
		lag += max_t(s64, READ_ONCE(c->high_watermark) - READ_ONCE(c->at.next_offset), 0);
	c = sluice_cursor_first(ssk);
	if (ssk->cursor_count == 1)
		seq_printf(seq, " %lld %lld", READ_ONCE(c->at.next_offset), lag);
	else
		seq_printf(seq, " - %lld", lag);
}

static void show_socket(struct seq_file *seq, struct sluice_sock *ssk)
{
	struct sock *sk = &ssk->sk;

	seq_printf(seq, "%lu %s %u", sock_i_ino(sk),
		   sk->sk_type == SOCK_STREAM ? "stream" : "seqpacket",
		   from_kuid_munged(seq_user_ns(seq), sock_i_uid(sk)));
	spin_lock(&ssk->addr_lock);
	show_source(seq, ssk);
	show_progress(seq, ssk);
	show_target(seq, &ssk->out);
	spin_unlock(&ssk->addr_lock);
	seq_printf(seq, " %u\n", READ_ONCE(ssk->events.receipts));
}

static void *socks_start(struct seq_file *seq, loff_t *pos)
{
	struct sluice_sock_net *sn = sluice_sock_net(seq_file_net(seq));

	mutex_lock(&sn->lock);
	return seq_hlist_start_head(&sn->sockets, *pos);
}

static void *socks_next(struct seq_file *seq, void *v, loff_t *pos)
{
	return seq_hlist_next(v, &sluice_sock_net(seq_file_net(seq))->sockets, pos);
}

static void socks_stop(struct seq_file *seq, void *v)
{
	mutex_unlock(&sluice_sock_net(seq_file_net(seq))->lock);
}

static int socks_show(struct seq_file *seq, void *v)
{
	if (v == SEQ_START_TOKEN)
		show_header(seq);
	else
		show_socket(seq, hlist_entry(v, struct sluice_sock, net_node));
	return 0;
}

static const struct seq_operations socks_seq_ops = {
	.start	= socks_start,
	.next	= socks_next,
	.stop	= socks_stop,
	.show	= socks_show,
};

static int __net_init proc_net_init(struct net *net)
{
	if (!proc_create_net("sluice", 0444, net->proc_net, &socks_seq_ops,
			     sizeof(struct seq_net_private)))
		return -ENOMEM;
	return 0;
}

static void __net_exit proc_net_exit(struct net *net)
{
	remove_proc_entry("sluice", net->proc_net);
}

static struct pernet_operations proc_net_ops = {
	.init	= proc_net_init,
	.exit	= proc_net_exit,
};

int sluice_proc_init(void)
{
	return register_pernet_subsys(&proc_net_ops);
}

void sluice_proc_exit(void)
{
	unregister_pernet_subsys(&proc_net_ops);
}
