// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* leader-epoch-checkpoint: reading and replacing it. */
#include "leader_epoch_file.h"
#include "log.h"

#define LINE_MAX_LEN	(sizeof("2147483647 9223372036854775807\n") - 1)
#define TEXT_MAX	((SLUICE_LEADER_EPOCHS_MAX + 2) * LINE_MAX_LEN)

/* Where a parser stands. */
struct text {
	const char *next;
	const char *end;
	u32 line;
	const char *why;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Decimal digits; -1 if there are none, or if the number is above @max. */
static s64 take_number(struct text *t, s64 max)
{
	const char *start = t->next;
	s64 v = 0;

	while (t->next < t->end && *t->next >= '0' && *t->next <= '9') {
		s32 digit = *t->next - '0';

		if (v > (max - digit) / 10)
			return -1;
		v = v * 10 + digit;
		t->next++;
	}
	return t->next == start ? -1 : v;
}

/* The last line may lack its end. */
static bool take_line_end(struct text *t)
{
	if (t->next == t->end)
		return true;
	if (*t->next != '\n')
		return false;
	t->next++;
	return true;
}

static int malformed(struct text *t, const char *why)
{
	t->why = why;
	return -EUCLEAN;
}

static int take_entry(struct text *t, struct sluice_leader_epoch *ret_entry)
{
	s64 epoch = take_number(t, S32_MAX);
	const char *blanks = t->next;

	while (t->next < t->end && is_blank(*t->next))
		t->next++;
	if (epoch < 0 || t->next == blanks)
		return malformed(t, "no leader epoch stands here");
	ret_entry->epoch = (s32)epoch;
	ret_entry->start_offset = take_number(t, S64_MAX);
	if (ret_entry->start_offset < 0 || !take_line_end(t))
		return malformed(t, "the start offset is not a number");
	return 0;
}

static int take_header(struct text *t, u32 *ret_count)
{
	s64 count;

	t->line = 1;
	if (take_number(t, S32_MAX) != 0 || !take_line_end(t))
		return malformed(t, "the version is not 0");
	t->line = 2;
	count = take_number(t, SLUICE_LEADER_EPOCHS_MAX);
	if (count < 0 || !take_line_end(t))
		return malformed(t, "the number of entries is impossible");
	*ret_count = (u32)count;
	return 0;
}

static int take_entries(struct text *t, struct sluice_leader_epoch *entries, u32 count)
{
	u32 i;
	int ret;

	for (i = 0; i < count; i++) {
		t->line = i + 3;
		ret = take_entry(t, &entries[i]);
		if (ret)
			return ret;
		if (i && (entries[i].epoch <= entries[i - 1].epoch ||
			  entries[i].start_offset < entries[i - 1].start_offset))
			return malformed(t, "the entries are not in order");
	}
	t->line = count + 3;
	return t->next == t->end ? 0 : malformed(t, "there are more entries than announced");
}

int sluice_leader_epochs_parse(struct sluice_leader_epochs *e, const char *text, size_t len,
			       u32 *ret_line, const char **ret_why)
{
	struct text t = { .next = text, .end = text + len };
	struct sluice_leader_epoch *entries = NULL;
	u32 count = 0;
	int ret;

	ret = take_header(&t, &count);
	/* An entry has at least "0 0": a count from outside asks for no more memory. */
	if (!ret && count > (size_t)(t.end - t.next) / 3)
		ret = malformed(&t, "there are fewer entries than announced");
	if (!ret && count) {
		entries = port_alloc(count * sizeof(*entries));
		ret = entries ? take_entries(&t, entries, count) : -ENOMEM;
	} else if (!ret) {
		ret = take_entries(&t, NULL, 0);
	}
	if (ret) {
		port_free(entries);
		*ret_line = t.line;
		*ret_why = t.why;
		return ret;
	}
	e->entries = entries;
	e->count = count;
	e->capacity = count;
	return 0;
}

static int load_file(struct sluice_leader_epochs *e, struct port_file *file, char *err)
{
	s64 size = port_file_size(file);
	const char *why = NULL;
	u32 line = 0;
	ssize_t n;
	char *text;
	int ret;

	if (size < 0)
		return (int)size;
	if (size > (s64)TEXT_MAX) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: impossible size %lld",
			 SLUICE_LEADER_EPOCH_FILE, size);
		return -EUCLEAN;
	}
	text = port_alloc((size_t)size + 1);
	if (!text)
		return -ENOMEM;
	n = port_file_read(file, 0, text, (size_t)size);
	ret = n < 0 ? (int)n : sluice_leader_epochs_parse(e, text, (size_t)n, &line, &why);
	port_free(text);
	if (ret == -EUCLEAN)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: line %u: %s", SLUICE_LEADER_EPOCH_FILE,
			 line, why);
	return ret;
}

