/* search/filter.h - the language of filters: "taken>=2023 AND NOT label:truck". docs/filters.md has its grammar.
 *
 * Pure: text in, tree out. Bounded: FILTER_MAX_BYTES, _NODES and _DEPTH, beyond which a filter is refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SEARCH_FILTER_H
#define AKIN_SEARCH_FILTER_H

#include "base/status.h"
#include "types/filter.h"

/* `now` is in seconds since 1970 and says what "today" is. *out is mem_free'd by the caller; NULL on failure. Then *at (may be
 * NULL) is the byte that the sentence is about, and the sentence names its column. AKIN_ERR_INVALID, AKIN_ERR_NOMEM. */
akin_status filter_parse(struct filter **out, const char *text, int64_t now, size_t *at, akin_error *err);

/* ---- filter_values.c: what stands behind a field ---- */

struct slice_of_text {
	const char *p;
	size_t n;
};

/* One value as a range. `half` is how far numbers that are written with it lie apart, halved: 12 megapixels are 11.5 to 12.5.
 * Each says false when it is no such value. */
struct value_range {
	double low, high, half;
	bool below; /* high itself is outside: the end of a day */
};
bool value_number(struct slice_of_text s, enum filter_field field, struct value_range *out);
bool value_time(struct slice_of_text s, enum filter_field field, int64_t now, struct value_range *out);
/* "10km", "800m", "5mi"; without unit kilometres. */
bool value_distance(struct slice_of_text s, double *kilometres);
bool value_degrees(struct slice_of_text s, double most, double *out);
/* 0.5 or 50%. */
bool value_probability(struct slice_of_text s, double *out);
/* Bit of a basic colour; 0: it is none. */
unsigned value_colour(struct slice_of_text s);

#endif
