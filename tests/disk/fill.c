// SPDX-License-Identifier: Apache-2.0
/*
 * usage: fill DIR blocks|inodes LEFT
 *
 * Takes what is left of a file system, but so much, with files in DIR, which is
 * made. Done again, it takes what became free meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "tests/socket/harness.h"

static struct statvfs ask(int fd)
{
	struct statvfs st;

	/* What is only promised to some file by now is not yet taken from what is left. */
	if (syncfs(fd) || fstatvfs(fd, &st))
		die("statvfs: %s", strerror(errno));
	return st;
}

/* In pieces, for what is said to be left may not be had at once, or at all. */
static void take_blocks(int dir_fd, uint64_t leave)
{
	int fd = openat(dir_fd, "blocks", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	struct statvfs st = ask(dir_fd);
	uint64_t piece = st.f_bavail;
	struct stat file;

	if (fd < 0)
		die("blocks: %s", strerror(errno));
	for (; st.f_bavail > leave && piece; st = ask(dir_fd)) {
		if (piece > st.f_bavail - leave)
			piece = st.f_bavail - leave;
		if (fstat(fd, &file))
			die("blocks: %s", strerror(errno));
		if (fallocate(fd, 0, file.st_size, (off_t)(piece * st.f_frsize))) {
			if (errno != ENOSPC)
				die("fallocate: %s", strerror(errno));
			piece /= 2;
		}
	}
	close(fd);
}

static void take_inodes(int dir_fd, uint64_t leave)
{
	uint64_t left = ask(dir_fd).f_favail;
	char name[24];

	for (uint64_t i = 0; left > leave; i++) {
		int fd;

		snprintf(name, sizeof(name), "%ju", (uintmax_t)i);
		fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			die("%s: %s", name, strerror(errno));
		close(fd);
		left--;
	}
}

int main(int argc, char **argv)
{
	int dir_fd;

	if (argc != 4) {
		fprintf(stderr, "usage: fill DIR blocks|inodes LEFT\n");
		return 2;
	}
	if (mkdir(argv[1], 0755) && errno != EEXIST)
		die("%s: %s", argv[1], strerror(errno));
	dir_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		die("%s: %s", argv[1], strerror(errno));
	if (!strcmp(argv[2], "inodes"))
		take_inodes(dir_fd, strtoull(argv[3], NULL, 10));
	else
		take_blocks(dir_fd, strtoull(argv[3], NULL, 10));
	close(dir_fd);
	return 0;
}
