/* feature/tokenizer.h: any bytes are a text. Random bytes, and random pieces of texts put together, give ids of the
 * vocabulary, the same each time, framed alike, and the mask says which are there.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/str.h"
#include "feature/tokenizer.h"

enum { ROUNDS = 1000, LENGTH = 24, IDS = 600 };

static const char *const kinds[] = { "clip",       "gpt4",   "gemma",         "bert",
				     "bert-cased", "siglip", "sentencepiece", "wordlevel" };
static const char *const parts[] = {
	"a",        " ",   "photo",         "\xe5",  "\xad\x97",     "\xe5\xad\x97",     "\xff",
	"\xcc\x81", "'ll", "<|endoftext|>", "[SEP]", "\xe2\x96\x81", "\xf0\x9f\x91\x8d", "\xed\xa0\x80",
	"9",        "!",   "</s>",          "\n",    "\xe2\x80\x8d"
};

static size_t make_text(struct rng *rng, char *text, size_t room)
{
	size_t n = 0;

	if (rng_below(rng, 3) == 0) {
		n = rng_below(rng, room);
		for (size_t i = 0; i < n; i++) text[i] = (char)rng_u64(rng);
		return n;
	}
	for (uint64_t left = rng_below(rng, 40); left; left--) {
		const char *part = parts[rng_below(rng, COUNT(parts))];

		if (n + strlen(part) > room) break;
		memcpy(text + n, part, strlen(part));
		n += strlen(part);
	}
	return n;
}

static void check_text(const struct tokenizer *t, const struct tokenizer *fitted, const char *text, size_t n,
		       const char *kind)
{
	struct token_ids ids, again, cut;
	akin_error err;

	CHECK_OK(tokenizer_encode(t, text, n, &ids, &err), &err);
	CHECK_OK(tokenizer_encode(t, text, n, &again, &err), &err);
	CHECK_OK(tokenizer_encode(fitted, text, n, &cut, &err), &err);
	CHECK(ids.n == again.n && (!ids.n || !memcmp(ids.id, again.id, ids.n * sizeof *ids.id)), "%s\n", kind);
	CHECK(cut.n == LENGTH);
	for (size_t i = 0; i < ids.n; i++)
		CHECK(ids.id[i] >= 0 && ids.id[i] < IDS, "%s: %lld\n", kind, (long long)ids.id[i]);
	for (size_t i = 0; i < cut.n; i++) CHECK(cut.mask[i] == (cut.id[i] != IDS), "%s\n", kind);
	token_ids_deinit(&ids);
	token_ids_deinit(&again);
	token_ids_deinit(&cut);
}

TEST(any_bytes_are_a_text)
{
	const struct tokenizer_fit fit = { .length = LENGTH, .pad = true, .pad_id = IDS };

	for (size_t k = 0; k < COUNT(kinds); k++) {
		struct rng rng = { 11 + k };
		struct tokenizer *t, *fitted;
		char path[512], text[200];
		akin_error err;

		snprintf(path, sizeof path, TESTS_DIR "/data/tokenizers/%s.json", kinds[k]);
		CHECK_OK(tokenizer_open(&t, path, NULL, &err), &err);
		CHECK_OK(tokenizer_open(&fitted, path, &fit, &err), &err);
		for (int i = 0; i < ROUNDS; i++)
			check_text(t, fitted, text, make_text(&rng, text, sizeof text), kinds[k]);
		tokenizer_close(t);
		tokenizer_close(fitted);
	}
}

TEST_MAIN(cmocka_unit_test(any_bytes_are_a_text))
