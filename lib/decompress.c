// SPDX-License-Identifier: Apache-2.0
/*
 * A batch's records opened whole. There is room only step by step, so that a
 * few bytes that claim to be gigabytes cost no memory until they have shown it.
 */
#include <errno.h>
#include "lib/codec.h"

#define STEP_BYTES 65536

static int make_room(struct sluice__bytes *out, size_t max)
{
	size_t room;

	if (out->len < out->room)
		return 0;
	room = out->room ? out->room * 2 : STEP_BYTES;
	return sluice__bytes_reserve(out, room < max ? room : max);
}

/* At @max there is only one thing left to learn: whether that is all. */
static int nothing_more(struct sluice__inflater *in)
{
	uint8_t byte;
	ssize_t n = sluice__inflate(in, &byte, 1);

	return n > 0 ? -EMSGSIZE : (int)n;
}

static int read_all(struct sluice__inflater *in, size_t max, struct sluice__bytes *out)
{
	ssize_t n = 1;
	int err;

	while (n > 0 && out->len < max) {
		err = make_room(out, max);
		if (err)
			return err;
		n = sluice__inflate(in, out->p + out->len,
				    (out->room < max ? out->room : max) - out->len);
		if (n > 0)
			out->len += (size_t)n;
	}
	return n > 0 ? nothing_more(in) : (int)n;
}

int sluice__decompress(int codec, const uint8_t *data, size_t len, size_t max,
		       struct sluice__bytes *out)
{
	struct sluice__inflater *in;
	int err = sluice__inflate_open(codec, data, len, &in);

	out->len = 0;
	if (err)
		return err;
	err = read_all(in, max, out);
	sluice__inflate_close(in);
	return err == -ENODATA ? -EBADMSG : err;
}
