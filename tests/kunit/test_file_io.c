// SPDX-License-Identifier: GPL-2.0
/* Files of the engine, on the file system that the module parameter names. */

#include "kunit_sluice.h"

#include "file_io.h"

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

/* Across pages, beginning and ending inside one. */
#define BYTES	10000
#define POSITION	4090

struct context {
	struct port_dir *dir;
	struct port_file *file;
	u8 *data;
	u8 *buf;
};

static int file_io_init(struct kunit *test)
{
	struct context *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	char name[32], path[40];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	test->priv = c;
	c->data = kunit_kzalloc(test, BYTES, GFP_KERNEL);
	c->buf = kunit_kzalloc(test, BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c->data);
	KUNIT_ASSERT_NOT_NULL(test, c->buf);
	for (i = 0; i < BYTES; i++)
		c->data[i] = i * 7 + i / 256;
	kunit_make_dir(test, name);
	snprintf(path, sizeof(path), "%s-0", name);
	c->dir = sluice_dir_open(kunit_root(), current_cred(), path);
	KUNIT_ASSERT_FALSE(test, IS_ERR(c->dir));
	KUNIT_ASSERT_EQ(test, port_file_open(c->dir, "file", PORT_CREATE, &c->file), 0);
	return 0;
}

static void file_io_exit(struct kunit *test)
{
	struct context *c = test->priv;

	if (!c)
		return;
	port_file_close(c->file);
	if (!IS_ERR(c->dir))
		sluice_dir_close(c->dir);
}

static void root_check__names_the_file_system(struct kunit *test)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";
	struct file *filp;

	KUNIT_EXPECT_EQ(test, sluice_root_check(kunit_root(), why), 0);
	filp = filp_open("/proc", O_RDONLY | O_DIRECTORY, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	KUNIT_EXPECT_EQ(test, sluice_root_check(filp, why), -EOPNOTSUPP);
	KUNIT_EXPECT_NOT_NULL(test, strstr(why, "file system proc is not supported"));
	fput(filp);
}

static void dir_open__errors(struct kunit *test)
{
	struct context *c = test->priv;
	struct port_dir *dir;

	dir = sluice_dir_open(kunit_root(), current_cred(), "there-is-none");
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(dir), (long)-ENOENT);
	KUNIT_EXPECT_EQ(test, strncmp(port_dir_name(c->dir), "kunit.", 6), 0);
}

static int count_fn(void *ctx, const char *name, size_t len)
{
	unsigned int *count = ctx;

	++*count;
	return *count == 2 ? -EXDEV : 0;
}

static int find_fn(void *ctx, const char *name, size_t len)
{
	unsigned int *found = ctx;

	*found += len == 4 && !memcmp(name, "file", 4);
	return 0;
}

static void dir_list__names_files_and_stops(struct kunit *test)
{
	struct context *c = test->priv;
	unsigned int count = 0, found = 0;
	struct port_file *file;

	/* Only one file, and neither . nor .. */
	KUNIT_EXPECT_EQ(test, port_dir_list(c->dir, count_fn, &count), 0);
	KUNIT_EXPECT_EQ(test, count, 1U);
	KUNIT_EXPECT_EQ(test, port_dir_list(c->dir, find_fn, &found), 0);
	KUNIT_EXPECT_EQ(test, found, 1U);

	KUNIT_ASSERT_EQ(test, port_file_open(c->dir, "second", PORT_CREATE, &file), 0);
	port_file_close(file);
	KUNIT_ASSERT_EQ(test, port_file_open(c->dir, "third", PORT_CREATE, &file), 0);
	port_file_close(file);
	count = 0;
	KUNIT_EXPECT_EQ(test, port_dir_list(c->dir, count_fn, &count), -EXDEV);
	KUNIT_EXPECT_EQ(test, count, 2U);
	KUNIT_EXPECT_EQ(test, port_dir_sync(c->dir), 0);
}

