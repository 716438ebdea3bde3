// SPDX-License-Identifier: Apache-2.0
/* UpdateFeatures: the level that is in force is the only one, and may be asked for again. */
#include <errno.h>
#include <stdio.h>

#include "daemon/kafka/api_versions.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/request_text.h"

#define UPGRADE 1

typedef struct kafka_update_features_request request_in;
typedef struct kafka_update_features_response response_out;

/* What is wrong with an update, and @ret_code; NULL: nothing. */
static const char *check(const struct kafka_update_features_request_feature_update *u,
			 bool downgrade, int16_t *ret_code)
{
	*ret_code = KAFKA_ERROR_INVALID_UPDATE_VERSION;
	if (!kafka_str_equal(u->feature, kafka_str_from(TXN_FEATURE)))
		return "this broker does not have the feature";
	if (u->max_version_level < 0 || u->max_version_level > TXN_FEATURE_LEVEL)
		return "this broker does not have that level of " TXN_FEATURE;
	if (u->max_version_level == TXN_FEATURE_LEVEL)
		return NULL;
	if (!downgrade)
		return "it would be a downgrade, which was not asked for";
	*ret_code = KAFKA_ERROR_FEATURE_UPDATE_FAILED;
	return TXN_FEATURE " is always on here";
}

/* All or nothing; the first that is wrong is told. */
static int fill(struct request *r, const request_in *m, response_out *out)
{
	char text[256];

	for (int32_t i = 0; i < m->feature_updates.n; i++) {
		const struct kafka_update_features_request_feature_update *u =
			&m->feature_updates.v[i];
		bool downgrade =
			request_version(r) ? u->upgrade_type != UPGRADE : u->allow_downgrade;
		const char *why = check(u, downgrade, &out->error_code);

		if (!why)
			continue;
		snprintf(text, sizeof(text), "%.*s: %s",
			 u->feature.len < 100 ? u->feature.len : 100, u->feature.p, why);
		out->error_message = kafka_str_from(request_copy_text(r, text));
		return 0;
	}
	out->error_code = KAFKA_ERROR_NONE;
	out->results.v = request_alloc(r, (size_t)m->feature_updates.n, sizeof(*out->results.v));
	if (!out->results.v)
		return -ENOMEM;
	for (int32_t i = 0; i < m->feature_updates.n; i++) {
		kafka_update_features_response_result_init(&out->results.v[i]);
		out->results.v[i].feature = m->feature_updates.v[i].feature;
		out->results.v[i].error_message = kafka_str_from(NULL);
	}
	out->results.n = m->feature_updates.n;
	return 0;
}

enum handled handle_update_features(struct request *r)
{
	request_in m;
	response_out out;
	int err = kafka_update_features_request_decode(&r->body, &r->arena, request_version(r), &m);

	kafka_update_features_response_init(&out);
	out.error_message = kafka_str_from(NULL);
	if (!err)
		err = fill(r, &m, &out);
	if (err)
		return request_malformed(r, err);
	kafka_update_features_response_encode(response_begin(r), request_version(r), &out);
	return response_end(r);
}
