/* index/graph: rows come, go and are replaced; files; what must not depend on threads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "clustered.h"
#include "index/graph.h"

enum { ROWS = 4000, DIM = 40, QUERIES = 100, K = 10 };

static const struct index_stamp stamp = { .generation = 3 };
static const struct index_ask ask = { .k = K, .effort = 40 };

static struct index_params params_of(enum index_kind kind)
{
	return (
	    struct index_params){ .kind = kind, .metric = METRIC_L2, .element = ELEMENT_F32, .dim = DIM, .seed = 1 };
}

static struct index *make(enum index_kind kind, size_t rows, unsigned threads)
{
	const struct index_params params = params_of(kind);
	struct index *index;
	akin_error err;

	CHECK_OK(index_create(&index, &params, &err), &err);
	if (rows) CHECK_OK(clustered_add(index, &params, 1, 0, rows, threads, &err), &err);
	return index;
}

static double recall_of(const struct index *graph, const struct index *flat)
{
	const struct index_params params = params_of(INDEX_GRAPH);

	return clustered_recall(graph, flat, &params, 1, QUERIES, &ask);
}

/* So narrow a search that a worse graph shows. */
static double narrow_recall(const struct index *graph, const struct index *flat)
{
	const struct index_params params = params_of(INDEX_GRAPH);
	const struct index_ask narrow = { .k = K, .effort = K };

	return clustered_recall(graph, flat, &params, 1, 5 * QUERIES, &narrow);
}

static size_t lost_nodes(const struct index *index)
{
	struct graph *g = index->kind;
	struct scratch *s = scratch_take(g, 1);
	const size_t n = graph_lost(g, s, false, NULL);

	scratch_give(g, s);
	return n;
}

static void check_same_files(const struct index *a, const struct index *b)
{
	const char *path_a = test_path("a.index"), *path_b = test_path("b.index");
	struct buf bytes_a = BUF_EMPTY, bytes_b = BUF_EMPTY;
	akin_error err;

	CHECK_OK(index_save(a, path_a, &stamp, &err), &err);
	CHECK_OK(index_save(b, path_b, &stamp, &err), &err);
	CHECK_OK(fs_read(path_a, UINT32_MAX, &bytes_a, &err), &err);
	CHECK_OK(fs_read(path_b, UINT32_MAX, &bytes_b, &err), &err);
	CHECK(bytes_a.len == bytes_b.len && !memcmp(bytes_a.data, bytes_b.data, bytes_a.len));
	buf_deinit(&bytes_a);
	buf_deinit(&bytes_b);
}

TEST(few_rows_are_answered_exactly)
{
	struct index *graph = make(INDEX_GRAPH, GRAPH_LEAST - 1, 1), *flat = make(INDEX_FLAT, GRAPH_LEAST - 1, 1);

	CHECK(recall_of(graph, flat) == 1);
	index_destroy(graph);
	index_destroy(flat);
}

TEST(a_graph_does_not_depend_on_threads)
{
	struct index *one = make(INDEX_GRAPH, ROWS, 1), *four = make(INDEX_GRAPH, ROWS, 4);

	check_same_files(one, four);
	index_destroy(one);
	index_destroy(four);
}

TEST(rows_added_one_by_one_are_found)
{
	struct index *graph = make(INDEX_GRAPH, 900, 1), *flat = make(INDEX_FLAT, ROWS, 1);
	const struct index_params params = params_of(INDEX_GRAPH);
	akin_error err;

	for (int64_t id = 900; id < ROWS; id++) CHECK_OK(clustered_add(graph, &params, 1, id, 1, 1, &err), &err);
	CHECK_OK(index_check(graph, true, &err), &err);
	CHECK(recall_of(graph, flat) >= 0.97, "%.4f\n", recall_of(graph, flat));
	index_destroy(graph);
	index_destroy(flat);
}

