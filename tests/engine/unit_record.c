// SPDX-License-Identifier: Apache-2.0
/* Varint vectors: the Protocol Buffers encoding reference, section "Signed Integers". */
#include "engine_test.h"
#include "golden.h"

#include <stdlib.h>

static void check_varint(s32 v, const char *bytes, size_t len)
{
	u8 buf[SLUICE_VARINT_MAX];
	s32 back = ~v;

	assert_int_equal(sluice_varint_size(v), len);
	assert_int_equal(sluice_varint_write(buf, v), len);
	assert_memory_equal(buf, bytes, len);
	assert_int_equal(sluice_varint_read(buf, len, &back), len);
	assert_int_equal(back, v);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(sluice_varint_read(buf, cut, &back), -EBADMSG);
}

static void check_varlong(s64 v, const char *bytes, size_t len)
{
	u8 buf[SLUICE_VARLONG_MAX];
	s64 back = ~v;

	assert_int_equal(sluice_varlong_size(v), len);
	assert_int_equal(sluice_varlong_write(buf, v), len);
	assert_memory_equal(buf, bytes, len);
	assert_int_equal(sluice_varlong_read(buf, len, &back), len);
	assert_true(back == v);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(sluice_varlong_read(buf, cut, &back), -EBADMSG);
}

static void sluice_varint__vectors(void **state)
{
	(void)state;
	check_varint(0, "\x00", 1);
	check_varint(-1, "\x01", 1);
	check_varint(1, "\x02", 1);
	check_varint(-2, "\x03", 1);
	check_varint(63, "\x7e", 1);
	check_varint(-64, "\x7f", 1);
	check_varint(64, "\x80\x01", 2);
	check_varint(-65, "\x81\x01", 2);
	check_varint(150, "\xac\x02", 2);
	check_varint(S32_MAX, "\xfe\xff\xff\xff\x0f", 5);
	check_varint(-S32_MAX - 1, "\xff\xff\xff\xff\x0f", 5);
}

