// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "lib/filter.h"
#include "lib/internal.h"

#define DATA_BYTES_FIRST    65536
#define CONTROL_BYTES_FIRST 4096
#define DATA_BYTES_MAX	    (UINT32_C(1) << 31)
#define CONTROL_BYTES_MAX   (UINT32_C(16) << 20)

/* A topic that is read, or was; records point to its name. */
struct topic {
	char *name;
	uint8_t id[SLUICE_TOPIC_ID_LEN];
};

/* A seek into the middle of a compressed batch brings the whole batch. */
struct wanted {
	const struct topic *topic;
	int32_t partition;
	int64_t offset; /* records below it are not given out */
};

struct sluice_consumer {
	int fd;
	struct topic **topics; /* the first is the one it was opened with */
	size_t n_topics;
	struct sluice__bytes data;
	struct sluice__bytes control;
	struct sluice__bytes header_keys;
	sluice_header *headers;
	size_t headers_room;
	struct wanted *wanted;
	size_t n_wanted;
	bool in_batch; /* records of @batch are still to be given out */
	const struct topic *batch_topic;
	int32_t batch_partition;
	int64_t batch_from_time; /* its records before the first of this time were not asked for */
	struct sluice__batch batch;
	struct sluice_filter *filter; /* holds a reference */
};

static int set_start(int fd, int64_t start)
{
	if (setsockopt(fd, SOL_SLUICE, SLUICE_START, &start, sizeof(start)))
		return sluice__fail_socket(fd, -errno, "start");
	return 0;
}

/* The last of that name, for it may have been deleted and made anew; NULL: the first. */
static const struct topic *topic_by_name(const sluice_consumer *c, const char *name)
{
	if (!name)
		return c->topics[0];
	for (size_t i = c->n_topics; i-- > 0;) {
		if (!strcmp(c->topics[i]->name, name))
			return c->topics[i];
	}
	return NULL;
}

static const struct topic *topic_by_id(const sluice_consumer *c, const uint8_t *id)
{
	for (size_t i = 0; i < c->n_topics; i++) {
		if (!memcmp(c->topics[i]->id, id, SLUICE_TOPIC_ID_LEN))
			return c->topics[i];
	}
	return NULL;
}

/* Remember the topic that @fd is bound to. */
static int add_topic(sluice_consumer *c, int fd, const char *name)
{
	struct sockaddr_sluice addr;
	socklen_t len = sizeof(addr);
	struct topic *topic, **grown;

	if (getsockname(fd, (struct sockaddr *)&addr, &len))
		return sluice__fail(-errno, "getsockname: %s", strerror(errno));
	if (topic_by_id(c, addr.sl_topic_id))
		return 0;
	topic = calloc(1, sizeof(*topic));
	grown = reallocarray(c->topics, c->n_topics + 1, sizeof(struct topic *));
	if (grown)
		c->topics = grown;
	if (topic)
		topic->name = strdup(name);
	if (!grown || !topic || !topic->name) {
		free(topic);
		return sluice__fail(-ENOMEM, "out of memory");
	}
	memcpy(topic->id, addr.sl_topic_id, sizeof(topic->id));
	grown[c->n_topics++] = topic;
	return 0;
}

static int want(sluice_consumer *c, const struct topic *topic, int32_t partition, int64_t offset)
{
	struct wanted *grown;

	for (size_t i = 0; i < c->n_wanted; i++) {
		if (c->wanted[i].topic == topic && c->wanted[i].partition == partition) {
			c->wanted[i].offset = offset;
			return 0;
		}
	}
	if (offset <= 0)
		return 0;
	grown = reallocarray(c->wanted, c->n_wanted + 1, sizeof(*grown));
	if (!grown)
		return sluice__fail(-ENOMEM, "out of memory");
	c->wanted = grown;
	grown[c->n_wanted++] =
		(struct wanted){.topic = topic, .partition = partition, .offset = offset};
	return 0;
}

/* Of the batch at hand. */
static int64_t wanted_offset(const sluice_consumer *c)
{
	for (size_t i = 0; i < c->n_wanted; i++) {
		if (c->wanted[i].topic == c->batch_topic &&
		    c->wanted[i].partition == c->batch_partition)
			return c->wanted[i].offset;
	}
	return 0;
}

static void free_topics(sluice_consumer *c)
{
	for (size_t i = 0; i < c->n_topics; i++) {
		free(c->topics[i]->name);
		free(c->topics[i]);
	}
	free(c->topics);
}

