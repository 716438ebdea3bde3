// SPDX-License-Identifier: GPL-2.0
/*
 * Running a socket's filter. A program wants an skb, so each socket that is
 * filtered has one, which never leaves this file: the view and the first bytes
 * of a record are copied into it; what a long record has behind that hangs on
 * it as pages of the log, for the time of one run. A program of a socket filter
 * can read an skb but neither write nor keep it.
 *
 * The program is run directly and not by sk_filter(), which would also ask
 * hooks that are about packets from a network, trim the skb, and drop records
 * for the sake of memory that it happens to be in.
 *
 * Most records are rejected, or nobody would filter, so what is done for each
 * is kept small: between sluice_filter_begin() and _end() the page that was
 * looked at last is held, and records in it are parsed where they are.
 */
#include "sock_filter.h"

#include "pages.h"
#include "partition.h"

#include <linux/filter.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/skbuff.h>

/* Bytes of a record that are copied: more than most have, and little to copy. */
#define COPY_MAX	2048

/**
 * struct sluice_filter - what a socket needs to run its filter
 * @skb: begins with the view
 * @page: that was looked at last, or NULL; holds a reference
 * @page_index: its place in the file of the cursor that settles
 * @refs: pages that hang on @skb during a run; here, because a large array on the
 *	stack costs a run more than most of what it does: kernels clear it
 * @listed: headers that the view lists
 * @across_len: bytes in @across
 * @across_pos: where they are in the log
 * @across: the record that was read last, if it goes on in another page than it
 *	begins in
 */
struct sluice_filter {
	struct sk_buff *skb;
	struct page *page;
	pgoff_t page_index;
	struct sluice_page_refs refs;
	u32 listed;
	u32 across_len;
	u64 across_pos;
	u8 across[COPY_MAX];
};

/* What of the log is shown behind the view. */
struct shown {
	u64 pos;
	u64 size;
	u32 len;	/* of it, in the view */
};

int sluice_filter_begin(struct sluice_sock *ssk)
{
	struct sluice_filter *f = ssk->filter;
	struct sk_buff *skb;

	sock_owned_by_me(&ssk->sk);
	if (f)
		goto out;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	skb = alloc_skb(sizeof(struct sluice_filter_view) + COPY_MAX, GFP_KERNEL_ACCOUNT);
	if (!skb) {
		kfree(f);
		return -ENOMEM;
	}
	/* Nothing lies before the view, and every kind of offset counts from it. */
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	skb_put_zero(skb, sizeof(struct sluice_filter_view));
	f->skb = skb;
	f->refs.max = PIPE_DEF_BUFFERS;
	ssk->filter = f;
out:
	ssk->filtering = true;
	return 0;
}

void sluice_filter_drop_page(struct sluice_sock *ssk)
{
	struct sluice_filter *f = ssk->filter;

	if (f->page)
		put_page(f->page);
	f->page = NULL;
	f->across_len = 0;
}

void sluice_filter_end(struct sluice_sock *ssk)
{
	sock_owned_by_me(&ssk->sk);
	sluice_filter_drop_page(ssk);
	ssk->filtering = false;
}

void sluice_filter_free(struct sluice_sock *ssk)
{
	struct sluice_filter *f = ssk->filter;

	if (!f)
		return;
	WARN_ON_ONCE(f->page || skb_shinfo(f->skb)->nr_frags);
	consume_skb(f->skb);
	kfree(f);
	ssk->filter = NULL;
}

/* The page that has the byte at @pos, held until another is asked for. */
static struct page *hold_page(struct sluice_cursor *c, u64 pos, u64 last_pos)
{
	struct sluice_filter *f = c->ssk->filter;
	pgoff_t index = pos >> PAGE_SHIFT;
	struct page *page;

	if (f->page && f->page_index == index)
		return f->page;
	if (f->page)
		put_page(f->page);
	f->page = NULL;
	page = sluice_page_get(c->file, &c->ra, index, last_pos >> PAGE_SHIFT);
	if (IS_ERR(page))
		return page;
	f->page = page;
	f->page_index = index;
	return page;
}

/* Positions that were counted from elsewhere. */
static void shift(struct sluice_record *r, u64 by)
{
	r->offset_pos += by;
	r->key_pos += by;
	r->value_pos += by;
	r->headers_pos += by;
	r->end += by;
}

static int copy_pages(struct sluice_cursor *c, u64 pos, u8 *to, u32 len)
{
	while (len) {
		u32 n = min_t(u32, len, PAGE_SIZE - offset_in_page(pos));
		struct page *page = hold_page(c, pos, pos + len - 1);

		if (IS_ERR(page))
			return PTR_ERR(page);
		memcpy_from_page(to, page, offset_in_page(pos), n);
		to += n;
		pos += n;
		len -= n;
	}
	return 0;
}

