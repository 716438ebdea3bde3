// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/crash/acks.h"
#include "tests/socket/harness.h"

#define DISK_BYTES  (2 << 20)
#define SECTORS_MAX 64

static void *aligned(size_t len)
{
	void *buf = aligned_alloc(4096, len);

	if (!buf)
		die("no memory");
	memset(buf, 0, len);
	return buf;
}

void acks_make(const char *disk_path)
{
	int fd = open(disk_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	char *zeros = aligned(DISK_BYTES);

	if (fd < 0 && errno == EEXIST) {
		free(zeros);
		return;
	}
	if (fd < 0 || write(fd, zeros, DISK_BYTES) != DISK_BYTES || fsync(fd))
		die("%s: %s", disk_path, strerror(errno));
	free(zeros);
	close(fd);
}

/* Behind what is there: sectors are filled in order, and each begins with text. */
static off_t find_end(int fd, off_t size)
{
	char *sector = aligned(ACKS_SECTOR);
	off_t at = 0;

	while (at < size && pread(fd, sector, ACKS_SECTOR, at) == ACKS_SECTOR && sector[0])
		at += ACKS_SECTOR;
	free(sector);
	return at;
}

void acks_open(struct acks *a, const char *path, const char *disk_path)
{
	struct stat st;

	*a = (struct acks){.disk = -1};
	a->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (a->file < 0)
		die("%s: %s", path, strerror(errno));
	if (!disk_path)
		return;
	/* Past the page cache, and with no sync: a flush of the log is to be the next one. */
	a->disk = open(disk_path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (a->disk < 0 || fstat(a->disk, &st))
		die("%s: %s", disk_path, strerror(errno));
	a->size = st.st_size;
	a->position = find_end(a->disk, a->size);
}

/* Lines do not cross sectors, so that one that is there is whole. */
static size_t fill_sectors(char *sectors, const char *text, size_t len)
{
	size_t n = 0, used = 0;

	for (const char *end = text + len; text < end;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)(newline + 1 - text);

		if (used + line > ACKS_SECTOR) {
			n++;
			used = 0;
		}
		if (n == SECTORS_MAX)
			die("too many acknowledgements at once");
		memcpy(sectors + n * ACKS_SECTOR + used, text, line);
		used += line;
		text += line;
	}
	return (n + 1) * ACKS_SECTOR;
}

static int note_on_disk(struct acks *a, const char *text, size_t len)
{
	static char *sectors;
	size_t bytes;

	if (!sectors)
		sectors = aligned((size_t)SECTORS_MAX * ACKS_SECTOR);
	memset(sectors, 0, (size_t)SECTORS_MAX * ACKS_SECTOR);
	bytes = fill_sectors(sectors, text, len);
	if (a->position + (off_t)bytes > a->size) {
		/* What comes now is not missed on the disk; it is claimed outside. */
		close(a->disk);
		a->disk = -1;
		return 0;
	}
	if (pwrite(a->disk, sectors, bytes, a->position) != (ssize_t)bytes)
		return -1;
	a->position += (off_t)bytes;
	return 0;
}

int acks_note(struct acks *a, const char *text, size_t len)
{
	if (!len)
		return 0;
	/* One write: what is not whole was not acknowledged. */
	if (write(a->file, text, len) != (ssize_t)len)
		return -1;
	return a->disk < 0 ? 0 : note_on_disk(a, text, len);
}

void acks_print(const char *disk_path)
{
	char sector[ACKS_SECTOR + 1] = "";
	FILE *in = fopen(disk_path, "re");

	if (!in)
		die("%s: %s", disk_path, strerror(errno));
	/* To the end of the file: of what was in flight any sector may be missing. */
	while (fread(sector, ACKS_SECTOR, 1, in) == 1)
		fputs(sector, stdout);
	fclose(in);
}
