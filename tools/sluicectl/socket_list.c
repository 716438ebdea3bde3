// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl socket list: who reads and writes here, where, and how far behind. The
 * sockets are those of /proc/net/sluice; who has them is found as ss(8) does, by the
 * descriptors of all processes that may be looked at.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/sluicectl/ctl.h"

#define SOCKETS_PATH "/proc/net/sluice"
#define NAME_ROOM    256

struct socket {
	uint64_t inode;
	char type[16];
	uint32_t uid;
	char topic[NAME_ROOM]; /* "-" none, "*" several; as the others that are text */
	char partition[16];
	char position[24];
	char lag[24];
	char peer[NAME_ROOM];
	char peer_partition[16];
	uint32_t events;
};

/* One of the processes that have it. */
struct owner {
	uint64_t inode;
	int pid;
	int fd;
	char command[32];
};

struct list {
	struct socket *sockets;
	size_t n_sockets;
	struct owner *owners;
	size_t n_owners;
};

/* Room for one more at the end of an array of @n elements; NULL: no memory. */
static void *grow(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : reallocarray(array, n ? 2 * n : 1, size);
}

static int compare_sockets(const void *a, const void *b)
{
	const struct socket *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static bool parse_socket(const char *line, struct socket *s)
{
	return sscanf(line, "%" SCNu64 " %15s %" SCNu32 " %255s %15s %23s %23s %255s %15s %" SCNu32,
		      &s->inode, s->type, &s->uid, s->topic, s->partition, s->position, s->lag,
		      s->peer, s->peer_partition, &s->events) == 10;
}

static int read_sockets(struct list *list, const char *topic)
{
	FILE *f = fopen(SOCKETS_PATH, "re");
	struct socket s, *sockets;
	char *line = NULL;
	size_t room = 0;
	int status = CTL_OK;

	if (!f)
		return ctl_fail(errno == ENOENT ? -EAFNOSUPPORT : -errno, "%s: %s%s", SOCKETS_PATH,
				strerror(errno),
				errno == ENOENT ? ": the module is not loaded: run 'sluicectl up'"
						: "");
	while (status == CTL_OK && getline(&line, &room, f) > 0) {
		/* The counters and the titles are no sockets. */
		if (!parse_socket(line, &s) ||
		    (topic && strcmp(topic, s.topic) && strcmp(topic, s.peer)))
			continue;
		sockets = grow(list->sockets, list->n_sockets, sizeof(s));
		if (!sockets) {
			status = ctl_fail(-ENOMEM, "out of memory");
			break;
		}
		list->sockets = sockets;
		sockets[list->n_sockets++] = s;
	}
	free(line);
	fclose(f);
	if (list->n_sockets)
		qsort(list->sockets, list->n_sockets, sizeof(s), compare_sockets);
	return status;
}

static void read_command(int pid, char *ret, size_t room)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(ret, (int)room, f))
		snprintf(ret, room, "?");
	if (f)
		fclose(f);
	ret[strcspn(ret, "\n")] = '\0';
}

static int add_owner(struct list *list, uint64_t inode, int pid, int fd)
{
	struct owner *owners = grow(list->owners, list->n_owners, sizeof(*owners));

	if (!owners)
		return ctl_fail(-ENOMEM, "out of memory");
	list->owners = owners;
	owners[list->n_owners] = (struct owner){.inode = inode, .pid = pid, .fd = fd};
	read_command(pid, owners[list->n_owners].command, sizeof(owners->command));
	list->n_owners++;
	return CTL_OK;
}

/* A process that ended, or that is another user's, has nothing to show. */
static int look_at_process(struct list *list, int pid)
{
	char path[320], target[64];
	struct socket wanted;
	int status = CTL_OK;
	struct dirent *e;
	ssize_t n;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	while (d && status == CTL_OK && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, e->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (sscanf(target, "socket:[%" SCNu64 "]", &wanted.inode) == 1 &&
		    bsearch(&wanted, list->sockets, list->n_sockets, sizeof(wanted),
			    compare_sockets))
			status = add_owner(list, wanted.inode, pid, atoi(e->d_name));
	}
	if (d)
		closedir(d);
	return status;
}

