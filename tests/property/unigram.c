/* feature/unigram: the best cut, against one that compares every piece with every place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>

#include "base/alloc.h"
#include "feature/unigram.h"

enum { PIECES = 120, MOST_TEXT = 60 };

struct vocabulary {
	struct unigram_piece piece[PIECES];
	char text[PIECES][8];
	size_t n;
};

static uint8_t character_bytes(uint8_t lead)
{
	return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Of few letters, one of them with two bytes, so that pieces repeat and overlap; scores are few, so that cuts tie. */
static size_t random_text(struct rng *rng, char *out, size_t most)
{
	static const char *const letters[] = { "a", "b", "c", "\xc3\xa9", "z" };
	const size_t wanted = rng_below(rng, (uint32_t)most + 1);
	size_t n = 0;

	while (n < wanted) {
		const char *letter = letters[rng_below(rng, COUNT(letters))];
		const size_t bytes = strlen(letter);

		if (n + bytes > most) break;
		memcpy(out + n, letter, bytes);
		n += bytes;
	}
	return n;
}

static void make(struct vocabulary *v, struct rng *rng)
{
	v->n = 1 + rng_below(rng, PIECES);
	for (size_t i = 0; i < v->n; i++)
		v->piece[i] = (struct unigram_piece){ v->text[i], i ? random_text(rng, v->text[i], 6) : 0,
						      -1 - (double)rng_below(rng, 6) };
}

static double score_of(const struct vocabulary *v, uint32_t id, int is_unknown)
{
	double least = v->piece[0].score;

	if (!is_unknown) return v->piece[id].score;
	for (size_t i = 0; i < v->n; i++)
		if (v->piece[i].score < least) least = v->piece[i].score;
	return least - UNIGRAM_PENALTY;
}

/* Of equal pieces the last. */
static int find(const struct vocabulary *v, const char *text, size_t bytes)
{
	for (size_t i = v->n; i-- > 0;)
		if (bytes && v->piece[i].bytes == bytes && !memcmp(v->piece[i].text, text, bytes)) return (int)i;
	return -1;
}

struct best {
	double score;
	size_t from;
	uint32_t id;
};

static void slow_cut(const struct vocabulary *v, const char *text, size_t n, struct best *best)
{
	for (size_t end = 0; end <= n; end++) best[end] = (struct best){ end ? -1e30 : 0, 0, 0 };
	for (size_t from = 0; from < n; from += character_bytes((uint8_t)text[from])) {
		const size_t one = character_bytes((uint8_t)text[from]);

		for (size_t bytes = 1; from + bytes <= n; bytes++) {
			const int id = find(v, text + from, bytes), unknown = id < 0 && bytes == one;
			double score;

			if (id < 0 && !unknown) continue;
			score = best[from].score + score_of(v, (uint32_t)(unknown ? 0 : id), unknown);
			if (score > best[from + bytes].score)
				best[from + bytes] = (struct best){ score, from, (uint32_t)(unknown ? 0 : id) };
		}
	}
}

static void check_cut(const struct vocabulary *v, const struct unigram *u, const char *text, size_t n)
{
	struct best best[MOST_TEXT + 1];
	struct unigram_token *tokens;
	size_t n_tokens, end = n;
	akin_error err;

	CHECK_OK(unigram_encode(u, text, n, &tokens, &n_tokens, &err), &err);
	slow_cut(v, text, n, best);
	for (size_t i = n_tokens; i-- > 0; end = best[end].from) {
		CHECK(tokens[i].at + tokens[i].bytes == end && tokens[i].at == best[end].from,
		      "another cut before %zu\n", end);
		CHECK(tokens[i].id == best[end].id, "piece %u instead of %u\n", tokens[i].id, best[end].id);
	}
	CHECK(end == 0);
	mem_free(tokens);
}

TEST(the_cut_is_the_best_one_and_the_first_of_equals)
{
	struct rng rng = { 1 };

	for (int round = 0; round < 300; round++) {
		struct vocabulary v;
		struct unigram *u;
		akin_error err;

		make(&v, &rng);
		CHECK_OK(unigram_create(&u, v.piece, v.n, 0, &err), &err);
		for (int i = 0; i < 20; i++) {
			char text[MOST_TEXT];
			check_cut(&v, u, text, random_text(&rng, text, MOST_TEXT));
		}
		unigram_destroy(u);
	}
}

TEST(tokens_cover_any_bytes)
{
	struct rng rng = { 2 };
	struct vocabulary v;
	struct unigram *u;
	akin_error err;

	make(&v, &rng);
	CHECK_OK(unigram_create(&u, v.piece, v.n, 0, &err), &err);
	for (int round = 0; round < 2000; round++) {
		char text[MOST_TEXT];
		struct unigram_token *tokens;
		size_t n = rng_below(&rng, MOST_TEXT + 1), n_tokens, at = 0;

		for (size_t i = 0; i < n; i++)
			text[i] = (char)(rng_below(&rng, 2) ? rng_u64(&rng) : 'a' + rng_below(&rng, 3));
		CHECK_OK(unigram_encode(u, text, n, &tokens, &n_tokens, &err), &err);
		for (size_t i = 0; i < n_tokens; i++) {
			CHECK(tokens[i].at == at && tokens[i].bytes && tokens[i].id < v.n);
			at += tokens[i].bytes;
		}
		CHECK(at == n);
		mem_free(tokens);
	}
	unigram_destroy(u);
}

TEST(a_vocabulary_that_cannot_be_is_refused)
{
	const struct unigram_piece bad[] = { { "a", 1, 0 }, { "b", 1, (double)NAN } };
	const uint32_t at[] = { 0, 1, 2 }, beyond[] = { 0, 9, 2 }, ids[] = { 0, 1 }, wild[] = { 0, 7 };
	const float scores[] = { -1, -2 };
	const struct unigram_view good = { 2, 2, at, ids, scores, "ab" };
	struct unigram_view v = good;
	struct unigram *u;
	akin_error err;

	CHECK_STATUS(unigram_create(&u, bad, 2, 0, &err), AKIN_ERR_FORMAT);
	CHECK_STATUS(unigram_create(&u, bad, 1, 1, &err), AKIN_ERR_FORMAT);
	CHECK_STATUS(unigram_create(&u, bad, 0, 0, &err), AKIN_ERR_FORMAT);
	CHECK_OK(unigram_create_view(&u, &good, 0, &err), &err);
	unigram_destroy(u);
	v.text = "ba";
	CHECK_STATUS(unigram_create_view(&u, &v, 0, &err), AKIN_ERR_FORMAT);
	v = good;
	v.text_at = beyond;
	CHECK_STATUS(unigram_create_view(&u, &v, 0, &err), AKIN_ERR_FORMAT);
	v = good;
	v.id = wild;
	CHECK_STATUS(unigram_create_view(&u, &v, 0, &err), AKIN_ERR_FORMAT);
	v = good;
	v.text_bytes = 3;
	CHECK_STATUS(unigram_create_view(&u, &v, 0, &err), AKIN_ERR_FORMAT);
	CHECK(!u);
}

TEST_MAIN(cmocka_unit_test(the_cut_is_the_best_one_and_the_first_of_equals), cmocka_unit_test(tokens_cover_any_bytes),
	  cmocka_unit_test(a_vocabulary_that_cannot_be_is_refused))
