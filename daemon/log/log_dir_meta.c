// SPDX-License-Identifier: Apache-2.0
/*
 * meta.properties: which cluster and node the directory belongs to
 * (MetaProperties.java, version 1).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_open.h"
#include "daemon/log/topic_id.h"

#define FILE_NAME      "meta.properties"
#define FILE_BYTES_MAX 65536

int log_dir_meta_ensure(const struct log_dir *d)
{
	char cluster_id[TOPIC_ID_TEXT_LEN + 1], directory_id[TOPIC_ID_TEXT_LEN + 1], text[256];
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	int err = dir_file_exists(d->fd, FILE_NAME), len;

	if (err)
		return err < 0 ? err : 0;
	err = topic_id_random(id);
	if (err)
		return err;
	topic_id_format(id, cluster_id);
	err = topic_id_random(id);
	if (err)
		return err;
	topic_id_format(id, directory_id);
	len = snprintf(text, sizeof(text),
		       "#Written by sluice\ncluster.id=%s\ndirectory.id=%s\nnode.id=1\nversion=1\n",
		       cluster_id, directory_id);
	return dir_file_replace(d->fd, FILE_NAME, text, len);
}

int log_dir_cluster_id(const char *path, char ret_id[64], struct log_dir_error *err)
{
	static const char key[] = "cluster.id=";
	char *text, *rest, *line;
	int fd, result;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return log_dir_fail(err, -errno, "%s: %s", path, strerror(errno));
	result = dir_file_read(fd, FILE_NAME, FILE_BYTES_MAX, &text, NULL);
	close(fd);
	if (result)
		return log_dir_fail(err, result, "%s/" FILE_NAME ": %s", path, strerror(-result));
	result = -EBADMSG;
	for (rest = text; result && (line = strsep(&rest, "\n"));) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line += strlen(key);
		line[strcspn(line, "\r ")] = '\0';
		snprintf(ret_id, 64, "%.63s", line);
		result = 0;
	}
	free(text);
	if (result)
		log_dir_fail(err, result, "%s/" FILE_NAME " has no cluster.id", path);
	return result;
}
