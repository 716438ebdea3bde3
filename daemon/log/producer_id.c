// SPDX-License-Identifier: Apache-2.0
/*
 * Producer ids: .sluice/producer-ids holds the first that nobody was given.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_open.h"

#define FILE_NAME      "producer-ids"
#define FILE_BYTES_MAX 64
#define IDS_MAX	       INT64_C(1000000)
/* More than a Kafka cluster hands out in its life. */
#define ABOVE_KAFKA (INT64_C(1) << 40)

static int read_next(const struct log_dir *d, int64_t *ret_next)
{
	char *text, *end;
	int64_t next;
	int err;

	err = dir_file_read(d->private_fd, FILE_NAME, FILE_BYTES_MAX, &text, NULL);
	if (err == -ENOENT) {
		*ret_next = 0;
		return 0;
	}
	if (err)
		return err;
	errno = 0;
	next = strtoll(text, &end, 10);
	err = errno || end == text || strcmp(end, "\n") != 0 || next < 0 ? -EUCLEAN : 0;
	free(text);
	if (!err)
		*ret_next = next;
	return err;
}

static int write_next(const struct log_dir *d, int64_t next)
{
	char text[FILE_BYTES_MAX];
	int len = snprintf(text, sizeof(text), "%" PRId64 "\n", next);

	return dir_file_replace(d->private_fd, FILE_NAME, text, len);
}

int log_dir_producer_ids_skip(const struct log_dir *d)
{
	int64_t next;
	int err = read_next(d, &next);

	if (err || next >= ABOVE_KAFKA)
		return err;
	return write_next(d, ABOVE_KAFKA);
}

int log_dir_producer_ids(const char *path, int64_t n, int64_t *ret_first, struct log_dir_error *err)
{
	struct log_dir d;
	int64_t first;
	int result;

	if (n < 1 || n > IDS_MAX)
		return log_dir_fail(err, -EINVAL, "from 1 to %" PRId64 " producer ids at once",
				    IDS_MAX);
	result = log_dir_open(path, /* make= */ false, &d, err);
	if (result)
		return result;
	result = read_next(&d, &first);
	if (!result && first > INT64_MAX - n)
		result = -EOVERFLOW;
	if (!result)
		result = write_next(&d, first + n);
	if (result)
		log_dir_fail(err, result, "%s/.sluice/" FILE_NAME ": %s%s", d.path,
			     strerror(-result),
			     result == -EUCLEAN ? ": put a number there that is above all producer "
						  "ids in use"
						: "");
	else
		*ret_first = first;
	log_dir_close(&d);
	return result;
}
