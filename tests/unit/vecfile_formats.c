/* vecfile/: files that NumPy, Faiss, h5py and the TEXMEX tools wrote say the same; damaged ones are refused with a
 * sentence; what is written equals what the others write. SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "vecfile/vectors.h"

enum { ROWS = 40, DIM = 6, CODES = 20, CODE_BYTES = 4 };

static const char *data_path(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, TESTS_DIR "/data/vectors/%s", name);
	return path;
}

static void read_all(const char *name, enum element element, size_t rows, size_t row_bytes, void *to)
{
	struct vectors v;
	akin_error err;

	CHECK_OK(vectors_open(&v, data_path(name), VECTORS_BASE, &err), &err);
	CHECK(v.rows == rows, "%s: %zu rows\n", name, v.rows);
	CHECK(element_row_bytes(element, vectors_dim(&v, element)) == row_bytes, "%s\n", name);
	CHECK_OK(vectors_read(&v, 0, rows, element, to, &err), &err);
	vectors_close(&v);
}

TEST(every_format_holds_the_same_floats)
{
	static const char *const names[] = { "floats.fvecs", "flat_l2.faiss", "flat_ip.faiss", "hnsw_flat.faiss",
		                             "plain.hdf5", "gzip.hdf5", "new.hdf5" };
	float want[ROWS * DIM], got[ROWS * DIM];

	read_all("floats.npy", ELEMENT_F32, ROWS, sizeof(float) * DIM, want);
	for (size_t i = 0; i < COUNT(names); i++) {
		read_all(names[i], ELEMENT_F32, ROWS, sizeof(float) * DIM, got);
		CHECK(!memcmp(got, want, sizeof got), "%s\n", names[i]);
	}
}

TEST(every_format_holds_the_same_bits)
{
	static const char *const names[] = { "bytes.bvecs", "binary_flat.faiss", "bool.hdf5" };
	uint8_t want[CODES * CODE_BYTES], got[CODES * CODE_BYTES];

	read_all("bytes.npy", ELEMENT_BITS, CODES, CODE_BYTES, want);
	for (size_t i = 0; i < COUNT(names); i++) {
		read_all(names[i], ELEMENT_BITS, CODES, CODE_BYTES, got);
		CHECK(!memcmp(got, want, sizeof got), "%s\n", names[i]);
	}
}

TEST(inverted_lists_know_their_ids)
{
	float want[ROWS * DIM], row[DIM];
	struct vectors v;
	akin_error err;

	read_all("floats.npy", ELEMENT_F32, ROWS, sizeof(float) * DIM, want);
	CHECK_OK(vectors_open(&v, data_path("ivf_flat.faiss"), VECTORS_BASE, &err), &err);
	CHECK(v.rows == ROWS && v.ids && v.metric == METRIC_L2);
	for (size_t i = 0; i < ROWS; i++) {
		const int64_t id = vectors_id(&v, i);

		CHECK(id >= 100 && id % 3 == 1 && id < 100 + 3 * ROWS, "id %lld\n", (long long)id);
		CHECK_OK(vectors_read(&v, i, 1, ELEMENT_F32, row, &err), &err);
		CHECK(!memcmp(row, want + (id - 100) / 3 * DIM, sizeof row));
	}
	vectors_close(&v);
}

TEST(parts_metrics_and_whole_numbers)
{
	static const struct {
		const char *name;
		enum metric metric;
	} metrics[] = { { "plain.hdf5", METRIC_L2 }, { "gzip.hdf5", METRIC_COSINE }, { "new.hdf5", METRIC_IP },
		        { "bool.hdf5", METRIC_HAMMING }, { "flat_ip.faiss", METRIC_IP } };
	int64_t ids[200];
	struct vectors v;
	akin_error err;

	for (size_t i = 0; i < COUNT(metrics); i++) {
		CHECK_OK(vectors_open(&v, data_path(metrics[i].name), VECTORS_QUERIES, &err), &err);
		CHECK(v.metric == metrics[i].metric, "%s\n", metrics[i].name);
		vectors_close(&v);
	}
	CHECK_OK(vectors_open(&v, data_path("gzip.hdf5"), VECTORS_TRUTH, &err), &err);
	CHECK(v.rows == 20 && v.cols == 10);
	CHECK_OK(vectors_read_i64(&v, 0, 20, ids, &err), &err);
	for (int64_t i = 0; i < 200; i++) CHECK(ids[i] == i);
	vectors_close(&v);
	CHECK_OK(vectors_open(&v, data_path("ids.ivecs"), VECTORS_TRUTH, &err), &err);
	CHECK(v.format == VECTORS_IVECS && v.rows == 4 && v.cols == 3);
	CHECK_OK(vectors_read_i64(&v, 1, 3, ids, &err), &err);
	for (int64_t i = 0; i < 9; i++) CHECK(ids[i] == 3 + i);
	vectors_close(&v);
}

TEST(values_that_do_not_fit_are_named)
{
	uint8_t bytes[DIM];
	struct vectors v;
	akin_error err;

	CHECK_OK(vectors_open(&v, data_path("floats.npy"), VECTORS_BASE, &err), &err);
	CHECK_STATUS(vectors_read(&v, 0, 1, ELEMENT_U8, bytes, &err), AKIN_ERR_INVALID);
	CHECK(strstr(err.text, "row 0"), "%s\n", err.text);
	CHECK_STATUS(vectors_read(&v, 0, 1, ELEMENT_BITS, bytes, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(vectors_read(&v, ROWS, 1, ELEMENT_F32, bytes, &err), AKIN_ERR_INVALID);
	vectors_close(&v);
}

/* ---- damage ---- */

