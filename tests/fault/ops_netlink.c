// SPDX-License-Identifier: Apache-2.0
/* What the netlink family does. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/fault/fault.h"

static void open_kern(struct fault_world *w)
{
	if (kern_open(&w->kern))
		die("netlink: %s", kern_error(NULL));
}

static int run_info(struct fault_world *w)
{
	struct kern_info info;

	return kern_info_get(w->kern, &info);
}

static int run_topic_get(struct fault_world *w)
{
	struct kern_topic t;
	int err = kern_topic_get(w->kern, w->topic.name, &t);

	if (!err)
		free(t.data_dir);
	return err;
}

static struct {
	size_t n, mine;
	char last[SLUICE_TOPIC_NAME_MAX + 1];
} listed;

static int run_topics(struct fault_world *w)
{
	struct kern_topic *topics;
	size_t n;
	int err = kern_topics(w->kern, &topics, &n);

	if (err)
		return err;
	listed.n = n;
	listed.mine = 0;
	for (size_t i = 0; i < n; i++) {
		listed.mine += !strcmp(topics[i].name, w->topic.name);
		memcpy(listed.last, topics[i].name, sizeof(listed.last));
	}
	kern_topics_free(topics, n);
	return 0;
}

/* Others may be there, too, that another program left; this one is listed once. */
static const char *check_topics(struct fault_world *w, int ret)
{
	if (ret < 0 || listed.mine == 1)
		return NULL;
	return fault_format("%s is listed %zu times among %zu topics, the last of them %s",
			    w->topic.name, listed.mine, listed.n, listed.n ? listed.last : "none");
}

static int run_partition_get(struct fault_world *w)
{
	struct kern_partition p;

	return kern_partition_get(w->kern, w->topic.name, 1, &p);
}

static int run_partitions(struct fault_world *w)
{
	struct kern_partition *partitions;
	size_t n;
	int err = kern_partitions(w->kern, w->topic.name, &partitions, &n);

	if (err)
		return err;
	kern_partitions_free(partitions);
	return n == FAULT_PARTITIONS ? 0 : -ENOMSG;
}

static int run_data_dirs(struct fault_world *w)
{
	struct kern_data_dir *dirs;
	size_t n;
	int err = kern_data_dirs(w->kern, &dirs, &n);

	if (err)
		return err;
	kern_data_dirs_free(dirs, n);
	return n ? 0 : -ENOMSG;
}

static void fill_topic(struct kern_topic *kt, const struct topic *t, const char *dir)
{
	memset(kt, 0, sizeof(*kt));
	memcpy(kt->name, t->name, sizeof(kt->name));
	memcpy(kt->id, t->id, sizeof(kt->id));
	kt->data_dir = (char *)dir;
	kt->partition_count = t->partitions;
}

static int run_topic_set(struct fault_world *w)
{
	struct kern_topic kt;

	fill_topic(&kt, &w->topic, NULL);
	kt.leader_epoch = -1;
	kt.config = w->config;
	return kern_topic_set(w->kern, &kt);
}

/* To be cut in the middle: four batches in partition 0. */
static void prepare_truncate(struct fault_world *w)
{
	int fd = producer(SOCK_SEQPACKET, &w->topic, 0);

	for (int i = 0; i < 4; i++) {
		fault_world_send(w, 0);
		if (flush_topic(fd, &w->topic))
			die("flush: %s", error_text(fd));
	}
	close(fd);
	/* Somebody stands above it. */
	w->fds[0] = consumer(SOCK_SEQPACKET, &w->topic, 0, SLUICE_OFFSET_LATEST);
	open_kern(w);
}

static int run_truncate(struct fault_world *w)
{
	return kern_partition_truncate(w->kern, w->topic.name, 0, w->end[0] - 2);
}

/* One that failed has cut nothing; only its answer may be what is lost. */
static const char *check_truncate(struct fault_world *w, int ret)
{
	int64_t end = topic_partition(&w->topic, 0).log_end_offset;
	bool cut = end == w->end[0] - 2;
	static struct got got;
	int err;

	if (!cut && end != w->end[0])
		return fault_format("the log ends at %lld, not at %lld", (long long)end,
				    (long long)w->end[0]);
	if (cut ? ret < 0 && ret != -EIO : ret >= 0)
		return fault_format("truncating returned %d, and it was %scut", ret,
				    cut ? "" : "not ");
	w->end[0] = end;
	err = receive(w->fds[0], &got, MSG_DONTWAIT) < 0 ? errno : 0;
	if (err != (cut ? ERANGE : EAGAIN))
		return fault_format("the reader above is told %s", strerror(err));
	return NULL;
}

static int run_set_log_start(struct fault_world *w)
{
	return kern_partition_set_log_start(w->kern, w->topic.name, 0, w->end[0] - 1);
}

