// SPDX-License-Identifier: Apache-2.0
/* The port's files, in memory, with what a storage would have of them. */
#include "tests/sim/disk.h"

#include <stdlib.h>
#include "tests/sim/fiber.h"
#include "tests/sim/memory.h"
#include "tests/sim/random.h"
#include "tests/sim/say.h"

#define BLOCK	   64 /* what is written whole or not at all */
#define FILES_MAX  512
#define NAME_BYTES 64
#define OPS_MAX	   4096
#define UNDER_WAY  2 /* of a block: a sync has begun */

/*
 * @names: how many names it has, durable ones and changes that wait included
 * @unsynced: a byte for each block: the storage may not have it
 * @blocks: room in all three
 */
struct file {
	u32 users;
	u64 inode;
	u64 size, stored_size, reserved;
	u8 *bytes, *stored, *unsynced;
	size_t blocks;
};

struct port_file {
	struct file *file;
	char name[NAME_BYTES];
};

struct port_dir {
	char name[4];
};

struct name {
	char text[NAME_BYTES];
	struct file *file;
};

struct names {
	struct name items[FILES_MAX];
	u32 count;
};

/* A change of names: @to gets @file, or none if that is NULL; @from has none then. */
struct change {
	char from[NAME_BYTES], to[NAME_BYTES];
	struct file *file;
};

static struct file *files[FILES_MAX * 4];
static u32 file_count;
static struct names now, durable;
static struct change changes[OPS_MAX];
static u32 change_count;
static struct port_dir dir = {.name = "sim"};
static u64 next_inode = 1;
static u64 limit = U64_MAX;
static bool limit_hit;

static struct {
	unsigned int ops;
	const char *part;
	u32 left;
	bool sticky;
	bool hit;
	int err;
} fault;

void sim_fault(unsigned int ops, const char *part, u32 n, bool sticky, int err)
{
	fault.ops = ops;
	fault.part = part;
	fault.left = n;
	fault.sticky = sticky;
	fault.hit = false;
	fault.err = err;
}

bool sim_fault_hit(void)
{
	return fault.hit || limit_hit;
}

static int no_space(void)
{
	limit_hit = true;
	return -ENOSPC;
}

/* 0, or what this call is to fail with; each is a place where others go on. */
static int fails(unsigned int op, const char *name)
{
	sim_point();
	/* Storage is slow at times, and much happens meanwhile. */
	if (op & (SIM_SYNC | SIM_DIR_SYNC | SIM_CREATE | SIM_RENAME) && sim_one_in(6))
		sim_sleep(sim_random(1500));
	if (!(fault.ops & op) || (fault.part && !strstr(name, fault.part)))
		return 0;
	if (fault.hit)
		return fault.sticky ? fault.err : 0;
	if (!fault.left || --fault.left)
		return 0;
	fault.hit = true;
	return fault.err;
}

bool sim_memory_fails(void)
{
	return fails(SIM_ALLOC, "memory");
}

static struct name *find(struct names *names, const char *text)
{
	for (u32 i = 0; i < names->count; i++)
		if (!strcmp(names->items[i].text, text))
			return &names->items[i];
	return NULL;
}

static void set_name(struct names *names, const char *text, struct file *file)
{
	struct name *n = find(names, text);

	if (!n) {
		assert(names->count < FILES_MAX);
		n = &names->items[names->count++];
	}
	snprintf(n->text, sizeof(n->text), "%s", text);
	n->file = file;
}

static void drop_name(struct names *names, const char *text)
{
	struct name *n = find(names, text);

	if (n)
		*n = names->items[--names->count];
}

static void apply(struct names *names, const struct change *c)
{
	if (c->from[0])
		drop_name(names, c->from);
	if (c->file)
		set_name(names, c->to, c->file);
}

static void change(const char *from, const char *to, struct file *file)
{
	struct change *c = &changes[change_count++];

	assert(change_count < OPS_MAX);
	snprintf(c->from, sizeof(c->from), "%s", from);
	snprintf(c->to, sizeof(c->to), "%s", to);
	c->file = file;
	apply(&now, c);
	sim_say("  name '%s' -> '%s', inode %llu", from, to, file ? file->inode : 0);
}

