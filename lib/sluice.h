/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsluice: records in, records out, over AF_SLUICE sockets.
 *
 * No broker process is involved: a call is a system call on a socket of the
 * sluice module. Functions return 0 or a count, or -errno; sluice_strerror()
 * then has a sentence that says what was wrong. A handle is used by one
 * thread at a time; different handles are independent. The handle's file
 * descriptor can be polled together with others.
 *
 * The interface may still change before version 1.0.
 */
#ifndef SLUICE_H
#define SLUICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_producer sluice_producer;
typedef struct sluice_consumer sluice_consumer;

#define SLUICE_ANY_PARTITION (-1)

/* Where a consumer starts, and special offsets for seeking. */
#define SLUICE_LATEST	(-1)
#define SLUICE_EARLIEST (-2)

/**
 * The first record whose time is not before @ms: milliseconds since the epoch, from 0
 * to SLUICE_AT_MAX. The end if there is none. What is behind the first comes
 * whatever its time is.
 */
#define SLUICE_AT(ms) (INT64_MIN + (int64_t)(ms))
#define SLUICE_AT_MAX (INT64_MAX / 2)

/** A name and a value that travel with a record. value NULL: no value. */
typedef struct sluice_header {
	const char *key; /* NUL-terminated UTF-8 */
	const void *value;
	size_t value_len;
} sluice_header;

/**
 * A record. To send one, zero the struct and set what it has; `timestamp` 0
 * means now, `partition` SLUICE_ANY_PARTITION lets the key decide (zero is a
 * partition: use SLUICE_RECORD_INIT). A NULL value is a tombstone, a NULL key
 * is none. A received record points into the consumer and stays valid until
 * the next call on it.
 */
typedef struct sluice_record {
	const void *key;
	size_t key_len;
	const void *value;
	size_t value_len;
	const sluice_header *headers;
	size_t n_headers;
	int64_t timestamp; /* milliseconds since the epoch */
	int64_t offset;	   /* received only */
	int32_t partition;
	const char *topic; /* received only; valid as long as the consumer */
} sluice_record;

/* clang-format off */
#define SLUICE_RECORD_INIT {.partition = SLUICE_ANY_PARTITION}
/* clang-format on */

/** What became of a record: its place in the log. */
typedef struct sluice_receipt {
	int64_t offset;
	int64_t timestamp; /* the log's, or -1 if it keeps the producer's */
	int32_t partition;
} sluice_receipt;

/* Flags of sluice_produce(). */
#define SLUICE_DURABLE 1 /* return when the record is on stable storage */
#define SLUICE_MORE    2 /* the record enters the log with the next one, see below */

/**
 * sluice_producer_open() - open a producer for a topic
 * @partition: an index, or SLUICE_ANY_PARTITION
 * Returns 0; -ENOENT no such topic; -EACCES; -EAFNOSUPPORT the module is not
 * loaded; others of socket(2).
 */
int sluice_producer_open(const char *topic, int32_t partition, sluice_producer **ret);

/**
 * sluice_produce() - append one record
 * @receipt: filled if not NULL
 * Returns 0 once the record is in the log (with SLUICE_DURABLE: on stable
 * storage), or -errno, and then nothing of it is in the log; except that a
 * failure to make it durable leaves it appended and the partition offline.
 *
 * With SLUICE_MORE the record is kept, and enters the log together with those
 * that follow, up to the first without the flag: all of them or none. They are
 * for one partition, and as large as max.message.bytes together at most. A call
 * that fails ends the chain, with all that it had. SLUICE_DURABLE and @receipt are
 * for the last one.
 */
int sluice_produce(sluice_producer *p, const sluice_record *r, unsigned int flags,
		   sluice_receipt *receipt);

/**
 * sluice_producer_batching() - how this producer's records are gathered
 * @linger_ms: a batch is in memory for so long before it is in the file, 0 to 60000;
 *	0: each record is a batch. -1: as the topic says
 * @batch_bytes: batches are so large at most, 512 to 1048576; -1: as the topic says
 * Producers of a partition share its batch, and the first that wants it written has
 * it written. Closing the producer writes what is left. Readers on this host see
 * a record at once, whatever this says.
 */
int sluice_producer_batching(sluice_producer *p, int linger_ms, int batch_bytes);

/** sluice_producer_flush() - all that this topic holds to stable storage. */
int sluice_producer_flush(sluice_producer *p);

int sluice_producer_fd(const sluice_producer *p);
void sluice_producer_close(sluice_producer *p);

/**
 * sluice_consumer_open() - open a consumer for a topic
 * @partition: an index, or SLUICE_ANY_PARTITION for all
 * @start: an offset in one partition, SLUICE_EARLIEST, SLUICE_LATEST or SLUICE_AT()
 */
