/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * The socket interface of sluice: what an application sees of AF_SLUICE.
 *
 * A socket names what it reads with bind(2) and what it writes with
 * connect(2); one socket may do both. listen(2) and accept(2) are not used.
 *
 *  SOCK_SEQPACKET	one record per send and per recv. Key, headers and the
 *			rest travel as control messages of level SOL_SLUICE.
 *			Records sent with MSG_MORE enter the log together with
 *			those that follow, up to the first without: all or none.
 *  SOCK_STREAM		whole RecordBatches (sluice_format.h) of one partition
 *			as a byte stream, for bulk and for splice(2).
 *
 * The number of the family is a parameter of the module, because no number
 * below AF_MAX is free (Documentation/uapi.md says why 18). A program reads
 * /sys/module/sluice/parameters/family, or lets libsluice do it.
 *
 * All integers are in host byte order, except in batches, which are in the
 * byte order of Kafka's wire format (big endian).
 */
#ifndef _UAPI_LINUX_SLUICE_H
#define _UAPI_LINUX_SLUICE_H

#include <linux/types.h>
#include <linux/socket.h>

#define SLUICE_FAMILY_DEFAULT	18	/* AF_ASH, which no kernel implements */
#define SOL_SLUICE		400	/* level of options and control messages */

#define SLUICE_TOPIC_ID_LEN	16
#define SLUICE_TOPIC_NAME_MAX	249	/* Kafka's limit, without the NUL */
#define SLUICE_ADDR_TOPIC_MAX	103	/* what fits a sockaddr_sluice */
#define SLUICE_PARTITION_ANY	(-1)

/**
 * struct sockaddr_sluice - names a topic, or one partition of it
 * @sl_family: the family the module reports
 * @sl_flags: zero; anything else is -EINVAL
 * @sl_partition: index of the partition, or SLUICE_PARTITION_ANY: a consumer
 *	then reads all partitions, a producer has one chosen for each record
 *	(murmur2 of the key as Kafka's clients do, or one per socket if there
 *	is no key). A SOCK_STREAM consumer must name one. To read some partitions,
 *	or several topics, use SLUICE_ASSIGN.
 * @sl_topic_id: the topic by id; all zero means by name
 * @sl_topic: the topic by name, NUL-terminated. Empty, with a zero id, means
 *	the name last given by SLUICE_TOPIC: the way for names longer than
 *	SLUICE_ADDR_TOPIC_MAX.
 */
struct sockaddr_sluice {
	__kernel_sa_family_t	sl_family;
	__u16			sl_flags;
	__s32			sl_partition;
	__u8			sl_topic_id[SLUICE_TOPIC_ID_LEN];
	char			sl_topic[SLUICE_ADDR_TOPIC_MAX + 1];
};

/*
 * Control messages, level SOL_SLUICE. Sent: all optional, each of the first
 * two at most once. Received: SLUICE_CMSG_RECORD always, then
 * SLUICE_CMSG_KEY if the record has a key, then its headers in their order.
 */
#define SLUICE_CMSG_RECORD	1	/* struct sluice_record_info */
#define SLUICE_CMSG_KEY		2	/* the key's bytes; may be empty */
#define SLUICE_CMSG_HEADER	3	/* struct sluice_record_header; may repeat */
#define SLUICE_CMSG_RECEIPT	4	/* struct sluice_receipt_request; sent only */

/* Flags of struct sluice_record_info. */
#define SLUICE_RECORD_NULL_VALUE	(1 << 0)  /* no value: a tombstone */
#define SLUICE_RECORD_BATCH		(1 << 1)  /* received only: the data is a
						   * whole compressed batch, for
						   * libsluice to open */
#define SLUICE_RECORD_LOG_APPEND_TIME	(1 << 2)  /* received only: the time is
						   * the log's, not the producer's */
#define SLUICE_RECORD_SOUGHT		(1 << 3)  /* received only, of a batch: a
						   * SLUICE_OFFSET_TIME was found in
						   * it. Its records before the first
						   * of that time were not asked for */

/**
 * struct sluice_record_info - the fixed part of a record
 * @offset: the record's offset; ignored when sent
 * @timestamp: milliseconds since the epoch; when sent, -1 means now. Of a batch its
 *	largest, with SLUICE_RECORD_SOUGHT the time that was sought
 * @partition: the record's partition; when sent, SLUICE_PARTITION_ANY or an
 *	index that overrides the address
 * @flags: SLUICE_RECORD_*; when sent, only SLUICE_RECORD_NULL_VALUE, and then
 *	the data must be empty
 * @leader_epoch: leader epoch of the batch; ignored when sent
 * @reserved: zero
 * @topic_id: the record's topic; ignored when sent
 */
