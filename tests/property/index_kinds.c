/* index/: random programs on the approximate kinds beside the exact one: what they return is true to the last bit, and
 * what promises to be exact is equal. SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "index/index.h"

enum { DIM = 40, FIRST = 4300, MOST = 5200, STEPS = 24, K = 12, BATCH = 9 };

struct world {
	struct rng rng;
	struct index_params params;
	struct index *index, *flat;
	const char *path;
	bool exact; /* the kind promises it */
};

static size_t given_bytes(const struct world *w)
{
	return w->params.element == ELEMENT_F16 ? 4 * DIM : element_row_bytes(w->params.element, DIM);
}

/* Around 30 centres. */
static void make_row(struct world *w, uint8_t *row)
{
	struct rng centre = { rng_below(&w->rng, 30) };

	memset(row, 0, given_bytes(w));
	for (size_t i = 0; i < DIM; i++) {
		double value = rng_normal(&centre) + 0.4 * rng_normal(&w->rng);

		if (w->params.element <= ELEMENT_F16)
			((float *)(void *)row)[i] = (float)value;
		else if (w->params.element == ELEMENT_BITS)
			row[i / 8] |= (uint8_t)((value > 0) << i % 8);
		else
			row[i] = (uint8_t)(int)(20 * value);
	}
}

static void add(struct world *w, int64_t first, size_t n)
{
	uint8_t *rows = mem_calloc(n, given_bytes(w));
	int64_t *ids = mem_calloc(n, sizeof *ids);
	akin_error err;

	for (size_t i = 0; i < n; i++) {
		ids[i] = first + (int64_t)i;
		make_row(w, rows + i * given_bytes(w));
	}
	CHECK(index_add_many(w->index, ids, rows, n, 2, &err) == index_add(w->flat, ids, rows, n, NULL), "%s\n",
	      err.text);
	mem_free(ids);
	mem_free(rows);
}

static void step_add(struct world *w)
{
	const size_t n = 1 + rng_below(&w->rng, rng_below(&w->rng, 2) ? 4 : 90);

	add(w, (int64_t)rng_below(&w->rng, 4 * MOST), n);
}

static void step_remove(struct world *w)
{
	const size_t n = rng_below(&w->rng, 150);
	size_t removed, wanted;
	int64_t ids[150];
	akin_error err;

	for (size_t i = 0; i < n; i++) ids[i] = (int64_t)rng_below(&w->rng, MOST);
	CHECK_OK(index_remove(w->index, ids, n, &removed, &err), &err);
	CHECK_OK(index_remove(w->flat, ids, n, &wanted, &err), &err);
	CHECK(removed == wanted);
}

static bool divisible(void *ctx, int64_t id)
{
	return id % *(const int64_t *)ctx == 0;
}

static float distance_of(const struct hit *hits, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (hits[i].id == id) return hits[i].distance;
	return NAN;
}

static void check_hits(const struct world *w, const struct hit *got, size_t n, const struct index_ask *ask,
		       const struct hit *all, size_t n_all)
{
	const size_t most = n_all < ask->k ? n_all : ask->k;

	CHECK(n <= most && (ask->bounded || n == most), "%zu hits of %zu\n", n, most);
	for (size_t i = 0; i < n; i++) {
		CHECK(got[i].distance == distance_of(all, n_all, got[i].id), "hit %zu\n", i);
		CHECK(!i || hit_before(&got[i - 1], &got[i]));
		if (w->exact) CHECK(got[i].id == all[i].id);
	}
	if (w->exact) CHECK(n == most);
}

