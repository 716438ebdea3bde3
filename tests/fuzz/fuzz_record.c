// SPDX-License-Identifier: Apache-2.0
/* Records as they are read from a file, which anybody may have written. */
#include "record.h"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct port_file *file;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[] = "/dev/shm/sluice-fuzz-XXXXXX";
	struct port_dir *dir;

	(void)argc;
	(void)argv;
	if (!mkdtemp(path))
		abort();
	dir = port_dir_open(path);
	if (!dir || port_file_open(dir, "records", PORT_CREATE, &file) ||
	    port_file_remove(dir, "records"))
		abort();
	port_dir_close(dir);
	rmdir(path);
	return 0;
}

static void read_headers(const struct sluice_record *r)
{
	struct sluice_record_part h;
	u64 pos = r->headers_pos;

	for (u32 i = 0; i < r->header_count; i++) {
		int ret = sluice_record_header_read(file, pos, r->end, &h);

		assert(ret == 0 || ret == -EBADMSG);
		if (ret)
			return;
		assert(h.key_pos + h.key_len <= h.end);
		assert(h.value_len >= -1);
		assert(h.value_pos + (u64)max(h.value_len, 0) == h.end);
		assert(h.end > pos && h.end <= r->end);
		pos = h.end;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct sluice_record r;
	u64 pos = 0;

	if (port_file_truncate(file, 0) || port_file_write(file, 0, data, size))
		abort();
	while (pos < size) {
		int ret = sluice_record_read(file, pos, size, &r);

		assert(ret == 0 || ret == -EBADMSG);
		if (ret)
			return 0;
		assert(r.key_len >= -1 && r.value_len >= -1);
		assert(r.key_pos + (u64)max(r.key_len, 0) <= r.value_pos);
		assert(r.value_pos + (u64)max(r.value_len, 0) <= r.headers_pos);
		assert(r.headers_pos <= r.end && r.end <= size && r.end > pos);
		read_headers(&r);
		pos = r.end;
	}
	return 0;
}