struct sluice_record_info {
	__s64	offset;
	__s64	timestamp;
	__s32	partition;
	__u32	flags;
	__s32	leader_epoch;
	__u32	reserved;
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
};

/**
 * struct sluice_record_header - one header of a record
 * @key_len: bytes of the header's key (UTF-8), 0 to 32767
 * @value_len: bytes of the header's value, or -1 for none
 * @data: the key, and right behind it the value
 */
struct sluice_record_header {
	__s32	key_len;
	__s32	value_len;
	__u8	data[];
};

/* When a receipt is given (SLUICE_RECEIPTS, struct sluice_receipt_request). */
#define SLUICE_RECEIPT_NONE		0
#define SLUICE_RECEIPT_APPENDED		1	/* readers can see it */
#define SLUICE_RECEIPT_DURABLE		2	/* it is on stable storage */

/**
 * struct sluice_receipt_request - ask for a receipt for this one send
 * @when: SLUICE_RECEIPT_*
 * @reserved: zero
 * @cookie: given back in the receipt
 */
struct sluice_receipt_request {
	__u32	when;
	__u32	reserved;
	__u64	cookie;
};

/*
 * Events: receipts and fired watches. They are read with
 * recvmsg(MSG_ERRQUEUE), whose data is an array of whole struct sluice_event,
 * as many as fit; -EAGAIN if there are none. poll(2) says POLLERR while there
 * are some. A send that fails says so by its errno and leaves no receipt.
 */
#define SLUICE_EVENT_RECEIPT	1
#define SLUICE_EVENT_WATCH	2

/**
 * struct sluice_event - one receipt or one fired watch
 * @type: SLUICE_EVENT_*
 * @error: 0, or a negative errno: the records were appended but could not be
 *	made durable (receipt; -ESTALE: a truncation took them), or the partition
 *	went away or was truncated, which is -ESTALE (watch)
 * @cookie: from the request
 * @offset: offset of the first record sent, the old one if the batch was a
 *	duplicate of an idempotent producer (receipt); log end offset (watch)
 * @timestamp: milliseconds the log stamped the batch with, or -1 if it keeps
 *	the producer's
 * @log_start_offset: first offset the partition still has
 * @partition: index of the partition
 * @reserved: zero
 * @topic_id: topic of the partition
 */
struct sluice_event {
	__u32	type;
	__s32	error;
	__u64	cookie;
	__s64	offset;
	__s64	timestamp;
	__s64	log_start_offset;
	__s32	partition;
	__u32	reserved;
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
};

/* Options, level SOL_SLUICE. (s) set, (g) get, (x) get that also reads. */
#define SLUICE_TOPIC		1  /* s,g  char[]: name for a bind or connect
				    *      whose address has none */
#define SLUICE_START		2  /* s,g  __s64: where a later bind starts:
				    *      an offset or SLUICE_OFFSET_*;
				    *      SLUICE_OFFSET_LATEST unless set */
#define SLUICE_SEEK		3  /* s    struct sluice_seek */
#define SLUICE_POSITION		4  /* x    struct sluice_position */
#define SLUICE_RECEIPTS		5  /* s,g  __u32: SLUICE_RECEIPT_*, default
				    *      for sends without a request */
#define SLUICE_FETCH		6  /* x    struct sluice_fetch[] */
#define SLUICE_WATCH		7  /* s    struct sluice_watch[] */
#define SLUICE_ERROR_TEXT	8  /* g    char[]: what was wrong with the
				    *      socket's last failed call */
#define SLUICE_FLUSH		9  /* s    struct sluice_flush: returns when
				    *      it is on stable storage */
#define SLUICE_OFFSET_FOR_TIME	10 /* x    struct sluice_offset_for_time */
#define SLUICE_APPEND_AS	11 /* s,g  __u32: SLUICE_AS_*: who this
				    *      socket's batches come from */
#define SLUICE_ABORTED		12 /* x    struct sluice_aborted_list, and
				    *      room behind it */
#define SLUICE_MAX_TIMESTAMP	13 /* x    struct sluice_offset_for_time */
#define SLUICE_EPOCH_END	14 /* x    struct sluice_epoch_end */
#define SLUICE_ASSIGN		15 /* s    struct sluice_assign[] */
#define SLUICE_ISOLATION	16 /* s,g  __u32: SLUICE_READ_* */
#define SLUICE_ACTIVE_PRODUCERS	17 /* x    struct sluice_active_producers, and
				    *      room behind it */
