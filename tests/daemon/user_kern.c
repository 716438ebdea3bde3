// SPDX-License-Identifier: Apache-2.0
/* kern.h over user_module.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <linux/sluice_netlink.h>

#include "kmod/log/replace.h"
#include "kmod/log/truncate.h"
#include "tests/daemon/user_module.h"

#define EVENTS_MAX 64

struct kern {
	struct list link; /* while subscribed */
	char error[256];
	int event_fd;
	struct kern_event events[EVENTS_MAX];
	unsigned int n_events;
	bool lost;
};

static char *data_dir;
static struct list subscribers = {&subscribers, &subscribers};

int kern_open(struct kern **ret_k)
{
	struct kern *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	list_init(&k->link);
	k->event_fd = -1;
	*ret_k = k;
	return 0;
}

void kern_close(struct kern *k)
{
	user_module_lock();
	list_remove(&k->link);
	user_module_unlock();
	if (k->event_fd >= 0)
		close(k->event_fd);
	free(k);
}

const char *kern_error(const struct kern *k)
{
	return k->error;
}

static int fail(struct kern *k, int err)
{
	if (err && !k->error[0])
		snprintf(k->error, sizeof(k->error), "%s", strerror(-err));
	return err;
}

int kern_info_get(struct kern *k, struct kern_info *ret)
{
	(void)k;
	*ret = (struct kern_info){.version = "user"};
	return 0;
}

static void tell(uint32_t type, const struct kern_topic *t)
{
	const uint64_t one = 1;

	for (struct list *at = subscribers.next; at != &subscribers; at = at->next) {
		struct kern *k = list_entry(at, struct kern, link);
		struct kern_event *ev = &k->events[k->n_events];

		if (k->n_events == EVENTS_MAX) {
			k->lost = true;
			continue;
		}
		*ev = (struct kern_event){.type = type, .partition = -1};
		if (t) {
			memcpy(ev->topic, t->name, sizeof(ev->topic));
			memcpy(ev->topic_id, t->id, sizeof(ev->topic_id));
		}
		k->n_events++;
		if (write(k->event_fd, &one, sizeof(one)) < 0)
			abort();
	}
}

int kern_data_dir_attach(struct kern *k, const char *path)
{
	(void)k;
	user_module_lock();
	free(data_dir);
	data_dir = strdup(path);
	tell(SLUICE_EVENT_TYPE_DATA_DIR_ATTACHED, NULL);
	user_module_unlock();
	return 0;
}

int kern_data_dir_detach(struct kern *k, const char *path)
{
	struct list *at, *after;

	(void)k, (void)path;
	user_module_lock();
	list_for_each_safe(at, after, user_topics())
		user_topic_delete(list_entry(at, struct user_topic, link)->t.id);
	free(data_dir);
	data_dir = NULL;
	tell(SLUICE_EVENT_TYPE_DATA_DIR_DETACHED, NULL);
	user_module_unlock();
	return 0;
}

int kern_data_dirs(struct kern *k, struct kern_data_dir **ret_dirs, size_t *ret_n)
{
	(void)k;
	*ret_dirs = calloc(1, sizeof(**ret_dirs));
	*ret_n = data_dir ? 1 : 0;
	if (data_dir)
		(*ret_dirs)->path = strdup(data_dir);
	return 0;
}

void kern_data_dirs_free(struct kern_data_dir *dirs, size_t n)
{
	while (n--)
		free(dirs[n].path);
	free(dirs);
}

int kern_topic_create(struct kern *k, const struct kern_topic *t)
{
	int err;

	k->error[0] = '\0';
	user_module_lock();
	err = user_topic_create(t, k->error, sizeof(k->error));
	if (!err)
		tell(SLUICE_EVENT_TYPE_TOPIC_CREATED, t);
	user_module_unlock();
	return fail(k, err);
}

int kern_topic_set(struct kern *k, const struct kern_topic *t)
{
	int err;

	k->error[0] = '\0';
	user_module_lock();
	err = user_topic_set(t);
	user_module_unlock();
	return fail(k, err);
}

int kern_topic_delete(struct kern *k, const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	struct user_topic *t;
	struct kern_topic old;
	int err = -ENOENT;

	k->error[0] = '\0';
	user_module_lock();
	t = user_topic_by_id(id);
	if (t) {
		old = t->t;
		err = user_topic_delete(id);
		tell(SLUICE_EVENT_TYPE_TOPIC_DELETED, &old);
	}
	user_module_unlock();
	return fail(k, err);
}

static void copy_topic(const struct user_topic *from, struct kern_topic *to)
{
	*to = from->t;
	to->data_dir = strdup(from->t.data_dir);
}

int kern_topic_get(struct kern *k, const char *name, struct kern_topic *ret)
{
	struct user_topic *t;

	k->error[0] = '\0';
	user_module_lock();
	t = user_topic_by_name(name);
	if (t)
		copy_topic(t, ret);
	user_module_unlock();
	return fail(k, t ? 0 : -ENOENT);
}