SLUICE_API int sluice_consumer_open(const char *topic, int32_t partition, int64_t start,
				    sluice_consumer **ret)
{
	sluice_consumer *c = calloc(1, sizeof(*c));
	struct sockaddr_sluice addr;
	int err;

	if (!c)
		return sluice__fail(-ENOMEM, "out of memory");
	err = c->fd = sluice__socket();
	if (err < 0)
		goto err_free;
	err = sluice__bytes_reserve(&c->data, DATA_BYTES_FIRST);
	if (!err)
		err = sluice__bytes_reserve(&c->control, CONTROL_BYTES_FIRST);
	if (err) {
		sluice__fail(err, "out of memory");
		goto err_close;
	}
	err = set_start(c->fd, start);
	if (!err)
		err = sluice__address(c->fd, topic, partition, &addr);
	if (!err && bind(c->fd, (struct sockaddr *)&addr, sizeof(addr)))
		err = sluice__fail_socket(c->fd, -errno, topic);
	if (!err)
		err = add_topic(c, c->fd, topic);
	/* One partition, then: the kernel has one place to start at an offset. */
	if (!err && start > 0)
		err = want(c, c->topics[0], partition == SLUICE_ANY_PARTITION ? 0 : partition,
			   start);
	if (err)
		goto err_close;
	*ret = c;
	return 0;

err_close:
	free_topics(c);
	sluice__bytes_free(&c->control);
	sluice__bytes_free(&c->data);
	close(c->fd);
err_free:
	free(c);
	return err;
}

SLUICE_API void sluice_consumer_close(sluice_consumer *c)
{
	if (!c)
		return;
	close(c->fd);
	sluice__batch_free(&c->batch);
	sluice_filter_free(c->filter);
	sluice__bytes_free(&c->data);
	sluice__bytes_free(&c->control);
	sluice__bytes_free(&c->header_keys);
	free(c->headers);
	free(c->wanted);
	free_topics(c);
	free(c);
}

SLUICE_API int sluice_consumer_fd(const sluice_consumer *c)
{
	return c->fd;
}

static int make_headers(sluice_consumer *c, size_t n)
{
	sluice_header *grown;

	if (n <= c->headers_room)
		return 0;
	grown = reallocarray(c->headers, n + 16, sizeof(*grown));
	if (!grown)
		return sluice__fail(-ENOMEM, "out of memory");
	c->headers = grown;
	c->headers_room = n + 16;
	return 0;
}

/* Header names get their NUL in a buffer of their own, which was made large enough. */
static void put_header(sluice_consumer *c, sluice_header *h, const uint8_t *key, size_t key_len,
		       const uint8_t *value, int32_t value_len)
{
	uint8_t *copy = c->header_keys.p + c->header_keys.len;

	memcpy(copy, key, key_len);
	copy[key_len] = '\0';
	c->header_keys.len += key_len + 1;
	*h = (sluice_header){.key = (const char *)copy,
			     .value = value_len < 0 ? NULL : value,
			     .value_len = value_len < 0 ? 0 : (size_t)value_len};
}

/* Everything a header names fits what is between its start and the record's end. */
static int reserve_header_keys(sluice_consumer *c, size_t bytes, size_t n)
{
	c->header_keys.len = 0;
	if (sluice__bytes_reserve(&c->header_keys, bytes + n))
		return sluice__fail(-ENOMEM, "out of memory");
	return 0;
}

/* The next record of @batch that was asked for. It may be a copy of the one at hand. */
static int next_wanted(const sluice_consumer *c, struct sluice__batch *batch, int64_t *from_time,
		       struct sluice__raw_record *raw)
{
	int64_t from = wanted_offset(c);
	int got;

	while ((got = sluice__batch_next(batch, raw)) > 0) {
		if (raw->offset < from || raw->timestamp < *from_time)
			continue;
		*from_time = INT64_MIN;
		break;
	}
	return got;
}

