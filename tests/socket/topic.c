// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/topic.h"

#define TOPICS_MAX 256

static struct kern *kern;
static char dir[PATH_MAX - 300];
static struct topic topics[TOPICS_MAX];
static size_t n_topics;
static pid_t owner;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void clean_up(void)
{
	/* Not in a child of the program, and not while its sockets are open. */
	if (getpid() != owner)
		return;
	for (size_t i = 0; i < n_topics; i++)
		kern_topic_delete(kern, topics[i].id);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	kern_open(&kern);
	if (kern && kern_data_dir_detach(kern, dir))
		note("%s stays attached: %s", dir, kern_error(kern));
	else
		nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

struct kern *test_kern(void)
{
	const char *base = getenv("SLUICE_TEST_DIR");
	int err;

	if (kern)
		return kern;
	err = kern_open(&kern);
	if (err)
		die("no sluice here: %s", strerror(-err));
	if (!base)
		base = "/data/selftest";
	mkdir(base, 0755);
	snprintf(dir, sizeof(dir), "%s/%s.%d", base, program_invocation_short_name, getpid());
	if (mkdir(dir, 0755))
		die("%s: %s", dir, strerror(errno));
	chmod(dir, 0755);
	if (kern_data_dir_attach(kern, dir))
		die("%s is not attached: %s", dir, kern_error(kern));
	owner = getpid();
	atexit(clean_up);
	return kern;
}

const char *test_dir(void)
{
	test_kern();
	return dir;
}

const char *topic_path(const struct topic *t, uint32_t index, const char *file)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s-%u%s%s", t->dir ? t->dir : dir, t->name, index,
		 file ? "/" : "", file ? file : "");
	return path;
}

static void make_dirs(const struct topic *t, uint32_t from)
{
	for (uint32_t i = from; i < t->partitions; i++) {
		if (mkdir(topic_path(t, i, NULL), 0755))
			die("%s: %s", topic_path(t, i, NULL), strerror(errno));
		chmod(topic_path(t, i, NULL), 0755);
	}
}

int topic_create(struct kern *k, const struct topic *t, const struct kern_topic_config *config)
{
	struct kern_topic kt = {.partition_count = t->partitions};

	kt.data_dir = t->dir ? (char *)t->dir : dir;
	memcpy(kt.name, t->name, sizeof(kt.name));
	memcpy(kt.id, t->id, sizeof(kt.id));
	if (config)
		kt.config = *config;
	return kern_topic_create(k, &kt);
}

static void create(const struct topic *t, const struct kern_topic_config *config)
{
	if (topic_create(kern, t, config))
		die("topic %s: %s", t->name, kern_error(kern));
}

struct topic topic_prepare(const char *in, const char *name, uint32_t partitions)
{
	static unsigned int number;
	struct topic t = {.partitions = partitions, .dir = in};

	test_kern();
	if (name)
		snprintf(t.name, sizeof(t.name), "%s", name);
	else
		snprintf(t.name, sizeof(t.name), "t%d.%u", getpid(), ++number);
	if (getrandom(t.id, sizeof(t.id), 0) != sizeof(t.id))
		die("getrandom: %s", strerror(errno));
	make_dirs(&t, 0);
	return t;
}

static void begin(const struct topic *t, const struct kern_topic_config *config)
{
	create(t, config);
	if (n_topics == TOPICS_MAX)
		die("too many topics");
	topics[n_topics++] = *t;
}

struct topic topic_new_in(const char *in, const char *name, uint32_t partitions,
			  const struct kern_topic_config *config)
{
	struct topic t = topic_prepare(in, name, partitions);

	begin(&t, config);
	return t;
}

struct topic topic_new_named(const char *name, uint32_t partitions,
			     const struct kern_topic_config *config)
{
	return topic_new_in(NULL, name, partitions, config);
}

struct topic topic_new(uint32_t partitions, const struct kern_topic_config *config)
{
	return topic_new_named(NULL, partitions, config);
}

static void write_file(const struct topic *t, int base, const char *suffix, const void *data,
		       size_t len)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%020d.%s", base, suffix);
	fd = open(topic_path(t, 0, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		die("%s: %s", topic_path(t, 0, name), strerror(errno));
	close(fd);
}

static void write_segment(const struct topic *t, int base, const void *log, size_t len)
{
	write_file(t, base, "log", log, len);
	/* Sparse indexes may be empty. */
	write_file(t, base, "index", "", 0);
	write_file(t, base, "timeindex", "", 0);
}

struct topic topic_new_from(const void *log, size_t len, int next_segment)
{
	struct topic t = topic_prepare(NULL, NULL, 1);

	write_segment(&t, 0, log, len);
	if (next_segment)
		write_segment(&t, next_segment, "", 0);
	begin(&t, NULL);
	return t;
}

void topic_grow(struct topic *t, uint32_t partitions)
{
	uint32_t from = t->partitions;

	t->partitions = partitions;
	make_dirs(t, from);
	create(t, NULL);
}

void topic_forget(const struct topic *t)
{
	for (uint32_t i = 0; i < t->partitions; i++)
		nftw(topic_path(t, i, NULL), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < n_topics; i++) {
		if (memcmp(topics[i].id, t->id, sizeof(t->id)))
			continue;
		topics[i] = topics[--n_topics];
		break;
	}
}

void topic_delete(const struct topic *t)
{
	if (kern_topic_delete(kern, t->id))
		die("deleting %s: %s", t->name, kern_error(kern));
	topic_forget(t);
}

struct kern_partition topic_partition(const struct topic *t, uint32_t index)
{
	struct kern_partition p;

	if (kern_partition_get(kern, t->name, index, &p))
		die("partition %s-%u: %s", t->name, index, kern_error(kern));
	return p;
}