/* Use all that was accepted; it may be nonsense, but it must be there. */
static void use(const struct vectors *v)
{
	const size_t dim = vectors_dim(v, vectors_element(v));
	void *row = mem_alloc(4 * dim + 1);
	akin_error err;

	for (size_t i = 0; i < v->rows; i++) {
		if (vectors_read(v, i, 1, vectors_element(v), row, &err) != AKIN_OK) break;
		(void)vectors_id(v, i);
	}
	mem_free(row);
}

static void try_bytes(const void *bytes, size_t n, const char *name)
{
	for (int part = VECTORS_BASE; part <= VECTORS_TRUTH; part++) {
		struct vectors v;
		akin_error err = { AKIN_OK, "" };

		if (vectors_parse(&v, bytes, n, (enum vectors_part)part, &err) == AKIN_OK) use(&v);
		else CHECK(err.text[0] && !v.data && !v.rows, "%s: refused without a sentence\n", name);
		vectors_close(&v);
	}
}

static const char *const files[] = { "floats.npy",    "floats.fvecs",   "bytes.bvecs",     "ids.ivecs",
				     "flat_l2.faiss", "ivf_flat.faiss", "hnsw_flat.faiss", "binary_flat.faiss",
				     "plain.hdf5",    "gzip.hdf5",      "new.hdf5",        "bool.hdf5" };

/* A copy of exactly that size, so that the address sanitizer sees one byte too far. */
static void try_copy(const char *bytes, size_t n, const char *name)
{
	char *copy = mem_dup(bytes, n);

	try_bytes(copy, n, name);
	mem_free(copy);
}

TEST(truncated_files_are_refused_or_whole)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		struct buf file = BUF_EMPTY;
		akin_error err;

		CHECK_OK(fs_read(data_path(files[i]), 1 << 20, &file, &err), &err);
		for (size_t n = 0; n < file.len; n += 1 + file.len / 400) try_copy(file.data, n, files[i]);
		buf_deinit(&file);
	}
}

TEST(flipped_bits_do_no_harm)
{
	struct rng rng = { 11 };

	for (size_t i = 0; i < COUNT(files); i++) {
		struct buf file = BUF_EMPTY;
		akin_error err;

		CHECK_OK(fs_read(data_path(files[i]), 1 << 20, &file, &err), &err);
		for (size_t turn = 0; turn < 400; turn++) {
			/* Heads are where the damage is done. */
			const size_t at = rng_below(&rng, turn % 2 && file.len > 256 ? 256 : file.len);
			const char old = file.data[at];

			file.data[at] = (char)(old ^ (1 << rng_below(&rng, 8)));
			try_copy(file.data, file.len, files[i]);
			file.data[at] = old;
		}
		buf_deinit(&file);
	}
}

TEST(words_and_nothing_are_no_vectors)
{
	struct vectors v;
	akin_error err;

	CHECK_STATUS(vectors_parse(&v, "hello, this is text\n", 20, VECTORS_BASE, &err), AKIN_ERR_FORMAT);
	CHECK_STATUS(vectors_parse(&v, NULL, 0, VECTORS_BASE, &err), AKIN_ERR_FORMAT);
	CHECK_STATUS(vectors_open(&v, "/nowhere/at/all", VECTORS_BASE, &err), AKIN_ERR_NOT_FOUND);
	CHECK(strstr(err.text, "/nowhere/at/all"));
}

/* ---- writing ---- */

