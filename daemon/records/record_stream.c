// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sluice_format.h>

#include "daemon/records/record_sink.h"
#include "daemon/records/record_stream.h"
#include "kmod/log/record.h"
#include "lib/codec.h"

int record_stream_open(struct record_stream *s, int codec, const uint8_t *data, size_t len,
		       uint64_t max)
{
	int err;

	*s = (struct record_stream){.max = max};
	if (codec == SLUICE_COMPRESSION_NONE) {
		s->at = data;
		s->left = len;
		s->inflated = len;
		return 0;
	}
	s->window = malloc(RECORD_WINDOW_BYTES);
	if (!s->window)
		return -ENOMEM;
	err = sluice__inflate_open(codec, data, len, &s->inflater);
	if (err)
		free(s->window);
	return err;
}

void record_stream_close(struct record_stream *s)
{
	if (s->inflater)
		sluice__inflate_close(s->inflater);
	free(s->window);
}

/* More bytes behind those that are left, which move to the front. */
static int fill(struct record_stream *s)
{
	ssize_t n;

	if (s->err)
		return s->err;
	if (!s->inflater)
		return s->err = -ENODATA;
	if (s->inflated >= s->max)
		return s->err = -EMSGSIZE;
	if (s->left)
		memmove(s->window, s->at, s->left);
	s->at = s->window;
	n = sluice__inflate(s->inflater, s->window + s->left, RECORD_WINDOW_BYTES - s->left);
	if (n <= 0)
		return s->err = !n ? -ENODATA : n == -ENODATA ? -EPIPE : (int)n;
	s->left += (size_t)n;
	s->inflated += (uint64_t)n;
	return 0;
}

/* At the end of the stream fewer bytes than the longest number has may do. */
static int take_number(struct record_stream *s, int n)
{
	if (n < 0)
		return -EINVAL;
	s->at += n;
	s->left -= (size_t)n;
	return 0;
}

static bool has_number(const struct record_stream *s, size_t most)
{
	for (size_t i = 0; i < s->left && i < most; i++) {
		if (!(s->at[i] & 0x80))
			return true;
	}
	return s->left >= most;
}

int record_stream_varlong(struct record_stream *s, int64_t *ret_v)
{
	s64 v = 0;
	int err;

	while (!has_number(s, SLUICE_VARLONG_MAX)) {
		err = fill(s);
		if (err)
			return err;
	}
	err = take_number(s, sluice_varlong_read(s->at, s->left, &v));
	*ret_v = v;
	return err;
}

int record_stream_varint(struct record_stream *s, int32_t *ret_v)
{
	s32 v = 0;
	int err;

	/* Most numbers are one byte. */
	if (s->left && !(s->at[0] & 0x80)) {
		*ret_v = (int32_t)(s->at[0] >> 1) ^ -(int32_t)(s->at[0] & 1);
		s->at++;
		s->left--;
		return 0;
	}
	while (!has_number(s, SLUICE_VARINT_MAX)) {
		err = fill(s);
		if (err)
			return err;
	}
	err = take_number(s, sluice_varint_read(s->at, s->left, &v));
	*ret_v = v;
	return err;
}

int record_stream_skip(struct record_stream *s, uint64_t n, struct record_sink *to)
{
	while (n) {
		size_t some = s->left < n ? s->left : (size_t)n;
		int err = 0;

		if (!some)
			err = fill(s);
		else if (to)
			err = record_sink_put(to, s->at, some);
		if (err)
			return err;
		s->at += some;
		s->left -= some;
		n -= some;
	}
	return 0;
}

int record_stream_ended(struct record_stream *s)
{
	int err;

	if (s->left)
		return 0;
	/* Only the inflater knows whether it ends where it may. */
	err = s->inflater ? fill(s) : -ENODATA;
	if (err == -ENODATA)
		return 1;
	return err;
}
