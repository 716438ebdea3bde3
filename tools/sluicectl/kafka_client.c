// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/kafka/error_code.h"
#include "daemon/kafka/header.h"
#include "tools/sluicectl/kafka_client.h"

#define DEFAULT_PORT	   "9092"
#define CONNECT_TIMEOUT_MS 10000
#define ANSWER_TIMEOUT_S   90
#define RESPONSE_BYTES_MAX (100u << 20)
#define REQUEST_BYTES_MAX  (100u << 20)

struct version_range {
	int16_t min, max;
	bool offered;
};

struct kafka_client {
	int fd;
	const char *bootstrap;
	int32_t correlation_id;
	uint8_t *response;
	struct arena arena;
	struct version_range versions[KAFKA_API_COUNT];
};

/* Splits "host:port", "[v6]:port", "host"; both are to be freed. */
static bool split_address(const char *address, char **ret_host, char **ret_port)
{
	const char *colon = strrchr(address, ':'), *bracket = strrchr(address, ']');
	size_t host_len;

	if (colon && bracket && colon < bracket)
		colon = NULL;
	host_len = colon ? (size_t)(colon - address) : strlen(address);
	*ret_port = strdup(colon ? colon + 1 : DEFAULT_PORT);
	if (host_len >= 2 && address[0] == '[' && address[host_len - 1] == ']')
		*ret_host = strndup(address + 1, host_len - 2);
	else
		*ret_host = strndup(address, host_len);
	return *ret_host && *ret_port && **ret_host && **ret_port;
}

static int finish_connect(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int err = 0, n;

	n = poll(&ready, 1, CONNECT_TIMEOUT_MS);
	if (n <= 0)
		return n < 0 ? -errno : -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -errno;
	return -err;
}

