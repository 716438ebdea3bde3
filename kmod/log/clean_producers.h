/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What the cleaner must know of a log's producers, from its files. Userspace only. */
#ifndef SLUICE_LOG_CLEAN_PRODUCERS_H
#define SLUICE_LOG_CLEAN_PRODUCERS_H

#include "clean_batch.h"
#include "log.h"

/**
 * struct sluice_clean_producers - the producers that the log remembers
 * @items: by id; free it with sluice_clean_producers_free()
 * @first_unstable: the oldest offset of a transaction that is not decided;
 *	S64_MAX if there is none
 * @end_offset: behind the last batch that was read
 */
struct sluice_clean_producers {
	struct sluice_clean_producer *items;
	u32 count;
	s64 first_unstable;
	s64 end_offset;
};

/**
 * sluice_clean_producers() - the newest snapshot, and the batches behind it
 * @end: batches from this offset on are not looked at: somebody may be writing
 *	them. S64_MAX for a log that nobody has open
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * Of a log that grows meanwhile it may be told less than there is; then the
 * batch that was the last one of its producer stays, and that does no harm.
 * A snapshot that is damaged is passed over for an older one.
 */
int __must_check sluice_clean_producers(struct port_dir *dir, s64 end,
					struct sluice_clean_producers *ret_p, char *err);
void sluice_clean_producers_free(struct sluice_clean_producers *p);

#endif /* SLUICE_LOG_CLEAN_PRODUCERS_H */
