// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim comes with whatever locks its allocation was made under, so nothing
 * is waited for here: a partition that is being closed is passed over, and the
 * engine closes idle files under a spin lock that nobody allocates under.
 */

#include "shrinker.h"

#include "compat.h"
#include "file_io.h"
#include "partition.h"

/* Partitions that one call looks at; most have nothing to give. */
#define SCAN_PARTITIONS	1024

/* Files that a partition keeps open: log, offset index and time index of its last segment. */
#define FILES_KEPT	3

/* All open partitions, the one to be looked at next first. */
static DEFINE_SPINLOCK(partitions_lock);
static LIST_HEAD(partitions);
static unsigned long partition_count;

static struct shrinker *shrinker;

void sluice_shrinker_add(struct sluice_partition *p)
{
	spin_lock(&partitions_lock);
	list_add_tail(&p->shrinker_node, &partitions);
	WRITE_ONCE(partition_count, partition_count + 1);
	spin_unlock(&partitions_lock);
}

void sluice_shrinker_del(struct sluice_partition *p)
{
	spin_lock(&partitions_lock);
	if (!list_empty(&p->shrinker_node))
		WRITE_ONCE(partition_count, partition_count - 1);
	list_del_init(&p->shrinker_node);
	spin_unlock(&partitions_lock);
}

/* In turn; holds a reference for the caller. */
static struct sluice_partition *next_partition(void)
{
	struct sluice_partition *p;

	spin_lock(&partitions_lock);
	p = list_first_entry_or_null(&partitions, struct sluice_partition, shrinker_node);
	if (p) {
		list_move_tail(&p->shrinker_node, &partitions);
		sluice_partition_hold(p);
	}
	spin_unlock(&partitions_lock);
	return p;
}

static unsigned long close_idle(struct sluice_partition *p)
{
	unsigned long closed = 0;

	if (!down_read_trylock(&p->users))
		return 0;
	if (p->log && sluice_log_open_sealed(p->log))
		closed = sluice_log_close_idle(p->log);
	up_read(&p->users);
	return closed;
}

static unsigned long count_objects(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long open = sluice_open_files();
	unsigned long kept = FILES_KEPT * READ_ONCE(partition_count);

	/* An estimate: there may be the files of a next segment, too. */
	return open > kept ? open - kept : SHRINK_EMPTY;
}

static unsigned long scan_objects(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long closed = 0;
	unsigned int i;

	for (i = 0; i < SCAN_PARTITIONS && closed < sc->nr_to_scan; i++) {
		struct sluice_partition *p = next_partition();

		if (!p)
			break;
		closed += close_idle(p);
		sluice_partition_put(p);
	}
	return closed ?: SHRINK_STOP;
}

int sluice_shrinker_init(void)
{
	shrinker = sluice_shrinker_new("sluice", count_objects, scan_objects);
	return shrinker ? 0 : -ENOMEM;
}

void sluice_shrinker_exit(void)
{
	sluice_shrinker_free(shrinker);
}
