/* common/text.h - text for eyes and for machines. File names are bytes: these make them safe to show and to pass on.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_COMMON_TEXT_H
#define AKIN_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Print with control characters, bidirectional overrides and bytes that are not UTF-8 as \n, \x1b, \u202e: a
 * file's name must not be able to move the cursor or to look like another name. */
void text_put_visible(FILE *out, const char *s);
/* The same with the backslash itself doubled, so that it can be undone. */
void text_put_escaped(FILE *out, const char *s);
/* Columns that text_put_visible takes in a terminal: wide CJK 2, combining marks 0. */
unsigned text_width(const char *s);
/* Print spaces. */
void text_put_blanks(FILE *out, unsigned n);

bool text_is_utf8(const char *s);
/* Bytes that are not UTF-8 replaced by U+FFFD. free() it. */
char *text_to_utf8(const char *s);
/* free() it. */
char *text_base64(const void *bytes, size_t n);
/* Print with & < > " as entities. */
void text_put_html(FILE *out, const char *s);

/* 1203 -> "1,203". Returns `out`. */
#define TEXT_NUMBER 32
const char *text_number(uint64_t n, char out[TEXT_NUMBER]);
/* 1234567 -> "1.2 MB". Returns `out`. */
const char *text_bytes(uint64_t n, char out[TEXT_NUMBER]);

/* Print words broken at `width` columns; every line begins with `indent` spaces, except the first, which begins at
 * column `start` (already there). A blank line in the text divides paragraphs. Ends with a newline. */
void text_put_wrapped(FILE *out, const char *text, unsigned start, unsigned indent, unsigned width);

#endif
