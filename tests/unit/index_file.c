/* index/: files that are cut, damaged, or lie with right checksums.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/fs.h"
#include "base/hash.h"
#include "index/index.h"

enum { DIM = 19, ROWS = 37, HEADER = 512, CHECKSUM_AT = 120 };

static struct index *make(uint64_t order_seed)
{
	const struct index_params params = { .kind = INDEX_FLAT, .metric = METRIC_COSINE, .element = ELEMENT_I8,
		                                     .dim = DIM, .seed = 5 };
	struct rng rng = { order_seed };
	int64_t ids[ROWS];
	struct index *index;
	akin_error err;

	CHECK_OK(index_create(&index, &params, &err), &err);
	for (size_t i = 0; i < ROWS; i++) ids[i] = (int64_t)(i * i) - 100;
	for (size_t i = ROWS; i-- > 0;) {
		size_t other = rng_below(&rng, i + 1);
		int64_t id = ids[other];
		int8_t row[DIM];

		ids[other] = ids[i];
		for (size_t d = 0; d < DIM; d++) row[d] = (int8_t)(id * 7 + (int64_t)d * 3);
		CHECK_OK(index_add(index, &id, row, 1, &err), &err);
	}
	return index;
}

static void save(const struct index *index, const char *path, struct buf *bytes)
{
	const struct index_stamp stamp = { .source = "s", .model = "m", .generation = 77 };
	akin_error err;

	CHECK_OK(index_save(index, path, &stamp, &err), &err);
	CHECK_OK(fs_read(path, 1 << 20, bytes, &err), &err);
}

/* Open what may be anything: whatever opens must answer without reading outside, which the sanitizer watches. */
static akin_status open_and_use(const char *path, const void *bytes, size_t n, bool *sound)
{
	const struct index_ask ask = { .k = 5 };
	const uint8_t query[8 * DIM] = { 1, 2, 3 };
	struct index_stamp stamp;
	struct index_stats stats;
	struct index *index;
	struct hit hits[5];
	akin_error err;
	akin_status st;
	size_t n_hits;

	*sound = false;
	CHECK_OK(fs_write(path, bytes, n, &err), &err);
	if ((st = index_open(&index, path, &stamp, &err)) != AKIN_OK) {
		CHECK(!index && err.text[0]);
		return st;
	}
	index_get_stats(index, &stats);
	if (stats.dim <= DIM) index_search(index, query, &ask, hits, &n_hits, &err);
	*sound = index_check(index, true, &err) == AKIN_OK;
	index_destroy(index);
	return AKIN_OK;
}

TEST(equal_contents_make_equal_files)
{
	struct index *a = make(1), *b = make(2), *c;
	struct buf first = BUF_EMPTY, second = BUF_EMPTY, third = BUF_EMPTY;
	struct index_stamp stamp;
	akin_error err;

	save(a, test_path("a"), &first);
	save(b, test_path("b"), &second);
	CHECK_OK(index_open(&c, test_path("a"), &stamp, &err), &err);
	save(c, test_path("c"), &third);
	CHECK(first.len == second.len && !memcmp(first.data, second.data, first.len));
	CHECK(first.len == third.len && !memcmp(first.data, third.data, first.len));
	index_destroy(a);
	index_destroy(b);
	index_destroy(c);
	buf_deinit(&first);
	buf_deinit(&second);
	buf_deinit(&third);
}

TEST(a_file_cut_anywhere_is_refused)
{
	const char *path = test_path("changed");
	struct index *index = make(1);
	struct buf bytes = BUF_EMPTY;
	bool sound;

	save(index, test_path("whole"), &bytes);
	for (size_t n = 0; n < bytes.len; n += 1 + n / 40)
		CHECK_STATUS(open_and_use(path, bytes.data, n, &sound), AKIN_ERR_FORMAT);
	CHECK_STATUS(open_and_use(path, bytes.data, bytes.len - 1, &sound), AKIN_ERR_FORMAT);
	CHECK(open_and_use(path, bytes.data, bytes.len, &sound) == AKIN_OK && sound);
	index_destroy(index);
	buf_deinit(&bytes);
}

/* In the header or the ids a wrong bit is seen at once, in the rows by the deep check; between sections it says nothing. */
TEST(no_wrong_bit_passes_the_deep_check)
{
	const size_t ids = HEADER, rows = HEADER + 320, scales = rows + 704; /* 37 * 8 and 37 * 19, rounded up to 64 */
	const char *path = test_path("changed");
	struct index *index = make(1);
	struct buf bytes = BUF_EMPTY;

	save(index, test_path("right"), &bytes);
	CHECK(bytes.len == scales + 192, "%zu bytes\n", bytes.len);
	for (size_t at = 0; at < bytes.len; at += at < HEADER ? 3 : 11) {
		bool early = at < ids + 8 * ROWS, late = (at >= rows && at < rows + DIM * ROWS) ||
		                                         (at >= scales && at < scales + 4 * ROWS);
		akin_status st;
		bool sound;

		bytes.data[at] ^= (char)(1 << at % 8);
		st = open_and_use(path, bytes.data, bytes.len, &sound);
		if (early) CHECK(st == AKIN_ERR_FORMAT || st == AKIN_ERR_UNSUPPORTED, "byte %zu: %s\n", at, akin_status_name(st));
		else CHECK(st == AKIN_OK && sound == !late, "byte %zu: %s\n", at, akin_status_name(st));
		bytes.data[at] ^= (char)(1 << at % 8);
	}
	index_destroy(index);
	buf_deinit(&bytes);
}

