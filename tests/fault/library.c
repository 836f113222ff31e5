/* engine/: indexing and importing with the first, second, third ... allocation, write, sync or rename failing. Whatever
 * happens, each picture is there with its vector or not at all, and the library is sound.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "akin/akin.h"
#include "base/fs.h"
#include "image/image.h"
#include "pictures.h"

enum { PICTURES = 3 };

static akin_library *lib;
static const char *folder;

static void count(void *user, const char *finding)
{
	print_error("finding: %s\n", finding);
	++*(int *)user;
}

static void empty_the_library(void)
{
	akin_error err;
	uint64_t n;

	CHECK_OK(akin_library_remove_paths(lib, &folder, 1, &n, &err), &err);
}

static uint64_t pictures(void)
{
	akin_library_info info;
	akin_error err;
	uint64_t n;

	CHECK_OK(akin_library_get_info(lib, &info, &err), &err);
	n = info.pictures;
	CHECK(info.features == n, "%d pictures, %d vectors\n", (int)n, (int)info.features);
	akin_library_info_deinit(&info);
	return n;
}

static akin_status index_folder(void *ctx)
{
	const akin_index_params params = { .jobs = 1 };
	akin_index_report report;
	akin_error err;
	akin_status st = akin_library_index(lib, &folder, 1, &params, &report, &err);
	int findings = 0;
	bool met = fault_disarm();

	(void)ctx;
	/* A failure inside one picture is that picture's; the run as a whole may go on. */
	CHECK(st == AKIN_OK || err.text[0], "a failure without a sentence\n");
	CHECK(pictures() <= PICTURES && pictures() == report.count[AKIN_FILE_ADDED], "%d pictures, %d told\n", (int)pictures(),
	      (int)report.count[AKIN_FILE_ADDED]);
	if (!met) CHECK(pictures() == PICTURES, "%d of %d\n", (int)pictures(), PICTURES);
	CHECK_OK(akin_library_check(lib, 0, count, &findings, NULL, &err), &err);
	CHECK(findings == 0, "%d findings\n", findings);
	empty_the_library();
	if (met) { /* for fault_loop, which asks again whether a failure was met */
		fault_arm(FAULT_ALLOC, 1, false);
		fault_hit(FAULT_ALLOC);
	}
	return st;
}

TEST(indexing_is_all_or_nothing_for_each_picture)
{
	struct buf png = BUF_EMPTY;
	const akin_open_params open = { .flags = AKIN_OPEN_CREATE, .model = TINY_MODEL, .cache_dir = test_path("cache"), .threads = 1 };
	akin_error err;

	folder = test_path("pictures");
	CHECK_OK(fs_mkdirs(folder, &err), &err);
	for (int i = 0; i < PICTURES; i++) {
		char name[512];

		picture_make((uint64_t)i, &png);
		snprintf(name, sizeof name, "%s/%d.png", folder, i);
		picture_write(name, png.data, png.len);
	}
	buf_deinit(&png);
	CHECK_OK(akin_library_open(&lib, test_path("lib.akin"), &open, &err), &err);
	CHECK_OK(index_folder(NULL), &err); /* the compiled model is in its cache from now on */
	fault_loop(FAULT_ALLOC | FAULT_WRITE | FAULT_SYNC | FAULT_RENAME, 3000, index_folder, NULL);
	akin_library_close(lib);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(indexing_is_all_or_nothing_for_each_picture) };

	return image_init(NULL) == AKIN_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