static void file_open__errors(struct kunit *test)
{
	struct context *c = test->priv;
	struct port_file *file;

	KUNIT_EXPECT_EQ(test, port_file_open(c->dir, "none", 0, &file), -ENOENT);
	KUNIT_EXPECT_EQ(test, port_file_open(c->dir, "file", PORT_CREATE, &file), -EEXIST);
	KUNIT_EXPECT_EQ(test, port_file_open(c->dir, ".", 0, &file), -EISDIR);
	KUNIT_EXPECT_EQ(test, port_file_open(c->dir, ".", PORT_RDONLY, &file), -EINVAL);
}

/* Whatever the umask of the process that happened to roll the log. */
static void file_open__mode(struct kunit *test)
{
	struct context *c = test->priv;

	KUNIT_EXPECT_EQ(test, file_inode(sluice_file(c->file))->i_mode & 07777, 0640);
}

static void file_write__reads_back(struct kunit *test)
{
	struct context *c = test->priv;

	KUNIT_ASSERT_EQ(test, port_file_write(c->file, POSITION, c->data, BYTES), 0);
	KUNIT_EXPECT_EQ(test, port_file_size(c->file), (s64)POSITION + BYTES);
	KUNIT_ASSERT_EQ(test, port_file_read(c->file, POSITION, c->buf, BYTES), (ssize_t)BYTES);
	KUNIT_EXPECT_EQ(test, memcmp(c->buf, c->data, BYTES), 0);
	KUNIT_EXPECT_EQ(test, port_file_sync(c->file), 0);
}

static void file_read__is_short_at_the_end(struct kunit *test)
{
	struct context *c = test->priv;

	KUNIT_ASSERT_EQ(test, port_file_write(c->file, 0, c->data, 100), 0);
	KUNIT_EXPECT_EQ(test, port_file_read(c->file, 90, c->buf, 50), (ssize_t)10);
	KUNIT_EXPECT_EQ(test, memcmp(c->buf, c->data + 90, 10), 0);
	KUNIT_EXPECT_EQ(test, port_file_read(c->file, 100, c->buf, 50), (ssize_t)0);
	KUNIT_EXPECT_EQ(test, port_file_read(c->file, 5000, c->buf, 50), (ssize_t)0);
	KUNIT_EXPECT_EQ(test, port_file_read(c->file, S64_MAX, c->buf, 50), (ssize_t)-EINVAL);
}

static void file_write_iter__takes_what_was_asked(struct kunit *test)
{
	struct context *c = test->priv;
	struct kvec kvec[2] = {
		{ .iov_base = c->data, .iov_len = 3000 },
		{ .iov_base = c->data + 3000, .iov_len = BYTES - 3000 },
	};
	struct port_iter src;
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_SOURCE, kvec, 2, BYTES);
	port_iter_init(&src, &iter);
	KUNIT_ASSERT_EQ(test, port_file_write_iter(c->file, 0, &src, 5000), 0);
	KUNIT_EXPECT_EQ(test, port_iter_count(&src), (size_t)BYTES - 5000);
	KUNIT_EXPECT_EQ(test, port_file_size(c->file), (s64)5000);
	KUNIT_ASSERT_EQ(test, port_file_write_iter(c->file, 5000, &src, BYTES - 5000), 0);
	KUNIT_EXPECT_EQ(test, port_iter_count(&src), (size_t)0);
	KUNIT_ASSERT_EQ(test, port_file_read(c->file, 0, c->buf, BYTES), (ssize_t)BYTES);
	KUNIT_EXPECT_EQ(test, memcmp(c->buf, c->data, BYTES), 0);
	KUNIT_EXPECT_EQ(test, port_file_write_iter(c->file, 0, &src, 1), -EFAULT);
}

/* What the engine writes and cuts itself does not fail with the death of a producer. */
static void file_write__survives_a_killed_caller(struct kunit *test)
{
	struct context *c = test->priv;
	struct kvec kvec = { .iov_base = c->data, .iov_len = BYTES };
	struct port_iter src;
	struct iov_iter iter;
	int iter_err, err, truncate_err;

	iov_iter_kvec(&iter, ITER_SOURCE, &kvec, 1, BYTES);
	port_iter_init(&src, &iter);
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	iter_err = port_file_write_iter(c->file, 0, &src, BYTES);
	err = port_file_write(c->file, 0, c->data, 100);
	truncate_err = port_file_truncate(c->file, 50);
	flush_signals(current);
	disallow_signal(SIGKILL);
	KUNIT_EXPECT_EQ(test, iter_err, -EINTR);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, truncate_err, 0);
	KUNIT_EXPECT_EQ(test, port_file_size(c->file), (s64)50);
}

