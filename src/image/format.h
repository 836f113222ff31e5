/* image/format.h - the table of picture formats: what they are called, which loader reads them, what decoding costs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_IMAGE_FORMAT_H
#define AKIN_IMAGE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* How a loader can give a smaller picture than the file holds. */
enum shrink_kind {
	SHRINK_NONE,
	SHRINK_JPEG,   /* "shrink": 1, 2, 4 or 8 */
	SHRINK_SCALE,  /* "scale": any factor down from 1 */
	SHRINK_VECTOR, /* "scale": any factor; the picture has no pixels of its own */
	SHRINK_PAGE    /* "page": halved n times */
};

struct format {
	const char *name;     /* as in picture_info.format */
	const char *title;    /* as people write it */
	const char *loader;   /* libvips operation; "": read by image/bmp.c; NULL: recognised, but not read */
	const char *instead;  /* advice: what to do when it is not read or its codec is missing; NULL: nothing known */
	enum shrink_kind shrink;
	unsigned whole_bytes; /* memory per pixel of the header's size while decoding; 0: rows are streamed */
	unsigned kept_bytes;  /* the same per pixel after shrinking */
};

/* By the first bytes; NULL when they begin no picture that akin has heard of. */
const struct format *format_of(const uint8_t *bytes, size_t n);
const struct format *format_named(const char *name);

#endif
