// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family, the module's own state, and data directories. */

#include "netlink.h"

#include "af_sluice.h"
#include "data_dir.h"
#include "log/log.h"
#include "maintenance.h"
#include "netns.h"
#include "topic.h"

#include <linux/module.h>

#include "sluice_netlink_ops.h"

static bool registered;

/*
 * Handlers of different namespaces, and the long ones, must not stall each
 * other nor the other families: each namespace has its own mutex instead.
 */
struct genl_family sluice_nl_family __ro_after_init = {
	.name = SLUICE_FAMILY_NAME,
	.version = SLUICE_FAMILY_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = sluice_nl_ops,
	.n_ops = ARRAY_SIZE(sluice_nl_ops),
	.resv_start_op = __SLUICE_CMD_MAX,
	.mcgrps = sluice_nl_groups,
	.n_mcgrps = ARRAY_SIZE(sluice_nl_groups),
};

int sluice_netlink_init(void)
{
	int err = genl_register_family(&sluice_nl_family);

	WRITE_ONCE(registered, !err);
	return err;
}

void sluice_netlink_exit(void)
{
	/* The numbers of the groups are no longer ours after this. */
	WRITE_ONCE(registered, false);
	genl_unregister_family(&sluice_nl_family);
}

bool sluice_nl_has_listeners(struct net *net)
{
	return READ_ONCE(registered) &&
	       genl_has_listeners(&sluice_nl_family, net, SLUICE_NL_GROUP_EVENTS);
}

void sluice_nl_multicast(struct net *net, struct sk_buff *skb)
{
	genlmsg_multicast_netns(&sluice_nl_family, net, skb, 0, SLUICE_NL_GROUP_EVENTS,
				GFP_KERNEL);
}

void sluice_nl_lost_event(struct net *net)
{
	genl_set_err(&sluice_nl_family, net, 0, SLUICE_NL_GROUP_EVENTS, ENOBUFS);
}

/*
 * The text of an extended ack is read after the handler has returned, and
 * before 6.2 there is no place in it for one that is not static. So the ack is
 * sent from here, while the text exists; -EINTR tells netlink that it has been.
 */
int sluice_nl_result(struct sk_buff *skb, struct genl_info *info, int err, const char *why)
{
	struct netlink_ext_ack extack;
	char text[SLUICE_ERROR_TEXT_MAX];

	if (!err)
		return 0;
	extack = *info->extack;
	if (!*why) {
		snprintf(text, sizeof(text), "failed: %pe", ERR_PTR(err));
		why = text;
	}
	extack._msg = why;
	netlink_ack(skb, nlmsg_hdr(skb), err, &extack);
	return -EINTR;
}

int sluice_nl_require(struct genl_info *info, int attr, const char *name, char *why)
{
	if (!GENL_REQ_ATTR_CHECK(info, attr))
		return 0;
	snprintf(why, SLUICE_ERROR_TEXT_MAX, "attribute %s is missing", name);
	return -EINVAL;
}

int sluice_nl_lock(struct sluice_net *sn)
{
	return mutex_lock_killable(&sn->config_mutex);
}

