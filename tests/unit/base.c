/* base/: strings, buffers, files, queues.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/str.h"

TEST(numbers_are_whole_strings_in_range)
{
	int64_t i = 7;
	double d = 7;

	CHECK(str_to_i64("12", 0, 100, &i) && i == 12);
	CHECK(str_to_i64("-3", -5, 5, &i) && i == -3);
	CHECK(!str_to_i64("12x", 0, 100, &i) && !str_to_i64("", 0, 1, &i) && !str_to_i64(" 1", 0, 1, &i));
	CHECK(!str_to_i64("101", 0, 100, &i) && !str_to_i64("99999999999999999999", 0, INT64_MAX, &i));
	CHECK(i == -3, "a failed parse must leave the value\n");
	CHECK(str_to_double("0.25", 0, 1, &d) && d == 0.25);
	CHECK(!str_to_double("inf", 0, 1e300, &d) && !str_to_double("0x1", 0, 10, &d) && !str_to_double("nan", 0, 1, &d));
}

TEST(absolute_paths_have_no_dots)
{
	static const char *const cases[][2] = { { "/a/./b//c/", "/a/b/c" }, { "/a/../../b", "/b" }, { "/", "/" }, { "/..", "/" },
		                                { "/a/b/..", "/a" } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *got = fs_absolute(cases[i][0]);
		CHECK(!strcmp(got, cases[i][1]), "%s -> %s\n", cases[i][0], got);
		mem_free(got);
	}
}

static akin_status write_twice(void *ctx)
{
	const char *path = ctx;
	akin_error err;
	struct buf old = BUF_EMPTY;
	akin_status st;

	if ((st = fs_write(path, "new!", 4, &err)) != AKIN_OK) {
		fault_disarm();
		CHECK_OK(fs_read(path, 100, &old, &err), &err);
		CHECK(old.len == 3 || old.len == 4, "torn file of %zu bytes\n", old.len);
		fault_arm(FAULT_ALLOC, 1, false);
		buf_deinit(&old);
		fault_hit(FAULT_ALLOC);
	}
	return st;
}

TEST(a_failed_write_leaves_the_old_file)
{
	const char *path = test_path("atomic");
	akin_error err;

	CHECK_OK(fs_write(path, "old", 3, &err), &err);
	fault_loop(FAULT_WRITE | FAULT_SYNC | FAULT_RENAME | FAULT_ALLOC, 100, write_twice, (void *)(uintptr_t)path);
}

TEST(reading_respects_the_limit_and_refuses_folders)
{
	const char *path = test_path("ten");
	struct buf got = BUF_EMPTY;
	akin_error err;

	CHECK_OK(fs_write(path, "0123456789", 10, &err), &err);
	CHECK_STATUS(fs_read(path, 9, &got, &err), AKIN_ERR_LIMIT);
	CHECK_STATUS(fs_read(test_dir(), 9, &got, &err), AKIN_ERR_FORMAT);
	CHECK_STATUS(fs_read(test_path("none"), 9, &got, &err), AKIN_ERR_NOT_FOUND);
	buf_clear(&got);
	CHECK_OK(fs_read(path, 10, &got, &err), &err);
	CHECK(got.len == 10 && !memcmp(got.data, "0123456789", 10));
	buf_deinit(&got);
}

TEST(sha256_is_the_standard_one)
{
	char hex[65];
	uint8_t sum[HASH_BYTES];

	hash_sha256("abc", 3, sum);
	str_hex(sum, HASH_BYTES, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void count_up(void *ctx, size_t i)
{
	__atomic_fetch_add(&((int *)ctx)[i], 1, __ATOMIC_RELAXED);
}

TEST(a_parallel_loop_visits_each_item_once)
{
	int seen[1000] = { 0 };

	pool_for(COUNT(seen), 4, count_up, seen);
	for (size_t i = 0; i < COUNT(seen); i++) CHECK(seen[i] == 1);
}

TEST(a_closed_queue_gives_what_is_left)
{
	struct queue q;
	akin_error err;
	int item = 0;

	CHECK_OK(queue_init(&q, 2, &err), &err);
	CHECK(queue_push(&q, &item));
	queue_close(&q);
	CHECK(!queue_push(&q, &item));
	CHECK(queue_pop(&q) == &item && queue_pop(&q) == NULL && queue_pop_timed(&q, 0.01) == NULL);
	queue_deinit(&q);
}

TEST(errors_gain_context_layer_by_layer)
{
	akin_error err;

	error_set(&err, AKIN_ERR_FORMAT, "truncated at byte %d", 12);
	error_note(&err, AKIN_ERR_FORMAT, "adding %s", "cat.jpg");
	assert_string_equal(err.text, "adding cat.jpg: truncated at byte 12");
}

TEST_MAIN(cmocka_unit_test(numbers_are_whole_strings_in_range), cmocka_unit_test(absolute_paths_have_no_dots),
          cmocka_unit_test(a_failed_write_leaves_the_old_file),
          cmocka_unit_test(reading_respects_the_limit_and_refuses_folders), cmocka_unit_test(sha256_is_the_standard_one),
          cmocka_unit_test(a_parallel_loop_visits_each_item_once), cmocka_unit_test(a_closed_queue_gives_what_is_left),
          cmocka_unit_test(errors_gain_context_layer_by_layer))