/* Half of the rows leave in random order and others come instead; as good as built anew. */
TEST(replacing_half_of_the_rows_costs_no_recall)
{
	struct index *graph = make(INDEX_GRAPH, ROWS, 1), *flat = make(INDEX_FLAT, ROWS, 1), *fresh;
	const struct index_params params = params_of(INDEX_GRAPH);
	double replaced, anew;
	struct rng rng = { 5 };
	akin_error err;
	int64_t *ids;
	size_t n;

	for (size_t i = 0; i < ROWS / 2; i++) {
		const int64_t id = (int64_t)rng_below(&rng, ROWS), more = ROWS + (int64_t)i;

		CHECK_OK(index_remove(graph, &id, 1, &n, &err), &err);
		CHECK_OK(index_remove(flat, &id, 1, NULL, &err), &err);
		if (!n) continue;
		CHECK_OK(clustered_add(graph, &params, 1, more, 1, 1, &err), &err);
		CHECK_OK(clustered_add(flat, &params, 1, more, 1, 1, &err), &err);
	}
	CHECK_OK(index_check(graph, true, &err), &err);
	fresh = make(INDEX_GRAPH, 0, 1);
	CHECK_OK(index_ids(flat, &ids, &n, &err), &err);
	for (size_t i = 0; i < n; i++) CHECK_OK(clustered_add(fresh, &params, 1, ids[i], 1, 1, &err), &err);
	replaced = narrow_recall(graph, flat);
	anew = narrow_recall(fresh, flat);
	print_message("replaced %.4f, anew %.4f, %zu lost\n", replaced, anew, lost_nodes(graph));
	CHECK(replaced >= anew - 0.01);
	mem_free(ids);
	index_destroy(fresh);
	index_destroy(graph);
	index_destroy(flat);
}

TEST(a_removed_row_is_never_found)
{
	const struct index_params params = params_of(INDEX_GRAPH);
	struct index *graph = make(INDEX_GRAPH, ROWS, 1);
	const struct index_ask all = { .k = K };
	float query[DIM];
	akin_error err;

	for (int64_t id = 0; id < ROWS; id += 7) {
		struct hit hits[K];
		size_t n;

		clustered_row(&params, 1, id, query);
		CHECK_OK(index_search(graph, query, &all, hits, &n, &err), &err);
		CHECK(n == K && hits[0].id == id && hits[0].distance == 0);
		CHECK_OK(index_remove(graph, &id, 1, &n, &err), &err);
		CHECK(n == 1 && !index_has(graph, id));
		CHECK_OK(index_search(graph, query, &all, hits, &n, &err), &err);
		for (size_t i = 0; i < n; i++) CHECK(hits[i].id != id);
	}
	CHECK_OK(index_check(graph, true, &err), &err);
	index_destroy(graph);
}

TEST(all_rows_can_leave_and_come_back)
{
	struct index *graph = make(INDEX_GRAPH, ROWS, 1), *flat = make(INDEX_FLAT, ROWS, 1);
	const struct index_params params = params_of(INDEX_GRAPH);
	float query[DIM] = { 0 };
	struct hit hits[K];
	akin_error err;
	size_t n;

	for (int64_t id = 0; id < ROWS; id++) {
		CHECK_OK(index_remove(graph, &id, 1, NULL, &err), &err);
		if (id % 500 == 0) CHECK_OK(index_check(graph, true, &err), &err);
	}
	CHECK_OK(index_search(graph, query, &ask, hits, &n, &err), &err);
	CHECK(n == 0);
	CHECK_OK(clustered_add(graph, &params, 1, 0, ROWS, 1, &err), &err);
	CHECK_OK(index_check(graph, true, &err), &err);
	CHECK(recall_of(graph, flat) >= 0.97);
	index_destroy(graph);
	index_destroy(flat);
}

