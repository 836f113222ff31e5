/* feature/text_encoder: when there is no memory, opening gives nothing and encoding says so; the encoder stays usable.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "feature/text_encoder.h"
#include "feature/unigram.h"

enum { DIM = 32 };

static const struct text texts[] = { { "the dog in snow", 15 }, { "", 0 }, { "\xff red cat", 9 } };
static struct text_encoder *encoder;
static float calm[COUNT(texts) * DIM];

static akin_status open_body(void *ctx)
{
	struct text_encoder *e;
	akin_status st = text_encoder_open(&e, TESTS_DIR "/data/text/tiny", NULL);

	(void)ctx;
	CHECK(!e == (st != AKIN_OK));
	text_encoder_close(e);
	return st;
}

TEST(a_failed_open_gives_nothing)
{
	fault_loop(FAULT_ALLOC, 300, open_body, NULL);
}

static akin_status encode_body(void *ctx)
{
	float got[COUNT(calm)];
	akin_error err;
	akin_status st = text_encode_many(encoder, texts, COUNT(texts), got, &err);

	(void)ctx;
	if (st == AKIN_OK)
		CHECK(!memcmp(got, calm, sizeof got));
	else
		CHECK_STATUS(st, AKIN_ERR_NOMEM);
	for (size_t i = 0; st != AKIN_OK && i < COUNT(got); i++) CHECK(got[i] == 0);
	return st;
}

TEST(a_failed_encode_says_so)
{
	akin_error err;

	CHECK_OK(text_encoder_open(&encoder, TESTS_DIR "/data/text/tiny", &err), &err);
	CHECK_OK(text_encode_many(encoder, texts, COUNT(texts), calm, &err), &err);
	fault_loop(FAULT_ALLOC, 100, encode_body, NULL);
	text_encoder_close(encoder);
}

static akin_status create_body(void *ctx)
{
	static const struct unigram_piece pieces[] = { { "", 0, 0 }, { "b", 1, -1 }, { "a", 1, -2 } };
	struct unigram_token *tokens = NULL;
	struct unigram *u;
	size_t n = 0;
	akin_status st = unigram_create(&u, pieces, COUNT(pieces), 0, NULL);

	(void)ctx;
	CHECK(!u == (st != AKIN_OK));
	if (st == AKIN_OK) st = unigram_encode(u, "abc", 3, &tokens, &n, NULL);
	CHECK(n == (st == AKIN_OK ? 3 : 0) && !tokens == (st != AKIN_OK));
	mem_free(tokens);
	unigram_destroy(u);
	return st;
}

TEST(a_failed_vocabulary_gives_nothing)
{
	fault_loop(FAULT_ALLOC, 100, create_body, NULL);
}

TEST_MAIN(cmocka_unit_test(a_failed_open_gives_nothing), cmocka_unit_test(a_failed_encode_says_so),
	  cmocka_unit_test(a_failed_vocabulary_gives_nothing))
