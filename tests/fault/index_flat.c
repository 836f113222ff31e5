/* index/: when memory, a write, a sync or a rename fails, the index is as before and the file is the old or the new one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/fs.h"
#include "index/index.h"

enum { DIM = 6, BEFORE = 20, ADDED = 30 };

struct setup {
	enum metric metric;
	enum element element;
	bool mapped;
	const char *path;
	size_t unsaved; /* rows beyond those of the file */
};

static void make_row(int64_t id, uint8_t *row)
{
	for (size_t i = 0; i < DIM; i++) row[i] = (uint8_t)(id * 5 + (int64_t)i * 3);
}

static void add_rows(struct index *index, int64_t first, size_t n)
{
	akin_error err;

	for (int64_t id = first; id < first + (int64_t)n; id++) {
		uint8_t row[DIM];
		make_row(id, row);
		CHECK_OK(index_add(index, &id, row, 1, &err), &err);
	}
}

/* Before any fault is armed. */
static struct index *make(const struct setup *s)
{
	const struct index_params params = { .kind = INDEX_FLAT, .metric = s->metric, .element = s->element,
		                                     .dim = DIM, .seed = 1 };
	const struct index_stamp stamp = { .generation = 1 };
	struct index_stamp got;
	struct index *index;
	akin_error err;

	CHECK_OK(index_create(&index, &params, &err), &err);
	add_rows(index, 0, BEFORE);
	CHECK_OK(index_save(index, s->path, &stamp, &err), &err);
	if (s->mapped) {
		index_destroy(index);
		CHECK_OK(index_open(&index, s->path, &got, &err), &err);
	}
	add_rows(index, BEFORE, s->unsaved);
	return index;
}

static void check_rows(const struct index *index, size_t count)
{
	struct index_stats stats;
	akin_error err;

	index_get_stats(index, &stats);
	CHECK(stats.count == count, "%zu rows instead of %zu\n", stats.count, count);
	CHECK_OK(index_check(index, true, &err), &err);
	for (int64_t id = 0; id < (int64_t)count; id++) {
		uint8_t wanted[DIM], got[DIM];

		make_row(id, wanted);
		CHECK_OK(index_get(index, id, got, &err), &err);
		CHECK(!memcmp(got, wanted, DIM));
	}
	CHECK(!index_has(index, (int64_t)count));
}

static struct index *subject;

/* Each body does the one thing under test, disarms, and looks. */

static akin_status add_body(void *ctx)
{
	uint8_t rows[ADDED * DIM];
	int64_t ids[ADDED];
	akin_status st;
	akin_error err;

	(void)ctx;
	for (size_t i = 0; i < ADDED; i++) {
		ids[i] = BEFORE + (int64_t)i;
		make_row(ids[i], rows + i * DIM);
	}
	st = index_add(subject, ids, rows, ADDED, &err);
	fault_disarm();
	check_rows(subject, st == AKIN_OK ? BEFORE + ADDED : BEFORE);
	return st;
}

static akin_status remove_body(void *ctx)
{
	const int64_t ids[] = { BEFORE - 1, 1000, BEFORE - 2 };
	size_t n_removed;
	akin_status st;
	akin_error err;

	(void)ctx;
	st = index_remove(subject, ids, COUNT(ids), &n_removed, &err);
	fault_disarm();
	CHECK(n_removed == (st == AKIN_OK ? 2 : 0));
	check_rows(subject, st == AKIN_OK ? BEFORE - 2 : BEFORE);
	return st;
}

static akin_status save_body(void *ctx)
{
	const struct index_stamp stamp = { .generation = 2 };
	const struct setup *s = ctx;
	struct index_stamp got;
	struct index *opened;
	akin_status st;
	akin_error err;

	st = index_save(subject, s->path, &stamp, &err);
	fault_disarm();
	check_rows(subject, BEFORE + s->unsaved);
	CHECK_OK(index_open(&opened, s->path, &got, &err), &err);
	if (st == AKIN_OK) CHECK(got.generation == 2);
	check_rows(opened, got.generation == 2 ? BEFORE + s->unsaved : BEFORE);
	index_destroy(opened);
	return st;
}

static akin_status open_body(void *ctx)
{
	const struct setup *s = ctx;
	struct index_stamp got;
	struct index *opened;
	akin_error err;
	akin_status st = index_open(&opened, s->path, &got, &err);

	fault_disarm();
	CHECK(!opened == (st != AKIN_OK));
	if (opened) check_rows(opened, BEFORE);
	index_destroy(opened);
	return st;
}

static akin_status search_body(void *ctx)
{
	const struct index_ask ask = { .k = 3, .threads = 2 };
	struct hit hits[180], *range;
	uint8_t queries[60 * DIM] = { 1 };
	size_t n_hits[60];
	akin_status st;
	akin_error err;

	(void)ctx;
	if ((st = index_search(subject, queries, &ask, hits, n_hits, &err)) != AKIN_OK) return st;
	if ((st = index_search_many(subject, queries, 60, &ask, hits, n_hits, &err)) != AKIN_OK) return st;
	for (size_t i = 0; i < 60; i++) CHECK(n_hits[i] == 3);
	if ((st = index_range(subject, queries, 1e9f, NULL, &range, n_hits, &err)) != AKIN_OK) {
		CHECK(!range && !n_hits[0]);
		return st;
	}
	CHECK(n_hits[0] == BEFORE);
	mem_free(range);
	return AKIN_OK;
}