/* Pruning keeps one of several equal neighbours: the others must stay reachable. */
TEST(equal_rows_are_all_found)
{
	enum { EQUAL = 300 };
	struct index *graph = make(INDEX_GRAPH, ROWS, 1);
	const struct index_ask many = { .k = EQUAL, .effort = 2 * EQUAL };
	const struct index_params params = params_of(INDEX_GRAPH);
	struct hit hits[EQUAL];
	int64_t ids[EQUAL];
	float *rows = mem_alloc(EQUAL * DIM * sizeof *rows);
	akin_error err;
	size_t n, found = 0;

	for (size_t i = 0; i < EQUAL; i++) {
		clustered_row(&params, 1, ROWS, rows + i * DIM);
		ids[i] = ROWS + (int64_t)i;
	}
	CHECK_OK(index_add(graph, ids, rows, EQUAL, &err), &err);
	((struct graph *)graph->kind)->unmended = ROWS;
	CHECK_OK(clustered_add(graph, &params, 1, 2 * ROWS, 1, 1, &err), &err);
	CHECK(lost_nodes(graph) == 0, "%zu lost\n", lost_nodes(graph));
	CHECK_OK(index_search(graph, rows, &many, hits, &n, &err), &err);
	for (size_t i = 0; i < n; i++) found += hits[i].distance == 0;
	CHECK(found == EQUAL, "%zu found\n", found);
	mem_free(rows);
	index_destroy(graph);
}

TEST(a_saved_graph_answers_the_same)
{
	struct index *graph = make(INDEX_GRAPH, ROWS, 1), *opened;
	const struct index_params params = params_of(INDEX_GRAPH);
	const char *path = test_path("saved.index");
	struct index_stamp got;
	float query[DIM];
	akin_error err;

	for (int64_t id = 0; id < ROWS; id += 13) CHECK_OK(index_remove(graph, &id, 1, NULL, &err), &err);
	CHECK_OK(index_save(graph, path, &stamp, &err), &err);
	CHECK_OK(index_open(&opened, path, &got, &err), &err);
	CHECK_OK(index_check(opened, true, &err), &err);
	for (int changed = 0; changed < 2; changed++) {
		for (int64_t i = 0; i < QUERIES; i++) {
			struct hit a[K], b[K];
			size_t n_a, n_b;

			clustered_row(&params, 2, i, query);
			CHECK_OK(index_search(graph, query, &ask, a, &n_a, &err), &err);
			CHECK_OK(index_search(opened, query, &ask, b, &n_b, &err), &err);
			CHECK(n_a == n_b && n_a == K);
			for (size_t j = 0; j < K; j++) CHECK(a[j].id == b[j].id && a[j].distance == b[j].distance);
		}
		CHECK_OK(clustered_add(graph, &params, 2, 100000 * (1 + changed), 50, 1, &err), &err);
		CHECK_OK(clustered_add(opened, &params, 2, 100000 * (1 + changed), 50, 1, &err), &err);
		CHECK_OK(index_check(opened, true, &err), &err);
	}
	index_destroy(opened);
	index_destroy(graph);
}

TEST(one_search_and_many_agree)
{
	enum { N = 50 };
	const struct index_params params = params_of(INDEX_GRAPH);
	struct index *graph = make(INDEX_GRAPH, ROWS, 1);
	const struct index_ask both = { .k = K, .effort = 40, .threads = 2 };
	struct hit one[K], many[N * K];
	float queries[N * DIM];
	size_t n_hits[N], n;
	akin_error err;

	for (size_t i = 0; i < N; i++) clustered_row(&params, 2, (int64_t)i, queries + i * DIM);
	CHECK_OK(index_search_many(graph, queries, N, &both, many, n_hits, &err), &err);
	for (size_t i = 0; i < N; i++) {
		CHECK_OK(index_search(graph, queries + i * DIM, &both, one, &n, &err), &err);
		CHECK(n == n_hits[i] && n == K);
		for (size_t j = 0; j < K; j++) CHECK(one[j].id == many[i * K + j].id);
	}
	index_destroy(graph);
}

