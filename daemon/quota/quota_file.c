// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_open.h"
#include "daemon/quota/quota_file.h"

#define FILE_NAME      "client-quotas"
#define FILE_BYTES_MAX (16u << 20)

int quota_file_read(const char *path, struct quota_table **ret_t, struct log_dir_error *err)
{
	struct log_dir d;
	unsigned int line = 0;
	char *text = NULL;
	int result = log_dir_open(path, /* make= */ false, &d, err);

	if (result)
		return result;
	result = dir_file_read(d.private_fd, FILE_NAME, FILE_BYTES_MAX, &text, NULL);
	if (result == -ENOENT) {
		*ret_t = quota_table_new();
		result = *ret_t ? 0 : -ENOMEM;
	} else if (!result) {
		result = quota_table_parse(text, ret_t, &line);
	}
	if (result == -EUCLEAN)
		log_dir_fail(err, result, "%s/.sluice/" FILE_NAME ":%u: not a quota: correct it",
			     d.path, line);
	else if (result)
		log_dir_fail(err, result, "%s/.sluice/" FILE_NAME ": %s", d.path,
			     strerror(-result));
	free(text);
	log_dir_close(&d);
	return result;
}

int quota_file_write(const char *path, const struct quota_table *t, struct log_dir_error *err)
{
	struct log_dir d;
	size_t len;
	char *text;
	int result = log_dir_open(path, /* make= */ false, &d, err);

	if (result)
		return result;
	text = quota_table_format(t, &len);
	result = text ? dir_file_replace(d.private_fd, FILE_NAME, text, len) : -ENOMEM;
	if (result)
		log_dir_fail(err, result, "%s/.sluice/" FILE_NAME ": %s", d.path,
			     strerror(-result));
	free(text);
	log_dir_close(&d);
	return result;
}
