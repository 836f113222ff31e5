/* A library that some threads search while another writes to it, with imported vectors: no model takes part, so that the
 * thread sanitizer sees akin's own code only.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "akin/akin.h"
#include "base/buf.h"
#include "base/fs.h"
#include "vecfile/npy.h"

enum { DIM = 24, ROWS = 300, ROUNDS = 12, SEARCHERS = 3 };

static akin_library *lib;
static atomic_bool stop;
static atomic_ulong searches;

static void make_rows(uint64_t seed, const char *npy, const char *list)
{
	struct rng rng = { seed };
	struct npy_writer w;
	struct buf names = BUF_EMPTY;
	akin_error err;

	CHECK_OK(npy_writer_begin(&w, npy, NPY_F32, ROWS, DIM, &err), &err);
	for (int i = 0; i < ROWS; i++) {
		float row[DIM];

		for (int j = 0; j < DIM; j++) row[j] = (float)rng_normal(&rng);
		CHECK_OK(npy_writer_row(&w, row, &err), &err);
		buf_printf(&names, "round%d/%d.jpg\n", (int)seed, i);
	}
	CHECK_OK(npy_writer_commit(&w, &err), &err);
	CHECK_OK(fs_write(list, names.data, names.len, &err), &err);
	buf_deinit(&names);
}

static void *search(void *arg)
{
	struct rng rng = { (uint64_t)(uintptr_t)arg };
	const akin_search_params p = { .k = 5 };

	while (!atomic_load(&stop)) {
		float query[DIM];
		akin_result *result;
		akin_error err;
		double before = -1;

		for (int j = 0; j < DIM; j++) query[j] = (float)rng_normal(&rng);
		if (akin_search_vector(lib, query, DIM, &p, &result, &err) != AKIN_OK) return arg;
		for (size_t i = 0; i < akin_result_count(result); i++) {
			const akin_hit *hit = akin_result_hit(result, i);
			if (hit->distance < before || hit->rank != i + 1 || !hit->path) return arg;
			before = hit->distance;
		}
		akin_result_free(result);
		atomic_fetch_add(&searches, 1);
	}
	return NULL;
}

TEST(searches_go_on_while_the_library_is_written)
{
	const akin_open_params open = { .flags = AKIN_OPEN_CREATE };
	pthread_t thread[SEARCHERS];
	const char *npy = test_path("rows.npy"), *list = test_path("rows.txt");
	akin_library_info info;
	akin_error err;
	uint64_t n;

	CHECK_OK(akin_library_open(&lib, test_path("lib.akin"), &open, &err), &err);
	make_rows(100, npy, list);
	CHECK_OK(akin_library_import(lib, npy, list, "made-up", &n, &err), &err);
	for (uintptr_t i = 0; i < SEARCHERS; i++) CHECK(pthread_create(&thread[i], NULL, search, (void *)(i + 1)) == 0);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		char folder[32];
		const char *gone = folder;

		make_rows(round, npy, list);
		CHECK_OK(akin_library_import(lib, npy, list, "made-up", &n, &err), &err);
		snprintf(folder, sizeof folder, "round%d", (int)round);
		if (round % 2) CHECK_OK(akin_library_remove_paths(lib, &gone, 1, &n, &err), &err);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < SEARCHERS; i++) {
		void *failed;
		pthread_join(thread[i], &failed);
		CHECK(!failed, "a search failed\n");
	}
	CHECK(atomic_load(&searches) > 0);
	CHECK_OK(akin_library_get_info(lib, &info, &err), &err);
	CHECK(info.pictures == ROWS * (1 + ROUNDS / 2), "%d\n", (int)info.pictures);
	akin_library_info_deinit(&info);
	CHECK_OK(akin_library_check(lib, 1, NULL, NULL, &n, &err), &err);
	CHECK(n == 0, "%d findings\n", (int)n);
	akin_library_close(lib);
}

TEST_MAIN(cmocka_unit_test(searches_go_on_while_the_library_is_written))
