// SPDX-License-Identifier: Apache-2.0
/*
 * Bytes from outside through the Kafka codec. The first byte chooses: 0 takes
 * the rest for a request with its header, as it comes from a connection; any
 * other takes it for one message, in the version of the second byte.
 *
 * What can be decoded must encode, and that must decode to the same bytes
 * again. (Not to the input: unknown tagged fields and long varints get lost.)
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/kafka/header.h"
#include "kafka/message_table.h"

#define ARENA_LIMIT (4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what, const struct kafka_codec *codec, int16_t version)
{
	if (holds)
		return;
	fprintf(stderr, "%s version %d: %s\n", codec->name, version, what);
	abort();
}

/* Decodes, and appends what was decoded to @b. */
static int recode(const struct kafka_codec *codec, int16_t version, struct wire_reader *r,
		  struct buf *b)
{
	void *m = calloc(1, codec->size);
	struct wire_writer w;
	struct arena a;
	int err;

	if (!m)
		abort();
	arena_init(&a, ARENA_LIMIT);
	err = codec->decode(r, &a, version, m);
	if (!err) {
		wire_writer_init(&w, b);
		codec->encode(&w, version, m);
		must(!w.err, "decoded, but cannot be encoded", codec, version);
		must(!w.gap_count, "decoded to a gap", codec, version);
		wire_writer_free(&w);
	}
	arena_free(&a);
	free(m);
	return err;
}

static void check(const struct kafka_codec *codec, int16_t version, struct wire_reader *r)
{
	struct wire_reader again;
	struct buf first, second;
	int err;

	buf_init(&first, 0);
	buf_init(&second, 0);
	err = recode(codec, version, r, &first);
	must(!err || err == -EBADMSG || err == -ENOMEM || err == -EOPNOTSUPP, "odd error", codec,
	     version);
	if (!err && first.len) {
		wire_reader_init(&again, first.data, first.len);
		err = recode(codec, version, &again, &second);
		must(!err, "encoded, but cannot be decoded", codec, version);
		must(first.len == second.len && !memcmp(first.data, second.data, first.len),
		     "changes from one encoding to the next", codec, version);
	}
	buf_free(&first);
	buf_free(&second);
}

static void check_request(struct wire_reader *r)
{
	struct kafka_request_header header;
	const struct kafka_api *api = NULL;

	if (kafka_request_header_decode(r, &header, &api))
		return;
	/* kafka_codecs has a request and a response for each API, in the same order. */
	check(&kafka_codecs[2 * (api - kafka_apis)], header.request_api_version, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_reader r;
	uint8_t choice;

	wire_reader_init(&r, data, size);
	choice = (uint8_t)wire_read_int8(&r);
	if (!choice)
		check_request(&r);
	else
		check(&kafka_codecs[choice % KAFKA_CODEC_COUNT], wire_read_int8(&r), &r);
	return 0;
}
