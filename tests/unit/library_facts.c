/* engine/: facts come with indexing, sidecars included; a library of the first schema gets them by the next run, which describes
 * nothing anew.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>

#include "akin/akin.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "image/image.h"
#include "pictures.h"
#include "store/internal.h"

static akin_error err;

static akin_library *open_library(unsigned flags)
{
	const akin_open_params params = { .flags = flags, .model = TINY_MODEL, .cache_dir = "", .threads = 1 };
	akin_library *lib;

	CHECK_OK(akin_library_open(&lib, test_path("lib.akin"), &params, &err), &err);
	return lib;
}

static akin_index_report index_folder(akin_library *lib)
{
	const char *folder = test_path("in");
	akin_index_report report;

	CHECK_OK(akin_library_index(lib, &folder, 1, NULL, &report, &err), &err);
	return report;
}

static akin_picture get(akin_library *lib, const char *name)
{
	akin_picture picture;
	akin_id id;

	CHECK_OK(akin_picture_find(lib, test_path(name), &id, &err), &err);
	CHECK_OK(akin_picture_get(lib, id, &picture, &err), &err);
	return picture;
}

static void write_text(const char *name, const char *text)
{
	CHECK_OK(fs_write(test_path(name), text, strlen(text), &err), &err);
}

static void make_pictures(void)
{
	struct buf png = BUF_EMPTY;

	CHECK_OK(image_init(&err), &err);
	CHECK_OK(fs_mkdirs(test_path("in"), &err), &err);
	for (unsigned i = 0; i < 2; i++) {
		picture_make(i + 1, &png);
		picture_write(test_path(i ? "in/b.png" : "in/a.png"), png.data, png.len);
	}
	write_text("in/a.txt", "A cat.\nzh_CN.utf8=一只猫。\n");
	write_text("in/b.png.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF"
	                           " xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description"
	                           " xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='4'/></rdf:RDF></x:xmpmeta>");
	buf_deinit(&png);
}

static void check_facts(akin_library *lib, bool with_colours)
{
	akin_picture a = get(lib, "in/a.png"), b = get(lib, "in/b.png");

	CHECK(a.sidecar && strstr(a.sidecar, "一只猫"), "%s\n", a.sidecar);
	CHECK(a.rating == AKIN_RATING_UNKNOWN && b.rating == 4, "%d\n", b.rating);
	CHECK((a.n_colours > 0) == with_colours && (a.is_grey >= 0) == with_colours);
	CHECK(!a.taken && !(a.latitude <= 90) && a.n_tags == 0);
	akin_picture_deinit(&a);
	akin_picture_deinit(&b);
}

/* Make the store what the first version would have written. */
static void back_to_the_first_schema(void)
{
	const char *store = test_path("lib.akin/store.sqlite"), *old = test_path("old.sqlite");
	char *attach = str_printf("ATTACH '%s' AS new; PRAGMA user_version = 1; DELETE FROM main.state;", store);
	static const char copy[] =
	        "INSERT INTO state SELECT * FROM new.state; INSERT INTO setting SELECT * FROM new.setting;"
	        "INSERT INTO model SELECT * FROM new.model; INSERT INTO class SELECT * FROM new.class;"
	        "INSERT INTO picture SELECT id, hash, width, height, format, bytes, added_at, is_foreign FROM new.picture;"
	        "INSERT INTO file SELECT * FROM new.file; INSERT INTO feature SELECT * FROM new.feature;"
	        "INSERT INTO removal SELECT * FROM new.removal; INSERT INTO label SELECT * FROM new.label;"
	        "DETACH new";
	const char *const steps[] = { "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL", migrate_steps[0], attach, copy };
	sqlite3 *db;

	CHECK(sqlite3_open(old, &db) == SQLITE_OK);
	for (size_t i = 0; i < COUNT(steps); i++)
		CHECK(sqlite3_exec(db, steps[i], NULL, NULL, NULL) == SQLITE_OK, "%s\n", sqlite3_errmsg(db));
	sqlite3_close(db);
	CHECK(rename(old, store) == 0);
	mem_free(attach);
}

TEST(facts_come_with_indexing_and_to_old_libraries)
{
	akin_library *lib;
	akin_library_info before, after;
	akin_index_report report;

	make_pictures();
	lib = open_library(AKIN_OPEN_CREATE);
	report = index_folder(lib);
	CHECK(report.count[AKIN_FILE_ADDED] == 2);
	check_facts(lib, true);
	report = index_folder(lib);
	CHECK(report.bytes == 0, "facts that are there were read again\n");
	akin_library_close(lib);

	back_to_the_first_schema();
	lib = open_library(AKIN_OPEN_READONLY); /* brings the tables up to date */
	CHECK_OK(akin_library_get_info(lib, &before, &err), &err);
	CHECK(before.schema == STORE_SCHEMA && before.pictures == 2);
	akin_library_close(lib);
	lib = open_library(0);
	report = index_folder(lib);
	CHECK(report.count[AKIN_FILE_UNCHANGED] == 2 && report.bytes > 0);
	check_facts(lib, false);
	CHECK_OK(akin_library_get_info(lib, &after, &err), &err);
	CHECK(before.generation == after.generation, "vectors were made again\n");
	CHECK(index_folder(lib).bytes == 0);
	akin_library_info_deinit(&before);
	akin_library_info_deinit(&after);

	/* What lies beside a picture is read again when the picture is touched. */
	write_text("in/a.txt", "A dog.");
	picture_touch(test_path("in/a.png"));
	index_folder(lib);
	{
		akin_picture a = get(lib, "in/a.png");

		CHECK(a.sidecar && !strcmp(a.sidecar, "A dog."));
		akin_picture_deinit(&a);
	}
	akin_library_close(lib);
}

static int count_tags(void *user, const char *tag, uint64_t pictures)
{
	*(uint64_t *)user += pictures + (strcmp(tag, "Holiday") ? 0 : 100);
	return 0;
}

TEST(tags_are_all_or_nothing)
{
	akin_library *lib = open_library(0);
	akin_picture a = get(lib, "in/a.png"), b = get(lib, "in/b.png"), again;
	const akin_id ids[] = { a.id, b.id, 999 };
	uint64_t n, sum = 0;

	CHECK_STATUS(akin_tag_add(lib, "Holiday", ids, 3, &n, &err), AKIN_ERR_NOT_FOUND);
	CHECK(n == 0 && strstr(err.text, "999"), "%s\n", err.text);
	CHECK_OK(akin_tag_list(lib, count_tags, &sum, &err), &err);
	CHECK(sum == 0);
	CHECK_OK(akin_tag_add(lib, "Holiday", ids, 2, &n, &err), &err);
	CHECK(n == 2);
	CHECK_OK(akin_tag_remove(lib, "holiday", ids, 1, &n, &err), &err);
	CHECK_OK(akin_tag_list(lib, count_tags, &sum, &err), &err);
	CHECK(n == 1 && sum == 101, "%d\n", (int)sum);
	again = get(lib, "in/b.png");
	CHECK(again.n_tags == 1 && !strcmp(again.tags[0], "Holiday"));
	akin_picture_deinit(&a);
	akin_picture_deinit(&b);
	akin_picture_deinit(&again);
	akin_library_close(lib);
}

TEST_MAIN(cmocka_unit_test(facts_come_with_indexing_and_to_old_libraries), cmocka_unit_test(tags_are_all_or_nothing))
