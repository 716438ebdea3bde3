// SPDX-License-Identifier: GPL-2.0
/* Netlink requests that change one partition. */

#include "netlink.h"

#include "event.h"
#include "partition.h"

/* Offsets are not negative; an attribute can hold more. */
static int get_offset(struct genl_info *info, int attr, const char *name, char *why,
		      s64 *ret_offset)
{
	u64 offset = nla_get_u64(info->attrs[attr]);

	if (offset > S64_MAX) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "%s is not an offset", name);
		return -EINVAL;
	}
	*ret_offset = offset;
	return 0;
}

static int set_high_watermark(struct genl_info *info, struct sluice_partition *p, char *why)
{
	s64 offset;
	int err;

	err = get_offset(info, SLUICE_A_PARTITION_HIGH_WATERMARK, "high-watermark", why, &offset);
	if (err)
		return err;
	sluice_log_set_high_watermark(p->log, offset);
	sluice_notify_wake(p, sluice_log_high_watermark(p->log), 0);
	return 0;
}

static int set_log_start(struct genl_info *info, struct sluice_partition *p, char *why)
{
	s64 before = sluice_log_start_offset(p->log);
	s64 offset;
	int err;

	err = get_offset(info, SLUICE_A_PARTITION_LOG_START_OFFSET, "log-start-offset", why,
			 &offset);
	if (err)
		return err;
	err = sluice_log_set_start_offset(p->log, offset);
	if (err) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX,
			 "offset %lld is beyond the high watermark %lld", offset,
			 sluice_log_high_watermark(p->log));
		return err;
	}
	if (sluice_log_start_offset(p->log) != before) {
		sluice_event_log_start(p);
		sluice_maintenance_retain(p);
	}
	return 0;
}

static int set(struct genl_info *info, struct sluice_topic *t, struct sluice_partition *p,
	       char *why)
{
	bool high_watermark = info->attrs[SLUICE_A_PARTITION_HIGH_WATERMARK];
	bool log_start = info->attrs[SLUICE_A_PARTITION_LOG_START_OFFSET];
	int err = 0;

	if (!high_watermark && !log_start) {
		strscpy(why, "neither high-watermark nor log-start-offset is given",
			SLUICE_ERROR_TEXT_MAX);
		return -EINVAL;
	}
	/* In this order, for the start may go as far as the watermark. */
	if (high_watermark)
		err = set_high_watermark(info, p, why);
	if (!err && log_start)
		err = set_log_start(info, p, why);
	return err;
}

int sluice_nl_partition_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, sluice_nl_with_partition(info, why, set), why);
}
