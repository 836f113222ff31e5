/* feature/tokenizer_read_model.c - the "model" of a tokenizer.json: its vocabulary and what goes with it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "feature/tokenizer_json.h"

enum { WORD_CHARACTERS_MAX = 10000 };

static const char out_of_vocabulary[] = "is not in the vocabulary";

static void read_vocab(struct reader *r, const json_t *o, struct token_model *m)
{
	json_t *vocab = json_object_get(o, "vocab"), *id;
	const char *piece;

	if (!json_is_object(vocab)) reader_wrong(r, "vocab", "must be an object of pieces and their ids");
	if (r->st != AKIN_OK) return;
	json_object_foreach(vocab, piece, id)
	{
		const json_int_t value = json_is_integer(id) ? json_integer_value(id) : -1;

		if (value < 0 || value >= INT32_MAX) {
			reader_wrong(r, "vocab", "has an id that is no number from 0 to 2147483646");
			return;
		}
		reader_fail(r, "vocab", vocab_add(&m->vocab, piece, strlen(piece), (int32_t)value, r->err));
		if (r->st != AKIN_OK) return;
	}
	reader_fail(r, "vocab", vocab_sort(&m->vocab, r->err));
}

static void read_unknown(struct reader *r, const json_t *o, struct token_model *m, bool required)
{
	size_t bytes;
	const char *text = reader_text(r, o, "unk_token", required, &bytes);

	m->unknown = text ? vocab_find(&m->vocab, text, bytes) : -1;
	if (text && m->unknown < 0) reader_wrong(r, "unk_token", out_of_vocabulary);
}

static void read_affix(struct reader *r, const json_t *o, const char *member, bool required, char *affix)
{
	size_t bytes;
	const char *text = reader_text(r, o, member, required, &bytes);

	if (text && bytes > TOKENIZER_AFFIX_MAX)
		reader_wrong(r, member, "has too many bytes");
	else if (text && strlen(text) != bytes)
		reader_wrong(r, member, "has a NUL");
	else if (text)
		memcpy(affix, text, bytes + 1);
}

/* ---- BPE ---- */

/* "a b", or ["a", "b"]. */
static bool halves(const json_t *item, const char **left, size_t *left_bytes, const char **right, size_t *right_bytes)
{
	const char *text = json_string_value(item), *blank;
	const size_t n = json_string_length(item);

	if (json_is_array(item) && json_array_size(item) == 2) {
		*left = json_string_value(json_array_get(item, 0));
		*right = json_string_value(json_array_get(item, 1));
		*left_bytes = json_string_length(json_array_get(item, 0));
		*right_bytes = json_string_length(json_array_get(item, 1));
		return *left && *right;
	}
	if (!text || !(blank = memchr(text, ' ', n))) return false;
	*left = text;
	*left_bytes = (size_t)(blank - text);
	*right = blank + 1;
	*right_bytes = n - *left_bytes - 1;
	return !memchr(*right, ' ', *right_bytes);
}

static void read_merge(struct reader *r, const json_t *item, uint32_t rank, struct token_model *m)
{
	const size_t prefix = strlen(m->prefix);
	const char *left, *right;
	size_t left_bytes, right_bytes;
	char joined[2 * TOKENIZER_PIECE_MAX];
	int32_t a, b, both;
	struct bpe_merge *moved;

	if (!halves(item, &left, &left_bytes, &right, &right_bytes)) {
		reader_wrong(r, "", "must be two pieces, as \"a b\" or [\"a\", \"b\"]");
		return;
	}
	a = vocab_find(&m->vocab, left, left_bytes);
	b = vocab_find(&m->vocab, right, right_bytes);
	if (a < 0 || b < 0 || right_bytes < prefix) {
		reader_wrong(r, "", "has a piece that is not in the vocabulary");
		return;
	}
	memcpy(joined, left, left_bytes); /* pieces of the vocabulary have at most TOKENIZER_PIECE_MAX bytes */
	memcpy(joined + left_bytes, right + prefix, right_bytes - prefix);
	both = vocab_find(&m->vocab, joined, left_bytes + right_bytes - prefix);
	if (both < 0) reader_wrong(r, "", "makes a piece that is not in the vocabulary");
	if (r->st != AKIN_OK) return;
	if (!(moved = mem_grow(m->merge, &m->merges_capacity, m->n_merges, sizeof *m->merge))) {
		r->st = error_nomem(r->err);
		return;
	}
	m->merge = moved;
	m->merge[m->n_merges++] = (struct bpe_merge){ (uint64_t)(uint32_t)a << 32 | (uint32_t)b, rank, both };
}

static void read_merges(struct reader *r, const json_t *o, struct token_model *m)
{
	const json_t *merges = json_object_get(o, "merges");
	const size_t entered = reader_enter(r, "merges");
	uint32_t rank = 0;

	if (!json_is_array(merges)) reader_wrong(r, "", "must be a list");
	for (size_t i = 0; i < json_array_size(merges) && r->st == AKIN_OK; i++) {
		const json_t *item = json_array_get(merges, i);
		const size_t at = reader_enter_item(r, i);

		if (!json_is_string(item) || strncmp(json_string_value(item), "#version", 8) != 0)
			read_merge(r, item, rank++, m);
		reader_leave(r, at);
	}
	reader_leave(r, entered);
	bpe_sort(m);
}