static void settle_names(u32 count)
{
	for (u32 i = 0; i < count; i++)
		apply(&durable, &changes[i]);
	memmove(changes, changes + count, (change_count - count) * sizeof(changes[0]));
	change_count -= count;
}

static void free_file(struct file *f)
{
	free(f->bytes);
	free(f->stored);
	free(f->unsynced);
	free(f);
}

static bool is_named(const struct file *f)
{
	for (u32 i = 0; i < now.count; i++)
		if (now.items[i].file == f)
			return true;
	for (u32 i = 0; i < durable.count; i++)
		if (durable.items[i].file == f)
			return true;
	for (u32 i = 0; i < change_count; i++)
		if (changes[i].file == f)
			return true;
	return false;
}

static void free_unused(void)
{
	u32 left = 0;

	for (u32 i = 0; i < file_count; i++) {
		if (files[i]->users || is_named(files[i]))
			files[left++] = files[i];
		else
			free_file(files[i]);
	}
	file_count = left;
}

static struct file *new_file(void)
{
	struct file *f = calloc(1, sizeof(*f));

	if (file_count == ARRAY_SIZE(files))
		free_unused();
	assert(f && file_count < ARRAY_SIZE(files));
	f->inode = next_inode++;
	files[file_count++] = f;
	return f;
}

static void have_room(struct file *f, u64 size)
{
	size_t blocks = (size + BLOCK - 1) / BLOCK, old = f->blocks;

	if (blocks <= old)
		return;
	blocks += blocks / 2;
	f->bytes = realloc(f->bytes, blocks * BLOCK);
	f->stored = realloc(f->stored, blocks * BLOCK);
	f->unsynced = realloc(f->unsynced, blocks);
	assert(f->bytes && f->stored && f->unsynced);
	memset(f->bytes + old * BLOCK, 0, (blocks - old) * BLOCK);
	memset(f->stored + old * BLOCK, 0, (blocks - old) * BLOCK);
	memset(f->unsynced + old, 0, blocks - old);
	f->blocks = blocks;
}