static void file_crc32c__is_of_what_is_stored(struct kunit *test)
{
	struct context *c = test->priv;
	u32 want = port_crc32c(0, c->data + 5, BYTES - 9);
	u32 crc = 0;

	KUNIT_ASSERT_EQ(test, port_file_write(c->file, POSITION, c->data, BYTES), 0);
	KUNIT_ASSERT_EQ(test, port_file_crc32c(c->file, POSITION + 5, BYTES - 9, &crc), 0);
	KUNIT_EXPECT_EQ(test, crc, want);

	/* In two steps, and with the pages gone in between. */
	crc = 0;
	KUNIT_ASSERT_EQ(test, port_file_crc32c(c->file, POSITION + 5, 4000, &crc), 0);
	KUNIT_ASSERT_EQ(test, port_file_sync(c->file), 0);
	invalidate_mapping_pages(sluice_file_mapping(c->file), 0, -1);
	KUNIT_EXPECT_EQ(test, sluice_file_mapping(c->file)->nrpages, 0UL);
	KUNIT_ASSERT_EQ(test, port_file_crc32c(c->file, POSITION + 4005, BYTES - 4009, &crc), 0);
	KUNIT_EXPECT_EQ(test, crc, want);
}

static void file_crc32c__past_the_end(struct kunit *test)
{
	struct context *c = test->priv;
	u32 crc = 0;

	KUNIT_ASSERT_EQ(test, port_file_write(c->file, 0, c->data, 100), 0);
	KUNIT_EXPECT_EQ(test, port_file_crc32c(c->file, 0, 101, &crc), -EIO);
	KUNIT_EXPECT_EQ(test, port_file_crc32c(c->file, 101, 0, &crc), -EIO);
	KUNIT_EXPECT_EQ(test, port_file_crc32c(c->file, U64_MAX, 2, &crc), -EIO);
	KUNIT_EXPECT_EQ(test, port_file_crc32c(c->file, 100, 0, &crc), 0);
	KUNIT_EXPECT_EQ(test, crc, 0U);
}

static void file_truncate__cuts_and_goes_on(struct kunit *test)
{
	struct context *c = test->priv;

	KUNIT_ASSERT_EQ(test, port_file_write(c->file, 0, c->data, BYTES), 0);
	KUNIT_ASSERT_EQ(test, port_file_truncate(c->file, 4100), 0);
	KUNIT_EXPECT_EQ(test, port_file_size(c->file), (s64)4100);
	KUNIT_ASSERT_EQ(test, port_file_write(c->file, 4100, c->data, 10), 0);
	KUNIT_ASSERT_EQ(test, port_file_read(c->file, 4090, c->buf, 100), (ssize_t)20);
	KUNIT_EXPECT_EQ(test, memcmp(c->buf, c->data + 4090, 10), 0);
	KUNIT_EXPECT_EQ(test, memcmp(c->buf + 10, c->data, 10), 0);
}

/* Whoever has the replaced file open keeps it; what is open under the name goes with it. */
static void file_rename__replaces(struct kunit *test)
{
	struct context *c = test->priv;
	struct port_file *file;

	KUNIT_EXPECT_EQ(test, port_file_rename(c->dir, "none", "file"), -ENOENT);
	KUNIT_EXPECT_EQ(test, port_file_rename(c->dir, "..", "file"), -EACCES);
	KUNIT_ASSERT_EQ(test, port_file_write(c->file, 0, c->data, 100), 0);
	KUNIT_ASSERT_EQ(test, port_file_open(c->dir, "other", PORT_CREATE, &file), 0);
	KUNIT_ASSERT_EQ(test, port_file_write(file, 0, c->data, 7), 0);
	KUNIT_ASSERT_EQ(test, port_file_rename(c->dir, "other", "file"), 0);
	KUNIT_EXPECT_EQ(test, port_file_size(c->file), (s64)100);
	KUNIT_ASSERT_EQ(test, port_file_read(c->file, 0, c->buf, 200), (ssize_t)100);
	port_file_close(file);
	KUNIT_EXPECT_EQ(test, port_file_open(c->dir, "other", 0, &file), -ENOENT);
	KUNIT_ASSERT_EQ(test, port_file_open(c->dir, "file", 0, &file), 0);
	KUNIT_EXPECT_EQ(test, port_file_size(file), (s64)7);
	port_file_close(file);
	KUNIT_EXPECT_EQ(test, port_dir_sync(c->dir), 0);
}