static void write_floats(const char *path, enum vectors_format format, enum metric metric, const float *rows)
{
	struct vectors_writer w;
	akin_error err;

	CHECK_OK(vectors_writer_begin(&w, path, format, metric, ELEMENT_F32, DIM, ROWS, &err), &err);
	CHECK_OK(vectors_writer_put(&w, rows, 1, &err), &err);
	CHECK_OK(vectors_writer_put(&w, rows + DIM, ROWS - 1, &err), &err);
	CHECK_OK(vectors_writer_commit(&w, &err), &err);
}

static void check_same_file(const char *path, const char *name)
{
	struct buf got = BUF_EMPTY, want = BUF_EMPTY;
	akin_error err;

	CHECK_OK(fs_read(path, 1 << 20, &got, &err), &err);
	CHECK_OK(fs_read(data_path(name), 1 << 20, &want, &err), &err);
	CHECK(got.len == want.len && !memcmp(got.data, want.data, got.len), "%s\n", name);
	buf_deinit(&got);
	buf_deinit(&want);
}

TEST(written_bytes_are_those_of_the_others)
{
	const char *path = test_path("written");
	uint8_t codes[CODES * CODE_BYTES];
	float rows[ROWS * DIM];
	struct vectors_writer w;
	akin_error err;

	read_all("floats.npy", ELEMENT_F32, ROWS, sizeof(float) * DIM, rows);
	read_all("bytes.npy", ELEMENT_BITS, CODES, CODE_BYTES, codes);
	write_floats(path, VECTORS_FVECS, METRIC_L2, rows);
	check_same_file(path, "floats.fvecs");
	write_floats(path, VECTORS_FAISS, METRIC_L2, rows);
	check_same_file(path, "flat_l2.faiss");
	write_floats(path, VECTORS_FAISS, METRIC_IP, rows);
	check_same_file(path, "flat_ip.faiss");
	CHECK_OK(vectors_writer_begin(&w, path, VECTORS_FAISS, METRIC_HAMMING, ELEMENT_BITS, 32, CODES, &err), &err);
	CHECK_OK(vectors_writer_put(&w, codes, CODES, &err), &err);
	CHECK_OK(vectors_writer_commit(&w, &err), &err);
	check_same_file(path, "binary_flat.faiss");
	CHECK_OK(vectors_writer_begin(&w, path, VECTORS_BVECS, METRIC_HAMMING, ELEMENT_BITS, 32, CODES, &err), &err);
	CHECK_OK(vectors_writer_put(&w, codes, CODES, &err), &err);
	CHECK_OK(vectors_writer_commit(&w, &err), &err);
	check_same_file(path, "bytes.bvecs");
}

TEST(what_a_format_cannot_hold_is_refused)
{
	const char *path = test_path("refused");
	struct vectors_writer w;
	akin_error err;

	CHECK_STATUS(vectors_writer_begin(&w, path, VECTORS_FVECS, METRIC_L2, ELEMENT_U8, 4, 1, &err),
		     AKIN_ERR_UNSUPPORTED);
	CHECK_STATUS(vectors_writer_begin(&w, path, VECTORS_FAISS, METRIC_COSINE, ELEMENT_F32, 4, 1, &err),
		     AKIN_ERR_UNSUPPORTED);
	CHECK_STATUS(vectors_writer_begin(&w, path, VECTORS_FAISS, METRIC_HAMMING, ELEMENT_BITS, 11, 1, &err),
		     AKIN_ERR_UNSUPPORTED);
	CHECK_STATUS(vectors_writer_begin(&w, path, VECTORS_HDF5, METRIC_L2, ELEMENT_F32, 4, 1, &err),
		     AKIN_ERR_UNSUPPORTED);
	CHECK_OK(vectors_writer_begin(&w, path, VECTORS_NPY, METRIC_L2, ELEMENT_F32, 4, 1, &err), &err);
	CHECK_STATUS(vectors_writer_commit(&w, &err), AKIN_ERR_INVALID);
	CHECK(!fs_exists(path));
}

TEST_MAIN(cmocka_unit_test(every_format_holds_the_same_floats), cmocka_unit_test(every_format_holds_the_same_bits),
	  cmocka_unit_test(inverted_lists_know_their_ids), cmocka_unit_test(parts_metrics_and_whole_numbers),
	  cmocka_unit_test(values_that_do_not_fit_are_named), cmocka_unit_test(truncated_files_are_refused_or_whole),
	  cmocka_unit_test(flipped_bits_do_no_harm), cmocka_unit_test(words_and_nothing_are_no_vectors),
	  cmocka_unit_test(written_bytes_are_those_of_the_others),
	  cmocka_unit_test(what_a_format_cannot_hold_is_refused))
