/* feature/tokenizer_unigram.c - the most probable way to cut a word into entries (Kudo 2018), by Viterbi: each entry
 * has the logarithm of its probability, and a character that no entry covers alone counts as ten below the least of
 * them. SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "feature/tokenizer_parts.h"

/* The best way to the place after so many bytes: its score, where its last entry begins, and which that is. */
struct arrival {
	double score;
	uint32_t from;
	int32_t id;
	uint32_t next; /* once the best way is known: the end of the entry that begins here */
	int32_t next_id;
};
#define NOWHERE UINT32_MAX

static void arrive(struct arrival *to, double score, size_t from, int32_t id)
{
	if (to->from == NOWHERE || score > to->score)
		*to = (struct arrival){ .score = score, .from = (uint32_t)from, .id = id };
}

/* Extend the best way to `at` by every entry that begins there. */
static void leave(const struct token_model *m, struct arrival *way, const char *word, size_t n, size_t at,
		  size_t character)
{
	struct vocab_walk walk = vocab_start(&m->vocab);
	bool alone = false;

	for (size_t i = at; i < n && vocab_step(&m->vocab, &walk, (uint8_t)word[i]); i++) {
		const int32_t id = vocab_here(&m->vocab, &walk);

		if (id < 0 || (i + 1 < n && ((uint8_t)word[i + 1] & 0xC0) == 0x80)) continue;
		arrive(&way[i + 1], way[at].score + m->score[id], at, id);
		alone |= i + 1 - at == character;
	}
	if (!alone) arrive(&way[at + character], way[at].score + m->unknown_score, at, m->unknown);
}

static akin_status add_piece(const struct token_model *m, const char *bytes, size_t n, struct id_list *ids,
			     akin_error *err)
{
	const int32_t id = vocab_find(&m->vocab, bytes, n);
	akin_status st = AKIN_OK;

	if (id >= 0) return ids_add(ids, id, err);
	if (m->byte_fallback && model_has_bytes(m, bytes, n)) {
		for (size_t i = 0; i < n && st == AKIN_OK; i++) st = ids_add(ids, m->byte_id[(uint8_t)bytes[i]], err);
		return st;
	}
	if (m->unknown < 0)
		return error_set(err, AKIN_ERR_FORMAT, "the tokenizer has no unknown token, and this text needs one");
	return ids_add(ids, m->unknown, err);
}

akin_status unigram_model_encode(const struct token_model *m, struct model_scratch *scratch, const char *word, size_t n,
			   struct id_list *ids, akin_error *err)
{
	struct arrival *way = scratch->symbols;
	size_t bytes, end, start;
	akin_status st = AKIN_OK;

	if ((n + 1) * sizeof *way > scratch->symbols_capacity) {
		if (!(way = mem_realloc(scratch->symbols, (n + 1) * sizeof *way))) return error_nomem(err);
		scratch->symbols = way;
		scratch->symbols_capacity = (n + 1) * sizeof *way;
	}
	for (size_t i = 0; i <= n; i++) way[i] = (struct arrival){ .from = NOWHERE, .id = -1 };
	for (size_t i = 0; i < n; i += bytes) {
		char_at(word + i, n - i, &bytes);
		leave(m, way, word, n, i, bytes);
	}
	for (end = n; end; end = start) {
		start = way[end].from;
		way[start].next = (uint32_t)end;
		way[start].next_id = way[end].id;
	}
	for (start = 0; start < n && st == AKIN_OK; start = end) {
		end = way[start].next;
		/* Unknown characters in a row are one unknown piece. */
		while (way[start].next_id == m->unknown && end < n && way[end].next_id == m->unknown)
			end = way[end].next;
		st = add_piece(m, word + start, end - start, ids, err);
	}
	return st;
}
