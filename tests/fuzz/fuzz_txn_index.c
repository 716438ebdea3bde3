// SPDX-License-Identifier: Apache-2.0
/*
 * A .txnindex file beside a segment that is sealed, and a range that is asked
 * for: the first bytes of the input; the rest is the file. And the record of a
 * marker.
 */
#include "log.h"
#include "marker.h"

#include <stdlib.h>
#include "tests/fuzz/fuzz_dir.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define TXN_INDEX     "00000000000000000000.txnindex"
#define FILE_SIZE_MAX 65536

static int remove_one(void *ctx, const char *name, size_t len)
{
	(void)len;
	return port_file_remove(ctx, name);
}

static void clean_up(void)
{
	if (port_dir_list(dir, remove_one, dir))
		abort();
	fuzz_dir_remove();
}

static void make_file(const char *name)
{
	struct port_file *file;

	if (port_file_open(dir, name, PORT_CREATE, &file))
		abort();
	port_file_close(file);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const names[] = {
		"00000000000000000000.log",	  "00000000000000000000.index",
		"00000000000000000000.timeindex", "00000000000000001000.log",
		"00000000000000001000.index",	  "00000000000000001000.timeindex",
	};

	(void)argc;
	(void)argv;
	fuzz_dir_make(clean_up);
	/* A sealed segment and the active one; neither needs a batch. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		make_file(names[i]);
	return 0;
}

static void read_marker(const u8 *data, size_t size)
{
	struct sluice_batch b = {.record_count = 1, .size = SLUICE_BATCH_HEADER_LEN + (u32)size};
	u8 *record = malloc(size + 1);
	struct sluice_marker m;
	int ret;

	/* Of its own size, so that a byte too far is seen. */
	memcpy(record, data, size);
	ret = sluice_marker_parse(&b, record, size, &m);
	assert(ret == 0 || ret == -EINVAL || ret == -ENOMSG);
	free(record);
}

static void write_index(const u8 *data, size_t size)
{
	struct port_file *file;

	if (port_file_remove(dir, TXN_INDEX) || port_file_open(dir, TXN_INDEX, PORT_CREATE, &file))
		abort();
	if (size && port_file_write(file, 0, data, size))
		abort();
	port_file_close(file);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct sluice_aborted_txn txns[4];
	char err[SLUICE_ERROR_TEXT_MAX];
	struct sluice_log_config c;
	struct sluice_log *log;
	s64 offset, end_offset;
	u32 count = 0;
	int ret;

	read_marker(data, size);
	if (size < 4 || size > FILE_SIZE_MAX)
		return 0;
	offset = get_unaligned_be16(data);
	end_offset = offset + get_unaligned_be16(data + 2);
	write_index(data + 4, size - 4);
	sluice_log_config_default(&c);
	if (sluice_log_open(dir, &c, &(struct sluice_log_open_args){0}, err, &log))
		abort();
	for (int again = 0; again < 2; again++) {
		ret = sluice_log_aborted(log, offset, end_offset, txns, ARRAY_SIZE(txns), &count);
		assert(ret == 0 || ret == -EIO);
		for (u32 i = 0; !ret && i < count && i < ARRAY_SIZE(txns); i++)
			assert(txns[i].last_offset >= offset && txns[i].first_offset < end_offset);
	}
	sluice_log_close(log);
	return 0;
}
