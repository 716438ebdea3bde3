/* SPDX-License-Identifier: GPL-2.0 */
/* The end of an open batch's time: one delayed work item for each partition. */
#ifndef SLUICE_LINGER_H
#define SLUICE_LINGER_H

struct sluice_partition;

void sluice_linger_state_init(struct sluice_partition *p);

/**
 * sluice_linger_start() - a batch was opened: seal it when its time ends
 * Context: entered. Holds no reference: drain waits for it.
 */
void sluice_linger_start(struct sluice_partition *p);

/**
 * sluice_linger_drain() - there is no open batch any more; be idle
 * Context: the partition is dead and its log closed; not entered.
 */
void sluice_linger_drain(struct sluice_partition *p);

#endif /* SLUICE_LINGER_H */
