// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include "daemon/log/topic_id.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void topic_id_format(const uint8_t id[SLUICE_TOPIC_ID_LEN], char text[TOPIC_ID_TEXT_LEN + 1])
{
	uint32_t bits = 0;
	int n_bits = 0;
	char *out = text;

	for (int i = 0; i < SLUICE_TOPIC_ID_LEN; i++) {
		bits = bits << 8 | id[i];
		n_bits += 8;
		while (n_bits >= 6) {
			n_bits -= 6;
			*out++ = digits[bits >> n_bits & 63];
		}
	}
	*out++ = digits[bits << (6 - n_bits) & 63];
	*out = '\0';
}

int topic_id_parse(const char *text, uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	static const uint8_t zero[SLUICE_TOPIC_ID_LEN];
	uint8_t parsed[SLUICE_TOPIC_ID_LEN];
	uint32_t bits = 0;
	int n_bits = 0, n = 0;
	const char *digit;

	if (strnlen(text, TOPIC_ID_TEXT_LEN + 1) != TOPIC_ID_TEXT_LEN)
		return -EINVAL;
	for (int i = 0; i < TOPIC_ID_TEXT_LEN; i++) {
		digit = strchr(digits, text[i]);
		if (!digit)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)(digit - digits);
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			parsed[n++] = (uint8_t)(bits >> n_bits);
		}
	}
	/* Four bits are left over; one id has one text. */
	if (bits & ((1u << n_bits) - 1) || !memcmp(parsed, zero, sizeof(zero)))
		return -EINVAL;
	memcpy(id, parsed, sizeof(parsed));
	return 0;
}

int topic_id_random(uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	char text[TOPIC_ID_TEXT_LEN + 1];

	do {
		if (getrandom(id, SLUICE_TOPIC_ID_LEN, 0) != SLUICE_TOPIC_ID_LEN)
			return -EIO;
		id[6] = (id[6] & 0x0f) | 0x40;
		id[8] = (id[8] & 0x3f) | 0x80;
		topic_id_format(id, text);
	} while (text[0] == '-');
	return 0;
}

const char *topic_name_why_bad(const char *name)
{
	size_t len = strlen(name);

	if (len == 0)
		return "a topic needs a name";
	if (len > SLUICE_TOPIC_NAME_MAX)
		return "a topic name is at most 249 characters long";
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return "a topic cannot be named '.' or '..'";
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '_' || c == '-'))
			return "a topic name is made of letters, digits, '.', '_' and '-'";
	}
	return NULL;
}
