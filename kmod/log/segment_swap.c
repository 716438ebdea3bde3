// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* A segment takes the place of others: in the list, then in the directory. */
#include "segment_swap.h"
#include "log_internal.h"
#include "segment_file.h"

/* In the order in which they get their final names: the .log makes a segment. */
static const char *const suffixes[] = {
	SLUICE_SUFFIX_OFFSET_INDEX,
	SLUICE_SUFFIX_TIME_INDEX,
	SLUICE_SUFFIX_TXN_INDEX,
	SLUICE_SUFFIX_LOG,
};

void sluice_segment_swap_name(char name[SLUICE_SEGMENT_NAME_MAX], s64 base_offset,
			      const char *kind_suffix, const char *suffix)
{
	snprintf(name, SLUICE_SEGMENT_NAME_MAX, "%020lld%s%s", base_offset, kind_suffix, suffix);
}

static int open_files(struct sluice_segment_swap *s, unsigned int flags, char *err)
{
	struct sluice_segment_file f = { .behind = s->suffix };
	unsigned int kind;
	int ret;

	/* The .log first: the others are checked against it. */
	for (kind = SLUICE_FILE_LOG; kind <= SLUICE_FILE_TIME_INDEX; kind <<= 1) {
		ret = sluice_segment_file_open(s->log->dir, s->new, kind, flags, S64_MAX, err,
					       &f);
		if (ret)
			return ret == -ENOENT ? -EUCLEAN : ret;
		sluice_segment_file_install(s->new, &f);
	}
	return 0;
}

int sluice_segment_swap_open(struct sluice_segment_swap *s, s64 base_offset, unsigned int flags,
			     char *err, s64 *ret_end_offset)
{
	int ret;

	s->new = sluice_segment_new(base_offset);
	if (!s->new) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
		return -ENOMEM;
	}
	ret = open_files(s, flags, err);
	if (!ret)
		ret = sluice_segment_scan_tail(s->new, err, ret_end_offset);
	if (!ret)
		ret = sluice_segment_check_end(s->new, *ret_end_offset, err);
	if (!ret)
		return 0;
	sluice_segment_put(s->new);
	s->new = NULL;
	return ret;
}

void sluice_segment_swap_list(struct sluice_segment_swap *s, struct sluice_segment **spare)
{
	struct sluice_log *log = s->log;
	u64 size;
	u32 i;

	port_mutex_assert_held(&log->structure_mutex);
	port_mutex_assert_held(&log->append_mutex);
	/* For the list; that of s->new keeps its files open until they have their names. */
	sluice_segment_get(s->new);
	sluice_segment_list_replace(&log->segments, spare, s->first, s->old_count, s->old, 1,
				    &s->new);
	size = log->size_bytes + s->new->published;
	for (i = 0; i < s->old_count; i++) {
		if (s->old[i]->counted)
			size -= s->old[i]->published;
		/* Pairs with sluice_segment_use(): the names are no longer theirs. */
		smp_store_release(&s->old[i]->discarded, true);
	}
	s->new->counted = true;
	/* Pairs with sluice_log_size_bytes(). */
	smp_store_release(&log->size_bytes, size);
	if (s->new->sealed) {
		port_spin_lock(&log->segments.lock);
		log->open_sealed++;
		port_spin_unlock(&log->segments.lock);
	}
}

/* Most segments have no transaction index; then that of the old one goes. */
static int name_file(struct sluice_segment_swap *s, const char *kind_suffix)
{
	char from[SLUICE_SEGMENT_NAME_MAX], to[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	sluice_segment_swap_name(from, s->new->base_offset, kind_suffix, s->suffix);
	sluice_segment_swap_name(to, s->new->base_offset, kind_suffix, "");
	ret = port_file_rename(s->log->dir, from, to);
	if (ret == -ENOENT && !strcmp(kind_suffix, SLUICE_SUFFIX_TXN_INDEX))
		ret = port_file_remove(s->log->dir, to);
	return ret;
}

static int name_new(struct sluice_segment_swap *s)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(suffixes) && !ret; i++)
		ret = name_file(s, suffixes[i]);
	return ret;
}

