// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "daemon/kafka/request_text.h"

const char *request_text(struct request *r, struct kafka_str s)
{
	char *text;

	if (s.len < 0 || memchr(s.p, '\0', (size_t)s.len))
		return NULL;
	text = request_alloc(r, (size_t)s.len + 1, 1);
	if (text)
		memcpy(text, s.p, (size_t)s.len);
	return text;
}

const char *request_copy_text(struct request *r, const char *text)
{
	return request_text(r, kafka_str_from(text));
}
