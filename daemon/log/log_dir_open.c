// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_open.h"
#include "daemon/log/partition_files.h"

/* A recovery may hold the lock for longer; then the operator is told. */
#define LOCK_WAIT_MS  30000
#define LOCK_RETRY_MS 20

static int make_parents(const char *path)
{
	char *copy = strdup(path), *slash = copy;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	while (!err && (slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			err = -errno;
		*slash = '/';
	}
	if (!err && mkdir(copy, 0755) && errno != EEXIST)
		err = -errno;
	free(copy);
	return err;
}

static int take_lock(int fd, const char *path, struct log_dir_error *err)
{
	const struct timespec pause = {.tv_nsec = LOCK_RETRY_MS * 1000000L};
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB); waited += LOCK_RETRY_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return log_dir_fail(err, -errno, "%s/.lock: %s", path, strerror(errno));
		if (waited >= LOCK_WAIT_MS)
			return log_dir_fail(err, -EBUSY,
					    "%s is being changed by another process, which holds "
					    "its .lock: wait until that is done",
					    path);
		nanosleep(&pause, NULL);
	}
	/* Java locks files the other way, and holds the lock as long as it runs. */
	if (fcntl(fd, F_OFD_SETLK, &whole) && (errno == EAGAIN || errno == EACCES))
		return log_dir_fail(err, -EBUSY,
				    "%s is in use by a running Kafka broker: stop that first",
				    path);
	return 0;
}

int log_dir_open(const char *path, bool make, struct log_dir *ret, struct log_dir_error *err)
{
	struct log_dir d = {.fd = -1, .lock_fd = -1, .private_fd = -1, .topics_fd = -1};
	const char *what = "";
	int result;

	result = make ? make_parents(path) : 0;
	if (!result) {
		d.path = realpath(path, NULL);
		if (!d.path)
			result = -errno;
	}
	if (result)
		goto err_close;
	if (strlen(d.path) > SLUICE_PATH_MAX - PARTITION_DIR_NAME_MAX - 1) {
		result = -ENAMETOOLONG;
		goto err_close;
	}
	result = d.fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (result < 0) {
		result = -errno;
		goto err_close;
	}
	what = "/.lock";
	d.lock_fd = openat(d.fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (d.lock_fd < 0) {
		result = -errno;
		goto err_close;
	}
	result = take_lock(d.lock_fd, d.path, err);
	if (result) {
		log_dir_close(&d);
		return result;
	}
	what = "/.sluice";
	result = d.private_fd = dir_make(d.fd, ".sluice");
	if (result < 0)
		goto err_close;
	what = "/.sluice/topics";
	result = d.topics_fd = dir_make(d.private_fd, "topics");
	if (result < 0)
		goto err_close;
	*ret = d;
	return 0;

err_close:
	log_dir_fail(err, result, "%s%s: %s%s", d.path ? d.path : path, what, strerror(-result),
		     result == -EACCES || result == -EPERM
			     ? ": run this as the directory's owner or root"
			     : "");
	log_dir_close(&d);
	return result;
}

void log_dir_close(struct log_dir *d)
{
	int fds[] = {d->topics_fd, d->private_fd, d->lock_fd, d->fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(d->path);
}

int log_dir_is_attached(struct kern *k, const struct log_dir *d, struct log_dir_error *err)
{
	struct kern_data_dir *dirs;
	int result, attached = 0;
	size_t n;

	result = kern_data_dirs(k, &dirs, &n);
	if (result)
		return log_dir_fail(err, result, "%s", kern_error(k));
	for (size_t i = 0; i < n; i++)
		attached |= !strcmp(dirs[i].path, d->path);
	kern_data_dirs_free(dirs, n);
	return attached;
}

int log_dir_set_clean(const struct log_dir *d, bool clean)
{
	static const char text[] = "{\"version\":0,\"brokerEpoch\":-1}";

	if (!clean)
		return dir_file_remove(d->fd, LOG_DIR_CLEAN_MARK);
	return dir_file_replace(d->fd, LOG_DIR_CLEAN_MARK, text, strlen(text));
}

char *log_dir_partition_path(const struct log_dir *d, const char *topic, uint32_t index)
{
	char name[PARTITION_DIR_NAME_MAX + 1];
	char *path;

	partition_dir_format(topic, index, name);
	return asprintf(&path, "%s/%s", d->path, name) < 0 ? NULL : path;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int log_dir_kernel_topics(struct kern *k, const struct log_dir *d, char ***ret_names, size_t *ret_n,
			  struct log_dir_error *err)
{
	struct kern_topic *topics;
	size_t n_topics, n = 0;
	char **names;
	int result;

	result = kern_topics(k, &topics, &n_topics);
	if (result)
		return log_dir_fail(err, result, "%s", kern_error(k));
	names = calloc(n_topics + 1, sizeof(*names));
	for (size_t i = 0; names && i < n_topics; i++) {
		if (strcmp(topics[i].data_dir, d->path) != 0)
			continue;
		names[n] = strdup(topics[i].name);
		if (!names[n]) {
			log_dir_names_free(names, n);
			names = NULL;
			break;
		}
		n++;
	}
	kern_topics_free(topics, n_topics);
	if (!names)
		return log_dir_fail(err, -ENOMEM, "out of memory");
	qsort(names, n, sizeof(*names), compare_names);
	*ret_names = names;
	*ret_n = n;
	return 0;
}

bool log_dir_names_have(char *const *names, size_t n, const char *name)
{
	return n && bsearch(&name, names, n, sizeof(*names), compare_names);
}

void log_dir_names_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}
