// SPDX-License-Identifier: Apache-2.0
/* Writing a group's members to the log. */
#include "daemon/core/owned.h"
#include "daemon/group/rebalance.h"

/** struct save - one write; @member_id is owned */
struct save {
	struct topic_write write;
	int32_t generation;
	struct kafka_str member_id;
	void (*saved)(struct group *g, int32_t generation, struct kafka_str member_id,
		      int16_t code);
};

static void free_save(struct save *s)
{
	str_free(&s->member_id);
	free(s);
}

static void written(struct topic_write *w, int16_t code)
{
	struct save *s = list_entry(w, struct save, write);

	if (coordinator_written(w) && s->saved)
		s->saved(w->owner, s->generation, s->member_id, code);
	free_save(s);
}

static int encode(const struct group *g, struct wire_writer *w, size_t *ret_key_len)
{
	const struct group_key key = {.kind = GROUP_RECORD_GROUP, .group = g->id};
	struct group_value v = {
		.protocol_type = g->protocol_type.len < 0 ? kafka_str_from("") : g->protocol_type,
		.generation = g->generation,
		.protocol = g->protocol,
		.leader = g->leader ? g->leader->id : kafka_str_from(NULL),
		.state_ms = g->state_ms,
		.members = calloc((size_t)g->n_members + 1, sizeof(*v.members)),
	};

	if (!v.members)
		return -ENOMEM;
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		const struct member *m = list_entry(at, struct member, link);

		v.members[v.n_members++] = (struct group_value_member){
			.id = m->id,
			.instance_id = m->instance_id,
			.client_id = m->client_id,
			.client_host = m->client_host,
			.rebalance_ms = m->rebalance_ms,
			.session_ms = m->session_ms,
			.subscription = member_metadata(m, g->protocol),
			.assignment = m->assignment,
		};
	}
	group_key_encode(w, &key);
	*ret_key_len = w->buf->len;
	group_value_encode(w, &v);
	free(v.members);
	return w->err;
}

int16_t group_save(struct group *g, struct kafka_str member_id,
		   void (*saved)(struct group *g, int32_t generation, struct kafka_str member_id,
				 int16_t code))
{
	int16_t code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	struct save *s = calloc(1, sizeof(*s));
	struct topic_record record;
	struct wire_writer w;
	struct buf buf;
	size_t key_len;

	if (!s)
		return code;
	s->write.done = written;
	s->generation = g->generation;
	s->saved = saved;
	buf_init(&buf, INT32_MAX);
	wire_writer_init(&w, &buf);
	if (!str_copy(&s->member_id, member_id) && !encode(g, &w, &key_len)) {
		record.key = (struct kafka_bytes){buf.data, (int32_t)key_len};
		record.value =
			(struct kafka_bytes){buf.data + key_len, (int32_t)(buf.len - key_len)};
		code = coordinator_write(g->coordinator, g, &record, 1, &s->write);
	}
	/* A group that cannot be written whole is nothing the client could make smaller. */
	if (code == KAFKA_ERROR_INVALID_COMMIT_OFFSET_SIZE)
		code = KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
	wire_writer_free(&w);
	buf_free(&buf);
	if (code)
		free_save(s);
	return code;
}
