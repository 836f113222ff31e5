/* base/words.h - folded text to words.
 *
 * Letters and digits in a row are a word. Scripts that write without blanks (Chinese, Japanese, Thai ...) and Korean, whose words
 * change their ends, come as runs of signs, which the caller takes apart; so do emoji.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_WORDS_H
#define AKIN_BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct word {
	const char *text; /* n bytes of the given text, not terminated */
	size_t n;
	bool signs;
};

/* The next word of text at or after *at, which moves behind it; false at the end. The text is what fold_text gave. */
bool word_next(const char *text, size_t n, size_t *at, struct word *out);
/* Bytes of the first sign of a run, with the marks that belong to it. */
size_t word_sign(const char *run, size_t n);

#endif