/* A hostile file has right checksums. */
static void sign(struct buf *bytes)
{
	uint64_t sum;

	memset(bytes->data + CHECKSUM_AT, 0, sizeof sum);
	sum = hash_checksum(bytes->data, HEADER, 0);
	memcpy(bytes->data + CHECKSUM_AT, &sum, sizeof sum);
}

TEST(a_lying_header_is_refused)
{
	static const uint64_t lies[] = { 0, 1, 36, 38, 63, 65, 513, 4096, 1u << 31, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 61,
		                         INT64_MAX, UINT64_MAX - 63, UINT64_MAX };
	/* dim, count, file bytes, number of sections; tag, offset and bytes of three sections */
	static const size_t fields[] = { 24, 32, 48, 112, 128, 136, 144, 160, 168, 176, 192, 200, 208 };
	const char *path = test_path("changed");
	struct index *index = make(1);
	struct buf bytes = BUF_EMPTY;

	save(index, test_path("honest"), &bytes);
	for (size_t f = 0; f < COUNT(fields); f++)
		for (size_t i = 0; i < COUNT(lies); i++) {
			uint64_t truth;
			akin_status st;
			bool sound;

			memcpy(&truth, bytes.data + fields[f], sizeof truth);
			if (truth == lies[i]) continue;
			memcpy(bytes.data + fields[f], &lies[i], sizeof truth);
			sign(&bytes);
			st = open_and_use(path, bytes.data, bytes.len, &sound);
			CHECK(st == AKIN_ERR_FORMAT || (st == AKIN_OK && fields[f] == 112), "field %zu, lie %zu: %s\n", fields[f], i,
			      akin_status_name(st));
			memcpy(bytes.data + fields[f], &truth, sizeof truth);
		}
	index_destroy(index);
	buf_deinit(&bytes);
}

/* The deep check reads every section, also one that no kind needs: here from the end of the file on, round to its start. */
TEST(a_section_nobody_needs_may_not_reach_outside)
{
	const uint64_t outside[] = { 1, UINT64_MAX - 4095, UINT64_MAX };
	struct index *index = make(1);
	struct buf bytes = BUF_EMPTY;
	const uint64_t tag = 99;
	bool sound;

	save(index, test_path("more"), &bytes);
	bytes.data[112] = 4;
	memcpy(bytes.data + 128 + 3 * 32, &tag, 8);
	memcpy(bytes.data + 128 + 3 * 32 + 8, &(uint64_t){ bytes.len }, 8);
	sign(&bytes);
	CHECK(open_and_use(test_path("more"), bytes.data, bytes.len, &sound) == AKIN_OK && sound);
	for (size_t i = 0; i < COUNT(outside); i++) {
		memcpy(bytes.data + 128 + 3 * 32 + 16, &outside[i], 8);
		sign(&bytes);
		CHECK_STATUS(open_and_use(test_path("more"), bytes.data, bytes.len, &sound), AKIN_ERR_FORMAT);
	}
	index_destroy(index);
	buf_deinit(&bytes);
}

TEST(ids_must_ascend)
{
	struct index *index = make(1);
	struct buf bytes = BUF_EMPTY;
	uint64_t sum;
	bool sound;

	save(index, test_path("ordered"), &bytes);
	memcpy(bytes.data + HEADER + 8, bytes.data + HEADER, 8);
	sum = hash_checksum(bytes.data + HEADER, 8 * ROWS, 0);
	memcpy(bytes.data + 128 + 24, &sum, sizeof sum);
	sign(&bytes);
	CHECK_STATUS(open_and_use(test_path("twice"), bytes.data, bytes.len, &sound), AKIN_ERR_FORMAT);
	index_destroy(index);
	buf_deinit(&bytes);
}

TEST(other_files_are_refused)
{
	struct index_stamp stamp;
	struct index *index;
	akin_error err;
	bool sound;

	CHECK_STATUS(open_and_use(test_path("other"), "", 0, &sound), AKIN_ERR_FORMAT);
	CHECK_STATUS(index_open(&index, test_dir(), &stamp, &err), AKIN_ERR_FORMAT);
	CHECK_STATUS(index_open(&index, test_path("none"), &stamp, &err), AKIN_ERR_NOT_FOUND);
}

TEST_MAIN(cmocka_unit_test(equal_contents_make_equal_files), cmocka_unit_test(a_file_cut_anywhere_is_refused),
          cmocka_unit_test(no_wrong_bit_passes_the_deep_check), cmocka_unit_test(a_lying_header_is_refused),
          cmocka_unit_test(a_section_nobody_needs_may_not_reach_outside), cmocka_unit_test(ids_must_ascend),
          cmocka_unit_test(other_files_are_refused))
