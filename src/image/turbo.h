/* image/turbo.h - ordinary JPEGs straight from libjpeg-turbo, which libvips would call too, with the same settings.
 *
 * Only for the way that nearly all files go: 8 bits, Huffman-coded, grey or three colours, no profile but sRGB. Whatever
 * else a file is, and whatever libjpeg-turbo has to say about it, be it a warning, is libvips' to read and to put into
 * words. docs/decisions/0003 has the reasons. A decoder belongs to one thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_IMAGE_TURBO_H
#define AKIN_IMAGE_TURBO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Cameras and encoders write some 10 scans. Thousands of tiny ones would each walk the whole picture once more. */
enum { JPEG_MAX_SCANS = 100 };
/* The scans of a JPEG up to its end, whoever decodes it. */
unsigned jpeg_scans(const uint8_t *bytes, size_t n);

struct turbo;

struct turbo_header {
	unsigned width, height;
	unsigned orientation;   /* EXIF, 1..8 */
	unsigned bytes_a_pixel; /* what stands in memory of the whole picture: the coefficients of several scans */
};

/* Reads the header. AKIN_OK with *out NULL: not for this decoder. The bytes stay the caller's. */
akin_status turbo_open(struct turbo **out, const uint8_t *bytes, size_t n, double deadline, struct turbo_header *header,
                       akin_error *err);
void turbo_close(struct turbo *t);
/* Decode by 1 / denominator (1, 2, 4, 8), and into what size; before turbo_start. A last row or column that the picture covers
 * in part only does not count, as libvips does it. */
void turbo_scale(struct turbo *t, unsigned denominator, unsigned *width, unsigned *height);

enum turbo_outcome {
	TURBO_OK,
	TURBO_GIVES_UP, /* a warning or an error: only closing is left */
	TURBO_LATE      /* the deadline has passed */
};
enum turbo_outcome turbo_start(struct turbo *t);
/* The next row as RGB, with room for one pixel more. */
enum turbo_outcome turbo_row(struct turbo *t, uint8_t *rgb);

/* The orientation in an EXIF block, 1 when it has none, 0 when the block is in any way unusual. */
unsigned exif_orientation(const uint8_t *bytes, size_t n);

#endif
