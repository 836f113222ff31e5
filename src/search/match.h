/* search/match.h - which local features of one picture answer to which of another, by their descriptions alone.
 *
 * Both ways nearest, and clearly nearer than the second (Lowe 2004, section 7.1): d1 / d2 below a ratio. A second
 * that lies at the place of the first is the same point seen in another direction, and no rival.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SEARCH_MATCH_H
#define AKIN_SEARCH_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Descriptions of one picture, borrowed. */
struct match_rows {
	const uint8_t *rows;
	size_t n, bytes;
	bool bits;             /* compared by Hamming distance instead of L2 */
	const uint32_t *place; /* rows with the same number lie at the same place; NULL: all differ */
};

struct match {
	uint32_t a, b;
	float ratio; /* d1 / d2 seen from a, 0..1; smaller is surer */
};

/* *matches: ascending by ratio, then by a; the caller's (mem_free), NULL when there are none. `ratio` 0: 0.8 for L2,
 * 0.85 for bits. AKIN_ERR_INVALID when the two are of different kinds. */
akin_status match_rows(const struct match_rows *a, const struct match_rows *b, float ratio, struct match **matches,
                       size_t *n,
                       akin_error *err);

#endif
