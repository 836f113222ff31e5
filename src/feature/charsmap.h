/* feature/charsmap.h - text as a SentencePiece model was trained on it: valid UTF-8, characters replaced by the model's
 * precompiled rules (NFKC and the like), spaces put in order.
 *
 * The rules are a double array (Yata's darts-clone layout: 10 bits of label and flags, 22 of offset) from bytes to
 * places in a text of replacements, each ended by a 0. The longest rule that fits wins; what no rule fits stays.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_CHARSMAP_H
#define AKIN_FEATURE_CHARSMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"

struct charsmap {
	const uint32_t *units;
	const char *text;
	size_t n_units, text_bytes; /* both may be 0: no rules */
};

#define SPACE_SYMBOL "\xe2\x96\x81" /* U+2581, what stands for a space in a piece */

/* AKIN_ERR_FORMAT unless the replacements are ended. Anything else that may be wrong is met while reading. */
akin_status charsmap_check(const struct charsmap *map, akin_error *err);

/* What the text's beginning becomes (borrowed, from the map or the text), and how many bytes of it are thereby used: at
 * least 1 of a text that has any. */
size_t charsmap_prefix(const struct charsmap *map, const char *text, size_t bytes, const char **becomes,
		       size_t *becomes_bytes);

/* Append the text with every invalid sequence as U+FFFD: one for each maximal beginning of a character (Unicode 3.9,
 * table 3-8; as Python's errors="replace"). */
void utf8_repair(const char *text, size_t bytes, struct buf *out);

/* Append valid UTF-8 by the rules; each space, after the rules, is one SPACE_SYMBOL, and one begins the text; none
 * follows another or ends it. Nothing but spaces gives nothing. AKIN_ERR_LIMIT for more than max_bytes. */
akin_status charsmap_normalise(const struct charsmap *map, const char *text, size_t bytes, size_t max_bytes,
			       struct buf *out, akin_error *err);

#endif
