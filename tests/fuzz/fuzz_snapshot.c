// SPDX-License-Identifier: Apache-2.0
/*
 * A .snapshot file. The first byte says whether the CRC is made right, so that
 * what lies behind it is reached, too. What is loaded must be what can be saved,
 * and the rules must work on it.
 */
#include "producer_snapshot.h"

#include <stdlib.h>
#include "tests/fuzz/fuzz_dir.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define OFFSET	      1000
#define FILE_SIZE_MAX 65536

static void clean_up(void)
{
	if (sluice_producer_snapshot_remove(dir, OFFSET) ||
	    sluice_producer_snapshot_remove(dir, OFFSET + 1))
		abort();
	fuzz_dir_remove();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_dir_make(clean_up);
	return 0;
}

static void write_file(const u8 *data, size_t size, bool right_crc)
{
	struct port_file *file;
	u8 crc[4];

	if (sluice_producer_snapshot_remove(dir, OFFSET) ||
	    port_file_open(dir, "00000000000000001000.snapshot", PORT_CREATE, &file) ||
	    port_file_write(file, 0, data, size))
		abort();
	if (right_crc && size > SLUICE_SNAPSHOT_CRC_START) {
		put_unaligned_be32(port_crc32c(0, data + SLUICE_SNAPSHOT_CRC_START,
					       size - SLUICE_SNAPSHOT_CRC_START),
				   crc);
		if (port_file_write(file, 2, crc, sizeof(crc)))
			abort();
	}
	port_file_close(file);
}

static struct sluice_producer_state *load(s64 offset, int *ret)
{
	struct sluice_producer_state *s = sluice_producer_state_new();
	char err[SLUICE_ERROR_TEXT_MAX] = "";

	if (!s)
		abort();
	*ret = sluice_producer_state_load(s, dir, offset, err);
	assert((*ret != 0) == (strlen(err) > 0));
	return s;
}

static int use_one(void *ctx, const struct sluice_producer_entry *e)
{
	struct sluice_batch b = {
		.base_offset = OFFSET,
		.producer_id = e->id,
		.producer_epoch = e->epoch,
		.base_sequence = (s32)(((u32)e->last.last_sequence + 1) & (u32)S32_MAX),
		.record_count = 1,
		.attributes = e->txn_first_offset >= 0 ? SLUICE_BATCH_TRANSACTIONAL : 0,
	};
	const struct sluice_producer_append pa = {.b = &b};
	struct sluice_producer_batch dup;
	const char *why;

	assert(e->txn_first_offset < OFFSET && e->last.last_offset < OFFSET);
	/* The producer may go on where the snapshot says that it was. */
	if (sluice_producer_state_check(ctx, &pa, &dup, &why) && e->last.last_offset >= 0)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct sluice_producer_state *s, *again;
	s64 first_unstable;
	u32 count;
	int ret;

	if (!size || size > FILE_SIZE_MAX)
		return 0;
	write_file(data + 1, size - 1, data[0] & 1);
	s = load(OFFSET, &ret);
	assert(ret == 0 || ret == -EUCLEAN);
	if (!ret) {
		count = sluice_producer_state_count(s);
		first_unstable = sluice_producer_state_first_unstable(s);
		if (sluice_producer_state_each(s, use_one, s) ||
		    sluice_producer_state_save(s, dir, OFFSET + 1))
			abort();
		again = load(OFFSET + 1, &ret);
		assert(!ret && sluice_producer_state_count(again) == count);
		assert(sluice_producer_state_first_unstable(again) == first_unstable);
		sluice_producer_state_free(again);
		while (!sluice_producer_state_expire(s, S64_MAX, 0))
			;
		assert(sluice_producer_state_count(s) == 0 || first_unstable < OFFSET);
	}
	sluice_producer_state_free(s);
	return 0;
}