#define SLUICE_LINGER		18 /* s,g  __s32: milliseconds, see below */
#define SLUICE_BATCH_BYTES	19 /* s,g  __s32: bytes, see below */

/*
 * Special offsets, where something starts or is moved to; Kafka's ListOffsets uses
 * the numbers of the first two.
 */
#define SLUICE_OFFSET_LATEST	(-1)	/* log end */
#define SLUICE_OFFSET_EARLIEST	(-2)	/* log start */

/*
 * The first record whose time is not before @ms: milliseconds since the epoch, from 0
 * to SLUICE_TIME_MAX. If there is none, as SLUICE_OFFSET_LATEST. Records behind the
 * first are received whatever their time is. Where that first one lies in a compressed
 * batch, the batch is received whole, with SLUICE_RECORD_SOUGHT.
 */
#define SLUICE_OFFSET_TIME(ms)	((-0x7fffffffffffffffLL - 1) + (ms))
#define SLUICE_TIME_MAX		0x3fffffffffffffffLL

/*
 * Values of SLUICE_ISOLATION. Who reads what is committed reads up to the last stable
 * offset, without the batches of aborted transactions; so SLUICE_OFFSET_LATEST is
 * that offset. For SOCK_SEQPACKET: a SOCK_STREAM has the batches as they are stored
 * (-EOPNOTSUPP). May be changed at any time.
 */
#define SLUICE_READ_UNCOMMITTED	0	/* the default */
#define SLUICE_READ_COMMITTED	1

/*
 * SLUICE_LINGER and SLUICE_BATCH_BYTES: how long the batch that a record is put into
 * stays in memory before it is written to the file, and how large it may be with it.
 * -1, the default: what the topic says. With a linger of 0 each record is a batch of its
 * own, at once in the file. A batch is shared by all producers of a partition: the first
 * that wants it written has it written, and who wants smaller batches begins new ones.
 * What is left of a socket with a linger of its own is written when it is closed or
 * connected anew, in the partitions that it was connected to. For SOCK_SEQPACKET:
 * -EOPNOTSUPP on others.
 */
#define SLUICE_LINGER_MAX	60000
#define SLUICE_BATCH_BYTES_MIN	512
#define SLUICE_BATCH_BYTES_MAX	(1 << 20)

/* Actions of struct sluice_assign. */
#define SLUICE_ASSIGN_ADD	0	/* read it, too */
#define SLUICE_ASSIGN_REMOVE	1	/* read it no more; its position is forgotten */
#define SLUICE_ASSIGN_PAUSE	2	/* deliver nothing of it; its position stays */
#define SLUICE_ASSIGN_RESUME	3	/* go on */

/**
 * struct sluice_assign - change what a consumer reads
 * @addr: a topic and one of its partitions, or SLUICE_PARTITION_ANY for all
 * @action: SLUICE_ASSIGN_*
 * @reserved: zero
 * @start: where to start what is added: SLUICE_OFFSET_*, or in one partition an
 *	offset. Zero for the other actions
 *
 * A consumer reads any partitions of any topics, which take turns; it needs no
 * bind(2) for it, though one does no harm. The option takes an array, which is
 * done up to the first element that fails: -EEXIST the partition is read already
 * (of a whole topic those that are not are added), -ENOENT no such topic or
 * partition, or it is not read, -EACCES, -E2BIG more than 100000 partitions.
 * A SOCK_STREAM reads one partition at a time.
 *
 * When a topic is deleted -ENODEV says so once, and the others go on.
 */
struct sluice_assign {
	struct sockaddr_sluice addr;
	__u32	action;
	__u32	reserved;
	__s64	start;
};

/**
 * struct sluice_seek - move a consumer
 * @offset: an offset or SLUICE_OFFSET_*; one outside the log is -ERANGE
 * @partition: index, or SLUICE_PARTITION_ANY with SLUICE_OFFSET_* only
 * @reserved: zero
 * @topic_id: whose partition; all zero: of the topic that bind(2) named, or of the
 *	only one that is read; with SLUICE_PARTITION_ANY, of all of them
 */
struct sluice_seek {
	__s64	offset;
	__s32	partition;
	__u32	reserved;
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
};

