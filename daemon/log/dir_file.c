// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/log/dir_file.h"

/* Writers hold the directory's lock, so one name is enough. */
#define TEMPORARY_NAME	 ".sluice-tmp"
#define REMOVE_DEPTH_MAX 4

/* Whoever works in the directory, as the cleaner does, may make a file meanwhile. */
#define REMOVE_TRIES 5

static int read_fd(int fd, size_t size_max, char **ret_text, size_t *ret_len)
{
	struct stat st;
	size_t len = 0;
	ssize_t n;
	char *text;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size < 0 || (size_t)st.st_size > size_max)
		return -EFBIG;
	text = malloc(st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		n = read(fd, text + len, st.st_size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			free(text);
			return (int)n;
		}
		if (n == 0)
			break;
		len += n;
	}
	text[len] = '\0';
	*ret_text = text;
	if (ret_len)
		*ret_len = len;
	return 0;
}

int dir_file_read(int dir_fd, const char *name, size_t size_max, char **ret_text, size_t *ret_len)
{
	/* Not blocking: what has the name may be a pipe. */
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int err;

	if (fd < 0)
		return -errno;
	err = read_fd(fd, size_max, ret_text, ret_len);
	close(fd);
	return err;
}

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= n;
	}
	return 0;
}

static int create_file(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

	return fd < 0 ? -errno : fd;
}

static int write_file(int dir_fd, const char *name, const char *text, size_t len, bool sync)
{
	int fd = create_file(dir_fd, name), err;

	/* Not written over: what has the name may be a link. */
	if (fd == -EEXIST) {
		if (unlinkat(dir_fd, name, 0) && errno != ENOENT)
			return -errno;
		fd = create_file(dir_fd, name);
	}
	if (fd < 0)
		return fd;
	err = write_all(fd, text, len);
	if (!err && sync && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (err)
		unlinkat(dir_fd, name, 0);
	return err;
}

int dir_file_write(int dir_fd, const char *name, const char *text, size_t len)
{
	return write_file(dir_fd, name, text, len, /* sync= */ false);
}

int dir_file_replace(int dir_fd, const char *name, const char *text, size_t len)
{
	int err = write_file(dir_fd, TEMPORARY_NAME, text, len, /* sync= */ true);

	if (err)
		return err;
	if (renameat(dir_fd, TEMPORARY_NAME, dir_fd, name)) {
		err = -errno;
		unlinkat(dir_fd, TEMPORARY_NAME, 0);
		return err;
	}
	return dir_sync(dir_fd);
}

int dir_file_remove(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0))
		return errno == ENOENT ? 0 : -errno;
	return dir_sync(dir_fd);
}

int dir_file_exists(int dir_fd, const char *name)
{
	struct stat st;

	if (!fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

int dir_sync(int dir_fd)
{
	return fsync(dir_fd) ? -errno : 0;
}

int dir_open(int at_fd, const char *name)
{
	int fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

int dir_make(int at_fd, const char *name)
{
	if (mkdirat(at_fd, name, 0755) && errno != EEXIST)
		return -errno;
	return dir_open(at_fd, name);
}

int dir_each(int dir_fd, int (*fn)(void *ctx, const char *name, bool is_dir), void *ctx)
{
	/* A description of its own: dup() would share the place in the listing. */
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	struct stat st;
	bool is_dir;
	int err = 0;
	DIR *d;

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		err = -errno;
		close(fd);
		return err;
	}
	while (!err) {
		errno = 0;
		e = readdir(d);
		if (!e) {
			err = -errno;
			break;
		}
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		is_dir = e->d_type == DT_DIR;
		if (e->d_type == DT_UNKNOWN)
			is_dir = !fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
				 S_ISDIR(st.st_mode);
		err = fn(ctx, e->d_name, is_dir);
	}
	closedir(d);
	return err;
}

struct removal {
	int dir_fd;
	int depth;
};

static int remove_at(int at_fd, const char *name, int depth);

static int remove_entry(void *ctx, const char *name, bool is_dir)
{
	struct removal *r = ctx;

	if (is_dir)
		return remove_at(r->dir_fd, name, r->depth + 1);
	if (unlinkat(r->dir_fd, name, 0) && errno != ENOENT)
		return -errno;
	return 0;
}

static int remove_at(int at_fd, const char *name, int depth)
{
	struct removal r = {.depth = depth};
	int err = 0;

	if (depth > REMOVE_DEPTH_MAX)
		return -ELOOP;
	r.dir_fd = dir_open(at_fd, name);
	if (r.dir_fd < 0)
		return r.dir_fd == -ENOENT ? 0 : r.dir_fd;
	for (int i = 0; i < REMOVE_TRIES; i++) {
		err = dir_each(r.dir_fd, remove_entry, &r);
		if (!err && unlinkat(at_fd, name, AT_REMOVEDIR) && errno != ENOENT)
			err = -errno;
		if (err != -ENOTEMPTY)
			break;
	}
	close(r.dir_fd);
	return err;
}

int dir_remove(int at_fd, const char *name)
{
	return remove_at(at_fd, name, 0);
}
