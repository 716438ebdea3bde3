// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The userspace host of the engine: memory, clock, diagnostics and files. */
#include "port.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct port_dir {
	int fd;
	char name[];
};

#ifdef PORT_FAULT
#define FAULT_NAME_MAX	64

/**
 * struct port_file
 * @name: as it was opened
 * @room: that it has without asking for more
 */
struct port_file {
	int fd;
	char name[FAULT_NAME_MAX];
	u64 room;
};

static struct {
	u32 left;
	bool sticky;
	bool hit;
	const char *full;
	u32 full_left;
} fault;

void port_fault_set(u32 n, bool sticky)
{
	__atomic_store_n(&fault.sticky, sticky, __ATOMIC_SEQ_CST);
	__atomic_store_n(&fault.hit, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&fault.left, n, __ATOMIC_SEQ_CST);
}

u32 port_fault_left(void)
{
	return __atomic_load_n(&fault.left, __ATOMIC_SEQ_CST);
}

bool port_fault_hit(void)
{
	return __atomic_load_n(&fault.hit, __ATOMIC_SEQ_CST);
}

static bool port_fault(void)
{
	if (port_fault_hit() && __atomic_load_n(&fault.sticky, __ATOMIC_SEQ_CST))
		return true;
	if (!port_fault_left())
		return false;
	if (__atomic_sub_fetch(&fault.left, 1, __ATOMIC_SEQ_CST))
		return false;
	__atomic_store_n(&fault.hit, true, __ATOMIC_SEQ_CST);
	return true;
}

/* For one thread at a time. */
void port_fault_full(const char *part, u32 n)
{
	fault.full = part;
	fault.full_left = n;
	fault.hit = false;
}

static bool finds_no_room(const char *name)
{
	if (!fault.full || !strstr(name, fault.full))
		return false;
	if (fault.full_left > 1) {
		fault.full_left--;
		return false;
	}
	fault.hit = true;
	return true;
}

static bool port_no_name(struct port_dir *dir, const char *name)
{
	return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) && finds_no_room(name);
}

static bool port_no_room(struct port_file *file, u64 end)
{
	if (end <= file->room)
		return false;
	if (finds_no_room(file->name))
		return true;
	file->room = end;
	return false;
}

static void port_set_room(struct port_file *file, const char *name, s64 room)
{
	if (name)
		snprintf(file->name, sizeof(file->name), "%s", name);
	file->room = (u64)room;
}
#else
struct port_file {
	int fd;
};

static inline bool port_fault(void)
{
	return false;
}

static inline bool port_no_name(struct port_dir *dir, const char *name)
{
	(void)dir, (void)name;
	return false;
}

static inline bool port_no_room(struct port_file *file, u64 end)
{
	(void)file, (void)end;
	return false;
}

static inline void port_set_room(struct port_file *file, const char *name, s64 room)
{
	(void)file, (void)name, (void)room;
}
#endif

void *port_alloc(size_t size)
{
	return port_fault() ? NULL : calloc(1, size);
}

void port_free(const void *p)
{
	free((void *)p);
}

void *port_buffer_get(void)
{
	return port_fault() ? NULL : malloc(PORT_BUFFER_BYTES);
}

void port_buffer_put(void *p)
{
	free(p);
}

s64 port_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (s64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

u32 port_random_u32(void)
{
	u32 value;

	/* So few bytes come whole, once the kernel has any at all. */
	while (getrandom(&value, sizeof(value), 0) != sizeof(value))
		;
	return value;
}

static FILE *warn_stream;
static bool warn_stream_set;

void port_warn_to(FILE *stream)
{
	warn_stream = stream;
	warn_stream_set = true;
}

void port_warn(const char *fmt, ...)
{
	FILE *stream = warn_stream_set ? warn_stream : stderr;
	char line[256];
	va_list ap;

	if (!stream)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(stream, "sluice: %s\n", line);
}

struct port_dir *port_dir_open(const char *path)
{
	size_t len = strlen(path) + 1;
	struct port_dir *dir = malloc(sizeof(*dir) + len);

	if (!dir)
		return NULL;
	memcpy(dir->name, path, len);
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0) {
		int err = errno;

		free(dir);
		errno = err;
		return NULL;
	}
	return dir;
}

void port_dir_close(struct port_dir *dir)
{
	if (!dir)
		return;
	close(dir->fd);
	free(dir);
}

const char *port_dir_name(const struct port_dir *dir)
{
	return dir->name;
}

static bool is_regular(int dir_fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_REG;
	return fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode);
}

int port_dir_list(struct port_dir *dir,
		  int (*fn)(void *ctx, const char *name, size_t len), void *ctx)
{
	struct dirent *entry;
	DIR *stream;
	int fd, ret = 0;

	if (port_fault())
		return -EIO;
	/* A descriptor of its own, because the stream moves its position. */
	fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	stream = fdopendir(fd);
	if (!stream) {
		ret = -errno;
		close(fd);
		return ret;
	}
	while (!ret && (errno = 0, entry = readdir(stream)) != NULL) {
		if (is_regular(dir->fd, entry))
			ret = fn(ctx, entry->d_name, strlen(entry->d_name));
	}
	if (!ret && errno)
		ret = -errno;
	closedir(stream);
	return ret;
}

int port_dir_sync(struct port_dir *dir)
{
	if (port_fault())
		return -EIO;
	return fsync(dir->fd) ? -errno : 0;
}

