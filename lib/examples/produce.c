// SPDX-License-Identifier: Apache-2.0
/* Sends each word of its command line as a record: produce TOPIC WORD... */
#include <sluice.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	sluice_producer *p;
	int failed = argc < 3 || sluice_producer_open(argv[1], SLUICE_ANY_PARTITION, &p);

	for (int i = 2; i < argc && !failed; i++) {
		sluice_record r = SLUICE_RECORD_INIT;

		r.value = argv[i];
		r.value_len = strlen(argv[i]);
		failed = sluice_produce(p, &r, SLUICE_DURABLE, NULL);
	}
	if (failed)
		fprintf(stderr, "produce TOPIC WORD...: %s\n", sluice_strerror());
	return failed ? 1 : 0;
}
