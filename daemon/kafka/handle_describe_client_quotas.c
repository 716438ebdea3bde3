// SPDX-License-Identifier: Apache-2.0
/* DescribeClientQuotas: those that are set, from the image; filtered as Kafka does. */
#include <errno.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/worker.h"

#define MATCH_EXACT   0
#define MATCH_DEFAULT 1
#define MATCH_ANY     2

/* Kafka's third type of entity, for quotas that this broker does not have. */
#define TYPE_IP "ip"

typedef struct kafka_describe_client_quotas_request request_in;
typedef struct kafka_describe_client_quotas_request_component component_in;
typedef struct kafka_describe_client_quotas_response response_out;
typedef struct kafka_describe_client_quotas_response_entry entry_out;

/* QUOTA_KINDS if it is none of ours. */
static int kind_of(struct kafka_str type)
{
	int kind = 0;

	while (kind < QUOTA_KINDS && !kafka_str_equal(type, kafka_str_from(quota_kind_names[kind])))
		kind++;
	return kind;
}

/* What is wrong with a filter; NULL: nothing. */
static const char *check_component(const component_in *c, int16_t *ret_code)
{
	*ret_code = KAFKA_ERROR_INVALID_REQUEST;
	if (!c->entity_type.len)
		return "a filter has no type of entity";
	if (c->match_type < MATCH_EXACT || c->match_type > MATCH_ANY)
		return "unknown match type";
	if ((c->match_type == MATCH_EXACT) != (c->match.len >= 0))
		return "a name goes with an exact match, and with nothing else";
	if (kind_of(c->entity_type) < QUOTA_KINDS ||
	    kafka_str_equal(c->entity_type, kafka_str_from(TYPE_IP)))
		return NULL;
	*ret_code = KAFKA_ERROR_UNSUPPORTED_VERSION;
	return "unknown type of entity";
}

static const char *check(const request_in *m, int16_t *ret_code)
{
	bool has_ip = false;

	for (int32_t i = 0; i < m->components.n; i++) {
		const component_in *c = &m->components.v[i];
		const char *why = check_component(c, ret_code);

		if (why)
			return why;
		has_ip |= kind_of(c->entity_type) == QUOTA_KINDS;
		/* There are three types, so that the fourth was there before. */
		for (int32_t j = 0; j < i; j++) {
			if (kafka_str_equal(c->entity_type, m->components.v[j].entity_type))
				return "a type of entity is there twice";
		}
	}
	return has_ip && m->components.n > 1 ? "an ip filter cannot be with others" : NULL;
}

static bool component_matches(const component_in *c, const struct quota_entity *e)
{
	int kind = kind_of(c->entity_type);
	const struct quota_name *name = kind < QUOTA_KINDS ? &e->names[kind] : NULL;

	if (!name || !name->given)
		return false;
	switch (c->match_type) {
	case MATCH_EXACT:
		return name->text && kafka_str_equal(c->match, kafka_str_from(name->text));
	case MATCH_DEFAULT: return !name->text;
	default: return true;
	}
}

static bool matches(const request_in *m, const struct quota_entity *e)
{
	int32_t parts = e->names[QUOTA_USER].given + e->names[QUOTA_CLIENT_ID].given;

	for (int32_t i = 0; i < m->components.n; i++) {
		if (!component_matches(&m->components.v[i], e))
			return false;
	}
	return !m->strict || m->components.n == parts;
}

static int tell(struct request *r, const struct quota_entity *e, entry_out *out)
{
	out->entity.v = request_alloc(r, QUOTA_KINDS, sizeof(*out->entity.v));
	out->values.v = request_alloc(r, QUOTA_KEYS, sizeof(*out->values.v));
	if (!out->entity.v || !out->values.v)
		return -ENOMEM;
	for (int i = 0; i < QUOTA_KINDS; i++) {
		if (!e->names[i].given)
			continue;
		out->entity.v[out->entity.n].entity_type = kafka_str_from(quota_kind_names[i]);
		out->entity.v[out->entity.n++].entity_name = kafka_str_from(e->names[i].text);
	}
	for (int i = 0; i < QUOTA_KEYS; i++) {
		if (!(e->set & (1u << i)))
			continue;
		out->values.v[out->values.n].key = kafka_str_from(quota_key_names[i]);
		out->values.v[out->values.n++].value = e->values[i];
	}
	return 0;
}

static int fill(struct request *r, const request_in *m, response_out *out)
{
	const struct quota_table *t = image_quotas(r->worker->image);
	const struct quota_entity *e;
	size_t n = 0;
	int err = 0;

	if (!t)
		return 0;
	e = quota_table_entities(t, &n);
	out->entries.v = request_alloc(r, n, sizeof(*out->entries.v));
	if (!out->entries.v)
		return -ENOMEM;
	for (size_t i = 0; i < n && !err; i++) {
		if (matches(m, &e[i]))
			err = tell(r, &e[i], &out->entries.v[out->entries.n++]);
	}
	return err;
}

enum handled handle_describe_client_quotas(struct request *r)
{
	request_in m;
	response_out out;
	const char *why;
	int err = kafka_describe_client_quotas_request_decode(&r->body, &r->arena,
							      request_version(r), &m);

	if (err)
		return request_malformed(r, err);
	kafka_describe_client_quotas_response_init(&out);
	why = check(&m, &out.error_code);
	out.error_message = kafka_str_from(why);
	if (why) {
		out.entries.n = -1;
	} else {
		out.error_code = KAFKA_ERROR_NONE;
		err = fill(r, &m, &out);
	}
	if (err)
		return request_malformed(r, err);
	kafka_describe_client_quotas_response_encode(response_begin(r), request_version(r), &out);
	return response_end(r);
}
