// SPDX-License-Identifier: GPL-2.0
/* Netlink requests about topics. */

#include "netlink.h"

#include "data_dir.h"
#include "netns.h"
#include "topic_admin.h"

/* What the nest of settings can change. */
struct settings {
	struct sluice_log_config config;
	u32 durability;
};

#define SETTING(NAME, member, is_wide)						\
	{									\
		.attr = SLUICE_A_TOPIC_CONFIG_##NAME,				\
		.offset = offsetof(struct settings, member),			\
		.wide = is_wide,						\
	}

/* All of them are u32 or s64 but for the timestamp type, a bool of the engine's. */
static const struct setting {
	u16 attr;
	u16 offset;
	bool wide;
} settings[] = {
	SETTING(SEGMENT_BYTES, config.segment_bytes, false),
	SETTING(SEGMENT_MS, config.segment_ms, true),
	SETTING(SEGMENT_JITTER_MS, config.segment_jitter_ms, true),
	SETTING(MAX_MESSAGE_BYTES, config.max_message_bytes, false),
	SETTING(INDEX_INTERVAL_BYTES, config.index_interval_bytes, false),
	SETTING(SEGMENT_INDEX_BYTES, config.segment_index_bytes, false),
	SETTING(MESSAGE_TIMESTAMP_BEFORE_MAX_MS, config.timestamp_before_max_ms, true),
	SETTING(MESSAGE_TIMESTAMP_AFTER_MAX_MS, config.timestamp_after_max_ms, true),
	SETTING(CLEANUP_POLICY, config.cleanup_policy, false),
	SETTING(RETENTION_MS, config.retention_ms, true),
	SETTING(RETENTION_BYTES, config.retention_bytes, true),
	SETTING(FILE_DELETE_DELAY_MS, config.file_delete_delay_ms, true),
	SETTING(FLUSH_MESSAGES, config.flush_messages, true),
	SETTING(FLUSH_MS, config.flush_ms, true),
	SETTING(PRODUCER_ID_EXPIRATION_MS, config.producer_expiration_ms, true),
	SETTING(BATCH_BYTES, config.batch_bytes, false),
	SETTING(LINGER_MS, config.linger_ms, false),
	SETTING(DURABILITY, durability, false),
};

static void parse_setting(struct settings *s, const struct setting *f, const struct nlattr *attr)
{
	void *field = (u8 *)s + f->offset;

	if (f->wide)
		*(s64 *)field = nla_get_s64(attr);
	else
		*(u32 *)field = nla_get_u32(attr);
}

static int parse_settings(struct genl_info *info, struct settings *s, char *why)
{
	struct nlattr *tb[SLUICE_A_TOPIC_CONFIG_MAX + 1];
	struct nlattr *nest = info->attrs[SLUICE_A_TOPIC_CONFIG];
	unsigned int i;
	u32 type;
	int err;

	if (!nest)
		return 0;
	/* The family's policy has been over it already. */
	err = nla_parse_nested(tb, SLUICE_A_TOPIC_CONFIG_MAX, nest, NULL, NULL);
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (tb[settings[i].attr])
			parse_setting(s, &settings[i], tb[settings[i].attr]);
	if (tb[SLUICE_A_TOPIC_CONFIG_MESSAGE_TIMESTAMP_TYPE]) {
		type = nla_get_u32(tb[SLUICE_A_TOPIC_CONFIG_MESSAGE_TIMESTAMP_TYPE]);
		if (type > 1) {
			strscpy(why, "message-timestamp-type is 0 (CreateTime) or 1 (LogAppend)",
				SLUICE_ERROR_TEXT_MAX);
			return -EINVAL;
		}
		s->config.log_append_time = type;
	}
	return 0;
}

/*
 * A topic that a request holds for a moment must not keep its directory from being
 * detached: both counts change under one mutex, so that they never differ.
 */
void sluice_nl_hold_topic(struct sluice_net *sn, struct sluice_topic *t)
{
	lockdep_assert_held(&sn->config_mutex);
	sluice_topic_hold(t);
	t->lookers++;
}

void sluice_nl_put_topic(struct sluice_net *sn, struct sluice_topic *t)
{
	mutex_lock(&sn->config_mutex);
	t->lookers--;
	sluice_topic_put(t);
	mutex_unlock(&sn->config_mutex);
}

static struct sluice_topic *find_topic(struct net *net, const struct nlattr *name,
				       const struct nlattr *id, char *why)
{
	struct sluice_topic *t = name ? sluice_topic_find_name(net, nla_data(name)) :
					sluice_topic_find_id(net, nla_data(id));

	if (!t) {
		if (name)
			snprintf(why, SLUICE_ERROR_TEXT_MAX, "no topic %.120s",
				 (const char *)nla_data(name));
		else
			snprintf(why, SLUICE_ERROR_TEXT_MAX, "no topic with id %*phN",
				 SLUICE_TOPIC_ID_LEN, nla_data(id));
		return ERR_PTR(-ENOENT);
	}
	if (id && memcmp(t->id, nla_data(id), SLUICE_TOPIC_ID_LEN)) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "topic %.80s has another id", t->name);
		sluice_topic_put(t);
		return ERR_PTR(-ENOENT);
	}
	return t;
}

