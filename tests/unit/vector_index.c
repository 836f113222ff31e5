/* akin/index.h: the promises of the public vector engine, as a program that links it would find them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>

#include "akin/akin.h"
#include "base/fs.h"

enum { DIM = 16, ROWS = 500, K = 10 };

static void make_rows(struct rng *rng, float *rows, size_t n)
{
	for (size_t i = 0; i < n * DIM; i++) rows[i] = (float)rng_normal(rng);
}

static akin_index *make(akin_index_kind kind, const float *rows, size_t n)
{
	const akin_index_spec spec = { .kind = kind, .dim = DIM, .seed = 3 };
	akin_index *index;
	akin_error err;

	CHECK_OK(akin_index_create(&index, &spec, &err), &err);
	CHECK_OK(akin_index_add(index, NULL, rows, n, 1, &err), &err);
	return index;
}

static float distance(const float *a, const float *b)
{
	float sum = 0;

	for (size_t i = 0; i < DIM; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
	return sum;
}

TEST(answers_are_those_of_a_plain_loop)
{
	static float rows[ROWS * DIM], query[DIM];
	struct rng rng = { 1 };
	akin_neighbour hits[K];
	akin_index *index;
	akin_error err;
	size_t n;

	make_rows(&rng, rows, ROWS);
	make_rows(&rng, query, 1);
	index = make(AKIN_INDEX_FLAT, rows, ROWS);
	CHECK_OK(akin_index_search(index, query, &(akin_index_ask){ .k = K }, hits, &n, &err), &err);
	CHECK(n == K);
	for (size_t i = 0; i < K; i++) {
		size_t nearer = 0;

		CHECK(fabsf(hits[i].distance - distance(query, rows + hits[i].id * DIM)) < 1e-4f);
		for (size_t r = 0; r < ROWS; r++) nearer += distance(query, rows + r * DIM) < hits[i].distance - 1e-4f;
		CHECK(nearer <= i);
	}
	akin_index_destroy(index);
}

TEST(wrong_arguments_are_named)
{
	static const akin_index_spec bad[] = { { .dim = 0 },
					       { .dim = AKIN_INDEX_MAX_DIM + 1 },
					       { .dim = 4, .kind = (akin_index_kind)77 },
					       { .dim = 4, .metric = AKIN_METRIC_HAMMING },
					       { .dim = 4, .metric = AKIN_METRIC_L2, .element = AKIN_ELEMENT_BITS },
					       { .dim = 4, .element = (akin_element)9 } };
	const float row[4] = { 1, 2, 3, NAN };
	const int64_t unordered[2] = { 5, 3 };
	const akin_index_filter filter = { .ids = unordered, .n_ids = 2 };
	akin_neighbour hits[1];
	akin_index *index;
	akin_error err;
	size_t n;

	for (size_t i = 0; i < COUNT(bad); i++) {
		CHECK_STATUS(akin_index_create(&index, &bad[i], &err), AKIN_ERR_INVALID);
		CHECK(!index && err.text[0], "case %zu\n", i);
	}
	CHECK_OK(akin_index_create(&index, &(akin_index_spec){ .dim = 4 }, &err), &err);
	CHECK_STATUS(akin_index_add(index, NULL, row, 1, 1, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(akin_index_search(index, row, &(akin_index_ask){ .k = 0 }, hits, &n, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(akin_index_search(index, (const float[4]){ 0 }, &(akin_index_ask){ .k = 1, .filter = &filter },
				       hits, &n, &err),
		     AKIN_ERR_INVALID);
	CHECK_STATUS(akin_index_tune(index, row, 1, 1, 1.5, 1, NULL, NULL, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(akin_index_get(index, 8, hits, &err), AKIN_ERR_NOT_FOUND);
	akin_index_destroy(index);
	/* Nobody must want to know why. */
	CHECK_STATUS(akin_index_open(&index, "/nowhere", NULL), AKIN_ERR_NOT_FOUND);
	CHECK(!index);
}

TEST(ids_are_numbered_after_the_greatest)
{
	static float rows[4 * DIM];
	struct rng rng = { 2 };
	const int64_t ids[2] = { -7, 40 }, most = INT64_MAX;
	akin_index *index;
	akin_error err;

	make_rows(&rng, rows, 4);
	index = make(AKIN_INDEX_FLAT, rows, 2);
	CHECK(akin_index_has(index, 0) && akin_index_has(index, 1));
	CHECK_OK(akin_index_add(index, ids, rows, 2, 1, &err), &err);
	CHECK_OK(akin_index_add(index, NULL, rows, 1, 1, &err), &err);
	CHECK(akin_index_has(index, 41) && akin_index_has(index, -7) && !akin_index_has(index, 42));
	CHECK_OK(akin_index_save(index, test_path("numbers.akx"), &err), &err);
	akin_index_destroy(index);
	CHECK_OK(akin_index_open(&index, test_path("numbers.akx"), &err), &err);
	CHECK_OK(akin_index_add(index, NULL, rows, 1, 1, &err), &err);
	CHECK(akin_index_has(index, 42));
	CHECK_OK(akin_index_add(index, &most, rows, 1, 1, &err), &err);
	CHECK_STATUS(akin_index_add(index, NULL, rows, 1, 1, &err), AKIN_ERR_INVALID);
	akin_index_destroy(index);
}

