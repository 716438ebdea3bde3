// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl partition list, describe, delete-records, truncate
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/sluice_netlink.h>
#include "sluice_netlink_names.h"
#include "daemon/log/checkpoint.h"
#include "daemon/log/dir_file.h"
#include "tools/sluicectl/partition_output.h"

static const char *state_name(uint32_t state)
{
	return state <= SLUICE_PARTITION_STATE_MAX ? sluice_partition_state_names[state]
						   : "unknown";
}

static int compare(const void *a, const void *b)
{
	const struct kern_partition *x = a, *y = b;
	int order = strcmp(x->topic, y->topic);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static json_t *partition_json(const struct kern_partition *p)
{
	json_t *object = json_pack("{sssIss}", "topic", p->topic, "partition", (json_int_t)p->index,
				   "state", state_name(p->state));

	if (p->state != SLUICE_PARTITION_STATE_ONLINE) {
		json_object_set_new(object, "error", json_integer(p->error));
		json_object_set_new(object, "reason", json_string(p->reason));
	}
#define SET(field) json_object_set_new(object, #field, json_integer((json_int_t)p->field))
	SET(log_start_offset);
	SET(last_stable_offset);
	SET(high_watermark);
	SET(log_end_offset);
	SET(recovery_point);
	SET(leader_epoch);
	SET(segments);
	SET(size_bytes);
	SET(append_batches);
	SET(append_records);
	SET(append_bytes);
	SET(fetches);
	SET(fetch_bytes);
	SET(flushes);
	SET(rolls);
	SET(refused_batches);
#undef SET
	return object;
}

static void sort(struct kern_partition *partitions, size_t n)
{
	if (n)
		qsort(partitions, n, sizeof(*partitions), compare);
}

json_t *partition_list_json(struct kern_partition *partitions, size_t n)
{
	json_t *list = json_array();

	sort(partitions, n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, partition_json(&partitions[i]));
	return list;
}

int partition_list_print(struct kern_partition *partitions, size_t n, bool with_topic)
{
	static const char *const titles[] = {"TOPIC",	"PARTITION", "START", "END",
					     "DURABLE", "SEGMENTS",  "SIZE",  "STATE"};
	size_t skip = with_topic ? 0 : 1;
	struct ctl_table table;
	char size[32];

	sort(partitions, n);
	ctl_table_begin(&table, 8 - skip, titles + skip);
	for (size_t i = 0; i < n; i++) {
		const struct kern_partition *p = &partitions[i];

		if (with_topic)
			ctl_cell(&table, "%s", p->topic);
		ctl_cell(&table, "%" PRIu32, p->index);
		ctl_cell(&table, "%" PRId64, p->log_start_offset);
		ctl_cell(&table, "%" PRId64, p->log_end_offset);
		ctl_cell(&table, "%" PRId64, p->recovery_point);
		ctl_cell(&table, "%" PRIu32, p->segments);
		ctl_cell(&table, "%s", ctl_bytes_text(p->size_bytes, size));
		ctl_cell(&table, "%s%s%s", state_name(p->state), p->reason[0] ? ": " : "",
			 p->reason);
	}
	return ctl_table_print(&table);
}

int cmd_partition_list(struct ctl *ctl, int argc, char **argv)
{
	struct kern_partition *partitions;
	const char *topic;
	struct kern *k;
	size_t n;
	int err, status = ctl_no_options(ctl, argc, argv);

	if (status >= 0)
		return status;
	if (argc - optind > 1)
		return ctl_usage(ctl, "one topic at most");
	topic = optind < argc ? argv[optind] : NULL;
	status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	err = kern_partitions(k, topic, &partitions, &n);
	if (err) {
		status = ctl_fail(err, "%s", kern_error(k));
	} else {
		status = ctl->json ? ctl_print_json(json_pack("{so}", "partitions",
							      partition_list_json(partitions, n)))
				   : partition_list_print(partitions, n, /* with_topic= */ true);
		kern_partitions_free(partitions);
	}
	kern_close(k);
	return status;
}

/* Where the dirty part begins, as who compacts last noted it; -1: it is not compacted. */
static int64_t compacted_below(struct kern *k, const struct kern_partition *p)
{
	struct checkpoint c = {0};
	int64_t offset = -1;
	struct kern_topic t;
	unsigned int line;
	int fd;

	if (kern_topic_get(k, p->topic, &t))
		return -1;
	fd = dir_open(AT_FDCWD, t.data_dir);
	if (fd >= 0) {
		if ((t.config.cleanup_policy & KERN_CLEANUP_COMPACT) &&
		    !checkpoint_read(fd, CHECKPOINT_CLEANER, &c, &line))
			offset = checkpoint_find(&c, p->topic, p->index);
		checkpoint_free(&c);
		close(fd);
	}
	free(t.data_dir);
	return offset;
}

static int print_details(const struct kern_partition *p, int64_t compacted)
{
	char text[32];

	printf("partition         %s-%" PRIu32 "\n", p->topic, p->index);
	printf("state             %s%s%s\n", state_name(p->state), p->reason[0] ? ": " : "",
	       p->reason);
	printf("log start offset  %" PRId64 "\n", p->log_start_offset);
	printf("last stable       %" PRId64 "\n", p->last_stable_offset);
	printf("high watermark    %" PRId64 "\n", p->high_watermark);
	printf("log end offset    %" PRId64 "\n", p->log_end_offset);
	printf("durable below     %" PRId64 "\n", p->recovery_point);
	if (compacted >= 0)
		printf("compacted below   %" PRId64 "\n", compacted);
	printf("leader epoch      %" PRId32 "\n", p->leader_epoch);
	printf("size              %s in %" PRIu32 " segment%s\n",
	       ctl_bytes_text(p->size_bytes, text), p->segments, p->segments == 1 ? "" : "s");
	printf("appended          %" PRIu64 " batches, %" PRIu64 " records, %s\n",
	       p->append_batches, p->append_records, ctl_bytes_text(p->append_bytes, text));
	printf("refused           %" PRIu64 " batches\n", p->refused_batches);
	printf("fetched           %" PRIu64 " times, %s\n", p->fetches,
	       ctl_bytes_text(p->fetch_bytes, text));
	printf("flushed           %" PRIu64 " times\n", p->flushes);
	printf("rolled            %" PRIu64 " times\n", p->rolls);
	return ctl_flush();
}

/* What becomes of one partition at an offset; @offset -1 is "all", if that may be said. */
typedef int (*change_fn)(struct kern *k, const char *path, const char *topic, uint32_t index,
			 int64_t offset, int64_t *ret_offset, struct log_dir_error *why);

static int delete_records(struct kern *k, const char *path, const char *topic, uint32_t index,
			  int64_t offset, int64_t *ret_start, struct log_dir_error *why)
{
	(void)path;
	return log_dir_delete_records(k, topic, index, offset, ret_start, why);
}

static int change(struct ctl *ctl, struct kern *k, const char *topic, uint32_t index,
		  int64_t offset, change_fn fn, const char *member, const char *verb)
{
	struct log_dir_error why;
	struct kern_topic t;
	int64_t now;
	int err = kern_topic_get(k, topic, &t);

	if (err)
		return ctl_fail(err, "%s", kern_error(k));
	err = fn(k, t.data_dir, topic, index, offset, &now, &why);
	/* Nobody else may be there who does it once a minute. */
	if (!err)
		err = log_dir_checkpoint(k, t.data_dir, &why);
	free(t.data_dir);
	if (err)
		return ctl_fail(err, "%s", why.text);
	if (ctl->json)
		return ctl_print_json(json_pack("{sssIsI}", "topic", topic, "partition",
						(json_int_t)index, member, (json_int_t)now));
	printf("partition %s-%" PRIu32 " %s at %" PRId64 "\n", topic, index, verb, now);
	return CTL_OK;
}

/* TOPIC PARTITION OFFSET; -1: they are @ret's, else the exit status. */
static int parse_place(struct ctl *ctl, int argc, char **argv, bool all, int64_t *ret_index,
		       int64_t *ret_offset)
{
	int status = ctl_no_options(ctl, argc, argv);

	*ret_offset = -1;
	if (status >= 0)
		return status;
	if (argc - optind != 3)
		return ctl_usage(ctl, "a topic, a partition and an offset are needed");
	if (!ctl_parse_number(argv[optind + 1], 0, INT32_MAX, ret_index))
		return ctl_usage(ctl, "'%s' is not the index of a partition", argv[optind + 1]);
	if (all && !strcmp(argv[optind + 2], "all"))
		return -1;
	if (!ctl_parse_number(argv[optind + 2], 0, INT64_MAX, ret_offset))
		return ctl_usage(ctl, "'%s' is %s", argv[optind + 2],
				 all ? "neither an offset nor 'all'" : "not an offset");
	return -1;
}

int cmd_partition_delete_records(struct ctl *ctl, int argc, char **argv)
{
	int64_t index, offset;
	struct kern *k;
	int status = parse_place(ctl, argc, argv, /* all= */ true, &index, &offset);

	if (status < 0)
		status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	status = change(ctl, k, argv[optind], (uint32_t)index, offset, delete_records,
			"log_start_offset", "begins");
	kern_close(k);
	return status;
}

int cmd_partition_truncate(struct ctl *ctl, int argc, char **argv)
{
	int64_t index, offset;
	struct kern *k;
	int status = parse_place(ctl, argc, argv, /* all= */ false, &index, &offset);

	if (status < 0)
		status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	status = change(ctl, k, argv[optind], (uint32_t)index, offset, log_dir_truncate,
			"log_end_offset", "ends");
	kern_close(k);
	return status;
}

static int describe(struct ctl *ctl, struct kern *k, const struct kern_partition *p)
{
	int64_t compacted = compacted_below(k, p);
	json_t *object;

	if (!ctl->json)
		return print_details(p, compacted);
	object = partition_json(p);
	if (compacted >= 0)
		json_object_set_new(object, "compacted_below", json_integer(compacted));
	return ctl_print_json(object);
}

int cmd_partition_describe(struct ctl *ctl, int argc, char **argv)
{
	struct kern_partition p;
	struct kern *k;
	int64_t index;
	int err, status = ctl_no_options(ctl, argc, argv);

	if (status >= 0)
		return status;
	if (argc - optind != 2)
		return ctl_usage(ctl, "a topic and a partition are needed");
	if (!ctl_parse_number(argv[optind + 1], 0, INT32_MAX, &index))
		return ctl_usage(ctl, "'%s' is not the index of a partition", argv[optind + 1]);
	status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	err = kern_partition_get(k, argv[optind], (uint32_t)index, &p);
	if (err)
		status = ctl_fail(err, "%s", kern_error(k));
	else
		status = describe(ctl, k, &p);
	kern_close(k);
	return status;
}