/* It begins in the page that is held, and ends in the next if it is a short one. */
static int read_across(struct sluice_cursor *c, u64 pos, u64 end, struct sluice_record *ret_r)
{
	struct sluice_filter *f = c->ssk->filter;
	u32 len = min_t(u64, end - pos, COPY_MAX);
	int err;

	f->across_len = 0;
	err = copy_pages(c, pos, f->across, len);
	if (err)
		return err;
	err = sluice_record_read_memory(f->across, 0, len, ret_r);
	/* It is a long one, perhaps, or malformed. */
	if (err)
		return sluice_record_read(c->file, pos, end, ret_r);
	f->across_pos = pos;
	f->across_len = ret_r->end;
	shift(ret_r, pos);
	return 0;
}

int sluice_filter_read_record(struct sluice_cursor *c, u64 pos, u64 end,
			      struct sluice_record *ret_r)
{
	unsigned int in_page = offset_in_page(pos);
	u64 page_pos = pos - in_page;
	struct page *page;
	const u8 *p;
	int err;

	if (pos >= end)
		return -EBADMSG;
	page = hold_page(c, pos, end - 1);
	if (IS_ERR(page))
		return PTR_ERR(page);
	p = kmap_local_page(page);
	err = sluice_record_read_memory(p, in_page, min_t(u64, end - page_pos, PAGE_SIZE), ret_r);
	kunmap_local(p);
	if (err)
		return read_across(c, pos, end, ret_r);
	shift(ret_r, page_pos);
	return 0;
}

static int copy_from_log(struct sluice_cursor *c, u64 pos, u8 *to, u32 len)
{
	const struct sluice_filter *f = c->ssk->filter;

	if (c->open)
		memcpy(to, c->open->bytes + pos, len);
	else if (pos >= f->across_pos && pos + len <= f->across_pos + f->across_len)
		memcpy(to, f->across + (pos - f->across_pos), len);
	else
		return copy_pages(c, pos, to, len);
	return 0;
}

static void hang_on(struct sk_buff *skb, struct page *page, unsigned int offset, unsigned int len)
{
	skb_fill_page_desc(skb, skb_shinfo(skb)->nr_frags, page, offset, len);
	skb->len += len;
	skb->data_len += len;
}

/* Of an open batch: its memory is held by the cursor's reference to the batch. */
static void hang_on_memory(struct sk_buff *skb, const u8 *p, u32 len)
{
	while (len) {
		u32 n = min_t(u32, len, PAGE_SIZE - offset_in_page(p));
		struct page *page = is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);

		hang_on(skb, page, offset_in_page(p), n);
		p += n;
		len -= n;
	}
}

/* So many bytes behind the view, and nothing hung on. */
static void set_copied(struct sk_buff *skb, u32 copied)
{
	skb_shinfo(skb)->nr_frags = 0;
	skb->data_len = 0;
	skb->len = sizeof(struct sluice_filter_view) + copied;
	skb_set_tail_pointer(skb, skb->len);
}

/* Put the bytes behind the view. The pages are kept until the run is over. */
static int show(struct sluice_cursor *c, const struct shown *s)
{
	struct sluice_page_refs *refs = &c->ssk->filter->refs;
	struct sk_buff *skb = c->ssk->filter->skb;
	u32 copied = min_t(u32, s->len, COPY_MAX), rest = s->len - copied;
	unsigned int i;
	int err;

	set_copied(skb, copied);
	err = copy_from_log(c, s->pos, skb->data + sizeof(struct sluice_filter_view), copied);
	if (err || !rest)
		return err;
	if (c->open) {
		hang_on_memory(skb, c->open->bytes + s->pos + copied, rest);
		return 0;
	}
	if (sluice_pages_gather(c->file, &c->ra, s->pos + copied, rest, refs, &err) < rest)
		return err ?: -EIO;
	for (i = 0; i < refs->count; i++)
		hang_on(skb, refs->pages[i], refs->partial[i].offset, refs->partial[i].len);
	return 0;
}

/* Where a part of the record is in the view; 0 if it begins behind it. */
static __be32 place(const struct shown *s, u64 pos)
{
	u64 at = pos - s->pos;

	return cpu_to_be32(at <= s->len ? sizeof(struct sluice_filter_view) + at : 0);
}

/* Those headers that are in the view whole, up to the first that is not. */
static int list_headers(struct sluice_cursor *c, const struct shown *s,
			struct sluice_filter_view *v)
{
	const struct sluice_record *r = &c->at.record;
	struct sluice_filter *f = c->ssk->filter;
	u64 pos = r->headers_pos;
	u32 was = f->listed, n = 0;