static int connect_one(const struct addrinfo *a)
{
	struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
	int fd, err;

	fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	if (fd < 0)
		return -errno;
	err = connect(fd, a->ai_addr, a->ai_addrlen) ? -errno : 0;
	if (err == -EINPROGRESS)
		err = finish_connect(fd);
	if (err) {
		close(fd);
		return err;
	}
	if (ioctl(fd, FIONBIO, &(int){0}) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int connect_to(const char *address)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char *host = NULL, *port = NULL;
	int result = -EINVAL, code;

	if (split_address(address, &host, &port)) {
		code = getaddrinfo(host, port, &hints, &found);
		result = code ? -EHOSTUNREACH : -ENOENT;
	}
	for (struct addrinfo *a = found; a && result < 0; a = a->ai_next)
		result = connect_one(a);
	if (found)
		freeaddrinfo(found);
	free(host);
	free(port);
	return result;
}

static int send_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int receive_all(int fd, uint8_t *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = recv(fd, data, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return -ECONNRESET;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int send_request(struct kafka_client *c, const struct kafka_api *api, int16_t version,
			void (*encode)(struct wire_writer *w, int16_t version, const void *request),
			const void *request)
{
	struct kafka_request_header header;
	struct wire_writer w;
	struct wire_frame frame;
	struct buf buf;
	int err;

	buf_init(&buf, REQUEST_BYTES_MAX);
	wire_writer_init(&w, &buf);
	frame = wire_frame_begin(&w);
	kafka_request_header_init(&header);
	header.request_api_key = api->key;
	header.request_api_version = version;
	header.correlation_id = ++c->correlation_id;
	header.client_id = kafka_str_from("sluicectl");
	kafka_request_header_encode(&w, &header);
	encode(&w, version, request);
	wire_frame_end(&w, frame);
	err = w.err ? w.err : send_all(c->fd, buf.data, buf.len);
	wire_writer_free(&w);
	buf_free(&buf);
	return err;
}

static int receive_response(struct kafka_client *c, const struct kafka_api *api, int16_t version,
			    int (*decode)(struct wire_reader *r, struct arena *a, int16_t version,
					  void *response),
			    void *response)
{
	struct kafka_response_header header;
	struct wire_reader r;
	uint8_t prefix[4];
	uint32_t len;
	int err;

	err = receive_all(c->fd, prefix, sizeof(prefix));
	if (err)
		return err;
	wire_reader_init(&r, prefix, sizeof(prefix));
	len = wire_read_uint32(&r);
	if (len > RESPONSE_BYTES_MAX)
		return -EMSGSIZE;
	free(c->response);
	arena_reset(&c->arena);
	c->response = malloc(len + 1);
	if (!c->response)
		return -ENOMEM;
	err = receive_all(c->fd, c->response, len);
	if (err)
		return err;
	wire_reader_init(&r, c->response, len);
	err = kafka_response_header_decode(&r, api, version, &header);
	if (!err && header.correlation_id != c->correlation_id)
		err = -EBADMSG;
	return err ? err : decode(&r, &c->arena, version, response);
}

/* The highest version that both sides have; -1 if there is none. */
static int choose_version(const struct kafka_client *c, const struct kafka_api *api)
{
	const struct version_range *v = &c->versions[api - kafka_apis];
	int16_t version;

	if (!v->offered)
		return -1;
	version = v->max < api->codec_max ? v->max : api->codec_max;
	return version < v->min || version < api->codec_min ? -1 : version;
}

int kafka_client_call(struct kafka_client *c, int16_t key,
		      void (*encode)(struct wire_writer *w, int16_t version, const void *request),
		      const void *request,
		      int (*decode)(struct wire_reader *r, struct arena *a, int16_t version,
				    void *response),
		      void *response)
{
	const struct kafka_api *api = kafka_api_find(key);
	int version = choose_version(c, api), err;

	if (version < 0)
		return ctl_fail(-EOPNOTSUPP, "%s does not offer %s in a version that is known here",
				c->bootstrap, api->name);
	err = send_request(c, api, (int16_t)version, encode, request);
	if (!err)
		err = receive_response(c, api, (int16_t)version, decode, response);
	if (err == -EBADMSG)
		return ctl_fail(err, "%s answers %s with something that is not Kafka's protocol",
				c->bootstrap, api->name);
	return err ? ctl_fail(err, "%s: %s: %s", c->bootstrap, api->name, strerror(-err)) : CTL_OK;
}

static void encode_api_versions(struct wire_writer *w, int16_t version, const void *request)
{
	kafka_api_versions_request_encode(w, version, request);
}

static int decode_api_versions(struct wire_reader *r, struct arena *a, int16_t version,
			       void *response)
{
	return kafka_api_versions_response_decode(r, a, version, response);
}

/* Version 0 is understood by every broker. */
static int ask_versions(struct kafka_client *c)
{
	const struct kafka_api *api = kafka_api_find(KAFKA_API_API_VERSIONS);
	struct kafka_api_versions_request request;
	struct kafka_api_versions_response response;
	int status;

	c->versions[api - kafka_apis] = (struct version_range){0, 0, true};
	kafka_api_versions_request_init(&request);
	status = kafka_client_call(c, api->key, encode_api_versions, &request, decode_api_versions,
				   &response);
	if (status != CTL_OK)
		return status;
	if (response.error_code)
		return kafka_client_fail(response.error_code, (struct kafka_str){NULL, -1}, NULL);
	for (int32_t i = 0; i < response.api_keys.n; i++) {
		api = kafka_api_find(response.api_keys.v[i].api_key);
		if (api)
			c->versions[api - kafka_apis] =
				(struct version_range){response.api_keys.v[i].min_version,
						       response.api_keys.v[i].max_version, true};
	}
	return CTL_OK;
}

int kafka_client_open(struct ctl *ctl, struct kafka_client **ret_c)
{
	struct kafka_client *c = calloc(1, sizeof(*c));
	int status;

	if (!c)
		return ctl_fail(-ENOMEM, "out of memory");
	c->bootstrap = ctl->bootstrap;
	arena_init(&c->arena, 4 * (size_t)RESPONSE_BYTES_MAX);
	c->fd = connect_to(ctl->bootstrap);
	if (c->fd < 0) {
		status = c->fd == -EINVAL
				 ? ctl_usage(ctl, "-b takes HOST:PORT, not '%s'", ctl->bootstrap)
				 : ctl_fail(-ECONNREFUSED, "no Kafka broker answers at %s: %s",
					    ctl->bootstrap, strerror(-c->fd));
		free(c);
		return status;
	}
	status = ask_versions(c);
	if (status != CTL_OK)
		kafka_client_close(c);
	else
		*ret_c = c;
	return status;
}

void kafka_client_close(struct kafka_client *c)
{
	close(c->fd);
	free(c->response);
	arena_free(&c->arena);
	free(c);
}

int kafka_client_fail(int16_t error_code, struct kafka_str message, const char *topic)
{
	const struct kafka_error *e = kafka_error_find(error_code);
	bool said = message.len > 0;
	int err = -EIO;

	if (error_code == KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION)
		err = -ENOENT;
	else if (error_code == KAFKA_ERROR_TOPIC_ALREADY_EXISTS)
		err = -EEXIST;
	else if (error_code == KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED ||
		 error_code == KAFKA_ERROR_CLUSTER_AUTHORIZATION_FAILED)
		err = -EACCES;
	return ctl_fail(err, "%s%s%.*s (%s)", topic ? topic : "", topic ? ": " : "",
			said ? message.len : (int)strlen(e->text), said ? message.p : e->text,
			e->name);
}
