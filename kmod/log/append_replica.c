// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Appends of a follower: the leader gave the batch its offset and epoch. */
#include "append_check.h"

int sluice_append_check_replica(const struct sluice_log *log, struct sluice_append *a,
				const struct sluice_batch *b)
{
	if (b->leader_epoch > log->leader_epoch) {
		/* Written after the leader that was asked had lost the log (KAFKA-18723). */
		a->why = "the leader epoch of the batch is newer than the one it was fetched with";
		return -ESTALE;
	}
	/* Above it there may be a gap: compaction leaves some. */
	if (b->base_offset >= sluice_watermark_log_end(&log->watermark))
		return 0;
	a->why = "the offset of the batch is one that the log has already";
	return -ERANGE;
}