/* Codes are learned from the first rows; when quite others come, they are learned again. */
TEST(rows_unlike_the_first_are_found)
{
	const struct index_params params = params_of(INDEX_GRAPH);
	struct index *graph = make(INDEX_GRAPH, 1000, 1), *flat = make(INDEX_FLAT, 1000, 1);
	float *rows = mem_alloc(ROWS * DIM * sizeof *rows);
	int64_t *ids = mem_calloc(ROWS, sizeof *ids);
	size_t found = 0;
	akin_error err;

	for (size_t i = 0; i < ROWS; i++) {
		ids[i] = 1000 + (int64_t)i;
		clustered_row(&params, 3, (int64_t)i, rows + i * DIM);
		for (size_t d = 0; d < DIM; d++) rows[i * DIM + d] = 50 * rows[i * DIM + d] + 1000;
	}
	CHECK_OK(index_add(graph, ids, rows, ROWS, &err), &err);
	CHECK_OK(index_add(flat, ids, rows, ROWS, &err), &err);
	for (size_t i = 0; i < ROWS; i += 40) {
		struct hit a[K], b[K];
		size_t n_a, n_b;

		rows[i * DIM] += 20;
		CHECK_OK(index_search(graph, rows + i * DIM, &ask, a, &n_a, &err), &err);
		CHECK_OK(index_search(flat, rows + i * DIM, &ask, b, &n_b, &err), &err);
		for (size_t j = 0; j < n_a; j++) found += a[j].distance <= b[K - 1].distance;
	}
	CHECK(found >= 95 * ROWS / 40 * K / 100, "%zu\n", found);
	mem_free(ids);
	mem_free(rows);
	index_destroy(graph);
	index_destroy(flat);
}

TEST(a_sample_may_teach_before_the_first_row)
{
	const struct index_params params = params_of(INDEX_GRAPH);
	struct index *graph = make(INDEX_GRAPH, 0, 1), *flat = make(INDEX_FLAT, ROWS, 1);
	float *rows = mem_alloc(2000 * DIM * sizeof *rows);
	akin_error err;

	for (int64_t i = 0; i < 2000; i++) clustered_row(&params, 8, i, rows + i * DIM);
	CHECK_OK(index_train(graph, rows, 2000, 1, &err), &err);
	CHECK_OK(clustered_add(graph, &params, 1, 0, ROWS, 1, &err), &err);
	CHECK(((struct graph *)graph->kind)->coder.trained == 2000);
	CHECK(recall_of(graph, flat) >= 0.97);
	mem_free(rows);
	index_destroy(graph);
	index_destroy(flat);
}

TEST(params_out_of_range_are_refused)
{
	struct index_params params = params_of(INDEX_GRAPH);
	struct index *index;
	akin_error err;

	params.links = 3;
	CHECK_STATUS(index_create(&index, &params, &err), AKIN_ERR_INVALID);
	params.links = GRAPH_MAX_LINKS + 1;
	CHECK_STATUS(index_create(&index, &params, &err), AKIN_ERR_INVALID);
	params.links = 8;
	params.build_effort = GRAPH_MAX_BUILD_EFFORT + 1;
	CHECK_STATUS(index_create(&index, &params, &err), AKIN_ERR_INVALID);
}

TEST_MAIN(cmocka_unit_test(few_rows_are_answered_exactly), cmocka_unit_test(a_graph_does_not_depend_on_threads),
	  cmocka_unit_test(rows_added_one_by_one_are_found),
	  cmocka_unit_test(replacing_half_of_the_rows_costs_no_recall), cmocka_unit_test(a_removed_row_is_never_found),
	  cmocka_unit_test(all_rows_can_leave_and_come_back), cmocka_unit_test(equal_rows_are_all_found),
	  cmocka_unit_test(a_saved_graph_answers_the_same), cmocka_unit_test(one_search_and_many_agree),
	  cmocka_unit_test(rows_unlike_the_first_are_found), cmocka_unit_test(a_sample_may_teach_before_the_first_row),
	  cmocka_unit_test(params_out_of_range_are_refused))
