/* image/bmp.h - Windows bitmaps and icons. libvips reads them only through ImageMagick, which ends the whole process when
 * one of its limits is met (its fatal errors call exit), so akin reads them itself: uncompressed, 1 to 32 bits a pixel.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_IMAGE_BMP_H
#define AKIN_IMAGE_BMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A view into the file's bytes; nothing to free. */
struct bmp {
	unsigned width, height, bits;
	bool top_down;
	const uint8_t *pixels, *palette, *mask; /* mask: an icon's transparent pixels, 1 bit each; NULL when there is none */
	size_t stride, mask_stride;
	unsigned n_colours, colour_bytes;
	uint32_t masks[4];                      /* 16 and 32 bits: where red, green, blue, alpha (0: none) lie */
};

/* The whole pixel data is checked to lie in the file. */
akin_status bmp_open(struct bmp *bmp, const uint8_t *bytes, size_t n, akin_error *err);
/* An icon's largest picture: either a bitmap (*png NULL) or the bytes of a PNG. */
akin_status ico_open(struct bmp *bmp, const uint8_t *bytes, size_t n, const uint8_t **png, size_t *png_n, akin_error *err);
/* Row y from the top as RGB over white. */
void bmp_row(const struct bmp *bmp, unsigned y, uint8_t *rgb);

#endif
