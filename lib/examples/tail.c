// SPDX-License-Identifier: Apache-2.0
/* Prints what is in a topic: tail TOPIC; with -f also what comes: tail -f TOPIC. */
#include <sluice.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	int follow = argc == 3 && !strcmp(argv[1], "-f");
	sluice_consumer *c;
	sluice_record r;
	int got;

	if (argc != 2 + follow) {
		fprintf(stderr, "usage: tail [-f] TOPIC\n");
		return 2;
	}
	got = sluice_consumer_open(argv[1 + follow], SLUICE_ANY_PARTITION, SLUICE_EARLIEST, &c);
	if (got)
		goto fail;
	while ((got = sluice_consume(c, follow ? -1 : 0, &r)) > 0) {
		printf("%d:%lld %.*s\n", r.partition, (long long)r.offset, (int)r.value_len,
		       r.value ? (const char *)r.value : "");
		if (follow)
			fflush(stdout);
	}
	sluice_consumer_close(c);
	if (got == 0)
		return 0;
fail:
	fprintf(stderr, "tail: %s\n", sluice_strerror());
	return 1;
}
