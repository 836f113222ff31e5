/* fuzz/fuzz_unigram.c - any bytes as a vocabulary and as a text: the first half are pieces, each a line, whose first
 * byte gives the score; the rest is the text. Tokens must cover it. SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "feature/charsmap.h"
#include "feature/unigram.h"

enum { MOST_PIECES = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t read_pieces(const char *bytes, size_t n, struct unigram_piece *pieces)
{
	size_t found = 1;

	pieces[0] = (struct unigram_piece){ "", 0, 0 };
	for (const char *at = bytes, *end = bytes + n, *line; at < end && found < MOST_PIECES; at = line + 1) {
		line = memchr(at, '\n', (size_t)(end - at));
		if (!line) line = end;
		if (line > at)
			pieces[found++] =
			    (struct unigram_piece){ at + 1, (size_t)(line - at) - 1, -(double)(uint8_t)*at };
	}
	return found;
}

static void cut(const struct unigram *u, size_t n_pieces, const char *text, size_t n)
{
	struct unigram_token *tokens;
	size_t n_tokens, at = 0;

	if (unigram_encode(u, text, n, &tokens, &n_tokens, NULL) != AKIN_OK) return;
	for (size_t i = 0; i < n_tokens; i++) {
		if (tokens[i].at != at || !tokens[i].bytes || tokens[i].id >= n_pieces) abort();
		at += tokens[i].bytes;
	}
	if (at != n) abort();
	mem_free(tokens);
}

/* Repairing what was repaired changes nothing. */
static void repair(const struct unigram *u, size_t n_pieces, const char *text, size_t n)
{
	struct buf once = BUF_EMPTY, twice = BUF_EMPTY;

	utf8_repair(text, n, &once);
	utf8_repair(once.data, once.len, &twice);
	if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0) abort();
	cut(u, n_pieces, once.data, once.len);
	buf_deinit(&once);
	buf_deinit(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *bytes = (const char *)data;
	struct unigram_piece pieces[MOST_PIECES];
	struct unigram *u;
	size_t n_pieces;

	if (n > 1 << 16) return 0;
	n_pieces = read_pieces(bytes, n / 2, pieces);
	if (unigram_create(&u, pieces, n_pieces, 0, NULL) != AKIN_OK) return 0;
	cut(u, n_pieces, bytes + n / 2, n - n / 2);
	repair(u, n_pieces, bytes + n / 2, n - n / 2);
	unigram_destroy(u);
	return 0;
}
