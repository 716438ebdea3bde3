// SPDX-License-Identifier: Apache-2.0
/* Printing the text files: checkpoints, leader epochs, the topic's id. */
#include <errno.h>
#include <stdlib.h>
#include "daemon/log/checkpoint.h"
#include "daemon/log/partition_files.h"
#include "tools/sluicectl/ctl.h"
#include "tools/sluicectl/log_dump.h"

int log_dump_checkpoint(const struct log_dump *d, int dir_fd, const char *name)
{
	struct checkpoint c;
	unsigned int line;
	char why[64];
	int ret = checkpoint_read(dir_fd, name, &c, &line);

	if (ret == -EINVAL) {
		snprintf(why, sizeof(why), line ? "line %u is malformed" : "two lines of one kind",
			 line);
		return log_dump_broken(d, "", 0, why);
	}
	for (size_t i = 0; i < c.n && !ret; i++)
		ret = log_dump_line(d, "",
				    json_pack("{sssIsI}", "topic", c.entries[i].topic, "partition",
					      (json_int_t)c.entries[i].partition, "offset",
					      (json_int_t)c.entries[i].offset));
	checkpoint_free(&c);
	return ret;
}

int log_dump_epochs(const struct log_dump *d, int dir_fd)
{
	struct leader_epoch *epochs;
	size_t n;
	int ret = leader_epochs_read(dir_fd, &epochs, &n);

	for (size_t i = 0; i < n && !ret; i++)
		ret = log_dump_line(d, "",
				    json_pack("{sisI}", "epoch", (int)epochs[i].epoch,
					      "start_offset", (json_int_t)epochs[i].start_offset));
	free(epochs);
	return ret;
}

int log_dump_metadata(const struct log_dump *d, int dir_fd)
{
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	char text[32];
	int ret = partition_metadata_read(dir_fd, id);

	if (ret == -EBADMSG)
		return log_dump_broken(d, "", 0, "the file is malformed");
	if (ret)
		return ret;
	return log_dump_line(d, "", json_pack("{ss}", "topic_id", ctl_id_text(id, text)));
}
