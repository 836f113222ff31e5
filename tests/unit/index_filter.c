/* Filters by ids, by bits, by calls and by all of them: equal to leaving out afterwards what is not allowed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "clustered.h"
#include "index/index.h"
#include "test.h"

enum { ROWS = 2000, DIM = 6, K = 20, SPACE = 16000 };

/* Ids of three sorts: as rows are numbered, consecutive from elsewhere, here and there. */
static int64_t id_of(int sort, int64_t i)
{
	return sort == 0 ? i : sort == 1 ? 777 + i : 5 * i + i % 3;
}

struct wanted {
	int64_t every, from;
	uint8_t bits[SPACE / 8];
	int64_t ids[SPACE];
	size_t n;
};

static bool is_wanted(void *ctx, int64_t id)
{
	const struct wanted *w = ctx;

	return id >= w->from && id < SPACE && id % w->every == 0;
}

static void want(struct wanted *w, int64_t every, int64_t from)
{
	memset(w, 0, sizeof *w);
	w->every = every;
	w->from = from;
	for (int64_t id = 0; id < SPACE; id++) {
		if (!is_wanted(w, id)) continue;
		w->ids[w->n++] = id;
		w->bits[id / 8] |= (uint8_t)(1u << id % 8);
	}
}

static struct index *make(enum index_kind kind, int sort, bool removed, bool mapped)
{
	const struct index_params params = { .kind = kind, .element = kind == INDEX_BINARY ? ELEMENT_BITS : ELEMENT_F32,
		                             .metric = kind == INDEX_BINARY ? METRIC_HAMMING : METRIC_L2, .dim = 8 * DIM };
	const struct index_stamp stamp = { .generation = 1 };
	struct index_stamp got;
	struct index *index;
	const size_t bytes = clustered_bytes(&params);
	uint8_t *rows = mem_alloc(ROWS * bytes);
	int64_t ids[ROWS];
	akin_error err;

	for (int64_t i = 0; i < ROWS; i++) {
		ids[i] = id_of(sort, i);
		clustered_row(&params, 1, i, rows + (size_t)i * bytes);
	}
	CHECK_OK(index_create(&index, &params, &err), &err);
	CHECK_OK(index_add(index, ids, rows, ROWS, &err), &err);
	mem_free(rows);
	for (int64_t i = 0; removed && i < ROWS; i += 7) CHECK_OK(index_remove(index, &ids[i], 1, NULL, &err), &err);
	if (!mapped) return index;
	CHECK_OK(index_save(index, test_path("filter.akx"), &stamp, &err), &err);
	index_destroy(index);
	CHECK_OK(index_open(&index, test_path("filter.akx"), &got, &err), &err);
	return index;
}

/* The first K of all in order that may be found. */
static size_t by_leaving_out(const struct index *index, const void *query, const struct wanted *w, struct hit *hits)
{
	const struct index_ask ask = { .k = ROWS, .exact = true };
	struct hit *all = mem_calloc(ROWS, sizeof *all);
	size_t n_all, n = 0;
	akin_error err;

	CHECK_OK(index_search(index, query, &ask, all, &n_all, &err), &err);
	for (size_t i = 0; i < n_all && n < K; i++)
		if (is_wanted((void *)(uintptr_t)w, all[i].id)) hits[n++] = all[i];
	mem_free(all);
	return n;
}

static void check_hits(const struct hit *got, size_t n, const struct hit *wanted, size_t n_wanted, const struct wanted *w,
                       bool exact, int how)
{
	CHECK(n == n_wanted, "%zu hits of %zu, filter %d, one of %d\n", n, n_wanted, how, (int)w->every);
	for (size_t i = 0; i < n; i++) {
		CHECK(is_wanted((void *)(uintptr_t)w, got[i].id), "filter %d found %d\n", how, (int)got[i].id);
		if (exact) CHECK(got[i].id == wanted[i].id && got[i].distance == wanted[i].distance);
	}
}

