// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/slow_disk.h"

/* The smallest that mkfs.xfs makes is 300 MiB. */
#define DISK_MIB 320

/* Far beyond what a step takes on the slowest machine: only a hang takes as long. */
#define HANG_SECONDS 100

static char name[64];
static char mounted[128];
static char resume[128];
static int mount_fd = -1;
static pid_t watcher;
static pid_t owner;

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command))
		die("this failed: %s", command);
}

/* Tasks that wait for it are not what the kernel should complain of; 0: it does not look. */
static void watch_for_hung_tasks(const char *seconds)
{
	int fd = open("/proc/sys/kernel/hung_task_timeout_secs", O_WRONLY | O_CLOEXEC);

	/* A kernel without has no such file. */
	if (fd >= 0 && write(fd, seconds, strlen(seconds)) < 0)
		note("hung_task_timeout_secs stays: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

void slow_disk_freeze(void)
{
	if (ioctl(mount_fd, FIFREEZE, 0))
		die("FIFREEZE %s: %s", mounted, strerror(errno));
}

void slow_disk_thaw(void)
{
	if (ioctl(mount_fd, FITHAW, 0))
		die("FITHAW %s: %s", mounted, strerror(errno));
}

void slow_disk_stop(void)
{
	run("dmsetup suspend --noflush --nolockfs %s", name);
}

void slow_disk_go(void)
{
	run("dmsetup resume %s", name);
}

/*
 * Another process, because one that waits for a disk takes no signal. Whatever
 * waits can end then.
 */
static void watch(const char *what)
{
	sleep(HANG_SECONDS);
	note("hung in: %s", what);
	ioctl(mount_fd, FITHAW, 0);
	execl("/bin/sh", "sh", "-c", resume, (char *)NULL);
	_exit(1);
}

void slow_disk_watch(const char *what)
{
	int status;

	if (watcher) {
		kill(watcher, SIGKILL);
		/* Or it is one that had to do something. */
		if (waitpid(watcher, &status, 0) != watcher || WIFEXITED(status))
			check_failed(__FILE__, __LINE__, "something hung");
		watcher = 0;
	}
	if (!what)
		return;
	fflush(stdout);
	watcher = fork();
	if (!watcher)
		watch(what);
}

void slow_disk_remove(void)
{
	if (mount_fd < 0 || getpid() != owner)
		return;
	ioctl(mount_fd, FITHAW, 0);
	if (system(resume))
		note("%s cannot be resumed", name);
	watch_for_hung_tasks("120");
	close(mount_fd);
	mount_fd = -1;
	run("umount %s && rmdir %s && dmsetup remove --retry %s && losetup -d $(cat %s.loop) && "
	    "rm %s.loop %s.image",
	    mounted, mounted, name, mounted, mounted, mounted);
}

const char *slow_disk_new(const char *fs)
{
	bool ext4 = !strcmp(fs, "ext4");
	static unsigned int number;

	owner = getpid();
	snprintf(name, sizeof(name), "slow.%d.%u", owner, ++number);
	snprintf(mounted, sizeof(mounted), "/tmp/%s", name);
	snprintf(resume, sizeof(resume), "dmsetup resume %s", name);
	/* Where they are not built in. */
	run("for m in loop dm_mod %s; do modprobe $m 2> /dev/null; done; true", fs);
	run("truncate -s %dM %s.image && losetup -f --show %s.image > %s.loop", DISK_MIB, mounted,
	    mounted, mounted);
	run("l=$(cat %s.loop); dmsetup create --noudevsync %s --table "
	    "\"0 $(blockdev --getsz $l) linear $l 0\" && dmsetup mknodes %s",
	    mounted, name, name);
	/* The journal of ext4 is not committed by itself while the disk stands still. */
	run("mkfs.%s -q%s /dev/mapper/%s && mkdir %s && mount%s /dev/mapper/%s %s", fs,
	    ext4 ? " -E lazy_itable_init=0,lazy_journal_init=0" : "", name, mounted,
	    ext4 ? " -o commit=600" : "", name, mounted);
	mount_fd = open(mounted, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount_fd < 0)
		die("%s: %s", mounted, strerror(errno));
	watch_for_hung_tasks("0");
	if (number == 1)
		atexit(slow_disk_remove);
	return mounted;
}
