/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is given back when the kernel needs memory: files of sealed segments
 * that nobody uses. They are opened again when they are needed.
 */
#ifndef SLUICE_SHRINKER_H
#define SLUICE_SHRINKER_H

struct sluice_partition;

int sluice_shrinker_init(void);
void sluice_shrinker_exit(void);

/** sluice_shrinker_add() - the partition's log is open. */
void sluice_shrinker_add(struct sluice_partition *p);

/** sluice_shrinker_del() - it will be closed; nothing if it was never added. */
void sluice_shrinker_del(struct sluice_partition *p);

#endif /* SLUICE_SHRINKER_H */