static void try_filters(const struct index *index, const void *query, const struct wanted *w, bool exact)
{
	void *ctx = (void *)(uintptr_t)w;
	const struct index_filter filters[] = {
		{ .allows = is_wanted, .ctx = ctx },
		{ .ids = w->ids, .n_ids = w->n },
		{ .bits = w->bits, .n_bits = SPACE },
		{ .ids = w->ids, .n_ids = w->n, .bits = w->bits, .n_bits = SPACE },
		{ .ids = w->ids, .n_ids = w->n, .allows = is_wanted, .ctx = ctx },
		{ .bits = w->bits, .n_bits = SPACE, .allows = is_wanted, .ctx = ctx },
	};
	struct hit wanted[K], hits[K];
	const size_t n_wanted = by_leaving_out(index, query, w, wanted);
	akin_error err;

	for (int i = 0; i < (int)COUNT(filters); i++) {
		const struct index_ask ask = { .k = K, .filter = &filters[i], .threads = 1 };
		const struct index_ask plainly = { .k = K, .filter = &filters[i], .exact = true };
		size_t n;

		CHECK_OK(index_search(index, query, &ask, hits, &n, &err), &err);
		check_hits(hits, n, wanted, n_wanted, w, exact, i);
		CHECK_OK(index_search_many(index, query, 1, &ask, hits, &n, &err), &err);
		check_hits(hits, n, wanted, n_wanted, w, exact, i);
		CHECK_OK(index_search(index, query, &plainly, hits, &n, &err), &err);
		check_hits(hits, n, wanted, n_wanted, w, true, i);
	}
}

static void try_kind(enum index_kind kind)
{
	static const int64_t every[] = { 1, 2, 9, 100, 4000 };
	const struct index_params params = { .element = kind == INDEX_BINARY ? ELEMENT_BITS : ELEMENT_F32,
		                             .metric = kind == INDEX_BINARY ? METRIC_HAMMING : METRIC_L2, .dim = 8 * DIM };
	struct wanted *w = mem_zalloc(sizeof *w);
	float query[8 * DIM];

	clustered_row(&params, 1, ROWS + 5, query);
	for (int sort = 0; sort < 3; sort++)
		for (int way = 0; way < 4; way++) {
			struct index *index = make(kind, sort, way & 1, way & 2);

			for (size_t i = 0; i < COUNT(every); i++) {
				want(w, every[i], i == 2 ? 2000 : 0);
				try_filters(index, query, w, kind == INDEX_FLAT || kind == INDEX_BINARY);
			}
			index_destroy(index);
		}
	mem_free(w);
}

TEST(flat_leaves_out_what_is_not_allowed)
{
	try_kind(INDEX_FLAT);
}

TEST(graph_leaves_out_what_is_not_allowed)
{
	try_kind(INDEX_GRAPH);
}

TEST(ivf_leaves_out_what_is_not_allowed)
{
	try_kind(INDEX_IVF);
}

TEST(binary_leaves_out_what_is_not_allowed)
{
	try_kind(INDEX_BINARY);
}

TEST(lsh_leaves_out_what_is_not_allowed)
{
	try_kind(INDEX_LSH);
}

TEST(a_filter_that_allows_nothing_finds_nothing)
{
	static const int64_t none[1];
	struct index *index = make(INDEX_GRAPH, 0, false, false);
	const struct index_filter filters[] = { { .ids = none }, { .bits = (const uint8_t *)none } };
	float query[8 * DIM] = { 0 };
	struct hit hits[K];
	akin_error err;

	for (size_t i = 0; i < COUNT(filters); i++) {
		const struct index_ask ask = { .k = K, .filter = &filters[i] };
		size_t n;

		CHECK_OK(index_search(index, query, &ask, hits, &n, &err), &err);
		CHECK(n == 0);
		CHECK_OK(index_search_many(index, query, 1, &ask, hits, &n, &err), &err);
		CHECK(n == 0);
	}
	index_destroy(index);
}

TEST_MAIN(cmocka_unit_test(flat_leaves_out_what_is_not_allowed), cmocka_unit_test(graph_leaves_out_what_is_not_allowed),
          cmocka_unit_test(ivf_leaves_out_what_is_not_allowed), cmocka_unit_test(binary_leaves_out_what_is_not_allowed),
          cmocka_unit_test(lsh_leaves_out_what_is_not_allowed),
          cmocka_unit_test(a_filter_that_allows_nothing_finds_nothing))
