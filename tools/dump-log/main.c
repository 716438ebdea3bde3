// SPDX-License-Identifier: Apache-2.0
/* sluice-dump-log: print what is in the files of a log, batch by batch. */
#include "dump.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"usage: sluice-dump-log [-r] FILE.log|DIRECTORY...\n"
	"\n"
	"Prints the batches of segment files, or of all segments in a partition's\n"
	"directory, one a line, and checks their CRCs. Changes nothing; the log may be\n"
	"in use.\n"
	"\n"
	"  -r, --records  print the records of uncompressed batches, too\n"
	"  -h, --help     print this\n"
	"\n"
	"Exit status: 0, 1 if something in a file is broken, 2 if a file cannot be read\n"
	"or the command line is wrong.\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"records", no_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool records = false;
	int opt, status = 0;

	while ((opt = getopt_long(argc, argv, "rh", options, NULL)) != -1) {
		switch (opt) {
		case 'r': records = true; break;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	for (; optind < argc; optind++) {
		int ret = dump_path(argv[optind], records);

		if (ret > status)
			status = ret;
	}
	if (fflush(stdout) || ferror(stdout)) {
		perror("sluice-dump-log: standard output");
		return 2;
	}
	return status;
}
