/* feature/tokenizer_wordpiece.c - the longest entry that begins the word, then the longest that continues it, and so
 * on; a word that cannot be finished this way is unknown as a whole. WordLevel is its plain case: the word or unknown.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/tokenizer_parts.h"

static bool is_longer_than(const char *word, size_t n, size_t characters)
{
	size_t bytes;

	for (size_t i = 0; i < n; i += bytes) {
		if (!characters--) return true;
		char_at(word + i, n - i, &bytes);
	}
	return false;
}

static bool is_boundary(const char *word, size_t n, size_t at)
{
	return at >= n || ((uint8_t)word[at] & 0xC0) != 0x80;
}

/* Bytes of the longest entry at the start of `word`; 0: none. */
static size_t longest(const struct vocab *v, const char *word, size_t n, int32_t *id)
{
	struct vocab_walk walk = vocab_start(v);
	size_t best = 0;

	for (size_t i = 0; i < n && vocab_step(v, &walk, (uint8_t)word[i]); i++) {
		const int32_t here = vocab_here(v, &walk);

		if (here < 0 || !is_boundary(word, n, i + 1)) continue;
		best = i + 1;
		*id = here;
	}
	return best;
}

akin_status wordpiece_encode(const struct token_model *m, const char *word, size_t n, struct id_list *ids,
			     akin_error *err)
{
	const size_t before = ids->n;
	bool unknown = m->kind == MODEL_WORDPIECE && is_longer_than(word, n, m->longest_word);
	akin_status st = AKIN_OK;
	size_t bytes;

	for (size_t i = 0; i < n && !unknown && st == AKIN_OK; i += bytes) {
		int32_t id = -1;

		if (m->kind == MODEL_WORDLEVEL)
			bytes = (id = vocab_find(&m->vocab, word, n)) < 0 ? 0 : n;
		else
			bytes = longest(i ? &m->continuing : &m->vocab, word + i, n - i, &id);
		unknown = !bytes;
		if (bytes) st = ids_add(ids, id, err);
	}
	if (!unknown || st != AKIN_OK) return st;
	ids->n = before;
	return ids_add(ids, m->unknown, err);
}