	f->listed = 0;
	for (; n < min_t(u32, r->header_count, SLUICE_FILTER_HEADERS_MAX); n++) {
		struct sluice_filter_header *h = &v->headers[n];
		struct sluice_record_part part;
		u64 base = s->pos;
		int err;

		if (r->end - s->pos <= COPY_MAX) {
			err = sluice_record_header_read_memory((const u8 *)(v + 1), pos - s->pos,
							       r->end - s->pos, &part);
			base = 0;
		} else {
			err = sluice_cursor_header_read(c, pos, &part);
		}
		if (err)
			return err;
		if (part.end - base > s->len)
			break;
		h->name_at = cpu_to_be32(sizeof(*v) + part.key_pos - base);
		h->name_len = cpu_to_be32(part.key_len);
		h->value_at = cpu_to_be32(sizeof(*v) + part.value_pos - base);
		h->value_len = cpu_to_be32(part.value_len);
		pos = part.end - base + s->pos;
	}
	if (n < was)
		memset(&v->headers[n], 0, (was - n) * sizeof(v->headers[0]));
	f->listed = n;
	v->header_count = cpu_to_be32(r->header_count);
	v->headers_listed = cpu_to_be32(n);
	return 0;
}

static int view_record(struct sluice_cursor *c, const struct shown *s,
		       struct sluice_filter_view *v)
{
	const struct sluice_record *r = &c->at.record;
	const struct sluice_batch *b = &c->at.batch;
	u64 timestamp = (u64)b->base_timestamp + (u64)r->timestamp_delta;
	u32 flags = 0;

	if (b->attributes & SLUICE_BATCH_LOG_APPEND_TIME) {
		timestamp = b->max_timestamp;
		flags |= SLUICE_RECORD_LOG_APPEND_TIME;
	}
	if (r->value_len < 0)
		flags |= SLUICE_RECORD_NULL_VALUE;
	v->flags = cpu_to_be32(flags);
	v->offset = cpu_to_be64(b->base_offset + r->offset_delta);
	v->timestamp = cpu_to_be64(timestamp);
	v->record_count = cpu_to_be32(1);
	v->key_at = place(s, r->key_pos);
	v->key_len = cpu_to_be32(r->key_len);
	v->value_at = place(s, r->value_pos);
	v->value_len = cpu_to_be32(r->value_len);
	return list_headers(c, s, v);
}

static void view_batch(struct sluice_cursor *c, struct sluice_filter_view *v)
{
	const struct sluice_batch *b = &c->at.batch;
	u32 flags = SLUICE_RECORD_BATCH;

	if (b->attributes & SLUICE_BATCH_LOG_APPEND_TIME)
		flags |= SLUICE_RECORD_LOG_APPEND_TIME;
	v->flags = cpu_to_be32(flags);
	v->offset = cpu_to_be64(b->base_offset);
	v->timestamp = cpu_to_be64(b->max_timestamp);
	v->record_count = cpu_to_be32(b->record_count);
	v->key_at = 0;
	v->key_len = cpu_to_be32(-1);
	v->value_at = cpu_to_be32(sizeof(*v));
	v->value_len = cpu_to_be32(b->size);
	v->header_count = 0;
	v->headers_listed = 0;
}

static u32 run_program(struct sock *sk, struct sk_buff *skb)
{
	struct sk_filter *filter;
	u32 verdict = 1;

	rcu_read_lock();
	filter = rcu_dereference(sk->sk_filter);
	if (filter) {
		/* For helpers that ask whose it is; no reference, as it stays here. */
		skb->sk = sk;
		verdict = bpf_prog_run_save_cb(filter->prog, skb);
		skb->sk = NULL;
	}
	rcu_read_unlock();
	return verdict;
}

int sluice_filter_run(struct sluice_cursor *c)
{
	const struct sluice_place *at = &c->at;
	bool is_batch = c->ssk->sk.sk_type == SOCK_STREAM ||
			at->batch.attributes & SLUICE_BATCH_COMPRESSION_MASK;
	struct shown s = { .pos = at->position, .size = at->batch.size };
	struct sk_buff *skb = c->ssk->filter->skb;
	struct sluice_filter_view *v = (struct sluice_filter_view *)skb->data;
	int ret;

	if (!is_batch) {
		s.pos = at->record.key_pos;
		s.size = at->record.end - s.pos;
	}
	s.len = min_t(u64, s.size, SLUICE_FILTER_BYTES_MAX);
	ret = show(c, &s);
	if (ret)
		goto out;
	v->size = cpu_to_be16(sizeof(*v));
	v->partition = cpu_to_be32(c->p->index);
	v->leader_epoch = cpu_to_be32(at->batch.leader_epoch);
	v->attributes = cpu_to_be32(at->batch.attributes);
	v->bytes = cpu_to_be32(s.size);
	memcpy(v->topic_id, c->p->topic->id, sizeof(v->topic_id));
	if (is_batch)
		view_batch(c, v);
	else
		ret = view_record(c, &s, v);
	if (!ret)
		ret = !!run_program(&c->ssk->sk, skb);
out:
	if (skb->data_len)
		set_copied(skb, 0);
	if (c->ssk->filter->refs.count)
		sluice_pages_put(&c->ssk->filter->refs);
	return ret;
}
