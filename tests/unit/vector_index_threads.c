/* akin/index.h: searches, getters and readers of a file run side by side, under the thread sanitizer too.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <pthread.h>

#include "akin/akin.h"

enum { DIM = 24, ROWS = 2000, THREADS = 4, TURNS = 40, K = 5 };

struct shared {
	const akin_index *index;
	const akin_vectors *file;
	const float *rows;
};

static int is_allowed(void *user, int64_t id)
{
	(void)user;
	return id % 3 != 0;
}

/* cmocka's checks jump out of the thread that ran the test, so a thread only counts. */
static void *search(void *arg)
{
	const struct shared *shared = arg;
	const akin_index_filter filter = { .allows = is_allowed };
	uintptr_t wrong = 0;

	for (size_t turn = 0; turn < TURNS; turn++) {
		const size_t row = turn * 47 % ROWS;
		akin_neighbour hits[2 * K];
		akin_index_stats stats;
		akin_error err;
		float got[DIM];
		size_t n[2];

		wrong += akin_index_search(shared->index, shared->rows + row * DIM, &(akin_index_ask){ .k = K }, hits,
					   n, &err) != AKIN_OK;
		wrong += n[0] != K || hits[0].id != (int64_t)row;
		wrong += akin_index_search_many(shared->index, shared->rows, 2,
						&(akin_index_ask){ .k = K, .threads = 2, .filter = &filter }, hits, n,
						&err) != AKIN_OK;
		wrong += hits[0].id % 3 == 0;
		wrong += akin_index_get(shared->index, (int64_t)row, got, &err) != AKIN_OK ||
			 !akin_index_has(shared->index, 0);
		wrong += akin_vectors_read(shared->file, 0, 1, AKIN_ELEMENT_F32, got, &err) != AKIN_OK;
		akin_index_get_stats(shared->index, &stats);
		wrong += stats.count != ROWS;
	}
	return (void *)wrong;
}

TEST(many_threads_ask_one_index)
{
	static float rows[ROWS * DIM];
	struct rng rng = { 9 };
	pthread_t threads[THREADS];
	struct shared shared = { .rows = rows };
	akin_vectors *file;
	akin_index *index;
	akin_error err;
	void *wrong;

	for (size_t i = 0; i < COUNT(rows); i++) rows[i] = (float)rng_normal(&rng);
	CHECK_OK(akin_index_create(&index, &(akin_index_spec){ .dim = DIM }, &err), &err);
	CHECK_OK(akin_index_add(index, NULL, rows, ROWS, 2, &err), &err);
	CHECK_OK(akin_vectors_open(&file, TESTS_DIR "/data/vectors/ivf_flat.faiss", AKIN_VECTORS_BASE, &err), &err);
	shared.index = index;
	shared.file = file;
	for (size_t i = 0; i < THREADS; i++) CHECK(!pthread_create(&threads[i], NULL, search, &shared));
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &wrong);
		CHECK(!wrong, "%zu wrong answers\n", (size_t)(uintptr_t)wrong);
	}
	akin_vectors_close(file);
	akin_index_destroy(index);
}

TEST_MAIN(cmocka_unit_test(many_threads_ask_one_index))
