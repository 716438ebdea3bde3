// SPDX-License-Identifier: GPL-2.0
/*
 * sluice_kunit.ko: KUnit suites of what is bound to the kernel. Loading it runs
 * them; results are in the kernel log as KTAP.
 *
 *	insmod sluice_kunit.ko dir=/data
 */

#include "kunit_sluice.h"

#include "compat.h"

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/sluice_netlink.h>
#include <net/net_namespace.h>

static char *dir = "/data";
module_param(dir, charp, 0444);
MODULE_PARM_DESC(dir, "a directory on ext4 or xfs to make test files in");

static struct file *root;

struct file *kunit_root(void)
{
	return root;
}

static int make_dir(struct dentry *dentry, const struct path *parent)
{
	return vfs_mkdir(sluice_mnt_idmap(parent->mnt), d_inode(parent->dentry), dentry, 0755);
}

void kunit_make_dir(struct kunit *test, char *name)
{
	struct dentry *dentry;
	struct path parent;
	char path[256];
	int err;

	snprintf(name, 32, "kunit.%lld", ktime_get_real_ns());
	snprintf(path, sizeof(path), "%s/%s-0", dir, name);
	dentry = kern_path_create(AT_FDCWD, path, &parent, LOOKUP_DIRECTORY);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dentry));
	err = make_dir(dentry, &parent);
	done_path_create(&parent, dentry);
	KUNIT_ASSERT_EQ(test, err, 0);
}

void kunit_partition_open(struct kunit *test, struct kunit_partition *kp)
{
	const struct sluice_log_open_args args = {};
	char err_text[SLUICE_ERROR_TEXT_MAX] = "";
	int err;

	kp->p = NULL;
	err = sluice_partition_create(&kp->topic, 0, &args, err_text, &kp->p);
	KUNIT_ASSERT_EQ_MSG(test, err, 0, "%s", err_text);
}

struct kunit_partition *kunit_partition_new(struct kunit *test)
{
	struct kunit_partition *kp = kunit_kzalloc(test, sizeof(*kp), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, kp);
	kp->data_dir.file = root;
	kp->data_dir.cred = root->f_cred;
	KUNIT_ASSERT_EQ(test, sluice_data_dir_queues_init(&kp->data_dir), 0);
	kp->topic.net = &init_net;
	kp->topic.data_dir = &kp->data_dir;
	kunit_make_dir(test, kp->topic.name);
	sluice_log_config_default(&kp->topic.config);
	kunit_partition_open(test, kp);
	return kp;
}

void kunit_partition_end(struct kunit_partition *kp)
{
	if (!kp || !kp->p)
		return;
	if (kp->p->log) {
		sluice_partition_make_dead(kp->p);
		sluice_partition_drain(kp->p);
	}
	sluice_partition_put(kp->p);
	kp->p = NULL;
}

void kunit_partition_free(struct kunit_partition *kp)
{
	kunit_partition_end(kp);
	if (kp && kp->data_dir.flush_wq)
		sluice_data_dir_queues_destroy(&kp->data_dir);
}

int kunit_append(struct kunit *test, struct kunit_partition *kp, int flip,
		 struct sluice_append *ret_a)
{
	const struct sluice_record_out r = {
		.timestamp = 1700000000000,
		.key_len = -1,
		.value = "value",
		.value_len = 5,
	};
	size_t size = sluice_batch_build_size(&r);
	u8 *buf = kunit_kzalloc(test, size, GFP_KERNEL);
	struct kvec kvec = { .iov_base = buf, .iov_len = size };
	struct port_iter src;
	struct iov_iter iter;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	sluice_batch_build(buf, size, &r);
	if (flip >= 0)
		buf[flip] ^= 0xff;
	iov_iter_kvec(&iter, ITER_SOURCE, &kvec, 1, size);
	port_iter_init(&src, &iter);
	memset(ret_a, 0, sizeof(*ret_a));
	ret_a->src = &src;
	return sluice_partition_append(kp->p, ret_a);
}

static struct kunit_suite *suites[] = {
	&port_suite, &file_io_suite, &notify_suite, &flush_suite, &partition_suite,
};

/*
 * kunit_test_suites() would run them before the module's parameters are read,
 * and in threads whose root directory may be another than the caller's.
 */
static int __init kunit_sluice_init(void)
{
	int err;

	root = filp_open(dir, O_RDONLY | O_DIRECTORY, 0);
	if (IS_ERR(root))
		return PTR_ERR(root);
	err = __kunit_test_suites_init(suites, ARRAY_SIZE(suites));
	if (err)
		fput(root);
	return err;
}

static void __exit kunit_sluice_exit(void)
{
	__kunit_test_suites_exit(suites, ARRAY_SIZE(suites));
	fput(root);
}

module_init(kunit_sluice_init);
module_exit(kunit_sluice_exit);

MODULE_DESCRIPTION("KUnit suites of sluice");
MODULE_LICENSE("GPL");