static int next_of_batch(sluice_consumer *c, sluice_record *r)
{
	struct sluice__raw_record raw;
	const uint8_t *pos, *key, *value;
	int32_t key_len, value_len;
	int got;

	got = next_wanted(c, &c->batch, &c->batch_from_time, &raw);
	if (got <= 0)
		goto done;
	got = make_headers(c, raw.n_headers);
	if (!got)
		got = reserve_header_keys(c, (size_t)(raw.end - raw.headers), raw.n_headers);
	if (got)
		return got;
	pos = raw.headers;
	for (uint32_t i = 0; i < raw.n_headers; i++) {
		got = sluice__batch_header(&raw, &pos, &key, &key_len, &value, &value_len);
		if (got)
			goto done;
		put_header(c, &c->headers[i], key, (size_t)key_len, value, value_len);
	}
	*r = (sluice_record){
		.key = raw.key_len < 0 ? NULL : raw.key,
		.key_len = raw.key_len < 0 ? 0 : (size_t)raw.key_len,
		.value = raw.value_len < 0 ? NULL : raw.value,
		.value_len = raw.value_len < 0 ? 0 : (size_t)raw.value_len,
		.headers = c->headers,
		.n_headers = raw.n_headers,
		.timestamp = raw.timestamp,
		.offset = raw.offset,
		.partition = c->batch_partition,
		.topic = c->batch_topic ? c->batch_topic->name : NULL,
	};
	return 1;
done:
	c->in_batch = false;
	return got ? sluice__fail(got,
				  "partition %d: the batch at offset %lld is malformed: its "
				  "other records were skipped",
				  c->batch_partition, (long long)c->batch.base_offset)
		   : 0;
}

static int open_batch(sluice_consumer *c, const struct sluice_record_info *info, size_t len)
{
	int err = sluice__batch_open(&c->batch, c->data.p, len, SLUICE__INFLATED_MAX);

	c->batch_topic = topic_by_id(c, info->topic_id);
	c->batch_partition = info->partition;
	c->batch_from_time = info->flags & SLUICE_RECORD_SOUGHT ? info->timestamp : INT64_MIN;
	/* A truncation put another batch in the place of the one that was found. */
	if (c->batch.max_timestamp < c->batch_from_time)
		c->batch_from_time = INT64_MIN;
	c->in_batch = !err;
	if (!err)
		return 0;
	return sluice__fail(-EBADMSG,
			    "partition %d: the batch at offset %lld cannot be decompressed (%s): "
			    "it was skipped",
			    info->partition, (long long)info->offset, strerror(-err));
}

/* The control messages of one record; the info comes first. */
static int read_control(sluice_consumer *c, struct msghdr *msg, sluice_record *r,
			const struct sluice_record_info *info, size_t len)
{
	const struct sluice_record_header *h;
	const struct topic *topic = topic_by_id(c, info->topic_id);
	struct cmsghdr *cmsg;
	size_t n = 0, n_headers = 0, data_len, key_bytes = 0;
	int err;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_SLUICE && cmsg->cmsg_type == SLUICE_CMSG_HEADER) {
			n_headers++;
			key_bytes += cmsg->cmsg_len;
		}
	}
	err = make_headers(c, n_headers);
	if (!err)
		err = reserve_header_keys(c, key_bytes, n_headers);
	if (err)
		return err;
	*r = (sluice_record){.value = info->flags & SLUICE_RECORD_NULL_VALUE ? NULL : c->data.p,
			     .value_len = len,
			     .headers = c->headers,
			     .timestamp = info->timestamp,
			     .offset = info->offset,
			     .partition = info->partition,
			     .topic = topic ? topic->name : NULL};
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		data_len = cmsg->cmsg_len - CMSG_LEN(0);
		if (cmsg->cmsg_level != SOL_SLUICE)
			continue;
		if (cmsg->cmsg_type == SLUICE_CMSG_KEY) {
			r->key = CMSG_DATA(cmsg);
			r->key_len = data_len;
		} else if (cmsg->cmsg_type == SLUICE_CMSG_HEADER && data_len >= sizeof(*h)) {
			h = (const void *)CMSG_DATA(cmsg);
			put_header(c, &c->headers[n++], h->data, (size_t)h->key_len,
				   h->data + h->key_len, h->value_len);
		}
	}
	r->n_headers = n;
	return 1;
}

/*
 * What did not fit is fetched again, with room for it. The socket is past the
 * record already, so it goes back.
 */
static int again_with_room(sluice_consumer *c, const struct msghdr *msg,
			   const struct sluice_record_info *info, size_t len)
{
	struct sluice_seek seek = {.offset = info->offset, .partition = info->partition};
	int err = 0;

	memcpy(seek.topic_id, info->topic_id, sizeof(seek.topic_id));
	if (info->flags & SLUICE_RECORD_SOUGHT)
		seek.offset = SLUICE_OFFSET_TIME(info->timestamp);
	if ((msg->msg_flags & MSG_CTRUNC && c->control.room >= CONTROL_BYTES_MAX) ||
	    len > DATA_BYTES_MAX)
		return sluice__fail(-EMSGSIZE,
				    "partition %d: the record at offset %lld is too large to be "
				    "received: it was skipped",
				    info->partition, (long long)info->offset);
	if (msg->msg_flags & MSG_CTRUNC)
		err = sluice__bytes_reserve(&c->control, c->control.room * 2);
	if (!err)
		err = sluice__bytes_reserve(&c->data, len);
	if (setsockopt(c->fd, SOL_SLUICE, SLUICE_SEEK, &seek, sizeof(seek)))
		return sluice__fail_socket(c->fd, -errno, "seek");
	return err ? sluice__fail(err, "out of memory for a record of %zu bytes", len) : 0;
}