static const char *check_set_log_start(struct fault_world *w, int ret)
{
	int64_t start = topic_partition(&w->topic, 0).log_start_offset;

	if (ret >= 0 && start != w->end[0] - 1)
		return fault_format("the log begins at %lld, not at %lld", (long long)start,
				    (long long)w->end[0] - 1);
	return NULL;
}

/* What is refused leaves no more than what is done. */
static int run_replace(struct fault_world *w)
{
	struct kern_partition p;
	int err = kern_partition_get(w->kern, w->topic.name, 0, &p);

	if (!err)
		err = kern_partition_replace(w->kern, w->topic.name, 0, p.generation + 1, 0, 0);
	return err == -ESTALE ? 0 : err;
}

/* The topic that is made, changed or removed. */
static struct topic other;
static struct kern_topic create_request;

/* Its directories are there, the kernel does not know it. */
static void prepare_create(struct fault_world *w)
{
	static unsigned int number;

	open_kern(w);
	memset(&other, 0, sizeof(other));
	other.partitions = 2;
	other.id[0] = 1;
	memcpy(other.id + 1, &number, sizeof(number));
	snprintf(other.name, sizeof(other.name), "other%u", number++);
	for (uint32_t i = 0; i < other.partitions; i++)
		if (mkdir(topic_path(&other, i, NULL), 0755))
			die("%s: %s", topic_path(&other, i, NULL), strerror(errno));
	fill_topic(&create_request, &other, test_dir());
}

static int run_create(struct fault_world *w)
{
	return kern_topic_create(w->kern, &create_request);
}

static bool is_there(const struct topic *t)
{
	struct kern_topic kt;
	int err = kern_topic_get(test_kern(), t->name, &kt);

	if (err && err != -ENOENT)
		die("topic-get: %s", kern_error(test_kern()));
	if (!err)
		free(kt.data_dir);
	return !err;
}

/* What a creation that failed left must not be in the way of the next. */
static const char *check_create(struct fault_world *w, int ret)
{
	bool there = is_there(&other);
	int fd;

	(void)w;
	if (there ? ret < 0 && ret != -EIO : ret >= 0)
		return fault_format("creating returned %d, and the topic is %sthere", ret,
				    there ? "" : "not ");
	if (!there && kern_topic_create(test_kern(), &create_request))
		return fault_format("cannot be created any more: %s", kern_error(test_kern()));
	fd = producer(SOCK_SEQPACKET, &other, 1);
	if (send_text(fd, "x") != 1)
		return fault_format("cannot send: %s", error_text(fd));
	close(fd);
	topic_delete(&other);
	return NULL;
}

/* A topic with a record in each partition. */
static void prepare_other(struct fault_world *w)
{
	open_kern(w);
	other = topic_new(2, NULL);
	for (int i = 0; i < 2; i++) {
		int fd = producer(SOCK_SEQPACKET, &other, i);

		if (send_text(fd, "kept") != 4)
			die("%s", error_text(fd));
		close(fd);
	}
	fill_topic(&create_request, &other, test_dir());
}

static int run_delete(struct fault_world *w)
{
	return kern_topic_delete(w->kern, other.id);
}

static const char *check_kept(void)
{
	for (uint32_t i = 0; i < 2; i++)
		if (topic_partition(&other, i).log_end_offset != 1)
			return fault_format("partition %u ends at %lld, not at 1", i,
					    (long long)topic_partition(&other, i).log_end_offset);
	return NULL;
}

/* Deleted or not, its files hold what was acknowledged. */
static const char *check_delete(struct fault_world *w, int ret)
{
	const char *why;

	(void)w;
	if (ret >= 0 && is_there(&other))
		return "deleted, but there";
	if (is_there(&other) && kern_topic_delete(test_kern(), other.id))
		return fault_format("cannot be deleted any more: %s", kern_error(test_kern()));
	if (kern_topic_create(test_kern(), &create_request))
		return fault_format("its files cannot be opened: %s", kern_error(test_kern()));
	why = check_kept();
	topic_delete(&other);
	return why;
}

/* To be grown by two; the new directories are there. */
static void prepare_grow(struct fault_world *w)
{
	prepare_other(w);
	create_request.partition_count = 4;
	for (uint32_t i = 2; i < 4; i++)
		if (mkdir(topic_path(&other, i, NULL), 0755))
			die("%s: %s", topic_path(&other, i, NULL), strerror(errno));
}

static const char *check_grow(struct fault_world *w, int ret)
{
	struct kern_topic kt;
	const char *why;

	(void)w;
	if (kern_topic_get(test_kern(), other.name, &kt))
		die("topic-get: %s", kern_error(test_kern()));
	free(kt.data_dir);
	if (kt.partition_count != 2 && kt.partition_count != 4)
		return fault_format("has %u partitions, not 2 or 4", kt.partition_count);
	if (ret >= 0 && kt.partition_count != 4)
		return "grown, but it did not";
	if (kt.partition_count == 2 && kern_topic_create(test_kern(), &create_request))
		return fault_format("cannot be grown any more: %s", kern_error(test_kern()));
	why = check_kept();
	other.partitions = 4;
	topic_delete(&other);
	return why;
}

