// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/api_versions.h"
#include "daemon/kafka/dispatch.h"

static enum handled answer(struct request *r, int16_t version, int16_t error_code)
{
	struct kafka_api_versions_response m;
	int err;

	kafka_api_versions_response_init(&m);
	m.error_code = error_code;
	err = api_versions_fill(&m, &r->arena, version);
	if (err)
		return request_malformed(r, err);
	kafka_api_versions_response_encode(response_begin(r), version, &m);
	return response_end(r);
}

/*
 * The client learns from it in which version to ask again; it can read no version
 * but 0 for sure (KIP-511). The message is not looked at: its form is not known.
 */
enum handled answer_unknown_api_version(struct request *r)
{
	struct kafka_api_versions_response_api_version self = {
		.api_key = r->api->key,
		.min_version = r->api->advertise_min,
		.max_version = r->api->max,
	};
	struct kafka_api_versions_response m;

	kafka_api_versions_response_init(&m);
	m.error_code = KAFKA_ERROR_UNSUPPORTED_VERSION;
	m.api_keys.v = &self;
	m.api_keys.n = 1;
	kafka_api_versions_response_encode(response_begin(r), 0, &m);
	return response_end(r);
}

/* A name or version of client software: [a-zA-Z0-9] and, between them, '-' and '.' (KIP-511). */
static bool software_name_ok(struct kafka_str s)
{
	for (int32_t i = 0; i < s.len; i++) {
		bool edge = i == 0 || i == s.len - 1;
		char c = s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
			continue;
		if (edge || (c != '-' && c != '.'))
			return false;
	}
	return s.len > 0;
}

enum handled handle_api_versions(struct request *r)
{
	struct kafka_api_versions_request m;
	int16_t version = request_version(r);
	int err = kafka_api_versions_request_decode(&r->body, &r->arena, version, &m);

	if (err)
		return request_malformed(r, err);
	if (version >= 3 && (!software_name_ok(m.client_software_name) ||
			     !software_name_ok(m.client_software_version)))
		return answer(r, version, KAFKA_ERROR_INVALID_REQUEST);
	return answer(r, version, KAFKA_ERROR_NONE);
}
