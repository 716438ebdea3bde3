// SPDX-License-Identifier: GPL-2.0
/*
 * splice(2) from a SOCK_STREAM consumer: pages of the log go into the pipe by
 * reference. nosteal_pipe_buf_ops keeps them the page cache's (nothing can take
 * them with SPLICE_F_MOVE) and keeps this module's text out of a pipe that may
 * outlive it; without PIPE_BUF_FLAG_CAN_MERGE nobody writes into them.
 */
#include "pages.h"
#include "partition.h"
#include "sock.h"
#include "sock_net.h"

#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>

/* What splice_to_pipe() could not place. */
static void spd_release(struct splice_pipe_desc *spd, unsigned int i)
{
	put_page(spd->pages[i]);
}

/* Collect up to @len bytes and move the cursor past them. */
static ssize_t gather(struct sluice_cursor *c, size_t len, struct sluice_page_refs *refs)
{
	size_t total = 0;
	int err = 0;

	while (total < len) {
		size_t want, got;

		err = sluice_cursor_settle(c);
		if (err <= 0)
			break;
		want = min_t(u64, len - total, sluice_cursor_batch_end(c) - c->at.read_pos);
		got = sluice_pages_gather(c->file, &c->ra, c->at.read_pos, want, refs, &err);
		sluice_cursor_advance_bytes(c, got);
		total += got;
		if (got < want)
			break;
	}
	return total ?: err;
}

/* Less went into the pipe than was gathered: stand behind what went. */
static int rewind_to(struct sluice_cursor *c, struct sluice_bookmark *m, size_t delivered)
{
	int err;

	sluice_cursor_return(c, m);
	while (delivered) {
		size_t n;

		err = sluice_cursor_settle(c);
		if (err <= 0)
			return err ?: -EIO;
		n = min_t(u64, delivered, sluice_cursor_batch_end(c) - c->at.read_pos);
		sluice_cursor_advance_bytes(c, n);
		delivered -= n;
	}
	return 0;
}

static ssize_t splice_locked(struct sluice_sock *ssk, struct pipe_inode_info *pipe, size_t len)
{
	struct sluice_page_refs refs = {};
	struct splice_pipe_desc spd = {
		.pages = refs.pages,
		.partial = refs.partial,
		.nr_pages_max = PIPE_DEF_BUFFERS,
		.ops = &nosteal_pipe_buf_ops,
		.spd_release = spd_release,
	};
	struct sluice_bookmark mark;
	struct sluice_cursor *c;
	unsigned int used = pipe_occupancy(pipe->head, pipe->tail);
	ssize_t total, ret;
	int err;

	if (pipe->max_usage > used)
		refs.max = min_t(unsigned int, pipe->max_usage - used, PIPE_DEF_BUFFERS);
	if (!refs.max)
		return -EAGAIN;

	err = sluice_cursor_next(ssk, &c);
	if (err < 0) {
		sluice_cursor_take_error(c);
		return err;
	}
	/*
	 * The caller holds the pipe's mutex: waiting here for a producer would
	 * stop the pipe's reader too. poll(2) is there for the wait.
	 */
	if (!err)
		return -EAGAIN;

	sluice_cursor_mark(c, &mark);
	total = gather(c, len, &refs);
	if (total <= 0) {
		sluice_cursor_unmark(&mark);
		return total ?: -EAGAIN;
	}
	spd.nr_pages = refs.count;
	ret = splice_to_pipe(pipe, &spd);
	if (ret < total) {
		err = rewind_to(c, &mark, max_t(ssize_t, ret, 0));
		return err < 0 && ret <= 0 ? err : ret;
	}
	sluice_cursor_count(c, mark.at.next_offset, mark.at.read_pos, ret);
	sluice_cursor_unmark(&mark);
	return ret;
}

ssize_t sluice_splice_read(struct socket *sock, loff_t *ppos, struct pipe_inode_info *pipe,
			   size_t len, unsigned int flags)
{
	struct sock *sk = sock->sk;
	struct sluice_sock *ssk = sluice_sk(sk);
	ssize_t ret;

	if (sock->type != SOCK_STREAM)
		return sluice_sock_fail(ssk, -EOPNOTSUPP, "splice needs a SOCK_STREAM socket");
	if (!len)
		return 0;
	lock_sock(sk);
	ret = splice_locked(ssk, pipe, len);
	release_sock(sk);
	if (ret > 0)
		sluice_count_received(sk, ret);
	return ret;
}
