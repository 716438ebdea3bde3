// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Checking what a log keeps of its producers. */
#include "check_internal.h"
#include "producer_snapshot.h"

static int check_snapshot(struct sluice_check *c, s64 offset)
{
	struct sluice_producer_state *state = sluice_producer_state_new();
	char err[SLUICE_ERROR_TEXT_MAX];
	struct check_file file;
	const char *why;
	int ret;

	if (!state)
		return -ENOMEM;
	ret = sluice_producer_state_load(state, c->dir, offset, err);
	sluice_producer_state_free(state);
	if (ret == -EUCLEAN) {
		check_file_begin(&file, c, offset, SLUICE_SUFFIX_SNAPSHOT);
		/* The text begins with the name. */
		why = strstr(err, ": ");
		check_found(&file, 0, "%s", why ? why + 2 : err);
		return 0;
	}
	/* One may go while the log is in use. */
	return ret == -ENOENT ? 0 : ret;
}

int check_snapshots(struct sluice_check *c)
{
	s64 *offsets;
	u32 count, i;
	int ret;

	ret = sluice_segment_list_dir(c->dir, SLUICE_SUFFIX_SNAPSHOT, &offsets, &count);
	if (ret)
		return ret;
	for (i = 0; i < count && !ret; i++)
		ret = check_snapshot(c, offsets[i]);
	port_free(offsets);
	return ret;
}

static void check_txn(struct check_file *file, u64 position, const struct sluice_txn_index_entry *e,
		      s64 end_offset, s64 *last)
{
	s64 first_offset = (s64)get_unaligned_be64(&e->first_offset);
	s64 last_offset = (s64)get_unaligned_be64(&e->last_offset);

	if (get_unaligned_be16(&e->version) != SLUICE_TXN_INDEX_VERSION)
		check_found(file, position, "the version of the entry is unknown");
	else if (first_offset < 0 || first_offset > last_offset)
		check_found(file, position, "the transaction ends before it begins");
	else if (last_offset <= *last || last_offset >= end_offset)
		check_found(file, position, "the entry is out of order, or of another segment");
	*last = last_offset;
}

int check_txn_index(struct sluice_check *c, s64 base_offset, s64 end_offset)
{
	struct sluice_txn_index_entry e;
	struct check_file file;
	struct port_file *index;
	s64 last = base_offset - 1;
	u64 position = 0;
	ssize_t n;
	int ret;

	check_file_begin(&file, c, base_offset, SLUICE_SUFFIX_TXN_INDEX);
	ret = port_file_open(c->dir, file.name, PORT_RDONLY, &index);
	/* Most segments have none. */
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	while ((n = port_file_read(index, position, &e, sizeof(e))) == (ssize_t)sizeof(e)) {
		check_txn(&file, position, &e, end_offset, &last);
		position += sizeof(e);
	}
	if (n > 0)
		check_found(&file, position, "the file ends inside an entry");
	port_file_close(index);
	check_file_end(&file);
	return n < 0 ? (int)n : 0;
}