int kern_topics(struct kern *k, struct kern_topic **ret_topics, size_t *ret_n)
{
	size_t n = 0;

	(void)k;
	*ret_topics = NULL;
	user_module_lock();
	for (struct list *at = user_topics()->next; at != user_topics(); at = at->next) {
		*ret_topics = reallocarray(*ret_topics, n + 1, sizeof(**ret_topics));
		copy_topic(list_entry(at, struct user_topic, link), &(*ret_topics)[n++]);
	}
	user_module_unlock();
	*ret_n = n;
	return 0;
}

void kern_topics_free(struct kern_topic *topics, size_t n)
{
	while (n--)
		free(topics[n].data_dir);
	free(topics);
}

static void read_partition(const struct user_topic *t, uint32_t index, struct kern_partition *p)
{
	struct sluice_log *log = t->partitions[index].log;

	*p = (struct kern_partition){.index = index, .segments = sluice_log_segment_count(log)};
	memcpy(p->topic, t->t.name, sizeof(p->topic));
	memcpy(p->topic_id, t->t.id, sizeof(p->topic_id));
	p->recovery_point = sluice_log_recovery_point(log);
	p->log_start_offset = sluice_log_start_offset(log);
	p->last_stable_offset = sluice_log_last_stable_offset(log);
	p->high_watermark = sluice_log_high_watermark(log);
	p->log_end_offset = sluice_log_end_offset(log);
	p->generation = sluice_log_generation(log);
}

int kern_partition_get(struct kern *k, const char *topic, uint32_t index,
		       struct kern_partition *ret)
{
	struct user_topic *t;

	user_module_lock();
	t = user_topic_by_name(topic);
	if (t && index < t->t.partition_count)
		read_partition(t, index, ret);
	else
		t = NULL;
	user_module_unlock();
	return fail(k, t ? 0 : -ENOENT);
}

/* The log of a partition, with the lock; NULL if there is none. */
static struct sluice_log *lock_log(const char *topic, uint32_t index)
{
	struct user_topic *t;

	user_module_lock();
	t = user_topic_by_name(topic);
	return t && index < t->t.partition_count ? t->partitions[index].log : NULL;
}

int kern_partition_set_log_start(struct kern *k, const char *topic, uint32_t index, int64_t offset)
{
	struct sluice_log *log = lock_log(topic, index);
	int err = log ? sluice_log_set_start_offset(log, offset) : -ENOENT;

	user_module_unlock();
	return fail(k, err);
}

int kern_partition_truncate(struct kern *k, const char *topic, uint32_t index, int64_t offset)
{
	struct sluice_log *log = lock_log(topic, index);
	char why[SLUICE_ERROR_TEXT_MAX];
	s64 end_offset;
	int err = log ? sluice_log_truncate(log, offset, why, &end_offset) : -ENOENT;

	user_module_unlock();
	return fail(k, err);
}

int kern_partition_replace(struct kern *k, const char *topic, uint32_t index, uint64_t generation,
			   int64_t first_base, int64_t last_base)
{
	struct sluice_log *log = lock_log(topic, index);
	char why[SLUICE_ERROR_TEXT_MAX];
	int err = log ? sluice_log_replace(log, generation, first_base, last_base, why) : -ENOENT;

	user_module_unlock();
	return fail(k, err);
}

int kern_partitions(struct kern *k, const char *topic, struct kern_partition **ret_partitions,
		    size_t *ret_n)
{
	size_t n = 0;

	(void)k;
	*ret_partitions = NULL;
	user_module_lock();
	for (struct list *at = user_topics()->next; at != user_topics(); at = at->next) {
		struct user_topic *t = list_entry(at, struct user_topic, link);

		for (uint32_t i = 0; i < t->t.partition_count; i++) {
			struct kern_partition *p;

			if (topic && strcmp(topic, t->t.name))
				continue;
			*ret_partitions = reallocarray(*ret_partitions, n + 1, sizeof(*p));
			p = &(*ret_partitions)[n++];
			read_partition(t, i, p);
		}
	}
	user_module_unlock();
	*ret_n = n;
	return 0;
}

void kern_partitions_free(struct kern_partition *partitions)
{
	free(partitions);
}

int kern_subscribe(struct kern *k)
{
	k->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k->event_fd < 0)
		return -errno;
	user_module_lock();
	list_append(&subscribers, &k->link);
	user_module_unlock();
	return 0;
}

int kern_event_fd(const struct kern *k)
{
	return k->event_fd;
}

int kern_event_next(struct kern *k, struct kern_event *ret)
{
	uint64_t rung;
	int err = 0;

	user_module_lock();
	if (k->n_events) {
		*ret = k->events[0];
		memmove(k->events, k->events + 1, --k->n_events * sizeof(*ret));
	} else if (k->lost) {
		k->lost = false;
		err = -ENOBUFS;
	} else {
		err = -EAGAIN;
		if (read(k->event_fd, &rung, sizeof(rung)) < 0)
			errno = 0;
	}
	user_module_unlock();
	return err;
}