TEST(an_update_replaces_and_a_failed_one_restores)
{
	static float rows[ROWS * DIM], others[3 * DIM];
	const int64_t ids[3] = { 5, 6, 9000 }, doubled[3] = { 5, 6, 5 };
	struct rng rng = { 3 };
	akin_index_stats stats;
	akin_index *index;
	akin_error err;
	float got[DIM];

	make_rows(&rng, rows, ROWS);
	make_rows(&rng, others, 3);
	index = make(AKIN_INDEX_FLAT, rows, ROWS);
	CHECK_STATUS(akin_index_update(index, doubled, others, 3, 1, &err), AKIN_ERR_EXISTS);
	CHECK_OK(akin_index_get(index, 5, got, &err), &err);
	CHECK(!memcmp(got, rows + 5 * DIM, sizeof got));
	CHECK_OK(akin_index_update(index, ids, others, 3, 1, &err), &err);
	akin_index_get_stats(index, &stats);
	CHECK(stats.count == ROWS + 1);
	for (size_t i = 0; i < 3; i++) {
		CHECK_OK(akin_index_get(index, ids[i], got, &err), &err);
		CHECK(!memcmp(got, others + i * DIM, sizeof got));
	}
	CHECK_OK(akin_index_check(index, 1, &err), &err);
	akin_index_destroy(index);
}

static int is_even(void *user, int64_t id)
{
	(void)user;
	return id % 2 == 0;
}

TEST(filters_combine)
{
	static float rows[ROWS * DIM];
	const int64_t allowed[] = { -4, 3, 4, 10, 11, 12, 200, 499, 7000 };
	const unsigned char bits[2] = { 0x18, 0x1c }; /* 3 4 10 11 12 */
	const akin_index_filter some[] = { { .ids = allowed, .n_ids = COUNT(allowed) },
		                           { .bits = bits, .n_bits = 16 },
		                           { .bits = bits, .n_bits = 12 },
		                           { .ids = allowed, .n_ids = COUNT(allowed), .allows = is_even },
		                           { .ids = allowed, .n_ids = 0 } };
	const size_t want[] = { 7, 5, 4, 4, 0 };
	struct rng rng = { 4 };
	akin_index *index;
	akin_error err;

	make_rows(&rng, rows, ROWS);
	index = make(AKIN_INDEX_FLAT, rows, ROWS);
	for (size_t i = 0; i < COUNT(some); i++) {
		const akin_index_ask ask = { .k = K, .filter = &some[i] };
		akin_neighbour hits[K], many[K], *range;
		size_t n, n_many, n_range;

		CHECK_OK(akin_index_search(index, rows, &ask, hits, &n, &err), &err);
		CHECK_OK(akin_index_search_many(index, rows, 1, &ask, many, &n_many, &err), &err);
		CHECK_OK(akin_index_range(index, rows, INFINITY, &some[i], &range, &n_range, &err), &err);
		CHECK(n == want[i] && n_many == n && n_range == n, "filter %zu: %zu %zu %zu\n", i, n, n_many, n_range);
		for (size_t j = 0; j < n; j++) CHECK(hits[j].id == many[j].id && hits[j].id == range[j].id);
		akin_bytes_free(range);
	}
	akin_index_destroy(index);
}

