// SPDX-License-Identifier: Apache-2.0
#include "daemon/group/group_record.h"

/* Versions of keys say what the record is; 0 and 1 are both offsets. */
#define KEY_OFFSET_OLD 0
#define KEY_OFFSET     1
#define KEY_GROUP      2

/* What Kafka 4.3 writes: the newest one, or the only one with an expiry time. */
#define OFFSET_VALUE_VERSION	    4
#define OFFSET_VALUE_EXPIRE_VERSION 1
#define GROUP_VALUE_VERSION	    3

/* Versions from here on have compact types and tagged fields. */
#define VALUE_FLEXIBLE 4
#define VALUE_MAX      4

#define TAG_TOPIC_ID 0

/* Fewest bytes of a member: three strings, two times and two byte arrays. */
#define MEMBER_BYTES_MIN	  (3 * 2 + 4 + 2 * 4)
#define MEMBER_BYTES_MIN_FLEXIBLE (3 + 1 + 2 * 4 + 2 + 1)

int group_key_decode(const void *p, size_t len, struct group_key *ret)
{
	struct wire_reader r;
	int16_t version;

	wire_reader_init(&r, p, len);
	*ret = (struct group_key){.kind = GROUP_RECORD_OTHER, .partition = -1};
	version = wire_read_int16(&r);
	if (r.err)
		return r.err;
	if (version == KEY_GROUP) {
		ret->kind = GROUP_RECORD_GROUP;
		ret->group = wire_read_string(&r, false, false);
	} else if (version == KEY_OFFSET || version == KEY_OFFSET_OLD) {
		ret->kind = GROUP_RECORD_OFFSET;
		ret->group = wire_read_string(&r, false, false);
		ret->topic = wire_read_string(&r, false, false);
		ret->partition = wire_read_int32(&r);
	} else {
		return 0;
	}
	return wire_reader_finish(&r);
}

void group_key_encode(struct wire_writer *w, const struct group_key *key)
{
	wire_write_int16(w, key->kind == GROUP_RECORD_GROUP ? KEY_GROUP : KEY_OFFSET);
	wire_write_string(w, false, false, key->group);
	if (key->kind == GROUP_RECORD_GROUP)
		return;
	wire_write_string(w, false, false, key->topic);
	wire_write_int32(w, key->partition);
}

/* The version that a value begins with; one that is not known ends the reader. */
static int16_t read_version(struct wire_reader *r)
{
	int16_t version = wire_read_int16(r);

	if (!r->err && (version < 0 || version > VALUE_MAX))
		wire_reader_fail(r, -EOPNOTSUPP);
	return version;
}

static void read_offset_tags(struct wire_reader *r, struct offset_value *v)
{
	struct wire_tags tags;

	wire_tags_begin(r, &tags);
	while (wire_tags_next(r, &tags)) {
		if (tags.tag == TAG_TOPIC_ID)
			v->topic_id = wire_read_uuid(r);
		else
			wire_tags_skip(r);
	}
}

int offset_value_decode(const void *p, size_t len, struct offset_value *ret)
{
	struct wire_reader r;
	int16_t version;
	bool flexible;

	wire_reader_init(&r, p, len);
	*ret = (struct offset_value){.leader_epoch = -1, .expire_ms = -1};
	version = read_version(&r);
	flexible = version >= VALUE_FLEXIBLE;
	ret->offset = wire_read_int64(&r);
	if (version >= 3)
		ret->leader_epoch = wire_read_int32(&r);
	ret->metadata = wire_read_string(&r, flexible, false);
	ret->commit_ms = wire_read_int64(&r);
	if (version == OFFSET_VALUE_EXPIRE_VERSION)
		ret->expire_ms = wire_read_int64(&r);
	if (flexible)
		read_offset_tags(&r, ret);
	return wire_reader_finish(&r);
}

