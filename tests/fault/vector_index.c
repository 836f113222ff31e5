/* akin/index.h, akin/vectors.h: whatever call fails, the index is as it was or the file is not there, and nothing
 * leaks. SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "akin/akin.h"
#include "base/fs.h"

enum { DIM = 4, ROWS = 30 };

static const int64_t replaced[2] = { 3, 77 };

static void make_rows(float *rows)
{
	struct rng rng = { 21 };

	for (size_t i = 0; i < ROWS * DIM; i++) rows[i] = (float)rng_below(&rng, 9);
}

static akin_status live(void *ctx)
{
	float rows[ROWS * DIM];
	akin_neighbour hits[2 * 3], *range = NULL;
	akin_index *index = NULL;
	int64_t *ids = NULL;
	akin_error err;
	akin_status st;
	size_t n[2];

	make_rows(rows);
	if ((st = akin_index_create(&index, &(akin_index_spec){ .dim = DIM }, &err)) != AKIN_OK) goto out;
	if ((st = akin_index_add(index, NULL, rows, ROWS, 1, &err)) != AKIN_OK) goto out;
	if ((st = akin_index_search(index, rows, &(akin_index_ask){ .k = 3 }, hits, n, &err)) != AKIN_OK) goto out;
	if ((st = akin_index_search_many(index, rows, 2, &(akin_index_ask){ .k = 3, .threads = 1 }, hits, n, &err)) !=
	    AKIN_OK)
		goto out;
	if ((st = akin_index_range(index, rows, 9, NULL, &range, n, &err)) != AKIN_OK) goto out;
	if ((st = akin_index_ids(index, &ids, n, &err)) != AKIN_OK) goto out;
	if ((st = akin_index_save(index, ctx, &err)) != AKIN_OK) goto out;
	akin_index_destroy(index);
	if ((st = akin_index_open(&index, ctx, &err)) != AKIN_OK) goto out;
	if ((st = akin_index_remove(index, replaced, 2, NULL, &err)) != AKIN_OK) goto out;
	st = akin_index_add(index, NULL, rows, 2, 1, &err);
out:
	CHECK(st == AKIN_OK || err.text[0], "a failure without a sentence\n");
	akin_bytes_free(range);
	akin_bytes_free(ids);
	akin_index_destroy(index);
	return st;
}

TEST(a_life_of_an_index_survives_lack_of_everything)
{
	fault_loop(FAULT_ALL, 400, live, (void *)(uintptr_t)test_path("life.akx"));
}

/* A mapped index is copied into memory by its first change; the update must not lose what it takes out. */
static akin_status update(void *ctx)
{
	float rows[ROWS * DIM], got[DIM];
	akin_index_stats stats;
	akin_index *index;
	akin_error err;
	akin_status st;

	make_rows(rows);
	if ((st = akin_index_open(&index, ctx, &err)) != AKIN_OK) return st;
	st = akin_index_update(index, replaced, rows, 2, 1, &err);
	akin_index_get_stats(index, &stats);
	CHECK(stats.count == (st == AKIN_OK ? ROWS + 1 : ROWS), "%zu vectors\n", stats.count);
	CHECK(akin_index_get(index, 3, got, NULL) == AKIN_OK);
	CHECK(!memcmp(got, rows + (st == AKIN_OK ? 0 : 3 * DIM), sizeof got));
	akin_index_destroy(index);
	return st;
}

TEST(a_failed_update_takes_nothing_away)
{
	const char *path = test_path("update.akx");
	float rows[ROWS * DIM];
	akin_index *index;
	akin_error err;

	make_rows(rows);
	CHECK_OK(akin_index_create(&index, &(akin_index_spec){ .dim = DIM }, &err), &err);
	CHECK_OK(akin_index_add(index, NULL, rows, ROWS, 1, &err), &err);
	CHECK_OK(akin_index_save(index, path, &err), &err);
	akin_index_destroy(index);
	fault_loop(FAULT_ALLOC, 100, update, (void *)(uintptr_t)path);
}

static akin_status read_file(void *ctx)
{
	akin_vectors *file;
	akin_error err;
	float row[6];
	akin_status st = akin_vectors_open(&file, ctx, AKIN_VECTORS_BASE, &err);

	if (st == AKIN_OK) st = akin_vectors_read(file, 0, 1, AKIN_ELEMENT_F32, row, &err);
	akin_vectors_close(file);
	return st;
}

TEST(reading_vectors_survives_lack_of_memory)
{
	static const char *const names[] = { "ivf_flat.faiss", "hnsw_flat.faiss", "gzip.hdf5", "plain.hdf5",
					     "floats.fvecs" };
	char path[512];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, TESTS_DIR "/data/vectors/%s", names[i]);
		fault_loop(FAULT_ALLOC, 100, read_file, path);
	}
}

static akin_status write_file(void *ctx)
{
	const akin_index_spec spec = { .dim = DIM };
	float rows[ROWS * DIM];
	akin_vectors_writer *writer;
	akin_error err;
	akin_status st;

	make_rows(rows);
	if ((st = akin_vectors_writer_create(&writer, ctx, "fvecs", &spec, ROWS, &err)) == AKIN_OK)
		st = akin_vectors_writer_put(writer, rows, ROWS, &err);
	if (st == AKIN_OK) st = akin_vectors_writer_commit(writer, &err);
	akin_vectors_writer_destroy(writer);
	return st;
}

TEST(writing_vectors_survives_lack_of_everything)
{
	fault_loop(FAULT_ALL, 200, write_file, (void *)(uintptr_t)test_path("out.fvecs"));
}

/* Lists and links for Faiss: much is computed, and the file appears whole or not at all. */
static akin_status export(void *ctx)
{
	const char *path = ctx;
	float rows[ROWS * DIM];
	akin_index *index = NULL;
	akin_vectors *file = NULL;
	akin_error err;
	akin_status st;

	make_rows(rows);
	remove(path);
	if ((st = akin_index_create(&index, &(akin_index_spec){ .dim = DIM }, &err)) != AKIN_OK) goto out;
	if ((st = akin_index_add(index, NULL, rows, ROWS, 1, &err)) != AKIN_OK) goto out;
	if ((st = akin_index_write_faiss(index, path, AKIN_FAISS_IVF, &(akin_index_spec){ .lists = 3 }, 1, &err)) !=
	    AKIN_OK)
		goto out;
	if ((st = akin_vectors_open(&file, path, AKIN_VECTORS_BASE, &err)) != AKIN_OK) goto out;
	st = akin_index_write_faiss(index, path, AKIN_FAISS_HNSW, NULL, 1, &err);
out:
	CHECK(st == AKIN_OK || err.text[0], "a failure without a sentence\n");
	akin_vectors_close(file);
	akin_index_destroy(index);
	return st;
}

TEST(writing_for_faiss_survives_lack_of_everything)
{
	fault_loop(FAULT_ALL, 1000, export, (void *)(uintptr_t)test_path("out.faiss"));
}

TEST_MAIN(cmocka_unit_test(writing_for_faiss_survives_lack_of_everything),
	  cmocka_unit_test(a_life_of_an_index_survives_lack_of_everything),
	  cmocka_unit_test(a_failed_update_takes_nothing_away),
	  cmocka_unit_test(reading_vectors_survives_lack_of_memory),
	  cmocka_unit_test(writing_vectors_survives_lack_of_everything))