/* 1 a record; 0 nothing to give yet, go on; -EAGAIN none is there. */
static int receive(sluice_consumer *c, int flags, sluice_record *r)
{
	struct iovec iov = {.iov_base = c->data.p, .iov_len = c->data.room};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = c->control.p,
			     .msg_controllen = c->control.room};
	struct sluice_record_info info;
	struct cmsghdr *first;
	ssize_t n;

	n = recvmsg(c->fd, &msg, flags | MSG_TRUNC);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (n < 0)
		return sluice__fail_socket(c->fd, -errno, "receive");
	first = CMSG_FIRSTHDR(&msg);
	if (!first || first->cmsg_level != SOL_SLUICE || first->cmsg_type != SLUICE_CMSG_RECORD ||
	    first->cmsg_len < CMSG_LEN(sizeof(info)))
		return sluice__fail(-EPROTO, "the module sent something that is not a record: is "
					     "it of another version?");
	memcpy(&info, CMSG_DATA(first), sizeof(info));
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return again_with_room(c, &msg, &info, (size_t)n);
	if (info.flags & SLUICE_RECORD_BATCH)
		return open_batch(c, &info, (size_t)n);
	return read_control(c, &msg, r, &info, (size_t)n);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* 1 readable, 0 time is up, or -errno. */
static int wait_readable(sluice_consumer *c, int64_t deadline_ms)
{
	struct pollfd ready = {.fd = c->fd, .events = POLLIN};
	int64_t left_ms = deadline_ms - now_ms();
	int n;

	if (left_ms <= 0)
		return 0;
	n = poll(&ready, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
	return n < 0 ? sluice__fail(-errno, "poll: %s", strerror(errno)) : n;
}

SLUICE_API int sluice_consume(sluice_consumer *c, int timeout_ms, sluice_record *r)
{
	int flags = timeout_ms < 0 ? 0 : MSG_DONTWAIT, got;
	int64_t deadline_ms = timeout_ms > 0 ? now_ms() + timeout_ms : 0;

	for (;;) {
		got = c->in_batch ? next_of_batch(c, r) : receive(c, flags, r);
		if (got > 0) {
			/* The kernel has not seen into batches, nor to the end of what is long. */
			if (!c->filter || sluice_filter_matches(c->filter, r))
				return 1;
		} else if (got == -EAGAIN) {
			got = timeout_ms == 0 ? 0 : wait_readable(c, deadline_ms);
			if (got <= 0)
				return got;
		} else if (got < 0) {
			return got;
		}
	}
}

SLUICE_API int sluice_consumer_filter(sluice_consumer *c, const sluice_filter *f)
{
	int none = 0;

	if (f && setsockopt(c->fd, SOL_SOCKET, SO_ATTACH_FILTER, &f->program, sizeof(f->program)))
		return sluice__fail(
			-errno, "attaching the filter: %s%s", strerror(errno),
			errno == ENOMEM ? " (sysctl net.core.optmem_max limits its size)" : "");
	if (!f && setsockopt(c->fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)) &&
	    errno != ENOENT)
		return sluice__fail(-errno, "detaching the filter: %s", strerror(errno));
	sluice_filter_free(c->filter);
	c->filter = f ? filter_get(f) : NULL;
	return 0;
}

static int fail_unknown(const char *topic)
{
	return sluice__fail(-ENOENT, "the consumer does not read topic '%.250s'", topic);
}

SLUICE_API int sluice_seek_in(sluice_consumer *c, const char *topic, int32_t partition,
			      int64_t offset)
{
	struct sluice_seek seek = {.offset = offset, .partition = partition};
	const struct topic *in = topic_by_name(c, topic);

	if (!in)
		return fail_unknown(topic);
	memcpy(seek.topic_id, in->id, sizeof(seek.topic_id));
	if (setsockopt(c->fd, SOL_SLUICE, SLUICE_SEEK, &seek, sizeof(seek)))
		return sluice__fail_socket(c->fd, -errno, "seek");
	if (c->batch_topic == in &&
	    (partition == SLUICE_ANY_PARTITION || c->batch_partition == partition))
		c->in_batch = false;
	if (partition != SLUICE_ANY_PARTITION)
		return want(c, in, partition, offset);
	for (size_t i = 0; i < c->n_wanted; i++) {
		if (c->wanted[i].topic == in)
			c->wanted[i].offset = 0;
	}
	return 0;
}

