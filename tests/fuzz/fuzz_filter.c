// SPDX-License-Identifier: Apache-2.0
/*
 * Filter expressions, which anybody may type: a program that comes of one is
 * one that the kernel takes, and never rejects a record that matches.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/filter_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const sluice_filter *f, const sluice_record *r)
{
	static uint8_t packet[FILTER_VIEW_MAX];
	size_t len = filter_view_build(r, packet);
	int passes = filter_program_run(sluice_filter_program(f), packet, len) != 0;

	/* All of these records is seen, so that there is no doubt. */
	if (passes != sluice_filter_matches(f, r))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const sluice_header headers[] = {{"a", "b", 1}, {"c", NULL, 0}, {"", "", 0}};
	const sluice_record records[] = {
		{.value = "", .timestamp = -1, .headers = headers, .n_headers = 3},
		{.key = "a",
		 .key_len = 1,
		 .value = "b",
		 .value_len = 1,
		 .offset = 1,
		 .partition = 1},
		{.key = "", .timestamp = 1700000000000, .offset = INT64_MAX, .partition = 7},
	};
	char *text = malloc(size + 1);
	sluice_filter *f;
	int err;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	err = sluice_filter_compile(text, &f);
	free(text);
	if (err) {
		if ((err != -EINVAL && err != -E2BIG) || !*sluice_strerror())
			abort();
		return 0;
	}
	if (filter_program_valid(sluice_filter_program(f)))
		abort();
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		check(f, &records[i]);
	sluice_filter_free(f);
	return 0;
}