int sluice_leader_epochs_load(struct sluice_leader_epochs *e, struct port_dir *dir, char *err)
{
	struct port_file *file;
	int ret;

	ret = port_file_open(dir, SLUICE_LEADER_EPOCH_FILE, PORT_RDONLY, &file);
	if (ret == -ENOENT)
		return ret;
	if (!ret) {
		ret = load_file(e, file, err);
		port_file_close(file);
	}
	if (ret && ret != -EUCLEAN)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be read (error %d)",
			 SLUICE_LEADER_EPOCH_FILE, -ret);
	return ret;
}

/* @text: room for the lines of @count entries; returns what is used of it. */
static size_t format(char *text, const struct sluice_leader_epoch *entries, u32 count)
{
	size_t room = (count + 2) * LINE_MAX_LEN + 1;
	size_t len = (size_t)snprintf(text, room, "0\n%u\n", count);
	u32 i;

	for (i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, room - len, "%d %lld\n", entries[i].epoch,
					entries[i].start_offset);
	return len;
}

/* An image of the entries, to be freed; it changes while memory is found for it. */
static int copy_entries(struct sluice_leader_epochs *e, struct sluice_leader_epoch **ret_entries,
			u32 *ret_count, u64 *ret_changes)
{
	struct sluice_leader_epoch *copy = NULL;
	u32 room = 0, count;

	for (;;) {
		port_spin_lock(&e->lock);
		count = e->count;
		if (copy && count <= room) {
			if (count)
				memcpy(copy, e->entries, count * sizeof(*copy));
			*ret_changes = e->changes;
			port_spin_unlock(&e->lock);
			*ret_entries = copy;
			*ret_count = count;
			return 0;
		}
		port_spin_unlock(&e->lock);
		/* Room for more, so that the second round is the last but by a miracle. */
		room = count + 4;
		port_free(copy);
		copy = port_alloc(room * sizeof(*copy));
		if (!copy)
			return -ENOMEM;
	}
}

static int write_temp(struct port_dir *dir, const char *text, size_t len)
{
	struct port_file *file;
	int ret;

	ret = port_file_remove(dir, SLUICE_LEADER_EPOCH_FILE_TEMP);
	if (ret)
		return ret;
	ret = port_file_open(dir, SLUICE_LEADER_EPOCH_FILE_TEMP, PORT_CREATE, &file);
	if (ret)
		return ret;
	ret = port_file_write(file, 0, text, len);
	if (!ret)
		ret = port_file_sync(file);
	port_file_close(file);
	return ret;
}

int sluice_leader_epochs_save(struct sluice_leader_epochs *e, struct port_dir *dir,
			      u64 *ret_changes)
{
	struct sluice_leader_epoch *entries;
	u64 changes;
	char *text;
	u32 count;
	int ret;

	ret = copy_entries(e, &entries, &count, &changes);
	if (ret)
		return ret;
	text = port_alloc((count + 2) * LINE_MAX_LEN + 1);
	if (!text) {
		ret = -ENOMEM;
		goto err_alloc;
	}
	ret = write_temp(dir, text, format(text, entries, count));
	if (!ret)
		ret = port_file_rename(dir, SLUICE_LEADER_EPOCH_FILE_TEMP,
				       SLUICE_LEADER_EPOCH_FILE);
	if (!ret)
		*ret_changes = changes;
	port_free(text);
err_alloc:
	port_free(entries);
	return ret;
}