SLUICE_API int sluice_seek(sluice_consumer *c, int32_t partition, int64_t offset)
{
	return sluice_seek_in(c, NULL, partition, offset);
}

static int assign(sluice_consumer *c, const char *topic, int32_t partition, uint32_t action,
		  int64_t start)
{
	struct sluice_assign a = {.action = action, .start = start};
	int err = sluice__address(c->fd, topic, partition, &a.addr);

	if (err)
		return err;
	if (setsockopt(c->fd, SOL_SLUICE, SLUICE_ASSIGN, &a, sizeof(a)))
		return sluice__fail_socket(c->fd, -errno, topic);
	return 0;
}

/* A socket of its own finds the topic's id, by which its records are known. */
static int find_topic(sluice_consumer *c, const char *topic, int32_t partition)
{
	struct sockaddr_sluice addr;
	int fd = sluice__socket(), err;

	if (fd < 0)
		return fd;
	err = sluice__address(fd, topic, partition, &addr);
	if (!err && bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err = sluice__fail_socket(fd, -errno, topic);
	if (!err)
		err = add_topic(c, fd, topic);
	close(fd);
	return err;
}

SLUICE_API int sluice_consumer_add(sluice_consumer *c, const char *topic, int32_t partition,
				   int64_t start)
{
	int err = find_topic(c, topic, partition);

	if (!err)
		err = assign(c, topic, partition, SLUICE_ASSIGN_ADD, start);
	if (err || partition == SLUICE_ANY_PARTITION)
		return err;
	return want(c, topic_by_name(c, topic), partition, start);
}

/* What libsluice has of a batch goes with what it is of. */
static bool is_at_hand(const sluice_consumer *c, const char *topic, int32_t partition)
{
	return c->in_batch && c->batch_topic && !strcmp(c->batch_topic->name, topic) &&
	       (partition == SLUICE_ANY_PARTITION || c->batch_partition == partition);
}

SLUICE_API int sluice_consumer_remove(sluice_consumer *c, const char *topic, int32_t partition)
{
	int err = assign(c, topic, partition, SLUICE_ASSIGN_REMOVE, 0);

	if (!err && is_at_hand(c, topic, partition))
		c->in_batch = false;
	return err;
}

SLUICE_API int sluice_consumer_pause(sluice_consumer *c, const char *topic, int32_t partition,
				     int pause)
{
	return assign(c, topic, partition, pause ? SLUICE_ASSIGN_PAUSE : SLUICE_ASSIGN_RESUME, 0);
}

SLUICE_API int sluice_consumer_committed(sluice_consumer *c, int committed)
{
	uint32_t isolation = committed ? SLUICE_READ_COMMITTED : SLUICE_READ_UNCOMMITTED;

	if (setsockopt(c->fd, SOL_SLUICE, SLUICE_ISOLATION, &isolation, sizeof(isolation)))
		return sluice__fail_socket(c->fd, -errno, "isolation");
	return 0;
}

/* The first record of the open batch that was not given out yet. */
static int64_t batch_position(const sluice_consumer *c, int64_t behind)
{
	struct sluice__batch ahead = c->batch;
	int64_t from_time = c->batch_from_time;
	struct sluice__raw_record raw;

	return next_wanted(c, &ahead, &from_time, &raw) > 0 ? raw.offset : behind;
}

SLUICE_API int sluice_position_in(sluice_consumer *c, const char *topic, int32_t partition,
				  sluice_place *ret)
{
	struct sluice_position p = {.partition = partition};
	const struct topic *in = topic_by_name(c, topic);
	socklen_t len = sizeof(p);

	if (!in)
		return fail_unknown(topic);
	memcpy(p.topic_id, in->id, sizeof(p.topic_id));
	if (getsockopt(c->fd, SOL_SLUICE, SLUICE_POSITION, &p, &len))
		return sluice__fail_socket(c->fd, -errno, "position");
	if (c->in_batch && c->batch_topic == in && c->batch_partition == p.partition)
		p.offset = batch_position(c, p.offset);
	*ret = (sluice_place){.position = p.offset,
			      .log_start_offset = p.log_start_offset,
			      .high_watermark = p.high_watermark,
			      .log_end_offset = p.log_end_offset,
			      .last_stable_offset = p.last_stable_offset};
	return 0;
}

SLUICE_API int sluice_position(sluice_consumer *c, int32_t partition, sluice_place *ret)
{
	return sluice_position_in(c, NULL, partition, ret);
}
