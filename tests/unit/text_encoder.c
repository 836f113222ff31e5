/* feature/text_encoder: pieces and vectors of the shipped model against those that its source gave once
 * (tools/models/make_text_tests.py), and what does not change a vector.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "feature/text_encoder.h"
#include "simd/kernels.h"

#define MODEL  TESTS_DIR "/../models/use-multilingual-v3"
#define GOLDEN TESTS_DIR "/data/text/golden"

enum { DIM = 512, MOST_LINES = 200, MOST_IDS = 4000 };

static struct text_encoder *encoder;

struct golden {
	char *text;
	size_t bytes, n_ids;
	uint32_t ids[MOST_IDS];
};

static char *from_hex(const char *hex, size_t digits)
{
	char *bytes = malloc(digits / 2 + 1), two[3] = "";

	if (!bytes) abort();
	for (size_t i = 0; i < digits / 2; i++) {
		memcpy(two, hex + 2 * i, 2);
		bytes[i] = (char)strtoul(two, NULL, 16);
	}
	return bytes;
}

/* A line into `g`; returns the next one. */
static char *read_line(char *line, struct golden *g)
{
	char *end = strchr(line, '\n'), *at = strchr(line, '\t');

	CHECK(end && at && at < end);
	g->bytes = (size_t)(at - line) / 2;
	g->text = from_hex(line, 2 * g->bytes);
	for (g->n_ids = 0; at < end; g->n_ids++) {
		CHECK(g->n_ids < MOST_IDS);
		g->ids[g->n_ids] = (uint32_t)strtoul(at + 1, &at, 10);
	}
	return end + 1;
}

static double cosine(const float *a, const float *b)
{
	double ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < DIM; i++) {
		ab += (double)a[i] * (double)b[i];
		aa += (double)a[i] * (double)a[i];
		bb += (double)b[i] * (double)b[i];
	}
	return ab / sqrt(aa * bb);
}

static void check_golden(const struct golden *g, const float *wanted, size_t line)
{
	float got[DIM];
	uint32_t *ids;
	size_t n;
	akin_error err;

	CHECK_OK(text_encoder_pieces(encoder, g->text, g->bytes, &ids, &n, &err), &err);
	CHECK(n == g->n_ids && !memcmp(ids, g->ids, n * sizeof *ids), "line %zu has other pieces\n", line);
	mem_free(ids);
	CHECK_OK(text_encode(encoder, g->text, g->bytes, got, &err), &err);
	CHECK(cosine(got, wanted) > 0.99999, "line %zu: cosine %.7f\n", line, cosine(got, wanted));
}

TEST(pieces_and_vectors_are_those_of_the_source)
{
	struct buf lines = BUF_EMPTY, halves = BUF_EMPTY;
	struct golden *g = mem_alloc(sizeof *g);
	size_t line = 0;
	akin_error err;

	CHECK_OK(fs_read(GOLDEN ".tsv", 1 << 20, &lines, &err), &err);
	CHECK_OK(fs_read(GOLDEN ".f16", 1 << 20, &halves, &err), &err);
	for (char *at = lines.data; g && *at; line++) {
		float wanted[DIM];

		CHECK((line + 1) * 2 * DIM <= halves.len);
		kernels_best()->f16_to_f32((const uint16_t *)(const void *)halves.data + line * DIM, wanted, DIM);
		at = read_line(at, g);
		check_golden(g, wanted, line + 1);
		free(g->text);
	}
	CHECK(line >= 70 && line * 2 * DIM == halves.len, "%zu lines\n", line);
	mem_free(g);
	buf_deinit(&lines);
	buf_deinit(&halves);
}

static void vector_of(const char *text, float *out)
{
	akin_error err;

	CHECK_OK(text_encode(encoder, text, strlen(text), out, &err), &err);
}

TEST(a_translation_is_nearer_than_another_sentence)
{
	static const char *const dogs[] = {
		"Two dogs run through the snow", "两只狗在雪地里奔跑",   "Deux chiens courent dans la neige",
		"Две собаки бегут по снегу",     "犬が二匹雪の中を走る",
	};
	float dog[DIM], other[DIM], car[DIM];

	vector_of(dogs[0], dog);
	vector_of("a red car at night", car);
	for (size_t i = 1; i < COUNT(dogs); i++) {
		vector_of(dogs[i], other);
		CHECK(cosine(dog, other) > cosine(car, other) + 0.3, "%s: %.3f, %.3f\n", dogs[i], cosine(dog, other),
		      cosine(car, other));
	}
}

TEST(spaces_and_widths_of_letters_do_not_matter)
{
	static const char *const alike[] = { "  red  car ", "red\tcar\n", "ｒｅｄ　ｃａｒ", "red\u00a0car" };
	float wanted[DIM], got[DIM];

	vector_of("red car", wanted);
	for (size_t i = 0; i < COUNT(alike); i++) {
		vector_of(alike[i], got);
		CHECK(!memcmp(wanted, got, sizeof got), "%s\n", alike[i]);
	}
}

TEST(vectors_have_unit_length_and_case_matters)
{
	float a[DIM], b[DIM], sum = 0;

	vector_of("May", a);
	vector_of("may", b);
	for (size_t i = 0; i < DIM; i++) sum += a[i] * a[i];
	CHECK(fabsf(sum - 1) < 1e-5f);
	CHECK(memcmp(a, b, sizeof a) != 0);
}

static int open_encoder(void **state)
{
	akin_error err;

	(void)state;
	CHECK_OK(text_encoder_open(&encoder, MODEL, &err), &err);
	CHECK(text_encoder_dim(encoder) == DIM);
	CHECK(!strcmp(text_encoder_card(encoder)->name, "use-multilingual-v3"));
	return 0;
}

static int close_encoder(void **state)
{
	(void)state;
	text_encoder_close(encoder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_and_vectors_are_those_of_the_source),
		cmocka_unit_test(a_translation_is_nearer_than_another_sentence),
		cmocka_unit_test(spaces_and_widths_of_letters_do_not_matter),
		cmocka_unit_test(vectors_have_unit_length_and_case_matters),
	};
	return cmocka_run_group_tests(tests, open_encoder, close_encoder);
}
