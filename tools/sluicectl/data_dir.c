// SPDX-License-Identifier: Apache-2.0
/*
 * Which data directory is meant.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/sluicectl/ctl.h"

#define CONFIG_PATH	 "/etc/sluice/server.properties"
#define DEFAULT_DATA_DIR "/var/lib/sluice"

void ctl_strings_free(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
}

/* Splits at commas, as log.dirs is written; spaces around a path are not its. */
static char **split(const char *list)
{
	char **paths = calloc(strlen(list) + 2, sizeof(*paths));
	size_t n = 0, len;

	while (paths && *list) {
		list += strspn(list, ", \t");
		len = strcspn(list, ",\n");
		for (const char *end = list + len; len && strchr(" \t\r", end[-1]); end--)
			len--;
		if (!len)
			break;
		paths[n] = strndup(list, len);
		if (!paths[n]) {
			ctl_strings_free(paths);
			return NULL;
		}
		n++;
		list += strcspn(list, ",\n");
		if (*list != ',')
			break;
	}
	return paths;
}

/* Kafka's rule: log.dirs goes before log.dir. NULL if the file has neither. */
static char **configured(void)
{
	char **dirs = NULL, **dir = NULL;
	char *line = NULL, *value;
	size_t size = 0, key_len;
	FILE *f = fopen(CONFIG_PATH, "re");

	while (f && getline(&line, &size, f) > 0) {
		value = line + strspn(line, " \t");
		key_len = strcspn(value, "= \t\n");
		char ***slot = !strncmp(value, "log.dirs", key_len) && key_len == 8  ? &dirs
			       : !strncmp(value, "log.dir", key_len) && key_len == 7 ? &dir
										     : NULL;
		value += key_len + strspn(value + key_len, " \t");
		if (!slot || *value != '=')
			continue;
		ctl_strings_free(*slot);
		*slot = split(value + 1);
	}
	free(line);
	if (f)
		fclose(f);
	if (!dirs || !*dirs) {
		ctl_strings_free(dirs);
		return dir;
	}
	ctl_strings_free(dir);
	return dirs;
}

char **ctl_default_data_dirs(const struct ctl *ctl)
{
	const char *env = getenv("SLUICE_DATA_DIR");
	char **paths;

	if (ctl->data_dir)
		return split(ctl->data_dir);
	if (env && *env)
		return split(env);
	paths = configured();
	if (paths && *paths)
		return paths;
	ctl_strings_free(paths);
	return split(DEFAULT_DATA_DIR);
}

static bool is_default(const struct ctl *ctl, const char *path)
{
	char **defaults = ctl_default_data_dirs(ctl), *real;
	bool found = false;

	for (char **d = defaults; d && *d && !found; d++) {
		real = realpath(*d, NULL);
		found = real && !strcmp(real, path);
		free(real);
	}
	ctl_strings_free(defaults);
	return found;
}

int ctl_attached_data_dir(struct ctl *ctl, struct kern *k, char **ret_path)
{
	struct kern_data_dir *dirs;
	const char *chosen = NULL;
	size_t n;
	int err;

	err = kern_data_dirs(k, &dirs, &n);
	if (err)
		return ctl_fail(err, "%s", kern_error(k));
	for (size_t i = 0; i < n && !chosen; i++) {
		if (is_default(ctl, dirs[i].path))
			chosen = dirs[i].path;
	}
	if (!chosen && !ctl->data_dir && n == 1)
		chosen = dirs[0].path;
	*ret_path = chosen ? strdup(chosen) : NULL;
	kern_data_dirs_free(dirs, n);
	if (*ret_path)
		return CTL_OK;
	if (chosen)
		return ctl_fail(-ENOMEM, "out of memory");
	if (!n)
		return ctl_fail(-ENOENT, "no data directory is attached: run 'sluicectl up' first");
	if (ctl->data_dir)
		return ctl_fail(-ENOENT, "%s is not attached: run 'sluicectl up %s' first",
				ctl->data_dir, ctl->data_dir);
	return ctl_fail(-ENOENT, "several data directories are attached: name one with --data-dir");
}
