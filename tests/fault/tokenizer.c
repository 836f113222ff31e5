/* feature/tokenizer.h, feature/text_tower.h: memory that runs out anywhere is an error, and nothing is lost.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fs.h"
#include "feature/tokenizer.h"

static akin_status open_one(void *path)
{
	struct tokenizer *t;
	akin_error err;
	akin_status st = tokenizer_open(&t, path, NULL, &err);

	CHECK(st == AKIN_OK || (st == AKIN_ERR_NOMEM && !t), "%s\n", err.text);
	tokenizer_close(t);
	return st;
}

/* Opening allocates for every doubling of every list: some hundred times, each of which fails once. */
TEST(opening_survives_every_failing_allocation)
{
	static const char *const kinds[] = { "clip", "bert-cased", "siglip", "sentencepiece" };

	for (size_t i = 0; i < COUNT(kinds); i++) {
		char path[512];

		snprintf(path, sizeof path, TESTS_DIR "/data/tokenizers/%s.json", kinds[i]);
		fault_loop(FAULT_ALLOC, 2000, open_one, path);
	}
}

static akin_status encode_one(void *tokenizer)
{
	static const char text[] = "don't \xff é<|endoftext|> 两只狗 👍 [SEP] a photo";
	struct token_ids ids;
	akin_error err;
	akin_status st = tokenizer_encode(tokenizer, text, sizeof text - 1, &ids, &err);

	CHECK(st == AKIN_OK || (st == AKIN_ERR_NOMEM && !ids.id && !ids.n), "%s\n", err.text);
	token_ids_deinit(&ids);
	return st;
}

TEST(encoding_survives_every_failing_allocation)
{
	static const char *const kinds[] = { "clip",       "gpt4",   "gemma",         "bert",
					     "bert-cased", "siglip", "sentencepiece", "wordlevel" };

	for (size_t i = 0; i < COUNT(kinds); i++) {
		char path[512];
		struct tokenizer *t;
		akin_error err;

		snprintf(path, sizeof path, TESTS_DIR "/data/tokenizers/%s.json", kinds[i]);
		CHECK_OK(tokenizer_open(&t, path, NULL, &err), &err);
		fault_loop(FAULT_ALLOC, 2000, encode_one, t);
		tokenizer_close(t);
	}
}

TEST_MAIN(cmocka_unit_test(opening_survives_every_failing_allocation),
	  cmocka_unit_test(encoding_survives_every_failing_allocation))
