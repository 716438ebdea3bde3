/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second disk, which stops when a test says so: a file system on a device
 * mapper's linear target on a loop device on a file in memory. All of it goes
 * when the program ends, after it has been let go on.
 */
#ifndef TESTS_SOCKET_SLOW_DISK_H
#define TESTS_SOCKET_SLOW_DISK_H

/**
 * slow_disk_new() - make it and mount it
 * @fs: ext4 or xfs
 * The path where it is mounted; dies if it cannot be.
 */
const char *slow_disk_new(const char *fs);

/** slow_disk_freeze() - whoever writes to its files waits (FIFREEZE), until thaw. */
void slow_disk_freeze(void);
void slow_disk_thaw(void);

/** slow_disk_stop() - no read or write is answered by the device, until go. */
void slow_disk_stop(void);
void slow_disk_go(void);

/** slow_disk_remove() - nobody uses it any more; another may be made. */
void slow_disk_remove(void);

/**
 * slow_disk_watch() - from now on, a test that hangs lets the disk go on and fails
 * @what: what is being done, static; NULL: nothing, for how long it may take
 */
void slow_disk_watch(const char *what);

#endif /* TESTS_SOCKET_SLOW_DISK_H */
