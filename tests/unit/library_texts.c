/* The index of a library for texts: it follows the store as that of the pictures does, and is found again after closing.
 * Vectors are imported under the default model's name, so that its alignment is used and no picture need be read.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "akin/akin.h"
#include "base/buf.h"
#include "base/fs.h"
#include "engine/engine.h"
#include "vecfile/npy.h"

enum { ROWS = 300 };

static const char *dir, *npy, *list;
static akin_library *lib;
static akin_error err;

static void open_library(void)
{
	CHECK_OK(akin_library_open(&lib, dir, &(akin_open_params){ .flags = AKIN_OPEN_CREATE }, &err), &err);
}

/* Rows as embeddings are: not negative, many near zero. */
static void make_library(void)
{
	struct rng rng = { 8 };
	struct npy_writer w;
	struct buf names = BUF_EMPTY;
	uint64_t n;
	float row[1280];

	dir = test_path("lib.akin"), npy = test_path("rows.npy"), list = test_path("rows.txt");
	CHECK_OK(npy_writer_begin(&w, npy, NPY_F32, ROWS, COUNT(row), &err), &err);
	for (int i = 0; i < ROWS; i++) {
		for (size_t j = 0; j < COUNT(row); j++) row[j] = (float)fmax(rng_normal(&rng), 0.01);
		CHECK_OK(npy_writer_row(&w, row, &err), &err);
		buf_printf(&names, "red/car%d.jpg\n", i);
	}
	CHECK_OK(npy_writer_commit(&w, &err), &err);
	CHECK_OK(fs_write(list, names.data, names.len, &err), &err);
	buf_deinit(&names);
	open_library();
	CHECK_OK(akin_library_import(lib, npy, list, models_default_name, &n, &err), &err);
}

static size_t count(const char *text, akin_search_params params)
{
	akin_result *result;
	size_t n;

	params.k = 2 * ROWS;
	CHECK_OK(akin_search_text(lib, text, &params, &result, &err), &err);
	n = akin_result_count(result);
	for (size_t i = 0; i < n; i++) CHECK(akin_result_hit(result, i)->id > 0 && akin_result_hit(result, i)->score <= 1);
	akin_result_free(result);
	return n;
}

static void check_library(void)
{
	uint64_t findings;

	CHECK_OK(akin_library_check(lib, 1, NULL, NULL, &findings, &err), &err);
	CHECK(findings == 0, "%d findings\n", (int)findings);
}

TEST(the_index_of_texts_follows_the_store)
{
	const akin_search_params meaning = { .mode = AKIN_MODE_MEANING, .all = 1 };
	akin_id gone[50];
	uint64_t n;

	make_library();
	CHECK(count("a dog on the beach", meaning) == ROWS);
	check_library();
	for (int i = 0; i < 50; i++) gone[i] = 1 + 3 * i;
	CHECK_OK(akin_library_remove_ids(lib, gone, 50, &n, &err), &err);
	CHECK(n == 50 && count("a dog on the beach", meaning) == ROWS - 50);
	akin_library_close(lib);
	open_library();
	CHECK(count("沙滩上的狗", meaning) == ROWS - 50);
	check_library();
	CHECK_OK(akin_library_rebuild(lib, &err), &err);
	CHECK(count("沙滩上的狗", meaning) == ROWS - 50);
	CHECK_OK(fs_remove_tree(test_path("lib.akin/index"), &err), &err);
	akin_library_close(lib);
	open_library();
	CHECK(count("", meaning) == ROWS - 50);
	check_library();
}

TEST(texts_of_all_kinds_have_an_answer_or_a_sentence)
{
	static const char *const odd[] = { "", " ", "\xff\xfe\x80", "\"", "a AND OR NOT (", "\xf0\x9f\x90\x95", "*", "e\xcc\x81\xcc\x81\xcc\x81", "\n\t\r" };
	char *longest = calloc(1, 300001);
	akin_result *result = NULL;

	for (size_t i = 0; i < COUNT(odd); i++)
		for (int mode = AKIN_MODE_AUTO; mode <= AKIN_MODE_KEYWORD; mode++)
			count(odd[i], (akin_search_params){ .mode = (akin_mode)mode, .all = mode & 1 });
	memset(longest, 'x', 300000);
	CHECK(akin_search_text(lib, longest, NULL, &result, &err) == AKIN_OK || err.text[0]);
	akin_result_free(result);
	free(longest);
}

TEST(words_are_found_and_made_up_ones_are_not)
{
	akin_result *result;

	CHECK(count("car6", (akin_search_params){ .mode = AKIN_MODE_KEYWORD }) == 0); /* a picture that is gone */
	CHECK(count("red", (akin_search_params){ .mode = AKIN_MODE_KEYWORD }) == ROWS - 50);
	CHECK(count("qqqqzzzz", (akin_search_params){ .mode = AKIN_MODE_KEYWORD }) == 0);
	CHECK_OK(akin_search_text(lib, "car5 red", &(akin_search_params){ .why = 1, .mode = AKIN_MODE_KEYWORD }, &result, &err), &err);
	CHECK(akin_result_count(result) && strstr(akin_result_hit(result, 0)->path, "car5.") && akin_result_hit(result, 0)->n_keywords == 2);
	akin_result_free(result);
}

static akin_status ask(void *ctx)
{
	const akin_search_params params = { .k = 3, .all = 1, .why = 1 };
	akin_result *result = NULL;
	akin_query *q = NULL;
	akin_status st = akin_query_create(&q, &err);

	(void)ctx;
	if (st == AKIN_OK) st = akin_query_add_text(q, "a red car", 1, &err);
	if (st == AKIN_OK) st = akin_query_add_text(q, "gren", -0.5, &err);
	if (st == AKIN_OK) st = akin_query_add_id(q, 2, NULL, 1, &err);
	if (st == AKIN_OK) st = akin_search(lib, q, &params, &result, &err);
	CHECK((st == AKIN_OK) == (result != NULL) && (st == AKIN_OK || err.text[0]));
	akin_result_free(result);
	akin_query_free(q);
	return st;
}

TEST(a_text_without_memory_leaves_nothing_behind)
{
	CHECK_OK(ask(NULL), &err);
	fault_loop(FAULT_ALLOC, 5000, ask, NULL);
	akin_library_close(lib);
}

TEST_MAIN(cmocka_unit_test(the_index_of_texts_follows_the_store),
          cmocka_unit_test(texts_of_all_kinds_have_an_answer_or_a_sentence),
          cmocka_unit_test(words_are_found_and_made_up_ones_are_not),
          cmocka_unit_test(a_text_without_memory_leaves_nothing_behind))
