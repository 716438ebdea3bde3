// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl compact
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "tools/sluicectl/ctl.h"

/* @failed: a partition could not be compacted. */
struct run {
	struct ctl *ctl;
	bool failed;
};

static void print_json(const struct log_dir_compacted *c)
{
	ctl_print_json(json_pack(
		"{sssIsosIsIsIsIsIsIsIsIsI}", "topic", c->topic, "partition",
		(json_int_t)c->partition, "error", c->error ? json_string(c->why) : json_null(),
		"first_dirty_offset", (json_int_t)c->first_dirty, "clean_end_offset",
		(json_int_t)c->end_offset, "passes", (json_int_t)c->passes, "segments_before",
		(json_int_t)c->segments_before, "segments_after", (json_int_t)c->segments_after,
		"bytes_before", (json_int_t)c->bytes_before, "bytes_after",
		(json_int_t)c->bytes_after, "records_without_key",
		(json_int_t)c->records_without_key, "batches_malformed",
		(json_int_t)c->batches_malformed));
}

static void print_text(const struct log_dir_compacted *c)
{
	char before[32], after[32];

	if (!c->passes) {
		printf("%s-%" PRIu32 ": clean up to offset %" PRId64 "\n", c->topic, c->partition,
		       c->end_offset);
		return;
	}
	printf("%s-%" PRIu32 ": clean up to offset %" PRId64 ", %s in %" PRIu32
	       " segments became %s in %" PRIu32 "\n",
	       c->topic, c->partition, c->end_offset, ctl_bytes_text(c->bytes_before, before),
	       c->segments_before, ctl_bytes_text(c->bytes_after, after), c->segments_after);
	if (c->records_without_key)
		printf("%s-%" PRIu32 ": %" PRIu64 " records without a key were dropped\n", c->topic,
		       c->partition, c->records_without_key);
	if (c->batches_malformed)
		printf("%s-%" PRIu32 ": %" PRIu64 " batches cannot be read, they stay\n", c->topic,
		       c->partition, c->batches_malformed);
}

static void compacted(void *ctx, const struct log_dir_compacted *c)
{
	struct run *run = ctx;

	if (run->ctl->json)
		print_json(c);
	else if (!c->error)
		print_text(c);
	if (!c->error)
		return;
	run->failed = true;
	ctl_fail(c->error, "%s-%" PRIu32 ": %s", c->topic, c->partition, c->why);
}

/* Without the module there is nobody who could have the directory attached. */
static int open_kern(struct kern **ret_k)
{
	int err = kern_open(ret_k);

	if (err == -EAFNOSUPPORT) {
		*ret_k = NULL;
		return CTL_OK;
	}
	return err ? ctl_fail(err, "cannot talk to the sluice module: %s", strerror(-err)) : CTL_OK;
}

static int compact_dirs(struct ctl *ctl, struct kern *k, const struct log_dir_compaction *c)
{
	char **paths = ctl_default_data_dirs(ctl);
	struct log_dir_error err;
	int status = CTL_OK;

	if (!paths)
		return ctl_fail(-ENOMEM, "out of memory");
	for (char **path = paths; *path && !ctl_interrupted(); path++) {
		int result = log_dir_compact(k, *path, c, &err);

		if (result)
			status = ctl_fail(result, "%s", err.text);
	}
	ctl_strings_free(paths);
	return status;
}

int cmd_compact(struct ctl *ctl, int argc, char **argv)
{
	struct run run = {.ctl = ctl};
	struct log_dir_compaction c = {
		.partition = -1, .told = compacted, .stopped = ctl_interrupted, .ctx = &run};
	int status = ctl_no_options(ctl, argc, argv);
	struct kern *k;

	if (status >= 0)
		return status;
	if (argc - optind > 2)
		return ctl_usage(ctl, "too many arguments");
	if (optind < argc)
		c.topic = argv[optind];
	if (optind + 1 < argc &&
	    !ctl_parse_number(argv[optind + 1], 0, UINT32_MAX - 1, &c.partition))
		return ctl_usage(ctl, "'%s' is no partition", argv[optind + 1]);
	status = open_kern(&k);
	if (status != CTL_OK)
		return status;
	ctl_catch_signals();
	status = compact_dirs(ctl, k, &c);
	if (k)
		kern_close(k);
	return status == CTL_OK && run.failed ? CTL_FAILED : status;
}
