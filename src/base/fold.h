/* base/fold.h - text as people compare it: "Café", "CAFE" and "ｃａｆé" are the same.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_FOLD_H
#define AKIN_BASE_FOLD_H

#include "base/buf.h"

/* Append the text without case, accents, widths and other forms of the same letters (NFKC with full case folding; the accents
 * of Latin, Greek and Cyrillic and the points of Arabic and Hebrew go, the marks that make other letters, as in Japanese and
 * Thai, stay). Bytes that are not UTF-8 become U+FFFD. Folding twice changes nothing more. */
void fold_text(const char *text, size_t n, struct buf *out);
/* The same, allocated; NULL when there is no memory. */
char *fold_string(const char *text);

#endif
