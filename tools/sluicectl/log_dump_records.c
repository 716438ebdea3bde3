// SPDX-License-Identifier: Apache-2.0
/* Printing the records of an uncompressed batch. */
#include <stdlib.h>
#include "kmod/log/record.h"
#include "tools/sluicectl/ctl.h"
#include "tools/sluicectl/log_dump.h"

static int read_bytes(struct port_file *file, u64 pos, s32 len, json_t **ret_value)
{
	char *bytes;
	ssize_t n;

	if (len < 0) {
		*ret_value = json_null();
		return 0;
	}
	bytes = malloc((size_t)len + 1);
	if (!bytes)
		return -ENOMEM;
	n = port_file_read(file, pos, bytes, (size_t)len);
	*ret_value = n == len ? ctl_string_json(bytes, (size_t)len) : NULL;
	free(bytes);
	if (n != len)
		return n < 0 ? (int)n : -EIO;
	return *ret_value ? 0 : -ENOMEM;
}

static int read_header(struct port_file *file, const struct sluice_record_part *h, json_t *headers)
{
	json_t *key, *value;
	int ret;

	ret = read_bytes(file, h->key_pos, (s32)h->key_len, &key);
	if (ret)
		return ret;
	ret = read_bytes(file, h->value_pos, h->value_len, &value);
	if (ret) {
		json_decref(key);
		return ret;
	}
	return json_array_append_new(headers, json_pack("[oo]", key, value)) ? -ENOMEM : 0;
}

static int read_headers(struct port_file *file, const struct sluice_record *r, json_t *headers)
{
	struct sluice_record_part h;
	u64 pos = r->headers_pos;
	int ret = 0;

	for (u32 i = 0; i < r->header_count && !ret; i++) {
		ret = sluice_record_header_read(file, pos, r->end, &h);
		if (!ret)
			ret = read_header(file, &h, headers);
		if (!ret)
			pos = h.end;
	}
	if (!ret && pos != r->end)
		ret = -EBADMSG;
	return ret;
}

static int print_record(const struct log_dump *d, struct port_file *file,
			const struct sluice_batch *b, const struct sluice_record *r)
{
	s64 time = b->attributes & SLUICE_BATCH_LOG_APPEND_TIME
			   ? b->max_timestamp
			   : (s64)((u64)b->base_timestamp + (u64)r->timestamp_delta);
	s64 offset = (s64)((u64)b->base_offset + (u64)r->offset_delta);
	json_t *key = NULL, *value = NULL, *headers = json_array();
	int ret = headers ? 0 : -ENOMEM;

	if (!ret)
		ret = read_bytes(file, r->key_pos, r->key_len, &key);
	if (!ret)
		ret = read_bytes(file, r->value_pos, r->value_len, &value);
	if (!ret)
		ret = read_headers(file, r, headers);
	if (ret) {
		json_decref(key);
		json_decref(value);
		json_decref(headers);
		return ret;
	}
	return log_dump_line(d, "  ",
			     json_pack("{sIsIsososo}", "offset", (json_int_t)offset, "timestamp",
				       (json_int_t)time, "key", key, "value", value, "headers",
				       headers));
}

int log_dump_records(const struct log_dump *d, struct port_file *file, u64 position,
		     const struct sluice_batch *b)
{
	u64 pos = position + SLUICE_BATCH_HEADER_LEN;
	u64 end = position + b->size;
	struct sluice_record r;
	int ret = 0;

	for (s32 i = 0; i < b->record_count && !ret; i++) {
		ret = sluice_record_read(file, pos, end, &r);
		if (!ret)
			ret = print_record(d, file, b, &r);
		if (!ret)
			pos = r.end;
	}
	if (!ret && pos != end)
		ret = -EBADMSG;
	if (ret == -EBADMSG)
		return log_dump_broken(d, "  ", pos, "the record is malformed");
	return ret;
}
