/* feature/unigram.h - cutting text into the pieces of a vocabulary so that their scores add up to the most
 * (Kudo, Subword Regularization, ACL 2018; SentencePiece's unigram model).
 *
 * A piece's score is its log probability. A character that no piece of one character covers is the unknown piece, which
 * costs UNIGRAM_PENALTY more than the rarest piece. Of cuts with equal scores the one wins that is found first, from
 * the left and with shorter pieces first, as SentencePiece has it. Runs of unknown characters are not joined. Any bytes
 * are text; a byte that cannot begin a character is one.
 *
 * Immutable: threads share it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_UNIGRAM_H
#define AKIN_FEATURE_UNIGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { UNIGRAM_PENALTY = 10 };

struct unigram; /* opaque */

struct unigram_piece {
	const char *text; /* not terminated; an empty one never occurs in a cut */
	size_t bytes;
	double score;
};

/* A vocabulary as a file holds it: pieces in the order of their bytes, one after another, shorter before longer. */
struct unigram_view {
	size_t n, text_bytes;
	const uint32_t *text_at; /* n + 1: where piece i begins in `text` */
	const uint32_t *id;      /* n */
	const float *score;      /* n */
	const char *text;
};

struct unigram_token {
	uint32_t id, at, bytes; /* the piece is `bytes` of the text from `at` */
};

/* A piece's id is its place in the list, which is copied; of equal pieces the last counts. AKIN_ERR_FORMAT for a score
 * that is no number. */
akin_status unigram_create(struct unigram **out, const struct unigram_piece *pieces, size_t n, uint32_t unknown,
			   akin_error *err);
/* The same from arrays that stay where they are until unigram_destroy. AKIN_ERR_FORMAT for whatever is not so. */
akin_status unigram_create_view(struct unigram **out, const struct unigram_view *view, uint32_t unknown,
				akin_error *err);
void unigram_destroy(struct unigram *unigram);

/* The best cut of a text of less than 4 GiB: n tokens, to be freed by mem_free. No text, no tokens (NULL). */
akin_status unigram_encode(const struct unigram *unigram, const char *text, size_t bytes, struct unigram_token **tokens,
			   size_t *n, akin_error *err);

#endif