TEST(batches_ranges_and_bounds_agree_with_single_searches)
{
	static float rows[ROWS * DIM], queries[20 * DIM];
	static akin_neighbour hits[20 * 100];
	akin_neighbour one[100], *range;
	struct rng rng = { 5 };
	akin_index *index;
	akin_error err;
	size_t n_hits[20], n;

	make_rows(&rng, rows, ROWS);
	make_rows(&rng, queries, 20);
	index = make(AKIN_INDEX_FLAT, rows, ROWS);
	CHECK_OK(
	    akin_index_search_many(index, queries, 20, &(akin_index_ask){ .k = 100, .threads = 2 }, hits, n_hits, &err),
	    &err);
	for (size_t q = 0; q < 20; q++) {
		const akin_index_ask bounded = { .k = 100, .bounded = 1, .max_distance = hits[q * 100 + 4].distance };

		CHECK_OK(akin_index_search(index, queries + q * DIM, &(akin_index_ask){ .k = 100 }, one, &n, &err),
			 &err);
		CHECK(n == n_hits[q] && one[0].distance == hits[q * 100].distance);
		for (size_t i = 0; i < n; i++) CHECK(one[i].id == hits[q * 100 + i].id);
		CHECK_OK(akin_index_search(index, queries + q * DIM, &bounded, one, &n, &err), &err);
		CHECK(n == 5);
		CHECK_OK(akin_index_range(index, queries + q * DIM, bounded.max_distance, NULL, &range, &n, &err),
			 &err);
		CHECK(n == 5 && range[4].id == one[4].id);
		akin_bytes_free(range);
	}
	CHECK(akin_index_recall(hits, n_hits, hits, n_hits, 20, 100) == 1);
	akin_index_destroy(index);
}

TEST(a_saved_index_opens_and_changes)
{
	static float rows[ROWS * DIM];
	const char *path = test_path("saved.akx");
	struct rng rng = { 6 };
	akin_index_stats stats;
	akin_index *index;
	akin_error err;
	int64_t *ids, gone[2] = { 3, 99999 };
	size_t n;

	make_rows(&rng, rows, ROWS);
	index = make(AKIN_INDEX_AUTO, rows, ROWS);
	akin_index_get_stats(index, &stats);
	CHECK(stats.kind == AKIN_INDEX_AUTO && stats.vector_bytes == sizeof(float) * DIM);
	CHECK_OK(akin_index_save(index, path, &err), &err);
	akin_index_destroy(index);
	CHECK_OK(akin_index_open(&index, path, &err), &err);
	akin_index_get_stats(index, &stats);
	CHECK(stats.kind == AKIN_INDEX_FLAT && stats.mapped && stats.count == ROWS && stats.dim == DIM);
	CHECK_OK(akin_index_check(index, 1, &err), &err);
	CHECK_OK(akin_index_remove(index, gone, 2, &n, &err), &err);
	CHECK(n == 1 && !akin_index_has(index, 3));
	CHECK_OK(akin_index_ids(index, &ids, &n, &err), &err);
	CHECK(n == ROWS - 1 && ids[2] == 2 && ids[3] == 4);
	akin_bytes_free(ids);
	akin_index_destroy(index);
	CHECK_OK(fs_write(path, "AKINIDX\x1a and nothing", 20, &err), &err);
	CHECK_STATUS(akin_index_open(&index, path, &err), AKIN_ERR_FORMAT);
	CHECK(!index && strstr(err.text, path));
}

TEST(auto_grows_out_of_flat_and_loses_nothing)
{
	enum { MANY = AKIN_INDEX_AUTO_ROWS + 1000 };
	static float rows[MANY * DIM];
	struct rng rng = { 7 };
	akin_neighbour hits[K], exact[K];
	akin_index_stats stats;
	akin_index *index;
	akin_error err;
	double recall;
	size_t n, n_exact, effort;

	make_rows(&rng, rows, MANY);
	index = make(AKIN_INDEX_AUTO, rows, 100);
	CHECK_OK(akin_index_add(index, NULL, rows + 100 * DIM, MANY - 100, 1, &err), &err);
	akin_index_get_stats(index, &stats);
	CHECK(stats.count == MANY && stats.kind != AKIN_INDEX_AUTO);
	CHECK_OK(akin_index_tune(index, rows, 50, K, 0.9, 1, &effort, &recall, &err), &err);
	CHECK(recall >= 0.9 && (stats.kind == AKIN_INDEX_FLAT) == (effort == 0));
	CHECK_OK(akin_index_search(index, rows, &(akin_index_ask){ .k = K }, hits, &n, &err), &err);
	CHECK_OK(akin_index_search(index, rows, &(akin_index_ask){ .k = K, .exact = 1 }, exact, &n_exact, &err), &err);
	CHECK(n == K && n_exact == K && hits[0].id == 0 && exact[0].id == 0);
	for (size_t i = 0; i < K; i++) CHECK(hits[i].distance >= exact[i].distance);
	CHECK_OK(akin_index_check(index, 1, &err), &err);
	akin_index_destroy(index);
}

