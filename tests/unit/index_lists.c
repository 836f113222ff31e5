/* index/ivf, binary, lsh: parameters, determinism, training, files whose sections lie.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "index/index.h"

enum { DIM = 24, ROWS = 4200 };

static struct index *make(const struct index_params *params, uint64_t seed, unsigned threads)
{
	const size_t bytes = element_row_bytes(params->element, params->dim);
	uint8_t *rows = mem_calloc(ROWS, bytes);
	int64_t ids[ROWS];
	struct rng rng = { seed };
	struct index *index;
	akin_error err;

	for (size_t i = 0; i < ROWS; i++) {
		ids[i] = (int64_t)i;
		for (size_t d = 0; d < bytes; d++)
			if (params->element != ELEMENT_F32) rows[i * bytes + d] = (uint8_t)rng_u64(&rng);
		for (size_t d = 0; d < DIM && params->element == ELEMENT_F32; d++)
			((float *)(void *)(rows + i * bytes))[d] = (float)rng_normal(&rng);
	}
	CHECK_OK(index_create(&index, params, &err), &err);
	CHECK_OK(index_add_many(index, ids, rows, ROWS, threads, &err), &err);
	mem_free(rows);
	return index;
}

static const struct index_params kinds[] = {
	{ .kind = INDEX_IVF, .metric = METRIC_L2, .element = ELEMENT_F32, .dim = DIM, .seed = 7 },
	{ .kind = INDEX_LSH, .metric = METRIC_COSINE, .element = ELEMENT_F32, .dim = DIM, .seed = 7 },
	{ .kind = INDEX_BINARY, .metric = METRIC_HAMMING, .element = ELEMENT_BITS, .dim = 8 * DIM, .seed = 7 },
};

TEST(params_out_of_range_are_refused)
{
	static const struct index_params bad[] = {
		{ .kind = INDEX_IVF, .metric = METRIC_L2, .element = ELEMENT_F32, .dim = 8, .ivf.width = 256 },
		{ .kind = INDEX_BINARY, .metric = METRIC_L2, .element = ELEMENT_U8, .dim = 8 },
		{ .kind = INDEX_LSH, .metric = METRIC_L2, .element = ELEMENT_U8, .dim = 8, .lsh.tables = 65 },
		{ .kind = INDEX_LSH, .metric = METRIC_L2, .element = ELEMENT_U8, .dim = 8, .lsh.bits = 33 },
		{ .kind = INDEX_LSH, .metric = METRIC_L2, .element = ELEMENT_U8, .dim = 8, .lsh.width = -1 },
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct index *index;

		CHECK_STATUS(index_create(&index, &bad[i], NULL), AKIN_ERR_INVALID);
		CHECK(!index);
	}
}

TEST(the_same_seed_makes_the_same_file_whatever_the_threads)
{
	const struct index_stamp stamp = { .generation = 1 };
	struct buf files[2] = { BUF_EMPTY, BUF_EMPTY };
	const char *path = test_path("same");
	akin_error err;

	for (size_t k = 0; k < COUNT(kinds); k++) {
		for (unsigned i = 0; i < 2; i++) {
			struct index *index = make(&kinds[k], 1, 1 + 2 * i);

			CHECK_OK(index_save(index, path, &stamp, &err), &err);
			buf_clear(&files[i]);
			CHECK_OK(fs_read(path, 1 << 26, &files[i], &err), &err);
			index_destroy(index);
		}
		CHECK(files[0].len == files[1].len && !memcmp(files[0].data, files[1].data, files[0].len), "kind %zu\n",
		      k);
	}
	buf_deinit(&files[0]);
	buf_deinit(&files[1]);
}

TEST(training_first_is_as_good_and_lasts)
{
	const struct index_params *params = &kinds[0];
	const struct index_ask ask = { .k = 1 };
	float rows[300 * DIM];
	struct rng rng = { 3 };
	struct index *index;
	akin_error err;

	for (size_t i = 0; i < COUNT(rows); i++) rows[i] = (float)rng_normal(&rng);
	CHECK_OK(index_create(&index, params, &err), &err);
	rows[5] = (float)(0.0 / 0.0 * rng_unit(&rng));
	CHECK_STATUS(index_train(index, rows, 300, 2, &err), AKIN_ERR_INVALID);
	rows[5] = 1;
	CHECK_OK(index_train(index, rows, 300, 2, &err), &err);
	for (int64_t id = 0; id < 300; id++) CHECK_OK(index_add(index, &id, rows + id * DIM, 1, &err), &err);
	CHECK_OK(index_check(index, true, &err), &err);
	for (int64_t id = 0; id < 300; id++) {
		struct hit hit;
		size_t n;

		CHECK_OK(index_search(index, rows + id * DIM, &ask, &hit, &n, &err), &err);
		CHECK(n == 1 && hit.id == id && hit.distance == 0);
	}
	index_destroy(index);
}

TEST(every_row_can_go_and_come_back)
{
	for (size_t k = 0; k < COUNT(kinds); k++) {
		struct index *index = make(&kinds[k], 2, 1);
		uint8_t row[4 * DIM] = { 0 };
		const struct index_ask ask = { .k = 2 };
		struct hit hits[2];
		akin_error err;
		size_t n;

		for (int64_t id = 0; id < ROWS; id++) CHECK_OK(index_remove(index, &id, 1, NULL, &err), &err);
		CHECK_OK(index_check(index, true, &err), &err);
		CHECK_OK(index_search(index, row, &ask, hits, &n, &err), &err);
		CHECK(n == 0);
		CHECK_OK(index_search_many(index, row, 1, &ask, hits, &n, &err), &err);
		CHECK(n == 0);
		CHECK_OK(index_add(index, &(int64_t){ 9 }, row, 1, &err), &err);
		CHECK_OK(index_search(index, row, &ask, hits, &n, &err), &err);
		CHECK(n == 1 && hits[0].id == 9);
		index_destroy(index);
	}
}

/* Each byte of the sections beyond the rows, some at random: refused, or used without harm. */
TEST(no_byte_of_a_section_leads_outside)
{
	enum { HEADER = 512 };
	const char *path = test_path("bytes");
	const struct index_stamp stamp = { .generation = 1 };
	struct rng rng = { 5 };
	akin_error err;

	for (size_t k = 0; k < COUNT(kinds); k++) {
		struct index *index = make(&kinds[k], 2, 1);
		struct buf file = BUF_EMPTY;
		size_t first;

		CHECK_OK(index_save(index, path, &stamp, &err), &err);
		CHECK_OK(fs_read(path, 1 << 26, &file, &err), &err);
		index_destroy(index);
		first = HEADER + ROWS * (8 + element_row_bytes(kinds[k].element, kinds[k].dim));
		for (int i = 0; i < 300; i++) {
			const size_t at = first + rng_below(&rng, i % 2 ? 200 : file.len - first);
			const struct index_ask ask = { .k = 5 };
			uint8_t query[4 * DIM] = { 1 };
			struct index_stamp got;
			struct hit hits[5];
			char old = file.data[at];
			size_t n;

			file.data[at] = (char)rng_u64(&rng);
			CHECK_OK(fs_write(path, file.data, file.len, &err), &err);
			file.data[at] = old;
			if (index_open(&index, path, &got, NULL) != AKIN_OK) continue;
			index_search(index, query, &ask, hits, &n, NULL);
			index_check(index, true, NULL);
			if (index_remove(index, &(int64_t){ 3 }, 1, NULL, NULL) == AKIN_OK) {
				index_search(index, query, &ask, hits, &n, NULL);
				index_add(index, &(int64_t){ 3 }, query, 1, NULL);
			}
			index_destroy(index);
		}
		buf_deinit(&file);
	}
}

TEST_MAIN(cmocka_unit_test(params_out_of_range_are_refused),
	  cmocka_unit_test(the_same_seed_makes_the_same_file_whatever_the_threads),
	  cmocka_unit_test(training_first_is_as_good_and_lasts), cmocka_unit_test(every_row_can_go_and_come_back),
	  cmocka_unit_test(no_byte_of_a_section_leads_outside))
