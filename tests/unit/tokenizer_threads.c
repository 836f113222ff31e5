/* feature/tokenizer.h: one tokenizer gives the same ids on every thread.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/pool.h"
#include "base/str.h"
#include "feature/tokenizer.h"

static const char *const kinds[] = { "clip", "gemma", "bert", "siglip", "sentencepiece" };
static const char *const texts[] = { "two dogs", "两只狗在雪地里奔跑", "Ça va? 👍🏽  don't", "",
				     "e\xcc\x81 \xff x" };
enum { TEXTS = COUNT(texts) };

struct shared {
	struct tokenizer *tokenizer;
	struct token_ids wanted[TEXTS];
	int wrong;
};

static void encode_one(void *ctx, size_t i)
{
	struct shared *s = ctx;
	const struct token_ids *wanted = &s->wanted[i % TEXTS];
	const char *text = texts[i % TEXTS];
	struct token_ids ids;

	if (tokenizer_encode(s->tokenizer, text, strlen(text), &ids, NULL) != AKIN_OK || ids.n != wanted->n ||
	    memcmp(ids.id, wanted->id, ids.n * sizeof *ids.id) != 0)
		__atomic_fetch_add(&s->wrong, 1, __ATOMIC_RELAXED);
	token_ids_deinit(&ids);
}

TEST(every_thread_gets_the_same_ids)
{
	for (size_t k = 0; k < COUNT(kinds); k++) {
		char path[512];
		struct shared s = { .wrong = 0 };
		akin_error err;

		snprintf(path, sizeof path, TESTS_DIR "/data/tokenizers/%s.json", kinds[k]);
		CHECK_OK(tokenizer_open(&s.tokenizer, path, NULL, &err), &err);
		for (size_t i = 0; i < TEXTS; i++)
			CHECK_OK(tokenizer_encode(s.tokenizer, texts[i], strlen(texts[i]), &s.wanted[i], &err), &err);
		pool_for(2000, 8, encode_one, &s);
		CHECK(s.wrong == 0, "%s: %d texts differ\n", kinds[k], s.wrong);
		for (size_t i = 0; i < TEXTS; i++) token_ids_deinit(&s.wanted[i]);
		tokenizer_close(s.tokenizer);
	}
}

TEST_MAIN(cmocka_unit_test(every_thread_gets_the_same_ids))
