/* A library that outgrows comparing with every vector: it answers by the graph, follows the store, and says the same as
 * the exact search, also after it was closed, changed and opened again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "akin/akin.h"
#include "base/buf.h"
#include "base/fs.h"
#include "index/index.h"
#include "vecfile/npy.h"

enum { DIM = 16, ROWS = 20600, QUERIES = 50, K = 10 };

static void make_rows(const char *npy, const char *list)
{
	struct rng rng = { 5 };
	struct npy_writer w;
	struct buf names = BUF_EMPTY;
	akin_error err;

	CHECK_OK(npy_writer_begin(&w, npy, NPY_F32, ROWS, DIM, &err), &err);
	for (int i = 0; i < ROWS; i++) {
		float row[DIM];

		for (int j = 0; j < DIM; j++) row[j] = (float)rng_normal(&rng);
		CHECK_OK(npy_writer_row(&w, row, &err), &err);
		buf_printf(&names, "%d.jpg\n", i);
	}
	CHECK_OK(npy_writer_commit(&w, &err), &err);
	CHECK_OK(fs_write(list, names.data, names.len, &err), &err);
	buf_deinit(&names);
}

/* How many of the exact answers the graph gives. */
static double recall(akin_library *lib)
{
	struct rng rng = { 6 };
	size_t found = 0;
	akin_error err;

	for (int q = 0; q < QUERIES; q++) {
		akin_search_params quick = { .k = K }, exact = { .k = K, .exact = 1 };
		akin_result *a, *b;
		float query[DIM];

		for (int j = 0; j < DIM; j++) query[j] = (float)rng_normal(&rng);
		CHECK_OK(akin_search_vector(lib, query, DIM, &quick, &a, &err), &err);
		CHECK_OK(akin_search_vector(lib, query, DIM, &exact, &b, &err), &err);
		CHECK(akin_result_count(a) == K && akin_result_count(b) == K);
		for (size_t i = 0; i < K; i++)
			for (size_t j = 0; j < K; j++)
				found += akin_result_hit(a, i)->id == akin_result_hit(b, j)->id;
		akin_result_free(a);
		akin_result_free(b);
	}
	return (double)found / (QUERIES * K);
}

static enum index_kind kind_of_file(const char *dir)
{
	struct index_stamp stamp;
	struct index_stats stats = { 0 };
	struct index *index;
	char path[1024];
	akin_error err;
	FILE *names;

	snprintf(path, sizeof path, "ls %s/index/*.akx", dir);
	names = popen(path, "r");
	CHECK(names && fgets(path, sizeof path, names));
	pclose(names);
	path[strcspn(path, "\n")] = '\0';
	CHECK_OK(index_open(&index, path, &stamp, &err), &err);
	index_get_stats(index, &stats);
	index_destroy(index);
	return stats.kind;
}

TEST(a_large_library_answers_by_the_graph)
{
	const akin_open_params open = { .flags = AKIN_OPEN_CREATE };
	const char *npy = test_path("rows.npy"), *list = test_path("rows.txt"), *dir = test_path("lib.akin");
	akin_library *lib;
	akin_error err;
	akin_id gone[100];
	uint64_t n;

	make_rows(npy, list);
	CHECK_OK(akin_library_open(&lib, dir, &open, &err), &err);
	CHECK_OK(akin_library_import(lib, npy, list, "made-up", &n, &err), &err);
	CHECK(recall(lib) >= 0.98, "recall %.3f\n", recall(lib));
	akin_library_close(lib);
	CHECK(kind_of_file(dir) == INDEX_GRAPH);

	CHECK_OK(akin_library_open(&lib, dir, &open, &err), &err);
	for (int i = 0; i < 100; i++) gone[i] = 1 + 7 * i;
	CHECK_OK(akin_library_remove_ids(lib, gone, 100, &n, &err), &err);
	CHECK(n == 100 && recall(lib) >= 0.98, "recall %.3f after removing\n", recall(lib));
	CHECK_OK(akin_library_rebuild(lib, &err), &err);
	CHECK(recall(lib) >= 0.98, "recall %.3f rebuilt\n", recall(lib));
	CHECK_OK(akin_library_check(lib, 1, NULL, NULL, &n, &err), &err);
	CHECK(n == 0, "%d findings\n", (int)n);
	akin_library_close(lib);
}

TEST_MAIN(cmocka_unit_test(a_large_library_answers_by_the_graph))
