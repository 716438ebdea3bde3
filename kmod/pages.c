// SPDX-License-Identifier: GPL-2.0
#include "file_io.h"
#include "pages.h"

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/sched.h>
#include <linux/swap.h>
#include <linux/uio.h>

void sluice_pages_ra_init(struct file_ra_state *ra, struct port_file *file)
{
	memset(ra, 0, sizeof(*ra));
	file_ra_state_init(ra, sluice_file_mapping(file));
}

struct page *sluice_page_get(struct port_file *file, struct file_ra_state *ra, pgoff_t index,
			     pgoff_t last)
{
	struct address_space *mapping = sluice_file_mapping(file);
	unsigned long wanted = last - index + 1;
	DEFINE_READAHEAD(ractl, sluice_file(file), ra, mapping, index);
	struct folio *folio;

	folio = filemap_get_folio(mapping, index);
	if (IS_ERR_OR_NULL(folio)) {
		page_cache_sync_ra(&ractl, wanted);
		folio = filemap_get_folio(mapping, index);
	} else if (folio_test_readahead(folio)) {
		page_cache_async_ra(&ractl, folio, wanted);
	}

	/* Kernels differ in how they say that there is none: NULL or ERR_PTR. */
	if (IS_ERR_OR_NULL(folio))
		return read_mapping_page(mapping, index, sluice_file(file));
	if (folio_test_uptodate(folio)) {
		folio_mark_accessed(folio);
		return folio_file_page(folio, index);
	}
	folio_put(folio);
	/* Waits for the I/O, or reads what a file system left partly filled. */
	return read_mapping_page(mapping, index, sluice_file(file));
}

/*
 * Copy from the folios at the front of a batch that are ready: read, and
 * without the mark at which the next readahead begins.
 */
static size_t copy_ready(struct folio_batch *batch, u64 pos, size_t len,
			 struct iov_iter *to, int *ret_err)
{
	size_t done = 0;
	unsigned int i;

	for (i = 0; i < folio_batch_count(batch) && done < len; i++) {
		struct folio *folio = batch->folios[i];
		size_t offset = offset_in_folio(folio, pos);
		size_t n = min_t(size_t, len - done, folio_size(folio) - offset);
		size_t copied;

		if (!folio_test_uptodate(folio) || folio_test_readahead(folio))
			break;
		folio_mark_accessed(folio);
		copied = copy_folio_to_iter(folio, offset, n, to);
		done += copied;
		pos += copied;
		if (copied < n) {
			*ret_err = -EFAULT;
			break;
		}
	}
	return done;
}

static void put_batch(struct folio_batch *batch)
{
	unsigned int i;

	for (i = 0; i < folio_batch_count(batch); i++)
		folio_put(batch->folios[i]);
}

/* Copy from one page, after whatever it takes to have it. */
static size_t copy_one(struct port_file *file, struct file_ra_state *ra, u64 pos, size_t len,
		       pgoff_t last, struct iov_iter *to, int *ret_err)
{
	size_t n = min_t(size_t, PAGE_SIZE - offset_in_page(pos), len);
	struct page *page = sluice_page_get(file, ra, pos >> PAGE_SHIFT, last);
	size_t copied;

	if (IS_ERR(page)) {
		*ret_err = PTR_ERR(page);
		return 0;
	}
	copied = copy_page_to_iter(page, offset_in_page(pos), n, to);
	put_page(page);
	if (copied < n)
		*ret_err = -EFAULT;
	return copied;
}

size_t sluice_pages_copy(struct port_file *file, struct file_ra_state *ra, u64 pos, size_t len,
			 struct iov_iter *to, int *ret_err)
{
	struct address_space *mapping = sluice_file_mapping(file);
	pgoff_t last;
	size_t done = 0;

	*ret_err = 0;
	len = min(len, iov_iter_count(to));
	if (!len)
		return 0;
	last = (pos + len - 1) >> PAGE_SHIFT;

	/* Folios are looked up by the dozen: one by one costs as much as the copy. */
	while (done < len && !*ret_err) {
		pgoff_t start = (pos + done) >> PAGE_SHIFT;
		struct folio_batch batch;
		size_t copied;

		folio_batch_init(&batch);
		filemap_get_folios_contig(mapping, &start, last, &batch);
		copied = copy_ready(&batch, pos + done, len - done, to, ret_err);
		put_batch(&batch);
		if (!copied && !*ret_err)
			copied = copy_one(file, ra, pos + done, len - done, last, to, ret_err);
		done += copied;
		cond_resched();
	}
	return done;
}

static bool refs_extend(struct sluice_page_refs *refs, struct page *page, unsigned int offset,
			unsigned int len)
{
	struct partial_page *tail;

	if (!refs->count || refs->pages[refs->count - 1] != page)
		return false;
	tail = &refs->partial[refs->count - 1];
	if (tail->offset + tail->len != offset)
		return false;
	tail->len += len;
	return true;
}

size_t sluice_pages_gather(struct port_file *file, struct file_ra_state *ra, u64 pos, size_t len,
			   struct sluice_page_refs *refs, int *ret_err)
{
	pgoff_t last = (pos + len - 1) >> PAGE_SHIFT;
	size_t done = 0;

	*ret_err = 0;
	while (done < len) {
		size_t in_page = offset_in_page(pos);
		size_t n = min_t(size_t, PAGE_SIZE - in_page, len - done);
		struct page *page;

		page = sluice_page_get(file, ra, pos >> PAGE_SHIFT, last);
		if (IS_ERR(page)) {
			*ret_err = PTR_ERR(page);
			break;
		}
		if (refs_extend(refs, page, in_page, n)) {
			put_page(page);
		} else if (refs->count < refs->max) {
			refs->pages[refs->count] = page;
			refs->partial[refs->count].offset = in_page;
			refs->partial[refs->count].len = n;
			refs->partial[refs->count].private = 0;
			refs->count++;
		} else {
			put_page(page);
			break;
		}
		done += n;
		pos += n;
	}
	return done;
}

void sluice_pages_put(struct sluice_page_refs *refs)
{
	while (refs->count)
		put_page(refs->pages[--refs->count]);
}
