/* image/decode.h - a picture file as rows of 8-bit sRGB, top to bottom, in the orientation of the file.
 *
 * Open reads the header and checks the limits; shrink may then be asked for once; rows follow in order. Only a few rows
 * are in memory at a time where the format allows it. A decoder belongs to one thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_IMAGE_DECODE_H
#define AKIN_IMAGE_DECODE_H

#include <vips/vips.h>

#include "base/status.h"
#include "image/bmp.h"
#include "image/format.h"
#include "image/image.h"
#include "image/turbo.h"

struct decoder {
	const uint8_t *bytes;
	size_t n;
	const struct format *format;
	struct image_limits limits;
	double deadline;            /* clock_seconds() */
	struct picture_info info;   /* as shown */
	unsigned orientation;       /* EXIF, 1..8 */
	unsigned width, height;     /* of the rows, in the file's orientation */
	double span_x, span_y;      /* how many of them the picture covers: a shrunk side may end within a pixel */
	struct bmp bmp;             /* instead of the image and its region; width 0: not used */
	struct turbo *turbo;        /* or instead of them, too, until it gives up */
	unsigned turbo_bytes;       /* a pixel of the file's size that it keeps */
	unsigned next_row;
	double shrink;              /* what the loader was asked for, 0: nothing */
	VipsImage *image;
	VipsRegion *region;
	unsigned alpha, colours;    /* bands as they come from libvips: 0 or 1; 1, 3 or 4 (CMYK) */
	bool wide;                  /* 16 bits a sample instead of 8 */
};

/* libvips has one error text for all threads, so that a failure may read of its neighbour's. A picture that failed is decoded once
 * more with no other beside it, and that is what is told:
 *   for (bool alone = false;; alone = true) {
 *           decoder_enter(alone);
 *           st = ...;
 *           if (!decoder_leave(st, alone)) return st;
 *   } */
void decoder_enter(bool alone);
bool decoder_leave(akin_status st, bool alone); /* true: once more, alone */

akin_status decoder_open(struct decoder *d, const void *bytes, size_t n, const struct image_limits *limits,
                         akin_error *err);
void decoder_close(struct decoder *d);

/* Ask for a picture of about width / factor; it may come larger, never smaller. A factor below 1 enlarges drawings. */
akin_status decoder_shrink(struct decoder *d, double factor, akin_error *err);
/* Settle the colours; after this rows can be read. `out_bytes` is what the caller holds besides. */
akin_status decoder_start(struct decoder *d, uint64_t out_bytes, akin_error *err);
/* Row y as RGB, with room for one pixel more. Rows must be asked for in growing order; some may be left out. */
akin_status decoder_row(struct decoder *d, unsigned y, uint8_t *rgb, akin_error *err);

/* ---- facts.c ---- */

/* The facts that the header of an opened picture tells; `bytes` are those of the whole file. */
akin_status facts_of_header(const struct decoder *d, const uint8_t *bytes, size_t n, struct facts *facts, akin_error *err);

/* Most profiles say sRGB, which is what is wanted; a transform would cost more than decoding. */
bool profile_is_srgb(const void *profile, size_t n);

/* Checks of limits.c. */
akin_status limits_check_file(const struct image_limits *limits, uint64_t bytes, akin_error *err);
akin_status limits_check_size(const struct image_limits *limits, unsigned width, unsigned height, akin_error *err);
akin_status limits_check_memory(const struct decoder *d, uint64_t out_bytes, akin_error *err);

/* What libvips said, as one sentence; empties its error buffer. */
akin_status decoder_failed(const struct decoder *d, akin_error *err);
void decoder_forget_errors(void);

/* Whether these bytes are a camera's raw file (TIFF and its relatives, RAF), and the largest JPEG preview within: NULL when
 * there is none. `orientation` is the one its file asks for, 0 when it says nothing. */
bool raw_preview(const uint8_t *bytes, size_t n, const uint8_t **preview, size_t *preview_n, unsigned *orientation);

#endif
