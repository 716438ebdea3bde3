// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/temp_dir.h"

static char dir_path[PATH_MAX];

const char *temp_dir_make(int *ret_fd)
{
	/* In memory: a sync of it is not waited for. */
	char template[] = "/dev/shm/sluice-test-XXXXXX";
	const char *made = mkdtemp(template);

	assert(made && realpath(made, dir_path));
	*ret_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(*ret_fd >= 0);
	return dir_path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void temp_dir_remove(int fd)
{
	close(fd);
	nftw(dir_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void temp_file_write(int fd, const char *name, const char *text)
{
	int file = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
	close(file);
}

const char *temp_file_read(int fd, const char *name)
{
	static char text[65536];
	int file = openat(fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (file < 0)
		return NULL;
	n = read(file, text, sizeof(text) - 1);
	assert(n >= 0);
	close(file);
	text[n] = '\0';
	return text;
}

bool temp_exists(int fd, const char *name)
{
	struct stat st;

	return !fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW);
}

void temp_mkdir(int fd, const char *name)
{
	int err = mkdirat(fd, name, 0755);

	assert(!err);
}

size_t temp_count(int fd, const char *dir, const char *suffix)
{
	DIR *d = fdopendir(openat(fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	size_t n = 0, len;

	assert(d);
	while ((e = readdir(d))) {
		len = strlen(e->d_name);
		n += len >= strlen(suffix) && !strcmp(e->d_name + len - strlen(suffix), suffix);
	}
	closedir(d);
	return n;
}
