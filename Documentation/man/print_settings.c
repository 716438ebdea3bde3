// SPDX-License-Identifier: Apache-2.0
/*
 * Prints the tables of settings as list items of mdoc, for sluiced.conf(5):
 * print-settings broker|topic
 */
#include <stdio.h>
#include <string.h>
#include "daemon/config/item.h"
#include "daemon/log/topic_config.h"

/* A line that begins with a dot or an apostrophe would be a macro; \ an escape. */
static void print_text(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else
			putchar(*text);
	}
	putchar('\n');
}

static void print_default(const char *value)
{
	if (*value)
		printf("Default:\n.Ql %s .\n", value);
	else
		puts("Default: empty.");
}

static void print_broker(void)
{
	for (int id = 0; id < CONFIG_ITEM_COUNT; id++) {
		printf(".It Va %s\n", config_items[id].key);
		print_text(config_items[id].doc);
		print_default(config_items[id].default_value);
		if (config_items[id].dynamic)
			puts("Can be changed while the broker runs.");
		if (config_items[id].old_key)
			printf("Also known as\n.Va %s .\n", config_items[id].old_key);
	}
}

static void print_topic(void)
{
	const struct topic_config_item *items;
	size_t n;

	items = topic_config_items(&n);
	for (size_t i = 0; i < n; i++) {
		printf(".It Va %s\n", items[i].key);
		print_text(items[i].doc);
		print_default(items[i].default_value);
		if (items[i].broker_key)
			printf("Broker:\n.Va %s .\n", items[i].broker_key);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "broker"))
		print_broker();
	else if (argc == 2 && !strcmp(argv[1], "topic"))
		print_topic();
	else
		return 2;
	return 0;
}
