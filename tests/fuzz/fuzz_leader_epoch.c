// SPDX-License-Identifier: Apache-2.0
/*
 * leader-epoch-checkpoint, and the map that it becomes. The input up to the
 * first NUL is the text; what follows are operations on the map. What was
 * saved must be read again as it was.
 */
#include "leader_epoch_file.h"

#include <stdlib.h>
#include "tests/fuzz/fuzz_dir.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void clean_up(void)
{
	if (port_file_remove(dir, SLUICE_LEADER_EPOCH_FILE))
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

static void check_order(const struct sluice_leader_epochs *e)
{
	for (u32 i = 0; i < e->count; i++) {
		assert(e->entries[i].epoch >= 0 && e->entries[i].start_offset >= 0);
		assert(!i || e->entries[i - 1].epoch < e->entries[i].epoch);
		assert(!i || e->entries[i - 1].start_offset <= e->entries[i].start_offset);
	}
}

static void check_end(struct sluice_leader_epochs *e, s32 epoch)
{
	s64 end;
	s32 found;

	sluice_leader_epochs_end(e, epoch, S64_MAX, &found, &end);
	assert(found <= epoch || found == -1);
	assert((found < 0) == (end < 0));
	if (found < 0)
		assert(epoch < 0 || epoch > sluice_leader_epochs_latest(e));
}

static void operate(struct sluice_leader_epochs *e, const u8 *op)
{
	s32 epoch = (s8)op[1];
	s64 offset = op[2];

	switch (op[0] % 4) {
	case 0:
		if (sluice_leader_epochs_reserve(e, epoch))
			abort();
		sluice_leader_epochs_assign(e, epoch, offset);
		assert(epoch < 0 || sluice_leader_epochs_latest(e) == epoch);
		break;
	case 1:
		sluice_leader_epochs_truncate_end(e, offset);
		assert(!e->count || e->entries[e->count - 1].start_offset < offset);
		break;
	case 2: sluice_leader_epochs_truncate_start(e, offset); break;
	default: check_end(e, epoch);
	}
	check_order(e);
}

static void check_saved(struct sluice_leader_epochs *e)
{
	struct sluice_leader_epochs found;
	char err[160];
	u64 changes;

	sluice_leader_epochs_init(&found);
	if (sluice_leader_epochs_save(e, dir, &changes) ||
	    sluice_leader_epochs_load(&found, dir, err))
		abort();
	assert(changes == e->changes && found.count == e->count);
	for (u32 i = 0; i < e->count; i++)
		assert(found.entries[i].epoch == e->entries[i].epoch &&
		       found.entries[i].start_offset == e->entries[i].start_offset);
	sluice_leader_epochs_destroy(&found);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t len = strnlen((const char *)data, size), pos = len + 1;
	struct sluice_leader_epochs e;
	const char *why = NULL;
	u32 line = 0;
	int ret;

	sluice_leader_epochs_init(&e);
	ret = sluice_leader_epochs_parse(&e, (const char *)data, len, &line, &why);
	if (ret)
		assert(ret == -EUCLEAN && why && line && !e.count);
	check_order(&e);
	for (; pos + 3 <= size; pos += 3)
		operate(&e, data + pos);
	check_saved(&e);
	sluice_leader_epochs_destroy(&e);
	return 0;
}