int sluice_consumer_open(const char *topic, int32_t partition, int64_t start,
			 sluice_consumer **ret);

/**
 * sluice_consume() - receive the next record
 * @timeout_ms: how long to wait for one; 0 not at all, -1 for ever
 * Returns 1 and fills @r; 0 if the time ran out; -errno. -ERANGE: the position
 * was below the start of the log and has been moved there; or the log was
 * truncated below it, and it has been moved to where that ended the log.
 * -EBADMSG: a batch could not be read and was skipped.
 */
int sluice_consume(sluice_consumer *c, int timeout_ms, sluice_record *r);

/** A compiled filter expression; sluice_filter_compile(3) describes the language. */
typedef struct sluice_filter sluice_filter;
struct sock_fprog;

/**
 * sluice_filter_compile() - make a filter of an expression
 * As `key == "a" and not (header("type") ^= "x" or offset < 100)`.
 * @ret: to be freed by sluice_filter_free()
 * Returns 0; -EINVAL it is not an expression, and sluice_strerror() says where;
 * -E2BIG it is too long for the kernel.
 */
int sluice_filter_compile(const char *expression, sluice_filter **ret);

/**
 * sluice_consumer_filter() - receive only records that match
 * The kernel passes over the others. @f may be freed at once; NULL lets all
 * records pass again.
 */
int sluice_consumer_filter(sluice_consumer *c, const sluice_filter *f);

/** sluice_filter_matches() - 1 or 0 for a record in memory. */
int sluice_filter_matches(const sluice_filter *f, const sluice_record *r);

/**
 * sluice_filter_program() - what the kernel is given: SO_ATTACH_FILTER's argument
 * It lets a few records more pass than match (SLUICE_RECORD_BATCH, for one).
 * Valid as long as @f.
 */
const struct sock_fprog *sluice_filter_program(const sluice_filter *f);
void sluice_filter_free(sluice_filter *f);

/**
 * sluice_consumer_add() - read more: a partition of the same or another topic
 * @partition: an index, or SLUICE_ANY_PARTITION for all that are not read yet
 * @start: SLUICE_EARLIEST, SLUICE_LATEST, SLUICE_AT(), or in one partition an offset
 * All partitions take turns, and a record says of which topic it is. -EEXIST: it is
 * read already. When a topic is deleted sluice_consume() says -ENODEV once, and the
 * others go on.
 */
int sluice_consumer_add(sluice_consumer *c, const char *topic, int32_t partition, int64_t start);

/** sluice_consumer_remove() - read it no more; -ENOENT: it was not read. */
int sluice_consumer_remove(sluice_consumer *c, const char *topic, int32_t partition);

/**
 * sluice_consumer_pause() - receive nothing of it for now
 * @pause: not zero; zero: go on where it was. Of a compressed batch that was begun
 *	the rest still comes.
 */
int sluice_consumer_pause(sluice_consumer *c, const char *topic, int32_t partition, int pause);

/**
 * sluice_consumer_committed() - receive committed records only
 * @committed: not zero: nothing of transactions that were aborted, nor what lies
 *	behind one that is open. Zero: everything, as at the beginning.
 */
int sluice_consumer_committed(sluice_consumer *c, int committed);

/**
 * sluice_seek() - move a consumer in the topic it was opened with
 * @partition: an index; SLUICE_ANY_PARTITION with SLUICE_EARLIEST, SLUICE_LATEST or
 *	SLUICE_AT() moves all
 */
int sluice_seek(sluice_consumer *c, int32_t partition, int64_t offset);

/** sluice_seek_in() - the same in a topic that was added; NULL: the first. */
int sluice_seek_in(sluice_consumer *c, const char *topic, int32_t partition, int64_t offset);

/** Where a consumer stands in a partition, and what the partition holds. */
typedef struct sluice_place {
	int64_t position; /* next offset to be received */
	int64_t log_start_offset;
	int64_t high_watermark; /* position == high_watermark: caught up */
	int64_t log_end_offset;
	int64_t last_stable_offset; /* as far as committed records are received */
} sluice_place;
int sluice_position(sluice_consumer *c, int32_t partition, sluice_place *ret);
int sluice_position_in(sluice_consumer *c, const char *topic, int32_t partition, sluice_place *ret);

int sluice_consumer_fd(const sluice_consumer *c);
void sluice_consumer_close(sluice_consumer *c);

/**
 * sluice_strerror() - what the last failed call of this thread was about
 * Valid until the thread's next call into the library.
 */
const char *sluice_strerror(void);

/** sluice_version() - "major.minor.patch" of the library. */
const char *sluice_version(void);

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_H */
