// SPDX-License-Identifier: Apache-2.0
/*
 * A log directory in which things went wrong. The input is a list of changes
 * to the files of a good log: what a crash, a bad disk or a hostile hand may
 * do. Opening may refuse it but must survive it; after recovery it must open,
 * be readable and take an append.
 */
#include "log.h"
#include "record.h"
#include "recover.h"

#include <stdlib.h>
#include "tests/fuzz/fuzz_dir.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define FILES_MAX     96
#define FILE_SIZE_MAX 65536
#define WRITTEN_MAX   32

struct kept_file {
	char name[48];
	u8 *bytes;
	size_t len;
};

static struct kept_file good[FILES_MAX];
static u32 good_count;

static const struct sluice_log_config config = {
	.segment_bytes = 600,
	.max_message_bytes = 600,
	.index_interval_bytes = 100,
	.segment_index_bytes = 1000,
	.timestamp_before_max_ms = S64_MAX,
	.producer_expiration_ms = S64_MAX,
};

static int add_name(void *ctx, const char *name, size_t len)
{
	struct kept_file *files = ctx;
	u32 i = 0;

	while (i < FILES_MAX && files[i].name[0])
		i++;
	if (i < FILES_MAX && len < sizeof(files[i].name))
		memcpy(files[i].name, name, len);
	return 0;
}

static void clear_dir(void)
{
	struct kept_file files[FILES_MAX] = {0};

	if (port_dir_list(dir, add_name, files))
		abort();
	for (u32 i = 0; i < FILES_MAX && files[i].name[0]; i++)
		if (port_file_remove(dir, files[i].name))
			abort();
}

/* Every batch that was ever appended, without what a CRC does not cover. */
static struct written {
	u8 bytes[600];
	size_t len;
} written[WRITTEN_MAX];
static u32 written_count, good_written;

/* Every other batch is of an idempotent producer, so that there are snapshots with something in. */
static int append_one(struct sluice_log *log, u32 value_len, s64 timestamp)
{
	static u8 value[400];
	const struct sluice_record_out r = {
		.timestamp = timestamp, .key_len = -1, .value = value, .value_len = (s32)value_len};
	size_t size = sluice_batch_build_size(&r);
	struct sluice_append a = {0};
	struct port_iter iter;
	u8 bytes[600];

	value[0]++;
	sluice_batch_build(bytes, size, &r);
	if (written_count % 2) {
		struct sluice_batch_header *h = (struct sluice_batch_header *)bytes;

		put_unaligned_be64(written_count, &h->producer_id);
		put_unaligned_be16(3, &h->producer_epoch);
		put_unaligned_be32(0, &h->base_sequence);
		put_unaligned_be32(port_crc32c(0, bytes + SLUICE_BATCH_CRC_START,
					       size - SLUICE_BATCH_CRC_START),
				   &h->crc);
	}
	if (written_count < WRITTEN_MAX) {
		struct written *w = &written[written_count++];

		w->len = size - SLUICE_BATCH_CRC_START;
		memcpy(w->bytes, bytes + SLUICE_BATCH_CRC_START, w->len);
	}
	port_iter_init(&iter, bytes, size);
	a.src = &iter;
	return sluice_log_append(log, &a);
}

static struct sluice_log *open_log(bool must)
{
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_log *log = NULL;
	int ret = sluice_log_open(dir, &config, &(struct sluice_log_open_args){0}, err, &log);

	if (ret && must) {
		fprintf(stderr, "open after recovery: %d %s\n", ret, err);
		abort();
	}
	assert((ret != 0) == (strlen(err) > 0));
	return log;
}

static void write_file(const char *name, const u8 *bytes, size_t len)
{
	struct port_file *file;

	if (port_file_remove(dir, name) || port_file_open(dir, name, PORT_CREATE, &file) ||
	    port_file_write(file, 0, bytes, len))
		abort();
	port_file_close(file);
}

static void keep_good(void)
{
	if (port_dir_list(dir, add_name, good))
		abort();
	for (good_count = 0; good_count < FILES_MAX && good[good_count].name[0]; good_count++) {
		struct kept_file *kept = &good[good_count];
		struct port_file *file;

		if (port_file_open(dir, kept->name, PORT_RDONLY, &file))
			abort();
		kept->len = (size_t)port_file_size(file);
		kept->bytes = malloc(kept->len + 1);
		if (port_file_read(file, 0, kept->bytes, kept->len) != (ssize_t)kept->len)
			abort();
		port_file_close(file);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kept_file *)a)->name, ((const struct kept_file *)b)->name);
}

static void clean_up(void)
{
	clear_dir();
	fuzz_dir_remove();
	for (u32 i = 0; i < good_count; i++)
		free(good[i].bytes);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sluice_log *log;
	s64 recovery_point;

	(void)argc;
	(void)argv;
	fuzz_dir_make(clean_up);
	log = open_log(true);
	for (int i = 0; i < 14; i++)
		if (append_one(log, (u32)i * 9, 1000 + i * 7 % 5))
			abort();
	if (sluice_log_flush(log, &recovery_point) || sluice_log_flush_indexes(log))
		abort();
	sluice_log_close(log);
	keep_good();
	good_written = written_count;
	/* The directory's order is not the same everywhere; an input is to mean the same. */
	qsort(good, good_count, sizeof(good[0]), by_name);
	return 0;
}

static u32 take_u16(struct input *in)
{
	u32 high = take(in);

	return high << 8 | take(in);
}

/*
 * One more file, with a name of any kind: a segment, an index without one, what
 * an interrupted removal, compaction or roll leaves. Its content is a good
 * file's, or the input's.
 */
