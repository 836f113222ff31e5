/* types/facts.h - what a picture's file tells besides its pixels and their size.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_TYPES_FACTS_H
#define AKIN_TYPES_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"

enum fact_text {
	FACT_MAKE,      /* of the camera */
	FACT_MODEL,
	FACT_LENS,
	FACT_TITLE,
	FACT_CAPTION,
	FACT_CREATOR,
	FACT_KEYWORDS,  /* one a line */
	FACT_SIDECAR,   /* of the .txt file beside the picture */
	FACT_TEXTS
};
enum { FACT_TEXT_MAX = 4096, FACT_SIDECAR_MAX = 32768 }; /* bytes kept of one text */

/* The basic words for colours. Values are written to files: never renumber. */
enum colour {
	COLOUR_BLACK, COLOUR_GREY, COLOUR_WHITE, COLOUR_RED, COLOUR_ORANGE, COLOUR_YELLOW, COLOUR_GREEN, COLOUR_BLUE,
	COLOUR_PURPLE, COLOUR_PINK, COLOUR_BROWN, COLOURS
};
enum { PALETTE_MAX = 5 };

struct swatch {
	uint8_t colour; /* enum colour */
	uint8_t percent;
	uint8_t rgb[3]; /* mean of the pixels that have this name */
};

struct facts {
	bool has_taken, has_zone, has_place, has_altitude, has_rating, has_palette;
	int64_t taken;      /* what the camera's clock showed, as seconds since 1970 without regard to zones */
	int zone_minutes;   /* of that clock, east of UTC */
	double latitude, longitude, altitude; /* degrees, metres */
	int rating;         /* -1 rejected, 0 none, 1..5 */
	bool grey;          /* no colours in it; with has_palette */
	unsigned n_palette;
	struct swatch palette[PALETTE_MAX];   /* largest first */
	char *text[FACT_TEXTS];               /* UTF-8, NULL: unknown; mem_free */
};

static inline void facts_deinit(struct facts *facts)
{
	for (int i = 0; i < FACT_TEXTS; i++) mem_free(facts->text[i]);
	*facts = (struct facts){ 0 };
}

#endif