/*
 * The first old one goes first: from then on recovery puts the new one in place.
 * The others in their order: what a crash leaves of them behind the end of the
 * new one is the last of what was compacted, and what is later is right.
 */
static int exchange_names_committed(struct sluice_segment_swap *s)
{
	s64 now = port_now_ms();
	int ret;
	u32 i;

	ret = sluice_log_discard(s->log, s->old[0], now);
	for (i = 1; i < s->old_count; i++) {
		if (ret)
			sluice_log_release(s->log, s->old[i]);
		else
			ret = sluice_log_discard(s->log, s->old[i], now);
	}
	return ret ? ret : name_new(s);
}

/*
 * From the last one on, so that no crash leaves a hole; and the new one gets its
 * name before the first old one loses its own, so that there always is one.
 */
static int exchange_names(struct sluice_segment_swap *s)
{
	s64 now = port_now_ms();
	bool named = false;
	int ret = 0;
	u32 i;

	for (i = s->old_count; i-- > 0;) {
		struct sluice_segment *old = s->old[i];
		bool same = old->base_offset == s->new->base_offset;

		if (!ret && !named && (same || !i)) {
			ret = name_new(s);
			named = true;
		}
		if (ret || same)
			sluice_log_release(s->log, old);
		else
			ret = sluice_log_discard(s->log, old, now);
	}
	return ret;
}

int sluice_segment_swap_names(struct sluice_segment_swap *s, char *err)
{
	struct sluice_log *log = s->log;
	int ret;

	port_mutex_assert_held(&log->flush_mutex);
	ret = s->committed ? exchange_names_committed(s) : exchange_names(s);
	sluice_log_names_changed(log);
	if (!ret)
		ret = port_dir_sync(log->dir);
	if (!ret)
		return 0;
	snprintf(err, SLUICE_ERROR_TEXT_MAX,
		 "%020lld.log: the new segment cannot take its place (error %d)",
		 s->new->base_offset, -ret);
	sluice_log_set_failed(log, ret);
	return ret;
}

static int commit_file(struct port_dir *dir, s64 base_offset, const char *kind_suffix)
{
	char from[SLUICE_SEGMENT_NAME_MAX], to[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	sluice_segment_swap_name(from, base_offset, kind_suffix, SLUICE_SUFFIX_CLEANED);
	sluice_segment_swap_name(to, base_offset, kind_suffix, SLUICE_SUFFIX_SWAP);
	ret = port_file_rename(dir, from, to);
	if (ret == -ENOENT && !strcmp(kind_suffix, SLUICE_SUFFIX_TXN_INDEX))
		ret = port_file_remove(dir, to);
	return ret;
}

int sluice_segment_swap_commit(struct port_dir *dir, s64 base_offset, char *err)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(suffixes) && !ret; i++) {
		/* The .log says that the others have their names: it must not outlive them. */
		if (i == ARRAY_SIZE(suffixes) - 1)
			ret = port_dir_sync(dir);
		if (!ret)
			ret = commit_file(dir, base_offset, suffixes[i]);
	}
	if (!ret)
		ret = port_dir_sync(dir);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "%020lld.log.cleaned: cannot be renamed (error %d)", base_offset, -ret);
	return ret;
}

int sluice_segment_swap_remove(struct sluice_segment_swap *s, s64 base_offset)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	unsigned int i;
	int ret;

	for (i = ARRAY_SIZE(suffixes); i-- > 0;) {
		sluice_segment_swap_name(name, base_offset, suffixes[i], s->suffix);
		ret = port_file_remove(s->log->dir, name);
		if (ret)
			return ret;
	}
	return 0;
}