/**
 * struct sluice_position - where a consumer stands
 * @partition: in: index; SLUICE_PARTITION_ANY if it reads just one of the topic
 * @reserved: zero
 * @topic_id: in: all zero: as in struct sluice_seek; out: the topic's
 * @offset: next offset to be received
 * @log_start_offset: first offset the partition has
 * @high_watermark: first offset not yet readable
 * @log_end_offset: next offset to be assigned
 * @last_stable_offset: first offset of an open transaction, or the high watermark
 */
struct sluice_position {
	__s32	partition;
	__u32	reserved;
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
	__s64	offset;
	__s64	log_start_offset;
	__s64	high_watermark;
	__s64	log_end_offset;
	__s64	last_stable_offset;
};

/**
 * struct sluice_fetch - find a range of a log, for sendfile(2) by the broker
 * @topic_id: in: the topic
 * @partition: in: its partition
 * @max_bytes: in: at most this many bytes. The range may end inside a batch,
 *	as Kafka allows
 * @offset: in: first offset wanted; the range starts with the whole batch
 *	that holds it
 * @flags: in: SLUICE_FETCH_*
 * @error: out: 0 or a negative errno: -ENOENT unknown partition, -ERANGE
 *	offset outside the log, -EINVAL flags, -EACCES, -EIO partition offline.
 *	The fields below are then -1, except @bytes and @inode (0) and the
 *	watermarks where they are known
 * @segment_base_offset: out: base offset of the segment, which names its file
 * @position: out: byte position of the range in the segment's .log file
 * @bytes: out: its length; 0 at the end of the log
 * @leader_epoch: out: leader epoch of the partition
 * @log_start_offset: out: first offset the partition has
 * @high_watermark: out: first offset not yet readable
 * @last_stable_offset: out: first offset of an open transaction, or the high
 *	watermark
 * @log_end_offset: out: next offset to be assigned
 * @inode: out: inode number of that .log file. The name may be another file's
 *	by the time it is opened (the segment was truncated, compacted or deleted
 *	and made anew): use a descriptor only if fstat(2) says this number, and a
 *	fetch made while it was open did, too. 0 if there is no range
 * @end_offset: out: with SLUICE_FETCH_COMMITTED: no batch that begins in the
 *	range has this offset or a larger one. It is near the last, not exact:
 *	meant for SLUICE_ABORTED. -1 without the flag, or if there is no range
 *
 * Needs no bind: the caller's right to read the partition is checked each
 * time. The option takes an array; each element is answered by itself.
 */
struct sluice_fetch {
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
	__s32	partition;
	__u32	max_bytes;
	__s64	offset;
	__u32	flags;
	__s32	error;
	__s64	segment_base_offset;
	__s64	position;
	__u32	bytes;
	__s32	leader_epoch;
	__s64	log_start_offset;
	__s64	high_watermark;
	__s64	last_stable_offset;
	__s64	log_end_offset;
	__u64	inode;
	__s64	end_offset;
};
#define SLUICE_FETCH_MIN_ONE	(1 << 0) /* the first batch whole, even if it
					  * is larger than max_bytes */
#define SLUICE_FETCH_COMMITTED	(1 << 1) /* not past the last stable offset */
#define SLUICE_FETCH_LOG_END	(1 << 2) /* past the high watermark, too: for a
					  * replica. Not with the one above */

/**
 * struct sluice_watch - be told once when a partition grows
 * @topic_id: the topic
 * @partition: its partition
 * @flags: SLUICE_WATCH_*
 * @offset: fire when the high watermark is above this; at once if it is
 * @cookie: given back in the event
 *
 * A socket has at most one watch for each partition: setting it again moves
 * it, and an event of it that was not yet read is taken back. A watch fires
 * once. It also fires, with an error, when the partition goes away, or when it
 * is truncated to an end below @offset (-ESTALE).
 */
struct sluice_watch {
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
	__s32	partition;
	__u32	flags;
	__s64	offset;
	__u64	cookie;
};
#define SLUICE_WATCH_REMOVE	(1 << 0)

/**
 * struct sluice_flush - make a partition durable
 * @topic_id: the topic; all zero: the one the socket is connected to
 * @partition: its partition; SLUICE_PARTITION_ANY: all of them
 * @reserved: zero
 */
struct sluice_flush {
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
	__s32	partition;
	__u32	reserved;
};

