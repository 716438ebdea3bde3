// SPDX-License-Identifier: Apache-2.0
/*
 * The module itself, and its data directories.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netlink/msg.h>
#include "daemon/kern/netlink.h"

static int info_reply(struct kern *k, void *ctx, struct nlmsghdr *h)
{
	struct nlattr *attrs[SLUICE_A_INFO_MAX + 1];
	struct kern_info *ret = ctx;
	int err = kern_attrs(h, attrs, SLUICE_A_INFO_MAX);

	(void)k;
	if (err)
		return err;
	kern_attr_string(attrs[SLUICE_A_INFO_VERSION], ret->version, sizeof(ret->version));
	ret->family = kern_attr_u32(attrs[SLUICE_A_INFO_FAMILY]);
	ret->sockets = kern_attr_u32(attrs[SLUICE_A_INFO_SOCKETS]);
	ret->topics = kern_attr_u32(attrs[SLUICE_A_INFO_TOPICS]);
	ret->partitions = kern_attr_u32(attrs[SLUICE_A_INFO_PARTITIONS]);
	return 0;
}

int kern_info_get(struct kern *k, struct kern_info *ret)
{
	struct kern_info info = {0};
	int err;

	err = kern_request(k, kern_message(k, SLUICE_CMD_INFO_GET, 0), 0, info_reply, &info);
	if (!err)
		*ret = info;
	return err;
}

int kern_data_dir_attach(struct kern *k, const char *path)
{
	struct nl_msg *msg;
	int fd, err, fill_err;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		return kern_fail(k, err, "%s: %s", path, strerror(-err));
	}
	msg = kern_message(k, SLUICE_CMD_DATA_DIR_ATTACH, 0);
	fill_err = !msg ? 0 : nla_put_string(msg, SLUICE_A_DATA_DIR_PATH, path);
	if (msg && !fill_err)
		fill_err = nla_put_u32(msg, SLUICE_A_DATA_DIR_FD, fd);
	err = kern_request(k, msg, fill_err, NULL, NULL);
	close(fd);
	return err;
}

int kern_data_dir_detach(struct kern *k, const char *path)
{
	struct nl_msg *msg = kern_message(k, SLUICE_CMD_DATA_DIR_DETACH, 0);
	int fill_err = msg ? nla_put_string(msg, SLUICE_A_DATA_DIR_PATH, path) : 0;

	return kern_request(k, msg, fill_err, NULL, NULL);
}

struct dir_list {
	struct kern_data_dir *dirs;
	size_t n;
};

static void dirs_reset(void *ctx)
{
	struct dir_list *list = ctx;

	kern_data_dirs_free(list->dirs, list->n);
	list->dirs = NULL;
	list->n = 0;
}

static int dir_reply(struct kern *k, void *ctx, struct nlmsghdr *h)
{
	struct nlattr *attrs[SLUICE_A_DATA_DIR_MAX + 1];
	char path[SLUICE_PATH_MAX + 1];
	struct dir_list *list = ctx;
	struct kern_data_dir *grown;
	int err = kern_attrs(h, attrs, SLUICE_A_DATA_DIR_MAX);

	(void)k;
	if (err)
		return err;
	grown = reallocarray(list->dirs, list->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->dirs = grown;
	kern_attr_string(attrs[SLUICE_A_DATA_DIR_PATH], path, sizeof(path));
	grown[list->n].path = strdup(path);
	if (!grown[list->n].path)
		return -ENOMEM;
	grown[list->n].topics = kern_attr_u32(attrs[SLUICE_A_DATA_DIR_TOPICS]);
	list->n++;
	return 0;
}

int kern_data_dirs(struct kern *k, struct kern_data_dir **ret_dirs, size_t *ret_n)
{
	struct dir_list list = {0};
	int err;

	err = kern_dump(k, SLUICE_CMD_DATA_DIR_GET, NULL, dir_reply, dirs_reset, &list);
	if (err)
		return err;
	*ret_dirs = list.dirs;
	*ret_n = list.n;
	return 0;
}

void kern_data_dirs_free(struct kern_data_dir *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(dirs[i].path);
	free(dirs);
}
