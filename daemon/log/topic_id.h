/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topic ids as text: 22 characters of URL-safe base64, as Kafka's Uuid.java
 * writes them. And topic names, by Kafka's rules (Topic.java).
 */
#ifndef LOG_TOPIC_ID_H
#define LOG_TOPIC_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/sluice.h>

#define TOPIC_ID_TEXT_LEN 22

void topic_id_format(const uint8_t id[SLUICE_TOPIC_ID_LEN], char text[TOPIC_ID_TEXT_LEN + 1]);

/** topic_id_parse() - 0; -EINVAL, also if it is the zero id. */
int topic_id_parse(const char *text, uint8_t id[SLUICE_TOPIC_ID_LEN]);

/**
 * topic_id_random() - a new version-4 UUID
 * Never one whose text begins with '-', which command lines would take for an
 * option; the ids Kafka reserves are not version 4. 0 or -errno.
 */
int topic_id_random(uint8_t id[SLUICE_TOPIC_ID_LEN]);

/** topic_name_why_bad() - NULL if the name is allowed, or a static sentence. */
const char *topic_name_why_bad(const char *name);

#endif /* LOG_TOPIC_ID_H */
