/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Replacement: a compacted segment takes the place of those it was made from,
 * while readers run (Kafka's LocalLog.replaceSegments).
 *
 * Who compacts, in userspace:
 *
 *	1. writes `<base>.log.cleaned`, `.index.cleaned`, `.timeindex.cleaned`
 *	   and, if it has aborted transactions, `.txnindex.cleaned`; @base is the
 *	   base offset of the first segment that is replaced
 *	2. syncs each of them
 *
 * sluice_log_replace() then, after it has checked them, and while nobody else
 * changes segments:
 *
 *	3. renames them to .swap, the .log last
 *	4. syncs the directory
 *	5. renames the files of the first old segment to .deleted, its .log first,
 *	   then those of the others in their order
 *	6. renames the .swap files to their final names, the .log last
 *	7. syncs the directory
 *
 * Recovery: .cleaned files are removed. If `<base>.log.swap` is there, all its
 * indexes are as well, under one or the other name. While `<base>.log` is there
 * too, no old segment has been touched, and the new one may be dropped. When it
 * is gone the new one must be put in place: the old segments between its base
 * and its end are removed, however many are left, and the .swap files get their
 * final names, the .log last. So a crash leaves the old segments or the new one;
 * behind the end of that, if the end was compacted away, some old segments may be
 * left as they were: the last ones, which the next compaction cleans again.
 * No .swap file is there before step 3, or retention and truncation could come
 * between, and recovery would put in place what they took.
 */
#ifndef SLUICE_LOG_REPLACE_H
#define SLUICE_LOG_REPLACE_H

#include "log.h"

/**
 * sluice_log_replace() - swap in the compacted segment @first_base
 * @generation: sluice_log_generation(), read before the first old segment was
 * @first_base: base offset of the first segment that goes, and of the new one
 * @last_base: base offset of the last segment that goes; below the active one's
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 *
 * The files are looked at cheaply: their sizes, their last index entries, their
 * first batch and those behind the last index entry; offsets must lie within
 * what they replace. Whoever compacts answers for the rest.
 *
 * Readers see the old segments or the new one, and those who hold an old one
 * read on in it. Durable when it returns 0. Returns -ESTALE if the log was
 * truncated or opened anew since @generation; -EINVAL if the bases are not those
 * of sealed segments, as when retention removed them; -EUCLEAN if the new files
 * are missing or not as they should be; -ENOMEM or an error of the file system:
 * nothing has changed then, and what is left of the files is the caller's. -EIO
 * with the log marked failed if it fails while names are changed: then they are
 * recovery's.
 */
int __must_check sluice_log_replace(struct sluice_log *log, u64 generation, s64 first_base,
				    s64 last_base, char *err);

#endif /* SLUICE_LOG_REPLACE_H */