static int find_owners(struct list *list)
{
	DIR *d = opendir("/proc");
	int status = CTL_OK;
	struct dirent *e;

	if (!d)
		return ctl_fail(-errno, "/proc: %s", strerror(errno));
	while (status == CTL_OK && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			status = look_at_process(list, atoi(e->d_name));
	closedir(d);
	return status;
}

/* A number where it is one; null where there is none, or several. */
static json_t *number_json(const char *text)
{
	int64_t v;

	return ctl_parse_number(text, INT64_MIN, INT64_MAX, &v) ? json_integer(v) : json_null();
}

static json_t *name_json(const char *text)
{
	return strcmp(text, "-") ? json_string(text) : json_null();
}

static json_t *owners_json(const struct list *list, const struct socket *s)
{
	json_t *owners = json_array();

	for (size_t i = 0; i < list->n_owners; i++) {
		const struct owner *o = &list->owners[i];

		if (o->inode == s->inode)
			json_array_append_new(
				owners, json_pack("{sisiso}", "pid", o->pid, "fd", o->fd, "command",
						  ctl_string_json(o->command, strlen(o->command))));
	}
	return owners;
}

static int print_json(const struct list *list)
{
	json_t *sockets = json_array();

	for (size_t i = 0; i < list->n_sockets; i++) {
		const struct socket *s = &list->sockets[i];

		json_array_append_new(
			sockets,
			json_pack("{sIsssIsosososososososI}", "inode", (json_int_t)s->inode, "type",
				  s->type, "uid", (json_int_t)s->uid, "topic", name_json(s->topic),
				  "partition", number_json(s->partition), "position",
				  number_json(s->position), "lag", number_json(s->lag), "peer",
				  name_json(s->peer), "peer_partition",
				  number_json(s->peer_partition), "owners", owners_json(list, s),
				  "events", (json_int_t)s->events));
	}
	return ctl_print_json(json_pack("{so}", "sockets", sockets));
}

static void target_cell(struct ctl_table *t, const char *topic, const char *partition)
{
	if (!strcmp(partition, "-") || !strcmp(topic, "*"))
		ctl_cell(t, "%s", topic);
	else
		ctl_cell(t, "%s-%s", topic, partition);
}

static const struct owner *first_owner(const struct list *list, uint64_t inode)
{
	for (size_t i = 0; i < list->n_owners; i++) {
		if (list->owners[i].inode == inode)
			return &list->owners[i];
	}
	return NULL;
}

static int print_text(const struct list *list)
{
	static const char *const titles[] = {"INODE", "PID",	  "COMMAND", "UID",    "TYPE",
					     "READS", "POSITION", "LAG",     "WRITES", "EVENTS"};
	struct ctl_table t;

	ctl_table_begin(&t, sizeof(titles) / sizeof(titles[0]), titles);
	for (size_t i = 0; i < list->n_sockets; i++) {
		const struct socket *s = &list->sockets[i];
		const struct owner *o = first_owner(list, s->inode);

		ctl_cell(&t, "%" PRIu64, s->inode);
		if (o)
			ctl_cell(&t, "%d", o->pid);
		else
			ctl_cell(&t, "?");
		ctl_cell(&t, "%s", o ? o->command : "?");
		ctl_cell(&t, "%" PRIu32, s->uid);
		ctl_cell(&t, "%s", s->type);
		target_cell(&t, s->topic, s->partition);
		ctl_cell(&t, "%s", s->position);
		ctl_cell(&t, "%s", s->lag);
		target_cell(&t, s->peer, s->peer_partition);
		ctl_cell(&t, "%" PRIu32, s->events);
	}
	return ctl_table_print(&t);
}

int cmd_socket_list(struct ctl *ctl, int argc, char **argv)
{
	int status = ctl_no_options(ctl, argc, argv);
	struct list list = {0};
	const char *topic;

	if (status >= 0)
		return status;
	topic = optind < argc ? argv[optind++] : NULL;
	if (optind < argc)
		return ctl_usage(ctl, "too many arguments");
	status = read_sockets(&list, topic);
	if (status == CTL_OK && list.n_sockets)
		status = find_owners(&list);
	if (status == CTL_OK)
		status = ctl->json ? print_json(&list) : print_text(&list);
	free(list.owners);
	free(list.sockets);
	return status;
}