struct sluice_topic *sluice_nl_find_topic(struct net *net, const struct nlattr *name,
					  const struct nlattr *id, char *why)
{
	struct sluice_net *sn = sluice_net(net);
	struct sluice_topic *t;
	int err;

	if (!name && !id) {
		strscpy(why, "neither the name nor the id of a topic is given",
			SLUICE_ERROR_TEXT_MAX);
		return ERR_PTR(-EINVAL);
	}
	err = sluice_nl_lock(sn);
	if (err)
		return ERR_PTR(err);
	t = find_topic(net, name, id, why);
	if (!IS_ERR(t)) {
		sluice_nl_hold_topic(sn, t);
		sluice_topic_put(t);
	}
	mutex_unlock(&sn->config_mutex);
	return t;
}

static int parse_offsets(const struct nlattr *attr, const char *name, char *why,
			 struct sluice_topic_offsets *offsets)
{
	if (!attr)
		return 0;
	if (!nla_len(attr) || nla_len(attr) % sizeof(s64)) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "%s is not an array of 64 bit numbers", name);
		return -EINVAL;
	}
	offsets->values = nla_data(attr);
	offsets->count = nla_len(attr) / sizeof(s64);
	return 0;
}

static int create(struct genl_info *info, char *why)
{
	static const struct { int attr; const char *name; } required[] = {
		{ SLUICE_A_TOPIC_NAME, "name" },
		{ SLUICE_A_TOPIC_ID, "id" },
		{ SLUICE_A_TOPIC_DATA_DIR, "data-dir" },
		{ SLUICE_A_TOPIC_PARTITION_COUNT, "partition-count" },
	};
	struct net *net = genl_info_net(info);
	struct sluice_topic_params params = {};
	struct nlattr **attrs = info->attrs;
	struct settings s = { .durability = SLUICE_DURABILITY_ACKS };
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(required); i++) {
		err = sluice_nl_require(info, required[i].attr, required[i].name, why);
		if (err)
			return err;
	}
	sluice_log_config_default(&s.config);
	err = parse_settings(info, &s, why);
	if (err)
		return err;
	err = parse_offsets(attrs[SLUICE_A_TOPIC_LOG_START_OFFSETS], "log-start-offsets", why,
			    &params.log_start_offsets);
	if (err)
		return err;
	err = parse_offsets(attrs[SLUICE_A_TOPIC_RECOVERY_POINTS], "recovery-points", why,
			    &params.recovery_points);
	if (err)
		return err;
	params.name = nla_data(attrs[SLUICE_A_TOPIC_NAME]);
	params.id = nla_data(attrs[SLUICE_A_TOPIC_ID]);
	params.data_dir = nla_data(attrs[SLUICE_A_TOPIC_DATA_DIR]);
	params.partition_count = nla_get_u32(attrs[SLUICE_A_TOPIC_PARTITION_COUNT]);
	if (attrs[SLUICE_A_TOPIC_LEADER_EPOCH])
		params.leader_epoch = nla_get_u32(attrs[SLUICE_A_TOPIC_LEADER_EPOCH]);
	params.config = s.config;
	params.durability = s.durability;
	return sluice_topic_create(net, &params, why);
}

int sluice_nl_topic_create_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, create(info, why), why);
}

static int set(struct genl_info *info, struct sluice_topic *t, char *why)
{
	struct settings s = { .config = t->config, .durability = t->durability };
	s32 leader_epoch = t->leader_epoch;
	int err;

	err = parse_settings(info, &s, why);
	if (err)
		return err;
	if (info->attrs[SLUICE_A_TOPIC_LEADER_EPOCH])
		leader_epoch = nla_get_u32(info->attrs[SLUICE_A_TOPIC_LEADER_EPOCH]);
	return sluice_topic_set(t, &s.config, s.durability, leader_epoch, why);
}

static int remove(struct genl_info *info, struct sluice_topic *t, char *why)
{
	int err = sluice_topic_remove(genl_info_net(info), t);

	if (err)
		strscpy(why, "removed, but not all is durable: a sync failed; see the kernel log",
			SLUICE_ERROR_TEXT_MAX);
	return err;
}

