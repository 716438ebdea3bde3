/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Truncation: a log gives up its end, because its leader's is another one.
 *
 * No byte that a reader may hold is changed. Segments behind the cut are
 * discarded whole; of the one that is cut, the part that stays is copied into a
 * new file, which takes the name of the old one. Who stands in the old files
 * may read them to their end, which is then sealed; his next fetch from above
 * the new end is -ERANGE.
 *
 * On disk, in this order, each step durable only with the sync at the end:
 *
 *	1. `<base>.log.cut`, with its indexes, is written and synced
 *	2. the segments behind it become `.deleted`, the last one first
 *	3. the .cut files take the names of the old ones, the .log last
 *	4. the directory is synced
 *
 * So whatever a crash leaves is a log that ends somewhere between the new end
 * and the old, without a hole: recovery removes .cut files and reads the
 * rest. It must not trust what lies behind the new end as durable: whoever
 * truncates lowers the recovery point that recovery will be given, and makes
 * that durable, before. So he does the log start offset, if it is above the new
 * end: what is appended below it would be taken for removed.
 */
#ifndef SLUICE_LOG_TRUNCATE_H
#define SLUICE_LOG_TRUNCATE_H

#include "log.h"

/**
 * sluice_log_truncate() - remove all from @offset on
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * @ret_end_offset: where the log ended, before it grew again
 *
 * A batch that holds @offset inside goes whole: the log then ends before it.
 * From the log end on nothing happens; at or below the log start the log becomes
 * empty and begins at @offset. The high watermark, the recovery point, producers
 * and leader epochs become those of the new end. Appends and flushes wait while
 * names are changed, not while bytes are copied. Who waits for records above
 * the new end is not woken: that is the host's part.
 *
 * Durable when it returns 0; but an end that lies in a gap, which compaction left
 * before it, is the end of the last batch once the log is opened again, as in
 * Kafka. Returns -EINVAL if @offset is negative; -ENOMEM or
 * an error of the file system, with nothing changed; or, if it fails while names
 * are changed, an error that also marks the log failed: readers see the new
 * end, recovery finds one that is not below it. So is it if the open batch, which
 * is sealed first for who reads in it, cannot be written: the end is then the old.
 */
int __must_check sluice_log_truncate(struct sluice_log *log, s64 offset, char *err,
				     s64 *ret_end_offset);

/**
 * sluice_log_truncate_fully() - remove all, go on at @offset
 * Kafka's truncateFullyAndStartAt: for a follower whose leader begins later, or
 * whose log is of no use. Everything else as sluice_log_truncate(); a crash may
 * also leave, besides the first old segment, an empty one at @offset.
 */
int __must_check sluice_log_truncate_fully(struct sluice_log *log, s64 offset, char *err);

#endif /* SLUICE_LOG_TRUNCATE_H */
