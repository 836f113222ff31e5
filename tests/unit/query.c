/* akin/query.h: building a query, what it refuses, feedback, groups, order by time, hits that differ.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "test.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "akin/akin.h"
#include "base/fs.h"
#include "image/image.h"
#include "pictures.h"

enum { PICTURES = 12 };

static akin_library *lib;
static akin_error err;
static char *path[PICTURES];
static akin_id id[PICTURES];

/* Two folders; picture i is from day i % 4, at an hour that no time zone brings to another day. */
static void make_library(void)
{
	const akin_open_params open = { .flags = AKIN_OPEN_CREATE, .model = TINY_MODEL, .cache_dir = test_path("cache"), .threads = 1 };
	const char *folder = test_path("pictures");
	struct buf png = BUF_EMPTY;

	for (int i = 0; i < 2; i++) {
		char name[512];

		snprintf(name, sizeof name, "%s/%d", folder, i);
		CHECK_OK(fs_mkdirs(name, &err), &err);
	}
	for (int i = 0; i < PICTURES; i++) {
		time_t day = 1700000000 - 1700000000 % 86400 + (i % 4) * 2 * 86400 + 43200 + i;
		struct timespec times[2] = { { day, 0 }, { day, 0 } };

		CHECK(asprintf(&path[i], "%s/%d/%d.png", folder, i % 2, i) > 0);
		picture_make((uint64_t)i, &png);
		CHECK_OK(fs_write(path[i], png.data, png.len, &err), &err);
		CHECK(utimensat(AT_FDCWD, path[i], times, 0) == 0);
	}
	buf_deinit(&png);
	CHECK_OK(akin_library_open(&lib, test_path("lib.akin"), &open, &err), &err);
	CHECK_OK(akin_library_index(lib, &folder, 1, NULL, NULL, &err), &err);
	for (int i = 0; i < PICTURES; i++) CHECK_OK(akin_picture_find(lib, path[i], &id[i], &err), &err);
}

static akin_result *ask(const akin_query *q, akin_search_params params)
{
	akin_result *result;

	CHECK_OK(akin_search(lib, q, &params, &result, &err), &err);
	return result;
}

static size_t rank_of(const akin_result *result, akin_id wanted)
{
	for (size_t i = 0; i < akin_result_count(result); i++)
		if (akin_result_hit(result, i)->id == wanted) return akin_result_hit(result, i)->rank;
	return 0;
}

TEST(a_rectangle_is_read_in_pixels_or_percent)
{
	static const char *const wrong[] = { "", "1,2,3", "1,2,3,4,5", "1,2,0,4", "1%,2,3,4", "a,2,3,4", "-1,2,3,4", "1,2,3,4 ",
		                             "1,,3,4", "1,2,3,", "%,%,%,%", "1e999,1,1,1", "1,2,3,4\n" };
	akin_crop crop;

	CHECK_OK(akin_crop_parse(&crop, "10,20,300,200", &err), &err);
	CHECK(crop.x == 10 && crop.y == 20 && crop.width == 300 && crop.height == 200 && !crop.percent);
	CHECK_OK(akin_crop_parse(&crop, "12.5%,0%,50%,100%", &err), &err);
	CHECK(crop.x == 12.5 && crop.height == 100 && crop.percent);
	for (size_t i = 0; i < COUNT(wrong); i++) CHECK_STATUS(akin_crop_parse(&crop, wrong[i], &err), AKIN_ERR_INVALID);
}