/* Like fault_loop, with a new subject for each run, made before the fault is armed. */
static void every_fault(struct setup *setup, akin_status (*body)(void *ctx))
{
	for (int persistent = 0; persistent < 2; persistent++) {
		bool met = true;

		for (long nth = 1; met; nth++) {
			akin_status st;

			subject = make(setup);
			fault_arm(FAULT_ALL, nth, persistent);
			st = body(setup);
			met = fault_disarm();
			index_destroy(subject);
			CHECK(nth < 200, "still failing call %ld\n", nth);
			CHECK(met || st == AKIN_OK, "no fault, yet %s\n", akin_status_name(st));
		}
	}
}

static void with_every_setup(akin_status (*body)(void *ctx), size_t unsaved)
{
	struct setup setups[] = {
		{ METRIC_L2, ELEMENT_U8, false, test_path("u8"), unsaved },
		{ METRIC_L2, ELEMENT_U8, true, test_path("u8"), unsaved },
		{ METRIC_COSINE, ELEMENT_I8, false, test_path("scaled"), unsaved },
		{ METRIC_COSINE, ELEMENT_I8, true, test_path("scaled"), unsaved },
	};

	for (size_t i = 0; i < COUNT(setups); i++) every_fault(&setups[i], body);
}

TEST(a_failed_add_adds_nothing)
{
	with_every_setup(add_body, 0);
}

TEST(a_failed_remove_removes_nothing)
{
	with_every_setup(remove_body, 0);
}

TEST(a_failed_save_leaves_index_and_file)
{
	with_every_setup(save_body, 0);
	with_every_setup(save_body, 3);
}

TEST(a_failed_open_gives_nothing)
{
	with_every_setup(open_body, 0);
}

TEST(a_failed_search_says_so)
{
	with_every_setup(search_body, 0);
}

static akin_status create_body(void *ctx)
{
	const struct index_params params = { .kind = INDEX_FLAT, .metric = METRIC_L2, .element = ELEMENT_F32,
		                                     .dim = DIM, .seed = 1 };
	struct index *index;
	akin_status st = index_create(&index, &params, NULL);

	(void)ctx;
	CHECK(!index == (st != AKIN_OK));
	index_destroy(index);
	return st;
}

TEST(a_failed_create_gives_nothing)
{
	fault_loop(FAULT_ALL, 100, create_body, NULL);
}

/* Batches of floats need memory for the product; without it scans answer, and the same. */
TEST(a_batch_without_memory_for_the_product_is_scanned)
{
	enum { ROWS = 300, QUERIES = 100, K = 4 };
	const struct index_params params = { .kind = INDEX_FLAT, .metric = METRIC_COSINE, .element = ELEMENT_F16,
		                                     .dim = DIM, .seed = 1 };
	const struct index_ask ask = { .k = K, .threads = 1 };
	struct hit calm[QUERIES * K], got[QUERIES * K];
	float rows[ROWS * DIM];
	size_t n_hits[QUERIES], answered = 0;
	struct rng rng = { 1 };
	bool met = true;
	akin_error err;

	for (size_t i = 0; i < ROWS * DIM; i++) rows[i] = (float)rng_normal(&rng);
	CHECK_OK(index_create(&subject, &params, &err), &err);
	for (int64_t id = 0; id < ROWS; id++) CHECK_OK(index_add(subject, &id, rows + id * DIM, 1, &err), &err);
	CHECK_OK(index_search_many(subject, rows, QUERIES, &ask, calm, n_hits, &err), &err);
	for (long nth = 1; met; nth++) {
		akin_status st;

		fault_arm(FAULT_ALLOC, nth, false);
		st = index_search_many(subject, rows, QUERIES, &ask, got, n_hits, &err);
		met = fault_disarm();
		if (st != AKIN_OK) continue;
		answered += met;
		for (size_t i = 0; i < QUERIES * K; i++)
			CHECK(got[i].id == calm[i].id && got[i].distance == calm[i].distance);
	}
	CHECK(answered == 3, "panels, norms and converted rows: %zu\n", answered);
	index_destroy(subject);
}

TEST_MAIN(cmocka_unit_test(a_failed_add_adds_nothing), cmocka_unit_test(a_failed_remove_removes_nothing),
          cmocka_unit_test(a_failed_save_leaves_index_and_file), cmocka_unit_test(a_failed_open_gives_nothing),
          cmocka_unit_test(a_failed_search_says_so), cmocka_unit_test(a_failed_create_gives_nothing),
          cmocka_unit_test(a_batch_without_memory_for_the_product_is_scanned))