void *sluice_nl_dump_header(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&sluice_nl_family, NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

static int fill_info(struct sk_buff *skb, struct sluice_net *sn)
{
	if (nla_put_string(skb, SLUICE_A_INFO_VERSION, THIS_MODULE->version) ||
	    nla_put_u32(skb, SLUICE_A_INFO_FAMILY, sluice_family) ||
	    nla_put_u32(skb, SLUICE_A_INFO_SOCKETS, atomic_read(&sn->socket_count)) ||
	    nla_put_u32(skb, SLUICE_A_INFO_TOPICS, READ_ONCE(sn->topic_count)) ||
	    nla_put_u32(skb, SLUICE_A_INFO_PARTITIONS, READ_ONCE(sn->partition_count)) ||
	    nla_put_u32(skb, SLUICE_A_INFO_RETENTION_CHECK_INTERVAL_MS,
			READ_ONCE(sn->pass.interval_ms)))
		return -EMSGSIZE;
	return 0;
}

int sluice_nl_info_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!msg)
		return sluice_nl_result(skb, info, -ENOMEM, "");
	hdr = genlmsg_put_reply(msg, info, &sluice_nl_family, 0, SLUICE_CMD_INFO_GET);
	if (!hdr || fill_info(msg, sluice_net(genl_info_net(info)))) {
		nlmsg_free(msg);
		return sluice_nl_result(skb, info, -EMSGSIZE, "");
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

static int set_info(struct genl_info *info, char *why)
{
	struct sluice_net *sn = sluice_net(genl_info_net(info));
	u32 interval_ms;
	int err;

	err = sluice_nl_require(info, SLUICE_A_INFO_RETENTION_CHECK_INTERVAL_MS,
				"retention-check-interval-ms", why);
	if (err)
		return err;
	interval_ms = nla_get_u32(info->attrs[SLUICE_A_INFO_RETENTION_CHECK_INTERVAL_MS]);
	if (!interval_ms || interval_ms > INT_MAX) {
		strscpy(why, "retention-check-interval-ms is not between 1 and 2147483647",
			SLUICE_ERROR_TEXT_MAX);
		return -EINVAL;
	}
	err = sluice_nl_lock(sn);
	if (err)
		return err;
	sluice_maintenance_net_set_interval(sn, interval_ms);
	mutex_unlock(&sn->config_mutex);
	return 0;
}

int sluice_nl_info_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, set_info(info, why), why);
}

static int attach(struct genl_info *info, char *why)
{
	int err;

	err = sluice_nl_require(info, SLUICE_A_DATA_DIR_PATH, "path", why);
	if (err)
		return err;
	err = sluice_nl_require(info, SLUICE_A_DATA_DIR_FD, "fd", why);
	if (err)
		return err;
	return sluice_data_dir_attach(genl_info_net(info),
				      nla_get_u32(info->attrs[SLUICE_A_DATA_DIR_FD]),
				      nla_data(info->attrs[SLUICE_A_DATA_DIR_PATH]), why);
}

int sluice_nl_data_dir_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, attach(info, why), why);
}

static int detach(struct genl_info *info, char *why)
{
	int err;

	err = sluice_nl_require(info, SLUICE_A_DATA_DIR_PATH, "path", why);
	if (err)
		return err;
	return sluice_data_dir_detach(genl_info_net(info),
				      nla_data(info->attrs[SLUICE_A_DATA_DIR_PATH]), why);
}

int sluice_nl_data_dir_detach_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, detach(info, why), why);
}

static int dump_data_dir(struct sk_buff *skb, struct netlink_callback *cb,
			 const struct sluice_data_dir *dd)
{
	void *hdr = sluice_nl_dump_header(skb, cb, SLUICE_CMD_DATA_DIR_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_string(skb, SLUICE_A_DATA_DIR_PATH, dd->path) ||
	    nla_put_u32(skb, SLUICE_A_DATA_DIR_STATE, dd->state) ||
	    nla_put_u32(skb, SLUICE_A_DATA_DIR_TOPICS, dd->topic_count)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* cb->args[0]: how many are done. */
int sluice_nl_data_dir_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct sluice_net *sn = sluice_net(sock_net(skb->sk));
	const struct sluice_data_dir *dd;
	long i = 0;
	int err;

	err = sluice_nl_lock(sn);
	if (err)
		return err;
	cb->seq = sn->generation;
	list_for_each_entry(dd, &sn->data_dirs, net_node) {
		if (i++ < cb->args[0])
			continue;
		err = dump_data_dir(skb, cb, dd);
		if (err)
			break;
		cb->args[0] = i;
	}
	mutex_unlock(&sn->config_mutex);
	return skb->len ?: err;
}
