/* feature/alignment.h: a small alignment gives what the arithmetic in Python gives, and no damaged one is taken.
 * The golden file is written by tools/models/make_tiny_alignment.py.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/str.h"
#include "feature/alignment.h"

#define FOLDER TESTS_DIR "/data/alignment"

enum { PICTURE = 6, TEXT = 8, CLASSES = 4, DIM = 12, CASES = 5, HEADER = 64, CHECKSUM_AT = 48 };

static struct alignment *tiny(void)
{
	struct alignment *a;
	akin_error err;

	CHECK_OK(alignment_open(&a, FOLDER, &err), &err);
	return a;
}

static void read_file(const char *name, struct buf *out)
{
	char *path = fs_join(FOLDER, name);
	akin_error err;

	*out = BUF_EMPTY;
	CHECK_OK(fs_read(path, 1 << 20, out, &err), &err);
	mem_free(path);
}

static void check_near(const float *got, const float *wanted, size_t n, const char *what, size_t i)
{
	for (size_t k = 0; k < n; k++)
		CHECK(fabsf(got[k] - wanted[k]) < 2e-5f, "%s %zu component %zu: %g, not %g\n", what, i, k, (double)got[k],
		      (double)wanted[k]);
}

TEST(it_tells_what_it_joins)
{
	struct alignment *a = tiny();
	const struct alignment_info *info = alignment_info(a);

	CHECK(!strcmp(info->name, "tiny") && !strcmp(info->picture_model, "p") && !strcmp(info->text_model, "t"));
	CHECK(strlen(info->picture_sha256) == 64 && strlen(info->text_sha256) == 64);
	CHECK(info->picture_dim == PICTURE && info->text_dim == TEXT && info->n_classes == CLASSES && info->dim == DIM);
	CHECK(info->random_cosine == 0.125);
	alignment_close(a);
}

/* Each case: embedding, probabilities, joint picture; text vector, pieces, gate, joint text. */
TEST(vectors_are_those_of_the_training_script)
{
	struct alignment *a = tiny();
	struct buf golden;
	const float *at;
	akin_error err;

	read_file("golden.f32", &golden);
	CHECK(golden.len == CASES * (PICTURE + CLASSES + DIM + TEXT + 2 + DIM) * sizeof(float));
	at = (const float *)(const void *)golden.data;
	for (size_t i = 0; i < CASES; i++) {
		float classes[CLASSES], joint[DIM], gate;

		CHECK_OK(alignment_classes(a, at, classes, &err), &err);
		CHECK_OK(alignment_picture(a, at, joint, &err), &err);
		check_near(classes, at + PICTURE, CLASSES, "classes", i);
		check_near(joint, at + PICTURE + CLASSES, DIM, "picture", i);
		at += PICTURE + CLASSES + DIM;
		CHECK_OK(alignment_gate(a, at, (size_t)at[TEXT], &gate, &err), &err);
		CHECK_OK(alignment_text(a, at, (size_t)at[TEXT], joint, &err), &err);
		check_near(&gate, at + TEXT + 1, 1, "gate", i);
		check_near(joint, at + TEXT + 2, DIM, "text", i);
		at += TEXT + 2 + DIM;
	}
	buf_deinit(&golden);
	alignment_close(a);
}

TEST(length_of_the_input_does_not_matter)
{
	static const float scales[] = { 1e-30f, 1, 3e37f };
	struct alignment *a = tiny();
	float first[DIM], other[DIM];
	akin_error err;

	for (size_t s = 0; s < COUNT(scales); s++) {
		float v[TEXT];

		for (size_t i = 0; i < TEXT; i++) v[i] = scales[s] * (float)(i + 1);
		CHECK_OK(alignment_text(a, v, 3, s ? other : first, &err), &err);
		if (s) check_near(other, first, DIM, "text at scale", s);
		CHECK_OK(alignment_picture(a, v, other, &err), &err);
	}
	alignment_close(a);
}

TEST(what_has_no_direction_is_refused)
{
	static const float bad[][TEXT] = { { 0 }, { 1, NAN }, { INFINITY }, { -INFINITY, 1 } };
	struct alignment *a = tiny();
	akin_error err;

	for (size_t i = 0; i < COUNT(bad); i++) {
		float out[DIM] = { 1 }, classes[CLASSES] = { 1 }, gate = 1;

		CHECK_STATUS(alignment_picture(a, bad[i], out, &err), AKIN_ERR_INVALID);
		CHECK(out[0] == 0 && err.text[0]);
		out[0] = 1;
		CHECK_STATUS(alignment_text(a, bad[i], 3, out, &err), AKIN_ERR_INVALID);
		CHECK_STATUS(alignment_classes(a, bad[i], classes, &err), AKIN_ERR_INVALID);
		CHECK_STATUS(alignment_gate(a, bad[i], 3, &gate, &err), AKIN_ERR_INVALID);
		CHECK(out[0] == 0 && classes[0] == 0 && gate == 0);
	}
	alignment_close(a);
}

/* With the checksum made right again. */
static akin_status parse_with(struct buf *card, struct buf *weights, akin_error *err)
{
	struct alignment *a;
	akin_status st;

	if (weights->len > HEADER) {
		const uint64_t sum = hash_checksum(weights->data + HEADER, weights->len - HEADER, 0);
		memcpy(weights->data + CHECKSUM_AT, &sum, sizeof sum);
	}
	st = alignment_parse(&a, card->data, card->len, weights->data, weights->len, err);
	CHECK((st == AKIN_OK) == (a != NULL));
	alignment_close(a);
	return st;
}