TEST(other_elements_pass_through)
{
	const uint8_t bits[2] = { 0x0f, 0x01 };
	const float halves[2] = { 0.5f, 65504 };
	akin_index *index;
	akin_error err;
	uint8_t got[2];
	float wide[2];

	CHECK_OK(akin_index_create(&index, &(akin_index_spec){ .dim = 9, .element = AKIN_ELEMENT_BITS }, &err), &err);
	CHECK_OK(akin_index_add(index, NULL, bits, 1, 1, &err), &err);
	CHECK_OK(akin_index_get(index, 0, got, &err), &err);
	CHECK(!memcmp(got, bits, sizeof bits));
	akin_index_destroy(index);
	CHECK_OK(akin_index_create(&index, &(akin_index_spec){ .dim = 2, .element = AKIN_ELEMENT_F16 }, &err), &err);
	CHECK_OK(akin_index_add(index, NULL, halves, 1, 1, &err), &err);
	CHECK_OK(akin_index_get(index, 0, wide, &err), &err);
	CHECK(!memcmp(wide, halves, sizeof halves));
	akin_index_destroy(index);
}

TEST(names_are_there_for_all_and_nothing_else)
{
	CHECK(!strcmp(akin_index_kind_name(AKIN_INDEX_LSH), "lsh") &&
	      !strcmp(akin_index_kind_name((akin_index_kind)6), "?"));
	CHECK(!strcmp(akin_metric_name(AKIN_METRIC_HAMMING), "hamming") &&
	      !strcmp(akin_metric_name((akin_metric)5), "?"));
	CHECK(!strcmp(akin_element_name(AKIN_ELEMENT_BITS), "bits") &&
	      !strcmp(akin_element_name((akin_element)-1), "?"));
}

TEST(files_of_vectors_are_read_and_written)
{
	const akin_index_spec spec = { .dim = 3, .metric = AKIN_METRIC_IP };
	const float rows[6] = { 1, 2, 3, 4, 5, 6 };
	const akin_neighbour hits[4] = { { 7, 0.5f }, { 8, 1 }, { 9, 2 } };
	const size_t n_hits[2] = { 2, 1 };
	akin_vectors_writer *writer;
	akin_vectors_info info;
	akin_vectors *file;
	akin_error err;
	int64_t ids[4];
	float got[6];

	CHECK_STATUS(akin_vectors_writer_create(&writer, test_path("x"), "hdf5", &spec, 2, &err), AKIN_ERR_INVALID);
	CHECK_OK(akin_vectors_writer_create(&writer, test_path("two.faiss"), "faiss", &spec, 2, &err), &err);
	CHECK_OK(akin_vectors_writer_put(writer, rows, 2, &err), &err);
	CHECK_OK(akin_vectors_writer_commit(writer, &err), &err);
	akin_vectors_writer_destroy(writer);
	CHECK_OK(akin_vectors_open(&file, test_path("two.faiss"), AKIN_VECTORS_BASE, &err), &err);
	akin_vectors_get_info(file, &info);
	CHECK(info.count == 2 && info.dim == 3 && info.metric == AKIN_METRIC_IP &&
	      !strcmp(info.format, "faiss IndexFlatIP"));
	CHECK_OK(akin_vectors_read(file, 0, 2, AKIN_ELEMENT_F32, got, &err), &err);
	CHECK(!memcmp(got, rows, sizeof got));
	akin_vectors_close(file);

	CHECK_OK(akin_neighbours_write(hits, n_hits, 2, 2, test_path("ids.npy"), test_path("far.npy"), &err), &err);
	CHECK_OK(akin_vectors_open(&file, test_path("ids.npy"), AKIN_VECTORS_TRUTH, &err), &err);
	CHECK_OK(akin_vectors_read_integers(file, 0, 2, ids, &err), &err);
	CHECK(ids[0] == 7 && ids[1] == 8 && ids[2] == 9 && ids[3] == -1);
	akin_vectors_close(file);
	CHECK_OK(akin_vectors_open(&file, test_path("far.npy"), AKIN_VECTORS_BASE, &err), &err);
	CHECK_OK(akin_vectors_read(file, 1, 1, AKIN_ELEMENT_F32, got, &err), &err);
	CHECK(got[0] == 2 && isinf(got[1]));
	akin_vectors_close(file);
}

TEST_MAIN(cmocka_unit_test(answers_are_those_of_a_plain_loop), cmocka_unit_test(wrong_arguments_are_named),
	  cmocka_unit_test(ids_are_numbered_after_the_greatest),
	  cmocka_unit_test(an_update_replaces_and_a_failed_one_restores), cmocka_unit_test(filters_combine),
	  cmocka_unit_test(batches_ranges_and_bounds_agree_with_single_searches),
	  cmocka_unit_test(a_saved_index_opens_and_changes), cmocka_unit_test(auto_grows_out_of_flat_and_loses_nothing),
	  cmocka_unit_test(other_elements_pass_through), cmocka_unit_test(names_are_there_for_all_and_nothing_else),
	  cmocka_unit_test(files_of_vectors_are_read_and_written))