/* A data directory of its own, with a topic. */
static char dir[PATH_MAX];

static const char *dir_path(const char *name)
{
	static char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s%s%s", dir, *name ? "/" : "", name);
	return path;
}

static void make_dir(const char *name)
{
	if (mkdir(dir_path(name), 0755))
		die("%s: %s", dir_path(name), strerror(errno));
}

static void prepare_attach(struct fault_world *w)
{
	static unsigned int number;

	open_kern(w);
	snprintf(dir, sizeof(dir), "%.3000s/../attach%u", test_dir(), number++);
	make_dir("");
}

static int run_attach(struct fault_world *w)
{
	return kern_data_dir_attach(w->kern, dir);
}

static bool is_attached(void)
{
	struct kern_data_dir *dirs;
	bool found = false;
	size_t n;

	if (kern_data_dirs(test_kern(), &dirs, &n))
		die("data-dir-get: %s", kern_error(test_kern()));
	for (size_t i = 0; i < n; i++)
		found |= !strcmp(dirs[i].path, dir);
	kern_data_dirs_free(dirs, n);
	return found;
}

static const char *check_attach(struct fault_world *w, int ret)
{
	(void)w;
	if (ret >= 0 && !is_attached())
		return "attached, but not there";
	if (!is_attached() && kern_data_dir_attach(test_kern(), dir))
		return fault_format("cannot be attached any more: %s", kern_error(test_kern()));
	if (kern_data_dir_detach(test_kern(), dir))
		return fault_format("cannot be detached: %s", kern_error(test_kern()));
	rmdir(dir);
	return NULL;
}

static void make_topic_in_dir(void)
{
	if (kern_topic_create(test_kern(), &create_request))
		die("topic in %s: %s", dir, kern_error(test_kern()));
}

static void prepare_detach(struct fault_world *w)
{
	prepare_attach(w);
	if (kern_data_dir_attach(test_kern(), dir))
		die("attach: %s", kern_error(test_kern()));
	make_dir("moved-0");
	make_dir("moved-1");
	memset(&other, 0, sizeof(other));
	snprintf(other.name, sizeof(other.name), "moved");
	other.partitions = 2;
	other.id[0] = 2;
	fill_topic(&create_request, &other, dir);
	make_topic_in_dir();
	for (int i = 0; i < 2; i++) {
		int fd = producer(SOCK_SEQPACKET, &other, i);

		if (send_text(fd, "kept") != 4)
			die("%s", error_text(fd));
		close(fd);
	}
}

static int run_detach(struct fault_world *w)
{
	return kern_data_dir_detach(w->kern, dir);
}

static const char *check_detach(struct fault_world *w, int ret)
{
	const char *why;

	(void)w;
	if (ret >= 0 && is_attached())
		return "detached, but there";
	if (is_attached() && kern_data_dir_detach(test_kern(), dir))
		return fault_format("cannot be detached any more: %s", kern_error(test_kern()));
	if (kern_data_dir_attach(test_kern(), dir))
		return fault_format("cannot be attached again: %s", kern_error(test_kern()));
	make_topic_in_dir();
	why = check_kept();
	if (kern_data_dir_detach(test_kern(), dir))
		return fault_format("cannot be detached: %s", kern_error(test_kern()));
	return why;
}

const struct fault_op fault_netlink_ops[] = {
	{"netlink-info", open_kern, run_info, NULL, -EIO},
	{"netlink-topic-get", open_kern, run_topic_get, NULL, -EIO},
	{"netlink-topics", open_kern, run_topics, check_topics, -EIO},
	{"netlink-partition-get", open_kern, run_partition_get, NULL, -EIO},
	{"netlink-partitions", open_kern, run_partitions, NULL, -EIO},
	{"netlink-data-dirs", open_kern, run_data_dirs, NULL, -EIO},
	{"netlink-topic-set", open_kern, run_topic_set, NULL, -EIO},
	{"netlink-truncate", prepare_truncate, run_truncate, check_truncate, -EIO},
	{"netlink-set-log-start", prepare_truncate, run_set_log_start, check_set_log_start, -EIO},
	{"netlink-replace", open_kern, run_replace, NULL, -EIO},
	{"netlink-topic-create", prepare_create, run_create, check_create, -EIO},
	{"netlink-topic-grow", prepare_grow, run_create, check_grow, -EIO},
	{"netlink-topic-delete", prepare_other, run_delete, check_delete, -EIO},
	{"netlink-attach", prepare_attach, run_attach, check_attach, -EIO},
	{"netlink-detach", prepare_detach, run_detach, check_detach, -EIO},
};
const size_t fault_n_netlink_ops = ARRAY_LEN(fault_netlink_ops);
