/* types/picture.h - pixels of a picture, and what its file said.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_TYPES_PICTURE_H
#define AKIN_TYPES_PICTURE_H

#include <stdint.h>

/* What is known of a picture file besides its pixels. */
struct picture_info {
	unsigned width, height; /* of the file, as shown: after EXIF orientation */
	char format[16];        /* "jpeg", "png", "gif", "webp", "tiff", "heif", "avif", "jxl", "svg", "pdf", ... */
};

/* Interleaved 8-bit sRGB, height rows of width pixels of 3 bytes, no padding. */
struct picture {
	uint8_t *rgb; /* mem_free */
	unsigned width, height;
	struct picture_info info;
};

#define PICTURE_EMPTY ((struct picture){ 0 })

#endif