TEST(a_wrong_weights_file_is_refused)
{
	static const struct {
		size_t at;
		unsigned char byte;
	} changes[] = { { 0, 'B' }, { 8, 2 }, { 12, 7 }, { 15, 1 }, { 16, 10 }, { 20, 0 }, { 24, 3 }, { 28, 0 }, { 32, 4 },
		        { 36, 0 }, { 36, 3 }, { 40, 1 }, { 56, 1 }, { HEADER + 3, 0x7f }, { HEADER + 2, 0xff } };
	struct buf card, weights;
	akin_error err;

	read_file("alignment.json", &card);
	read_file("alignment.bin", &weights);
	CHECK_OK(parse_with(&card, &weights, &err), &err);
	for (size_t i = 0; i < COUNT(changes); i++) {
		const char kept = weights.data[changes[i].at], kept_next = weights.data[changes[i].at + 1];

		weights.data[changes[i].at] = (char)changes[i].byte;
		if (i + 1 == COUNT(changes)) weights.data[changes[i].at + 1] = 0x7f; /* a NaN */
		CHECK(parse_with(&card, &weights, &err) == AKIN_ERR_FORMAT && err.text[0], "change %zu\n", i);
		weights.data[changes[i].at] = kept;
		weights.data[changes[i].at + 1] = kept_next;
	}
	weights.data[weights.len - 1] = 0x7c; /* an infinite half */
	weights.data[weights.len - 2] = 0;
	CHECK_STATUS(parse_with(&card, &weights, &err), AKIN_ERR_FORMAT);
	for (size_t n = 0; n < weights.len; n += n < 80 ? 1 : 97) {
		struct buf cut = weights;

		cut.len = n;
		CHECK_STATUS(parse_with(&card, &cut, &err), AKIN_ERR_FORMAT);
	}
	buf_deinit(&card);
	buf_deinit(&weights);
}

TEST(a_damaged_file_is_told)
{
	struct alignment *a;
	struct buf card, weights;
	akin_error err;

	read_file("alignment.json", &card);
	read_file("alignment.bin", &weights);
	weights.data[HEADER + 9] ^= 1;
	CHECK_STATUS(alignment_parse(&a, card.data, card.len, weights.data, weights.len, &err), AKIN_ERR_FORMAT);
	CHECK(!a && strstr(err.text, "checksum"));
	buf_deinit(&card);
	buf_deinit(&weights);
}

TEST(a_wrong_card_is_refused)
{
	static const char *const changes[][3] = {
		{ "\"akin_alignment\": 1", "\"akin_alignment\": 2", "akin_alignment" }, { "\"dim\": 12", "\"dim\": 14", "card" },
		{ "\"dim\": 12", "\"dim\": -1", "dim" }, { "\"name\": \"tiny\"", "\"name\": 5", "name" },
		{ "\"picture_model\"", "\"other\"", "picture_model" }, { "\"text_model\"", "\"other\"", "text_model" },
		{ "0.125", "1.5", "random_cosine" }, { "{", "[", "JSON" }, { "\"dim\": 8", "\"dim\": 1e9", "dim" },
		{ "\"sha256\": \"", "\"none\": \"", "sha256" },
	};
	struct buf card, weights;
	akin_error err;

	read_file("alignment.json", &card);
	read_file("alignment.bin", &weights);
	for (size_t i = 0; i < COUNT(changes); i++) {
		const char *found = strstr(card.data, changes[i][0]);
		struct buf other = BUF_EMPTY;

		CHECK(found, "case %zu is not in the card\n", i);
		buf_add(&other, card.data, (size_t)(found - card.data));
		buf_puts(&other, changes[i][1]);
		buf_puts(&other, found + strlen(changes[i][0]));
		CHECK(parse_with(&other, &weights, &err) == AKIN_ERR_FORMAT && strstr(err.text, changes[i][2]), "case %zu: %s\n",
		      i, err.text);
		buf_deinit(&other);
	}
	buf_deinit(&card);
	buf_deinit(&weights);
}

TEST(files_that_are_not_there_are_told)
{
	struct alignment *a;
	akin_error err;
	char path[512];

	CHECK_STATUS(alignment_open(&a, test_path("nothing"), &err), AKIN_ERR_NOT_FOUND);
	CHECK(!a);
	snprintf(path, sizeof path, "%s/alignment.json", test_dir());
	CHECK_OK(fs_write(path, "{\"file\":\"../up\"}", 16, &err), &err);
	CHECK_STATUS(alignment_open(&a, test_dir(), &err), AKIN_ERR_FORMAT);
	CHECK(!a && strstr(err.text, "file"));
}

TEST_MAIN(cmocka_unit_test(it_tells_what_it_joins), cmocka_unit_test(vectors_are_those_of_the_training_script),
          cmocka_unit_test(length_of_the_input_does_not_matter), cmocka_unit_test(what_has_no_direction_is_refused),
          cmocka_unit_test(a_wrong_weights_file_is_refused), cmocka_unit_test(a_damaged_file_is_told),
          cmocka_unit_test(a_wrong_card_is_refused), cmocka_unit_test(files_that_are_not_there_are_told))
