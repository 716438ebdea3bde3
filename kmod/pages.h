/* SPDX-License-Identifier: GPL-2.0 */
/*
 * References to page-cache pages of log files. What lies below the published
 * end of a segment never changes, so a reference is all a reader needs; no lock
 * of the file system is taken, and no reader waits for an append.
 *
 * The pages stay the log's: they are read or passed on by reference, never
 * written and never taken out of the cache.
 */
#ifndef SLUICE_PAGES_H
#define SLUICE_PAGES_H

/* pipe_fs_i.h leans on what these bring. */
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/wait.h>

#include <linux/pipe_fs_i.h>
#include <linux/splice.h>

struct iov_iter;
struct port_file;

/** sluice_pages_ra_init() - readahead state of a reader that begins with @file. */
void sluice_pages_ra_init(struct file_ra_state *ra, struct port_file *file);

/**
 * sluice_page_get() - one page, up to date, with a reference
 * @ra: the reader's readahead state
 * @index: of the page
 * @last: of the last page the reader is going to want, for readahead
 * Context: may sleep for I/O.
 * Return: the page (put_page()), or ERR_PTR.
 */
struct page *__must_check sluice_page_get(struct port_file *file, struct file_ra_state *ra,
					  pgoff_t index, pgoff_t last);

/**
 * sluice_pages_copy() - copy bytes of a log file to where @to points
 * @ret_err: 0, -EFAULT, or the error of the file
 * Return: bytes copied: the smallest of @len, what @to has room for, and what
 * was copied before the error.
 */
size_t sluice_pages_copy(struct port_file *file, struct file_ra_state *ra, u64 pos, size_t len,
			 struct iov_iter *to, int *ret_err);

/**
 * struct sluice_page_refs - bytes of log files, by reference
 * @pages: @count of them, each with a reference
 * @partial: where in the page
 * @max: at most this many
 */
struct sluice_page_refs {
	struct page *pages[PIPE_DEF_BUFFERS];
	struct partial_page partial[PIPE_DEF_BUFFERS];
	unsigned int count;
	unsigned int max;
};

/**
 * sluice_pages_gather() - add bytes to @refs
 * Bytes that follow what is there in the same page need no room of their own.
 * @ret_err: 0 or the error of the file
 * Return: bytes added: less than @len if @refs is full or on an error.
 */
size_t sluice_pages_gather(struct port_file *file, struct file_ra_state *ra, u64 pos, size_t len,
			   struct sluice_page_refs *refs, int *ret_err);
void sluice_pages_put(struct sluice_page_refs *refs);

#endif /* SLUICE_PAGES_H */
