// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl log check. Nothing is changed, and nothing is believed: every
 * partition that is there is checked, whatever is wrong with another.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "kmod/log/check.h"
#include "kmod/log/segment_name.h"
#include "daemon/log/checkpoint.h"
#include "daemon/log/dir_file.h"
#include "daemon/log/partition_files.h"
#include "tools/sluicectl/ctl.h"
#include "tools/sluicectl/log_check.h"

/*
 * A check that runs.
 * @path: of the directory that findings are in now
 * @names: of the partitions' directories
 */
struct run {
	const struct log_check *options;
	const char *path;
	char **names;
	size_t n_names, room;
	uint64_t findings, segments, batches, bytes_read;
	uint32_t partitions;
	bool failed;
};

static void found(void *ctx, const char *file, u64 position, const char *what)
{
	struct run *run = ctx;
	char *path = NULL;

	run->findings++;
	if (asprintf(&path, "%s/%s", run->path, file) < 0)
		path = NULL;
	if (run->options->json)
		ctl_print_json(json_pack("{sssIss}", "file", path ? path : file, "position",
					 (json_int_t)position, "what", what));
	else
		printf("%s: position %llu: %s\n", path ? path : file, position, what);
	free(path);
}

static void failed(struct run *run, const char *what, int err)
{
	run->failed = true;
	ctl_fail(err, "%s: %s: %s", run->path, what, strerror(-err));
}

/* The small files beside the log. */
static void check_metadata(struct run *run, int fd)
{
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	int ret = partition_metadata_read(fd, id);

	if (ret == -ENOENT)
		found(run, "partition.metadata", 0, "the file is missing or empty");
	else if (ret == -EBADMSG)
		found(run, "partition.metadata", 0, "the file is malformed");
	else if (ret)
		failed(run, "partition.metadata", ret);
}

static void check_partition(struct run *run, const char *path)
{
	struct sluice_check check = {
		.flags = run->options->online ? SLUICE_CHECK_IN_USE : 0,
		.found = found,
		.ctx = run,
	};
	char err[SLUICE_ERROR_TEXT_MAX];
	int fd, ret;

	run->path = path;
	check.dir = port_dir_open(path);
	if (!check.dir) {
		failed(run, "cannot be opened", -errno);
		return;
	}
	ret = sluice_log_check(&check, err);
	if (ret)
		failed(run, err, ret);
	port_dir_close(check.dir);
	fd = dir_open(AT_FDCWD, path);
	if (fd >= 0) {
		check_metadata(run, fd);
		close(fd);
	}
	run->partitions++;
	run->segments += check.segments;
	run->batches += check.batches;
	run->bytes_read += check.bytes_read;
}

static void check_checkpoint(struct run *run, int fd, const char *name)
{
	unsigned int line;
	struct checkpoint c;
	char what[64];
	int ret = checkpoint_read(fd, name, &c, &line);

	if (ret == -EINVAL) {
		snprintf(what, sizeof(what),
			 line ? "line %u is malformed" : "two lines of one partition", line);
		found(run, name, 0, what);
	} else if (ret) {
		failed(run, name, ret);
	}
	checkpoint_free(&c);
}

