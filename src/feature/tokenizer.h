/* feature/tokenizer.h - a sentence to the numbers that a text tower eats, by the tokenizer.json of its model.
 *
 * Reads the file format of Hugging Face's `tokenizers`: BPE, WordPiece, Unigram and WordLevel with their normalizers,
 * pre-tokenizers and post-processors (docs/models.md lists them). The ids are those of that library, which
 * tools/models/agree_tokenizers.py checks. What a file asks for and akin does not know is an error that names the
 * member: a silent difference would only show as poor hits.
 *
 * Time and memory are bounded whatever the file and the text hold; TOKENIZER_TEXT_MAX and the limits in
 * tokenizer_parts.h are the bounds.
 *
 * Threads: a tokenizer never changes once opened; any number of threads may encode with it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_TOKENIZER_H
#define AKIN_FEATURE_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { TOKENIZER_TEXT_MAX = 64 * 1024, TOKENIZER_LENGTH_MAX = 1 << 16 };

struct tokenizer; /* opaque */

/* How many ids a text gives, where the card knows better than the file. The zero value: as the file says. */
struct tokenizer_fit {
	size_t length;  /* at most so many ids, special ones included; 0: the file's truncation */
	bool pad;       /* exactly `length` ids */
	int64_t pad_id; /* -1: the file's padding id, else 0 */
};

struct token_ids {
	int64_t *id, *mask; /* mask: 1 for a token, 0 for padding */
	size_t n;
};

/* `fit` may be NULL. AKIN_ERR_FORMAT names the member that is wrong or unknown. */
akin_status tokenizer_open(struct tokenizer **out, const char *path, const struct tokenizer_fit *fit, akin_error *err);
akin_status tokenizer_parse(struct tokenizer **out, const char *json, size_t bytes, const struct tokenizer_fit *fit,
                            akin_error *err);
void tokenizer_close(struct tokenizer *tokenizer);

/* With special tokens, cut to the length, padded when asked. Invalid UTF-8 becomes U+FFFD. AKIN_ERR_LIMIT: the text is
 * longer than TOKENIZER_TEXT_MAX, or this file makes too much of it. */
akin_status tokenizer_encode(const struct tokenizer *tokenizer, const char *text, size_t bytes, struct token_ids *out,
                             akin_error *err);
void token_ids_deinit(struct token_ids *ids);

#endif
