// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The names of a segment's files, and which segments a directory has. */
#include "segment_name.h"
#include "log.h"

void sluice_segment_name(char name[SLUICE_SEGMENT_NAME_MAX], s64 base_offset, const char *suffix)
{
	snprintf(name, SLUICE_SEGMENT_NAME_MAX, "%020lld%s", base_offset, suffix);
}

void sluice_segment_prepared_name(char name[SLUICE_SEGMENT_NAME_MAX], const char *suffix)
{
	snprintf(name, SLUICE_SEGMENT_NAME_MAX, SLUICE_PREPARED_PREFIX "%s" SLUICE_PREPARED_SUFFIX,
		 suffix);
}

void sluice_segment_deleted_name(char name[SLUICE_SEGMENT_NAME_MAX], s64 base_offset,
				 const char *suffix)
{
	snprintf(name, SLUICE_SEGMENT_NAME_MAX, "%020lld%s" SLUICE_SUFFIX_DELETED, base_offset,
		 suffix);
}

bool sluice_segment_name_parse(const char *name, size_t len, const char *suffix,
			       s64 *ret_base_offset)
{
	s64 v = 0;
	u32 i;

	if (len != SLUICE_SEGMENT_DIGITS + strlen(suffix) ||
	    memcmp(name + SLUICE_SEGMENT_DIGITS, suffix, strlen(suffix)))
		return false;
	for (i = 0; i < SLUICE_SEGMENT_DIGITS; i++) {
		s32 digit = name[i] - '0';

		if (digit < 0 || digit > 9)
			return false;
		/* The largest offset itself has none behind it. */
		if (v > (S64_MAX - 1 - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret_base_offset = v;
	return true;
}

struct listing {
	const char *suffix;
	s64 *offsets;
	u32 count;
	u32 capacity;
};

static int grow(struct listing *l)
{
	u32 capacity = l->capacity ? l->capacity * 2 : 64;
	s64 *offsets;

	if (l->count == SLUICE_SEGMENTS_MAX)
		return -EMFILE;
	offsets = port_alloc(capacity * sizeof(*offsets));
	if (!offsets)
		return -ENOMEM;
	if (l->count)
		memcpy(offsets, l->offsets, l->count * sizeof(*offsets));
	port_free(l->offsets);
	l->offsets = offsets;
	l->capacity = capacity;
	return 0;
}

static int add_name(void *ctx, const char *name, size_t len)
{
	struct listing *l = ctx;
	s64 base_offset;
	int ret;

	if (!sluice_segment_name_parse(name, len, l->suffix, &base_offset))
		return 0;
	if (l->count == l->capacity) {
		ret = grow(l);
		if (ret)
			return ret;
	}
	l->offsets[l->count++] = base_offset;
	return 0;
}

static void sift_down(s64 *v, u32 root, u32 count)
{
	while (2 * root + 1 < count) {
		u32 child = 2 * root + 1;
		s64 swap;

		if (child + 1 < count && v[child] < v[child + 1])
			child++;
		if (v[root] >= v[child])
			return;
		swap = v[root];
		v[root] = v[child];
		v[child] = swap;
		root = child;
	}
}

/* Heapsort: neither recursion nor a bad case, whatever order the names come in. */
static void sort_offsets(s64 *v, u32 count)
{
	u32 i;

	for (i = count / 2; i-- > 0;)
		sift_down(v, i, count);
	for (i = count; i-- > 1;) {
		s64 largest = v[0];

		v[0] = v[i];
		v[i] = largest;
		sift_down(v, 0, i);
	}
}

int sluice_segment_list_dir(struct port_dir *dir, const char *suffix, s64 **ret_offsets,
			    u32 *ret_count)
{
	struct listing l = { .suffix = suffix };
	int ret = port_dir_list(dir, add_name, &l);

	*ret_offsets = NULL;
	*ret_count = 0;
	if (ret) {
		port_free(l.offsets);
		return ret;
	}
	sort_offsets(l.offsets, l.count);
	*ret_offsets = l.offsets;
	*ret_count = l.count;
	return 0;
}

static bool ends_with(const char *name, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && !memcmp(name + len - n, suffix, n);
}

/* The files that every segment has; the .log files first. */
static const char *const always[] = {
	SLUICE_SUFFIX_LOG,
	SLUICE_SUFFIX_OFFSET_INDEX,
	SLUICE_SUFFIX_TIME_INDEX,
};

struct all_listings {
	struct listing of[ARRAY_SIZE(always)];
	char prepared[SLUICE_SEGMENT_NAME_MAX];
	struct sluice_segment_names *out;
};

static int add_to_all(void *ctx, const char *name, size_t len)
{
	struct all_listings *all = ctx;
	u32 i;
	int ret;

	if (ends_with(name, len, SLUICE_SUFFIX_DELETED))
		all->out->deleted = true;
	if (len == strlen(all->prepared) && !memcmp(name, all->prepared, len))
		all->out->prepared = true;
	for (i = 0; i < ARRAY_SIZE(always); i++) {
		ret = add_name(&all->of[i], name, len);
		if (ret)
			return ret;
	}
	return 0;
}

/* Both are sorted; an index without a .log file is no harm. */
static int check_complete(const struct listing *logs, const struct listing *index, char *err)
{
	u32 i, k = 0;

	for (i = 0; i < logs->count; i++) {
		while (k < index->count && index->offsets[k] < logs->offsets[i])
			k++;
		if (k < index->count && index->offsets[k] == logs->offsets[i])
			continue;
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld%s: the file is missing",
			 logs->offsets[i], index->suffix);
		return -EUCLEAN;
	}
	return 0;
}

int sluice_segment_names_read(struct port_dir *dir, char *err,
			      struct sluice_segment_names *ret_names)
{
	struct all_listings all = { .out = ret_names };
	u32 i;
	int ret;

	*ret_names = (struct sluice_segment_names){ 0 };
	sluice_segment_prepared_name(all.prepared, SLUICE_SUFFIX_LOG);
	for (i = 0; i < ARRAY_SIZE(always); i++)
		all.of[i].suffix = always[i];
	ret = port_dir_list(dir, add_to_all, &all);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "the directory cannot be listed (error %d)",
			 -ret);
	for (i = 0; i < ARRAY_SIZE(always); i++) {
		sort_offsets(all.of[i].offsets, all.of[i].count);
		if (!ret && i)
			ret = check_complete(&all.of[0], &all.of[i], err);
	}
	for (i = 1; i < ARRAY_SIZE(always); i++)
		port_free(all.of[i].offsets);
	if (ret) {
		port_free(all.of[0].offsets);
		return ret;
	}
	ret_names->offsets = all.of[0].offsets;
	ret_names->count = all.of[0].count;
	return 0;
}