static void sluice_varlong__vectors(void **state)
{
	(void)state;
	check_varlong(0, "\x00", 1);
	check_varlong(-1, "\x01", 1);
	check_varlong(S32_MAX, "\xfe\xff\xff\xff\x0f", 5);
	check_varlong(1LL << 34, "\x80\x80\x80\x80\x80\x01", 6);
	check_varlong(S64_MAX, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
	check_varlong(S64_MIN, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
}

static void sluice_varint_read__does_not_fit(void **state)
{
	s32 v = 7;
	s64 w = 7;

	(void)state;
	assert_int_equal(sluice_varint_read((const u8 *)"\xff\xff\xff\xff\x10", 5, &v), -EBADMSG);
	assert_int_equal(sluice_varint_read((const u8 *)"\x80\x80\x80\x80\x80\x00", 6, &v),
			 -EBADMSG);
	assert_int_equal(
		sluice_varlong_read((const u8 *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, &w),
		-EBADMSG);
	assert_int_equal(
		sluice_varlong_read((const u8 *)"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11,
				    &w),
		-EBADMSG);
	assert_int_equal(v, 7);
	assert_int_equal(w, 7);
	/* Longer than needed is not wrong. */
	assert_int_equal(sluice_varint_read((const u8 *)"\x82\x80\x00", 3, &v), 3);
	assert_int_equal(v, 1);
}

static struct port_file *golden_file(struct port_dir *dir, const u8 *bytes, size_t len)
{
	struct port_file *file;

	file_store(dir, "golden", bytes, len);
	assert_int_equal(port_file_open(dir, "golden", PORT_RDONLY, &file), 0);
	return file;
}

static void sluice_record_read__golden_three(void **state)
{
	struct port_file *file = golden_file(*state, golden_three, sizeof(golden_three));
	u64 end = sizeof(golden_three);
	struct sluice_record r;

	assert_int_equal(sluice_record_read(file, 61, end, &r), 0);
	assert_int_equal(r.timestamp_delta, 0);
	assert_int_equal(r.offset_delta, 0);
	assert_int_equal(r.key_len, 1);
	assert_int_equal(golden_three[r.key_pos], 'a');
	assert_int_equal(r.value_len, 1);
	assert_int_equal(golden_three[r.value_pos], '1');
	assert_int_equal(r.header_count, 0);
	assert_int_equal(r.end, r.headers_pos);

	assert_int_equal(sluice_record_read(file, r.end, end, &r), 0);
	assert_int_equal(r.timestamp_delta, 5);
	assert_int_equal(r.offset_delta, 1);
	assert_int_equal(r.value_len, 70);
	assert_int_equal(golden_three[r.value_pos + 69], '2');

	assert_int_equal(sluice_record_read(file, r.end, end, &r), 0);
	assert_int_equal(r.timestamp_delta, 3);
	assert_int_equal(r.key_len, -1);
	assert_int_equal(r.end, end);
	assert_int_equal(sluice_record_read(file, r.end, end, &r), -EBADMSG);
	assert_int_equal(sluice_record_read(file, end + 1, end, &r), -EBADMSG);
	port_file_close(file);
}

static void sluice_record_header_read__golden(void **state)
{
	struct port_file *file = golden_file(*state, golden_headers, sizeof(golden_headers));
	struct sluice_record_part h;
	struct sluice_record r;

	assert_int_equal(sluice_record_read(file, 61, sizeof(golden_headers), &r), 0);
	assert_int_equal(r.header_count, 3);
	assert_int_equal(r.key_len, 0);
	assert_int_equal(sluice_record_header_read(file, r.headers_pos, r.end, &h), 0);
	assert_int_equal(h.key_len, 5);
	assert_memory_equal(golden_headers + h.key_pos, "trace", 5);
	assert_int_equal(h.value_len, 2);
	assert_memory_equal(golden_headers + h.value_pos, "\1\2", 2);
	assert_int_equal(sluice_record_header_read(file, h.end, r.end, &h), 0);
	assert_memory_equal(golden_headers + h.key_pos, "null", 4);
	assert_int_equal(h.value_len, -1);
	assert_int_equal(sluice_record_header_read(file, h.end, r.end, &h), 0);
	assert_int_equal(h.key_len, 0);
	assert_int_equal(h.value_len, 0);
	assert_int_equal(h.end, r.end);
	assert_int_equal(sluice_record_header_read(file, h.end, r.end, &h), -EBADMSG);
	port_file_close(file);
}

/* Key and value longer than what one read brings. */
static void sluice_record_read__large_parts(void **state)
{
	const struct sluice_header_out header = {"h", 1, "w", 1};
	struct sluice_record_out out = {
		.key_len = 5000,
		.value_len = 70000,
		.headers = &header,
		.header_count = 1,
	};
	u8 *part = calloc(1, 70000);
	struct sluice_record_part h;
	struct port_file *file;
	struct sluice_record r;
	size_t size;
	u8 *bytes;

	out.key = part;
	out.value = part;
	size = sluice_batch_build_size(&out);
	bytes = malloc(size);
	sluice_batch_build(bytes, size, &out);
	file = golden_file(*state, bytes, size);
	assert_int_equal(sluice_record_read(file, 61, size, &r), 0);
	assert_int_equal(r.key_len, 5000);
	assert_int_equal(r.value_len, 70000);
	assert_int_equal(r.end, size);
	assert_int_equal(sluice_record_header_read(file, r.headers_pos, r.end, &h), 0);
	assert_int_equal(bytes[h.key_pos], 'h');
	assert_int_equal(bytes[h.value_pos], 'w');
	/* The file ends before the batch should. */
	port_file_close(file);
	file = golden_file(*state, bytes, size - 10);
	assert_int_equal(sluice_record_read(file, 61, size, &r), -EBADMSG);
	port_file_close(file);
	free(bytes);
	free(part);
}

static void sluice_record_read__every_end(void **state)
{
	struct port_file *file = golden_file(*state, golden_headers, sizeof(golden_headers));
	struct sluice_record r;

	for (u64 end = 61; end < sizeof(golden_headers); end++)
		assert_int_equal(sluice_record_read(file, 61, end, &r), -EBADMSG);
	port_file_close(file);
}

static void check_malformed(struct port_dir *dir, const char *bytes, size_t len)
{
	struct port_file *file = golden_file(dir, (const u8 *)bytes, len);
	struct sluice_record r;

	assert_int_equal(sluice_record_read(file, 0, len, &r), -EBADMSG);
	port_file_close(file);
}

static void sluice_record_read__malformed(void **state)
{
	struct port_file *file = golden_file(*state, (const u8 *)"\x0c\0\0\0\1\1\0", 7);
	struct sluice_record r;

	/* What the others are changes of: null key, null value, no header. */
	assert_int_equal(sluice_record_read(file, 0, 7, &r), 0);
	port_file_close(file);

	check_malformed(*state, "\x01\0\0\0\1\1\0", 7);	  /* record length -1 */
	check_malformed(*state, "\x0e\0\0\0\1\1\0", 7);	  /* longer than the batch */
	check_malformed(*state, "\x0a\0\0\0\1\1\0", 7);	  /* ends before the header count */
	check_malformed(*state, "\x0c\0\0\0\3\1\0", 7);	  /* key length -2 */
	check_malformed(*state, "\x0c\0\0\0\1\3\0", 7);	  /* value length -2 */
	check_malformed(*state, "\x0c\0\0\0\x0a\1\0", 7); /* key longer than the record */
	check_malformed(*state, "\x0c\0\0\0\1\1\1", 7);	  /* header count -1 */
	check_malformed(*state, "\x0c\0\0\0\1\1\2", 7);	  /* one header, no room */
	check_malformed(*state, "\x0e\0\0\0\1\1\0\0", 8); /* a byte too much */
	check_malformed(*state, "\x00", 1);
}

static void sluice_records_check__golden(void **state)
{
	const char *why = NULL;
	struct sluice_batch b;

	(void)state;
	assert_int_equal(sluice_batch_parse(golden_three, U32_MAX, &b), 0);
	assert_int_equal(sluice_records_check(&b, golden_three + 61, b.size - 61, &why), 0);
	assert_int_equal(sluice_batch_parse(golden_headers, U32_MAX, &b), 0);
	assert_int_equal(sluice_records_check(&b, golden_headers + 61, b.size - 61, &why), 0);
	assert_null(why);
	assert_int_equal(sluice_batch_parse(golden_gzip, U32_MAX, &b), 0);
	assert_int_equal(sluice_records_check(&b, golden_gzip + 61, b.size - 61, &why), -EINVAL);
	assert_string_equal(why, "the records are compressed");
}

static void sluice_records_check__bad(void **state)
{
	u8 bytes[sizeof(golden_three)];
	const char *why = NULL;
	struct sluice_batch b;

	(void)state;
	assert_int_equal(sluice_batch_parse(golden_three, U32_MAX, &b), 0);
	memcpy(bytes, golden_three, sizeof(bytes));
	b.record_count = 2;
	assert_int_equal(sluice_records_check(&b, bytes + 61, b.size - 61, &why), -EINVAL);
	assert_string_equal(why, "the batch has more bytes than its records");
	b.record_count = 4;
	assert_int_equal(sluice_records_check(&b, bytes + 61, b.size - 61, &why), -EINVAL);
	assert_string_equal(why, "the batch has fewer records than its header says");
	b.record_count = 3;
	for (size_t len = 0; len < b.size - 61; len++)
		assert_int_equal(sluice_records_check(&b, bytes + 61, len, &why), -EINVAL);
	bytes[61 + 3] = 2; /* offset delta 1 in the first record */
	assert_int_equal(sluice_records_check(&b, bytes + 61, b.size - 61, &why), -EINVAL);
	assert_string_equal(why, "the offsets of the records are not 0, 1, 2 and so on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sluice_varint__vectors),
		cmocka_unit_test(sluice_varlong__vectors),
		cmocka_unit_test(sluice_varint_read__does_not_fit),
		cmocka_unit_test_setup_teardown(sluice_record_read__golden_three, dir_setup,
						dir_teardown),
		cmocka_unit_test_setup_teardown(sluice_record_header_read__golden, dir_setup,
						dir_teardown),
		cmocka_unit_test_setup_teardown(sluice_record_read__large_parts, dir_setup,
						dir_teardown),
		cmocka_unit_test_setup_teardown(sluice_record_read__every_end, dir_setup,
						dir_teardown),
		cmocka_unit_test_setup_teardown(sluice_record_read__malformed, dir_setup,
						dir_teardown),
		cmocka_unit_test(sluice_records_check__golden),
		cmocka_unit_test(sluice_records_check__bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