static void read_bpe(struct reader *r, const json_t *o, struct token_model *m)
{
	static const char *const members[] = { "type",
					       "dropout",
					       "unk_token",
					       "continuing_subword_prefix",
					       "end_of_word_suffix",
					       "fuse_unk",
					       "byte_fallback",
					       "ignore_merges",
					       "vocab",
					       "merges",
					       NULL };
	const json_t *dropout = json_object_get(o, "dropout");

	m->kind = MODEL_BPE;
	if (!reader_has_only(r, o, members)) return;
	if (dropout && !json_is_null(dropout) && json_number_value(dropout) != 0)
		reader_unknown(r, "dropout", "makes the ids random, which akin does not do");
	read_vocab(r, o, m);
	read_unknown(r, o, m, false);
	read_affix(r, o, "continuing_subword_prefix", false, m->prefix);
	read_affix(r, o, "end_of_word_suffix", false, m->suffix);
	m->fuse_unknown = reader_flag(r, o, "fuse_unk", 0);
	m->byte_fallback = reader_flag(r, o, "byte_fallback", 0);
	m->whole_words_first = reader_flag(r, o, "ignore_merges", 0);
	read_merges(r, o, m);
}

/* ---- WordPiece, WordLevel ---- */

/* Entries that continue a word, without the prefix that says so. */
static void collect_continuing(struct reader *r, struct token_model *m)
{
	const size_t prefix = strlen(m->prefix);

	for (size_t i = 0; i < m->vocab.n && r->st == AKIN_OK; i++) {
		const struct vocab_entry *e = &m->vocab.entry[i];
		const char *text = m->vocab.text.data + e->at;

		if (e->bytes > prefix && !memcmp(text, m->prefix, prefix))
			reader_fail(r, "vocab",
				    vocab_add(&m->continuing, text + prefix, e->bytes - prefix, e->id, r->err));
	}
	if (r->st == AKIN_OK) reader_fail(r, "vocab", vocab_sort(&m->continuing, r->err));
}

static void read_wordpiece(struct reader *r, const json_t *o, struct token_model *m)
{
	static const char *const members[] = {
		"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab", NULL
	};

	m->kind = MODEL_WORDPIECE;
	if (!reader_has_only(r, o, members)) return;
	read_vocab(r, o, m);
	read_unknown(r, o, m, true);
	read_affix(r, o, "continuing_subword_prefix", true, m->prefix);
	m->longest_word = (size_t)reader_number(r, o, "max_input_chars_per_word", 0, WORD_CHARACTERS_MAX, -1);
	collect_continuing(r, m);
}

static void read_wordlevel(struct reader *r, const json_t *o, struct token_model *m)
{
	static const char *const members[] = { "type", "unk_token", "vocab", NULL };

	m->kind = MODEL_WORDLEVEL;
	if (!reader_has_only(r, o, members)) return;
	read_vocab(r, o, m);
	read_unknown(r, o, m, true);
}

/* ---- Unigram ---- */

static void read_scored(struct reader *r, const json_t *vocab, struct token_model *m)
{
	const size_t n = json_array_size(vocab);
	double least = INFINITY;

	if (!(m->score = mem_calloc(n + 1, sizeof *m->score))) {
		r->st = error_nomem(r->err);
		return;
	}
	m->n_scores = n;
	for (size_t i = 0; i < n && r->st == AKIN_OK; i++) {
		const json_t *item = json_array_get(vocab, i), *piece = json_array_get(item, 0),
			     *score = json_array_get(item, 1);

		if (json_array_size(item) != 2 || !json_is_string(piece) || !json_is_number(score)) {
			reader_wrong(r, "vocab", "must be a list of [piece, score]");
			return;
		}
		m->score[i] = json_number_value(score);
		least = fmin(least, m->score[i]);
		reader_fail(
		    r, "vocab",
		    vocab_add(&m->vocab, json_string_value(piece), json_string_length(piece), (int32_t)i, r->err));
	}
	m->unknown_score = least - 10;
	if (r->st == AKIN_OK) reader_fail(r, "vocab", vocab_sort(&m->vocab, r->err));
}

static void read_unigram(struct reader *r, const json_t *o, struct token_model *m)
{
	static const char *const members[] = { "type", "unk_id", "byte_fallback", "vocab", NULL };
	const json_t *vocab = json_object_get(o, "vocab");
	const size_t n = json_array_size(vocab);

	m->kind = MODEL_UNIGRAM;
	if (!reader_has_only(r, o, members)) return;
	if (!json_is_array(vocab) || !n || n >= INT32_MAX) reader_wrong(r, "vocab", "must be a list of [piece, score]");
	m->byte_fallback = reader_flag(r, o, "byte_fallback", 0);
	m->unknown = json_is_null(json_object_get(o, "unk_id")) || !json_object_get(o, "unk_id")
			 ? -1
			 : (int32_t)reader_number(r, o, "unk_id", 0, (json_int_t)n - 1, -1);
	if (r->st == AKIN_OK) read_scored(r, vocab, m);
}

void read_model(struct reader *r, const json_t *value, struct token_model *m)
{
	static const char *const types[] = { "BPE", "WordPiece", "WordLevel", "Unigram", NULL };
	static void (*const readers[])(struct reader *, const json_t *,
				       struct token_model *) = { read_bpe, read_wordpiece, read_wordlevel,
								 read_unigram };
	const int type = reader_choice(r, value, "type", types, -1);

	if (r->st == AKIN_OK) readers[type](r, value, m);
	if (r->st == AKIN_OK) model_find_bytes(m);
}
