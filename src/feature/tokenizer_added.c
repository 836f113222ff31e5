/* feature/tokenizer_added.c - tokens that stand for themselves, cut out of a text before anything else looks at it.
 * Where several could match, the leftmost, then the longest does.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/tokenizer_parts.h"

/* The longest token at the start of the text; -1: none. */
static int32_t match(const struct vocab *v, const char *text, size_t n, size_t *bytes)
{
	struct vocab_walk walk = vocab_start(v);
	int32_t best = -1;

	for (size_t i = 0; i < n && vocab_step(v, &walk, (uint8_t)text[i]); i++) {
		if (vocab_here(v, &walk) < 0) continue;
		best = vocab_here(v, &walk);
		*bytes = i + 1;
	}
	return best;
}

static int32_t char_before(const char *text, size_t at, size_t *bytes)
{
	size_t start = at - 1;

	while (start && ((uint8_t)text[start] & 0xC0) == 0x80) start--;
	return char_at(text + start, at - start, bytes);
}

static bool stands_alone(const char *text, size_t n, size_t start, size_t end)
{
	size_t bytes;

	return (!start || !char_is_word(char_before(text, start, &bytes))) &&
	       (end >= n || !char_is_word(char_at(text + end, n - end, &bytes)));
}

/* Blanks around the token belong to it when it says so, as far as no token before has taken them. */
static void widen(const struct added_token *token, const char *text, size_t n, size_t done, size_t *start, size_t *end)
{
	size_t bytes;

	while (token->left_strip && *start > done && char_is_space(char_before(text, *start, &bytes))) *start -= bytes;
	while (token->right_strip && *end < n && char_is_space(char_at(text + *end, n - *end, &bytes))) *end += bytes;
}

static akin_status cut_piece(const struct added_tokens *added, const struct vocab *which, const char *text,
			     const struct piece *piece, struct pieces *out, akin_error *err)
{
	const size_t n = piece->bytes;
	akin_status st = AKIN_OK;
	size_t done = 0, bytes = 0;

	for (size_t i = 0; i < n && st == AKIN_OK;) {
		const int32_t index = match(which, text + i, n - i, &bytes);
		const struct added_token *token = index < 0 ? NULL : &added->token[index];
		size_t start = i, end = i + bytes;

		if (!token) {
			i++;
			continue;
		}
		i = end;
		/* Blanks that the token before took with it may hide the start of this one; then nothing is left of it.
		 */
		if (token->single_word && !stands_alone(text, n, start, end)) continue;
		widen(token, text, n, done, &start, &end);
		if (start < done) start = done;
		if (end < start) end = start;
		if (start > done) st = pieces_add(out, text + done, start - done, -1, piece->leading && !done, err);
		if (st == AKIN_OK)
			st = pieces_add(out, text + start, end - start, token->id, piece->leading && !start, err);
		done = end;
	}
	if (st == AKIN_OK && done < n) st = pieces_add(out, text + done, n - done, -1, piece->leading && !done, err);
	return st;
}

akin_status added_cut(const struct added_tokens *added, const struct vocab *which, const struct pieces *in,
		      struct pieces *out, akin_error *err)
{
	akin_status st = AKIN_OK;

	pieces_clear(out);
	for (size_t i = 0; i < in->n && st == AKIN_OK; i++) {
		const struct piece *piece = &in->piece[i];
		const char *text = in->text.data + piece->at;

		if (piece->id < 0)
			st = cut_piece(added, which, text, piece, out, err);
		else
			st = pieces_add(out, text, piece->bytes, piece->id, piece->leading, err);
	}
	return st;
}
