// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/dynamic_config.h"
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_open.h"

#define FILE_NAME      "broker-settings"
#define FILE_BYTES_MAX (1u << 20)

int dynamic_config_read(const char *path, struct dynamic_config *ret, struct log_dir_error *err)
{
	struct log_dir d;
	unsigned int line = 0;
	char *text = NULL;
	int result = log_dir_open(path, /* make= */ false, &d, err);

	*ret = (struct dynamic_config){0};
	if (result)
		return result;
	result = dir_file_read(d.private_fd, FILE_NAME, FILE_BYTES_MAX, &text, NULL);
	if (result == -ENOENT)
		result = 0;
	else if (!result)
		result = dynamic_config_parse(text, ret, &line);
	if (result == -EUCLEAN)
		log_dir_fail(err, result, "%s/.sluice/" FILE_NAME ":%u: not a setting: correct it",
			     d.path, line);
	else if (result)
		log_dir_fail(err, result, "%s/.sluice/" FILE_NAME ": %s", d.path,
			     strerror(-result));
	free(text);
	log_dir_close(&d);
	return result;
}

int dynamic_config_write(const char *path, const struct dynamic_config *dynamic,
			 struct log_dir_error *err)
{
	struct log_dir d;
	size_t len;
	char *text;
	int result = log_dir_open(path, /* make= */ false, &d, err);

	if (result)
		return result;
	text = dynamic_config_format(dynamic, &len);
	result = text ? dir_file_replace(d.private_fd, FILE_NAME, text, len) : -ENOMEM;
	if (result)
		log_dir_fail(err, result, "%s/.sluice/" FILE_NAME ": %s", d.path,
			     strerror(-result));
	free(text);
	log_dir_close(&d);
	return result;
}
