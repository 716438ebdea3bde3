// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/log/dir_file.h"
#include "daemon/log/partition_files.h"
#include "daemon/log/topic_id.h"

#define METADATA_NAME	   "partition.metadata"
#define METADATA_BYTES_MAX 4096
#define EPOCHS_NAME	   "leader-epoch-checkpoint"
#define EPOCHS_BYTES_MAX   (4u << 20)
#define DELETED_SUFFIX	   "-delete"
#define UNIQUE_DIGITS	   32
#define INDEX_DIGITS_MAX   5 /* SLUICE_PARTITIONS_MAX - 1 has five */

/* Splits name[0..len) at its last '-' if digits follow, written the one way. */
static bool split_index(const char *name, size_t len, size_t *ret_topic_len, uint32_t *ret_index)
{
	size_t start = len;
	uint32_t index = 0;

	while (start > 0 && name[start - 1] >= '0' && name[start - 1] <= '9')
		start--;
	if (start == len || len - start > INDEX_DIGITS_MAX || start < 2 || name[start - 1] != '-')
		return false;
	if (name[start] == '0' && len - start > 1)
		return false;
	for (size_t i = start; i < len; i++)
		index = index * 10 + (uint32_t)(name[i] - '0');
	*ret_topic_len = start - 1;
	*ret_index = index;
	return true;
}

static bool is_deleted(const char *name, size_t len)
{
	size_t suffix = strlen(DELETED_SUFFIX), topic_len, start;
	uint32_t index;

	if (len < suffix + UNIQUE_DIGITS + 1 || strcmp(name + len - suffix, DELETED_SUFFIX) != 0)
		return false;
	start = len - suffix - UNIQUE_DIGITS;
	if (strspn(name + start, "0123456789abcdef") != UNIQUE_DIGITS || name[start - 1] != '.')
		return false;
	return split_index(name, start - 1, &topic_len, &index);
}

enum partition_dir_kind partition_dir_parse(const char *name, char topic[SLUICE_TOPIC_NAME_MAX + 1],
					    uint32_t *ret_index)
{
	char parsed[SLUICE_TOPIC_NAME_MAX + 1];
	size_t len = strlen(name), topic_len;

	if (is_deleted(name, len))
		return PARTITION_DIR_DELETED;
	if (!split_index(name, len, &topic_len, ret_index) || topic_len > SLUICE_TOPIC_NAME_MAX)
		return PARTITION_DIR_OTHER;
	memcpy(parsed, name, topic_len);
	parsed[topic_len] = '\0';
	if (topic_name_why_bad(parsed))
		return PARTITION_DIR_OTHER;
	strcpy(topic, parsed);
	return PARTITION_DIR_LOG;
}

void partition_dir_format(const char *topic, uint32_t index, char name[PARTITION_DIR_NAME_MAX + 1])
{
	snprintf(name, PARTITION_DIR_NAME_MAX + 1, "%s-%" PRIu32, topic, index);
}

void partition_dir_format_deleted(const char *topic, uint32_t index, const uint8_t unique[16],
				  char name[PARTITION_DIR_NAME_MAX + 1])
{
	char suffix[64];
	int len;

	len = snprintf(suffix, sizeof(suffix), "-%" PRIu32 ".", index);
	for (int i = 0; i < 16; i++)
		len += snprintf(suffix + len, sizeof(suffix) - len, "%02x", unique[i]);
	len += snprintf(suffix + len, sizeof(suffix) - len, DELETED_SUFFIX);
	snprintf(name, PARTITION_DIR_NAME_MAX + 1, "%.*s%s", PARTITION_DIR_NAME_MAX - len, topic,
		 suffix);
}

int partition_metadata_read(int partition_fd, uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	static const char start[] = "version: 0\ntopic_id: ";
	char *text, *id_text, *end;
	int err;

	err = dir_file_read(partition_fd, METADATA_NAME, METADATA_BYTES_MAX, &text, NULL);
	if (err)
		return err;
	if (!*text) {
		free(text);
		return -ENOENT;
	}
	err = -EBADMSG;
	if (!strncmp(text, start, strlen(start))) {
		id_text = text + strlen(start);
		end = strchr(id_text, '\n');
		if (end)
			*end = '\0';
		if (!topic_id_parse(id_text, id))
			err = 0;
	}
	free(text);
	return err;
}

int partition_metadata_write(int partition_fd, const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	char id_text[TOPIC_ID_TEXT_LEN + 1], text[80];
	int len;

	topic_id_format(id, id_text);
	len = snprintf(text, sizeof(text), "version: 0\ntopic_id: %s\n", id_text);
	return dir_file_write(partition_fd, METADATA_NAME, text, len);
}

/* A number of at most @max that @end follows; moves *pos behind it. */
static bool take_number(const char **pos, char end, int64_t max, int64_t *ret)
{
	char *stop;

	if (**pos < '0' || **pos > '9')
		return false;
	errno = 0;
	*ret = strtoll(*pos, &stop, 10);
	if (errno || *ret > max || *stop != end)
		return false;
	*pos = stop + 1;
	return true;
}

/* Epochs rise and so do their offsets, or what follows is not believed. */
static size_t parse_epochs(const char *text, struct leader_epoch **ret_epochs)
{
	int64_t version, count, epoch, start;
	struct leader_epoch *epochs;
	size_t n = 0;

	if (!take_number(&text, '\n', 0, &version) ||
	    !take_number(&text, '\n', EPOCHS_BYTES_MAX / 4, &count) || !count)
		return 0;
	epochs = calloc(count, sizeof(*epochs));
	if (!epochs)
		return 0;
	while (n < (size_t)count && take_number(&text, ' ', INT32_MAX, &epoch) &&
	       take_number(&text, '\n', INT64_MAX, &start)) {
		if (n && (epoch <= epochs[n - 1].epoch || start < epochs[n - 1].start_offset))
			break;
		epochs[n++] = (struct leader_epoch){.epoch = (int32_t)epoch, .start_offset = start};
	}
	*ret_epochs = epochs;
	return n;
}

int leader_epochs_read(int partition_fd, struct leader_epoch **ret_epochs, size_t *ret_n)
{
	char *text;
	int err;

	*ret_epochs = NULL;
	*ret_n = 0;
	err = dir_file_read(partition_fd, EPOCHS_NAME, EPOCHS_BYTES_MAX, &text, NULL);
	if (err)
		return err == -ENOENT ? 0 : err;
	*ret_n = parse_epochs(text, ret_epochs);
	free(text);
	return 0;
}

int leader_epochs_write(int partition_fd, const struct leader_epoch *epochs, size_t n, bool durable)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int err;

	if (!f)
		return -ENOMEM;
	fprintf(f, "0\n%zu\n", n);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%" PRId32 " %" PRId64 "\n", epochs[i].epoch, epochs[i].start_offset);
	err = fclose(f) ? -ENOMEM : 0;
	if (!err && durable)
		err = dir_file_replace(partition_fd, EPOCHS_NAME, text, len);
	else if (!err)
		err = dir_file_write(partition_fd, EPOCHS_NAME, text, len);
	free(text);
	return err;
}

int partition_files_make(int partition_fd, const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	static const struct leader_epoch first = {.epoch = 0, .start_offset = 0};
	int err = partition_metadata_write(partition_fd, id);

	return err ? err : leader_epochs_write(partition_fd, &first, 1, /* durable= */ false);
}
