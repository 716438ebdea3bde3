// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "kmod/log/port.h"
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_checkpoints.h"
#include "daemon/log/partition_files.h"

int log_dir_checkpoint_read(const struct log_dir *d, const char *name, struct checkpoint *ret,
			    struct log_dir_error *err)
{
	unsigned int line;
	int result = checkpoint_read(d->fd, name, ret, &line);

	if (result == -EINVAL) {
		if (line)
			port_warn("%s/%s: line %u is malformed; the file counts as missing",
				  d->path, name, line);
		else
			port_warn("%s/%s: damaged; the file counts as missing", d->path, name);
		return 0;
	}
	if (result)
		log_dir_fail(err, result, "%s/%s: %s", d->path, name, strerror(-result));
	return result;
}

static bool has_partition(const struct log_dir *d, const struct checkpoint_entry *e)
{
	char name[PARTITION_DIR_NAME_MAX + 1];

	partition_dir_format(e->topic, e->partition, name);
	return dir_file_exists(d->fd, name) > 0;
}

int log_dir_checkpoint_update(const struct log_dir *d, const char *name, struct checkpoint *c,
			      char *const *topics, size_t n_topics, struct log_dir_error *err)
{
	struct checkpoint old;
	int result;

	result = log_dir_checkpoint_read(d, name, &old, err);
	if (result)
		return result;
	for (size_t i = 0; !result && i < old.n; i++) {
		const struct checkpoint_entry *e = &old.entries[i];

		if (!log_dir_names_have(topics, n_topics, e->topic) && has_partition(d, e))
			result = checkpoint_add(c, e->topic, e->partition, e->offset);
	}
	checkpoint_sort(c);
	if (!result && !checkpoint_equal(c, &old))
		result = checkpoint_write(d->fd, name, c);
	checkpoint_free(&old);
	if (result)
		log_dir_fail(err, result, "%s/%s: %s", d->path, name, strerror(-result));
	return result;
}