int port_file_open(struct port_dir *dir, const char *name, unsigned int flags,
		   struct port_file **ret_file)
{
	struct port_file *file;
	struct stat st;
	int ret;

	if (port_fault())
		return -EIO;
	if (flags & PORT_CREATE && port_no_name(dir, name))
		return -ENOSPC;
	file = malloc(sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->fd = openat(dir->fd, name,
			  (flags & PORT_RDONLY ? O_RDONLY : O_RDWR) |
				  (flags & PORT_CREATE ? O_CREAT | O_EXCL : 0) | O_NOFOLLOW |
				  O_NONBLOCK | O_CLOEXEC,
			  0640);
	if (file->fd < 0) {
		ret = -errno;
		goto err_open;
	}
	if (fstat(file->fd, &st)) {
		ret = -errno;
		goto err_stat;
	}
	if (!S_ISREG(st.st_mode)) {
		ret = -EINVAL;
		goto err_stat;
	}
	port_set_room(file, name, (s64)st.st_size);
	*ret_file = file;
	return 0;

err_stat:
	close(file->fd);
err_open:
	free(file);
	return ret;
}

void port_file_close(struct port_file *file)
{
	if (!file)
		return;
	close(file->fd);
	free(file);
}

int port_file_rename(struct port_dir *dir, const char *from, const char *to)
{
	if (port_fault())
		return -EIO;
	if (!faccessat(dir->fd, from, F_OK, AT_SYMLINK_NOFOLLOW) && port_no_name(dir, to))
		return -ENOSPC;
	return renameat(dir->fd, from, dir->fd, to) ? -errno : 0;
}

int port_file_remove(struct port_dir *dir, const char *name)
{
	if (port_fault())
		return -EIO;
	if (unlinkat(dir->fd, name, 0) && errno != ENOENT)
		return -errno;
	return 0;
}

u64 port_file_inode(struct port_file *file)
{
	struct stat st;

	return fstat(file->fd, &st) ? 0 : (u64)st.st_ino;
}

s64 port_file_mtime_ms(struct port_file *file)
{
	struct stat st;

	return fstat(file->fd, &st) ? 0 : (s64)st.st_mtim.tv_sec * 1000 +
						  st.st_mtim.tv_nsec / 1000000;
}

s64 port_file_size(struct port_file *file)
{
	struct stat st;

	return fstat(file->fd, &st) ? -errno : (s64)st.st_size;
}

ssize_t port_file_read(struct port_file *file, u64 pos, void *buf, size_t len)
{
	size_t done = 0;

	if (port_fault())
		return -EIO;
	while (done < len) {
		ssize_t n = pread(file->fd, (u8 *)buf + done, len - done, (off_t)(pos + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int write_all(struct port_file *file, u64 pos, const void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(file->fd, (const u8 *)buf + done, len - done,
				   (off_t)(pos + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

int port_file_write(struct port_file *file, u64 pos, const void *buf, size_t len)
{
	int err = port_fault() ? -EIO : port_no_room(file, pos + len) ? -ENOSPC : 0;
	int ret = write_all(file, pos, buf, err ? len / 2 : len);

	return ret ? ret : err;
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
	u8 buf[16384];

	if (port_fault())
		return -EIO;
	while (len > 0) {
		size_t part = min(len, sizeof(buf));
		ssize_t n = pread(file->fd, buf, part, (off_t)pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		*crc = port_crc32c(*crc, buf, (size_t)n);
		pos += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

bool port_file_patches(struct port_file *file)
{
	(void)file;
	return false;
}

int port_file_patch(struct port_file *file, u64 pos, const void *head, size_t head_len, size_t len,
		    u32 *crc)
{
	int ret = port_file_write(file, pos, head, head_len);

	return ret ? ret : port_file_crc32c(file, pos + head_len, len - head_len, crc);
}

int port_file_truncate(struct port_file *file, u64 size)
{
	if (port_fault())
		return -EIO;
	if (ftruncate(file->fd, (off_t)size))
		return -errno;
	port_set_room(file, NULL, (s64)size);
	return 0;
}

int port_file_reserve(struct port_file *file, u64 pos, u64 len)
{
	if (port_fault() || port_no_room(file, pos + len))
		return -ENOSPC;
	return fallocate(file->fd, FALLOC_FL_KEEP_SIZE, (off_t)pos, (off_t)len) ? -errno : 0;
}

int port_file_sync(struct port_file *file)
{
	if (port_fault())
		return -EIO;
	return fdatasync(file->fd) ? -errno : 0;
}

int port_file_refresh(struct port_file *file)
{
	int ret = port_file_sync(file);

	return ret ? ret : -posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
}

size_t port_iter_count(const struct port_iter *iter)
{
	return iter->left;
}

int port_iter_copy(struct port_iter *iter, void *buf, size_t len)
{
	size_t part = min(len, iter->left);

	if (port_fault())
		return -EFAULT;
	memcpy(buf, iter->next, part);
	iter->next += part;
	iter->left -= part;
	return part == len ? 0 : -EFAULT;
}

void port_iter_revert(struct port_iter *iter, size_t len)
{
	iter->next -= len;
	iter->left += len;
}

int port_iter_peek(const struct port_iter *iter, void *buf, size_t len)
{
	if (port_fault() || len > iter->left)
		return -EFAULT;
	memcpy(buf, iter->next, len);
	return 0;
}
