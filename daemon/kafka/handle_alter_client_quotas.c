// SPDX-License-Identifier: Apache-2.0
/* AlterClientQuotas: set and taken back by the controller's thread, which stores them. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "daemon/controller/controller.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/request_text.h"

/* How far a rate in bytes may be from a whole number (Kafka's ClientQuotaControlManager). */
#define WHOLE_EPSILON 1e-6

typedef struct kafka_alter_client_quotas_request_entry entry_in;
typedef struct kafka_alter_client_quotas_request_op op_in;
typedef struct kafka_alter_client_quotas_response_entry entry_out;

/** struct alter_call - a request at work; in its arena */
struct alter_call {
	struct controller_call call;
	struct request *request;
	struct kafka_alter_client_quotas_request m;
	struct kafka_alter_client_quotas_response answer;
};

static const char *read_entity(struct request *r, const entry_in *in,
			       struct quota_name names[QUOTA_KINDS])
{
	if (!in->entity.n)
		return "an entry has no entity";
	for (int32_t i = 0; i < in->entity.n; i++) {
		struct kafka_str type = in->entity.v[i].entity_type;
		struct kafka_str name = in->entity.v[i].entity_name;
		int kind = 0;

		while (kind < QUOTA_KINDS &&
		       !kafka_str_equal(type, kafka_str_from(quota_kind_names[kind])))
			kind++;
		if (kind == QUOTA_KINDS)
			return "this broker has quotas of users and of client ids";
		if (names[kind].given)
			return "an entity has a type twice";
		if (!name.len)
			return "an entity has an empty name";
		names[kind].given = true;
		if (name.len < 0)
			continue;
		names[kind].text = (char *)(uintptr_t)request_text(r, name);
		if (!names[kind].text)
			return "a name has a NUL character in it";
	}
	return NULL;
}

static const char *apply(const op_in *op, const struct quota_name names[QUOTA_KINDS],
			 struct quota_table *t)
{
	int key = 0;

	while (key < QUOTA_KEYS && !kafka_str_equal(op->key, kafka_str_from(quota_key_names[key])))
		key++;
	if (key == QUOTA_KEYS)
		return "this broker has the quotas producer_byte_rate, consumer_byte_rate and "
		       "request_percentage";
	if (!op->remove && !(op->value > 0 && isfinite(op->value)))
		return "a quota must be greater than 0";
	if (!op->remove && key != QUOTA_REQUEST_PERCENTAGE &&
	    fabs(op->value - round(op->value)) > WHOLE_EPSILON)
		return "a rate in bytes must be a whole number";
	if (quota_table_set(t, names, (enum quota_key)key, op->remove ? NULL : &op->value))
		return "out of memory";
	return NULL;
}

/* One entry, all of it or nothing. */
static const char *alter(struct request *r, const entry_in *in, struct quota_table **t)
{
	struct quota_name names[QUOTA_KINDS] = {{0}};
	struct quota_table *changed = quota_table_copy(*t);
	const char *why = changed ? read_entity(r, in, names) : "out of memory";

	for (int32_t i = 0; i < in->ops.n && !why; i++)
		why = apply(&in->ops.v[i], names, changed);
	quota_table_put(why ? changed : *t);
	if (!why)
		*t = changed;
	return why;
}

static void work(struct controller *c, struct controller_call *call)
{
	struct alter_call *ac = list_entry(call, struct alter_call, call);
	struct quota_table *t = quota_table_copy(controller_quotas(c));
	struct log_dir_error err = {.text = "out of memory"};
	bool changed = false;
	int ret = t ? 0 : -ENOMEM;

	for (int32_t i = 0; i < ac->m.entries.n && t; i++) {
		entry_out *out = &ac->answer.entries.v[i];
		const char *why = alter(ac->request, &ac->m.entries.v[i], &t);

		out->error_code = why ? KAFKA_ERROR_INVALID_REQUEST : KAFKA_ERROR_NONE;
		out->error_message = kafka_str_from(why);
		changed |= !why;
	}
	if (t && changed && !ac->m.validate_only)
		ret = controller_quotas_set(c, t, &err);
	else
		quota_table_put(t);
	for (int32_t i = 0; i < ac->m.entries.n && ret; i++) {
		entry_out *out = &ac->answer.entries.v[i];

		if (out->error_code)
			continue;
		out->error_code = KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
		out->error_message = kafka_str_from(request_copy_text(ac->request, err.text));
	}
}

static void reply(struct controller_call *call)
{
	struct alter_call *ac = list_entry(call, struct alter_call, call);
	struct request *r = ac->request;

	kafka_alter_client_quotas_response_encode(response_begin(r), request_version(r),
						  &ac->answer);
	request_finish(r, response_end(r));
}

/* Lay out the answer in the shape of the request. */
static int prepare(struct alter_call *ac)
{
	struct request *r = ac->request;
	int32_t n;
	int err = kafka_alter_client_quotas_request_decode(&r->body, &r->arena, request_version(r),
							   &ac->m);

	if (err)
		return err;
	n = ac->m.entries.n;
	kafka_alter_client_quotas_response_init(&ac->answer);
	ac->answer.entries.v = request_alloc(r, (size_t)n, sizeof(*ac->answer.entries.v));
	if (!ac->answer.entries.v)
		return -ENOMEM;
	ac->answer.entries.n = n;
	for (int32_t i = 0; i < n; i++) {
		const entry_in *in = &ac->m.entries.v[i];
		entry_out *out = &ac->answer.entries.v[i];

		out->entity.v = request_alloc(r, (size_t)in->entity.n, sizeof(*out->entity.v));
		if (!out->entity.v)
			return -ENOMEM;
		out->error_message = kafka_str_from(NULL);
		out->entity.n = in->entity.n;
		for (int32_t j = 0; j < in->entity.n; j++) {
			out->entity.v[j].entity_type = in->entity.v[j].entity_type;
			out->entity.v[j].entity_name = in->entity.v[j].entity_name;
		}
	}
	return 0;
}

enum handled handle_alter_client_quotas(struct request *r)
{
	struct alter_call *ac = request_alloc(r, 1, sizeof(*ac));
	int err;

	if (!ac)
		return request_malformed(r, -ENOMEM);
	ac->request = r;
	err = prepare(ac);
	return err ? request_malformed(r, err) : request_park(r, &ac->call, work, reply);
}
