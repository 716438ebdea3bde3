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
	sluice_notify_wake(p, 0);
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

/* The attribute as an offset; it must be there. */
static int require_offset(struct genl_info *info, int attr, const char *name, char *why,
			  s64 *ret_offset)
{
	int err = sluice_nl_require(info, attr, name, why);

	return err ?: get_offset(info, attr, name, why, ret_offset);
}

static int truncate(struct genl_info *info, struct sluice_topic *t, struct sluice_partition *p,
		    char *why)
{
	s64 offset;
	int err;

	err = require_offset(info, SLUICE_A_PARTITION_LOG_END_OFFSET, "log-end-offset", why,
			     &offset);
	return err ?: sluice_partition_truncate(p, offset, why);
}

int sluice_nl_partition_truncate_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, sluice_nl_with_partition(info, why, truncate), why);
}

static int replace(struct genl_info *info, struct sluice_topic *t, struct sluice_partition *p,
		   char *why)
{
	s64 first_base, last_base;
	u64 generation;
	int err;

	err = sluice_nl_require(info, SLUICE_A_PARTITION_GENERATION, "generation", why);
	if (err)
		return err;
	generation = nla_get_u64(info->attrs[SLUICE_A_PARTITION_GENERATION]);
	err = require_offset(info, SLUICE_A_PARTITION_FIRST_BASE_OFFSET, "first-base-offset", why,
			     &first_base);
	if (!err)
		err = require_offset(info, SLUICE_A_PARTITION_LAST_BASE_OFFSET,
				     "last-base-offset", why, &last_base);
	return err ?: sluice_partition_replace(p, generation, first_base, last_base, why);
}

int sluice_nl_partition_replace_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, sluice_nl_with_partition(info, why, replace), why);
}
