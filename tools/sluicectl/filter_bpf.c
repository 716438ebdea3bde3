// SPDX-License-Identifier: Apache-2.0
/* Programs that somebody has written: loaded by libbpf, attached to a socket. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "tools/sluicectl/ctl.h"
#include "tools/sluicectl/filter_bpf.h"

/* Warnings tell what the verifier did not like; the rest is for libbpf's authors. */
static int print_warning(enum libbpf_print_level level, const char *format, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, ap) : 0;
}

/* The only program there is; NULL: none, or several. */
static struct bpf_program *only_program(struct bpf_object *object)
{
	struct bpf_program *first = bpf_object__next_program(object, NULL);

	return first && !bpf_object__next_program(object, first) ? first : NULL;
}

static int attach(struct bpf_object *object, const char *path, int fd)
{
	struct bpf_program *program = only_program(object);
	int program_fd, err;

	if (!program)
		return ctl_fail(-EINVAL, "%s: one program is expected in it", path);
	/* Whatever its section is called. */
	bpf_program__set_type(program, BPF_PROG_TYPE_SOCKET_FILTER);
	err = bpf_object__load(object);
	if (err)
		return ctl_fail(err, "%s: loading it: %s", path, strerror(-err));
	program_fd = bpf_program__fd(program);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program_fd, sizeof(program_fd)))
		return ctl_fail(-errno, "%s: attaching it: %s", path, strerror(errno));
	return CTL_OK;
}

int filter_bpf_attach(const char *path, int fd)
{
	struct bpf_object *object;
	int status;

	libbpf_set_print(print_warning);
	object = bpf_object__open(path);
	if (!object)
		return ctl_fail(-EINVAL, "%s: %s", path, strerror(errno));
	status = attach(object, path, fd);
	/* The socket holds the program, and the program its maps. */
	bpf_object__close(object);
	return status;
}
