// SPDX-License-Identifier: Apache-2.0
/*
 * Makes a disk what it may have been after a power cut, from a log of all that
 * was written to it (the format of Linux's dm-log-writes, which QEMU's
 * blklogwrites writes from outside of the machine).
 *
 * usage: crash-replay flushes LOG
 *        crash-replay apply LOG IMAGE FROM TO
 *        crash-replay tear LOG IMAGE FLUSH SEED
 *
 * flushes prints how many there are. apply writes what was logged between two
 * flushes (0: the begin). tear then writes some of what was logged behind that
 * flush and before the next one: of a write everything, nothing, or some sectors,
 * as a disk may do that was told of no flush.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/socket/harness.h"

#define LOG_MAGIC   0x6a736677736872ULL
#define LOG_VERSION 1
#define SECTOR	    512

enum {
	LOG_FLUSH = 1 << 0,
	LOG_FUA = 1 << 1,
	LOG_DISCARD = 1 << 2,
	LOG_MARK = 1 << 3,
	LOG_METADATA = 1 << 4,
};
#define LOG_FLAGS (LOG_FLUSH | LOG_FUA | LOG_DISCARD | LOG_MARK | LOG_METADATA)

/*
 * The power was cut while QEMU wrote: of what was in flight the header may be
 * there and the data not, which no disk would do. More are never in flight.
 */
#define IN_FLIGHT_MAX 256
#define WRITE_MAX     (64U << 20)

struct super {
	uint64_t magic;
	uint64_t version;
	uint64_t nr_entries;
	uint32_t sectorsize;
} __attribute__((packed));

struct entry {
	uint64_t sector;
	uint64_t nr_sectors;
	uint64_t flags;
	uint64_t data_len;
};

/**
 * struct wlog - an open log
 * @pos: of the entry to be read next
 * @entries: that may be read, those in flight left out
 */
struct wlog {
	int fd;
	off_t pos;
	uint32_t sector_bytes;
	uint64_t entries;
	uint64_t at;
};

static bool read_entry(struct wlog *l, struct entry *e)
{
	if (pread(l->fd, e, sizeof(*e), l->pos) != sizeof(*e))
		return false;
	e->sector = le64toh(e->sector);
	e->nr_sectors = le64toh(e->nr_sectors);
	e->flags = le64toh(e->flags);
	e->data_len = le64toh(e->data_len);
	/* A hole where the power was cut: neither a write nor a flush. */
	if (e->flags & ~(uint64_t)LOG_FLAGS || (!e->nr_sectors && !e->flags))
		return false;
	if (e->nr_sectors > WRITE_MAX / l->sector_bytes && !(e->flags & LOG_DISCARD))
		return false;
	l->pos += l->sector_bytes;
	return true;
}

static size_t data_bytes(const struct wlog *l, const struct entry *e)
{
	return e->flags & LOG_DISCARD ? 0 : (size_t)e->nr_sectors * l->sector_bytes;
}

/* False: that was the last one. */
static bool next_entry(struct wlog *l, struct entry *e, off_t *ret_data)
{
	if (l->at == l->entries || !read_entry(l, e))
		return false;
	*ret_data = l->pos;
	l->pos += (off_t)data_bytes(l, e);
	l->at++;
	return true;
}

static void rewind_log(struct wlog *l)
{
	l->pos = l->sector_bytes;
	l->at = 0;
}

static void open_log(struct wlog *l, const char *path)
{
	struct super super;
	struct entry e;
	off_t data;

	*l = (struct wlog){.fd = open(path, O_RDONLY | O_CLOEXEC), .entries = UINT64_MAX};
	if (l->fd < 0 || pread(l->fd, &super, sizeof(super), 0) != sizeof(super))
		die("%s: %s", path, strerror(errno));
	l->sector_bytes = le32toh(super.sectorsize);
	if (le64toh(super.magic) != LOG_MAGIC || le64toh(super.version) != LOG_VERSION ||
	    l->sector_bytes < SECTOR || l->sector_bytes > 65536)
		die("%s: not a log of writes", path);
	/* Not by the number in the superblock, which is written from time to time. */
	rewind_log(l);
	while (next_entry(l, &e, &data))
		continue;
	l->entries = l->at > IN_FLIGHT_MAX ? l->at - IN_FLIGHT_MAX : 0;
	rewind_log(l);
}

static void read_data(const struct wlog *l, off_t data, uint8_t *buf, size_t len)
{
	if (pread(l->fd, buf, len, data) != (ssize_t)len)
		die("the log of writes ends inside an entry");
}

static void write_image(int image, const uint8_t *buf, size_t len, off_t pos)
{
	if (pwrite(image, buf, len, pos) != (ssize_t)len)
		die("image: %s", strerror(errno));
}

static uint8_t buf[WRITE_MAX];

static void apply_entry(const struct wlog *l, const struct entry *e, off_t data, int image)
{
	size_t len = data_bytes(l, e);

	if (!len)
		return;
	read_data(l, data, buf, len);
	write_image(image, buf, len, (off_t)(e->sector * l->sector_bytes));
}

static void tear_entry(const struct wlog *l, const struct entry *e, off_t data, int image)
{
	off_t pos = (off_t)(e->sector * l->sector_bytes);
	size_t len = data_bytes(l, e);

	switch (random() % 3) {
	case 0: return;
	case 1: apply_entry(l, e, data, image); return;
	default: break;
	}
	read_data(l, data, buf, len);
	for (size_t done = 0; done < len; done += SECTOR)
		if (random() % 2)
			write_image(image, buf + done, SECTOR, pos + (off_t)done);
}

static bool is_flush(const struct entry *e)
{
	return e->flags & LOG_FLUSH;
}

static uint64_t count_flushes(struct wlog *l)
{
	struct entry e;
	uint64_t n = 0;
	off_t data;

	while (next_entry(l, &e, &data))
		n += is_flush(&e);
	return n;
}

/* Up to the flush @n and with what it carries; 0: nothing. */
static void replay_to(struct wlog *l, uint64_t *flush, uint64_t n, int image)
{
	struct entry e;
	off_t data;

	while (*flush < n) {
		if (!next_entry(l, &e, &data))
			die("the log of writes has %" PRIu64 " flushes only", *flush);
		if (image >= 0)
			apply_entry(l, &e, data, image);
		*flush += is_flush(&e);
	}
}

static void tear(struct wlog *l, int image)
{
	struct entry e;
	off_t data;

	while (next_entry(l, &e, &data) && !is_flush(&e))
		tear_entry(l, &e, data, image);
}

static int open_image(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

int main(int argc, char **argv)
{
	uint64_t flush = 0;
	struct wlog l;

	if (argc == 3 && !strcmp(argv[1], "flushes")) {
		open_log(&l, argv[2]);
		printf("%" PRIu64 "\n", count_flushes(&l));
		return 0;
	}
	if (argc == 6 && (!strcmp(argv[1], "apply") || !strcmp(argv[1], "tear"))) {
		int image = open_image(argv[3]);

		open_log(&l, argv[2]);
		replay_to(&l, &flush, strtoull(argv[4], NULL, 10), -1);
		if (argv[1][0] == 'a') {
			replay_to(&l, &flush, strtoull(argv[5], NULL, 10), image);
		} else {
			srandom((unsigned int)strtoul(argv[5], NULL, 10));
			tear(&l, image);
		}
		return close(image) ? 1 : 0;
	}
	fprintf(stderr, "usage: crash-replay flushes|apply|tear LOG ...\n");
	return 2;
}
