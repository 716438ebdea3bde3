// SPDX-License-Identifier: Apache-2.0
/* Prints what is in a topic and what comes: tail TOPIC; ends after 5 quiet seconds. */
#include <sluice.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	sluice_consumer *c;
	sluice_record r;
	int got;

	if (argc != 2) {
		fprintf(stderr, "usage: tail TOPIC\n");
		return 2;
	}
	got = sluice_consumer_open(argv[1], SLUICE_ANY_PARTITION, SLUICE_EARLIEST, &c);
	if (got)
		goto fail;
	while ((got = sluice_consume(c, 5000, &r)) > 0)
		printf("%d:%lld %.*s\n", r.partition, (long long)r.offset, (int)r.value_len,
		       r.value ? (const char *)r.value : "");
	sluice_consumer_close(c);
	if (got == 0)
		return 0;
fail:
	fprintf(stderr, "tail: %s\n", sluice_strerror());
	return 1;
}
