/* index/graph: when memory, a write, a sync or a rename fails, the rows are as before and the graph is whole.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "clustered.h"
#include "index/graph.h"

enum { ROWS = 1200, DIM = 8, K = 5 };

static const struct index_params params = { .kind = INDEX_GRAPH,
					    .metric = METRIC_L2,
					    .element = ELEMENT_U8,
					    .dim = DIM,
					    .seed = 1,
					    .links = 8,
					    .build_effort = 16 };
static const struct index_stamp stamp = { .generation = 2 };
static const char *path;
static struct index *subject;

/* `rows`, through a file when `mapped`. */
static void make(size_t rows, bool mapped)
{
	struct index_stamp got;
	akin_error err;

	CHECK_OK(index_create(&subject, &params, &err), &err);
	CHECK_OK(clustered_add(subject, &params, 1, 0, rows, 1, &err), &err);
	CHECK_OK(index_save(subject, path, &stamp, &err), &err);
	if (!mapped) return;
	index_destroy(subject);
	CHECK_OK(index_open(&subject, path, &got, &err), &err);
}

static void check_count(const struct index *index, size_t wanted)
{
	struct index_stats stats;
	akin_error err;

	index_get_stats(index, &stats);
	CHECK(stats.count == wanted, "%zu instead of %zu\n", stats.count, wanted);
	CHECK_OK(index_check(index, true, &err), &err);
}

static void every_fault(size_t rows, bool mapped, akin_status (*body)(size_t rows))
{
	for (int persistent = 0; persistent < 2; persistent++) {
		bool met = true;

		for (long nth = 1; met; nth++) {
			akin_status st;

			make(rows, mapped);
			fault_arm(FAULT_ALL, nth, persistent);
			st = body(rows);
			met = fault_disarm();
			index_destroy(subject);
			CHECK(nth < 500, "still failing call %ld\n", nth);
			CHECK(met || st == AKIN_OK, "no fault, yet %s\n", akin_status_name(st));
		}
	}
}

static akin_status add_body(size_t rows)
{
	uint8_t more[40 * DIM];
	int64_t ids[40];
	akin_status st;
	akin_error err;

	for (int64_t i = 0; i < 40; i++) {
		ids[i] = 100000 + i;
		clustered_row(&params, 1, ids[i], more + i * DIM);
	}
	st = index_add(subject, ids, more, COUNT(ids), &err);
	fault_disarm();
	check_count(subject, st == AKIN_OK ? rows + COUNT(ids) : rows);
	return st;
}

TEST(a_failed_add_adds_nothing)
{
	path = test_path("add");
	every_fault(ROWS, false, add_body);
	every_fault(ROWS, true, add_body);
	every_fault(GRAPH_LEAST - 20, false, add_body); /* the one that makes the graph */
}

static akin_status remove_body(size_t rows)
{
	const size_t most = rows / 8; /* so many that the graph is consolidated */
	size_t removed = 0, n;
	akin_status st = AKIN_OK;

	for (int64_t id = 0; id < (int64_t)most && st == AKIN_OK; id++, removed += n)
		st = index_remove(subject, &id, 1, &n, NULL);
	fault_disarm();
	check_count(subject, rows - removed);
	return st;
}

TEST(a_failed_remove_leaves_a_whole_graph)
{
	path = test_path("remove");
	every_fault(ROWS, false, remove_body);
	every_fault(ROWS, true, remove_body);
}

static akin_status save_body(size_t rows)
{
	struct index_stamp got;
	struct index *opened;
	akin_error err;
	akin_status st = index_save(subject, path, &stamp, &err);

	fault_disarm();
	check_count(subject, rows);
	CHECK_OK(index_open(&opened, path, &got, &err), &err);
	check_count(opened, rows);
	index_destroy(opened);
	return st;
}

TEST(a_failed_save_leaves_index_and_file)
{
	path = test_path("save");
	every_fault(ROWS, false, save_body);
}

static akin_status open_body(size_t rows)
{
	struct index_stamp got;
	struct index *opened;
	akin_status st = index_open(&opened, path, &got, NULL);

	fault_disarm();
	CHECK(!opened == (st != AKIN_OK));
	if (opened) check_count(opened, rows);
	index_destroy(opened);
	return st;
}

TEST(a_failed_open_gives_nothing)
{
	path = test_path("open");
	every_fault(ROWS, false, open_body);
}

static bool even(void *ctx, int64_t id)
{
	(void)ctx;
	return id % 2 == 0;
}

static akin_status search_body(size_t rows)
{
	const struct index_filter filter = { .allows = even, .ctx = NULL };
	const struct index_ask ask = { .k = K, .threads = 2, .effort = 10 },
			       filtered = { .k = K, .effort = 10, .filter = &filter };
	uint8_t queries[20 * DIM] = { 1 };
	struct hit hits[20 * K];
	size_t n_hits[20];
	akin_status st;

	(void)rows;
	if ((st = index_search(subject, queries, &ask, hits, n_hits, NULL)) != AKIN_OK) return st;
	if ((st = index_search(subject, queries, &filtered, hits, n_hits, NULL)) != AKIN_OK) return st;
	if ((st = index_search_many(subject, queries, 20, &ask, hits, n_hits, NULL)) != AKIN_OK) return st;
	for (size_t i = 0; i < 20; i++) CHECK(n_hits[i] == K);
	return st;
}

TEST(a_failed_search_says_so)
{
	path = test_path("search");
	every_fault(ROWS, false, search_body);
	every_fault(ROWS, true, search_body);
}

static akin_status train_body(size_t rows)
{
	uint8_t sample[50 * DIM];
	struct index *index;
	akin_status st;

	(void)rows;
	for (int64_t i = 0; i < 50; i++) clustered_row(&params, 1, i, sample + i * DIM);
	if ((st = index_create(&index, &params, NULL)) != AKIN_OK) return st;
	st = index_train(index, sample, 50, 1, NULL);
	index_destroy(index);
	return st;
}

TEST(a_failed_train_says_so)
{
	path = test_path("train");
	every_fault(10, false, train_body);
}

TEST_MAIN(cmocka_unit_test(a_failed_add_adds_nothing), cmocka_unit_test(a_failed_remove_leaves_a_whole_graph),
	  cmocka_unit_test(a_failed_save_leaves_index_and_file), cmocka_unit_test(a_failed_open_gives_nothing),
	  cmocka_unit_test(a_failed_search_says_so), cmocka_unit_test(a_failed_train_says_so))
