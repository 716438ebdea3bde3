// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "tools/sluicectl/record_format.h"

static const char directives[] = "vkopTth%";
static const char escapes[] = "nt0\\r";
static const char escaped[] = "\n\t\0\\\r";

const char *record_format_check(const char *format)
{
	for (const char *c = format; *c; c++) {
		if (*c == '%' && (!c[1] || !strchr(directives, c[1])))
			return "after % comes one of v k o p T t h %";
		if (*c == '\\' && (!c[1] || !strchr(escapes, c[1])))
			return "after \\ comes one of n t r 0 \\";
		if (*c == '%' || *c == '\\')
			c++;
	}
	return NULL;
}

static void print_headers(const sluice_record *r)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		printf("%s%s=", i ? "," : "", r->headers[i].key);
		if (r->headers[i].value)
			fwrite(r->headers[i].value, 1, r->headers[i].value_len, stdout);
	}
}

static void print_directive(char directive, const char *topic, const sluice_record *r)
{
	switch (directive) {
	case 'v':
		if (r->value_len)
			fwrite(r->value, 1, r->value_len, stdout);
		break;
	case 'k':
		if (r->key_len)
			fwrite(r->key, 1, r->key_len, stdout);
		break;
	case 'o': printf("%" PRId64, r->offset); break;
	case 'p': printf("%" PRId32, r->partition); break;
	case 'T': printf("%" PRId64, r->timestamp); break;
	case 't': fputs(topic, stdout); break;
	case 'h': print_headers(r); break;
	case '%': putchar('%'); break;
	}
}

void record_format_print(const char *format, const char *topic, const sluice_record *r)
{
	for (const char *c = format; *c; c++) {
		if (*c == '%')
			print_directive(*++c, topic, r);
		else if (*c == '\\')
			putchar(escaped[strchr(escapes, *++c) - escapes]);
		else
			putchar(*c);
	}
}

static json_t *headers_json(const sluice_record *r)
{
	json_t *list = json_array(), *pair;

	for (size_t i = 0; i < r->n_headers; i++) {
		pair = json_array();
		json_array_append_new(
			pair, ctl_string_json(r->headers[i].key, strlen(r->headers[i].key)));
		json_array_append_new(pair, r->headers[i].value
						    ? ctl_string_json(r->headers[i].value,
								      r->headers[i].value_len)
						    : json_null());
		json_array_append_new(list, pair);
	}
	return list;
}

json_t *record_json(const char *topic, const sluice_record *r)
{
	return json_pack("{sssisIsIsososo}", "topic", topic, "partition", (int)r->partition,
			 "offset", (json_int_t)r->offset, "timestamp", (json_int_t)r->timestamp,
			 "key", r->key ? ctl_string_json(r->key, r->key_len) : json_null(), "value",
			 r->value ? ctl_string_json(r->value, r->value_len) : json_null(),
			 "headers", headers_json(r));
}
