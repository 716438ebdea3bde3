/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The aborted transactions of a part of a log, from its files. Userspace only. */
#ifndef SLUICE_LOG_CLEAN_ABORTED_H
#define SLUICE_LOG_CLEAN_ABORTED_H

#include "log.h"
#include "producer_state.h"

/**
 * sluice_clean_aborted() - those that touch offsets from @start to below @end
 * @ret_txns: by first offset; free it with port_free(). NULL if there are none
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * All transaction indexes are read, that of the active segment included: a
 * transaction is in the index of the segment that has its marker, and that may
 * be any later one. -EUCLEAN if one is damaged.
 */
int __must_check sluice_clean_aborted(struct port_dir *dir, s64 start, s64 end,
				      struct sluice_aborted_txn **ret_txns, u32 *ret_count,
				      char *err);

#endif /* SLUICE_LOG_CLEAN_ABORTED_H */
