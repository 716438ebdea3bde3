// SPDX-License-Identifier: Apache-2.0
/*
 * Making a socket of the family, whose number only the module knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lib/internal.h"

#define FAMILY_PATH "/sys/module/sluice/parameters/family"

static int read_family(void)
{
	char buf[16];
	char *end;
	ssize_t n;
	long family;
	int fd = open(FAMILY_PATH, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return sluice__fail(-EAFNOSUPPORT, "the sluice module is not loaded: run "
						   "'sluicectl up', or 'modprobe sluice'");
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	family = strtol(buf, &end, 10);
	if (end == buf || family <= 0 || family > 255)
		return sluice__fail(-EAFNOSUPPORT, "%s has no number of a family", FAMILY_PATH);
	return (int)family;
}

int sluice__socket(void)
{
	int family = read_family(), fd, err;

	if (family < 0)
		return family;
	fd = socket(family, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		return fd;
	err = -errno;
	return sluice__fail(err, "a socket of family %d: %s", family, strerror(-err));
}

int sluice__address(int fd, const char *topic, int32_t partition, struct sockaddr_sluice *ret)
{
	socklen_t addr_len = sizeof(*ret);
	size_t len = strlen(topic);
	int family, err;
	socklen_t size = sizeof(family);

	if (len == 0 || len > SLUICE_TOPIC_NAME_MAX)
		return sluice__fail(-EINVAL, "a topic's name has from 1 to %d characters",
				    SLUICE_TOPIC_NAME_MAX);
	if (partition < SLUICE_ANY_PARTITION)
		return sluice__fail(-EINVAL, "there is no partition %d", (int)partition);
	memset(ret, 0, addr_len);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size)) {
		err = -errno;
		return sluice__fail(err, "the socket's family: %s", strerror(-err));
	}
	ret->sl_family = (sa_family_t)family;
	ret->sl_partition = partition;
	if (len <= SLUICE_ADDR_TOPIC_MAX) {
		memcpy(ret->sl_topic, topic, len);
		return 0;
	}
	if (setsockopt(fd, SOL_SLUICE, SLUICE_TOPIC, topic, (socklen_t)len))
		return sluice__fail_socket(fd, -errno, topic);
	return 0;
}