TEST(a_query_refuses_what_it_cannot_weigh)
{
	const akin_crop no_pixels = { 0, 0, 0, 5, 0 };
	const double wrong[] = { 0, 1001, -1e9, (double)NAN, (double)INFINITY };
	const float vector[1] = { 1 };
	akin_query *q;
	akin_result *result;

	CHECK_OK(akin_query_create(&q, &err), &err);
	for (size_t i = 0; i < COUNT(wrong); i++) CHECK_STATUS(akin_query_add_id(q, 1, NULL, wrong[i], &err), AKIN_ERR_INVALID);
	CHECK_STATUS(akin_query_add_file(q, "x.jpg", &no_pixels, 1, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(akin_query_add_bytes(q, "", 0, NULL, 1, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(akin_query_add_vector(q, vector, 0, 1, &err), AKIN_ERR_INVALID);
	CHECK(akin_query_count(q) == 0);
	CHECK_STATUS(akin_search(lib, q, NULL, &result, &err), AKIN_ERR_INVALID);
	CHECK_OK(akin_query_add_id(q, id[0], NULL, -1, &err), &err);
	CHECK_STATUS(akin_search(lib, q, NULL, &result, &err), AKIN_ERR_INVALID); /* only what is not wanted */
	CHECK(strstr(err.text, "not wanted") && !result);
	for (int i = 1; i < 256; i++) CHECK_OK(akin_query_add_id(q, id[0], NULL, 1, &err), &err);
	CHECK_STATUS(akin_query_add_id(q, id[0], NULL, 1, &err), AKIN_ERR_LIMIT);
	akin_query_free(q);
	akin_query_free(NULL);
}

TEST(a_query_of_one_part_is_the_short_call)
{
	akin_result *a, *b;
	akin_query *q;

	CHECK_OK(akin_query_create(&q, &err), &err);
	CHECK_OK(akin_query_add_file(q, path[3], NULL, 17, &err), &err);
	a = ask(q, (akin_search_params){ .k = 5 });
	CHECK_OK(akin_search_id(lib, id[3], &(akin_search_params){ .k = 5 }, &b, &err), &err);
	CHECK(akin_result_count(a) == 5 && akin_result_count(b) == 5);
	for (size_t i = 0; i < 5; i++) {
		const akin_hit *x = akin_result_hit(a, i), *y = akin_result_hit(b, i);
		CHECK(x->id == y->id && x->distance == y->distance && x->score == y->score && x->evidence[0] == y->evidence[0]);
	}
	CHECK(!strcmp(akin_result_part(a, 0), path[3]) && !akin_result_part(a, 1));
	akin_result_free(a);
	akin_result_free(b);
	akin_query_free(q);
}

TEST(a_cut_that_was_saved_is_the_same_query)
{
	const akin_crop crop = { 8, 8, 24, 16, 0 };
	const struct image_crop same = { 8, 8, 24, 16, false };
	struct buf bytes = BUF_EMPTY, cut = BUF_EMPTY;
	akin_result *a, *b;
	akin_query *q;

	CHECK_OK(fs_read(path[5], 1 << 20, &bytes, &err), &err);
	CHECK_OK(image_crop(bytes.data, bytes.len, &same, NULL, &cut, &err), &err);
	CHECK_OK(akin_query_create(&q, &err), &err);
	CHECK_OK(akin_query_add_id(q, id[5], &crop, 1, &err), &err);
	a = ask(q, (akin_search_params){ .with_self = 1 });
	CHECK_OK(akin_search_bytes(lib, cut.data, cut.len, NULL, &b, &err), &err);
	CHECK(akin_result_count(a) == 10 && akin_result_count(b) == 10);
	for (size_t i = 0; i < 10; i++) CHECK(akin_result_hit(a, i)->distance == akin_result_hit(b, i)->distance);
	akin_result_free(a);
	akin_result_free(b);
	akin_query_free(q);
	CHECK_OK(akin_query_create(&q, &err), &err);
	CHECK_OK(akin_query_add_file(q, path[5], &(akin_crop){ 40, 0, 20, 20, 0 }, 1, &err), &err);
	CHECK_STATUS(akin_search(lib, q, NULL, &a, &err), AKIN_ERR_INVALID);
	CHECK(strstr(err.text, "48 x 32") && strstr(err.text, path[5]), "%s\n", err.text);
	akin_query_free(q);
	buf_deinit(&bytes);
	buf_deinit(&cut);
}

TEST(feedback_moves_the_answers)
{
	akin_result *before, *after;
	akin_query *q;
	akin_id last;
	double score;

	CHECK_OK(akin_query_create(&q, &err), &err);
	CHECK_OK(akin_query_add_id(q, id[0], NULL, 1, &err), &err);
	before = ask(q, (akin_search_params){ .k = PICTURES });
	last = akin_result_hit(before, akin_result_count(before) - 1)->id;
	score = akin_result_hit(before, akin_result_count(before) - 1)->score;
	CHECK_OK(akin_query_add_feedback(q, last, 1, &err), &err);
	after = ask(q, (akin_search_params){ .k = PICTURES, .with_self = 1 });
	for (size_t i = 0; i < akin_result_count(after); i++)
		CHECK(akin_result_hit(after, i)->id != last || akin_result_hit(after, i)->score > score);
	CHECK(rank_of(after, last));
	akin_result_free(after);
	CHECK_OK(akin_query_add_feedback(q, id[1], 0, &err), &err);
	after = ask(q, (akin_search_params){ .k = PICTURES, .with_self = 1 });
	CHECK(!rank_of(after, id[1]) && rank_of(after, id[0])); /* what was wrong is no answer */
	akin_result_free(before);
	akin_result_free(after);
	akin_query_free(q);
	CHECK_OK(akin_query_create(&q, &err), &err);
	CHECK_OK(akin_query_add_feedback(q, id[2], 1, &err), &err); /* alone it is the query */
	after = ask(q, (akin_search_params){ .k = 3 });
	CHECK(akin_result_count(after) == 3 && !rank_of(after, id[2]));
	akin_result_free(after);
	akin_query_free(q);
}

TEST(hits_are_grouped_by_folder_and_by_day)
{
	for (int how = AKIN_GROUP_FOLDER; how <= AKIN_GROUP_DAY; how++) {
		akin_search_params params = { .k = PICTURES, .group = (akin_group)how };
		akin_result *result;
		size_t changes = 0, previous_rank = 0;

		CHECK_OK(akin_search_id(lib, id[0], &params, &result, &err), &err);
		CHECK(akin_result_count(result) == PICTURES - 1 && akin_result_hit(result, 0)->rank == 1);
		for (size_t i = 0; i < akin_result_count(result); i++) {
			const akin_hit *hit = akin_result_hit(result, i), *before = i ? akin_result_hit(result, i - 1) : hit;
			bool new_group = i && strcmp(hit->group, before->group) != 0;

			changes += new_group;
			CHECK(new_group || hit->rank > previous_rank, "hits of a group keep their order\n");
			previous_rank = hit->rank;
			if (how == AKIN_GROUP_FOLDER)
				CHECK(!strncmp(hit->path, hit->group, strlen(hit->group)) && !strchr(hit->path + strlen(hit->group) + 1, '/'));
			else CHECK(strlen(hit->group) == 10 && hit->group[4] == '-', "%s\n", hit->group);
		}
		CHECK(changes == (how == AKIN_GROUP_FOLDER ? 1 : 3), "%zu changes\n", changes);
		akin_result_free(result);
	}
}

TEST(the_best_hits_come_the_newest_first)
{
	akin_search_params params = { .k = 6 }, sorted = { .k = 6, .sort = AKIN_SORT_TAKEN };
	akin_result *a, *b;
	struct stat info;
	time_t before = 0;

	CHECK_OK(akin_search_id(lib, id[0], &params, &a, &err), &err);
	CHECK_OK(akin_search_id(lib, id[0], &sorted, &b, &err), &err);
	CHECK(akin_result_count(b) == 6);
	for (size_t i = 0; i < 6; i++) {
		const akin_hit *hit = akin_result_hit(b, i);

		CHECK(rank_of(a, hit->id) == hit->rank && stat(hit->path, &info) == 0);
		CHECK(!i || info.st_mtime <= before);
		before = info.st_mtime;
	}
	akin_result_free(a);
	akin_result_free(b);
}

TEST(hits_that_differ_are_other_hits)
{
	akin_search_params params = { .k = 4 }, diverse = { .k = 4, .diverse = 0.9 };
	akin_result *a, *b;
	size_t same = 0;

	CHECK_OK(akin_search_id(lib, id[0], &params, &a, &err), &err);
	CHECK_OK(akin_search_id(lib, id[0], &diverse, &b, &err), &err);
	CHECK(akin_result_count(b) == 4 && akin_result_hit(a, 0)->id == akin_result_hit(b, 0)->id);
	for (size_t i = 0; i < 4; i++) {
		CHECK(akin_result_hit(b, i)->rank == i + 1);
		same += rank_of(a, akin_result_hit(b, i)->id) > 0;
	}
	CHECK(same < 4);
	akin_result_free(a);
	akin_result_free(b);
}

TEST(wrong_params_are_refused)
{
	const akin_search_params wrong[] = { { .k = 1000001 }, { .threshold = -0.1 }, { .threshold = 1.5 }, { .diverse = 2 },
		                             { .diverse = (double)NAN }, { .mode = (akin_mode)3 }, { .sort = (akin_sort)2 },
		                             { .group = (akin_group)7 } };
	akin_result *result;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		CHECK_STATUS(akin_search_id(lib, id[0], &wrong[i], &result, &err), AKIN_ERR_INVALID);
		CHECK(!result);
	}
}

static akin_status search_with_everything(void *ctx)
{
	const akin_crop crop = { 10, 10, 50, 50, 1 };
	const akin_search_params params = { .k = 3, .diverse = 0.5, .group = AKIN_GROUP_DAY, .why = 1, .in = path[0] };
	akin_query *q = NULL;
	akin_result *result = NULL;
	akin_status st = akin_query_create(&q, &err);

	(void)ctx;
	if (st == AKIN_OK) st = akin_query_add_file(q, path[2], &crop, 1, &err);
	if (st == AKIN_OK) st = akin_query_add_id(q, id[4], NULL, 1, &err);
	if (st == AKIN_OK) st = akin_query_add_feedback(q, id[7], 0, &err);
	if (st == AKIN_OK) st = akin_search(lib, q, &params, &result, &err);
	CHECK((st == AKIN_OK) == (result != NULL) && (st == AKIN_OK || err.text[0]));
	akin_result_free(result);
	akin_query_free(q);
	return st;
}

TEST(a_search_without_memory_leaves_nothing_behind)
{
	CHECK_OK(search_with_everything(NULL), &err);
	fault_loop(FAULT_ALLOC, 2000, search_with_everything, NULL);
	akin_library_close(lib);
	for (int i = 0; i < PICTURES; i++) free(path[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rectangle_is_read_in_pixels_or_percent),
		cmocka_unit_test(a_query_refuses_what_it_cannot_weigh),
		cmocka_unit_test(a_query_of_one_part_is_the_short_call),
		cmocka_unit_test(a_cut_that_was_saved_is_the_same_query),
		cmocka_unit_test(feedback_moves_the_answers),
		cmocka_unit_test(hits_are_grouped_by_folder_and_by_day),
		cmocka_unit_test(the_best_hits_come_the_newest_first),
		cmocka_unit_test(hits_that_differ_are_other_hits),
		cmocka_unit_test(wrong_params_are_refused),
		cmocka_unit_test(a_search_without_memory_leaves_nothing_behind),
	};

	setenv("TZ", "UTC", 1);
	if (image_init(NULL) != AKIN_OK) return 1;
	make_library();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
