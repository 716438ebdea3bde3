// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Which files a log has, told from one listing of its directory. */
#include "recover_files.h"

#include <stdlib.h>

const char *const recover_suffixes[RECOVER_KINDS] = {
	[RECOVER_LOG] = SLUICE_SUFFIX_LOG,
	[RECOVER_OFFSET_INDEX] = SLUICE_SUFFIX_OFFSET_INDEX,
	[RECOVER_TIME_INDEX] = SLUICE_SUFFIX_TIME_INDEX,
	[RECOVER_TXN_INDEX] = SLUICE_SUFFIX_TXN_INDEX,
	[RECOVER_SNAPSHOT] = SLUICE_SUFFIX_SNAPSHOT,
};

static const char *const state_suffixes[RECOVER_STATES] = {
	[RECOVER_IN_PLACE] = "",
	[RECOVER_DELETED] = SLUICE_SUFFIX_DELETED,
	[RECOVER_CLEANED] = SLUICE_SUFFIX_CLEANED,
	[RECOVER_SWAP] = SLUICE_SUFFIX_SWAP,
	[RECOVER_CUT] = SLUICE_SUFFIX_CUT,
};

static int add(struct recover_files *f, s64 base_offset, u8 kind, u8 state)
{
	if (f->count == f->capacity) {
		u32 capacity = f->capacity ? f->capacity * 2 : 32;
		struct recover_file *files;

		/* Five files a segment and one bound for all of them, as elsewhere. */
		if (f->count >= RECOVER_KINDS * SLUICE_SEGMENTS_MAX)
			return -EMFILE;
		files = port_alloc(capacity * sizeof(*files));
		if (!files)
			return -ENOMEM;
		if (f->count)
			memcpy(files, f->files, f->count * sizeof(*files));
		port_free(f->files);
		f->files = files;
		f->capacity = capacity;
	}
	f->files[f->count++] = (struct recover_file){
		.base_offset = base_offset, .kind = kind, .state = state};
	return 0;
}

static bool is_prepared(const char *name, size_t len)
{
	char prepared[SLUICE_SEGMENT_NAME_MAX];
	u8 kind;

	for (kind = 0; kind <= RECOVER_TIME_INDEX; kind++) {
		sluice_segment_prepared_name(prepared, recover_suffixes[kind]);
		if (len == strlen(prepared) && !memcmp(name, prepared, len))
			return true;
	}
	return false;
}

static int add_name(void *ctx, const char *name, size_t len)
{
	char suffix[sizeof(".timeindex.deleted")];
	struct recover_files *f = ctx;
	s64 base_offset;
	u8 kind, state;

	if (is_prepared(name, len)) {
		f->prepared = true;
		return 0;
	}
	for (state = 0; state < RECOVER_STATES; state++) {
		for (kind = 0; kind < RECOVER_KINDS; kind++) {
			snprintf(suffix, sizeof(suffix), "%s%s", recover_suffixes[kind],
				 state_suffixes[state]);
			if (sluice_segment_name_parse(name, len, suffix, &base_offset))
				return add(f, base_offset, kind, state);
		}
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct recover_file *x = a, *y = b;

	if (x->state != y->state)
		return x->state - y->state;
	if (x->kind != y->kind)
		return x->kind - y->kind;
	return (x->base_offset > y->base_offset) - (x->base_offset < y->base_offset);
}

int recover_files_list(struct port_dir *dir, struct recover_files *ret_files)
{
	struct recover_files f = {0};
	int ret = port_dir_list(dir, add_name, &f);

	if (ret) {
		port_free(f.files);
		return ret;
	}
	if (f.count)
		qsort(f.files, f.count, sizeof(*f.files), compare);
	*ret_files = f;
	return 0;
}

/* Index of the first file that does not come before @key. */
static u32 lower_bound(const struct recover_files *f, const struct recover_file *key)
{
	u32 low = 0, high = f->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (compare(&f->files[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool recover_files_find(const struct recover_files *f, u8 state, u8 kind, s64 base_offset)
{
	struct recover_file key = {.base_offset = base_offset, .kind = kind, .state = state};
	u32 i = lower_bound(f, &key);

	return i < f->count && !compare(&f->files[i], &key);
}

const struct recover_file *recover_files_of(const struct recover_files *f, u8 state, u8 kind,
					    u32 *ret_count)
{
	struct recover_file from = {.base_offset = 0, .kind = kind, .state = state};
	struct recover_file to = {.base_offset = S64_MAX, .kind = kind, .state = state};
	u32 first = lower_bound(f, &from);

	*ret_count = lower_bound(f, &to) - first;
	return f->files + first;
}
