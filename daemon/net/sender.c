// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "daemon/net/sender.h"

static ssize_t send_bytes(struct sender *s, int fd, size_t end)
{
	/* MSG_MORE: what follows from the file belongs into the same packet. */
	int more = s->at < s->n_ranges ? MSG_MORE : 0;
	ssize_t n = send(fd, s->bytes + s->sent, end - s->sent, MSG_NOSIGNAL | MSG_DONTWAIT | more);

	if (n > 0)
		s->sent += (size_t)n;
	return n;
}

static ssize_t send_range(struct sender_range *r, int fd)
{
	ssize_t n = sendfile(fd, r->fd, &r->position, r->left);

	if (n > 0)
		r->left -= (size_t)n;
	return n;
}

int sender_push(struct sender *s, int fd, size_t *ret_progress)
{
	*ret_progress = 0;
	for (;;) {
		struct sender_range *r = s->at < s->n_ranges ? &s->ranges[s->at] : NULL;
		size_t end = r ? r->before : s->len;
		ssize_t n;

		if (s->sent < end) {
			n = send_bytes(s, fd, end);
		} else if (r && r->left) {
			n = send_range(r, fd);
			if (n == 0)
				return -ENODATA;
		} else if (r) {
			s->at++;
			continue;
		} else {
			return 1;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		*ret_progress += (size_t)n;
	}
}
