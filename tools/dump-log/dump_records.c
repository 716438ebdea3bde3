// SPDX-License-Identifier: Apache-2.0
/* Printing the records of a batch. */
#include "dump.h"
#include "record.h"

#include <ctype.h>
#include <stdio.h>

#define SHOWN_MAX 80 /* bytes of a key or value; the rest is counted */

static int print_bytes(struct port_file *file, const char *what, u64 pos, s32 len)
{
	u8 bytes[SHOWN_MAX];
	u32 shown = (u32)min_t(s32, len, sizeof(bytes));
	ssize_t n;

	if (len < 0) {
		printf(" %s null", what);
		return 0;
	}
	n = port_file_read(file, pos, bytes, shown);
	if (n != (ssize_t)shown)
		return n < 0 ? (int)n : -EIO;
	printf(" %s \"", what);
	for (u32 i = 0; i < shown; i++) {
		if (bytes[i] == '"' || bytes[i] == '\\')
			printf("\\%c", bytes[i]);
		else if (isprint(bytes[i]))
			putchar(bytes[i]);
		else
			printf("\\x%02x", bytes[i]);
	}
	putchar('"');
	if ((u32)len > shown)
		printf("+%u", (u32)len - shown);
	return 0;
}

static int print_headers(struct port_file *file, const struct sluice_record *r)
{
	struct sluice_record_part h;
	u64 pos = r->headers_pos;

	for (u32 i = 0; i < r->header_count; i++) {
		int ret = sluice_record_header_read(file, pos, r->end, &h);

		if (!ret)
			ret = print_bytes(file, "header", h.key_pos, (s32)h.key_len);
		if (!ret)
			ret = print_bytes(file, "=", h.value_pos, h.value_len);
		if (ret)
			return ret;
		pos = h.end;
	}
	return pos == r->end ? 0 : -EBADMSG;
}

static int print_record(struct port_file *file, const struct sluice_batch *b,
			const struct sluice_record *r)
{
	s64 time = b->attributes & SLUICE_BATCH_LOG_APPEND_TIME
			   ? b->max_timestamp
			   : (s64)((u64)b->base_timestamp + (u64)r->timestamp_delta);
	int ret;

	printf("  offset %lld time %lld", (s64)((u64)b->base_offset + (u64)r->offset_delta), time);
	ret = print_bytes(file, "key", r->key_pos, r->key_len);
	if (!ret)
		ret = print_bytes(file, "value", r->value_pos, r->value_len);
	if (!ret)
		ret = print_headers(file, r);
	putchar('\n');
	return ret;
}

int dump_records(struct port_file *file, u64 position, const struct sluice_batch *b)
{
	u64 pos = position + SLUICE_BATCH_HEADER_LEN;
	u64 end = position + b->size;
	struct sluice_record r;
	int ret = 0;

	for (s32 i = 0; i < b->record_count && !ret; i++) {
		ret = sluice_record_read(file, pos, end, &r);
		if (!ret)
			ret = print_record(file, b, &r);
		if (!ret)
			pos = r.end;
	}
	if (!ret && pos != end)
		ret = -EBADMSG;
	if (ret == -EBADMSG) {
		printf("  BROKEN record at position %llu\n", pos);
		return 1;
	}
	return ret;
}
