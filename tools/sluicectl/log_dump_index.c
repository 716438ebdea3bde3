// SPDX-License-Identifier: Apache-2.0
/* Printing the indexes of a segment. Whether they are right, log check says. */
#include "kmod/log/offset_index.h"
#include "kmod/log/time_index.h"
#include "tools/sluicectl/log_dump.h"

/* 1: an entry; 0: the end; -EBADMSG: the file ends inside an entry. */
static int read_entry(struct port_file *file, u64 position, void *entry, size_t len)
{
	ssize_t n = port_file_read(file, position, entry, len);

	if (n < 0)
		return (int)n;
	return n == 0 ? 0 : (size_t)n == len ? 1 : -EBADMSG;
}

static int end(const struct log_dump *d, u64 position, int ret)
{
	if (ret == -EBADMSG)
		return log_dump_broken(d, "", position, "the file ends inside an entry");
	return ret;
}

int log_dump_offset_index(const struct log_dump *d, struct port_file *file, s64 base_offset)
{
	struct sluice_offset_index_entry e;
	u64 at = 0;
	s64 offset;
	int ret;

	for (; (ret = read_entry(file, at, &e, sizeof(e))) > 0; at += sizeof(e)) {
		offset = base_offset + get_unaligned_be32(&e.relative_offset);
		ret = log_dump_line(d, "",
				    json_pack("{sIsI}", "offset", (json_int_t)offset, "position",
					      (json_int_t)get_unaligned_be32(&e.position)));
		if (ret)
			return ret;
	}
	return end(d, at, ret);
}

int log_dump_time_index(const struct log_dump *d, struct port_file *file, s64 base_offset)
{
	struct sluice_time_index_entry e;
	u64 at = 0;
	s64 offset;
	int ret;

	for (; (ret = read_entry(file, at, &e, sizeof(e))) > 0; at += sizeof(e)) {
		offset = base_offset + get_unaligned_be32(&e.relative_offset);
		ret = log_dump_line(d, "",
				    json_pack("{sIsI}", "timestamp",
					      (json_int_t)get_unaligned_be64(&e.timestamp),
					      "offset", (json_int_t)offset));
		if (ret)
			return ret;
	}
	return end(d, at, ret);
}
