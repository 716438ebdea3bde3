// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/header.h"

static int16_t request_header_version(const struct kafka_api *api, int16_t version)
{
	return version >= api->flexible_from ? 2 : 1;
}

static int16_t response_header_version(const struct kafka_api *api, int16_t version)
{
	/*
	 * A client that asks for a version of ApiVersions that the broker does
	 * not have gets version 0; it could not tell which header comes first.
	 */
	if (api->key == KAFKA_API_API_VERSIONS)
		return 0;
	return version >= api->flexible_from ? 1 : 0;
}

int kafka_request_header_decode(struct wire_reader *r, struct kafka_request_header *ret,
				const struct kafka_api **ret_api)
{
	struct wire_reader ahead = *r;
	const struct kafka_api *api;

	kafka_request_header_init(ret);
	ret->request_api_key = wire_read_int16(&ahead);
	ret->request_api_version = wire_read_int16(&ahead);
	ret->correlation_id = wire_read_int32(&ahead);
	if (ahead.err) {
		wire_reader_fail(r, ahead.err);
		return r->err;
	}

	api = kafka_api_find(ret->request_api_key);
	if (!api)
		return -EOPNOTSUPP;
	kafka_request_header_read_version(r, request_header_version(api, ret->request_api_version),
					  ret);
	if (r->err)
		return r->err;
	*ret_api = api;
	return 0;
}

void kafka_request_header_encode(struct wire_writer *w, const struct kafka_request_header *m)
{
	const struct kafka_api *api = kafka_api_find(m->request_api_key);

	if (!api) {
		wire_writer_fail(w, -EOPNOTSUPP);
		return;
	}
	kafka_request_header_write_version(w, request_header_version(api, m->request_api_version),
					   m);
}

void kafka_response_header_encode(struct wire_writer *w, const struct kafka_api *api,
				  int16_t version, int32_t correlation_id)
{
	struct kafka_response_header m = {.correlation_id = correlation_id};

	kafka_response_header_write_version(w, response_header_version(api, version), &m);
}

int kafka_response_header_decode(struct wire_reader *r, const struct kafka_api *api,
				 int16_t version, struct kafka_response_header *ret)
{
	kafka_response_header_read_version(r, response_header_version(api, version), ret);
	return r->err;
}