static u64 space(const struct file *f)
{
	u64 bytes = max(f->size, f->reserved);

	return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

static u64 space_left(void)
{
	u64 used = 0;

	if (limit == U64_MAX)
		return U64_MAX;
	free_unused();
	for (u32 i = 0; i < file_count; i++)
		used += space(files[i]);
	return used < limit ? limit - used : 0;
}

void sim_disk_limit(u64 bytes)
{
	limit = U64_MAX;
	limit_hit = false;
	if (bytes == U64_MAX)
		return;
	limit = S64_MAX;
	limit = (u64)S64_MAX - space_left() + bytes;
}

static void store_block(struct file *f, size_t i)
{
	memcpy(f->stored + i * BLOCK, f->bytes + i * BLOCK, BLOCK);
}

/* What the storage makes of a file by itself: runs of blocks, and a size. */
static void cut_power(struct file *f)
{
	size_t run = 1U << sim_random(6);
	u32 mode = sim_random(4);
	bool kept = false;

	for (size_t i = 0; i < f->blocks; i++) {
		if (i % run == 0)
			kept = mode == 0 || (mode > 1 && sim_one_in(2));
		if (f->unsynced[i] && kept)
			store_block(f, i);
	}
	if (mode == 0 || (mode > 1 && sim_one_in(3)))
		f->stored_size = f->size;
	else if (mode > 1 && f->stored_size < f->size)
		f->stored_size += sim_random((u32)(f->size - f->stored_size) + 1);
	have_room(f, f->stored_size);
	/* Behind the end there is nothing, whatever was there before. */
	if (f->blocks * BLOCK > f->stored_size)
		memset(f->stored + f->stored_size, 0, f->blocks * BLOCK - f->stored_size);
	if (f->blocks) {
		memcpy(f->bytes, f->stored, f->blocks * BLOCK);
		memset(f->unsynced, 0, f->blocks);
	}
	f->size = f->stored_size;
	f->reserved = 0;
	f->users = 0;
}

void sim_disk_cut_power(void)
{
	settle_names(sim_random(change_count + 1));
	change_count = 0;
	now = durable;
	for (u32 i = 0; i < file_count; i++)
		cut_power(files[i]);
	free_unused();
	sim_memory_drop();
	sim_fault(0, NULL, 0, false, 0);
}

void sim_disk_format(void)
{
	now.count = 0;
	durable.count = 0;
	change_count = 0;
	sim_disk_limit(U64_MAX);
	for (u32 i = 0; i < file_count; i++)
		files[i]->users = 0;
	free_unused();
	sim_memory_drop();
	sim_fault(0, NULL, 0, false, 0);
}

struct port_dir *sim_dir(void)
{
	return &dir;
}

/* The directory. */

const char *port_dir_name(const struct port_dir *d)
{
	return d->name;
}

int port_dir_list(struct port_dir *d, int (*fn)(void *ctx, const char *name, size_t len), void *ctx)
{
	static struct names copy;
	int ret = fails(SIM_LIST, "dir");

	(void)d;
	/* Nobody else lists meanwhile: no callback of the engine gives way. */
	copy = now;
	for (u32 i = 0; i < copy.count && !ret; i++)
		ret = fn(ctx, copy.items[i].text, strlen(copy.items[i].text));
	return ret;
}

int port_dir_sync(struct port_dir *d)
{
	u32 count = change_count;
	int ret = fails(SIM_DIR_SYNC, "dir");

	(void)d;
	if (!ret)
		settle_names(min(count, change_count));
	return ret;
}

int port_file_open(struct port_dir *d, const char *name, unsigned int flags,
		   struct port_file **ret_file)
{
	int ret = fails(flags & PORT_CREATE ? SIM_CREATE : SIM_OPEN, name);
	struct name *n = find(&now, name);
	struct port_file *file;

	(void)d;
	if (ret)
		return ret;
	if (!n && !(flags & PORT_CREATE))
		return -ENOENT;
	if (n && (flags & PORT_CREATE))
		return -EEXIST;
	if (!n && space_left() < BLOCK)
		return no_space();
	if (!n)
		change("", name, new_file());
	file = port_alloc(sizeof(*file));
	if (!file)
		return -ENOMEM;
	/* Asking for memory was a place where others went on. */
	n = find(&now, name);
	if (!n) {
		port_free(file);
		return -ENOENT;
	}
	file->file = n->file;
	file->file->users++;
	snprintf(file->name, sizeof(file->name), "%s", name);
	*ret_file = file;
	return 0;
}

void port_file_close(struct port_file *file)
{
	if (!file)
		return;
	file->file->users--;
	port_free(file);
}

/*
 * A directory may have no room for another name either; what comes in the place of
 * something else has the room of that.
 */
static bool has_room_for(const char *from, const char *to)
{
	return find(&now, to) || strstr(from, ".swap") || strstr(from, ".cut") ||
	       space_left() >= BLOCK || sim_one_in(2);
}

int port_file_rename(struct port_dir *d, const char *from, const char *to)
{
	int ret = fails(SIM_RENAME, to);
	struct name *n = find(&now, from);

	(void)d;
	if (ret)
		return ret;
	if (!n)
		return -ENOENT;
	if (!has_room_for(from, to))
		return no_space();
	change(from, to, n->file);
	return 0;
}

int port_file_remove(struct port_dir *d, const char *name)
{
	int ret = fails(SIM_REMOVE, name);

	(void)d;
	if (!ret && find(&now, name))
		change(name, "", NULL);
	return ret;
}

/* Files. */

u64 port_file_inode(struct port_file *file)
{
	return file->file->inode;
}

s64 port_file_mtime_ms(struct port_file *file)
{
	(void)file;
	return port_now_ms();
}

s64 port_file_size(struct port_file *file)
{
	return (s64)file->file->size;
}

ssize_t port_file_read(struct port_file *file, u64 pos, void *buf, size_t len)
{
	int ret = fails(SIM_READ, file->name);
	const struct file *f = file->file;

	if (ret)
		return ret;
	if (pos >= f->size)
		return 0;
	len = min(len, (size_t)(f->size - pos));
	memcpy(buf, f->bytes + pos, len);
	return (ssize_t)len;
}

static void put(struct file *f, u64 pos, const void *buf, size_t len)
{
	if (!len)
		return;
	have_room(f, pos + len);
	memcpy(f->bytes + pos, buf, len);
	for (u64 i = pos / BLOCK; i <= (pos + len - 1) / BLOCK; i++)
		f->unsynced[i] = 1;
	f->size = max_t(u64, f->size, pos + len);
}

int port_file_write(struct port_file *file, u64 pos, const void *buf, size_t len)
{
	int ret = fails(SIM_WRITE, file->name);
	struct file *f = file->file;
	u64 left = space_left(), room = space(f);

	if (!ret && left != U64_MAX && pos + len > room + left) {
		ret = no_space();
		/* As much as fits. */
		put(f, pos, buf, room + left > pos ? (size_t)(room + left - pos) : 0);
	} else {
		put(f, pos, buf, ret ? len / 2 : len);
	}
	sim_say("  write %s at %llu, %zu: %d", file->name, pos, len, ret);
	return ret;
}

int port_file_write_iter(struct port_file *file, u64 pos, struct port_iter *iter, size_t len)
{
	int ret;

	if (iter->left < len)
		return -EFAULT;
	ret = port_file_write(file, pos, iter->next, len);
	if (ret)
		return ret;
	iter->next += len;
	iter->left -= len;
	return 0;
}

int port_file_crc32c(struct port_file *file, u64 pos, size_t len, u32 *crc)
{
	int ret = fails(SIM_READ, file->name);

	if (ret)
		return ret;
	if (pos + len > file->file->size)
		return -EIO;
	*crc = port_crc32c(*crc, file->file->bytes + pos, len);
	return 0;
}

/* Both are to be tried. */
bool port_file_patches(struct port_file *file)
{
	(void)file;
	return port_random_u32() & 1;
}

int port_file_patch(struct port_file *file, u64 pos, const void *head, size_t head_len, size_t len,
		    u32 *crc)
{
	int ret = port_file_write(file, pos, head, head_len);

	return ret ? ret : port_file_crc32c(file, pos + head_len, len - head_len, crc);
}

int port_file_truncate(struct port_file *file, u64 size)
{
	int ret = fails(SIM_TRUNCATE, file->name);
	struct file *f = file->file;

	sim_say("  cut %s to %llu: %d", file->name, size, ret);
	if (ret)
		return ret;
	f->reserved = 0;
	have_room(f, size);
	if (size < f->size) {
		memset(f->bytes + size, 0, f->size - size);
		for (u64 i = size / BLOCK; i <= (f->size - 1) / BLOCK; i++)
			f->unsynced[i] = 1;
	}
	f->size = size;
	return 0;
}

int port_file_reserve(struct port_file *file, u64 pos, u64 len)
{
	int ret = fails(SIM_RESERVE, file->name);
	struct file *f = file->file;
	u64 left = space_left();

	if (!ret && left != U64_MAX && pos + len > space(f) + left)
		ret = no_space();
	if (!ret)
		f->reserved = max_t(u64, f->reserved, pos + len);
	return ret;
}

int port_file_sync(struct port_file *file)
{
	struct file *f = file->file;
	size_t blocks = f->blocks;
	/* Of what it is when it begins; others write meanwhile, and that waits for another. */
	u8 *begun = sim_memory(blocks * (BLOCK + 1) + 1), *was_unsynced = begun + blocks * BLOCK;
	u64 size = f->size;
	int ret;

	for (size_t i = 0; i < blocks; i++) {
		memcpy(begun + i * BLOCK, f->bytes + i * BLOCK, BLOCK);
		was_unsynced[i] = f->unsynced[i];
		f->unsynced[i] = f->unsynced[i] ? UNDER_WAY : 0;
	}
	ret = fails(SIM_SYNC, file->name);
	sim_say("  sync %s to %llu: %d", file->name, size, ret);
	for (size_t i = 0; i < blocks; i++) {
		if (was_unsynced[i] && !ret)
			memcpy(f->stored + i * BLOCK, begun + i * BLOCK, BLOCK);
		if (f->unsynced[i] == UNDER_WAY)
			f->unsynced[i] = 0;
	}
	if (!ret)
		f->stored_size = min(size, f->size);
	port_free(begun);
	return ret;
}

int port_file_refresh(struct port_file *file)
{
	struct file *f = file->file;
	int ret = port_file_sync(file);

	/* Nobody writes to it: the log is down. */
	if (!ret && f->blocks)
		memcpy(f->bytes, f->stored, f->blocks * BLOCK);
	return ret;
}