void offset_value_encode(struct wire_writer *w, const struct offset_value *v)
{
	size_t tag;

	if (v->expire_ms >= 0) {
		wire_write_int16(w, OFFSET_VALUE_EXPIRE_VERSION);
		wire_write_int64(w, v->offset);
		wire_write_string(w, false, false, v->metadata);
		wire_write_int64(w, v->commit_ms);
		wire_write_int64(w, v->expire_ms);
		return;
	}
	wire_write_int16(w, OFFSET_VALUE_VERSION);
	wire_write_int64(w, v->offset);
	wire_write_int32(w, v->leader_epoch);
	wire_write_string(w, true, false, v->metadata);
	wire_write_int64(w, v->commit_ms);
	wire_write_uvarint(w, !kafka_uuid_is_zero(&v->topic_id));
	if (kafka_uuid_is_zero(&v->topic_id))
		return;
	tag = wire_tag_begin(w, TAG_TOPIC_ID);
	wire_write_uuid(w, v->topic_id);
	wire_tag_end(w, tag);
}

static void read_member(struct wire_reader *r, int16_t version, struct group_value_member *m)
{
	bool flexible = version >= VALUE_FLEXIBLE;

	m->instance_id = kafka_str_from(NULL);
	m->id = wire_read_string(r, flexible, false);
	if (version >= 3)
		m->instance_id = wire_read_string(r, flexible, true);
	m->client_id = wire_read_string(r, flexible, false);
	m->client_host = wire_read_string(r, flexible, false);
	m->rebalance_ms = version >= 1 ? wire_read_int32(r) : -1;
	m->session_ms = wire_read_int32(r);
	/* The first versions had no time of its own for a rebalance. */
	if (m->rebalance_ms < 0)
		m->rebalance_ms = m->session_ms;
	m->subscription = wire_read_bytes(r, flexible, false);
	m->assignment = wire_read_bytes(r, flexible, false);
	if (flexible)
		wire_skip_tags(r);
}

int group_value_decode(const void *p, size_t len, struct arena *a, struct group_value *ret)
{
	struct wire_reader r;
	int16_t version;
	bool flexible;

	wire_reader_init(&r, p, len);
	*ret = (struct group_value){.state_ms = -1};
	version = read_version(&r);
	flexible = version >= VALUE_FLEXIBLE;
	ret->protocol_type = wire_read_string(&r, flexible, false);
	ret->generation = wire_read_int32(&r);
	ret->protocol = wire_read_string(&r, flexible, true);
	ret->leader = wire_read_string(&r, flexible, true);
	if (version >= 2)
		ret->state_ms = wire_read_int64(&r);
	ret->members = wire_read_array(&r, a, flexible, false,
				       flexible ? MEMBER_BYTES_MIN_FLEXIBLE : MEMBER_BYTES_MIN,
				       sizeof(*ret->members), &ret->n_members);
	for (int32_t i = 0; i < ret->n_members && !r.err; i++)
		read_member(&r, version, &ret->members[i]);
	if (flexible)
		wire_skip_tags(&r);
	return wire_reader_finish(&r);
}

void group_value_encode(struct wire_writer *w, const struct group_value *v)
{
	wire_write_int16(w, GROUP_VALUE_VERSION);
	wire_write_string(w, false, false, v->protocol_type);
	wire_write_int32(w, v->generation);
	wire_write_string(w, false, true, v->protocol);
	wire_write_string(w, false, true, v->leader);
	wire_write_int64(w, v->state_ms);
	wire_write_count(w, false, false, v->n_members);
	for (int32_t i = 0; i < v->n_members; i++) {
		const struct group_value_member *m = &v->members[i];

		wire_write_string(w, false, false, m->id);
		wire_write_string(w, false, true, m->instance_id);
		wire_write_string(w, false, false, m->client_id);
		wire_write_string(w, false, false, m->client_host);
		wire_write_int32(w, m->rebalance_ms);
		wire_write_int32(w, m->session_ms);
		wire_write_bytes(w, false, false, m->subscription);
		wire_write_bytes(w, false, false, m->assignment);
	}
}