/**
 * struct sluice_offset_for_time - first record at or after a time
 * @topic_id: in: the topic
 * @partition: in: its partition
 * @reserved: zero
 * @timestamp: in: milliseconds since the epoch; out: time of the record found
 * @offset: out: its offset, or -1 (timestamp too) if there is none. In a
 *	compressed batch that is the batch's first offset and its largest time
 *
 * SLUICE_MAX_TIMESTAMP uses the same structure for the first record with the
 * largest time of all; @timestamp is then only out.
 */
struct sluice_offset_for_time {
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
	__s32	partition;
	__u32	reserved;
	__s64	timestamp;
	__s64	offset;
};

/**
 * struct sluice_epoch_end - where a leader epoch of a partition ended
 * @topic_id: in: the topic
 * @partition: in: its partition
 * @leader_epoch: in: the epoch; out: the largest epoch the log has that is not
 *	above it, itself if all that is left is newer; -1 if it is newer than all
 * @end_offset: out: where the next one begins, or the log end; -1 with epoch -1
 *
 * For a replica or a consumer that wants to know whether what it read is still
 * what the log has (Kafka's OffsetForLeaderEpoch).
 */
struct sluice_epoch_end {
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
	__s32	partition;
	__s32	leader_epoch;
	__s64	end_offset;
};

/**
 * struct sluice_aborted - a transaction that was aborted
 * @producer_id: whose it was
 * @first_offset: of its first batch
 * @last_offset: of the marker that ended it
 */
struct sluice_aborted {
	__s64	producer_id;
	__s64	first_offset;
	__s64	last_offset;
};

/**
 * struct sluice_aborted_list - what a reader of committed records leaves out
 * @topic_id: in: the topic
 * @partition: in: its partition
 * @count: in: zero; out: how many there are
 * @offset: in: first of the range that is read
 * @end_offset: in: behind it, as SLUICE_FETCH told; not above the last stable
 *	offset, which is -ERANGE as an @offset below the log start is
 * @txns: out: those that overlap the range, in the order of their markers, as
 *	many as there is room for in the option's length
 *
 * If there are more, go on with an @offset behind the last one's @last_offset.
 */
struct sluice_aborted_list {
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
	__s32	partition;
	__u32	count;
	__s64	offset;
	__s64	end_offset;
	struct sluice_aborted txns[];
};

/**
 * struct sluice_active_producer - what a log remembers of a producer with an id
 * @producer_id: its id
 * @last_timestamp: of its last batch or marker, milliseconds since the epoch
 * @txn_start_offset: of its open transaction, or -1
 * @last_sequence: of its last batch, or -1
 * @producer_epoch: its epoch
 * @coordinator_epoch: of the last marker that ended one of its transactions, or -1
 * @reserved: zero
 */
struct sluice_active_producer {
	__s64	producer_id;
	__s64	last_timestamp;
	__s64	txn_start_offset;
	__s32	last_sequence;
	__s32	producer_epoch;
	__s32	coordinator_epoch;
	__u32	reserved;
};

/**
 * struct sluice_active_producers - the producers that a log remembers
 * @topic_id: in: the topic
 * @partition: in: its partition
 * @count: in: zero; out: how many there are
 * @producers: out: in no order, as many as there is room for in the option's
 *	length. There is no going on: who has too little room asks again with more
 */
struct sluice_active_producers {
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
	__s32	partition;
	__u32	count;
	struct sluice_active_producer producers[];
};

/*
 * Values of SLUICE_APPEND_AS. All but the first need CAP_NET_ADMIN in the user
 * namespace that owns the socket's network namespace, and a SOCK_STREAM socket.
 */
#define SLUICE_AS_CLIENT		0	/* a producer */
#define SLUICE_AS_COORDINATOR	1	/* control batches: the ends of
						 * transactions */
#define SLUICE_AS_REPLICA	2	/* batches that another log has:
						 * offsets and epochs are kept */

/*
 * Filters (SO_ATTACH_FILTER, SO_ATTACH_BPF) of a consumer. The program is run
 * over each record before it is delivered. If it returns 0 the record is passed
 * over: the consumer's offset advances, and it is not woken. Anything else
 * delivers the record, whole.
 *
 * What the program sees as its packet begins with struct sluice_filter_view;
 * behind it are the record's bytes as they are in the log, from the key on: the
 * key, the value and the headers, with their lengths between them as varints.
 * Of a long record only the first SLUICE_FILTER_BYTES_MAX bytes are there;
 * a program that reads past them ends, and rejects the record.
 *
 * With SLUICE_RECORD_BATCH it is a batch, which is delivered whole or not at
 * all: a compressed one, or on a SOCK_STREAM any. Then the bytes are those of
 * the batch, with its header (sluice_format.h). On a SOCK_SEQPACKET a program
 * that is about records should let these pass, and look at the records later.
 *
 * The program must answer by what it sees; it may be asked about a record more
 * than once, and about records that are never received. A record that poll(2)
 * or MSG_PEEK has found stays at hand though the filter is changed then.
 *
 * All is big endian, as BPF's packet loads want it. Fields keep their places;
 * new ones are added at the end, where @size says that they are.
 */