static void file_remove__is_done_once(struct kunit *test)
{
	struct context *c = test->priv;
	struct port_file *file;

	KUNIT_ASSERT_EQ(test, port_file_write(c->file, 0, c->data, 100), 0);
	KUNIT_EXPECT_EQ(test, port_file_remove(c->dir, "file"), 0);
	KUNIT_EXPECT_EQ(test, port_file_open(c->dir, "file", 0, &file), -ENOENT);
	KUNIT_EXPECT_EQ(test, port_file_remove(c->dir, "file"), 0);
	/* Open, it goes on. */
	KUNIT_EXPECT_EQ(test, port_file_read(c->file, 0, c->buf, 200), (ssize_t)100);
	KUNIT_EXPECT_EQ(test, port_file_remove(c->dir, "."), -EACCES);
}

static void file_reserve__keeps_the_size(struct kunit *test)
{
	struct context *c = test->priv;
	blkcnt_t before = file_inode(sluice_file(c->file))->i_blocks;

	KUNIT_ASSERT_EQ(test, port_file_reserve(c->file, 100, 65536), 0);
	KUNIT_EXPECT_EQ(test, port_file_size(c->file), (s64)0);
	KUNIT_EXPECT_GE(test, file_inode(sluice_file(c->file))->i_blocks - before, 65536ULL / 512);
	KUNIT_EXPECT_EQ(test, port_file_reserve(c->file, S64_MAX, 1), -EFBIG);
	KUNIT_EXPECT_EQ(test, port_file_reserve(c->file, U64_MAX, 1), -EFBIG);
}

/* Names are changed with the credentials that the directory was opened with. */
static void names__are_the_data_directorys(struct kunit *test)
{
	struct context *c = test->priv;
	const struct cred *old;
	struct cred *nobody = prepare_creds();
	int rename_err, remove_err;

	KUNIT_ASSERT_NOT_NULL(test, nobody);
	nobody->fsuid = make_kuid(&init_user_ns, 65534);
	nobody->fsgid = make_kgid(&init_user_ns, 65534);
	cap_clear(nobody->cap_effective);
	old = override_creds(nobody);
	rename_err = port_file_rename(c->dir, "file", "other");
	remove_err = port_file_remove(c->dir, "other");
	revert_creds(old);
	put_cred(nobody);
	KUNIT_EXPECT_EQ(test, rename_err, 0);
	KUNIT_EXPECT_EQ(test, remove_err, 0);
}

static struct kunit_case file_io_cases[] = {
	KUNIT_CASE(root_check__names_the_file_system),
	KUNIT_CASE(dir_open__errors),
	KUNIT_CASE(dir_list__names_files_and_stops),
	KUNIT_CASE(file_open__errors),
	KUNIT_CASE(file_open__mode),
	KUNIT_CASE(file_write__reads_back),
	KUNIT_CASE(file_read__is_short_at_the_end),
	KUNIT_CASE(file_write_iter__takes_what_was_asked),
	KUNIT_CASE(file_write__survives_a_killed_caller),
	KUNIT_CASE(file_crc32c__is_of_what_is_stored),
	KUNIT_CASE(file_crc32c__past_the_end),
	KUNIT_CASE(file_truncate__cuts_and_goes_on),
	KUNIT_CASE(file_rename__replaces),
	KUNIT_CASE(file_remove__is_done_once),
	KUNIT_CASE(file_reserve__keeps_the_size),
	KUNIT_CASE(names__are_the_data_directorys),
	{}
};

struct kunit_suite file_io_suite = {
	.name = "sluice_file_io",
	.init = file_io_init,
	.exit = file_io_exit,
	.test_cases = file_io_cases,
};
