/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The newest entries of the active segment's indexes, which are not in the files
 * yet. A write of a few bytes costs as much as one of thousands, so entries are
 * gathered and written many at a time: when here is no more room, and in any case
 * before the segment is sealed, cut or closed.
 *
 * Nothing is lost with them that an index promises: the files of an active segment
 * are not synced, and after a crash recovery builds them from the batches.
 *
 * Both indexes are written together, the time index first. So a file never has an
 * offset entry whose batch the time index has not seen.
 */
#ifndef SLUICE_LOG_INDEX_TAIL_H
#define SLUICE_LOG_INDEX_TAIL_H

#include "port.h"
#include <linux/sluice_format.h>

#define SLUICE_INDEX_TAIL_ENTRIES	16

/**
 * struct sluice_index_tail - one for a log; lives as long as it
 * @lock: held to read entries, and by the appender to say that they are in the file;
 *	to add one it needs no lock, for nobody reads what is not published
 * @offsets: entries of the offset index, from its @stored one on
 * @times: of the time index
 */
struct sluice_index_tail {
	struct port_spin lock;
	struct sluice_offset_index_entry offsets[SLUICE_INDEX_TAIL_ENTRIES];
	struct sluice_time_index_entry times[SLUICE_INDEX_TAIL_ENTRIES];
};

#endif /* SLUICE_LOG_INDEX_TAIL_H */