static void add_file(struct input *in, u8 what, const struct kept_file *kept, u32 position)
{
	static const char *const kinds[] = {".log",	 ".index", ".timeindex", ".txnindex",
					    ".snapshot", ".log",   ".log",	 ".index"};
	static const char *const states[] = {"", ".swap", ".cleaned", ".deleted"};
	u8 name_bits = take(in);
	const char *kind = kinds[name_bits & 7];
	char name[48];

	if ((name_bits >> 5) == 7)
		snprintf(name, sizeof(name), "next%s.prepared", kind);
	else
		snprintf(name, sizeof(name), "%020u%s%s", position % 20, kind,
			 states[name_bits >> 3 & 3]);
	if (what & 8)
		write_file(name, kept->bytes, kept->len);
	else
		write_file(name, in->next, min_t(size_t, in->left, what >> 4));
}

static void change(struct input *in)
{
	u8 what = take(in);
	const struct kept_file *kept = &good[take(in) % good_count];
	u32 position = take_u16(in) % FILE_SIZE_MAX;
	struct port_file *file;
	size_t len = 0;

	if (what % 8 == 0) {
		if (port_file_remove(dir, kept->name))
			abort();
		return;
	}
	if (what % 8 == 1) {
		add_file(in, what, kept, position);
		return;
	}
	if (port_file_open(dir, kept->name, 0, &file))
		return;
	if (what % 8 == 2) {
		if (port_file_truncate(file, position))
			abort();
	} else {
		len = min_t(size_t, in->left, 1 + (what >> 3));
		if (port_file_write(file, position % (kept->len + 16), in->next, len))
			abort();
	}
	port_file_close(file);
	in->next += len;
	in->left -= len;
}

/* What is read must be something that was appended, byte for byte. */
static void check_written(const struct sluice_range *range, const struct sluice_batch *b)
{
	size_t len = b->size - SLUICE_BATCH_CRC_START;
	u8 bytes[600];

	if (len <= sizeof(bytes) &&
	    port_file_read(range->file, range->position + SLUICE_BATCH_CRC_START, bytes, len) ==
		    (ssize_t)len) {
		for (u32 i = 0; i < written_count; i++) {
			if (written[i].len == len && !memcmp(written[i].bytes, bytes, len))
				return;
		}
	}
	abort();
}

/* @whole: every byte was verified, so each must be there and right. */
static void read_log(struct sluice_log *log, bool whole)
{
	s64 offset = sluice_log_start_offset(log), end = sluice_log_end_offset(log);
	s64 found, time;

	for (int i = 0; i < 200 && offset < end; i++) {
		struct sluice_range range;
		struct sluice_batch b;
		u32 crc = 0;
		int ret = sluice_log_fetch(log, offset, 1, SLUICE_FETCH_WHOLE_FIRST, &range);

		assert(ret == 0 || (ret == -EIO && !whole));
		if (ret)
			break;
		if (!range.seg) {
			/* Only where the log ends in a gap. */
			assert(!whole && range.base_offset == end);
			break;
		}
		assert(range.base_offset >= 0);
		assert(range.position + range.bytes <= sluice_segment_published(range.seg));
		if (sluice_log_read_batch(range.file, range.position, range.position + range.bytes,
					  &b))
			abort();
		if (port_file_crc32c(range.file, range.position + SLUICE_BATCH_CRC_START,
				     b.size - SLUICE_BATCH_CRC_START, &crc))
			abort();
		assert(crc == b.crc || !whole);
		if (crc == b.crc)
			check_written(&range, &b);
		assert(sluice_batch_last_offset(&b) >= offset);
		offset = sluice_batch_last_offset(&b) + 1;
		sluice_segment_put(range.seg);
	}
	for (s64 t = 998; t < 1008; t += 3) {
		int ret = sluice_log_offset_for_time(log, t, &found, &time);

		assert(ret == 0 || (ret == -EIO && !whole));
	}
}

static void recover_and_read(s64 recovery_point, bool clean)
{
	bool whole = recovery_point == 0 && !clean;
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;
	struct sluice_log *log;

	if (sluice_log_recover(dir, &config, recovery_point, clean ? SLUICE_RECOVER_CLEAN : 0, err,
			       &done)) {
		fprintf(stderr, "recover: %s\n", err);
		abort();
	}
	log = open_log(true);
	if (sluice_log_segment_count(log) > 1 || sluice_log_size_bytes(log))
		assert(sluice_log_end_offset(log) == done.log_end_offset);
	read_log(log, whole);
	if (append_one(log, 50, 2000) && sluice_log_end_offset(log) < S64_MAX - 1)
		abort();
	read_log(log, whole);
	sluice_log_close(log);
	if (!whole)
		return;
	/* All was put right: there is nothing left to lose. */
	if (sluice_log_recover(dir, &config, 0, 0, err, &done))
		abort();
	assert(!done.bytes_cut && !done.segments_removed);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const s64 recovery_points[] = {0, 0, 5, 11, 14, S64_MAX, -1, 7};
	struct input in = {data, size};
	struct sluice_log *log;
	u8 mode = take(&in);

	clear_dir();
	written_count = good_written;
	for (u32 i = 0; i < good_count; i++)
		write_file(good[i].name, good[i].bytes, good[i].len);
	for (int i = 0; i < 12 && in.left; i++)
		change(&in);

	log = open_log(false);
	if (log) {
		read_log(log, false);
		sluice_log_close(log);
	}
	recover_and_read(recovery_points[mode & 7], mode & 8);
	return 0;
}