static void step_search(struct world *w)
{
	int64_t divisor = (int64_t[]){ 2, 7, 50, 1000, 3 * MOST }[rng_below(&w->rng, 5)];
	const struct index_filter filter = { .allows = divisible, .ctx = &divisor };
	struct index_ask ask = { .k = 1 + rng_below(&w->rng, K), .effort = rng_below(&w->rng, 6), .threads = 2 }, every;
	struct hit got[BATCH * K], *one = mem_calloc(MOST, sizeof *one), *all = mem_calloc(MOST, sizeof *all);
	uint8_t queries[BATCH * 4 * DIM];
	size_t n_got[BATCH], n_one, n_all;
	akin_error err;

	if (rng_below(&w->rng, 2)) ask.filter = &filter;
	if (!rng_below(&w->rng, 3)) ask.bounded = true, ask.max_distance = 30;
	for (size_t i = 0; i < BATCH; i++) make_row(w, queries + i * given_bytes(w));
	CHECK_OK(index_search_many(w->index, queries, BATCH, &ask, got, n_got, &err), &err);
	for (size_t i = 0; i < BATCH; i++) {
		every = ask;
		every.k = MOST;
		CHECK_OK(index_search(w->flat, queries + i * given_bytes(w), &every, all, &n_all, &err), &err);
		check_hits(w, got + i * ask.k, n_got[i], &ask, all, n_all);
		CHECK_OK(index_search(w->index, queries + i * given_bytes(w), &ask, one, &n_one, &err), &err);
		check_hits(w, one, n_one, &ask, all, n_all);
		if (i) continue;
		CHECK_OK(index_search(w->index, queries, &every, one, &n_one, &err), &err);
		check_hits(w, one, n_one, &every, all, n_all);
	}
	mem_free(all);
	mem_free(one);
}

static void step_look(struct world *w)
{
	struct index_stats stats, wanted;
	akin_error err;

	index_get_stats(w->index, &stats);
	index_get_stats(w->flat, &wanted);
	CHECK(stats.count == wanted.count && stats.bytes > 0);
	CHECK_OK(index_check(w->index, true, &err), &err);
}

static void step_save_and_open(struct world *w)
{
	const struct index_stamp stamp = { .generation = 1 };
	struct index_stamp got;
	akin_error err;

	CHECK_OK(index_save(w->index, w->path, &stamp, &err), &err);
	index_destroy(w->index);
	CHECK_OK(index_open(&w->index, w->path, &got, &err), &err);
	step_look(w);
	if (rng_below(&w->rng, 2)) step_search(w);
}

static void run_program(struct world *w)
{
	static void (*const steps[])(struct world *) = { step_add,    step_add,    step_remove, step_search,
							 step_search, step_search, step_look,   step_save_and_open };
	struct index_params flat = w->params;
	akin_error err;

	flat.kind = INDEX_FLAT;
	CHECK_OK(index_create(&w->index, &w->params, &err), &err);
	CHECK_OK(index_create(&w->flat, &flat, &err), &err);
	add(w, 0, 900);
	step_search(w);
	add(w, 900, FIRST - 900);
	for (size_t i = 0; i < STEPS; i++) steps[rng_below(&w->rng, COUNT(steps))](w);
	step_look(w);
	index_destroy(w->index);
	index_destroy(w->flat);
}

static void run(enum index_kind kind, uint32_t width)
{
	for (enum metric m = METRIC_L2; m <= METRIC_HAMMING; m++)
		for (enum element e = ELEMENT_F32; e <= ELEMENT_BITS; e++) {
			struct world w = { .rng = { (uint64_t)m * 8 + e }, .exact = kind == INDEX_BINARY };

			if ((m == METRIC_HAMMING) != (e == ELEMENT_BITS) || (kind == INDEX_BINARY && e != ELEMENT_BITS))
				continue;
			print_message("kind %d, metric %d, element %d, width %u\n", (int)kind, (int)m, (int)e,
				      (unsigned)width);
			w.params = (struct index_params){
				.kind = kind, .metric = m, .element = e, .dim = DIM, .seed = 3, .ivf.width = width
			};
			w.path = test_path("kinds.index");
			run_program(&w);
		}
}

TEST(inverted_lists_return_true_distances)
{
	run(INDEX_IVF, 0);
	run(INDEX_IVF, 255);
}

TEST(hashing_returns_true_distances)
{
	run(INDEX_LSH, 0);
}

TEST(multi_index_hashing_equals_the_scan)
{
	run(INDEX_BINARY, 0);
}

TEST_MAIN(cmocka_unit_test(inverted_lists_return_true_distances), cmocka_unit_test(hashing_returns_true_distances),
	  cmocka_unit_test(multi_index_hashing_equals_the_scan))
