// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl log dump: which file is of which kind, and how a line looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kmod/log/segment_name.h"
#include "tools/sluicectl/ctl.h"
#include "tools/sluicectl/log_dump.h"

int log_dump_line(const struct log_dump *d, const char *indent, json_t *line)
{
	const char *name, *separator = indent;
	json_t *value;

	if (!line)
		return -ENOMEM;
	if (d->json) {
		json_object_set_new(line, "file", json_string(d->path));
		return ctl_print_json(line) == CTL_OK ? 0 : -EIO;
	}
	json_object_foreach(line, name, value)
	{
		printf("%s%s: ", separator, name);
		json_dumpf(value, stdout, JSON_ENCODE_ANY);
		separator = " ";
	}
	putchar('\n');
	json_decref(line);
	return 0;
}

int log_dump_broken(const struct log_dump *d, const char *indent, u64 position, const char *why)
{
	int ret = log_dump_line(
		d, indent, json_pack("{sssI}", "broken", why, "position", (json_int_t)position));

	return ret ? ret : 1;
}

static int cannot_read(const char *path, int err)
{
	ctl_fail(err, "%s: %s", path, strerror(-err));
	return 2;
}

/* The base offset that the name begins with, if @suffix is all that follows. */
static bool is_kind(const char *name, const char *suffix, s64 *ret_base_offset)
{
	return sluice_segment_name_parse(name, strlen(name), suffix, ret_base_offset);
}

static int dump_segment_file(const struct log_dump *d, struct port_dir *dir, const char *name)
{
	struct port_file *file;
	s64 base_offset;
	int ret = port_file_open(dir, name, PORT_RDONLY, &file);

	if (ret)
		return ret;
	if (is_kind(name, SLUICE_SUFFIX_LOG, &base_offset))
		ret = log_dump_segment(d, file);
	else if (is_kind(name, SLUICE_SUFFIX_OFFSET_INDEX, &base_offset))
		ret = log_dump_offset_index(d, file, base_offset);
	else if (is_kind(name, SLUICE_SUFFIX_TIME_INDEX, &base_offset))
		ret = log_dump_time_index(d, file, base_offset);
	else if (is_kind(name, SLUICE_SUFFIX_TXN_INDEX, &base_offset))
		ret = log_dump_txn_index(d, file);
	else if (is_kind(name, SLUICE_SUFFIX_SNAPSHOT, &base_offset))
		ret = log_dump_snapshot(d, file);
	else
		ret = -EINVAL;
	port_file_close(file);
	return ret;
}

static bool is_checkpoint(const char *name)
{
	static const char suffix[] = "-offset-checkpoint";
	size_t len = strlen(name);

	return len >= strlen(suffix) && !strcmp(name + len - strlen(suffix), suffix);
}

static int dump_text_file(const struct log_dump *d, const char *dir_path, const char *name)
{
	int fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	if (is_checkpoint(name))
		ret = log_dump_checkpoint(d, fd, name);
	else if (!strcmp(name, "leader-epoch-checkpoint"))
		ret = log_dump_epochs(d, fd);
	else if (!strcmp(name, "partition.metadata"))
		ret = log_dump_metadata(d, fd);
	else
		ret = -EINVAL;
	close(fd);
	return ret;
}

static int dump_file(struct log_dump *d, const char *dir_path, struct port_dir *dir,
		     const char *name)
{
	char *path = NULL;
	int ret;

	if (asprintf(&path, "%s/%s", dir_path, name) < 0)
		return cannot_read(name, -ENOMEM);
	d->path = path;
	if (!d->json)
		printf("%s\n", path);
	ret = dump_segment_file(d, dir, name);
	if (ret == -EINVAL)
		ret = dump_text_file(d, dir_path, name);
	if (ret == -EINVAL) {
		ctl_fail(ret, "%s: its name is that of no file of a log", path);
		ret = 2;
	} else if (ret < 0) {
		ret = cannot_read(path, ret);
	}
	free(path);
	return ret;
}

static int dump_dir(struct log_dump *d, const char *dir_path, struct port_dir *dir)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	int status = 0, one;
	s64 *offsets;
	u32 count;

	one = sluice_segment_list_dir(dir, SLUICE_SUFFIX_LOG, &offsets, &count);
	if (one)
		return cannot_read(dir_path, one);
	for (u32 i = 0; i < count; i++) {
		sluice_segment_name(name, offsets[i], SLUICE_SUFFIX_LOG);
		one = dump_file(d, dir_path, dir, name);
		status = max(status, one);
	}
	port_free(offsets);
	return status;
}

/* Of "dir/name" the two parts; @path is cut. */
static const char *split(char *path, const char **ret_dir)
{
	char *slash = strrchr(path, '/');

	if (!slash) {
		*ret_dir = ".";
		return path;
	}
	*ret_dir = slash == path ? "/" : path;
	*slash = '\0';
	return slash + 1;
}

int log_dump_path(struct log_dump *d, const char *path)
{
	const char *dir_path, *name = NULL;
	char *copy = strdup(path);
	struct port_dir *dir;
	struct stat st;
	int ret;

	if (!copy)
		return cannot_read(path, -ENOMEM);
	dir_path = copy;
	if (stat(path, &st)) {
		ret = cannot_read(path, -errno);
		free(copy);
		return ret;
	}
	if (!S_ISDIR(st.st_mode))
		name = split(copy, &dir_path);
	dir = port_dir_open(dir_path);
	if (!dir)
		ret = cannot_read(path, -errno);
	else
		ret = name ? dump_file(d, dir_path, dir, name) : dump_dir(d, dir_path, dir);
	port_dir_close(dir);
	free(copy);
	return ret;
}