/* Find a topic and do @fn to it, with its data directory locked. */
static int change(struct genl_info *info, char *why,
		  int (*fn)(struct genl_info *info, struct sluice_topic *t, char *why))
{
	struct net *net = genl_info_net(info);
	struct sluice_data_dir *dd;
	struct sluice_topic *t;
	int err;

	t = sluice_nl_find_topic(net, info->attrs[SLUICE_A_TOPIC_NAME],
				 info->attrs[SLUICE_A_TOPIC_ID], why);
	if (IS_ERR(t))
		return PTR_ERR(t);
	dd = sluice_topic_lock(net, t, why);
	err = PTR_ERR_OR_ZERO(dd);
	if (!err) {
		err = fn(info, t, why);
		sluice_data_dir_unlock(dd);
	}
	sluice_nl_put_topic(sluice_net(net), t);
	return err;
}

int sluice_nl_topic_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, change(info, why, set), why);
}

int sluice_nl_topic_delete_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, change(info, why, remove), why);
}

static int fill_setting(struct sk_buff *skb, const struct settings *s, const struct setting *f)
{
	const void *field = (const u8 *)s + f->offset;

	if (f->wide)
		return nla_put_s64(skb, f->attr, *(const s64 *)field, SLUICE_A_TOPIC_CONFIG_PAD);
	return nla_put_u32(skb, f->attr, *(const u32 *)field);
}

static int fill_settings(struct sk_buff *skb, const struct sluice_topic *t)
{
	const struct settings s = { .config = t->config, .durability = t->durability };
	struct nlattr *nest = nla_nest_start(skb, SLUICE_A_TOPIC_CONFIG);
	unsigned int i;

	if (!nest || nla_put_u32(skb, SLUICE_A_TOPIC_CONFIG_MESSAGE_TIMESTAMP_TYPE,
				 s.config.log_append_time))
		return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (fill_setting(skb, &s, &settings[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* The topic is in its tables: the config mutex is held. */
static int fill_topic(struct sk_buff *skb, const struct sluice_topic *t)
{
	if (nla_put_string(skb, SLUICE_A_TOPIC_NAME, t->name) ||
	    nla_put(skb, SLUICE_A_TOPIC_ID, SLUICE_TOPIC_ID_LEN, t->id) ||
	    nla_put_string(skb, SLUICE_A_TOPIC_DATA_DIR, t->data_dir->path) ||
	    nla_put_u32(skb, SLUICE_A_TOPIC_PARTITION_COUNT, t->partition_count) ||
	    nla_put_u32(skb, SLUICE_A_TOPIC_LEADER_EPOCH, t->leader_epoch) ||
	    fill_settings(skb, t))
		return -EMSGSIZE;
	return 0;
}

/* The topic is held. */
static int reply(struct genl_info *info, struct sluice_topic *t, char *why)
{
	struct sluice_net *sn = sluice_net(genl_info_net(info));
	struct sk_buff *msg = genlmsg_new(SLUICE_NL_REPLY_SIZE, GFP_KERNEL);
	void *hdr;
	int err;

	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_put_reply(msg, info, &sluice_nl_family, 0, SLUICE_CMD_TOPIC_GET);
	err = hdr ? sluice_nl_lock(sn) : -EMSGSIZE;
	if (err)
		goto err_fill;
	if (t->data_dir) {
		err = fill_topic(msg, t);
	} else {
		strscpy(why, "the topic was removed", SLUICE_ERROR_TEXT_MAX);
		err = -ENOENT;
	}
	mutex_unlock(&sn->config_mutex);
	if (err)
		goto err_fill;
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);

err_fill:
	nlmsg_free(msg);
	return err;
}

/* Needs no disk, so it waits for none. */
static int get(struct genl_info *info, char *why)
{
	struct sluice_topic *t;
	int err;

	t = sluice_nl_find_topic(genl_info_net(info), info->attrs[SLUICE_A_TOPIC_NAME],
				 info->attrs[SLUICE_A_TOPIC_ID], why);
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = reply(info, t, why);
	sluice_nl_put_topic(sluice_net(genl_info_net(info)), t);
	return err;
}

int sluice_nl_topic_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";

	return sluice_nl_result(skb, info, get(info, why), why);
}

static int dump_topic(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct sluice_topic *t)
{
	void *hdr = sluice_nl_dump_header(skb, cb, SLUICE_CMD_TOPIC_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (fill_topic(skb, t)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* cb->args[0]: the serial to go on from. */
int sluice_nl_topic_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct sluice_net *sn = sluice_net(sock_net(skb->sk));
	unsigned long serial = cb->args[0];
	struct sluice_topic *t;
	int err;

	err = sluice_nl_lock(sn);
	if (err)
		return err;
	cb->seq = sn->generation;
	xa_for_each_start(&sn->topics, serial, t, serial) {
		err = dump_topic(skb, cb, t);
		if (err)
			break;
		cb->args[0] = serial + 1;
	}
	mutex_unlock(&sn->config_mutex);
	return skb->len ?: err;
}
