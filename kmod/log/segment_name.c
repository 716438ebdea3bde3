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

static bool parse_base_offset(const char *name, size_t len, s64 *ret_base_offset)
{
	s64 v = 0;
	u32 i;

	if (len < SLUICE_SEGMENT_DIGITS)
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

bool sluice_segment_name_parse(const char *name, size_t len, const char *suffix,
			       s64 *ret_base_offset)
{
	return len == SLUICE_SEGMENT_DIGITS + strlen(suffix) &&
	       !memcmp(name + SLUICE_SEGMENT_DIGITS, suffix, strlen(suffix)) &&
	       parse_base_offset(name, len, ret_base_offset);
}

struct listing {
	const char *suffix;
	s64 *offsets;
	u32 count;
	u32 capacity;
};

static int grow(struct listing *l)
{
	u32 capacity = l->capacity ? l->capacity * 2 : 8;
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

static int add_offset(struct listing *l, s64 base_offset)
{
	int ret;

	if (l->count == l->capacity) {
		ret = grow(l);
		if (ret)
			return ret;
	}
	l->offsets[l->count++] = base_offset;
	return 0;
}

static int add_name(void *ctx, const char *name, size_t len)
{
	struct listing *l = ctx;
	s64 base_offset;

	return sluice_segment_name_parse(name, len, l->suffix, &base_offset) ?
	       add_offset(l, base_offset) : 0;
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

/* What a log consists of. Every segment has the files before the .txnindex. */
enum kind {
	LOG,
	OFFSET_INDEX,
	TIME_INDEX,
	TXN_INDEX,
	SNAPSHOT,
	KINDS
};

static const char *const kind_suffixes[KINDS] = {
	[LOG] = SLUICE_SUFFIX_LOG,
	[OFFSET_INDEX] = SLUICE_SUFFIX_OFFSET_INDEX,
	[TIME_INDEX] = SLUICE_SUFFIX_TIME_INDEX,
	[TXN_INDEX] = SLUICE_SUFFIX_TXN_INDEX,
	[SNAPSHOT] = SLUICE_SUFFIX_SNAPSHOT,
};

/* Behind these: what recovery has to finish or undo. */
static const char *const unsettled_suffixes[] = {
	SLUICE_SUFFIX_CLEANED,
	SLUICE_SUFFIX_SWAP,
	SLUICE_SUFFIX_CUT,
};

struct all_listings {
	struct listing of[KINDS];
	char prepared[SLUICE_SEGMENT_NAME_MAX];
	struct sluice_segment_names *out;
};

static bool is_suffix(const char *rest, size_t len, const char *suffix)
{
	return len == strlen(suffix) && !memcmp(rest, suffix, len);
}

/* @rest: of a name, behind what kind of file it is */
static void add_state(struct sluice_segment_names *out, s64 base_offset, enum kind kind,
		      const char *rest, size_t len)
{
	u32 i;

	if (is_suffix(rest, len, SLUICE_SUFFIX_DELETED))
		out->deleted = true;
	for (i = 0; i < ARRAY_SIZE(unsettled_suffixes); i++) {
		if (is_suffix(rest, len, unsettled_suffixes[i]))
			snprintf(out->unsettled, sizeof(out->unsettled), "%020lld%s%s",
				 base_offset, kind_suffixes[kind], unsettled_suffixes[i]);
	}
}

static int add_to_all(void *ctx, const char *name, size_t len)
{
	struct all_listings *all = ctx;
	s64 base_offset;
	u32 kind;

	if (is_suffix(name, len, all->prepared)) {
		all->out->prepared = true;
		return 0;
	}
	if (!parse_base_offset(name, len, &base_offset))
		return 0;
	name += SLUICE_SEGMENT_DIGITS;
	len -= SLUICE_SEGMENT_DIGITS;
	/* No suffix begins with another. */
	for (kind = 0; kind < KINDS; kind++) {
		size_t n = strlen(kind_suffixes[kind]);

		if (len < n || memcmp(name, kind_suffixes[kind], n))
			continue;
		if (len == n)
			return add_offset(&all->of[kind], base_offset);
		add_state(all->out, base_offset, kind, name + n, len - n);
		break;
	}
	return 0;
}

/*
 * Both are sorted. A file without a .log file is no harm, but a removal that was
 * cut short left it, if it was not a power cut: the one that recovery ends.
 */
static int compare_with_logs(const struct all_listings *all, enum kind kind, char *err)
{
	const struct listing *logs = &all->of[LOG], *l = &all->of[kind];
	u32 i = 0, k = 0;

	while (i < logs->count || k < l->count) {
		s64 log = i < logs->count ? logs->offsets[i] : S64_MAX;
		s64 other = k < l->count ? l->offsets[k] : S64_MAX;

		if (log < other && kind < TXN_INDEX) {
			snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld%s: the file is missing",
				 log, kind_suffixes[kind]);
			return -EUCLEAN;
		}
		if (other < log)
			sluice_segment_name(all->out->unsettled, other, kind_suffixes[kind]);
		i += log <= other;
		k += other <= log;
	}
	return 0;
}

static int check_all(struct all_listings *all, char *err)
{
	const struct listing *logs = &all->of[LOG], *txn = &all->of[TXN_INDEX];
	u32 kind;
	int ret = 0;

	for (kind = 0; kind < KINDS; kind++)
		sort_offsets(all->of[kind].offsets, all->of[kind].count);
	for (kind = OFFSET_INDEX; kind <= TXN_INDEX && !ret; kind++)
		ret = compare_with_logs(all, kind, err);
	all->out->last_has_txn_index = logs->count && txn->count &&
				       txn->offsets[txn->count - 1] ==
					       logs->offsets[logs->count - 1];
	return ret;
}

int sluice_segment_names_read(struct port_dir *dir, char *err,
			      struct sluice_segment_names *ret_names)
{
	struct all_listings all = { .out = ret_names };
	u32 kind;
	int ret;

	*ret_names = (struct sluice_segment_names){ 0 };
	sluice_segment_prepared_name(all.prepared, SLUICE_SUFFIX_LOG);
	ret = port_dir_list(dir, add_to_all, &all);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "the directory cannot be listed (error %d)",
			 -ret);
	else
		ret = check_all(&all, err);
	for (kind = OFFSET_INDEX; kind <= TXN_INDEX; kind++)
		port_free(all.of[kind].offsets);
	ret_names->offsets = all.of[LOG].offsets;
	ret_names->count = all.of[LOG].count;
	ret_names->snapshots = all.of[SNAPSHOT].offsets;
	ret_names->snapshot_count = all.of[SNAPSHOT].count;
	if (ret)
		sluice_segment_names_free(ret_names);
	return ret;
}

void sluice_segment_names_free(struct sluice_segment_names *names)
{
	port_free(names->offsets);
	port_free(names->snapshots);
	*names = (struct sluice_segment_names){ 0 };
}
