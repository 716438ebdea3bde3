// SPDX-License-Identifier: GPL-2.0
/* 6.3: struct mnt_idmap in place of the user namespace of a mount. */
#include <linux/mount.h>

struct mnt_idmap *test(const struct vfsmount *mnt);

struct mnt_idmap *test(const struct vfsmount *mnt)
{
	return mnt_idmap(mnt);
}
