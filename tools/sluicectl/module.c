// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel module: found, loaded, unloaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tools/sluicectl/ctl.h"

extern char **environ;

int ctl_kern(struct kern **ret_k)
{
	int err = kern_open(ret_k);

	if (!err)
		return CTL_OK;
	return ctl_fail(err, "%s", kern_error(NULL));
}

static int load_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return ctl_fail(-errno, "%s: %s", path, strerror(errno));
	if (syscall(SYS_finit_module, fd, "", 0))
		err = errno;
	close(fd);
	if (err == EPERM)
		return ctl_fail(-err, "loading a module needs root: run this with sudo");
	if (err == ENOEXEC)
		return ctl_fail(-err,
				"%s is not for the running kernel: build it for this one (see "
				"'dmesg')",
				path);
	if (err && err != EEXIST)
		return ctl_fail(-err, "%s: %s: 'dmesg' says more", path, strerror(err));
	return CTL_OK;
}

static int run_modprobe(void)
{
	char *argv[] = {"modprobe", "sluice", NULL};
	int err, status;
	pid_t pid;

	if (geteuid() != 0)
		return ctl_fail(-EPERM, "the sluice module is not loaded, and loading it needs "
					"root: run this with sudo");
	err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (err)
		return ctl_fail(-EAFNOSUPPORT,
				"the sluice module is not loaded, and modprobe "
				"cannot be run: %s",
				strerror(err));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return ctl_fail(-errno, "modprobe: %s", strerror(errno));
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return ctl_fail(-EAFNOSUPPORT, "the sluice module is not loaded and 'modprobe "
					       "sluice' failed: install it with 'sudo make "
					       "install', or name it with --module");
	return CTL_OK;
}

int ctl_kern_load(const char *module_file, struct kern **ret_k)
{
	int err = kern_open(ret_k), status;

	if (!err)
		return CTL_OK;
	if (err != -EAFNOSUPPORT)
		return ctl_fail(err, "%s", kern_error(NULL));
	status = module_file ? load_file(module_file) : run_modprobe();
	return status == CTL_OK ? ctl_kern(ret_k) : status;
}

int ctl_module_unload(void)
{
	if (!syscall(SYS_delete_module, "sluice", O_NONBLOCK) || errno == ENOENT)
		return CTL_OK;
	if (errno == EWOULDBLOCK || errno == EBUSY)
		return ctl_fail(-EBUSY, "the module is in use: close the sockets ('sluicectl "
					"status' counts them) and the directories of other network "
					"namespaces first");
	return ctl_fail(-errno, "the module cannot be unloaded: %s", strerror(errno));
}
