// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "tests/daemon/group_world.h"

static struct group_world *world_of(struct coordinator_env *env)
{
	return list_entry(env, struct group_world, env);
}

static int64_t now_ms(struct coordinator_env *env)
{
	return world_of(env)->world.now_ms;
}

static void unique(struct coordinator_env *env, char ret[37])
{
	snprintf(ret, 37, "00000000-0000-4000-8000-%012x", ++world_of(env)->ids);
}

static int16_t append(struct coordinator_env *env, int32_t partition,
		      const struct topic_record *records, size_t n, struct topic_write *tw)
{
	return world_append(&world_of(env)->world, partition, records, n, tw);
}

void group_world_end(struct group_world *w, int32_t partition, int64_t producer_id, bool commit)
{
	world_record_add(&w->world, partition, producer_id)->commit = commit;
	w->world.n_durable = w->world.n_records;
	coordinator_ended(&w->c, partition, producer_id, commit);
}

static void load(struct group_world *w)
{
	coordinator_init(&w->c, &w->env, &w->settings, &w->world.timers);
	coordinator_open(&w->c, WORLD_PARTITIONS);
	for (size_t i = 0; i < w->world.n_records; i++) {
		const struct world_record *r = &w->world.records[i];
		const struct topic_load load = world_load(r);

		if (!r->key.p)
			coordinator_ended(&w->c, r->partition, r->producer_id, r->commit);
		else if (coordinator_load(&w->c, r->partition, &load))
			abort();
	}
	for (int32_t i = 0; i < WORLD_PARTITIONS; i++)
		coordinator_loaded(&w->c, i);
}

void group_world_init(struct group_world *w)
{
	*w = (struct group_world){
		.env = {.append = append, .unique = unique, .now_ms = now_ms, .wall_ms = now_ms},
		.settings =
			{
				.initial_delay_ms = 3000,
				.offsets_retention_ms = INT64_C(7) * 24 * 3600 * 1000,
				.session_min_ms = 6000,
				.session_max_ms = 1800000,
				.size_max = INT32_MAX,
				.metadata_max = 4096,
			},
	};
	world_init(&w->world);
	load(w);
}

static void die(struct group_world *w)
{
	coordinator_stop(&w->c);
	while (world_flush(&w->world, KAFKA_ERROR_NOT_COORDINATOR))
		continue;
	coordinator_free(&w->c);
}

void group_world_crash(struct group_world *w, size_t keep)
{
	die(w);
	world_cut(&w->world, keep);
	load(w);
}

void group_world_free(struct group_world *w)
{
	die(w);
	world_free(&w->world);
}

void one_commit_init(struct one_commit *c, const char *group, const char *member,
		     int32_t generation, int64_t offset, void (*answer)(struct commit_call *call))
{
	*c = (struct one_commit){0};
	kafka_offset_commit_request_init(&c->m);
	c->m.group_id = kafka_str_from(group);
	c->m.generation_id_or_member_epoch = generation;
	c->m.member_id = kafka_str_from(member);
	c->topic.name = kafka_str_from("t");
	c->topic.partitions.v = &c->partition;
	c->topic.partitions.n = 1;
	c->partition.committed_offset = offset;
	c->partition.committed_metadata = kafka_str_from("");
	c->m.topics.v = &c->topic;
	c->m.topics.n = 1;
	c->a_topic.partitions.v = &c->a_partition;
	c->a_topic.partitions.n = 1;
	c->a.topics.v = &c->a_topic;
	c->a.topics.n = 1;
	c->call = (struct commit_call){
		.m = &c->m,
		.a = &c->a,
		.topic_ids = &c->id,
		.answer = answer,
		.entries = &c->entry,
	};
}
