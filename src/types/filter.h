/* types/filter.h - what pictures must be like, as a tree: the outcome of parsing, the input of the store.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_TYPES_FILTER_H
#define AKIN_TYPES_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum filter_field {
	/* numbers */
	FIELD_TAKEN,      /* seconds, as struct facts has them */
	FIELD_MODIFIED,   /* seconds since 1970, UTC; of files */
	FIELD_ADDED,
	FIELD_WIDTH, FIELD_HEIGHT,
	FIELD_PIXELS,
	FIELD_BYTES,
	FIELD_ALTITUDE,
	FIELD_RATING,
	FIELD_ID,
	FIELD_NUMBERS,    /* how many of them there are */
	/* texts */
	FIELD_PATH = FIELD_NUMBERS, /* of files, as the next two */
	FIELD_NAME,
	FIELD_FOLDER,
	FIELD_FORMAT,
	FIELD_CAMERA,     /* make and model */
	FIELD_LENS, FIELD_TITLE, FIELD_CAPTION, FIELD_CREATOR, FIELD_KEYWORD,
	FIELD_TAG,
	FIELD_LABEL,
	/* others */
	FIELD_ORIENTATION,
	FIELD_COLOUR,
	FIELD_GPS,
	FIELDS
};

enum filter_kind {
	FILTER_AND,         /* all children */
	FILTER_OR,          /* any child */
	FILTER_NOT,         /* not the only child */
	FILTER_RANGE,       /* the number is known and within low..high */
	FILTER_TEXT,        /* some text of the field matches */
	FILTER_LABEL,       /* a class of that name with a probability within low..high */
	FILTER_LANDSCAPE, FILTER_PORTRAIT, FILTER_SQUARE,
	FILTER_COLOUR,      /* one of the colours in `colours` is in the palette */
	FILTER_GREY,
	FILTER_MISSING,     /* all its files have vanished */
	FILTER_NEAR,        /* within `kilometres` of low = latitude, high = longitude */
	FILTER_BOX,         /* south, west, north, east */
	FILTER_HAS          /* something is known in the field */
};

enum filter_match {
	MATCH_CONTAINS,
	MATCH_EQUAL,
	MATCH_PATTERN,      /* FILTER_ANY stands for any characters, FILTER_ONE for one */
	MATCH_BELOW         /* FIELD_FOLDER: an absolute folder and what is below it */
};
enum { FILTER_ANY = 1, FILTER_ONE = 2 }; /* bytes that no other text in a filter has */

enum { FILTER_NONE = -1 };

struct filter_node {
	enum filter_kind kind;
	enum filter_field field;
	enum filter_match match;
	bool above, below;   /* low, high themselves are outside */
	double low, high;    /* infinite: open */
	double kilometres, north, east; /* FILTER_BOX: low, high are south, west */
	unsigned colours;    /* bits of enum colour */
	size_t text;         /* into filter.texts, ends with 0 */
	int child, next;     /* first child, next sibling; FILTER_NONE */
};

/* Bounds that parsing keeps: what comes after may recurse. */
enum { FILTER_MAX_BYTES = 4096, FILTER_MAX_NODES = 512, FILTER_MAX_DEPTH = 12 };

struct filter {
	struct filter_node node[FILTER_MAX_NODES];
	int n, root;
	char texts[2 * FILTER_MAX_BYTES];
	size_t n_texts;
};

#endif
