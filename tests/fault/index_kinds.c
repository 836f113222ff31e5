/* index/: when memory, a write, a sync or a rename fails, the approximate kinds are as before.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "index/index.h"

enum { DIM = 16, MOST = 4300, MORE = 40 };

static const struct index_params kinds[] = {
	{ .kind = INDEX_IVF, .metric = METRIC_L2, .element = ELEMENT_U8, .dim = DIM, .seed = 1, .ivf.lists = 6 },
	{ .kind = INDEX_IVF,
	  .metric = METRIC_COSINE,
	  .element = ELEMENT_I8,
	  .dim = DIM,
	  .seed = 1,
	  .ivf = { 6, 255, 0 } },
	{ .kind = INDEX_LSH, .metric = METRIC_L2, .element = ELEMENT_U8, .dim = DIM, .seed = 1, .lsh = { 2, 5, 0 } },
	{ .kind = INDEX_BINARY, .metric = METRIC_HAMMING, .element = ELEMENT_BITS, .dim = 8 * DIM, .seed = 1 },
};

static const struct index_params *params;
static const char *path;
static struct index *subject;
static size_t before; /* rows of the subject */

static void make_rows(int64_t first, size_t n, int64_t *ids, uint8_t *rows)
{
	struct rng rng = { (uint64_t)first };

	for (size_t i = 0; i < n; i++) {
		ids[i] = first + (int64_t)i;
		for (size_t d = 0; d < DIM; d++) rows[i * DIM + d] = (uint8_t)rng_u64(&rng);
	}
}

static akin_status add(struct index *index, int64_t first, size_t n)
{
	static uint8_t rows[MOST * DIM];
	static int64_t ids[MOST];

	make_rows(first, n, ids, rows);
	return index_add(index, ids, rows, n, NULL);
}

static void make_subject(size_t rows, bool mapped)
{
	const struct index_stamp stamp = { .generation = 1 };
	struct index_stamp got;
	akin_error err;

	before = rows;
	if (!path) path = test_path("kinds");
	CHECK_OK(index_create(&subject, params, &err), &err);
	CHECK(add(subject, 0, rows) == AKIN_OK);
	CHECK_OK(index_save(subject, path, &stamp, &err), &err);
	if (!mapped) return;
	index_destroy(subject);
	CHECK_OK(index_open(&subject, path, &got, &err), &err);
}

static void check_subject(const struct index *index, size_t count)
{
	const struct index_ask ask = { .k = 3 };
	const uint8_t query[DIM] = { 1 };
	struct index_stats stats;
	struct hit hits[3];
	size_t n;
	akin_error err;

	index_get_stats(index, &stats);
	CHECK(stats.count == count, "%zu rows instead of %zu\n", stats.count, count);
	CHECK_OK(index_check(index, true, &err), &err);
	CHECK_OK(index_search(index, query, &ask, hits, &n, &err), &err);
	CHECK(n == 3);
}

static akin_status add_body(void)
{
	akin_status st = add(subject, MOST, MORE);

	fault_disarm();
	check_subject(subject, st == AKIN_OK ? before + MORE : before);
	return st;
}

static akin_status remove_body(void)
{
	const int64_t ids[] = { 5, (int64_t)before - 1 };
	size_t n;
	akin_status st = index_remove(subject, ids, 2, &n, NULL);

	fault_disarm();
	check_subject(subject, before - n);
	CHECK((n == 2) == (st == AKIN_OK));
	return st;
}

static akin_status train_body(void)
{
	static uint8_t rows[300 * DIM];
	static int64_t ids[300];
	akin_status st;

	make_rows(9, 300, ids, rows);
	st = index_train(subject, rows, 300, 2, NULL);
	fault_disarm();
	check_subject(subject, before);
	return st;
}

static akin_status save_body(void)
{
	const struct index_stamp stamp = { .generation = 2 };
	struct index_stamp got;
	struct index *opened;
	akin_status st = index_save(subject, path, &stamp, NULL);
	akin_error err;

	fault_disarm();
	CHECK_OK(index_open(&opened, path, &got, &err), &err);
	CHECK(st != AKIN_OK || got.generation == 2);
	check_subject(opened, before);
	index_destroy(opened);
	return st;
}

static akin_status open_body(void)
{
	struct index_stamp got;
	struct index *opened;
	akin_status st = index_open(&opened, path, &got, NULL);

	fault_disarm();
	CHECK(!opened == (st != AKIN_OK));
	if (opened) check_subject(opened, before);
	index_destroy(opened);
	return st;
}

static akin_status search_body(void)
{
	const struct index_ask ask = { .k = 3, .threads = 2 };
	uint8_t queries[20 * DIM] = { 1 };
	struct hit hits[60];
	size_t n_hits[20];
	akin_status st = index_search(subject, queries, &ask, hits, n_hits, NULL);

	if (st == AKIN_OK) st = index_search_many(subject, queries, 20, &ask, hits, n_hits, NULL);
	for (size_t i = 0; i < 20 && st == AKIN_OK; i++) CHECK(n_hits[i] == 3);
	return st;
}

static void every_fault(akin_status (*body)(void), size_t rows, bool mapped)
{
	for (int persistent = 0; persistent < 2; persistent++) {
		bool met = true;

		for (long nth = 1; met; nth++) {
			akin_status st;

			make_subject(rows, mapped);
			fault_arm(FAULT_ALL, nth, persistent);
			st = body();
			met = fault_disarm();
			index_destroy(subject);
			CHECK(nth < 300, "still failing call %ld\n", nth);
			CHECK(met || st == AKIN_OK, "no fault, yet %s\n", akin_status_name(st));
		}
	}
}

static void every_kind(akin_status (*body)(void), bool with_first)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		const size_t fewest = kinds[i].kind == INDEX_BINARY ? 4000 : 1000;

		params = &kinds[i];
		if (with_first) every_fault(body, fewest - 1, false);
		every_fault(body, fewest + 1, false);
		every_fault(body, fewest + 1, true);
	}
}

TEST(a_failed_add_adds_nothing)
{
	every_kind(add_body, true);
}

TEST(a_failed_remove_loses_nothing)
{
	every_kind(remove_body, false);
}

TEST(a_failed_training_changes_nothing)
{
	params = &kinds[0];
	every_fault(train_body, 500, false);
	every_fault(train_body, 1001, true);
}

TEST(a_failed_save_leaves_index_and_file)
{
	every_kind(save_body, true);
}

TEST(a_failed_open_gives_nothing)
{
	every_kind(open_body, false);
}

TEST(a_failed_search_says_so)
{
	every_kind(search_body, false);
}

TEST_MAIN(cmocka_unit_test(a_failed_add_adds_nothing), cmocka_unit_test(a_failed_remove_loses_nothing),
	  cmocka_unit_test(a_failed_training_changes_nothing), cmocka_unit_test(a_failed_save_leaves_index_and_file),
	  cmocka_unit_test(a_failed_open_gives_nothing), cmocka_unit_test(a_failed_search_says_so))
