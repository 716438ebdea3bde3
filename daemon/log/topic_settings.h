/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file with a topic's id, size and settings: .sluice/topics/<topic>
 * .properties. Its name is the record of what became of the topic:
 *
 *  .creating	its directories are being made; at the next start they go
 *  .properties	the topic exists
 *  .deleting	its directories are being removed; the next start goes on
 *
 * One rename moves it from one to the next, so that a crash leaves a topic or
 * none. A name too long for a file name is cut and ends in a hash; the file
 * holds the whole name.
 */
#ifndef LOG_TOPIC_SETTINGS_H
#define LOG_TOPIC_SETTINGS_H

#include "daemon/log/log_dir.h"

enum topic_stage { TOPIC_CREATING, TOPIC_EXISTS, TOPIC_DELETING };

struct topic_settings {
	char topic[SLUICE_TOPIC_NAME_MAX + 1];
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	uint32_t partition_count;
	bool adopted; /* another broker made it; its logs may have been compacted */
	struct log_dir_setting *items;
	size_t n;
};

/**
 * topic_settings_parse() - read the text of a settings file
 * Keys it does not know are kept, so that an older sluice does not lose what a
 * newer one wrote. Returns 0, -ENOMEM, or -EBADMSG with @err.
 */
int topic_settings_parse(const char *text, size_t len, struct topic_settings *ret,
			 struct log_dir_error *err);

/** topic_settings_read() - -ENOENT, others with @err. */
int topic_settings_read(int topics_fd, const char *topic, enum topic_stage stage,
			struct topic_settings *ret, struct log_dir_error *err);

/** topic_settings_write() - replace or make the file of a stage, durably. */
int topic_settings_write(int topics_fd, const struct topic_settings *s, enum topic_stage stage);

/** topic_settings_move() - to another stage, durably. */
int topic_settings_move(int topics_fd, const char *topic, enum topic_stage from,
			enum topic_stage to);

/** topic_settings_remove() - 0 if there is none. */
int topic_settings_remove(int topics_fd, const char *topic, enum topic_stage stage);

/** topic_settings_exist() - 1, 0 or -errno. */
int topic_settings_exist(int topics_fd, const char *topic, enum topic_stage stage);

/**
 * topic_settings_each() - call @fn with the settings of each file of a stage
 * @fn: may take what @s holds by zeroing it; non-zero ends the walk
 * @bad: called with a sentence for a file that cannot be read, and with the
 *	topic's name if the file's name tells it
 */
int topic_settings_each(int topics_fd, enum topic_stage stage,
			int (*fn)(void *ctx, struct topic_settings *s),
			int (*bad)(void *ctx, const char *topic, const struct log_dir_error *why),
			void *ctx);

/** topic_settings_add() - append a copy of one setting. */
int topic_settings_add(struct topic_settings *s, const char *key, const char *value);

void topic_settings_free(struct topic_settings *s);

#endif /* LOG_TOPIC_SETTINGS_H */
