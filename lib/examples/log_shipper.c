// SPDX-License-Identifier: Apache-2.0
/*
 * Ships lines to a topic, as they come, each with the host it is from:
 *
 *	journalctl -f -o short-iso | log_shipper TOPIC
 *
 * Lines of a host stay in order, for its name is their key. At the end of the input
 * they are on stable storage. A line that is larger than a record may be is counted.
 */
#include <errno.h>
#include <sluice.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long shipped = 0, too_large = 0;
	sluice_record r = SLUICE_RECORD_INIT;
	sluice_header header = {"from", "log_shipper", strlen("log_shipper")};
	sluice_producer *p;
	char host[256] = "";
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int err;

	if (argc != 2 || gethostname(host, sizeof(host) - 1)) {
		fprintf(stderr, "usage: log_shipper TOPIC < LINES\n");
		return 2;
	}
	err = sluice_producer_open(argv[1], SLUICE_ANY_PARTITION, &p);
	if (err)
		goto fail;
	/* Readers have each line at once all the same. */
	err = sluice_producer_batching(p, 1000, 256 * 1024);
	r.key = host;
	r.key_len = strlen(host);
	r.headers = &header;
	r.n_headers = 1;
	while (!err && (len = getline(&line, &room, stdin)) > 0) {
		r.value = line;
		r.value_len = (size_t)len - (line[len - 1] == '\n');
		err = sluice_produce(p, &r, 0, NULL);
		shipped += !err;
		too_large += err == -EMSGSIZE;
		if (err == -EMSGSIZE)
			err = 0;
	}
	if (!err)
		err = sluice_producer_flush(p);
	free(line);
	sluice_producer_close(p);
	if (err)
		goto fail;
	printf("%lu lines shipped, %lu too large\n", shipped, too_large);
	return too_large ? 1 : 0;
fail:
	fprintf(stderr, "log_shipper: %s\n", sluice_strerror());
	return 1;
}