static int add_name(void *ctx, const char *name, bool is_dir)
{
	char topic[SLUICE_TOPIC_NAME_MAX + 1];
	struct run *run = ctx;
	uint32_t index;
	char **grown;

	if (!is_dir || partition_dir_parse(name, topic, &index) != PARTITION_DIR_LOG)
		return 0;
	if (run->options->topic && strcmp(topic, run->options->topic) != 0)
		return 0;
	if (run->n_names == run->room) {
		grown = reallocarray(run->names, run->room * 2 + 64, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		run->names = grown;
		run->room = run->room * 2 + 64;
	}
	run->names[run->n_names] = strdup(name);
	return run->names[run->n_names++] ? 0 : -ENOMEM;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_data_dir(struct run *run, const char *path, int fd)
{
	static const char *const checkpoints[] = {CHECKPOINT_RECOVERY_POINT, CHECKPOINT_LOG_START,
						  CHECKPOINT_HIGH_WATERMARK, CHECKPOINT_CLEANER};
	char *partition;
	int ret;

	run->path = path;
	for (size_t i = 0; i < sizeof(checkpoints) / sizeof(checkpoints[0]); i++)
		check_checkpoint(run, fd, checkpoints[i]);
	ret = dir_each(fd, add_name, run);
	if (ret) {
		failed(run, "cannot be listed", ret);
		return;
	}
	if (run->n_names)
		qsort(run->names, run->n_names, sizeof(*run->names), compare_names);
	for (size_t i = 0; i < run->n_names && !ctl_closed(); i++) {
		if (asprintf(&partition, "%s/%s", path, run->names[i]) < 0) {
			failed(run, run->names[i], -ENOMEM);
			return;
		}
		check_partition(run, partition);
		free(partition);
	}
}

/* 1 if the kernel has it open, as far as this network namespace can tell. */
static int is_attached(const char *path)
{
	struct kern_data_dir *dirs;
	char *real = realpath(path, NULL);
	int attached = 0;
	struct kern *k;
	size_t n;

	/* No module, no log that is open. */
	if (real && !kern_open(&k)) {
		if (!kern_data_dirs(k, &dirs, &n)) {
			for (size_t i = 0; i < n; i++)
				attached |= !strncmp(dirs[i].path, real, strlen(dirs[i].path)) &&
					    strchr("/", real[strlen(dirs[i].path)]);
			kern_data_dirs_free(dirs, n);
		}
		kern_close(k);
	}
	free(real);
	return attached;
}

/* Whoever changes the directory holds the lock; while it is shared, nobody does. */
static int lock(int fd, const char *path)
{
	int lock_fd = openat(fd, ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (lock_fd < 0)
		return lock_fd;
	if (flock(lock_fd, LOCK_SH | LOCK_NB)) {
		close(lock_fd);
		ctl_fail(-EBUSY, "%s is being changed by another process: try again later", path);
		return -EBUSY;
	}
	return lock_fd;
}

static void print_summary(const struct run *run)
{
	char size[32];

	if (run->options->json)
		ctl_print_json(json_pack("{sIsIsIsIsI}", "partitions", (json_int_t)run->partitions,
					 "segments", (json_int_t)run->segments, "batches",
					 (json_int_t)run->batches, "bytes_read",
					 (json_int_t)run->bytes_read, "findings",
					 (json_int_t)run->findings));
	else
		printf("%" PRIu32 " partitions, %" PRIu64 " segments, %" PRIu64
		       " batches, %s: %" PRIu64 " findings\n",
		       run->partitions, run->segments, run->batches,
		       ctl_bytes_text(run->bytes_read, size), run->findings);
}

static bool is_partition(const char *path)
{
	struct port_dir *dir = port_dir_open(path);
	s64 *offsets = NULL;
	u32 count = 0;

	if (!dir || sluice_segment_list_dir(dir, SLUICE_SUFFIX_LOG, &offsets, &count))
		count = 0;
	port_free(offsets);
	port_dir_close(dir);
	return count;
}

int log_check_path(const struct log_check *check, const char *path)
{
	struct run run = {.options = check};
	int lock_fd = -1, fd;

	if (!check->online && is_attached(path)) {
		ctl_fail(-EBUSY, "%s is attached: 'sluicectl down' first, or check --online", path);
		return LOG_CHECK_CANNOT;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		ctl_fail(-errno, "%s: %s", path, strerror(errno));
		return LOG_CHECK_CANNOT;
	}
	if (!check->online)
		lock_fd = lock(fd, path);
	if (lock_fd == -EBUSY) {
		close(fd);
		return LOG_CHECK_CANNOT;
	}
	if (is_partition(path))
		check_partition(&run, path);
	else
		check_data_dir(&run, path, fd);
	print_summary(&run);
	for (size_t i = 0; i < run.n_names; i++)
		free(run.names[i]);
	free(run.names);
	if (lock_fd >= 0)
		close(lock_fd);
	close(fd);
	return run.failed ? LOG_CHECK_CANNOT : run.findings ? LOG_CHECK_FINDINGS : LOG_CHECK_CLEAN;
}