#define SLUICE_FILTER_HEADERS_MAX	16	/* headers that are listed */
#define SLUICE_FILTER_BYTES_MAX		32768	/* bytes of a record that are seen */

/**
 * struct sluice_filter_header - where a header of the record is
 * @name_at: position of its name in the packet
 * @name_len: bytes of it
 * @value_at: position of its value
 * @value_len: bytes of it; 0xffffffff: none
 */
struct sluice_filter_header {
	__be32	name_at;
	__be32	name_len;
	__be32	value_at;
	__be32	value_len;
};

/**
 * struct sluice_filter_view - what a filter sees first
 * @size: bytes of this structure; the record's bytes are behind it
 * @reserved: zero
 * @flags: SLUICE_RECORD_*
 * @offset: the record's; of a batch its first
 * @timestamp: the record's, in milliseconds; of a batch its largest
 * @partition: the record's
 * @leader_epoch: of the batch
 * @attributes: of the batch, SLUICE_BATCH_*
 * @record_count: 1; of a batch the number of its records
 * @bytes: that the record has from its key on, or the batch; may be more than
 *	are seen
 * @key_at: position of the key in the packet; 0: behind what is seen
 * @key_len: bytes of it; 0xffffffff: no key
 * @value_at: position of the value, as @key_at
 * @value_len: bytes of it, of which some may be behind what is seen;
 *	0xffffffff: no value
 * @header_count: headers the record has
 * @headers_listed: how many of them are in @headers: those that are seen whole,
 *	up to the first that is not, and SLUICE_FILTER_HEADERS_MAX at most
 * @reserved2: zero
 * @topic_id: the topic
 * @headers: zero behind @headers_listed
 */
struct sluice_filter_view {
	__be16	size;
	__be16	reserved;
	__be32	flags;
	__be64	offset;
	__be64	timestamp;
	__be32	partition;
	__be32	leader_epoch;
	__be32	attributes;
	__be32	record_count;
	__be32	bytes;
	__be32	key_at;
	__be32	key_len;
	__be32	value_at;
	__be32	value_len;
	__be32	header_count;
	__be32	headers_listed;
	__be32	reserved2;
	__u8	topic_id[SLUICE_TOPIC_ID_LEN];
	struct sluice_filter_header headers[SLUICE_FILTER_HEADERS_MAX];
};

/*
 * Errors of send, beside those of send(2). The right column is what the Kafka
 * bridge answers (Errors.java).
 *
 *  -EBADMSG	CRC wrong				CORRUPT_MESSAGE (2)
 *  -EINVAL	length, magic, count, attributes wrong	INVALID_RECORD (87)
 *  -ETIME	a time out of bounds, or LogAppendTime	INVALID_TIMESTAMP (32)
 *  -EMSGSIZE	larger than max.message.bytes		MESSAGE_TOO_LARGE (10)
 *  -ENOENT	no such topic or partition		UNKNOWN_TOPIC_OR_PARTITION (3)
 *  -EILSEQ	sequence is not the next one		OUT_OF_ORDER_SEQUENCE_NUMBER (45)
 *  -ESTALE	producer epoch is an old one		INVALID_PRODUCER_EPOCH (47)
 *  -ECANCELED	a truncation took the batch while
 *		flush.messages waited for storage	NOT_LEADER_OR_FOLLOWER (6)
 *  -EBUSY	the producer has a transaction open,
 *		the batch is not part of it		INVALID_TXN_STATE (48)
 *  -EOWNERDEAD	marker of a coordinator that another
 *		has replaced				TRANSACTION_COORDINATOR_FENCED (52)
 *  -ENOSPC, -EDQUOT, -EIO, -EROFS			KAFKA_STORAGE_ERROR (56)
 *  -EACCES	the directory's mode forbids it		TOPIC_AUTHORIZATION_FAILED (29)
 *  -ENOBUFS	too many events wait to be read
 *  -EDESTADDRREQ  neither connected nor addressed
 */

#endif /* _UAPI_LINUX_SLUICE_H */
