/* image/crop.c - a part of a picture as a file of its own, before any preprocessing: a model then sees it as it would see
 * that part saved. A bitmap needs no encoder, and image/bmp.c reads it in place.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "image/image.h"

enum { HEADER = 54 };

static void put_u32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++) to[i] = (uint8_t)(v >> 8 * i);
}

struct rectangle {
	unsigned x, y, width, height;
};

/* Whole pixels that the rectangle touches; percent is of the sides. */
static akin_status place(const struct image_crop *crop, unsigned width, unsigned height, struct rectangle *out,
                         akin_error *err)
{
	double sx = crop->percent ? width / 100.0 : 1, sy = crop->percent ? height / 100.0 : 1, slack = 1e-6;
	double left = crop->x * sx, top = crop->y * sy, right = left + crop->width * sx, bottom = top + crop->height * sy;

	if (!(left >= 0 && top >= 0 && right <= width + slack && bottom <= height + slack && crop->width > 0 &&
	      crop->height > 0))
		return error_set(err, AKIN_ERR_INVALID,
		                 "the part %g,%g,%g,%g%s does not lie within the picture, which has %u x %u pixels", crop->x,
		                 crop->y, crop->width, crop->height, crop->percent ? " (percent)" : "", width, height);
	out->x = (unsigned)fmin(floor(left + slack), width - 1.0);
	out->y = (unsigned)fmin(floor(top + slack), height - 1.0);
	out->width = (unsigned)fmax(fmin(ceil(right - slack), width) - out->x, 1);
	out->height = (unsigned)fmax(fmin(ceil(bottom - slack), height) - out->y, 1);
	return AKIN_OK;
}

/* Rows from the bottom up, blue first, each padded to 4 bytes: what every reader of bitmaps knows. */
static akin_status put_bitmap(const struct picture *picture, const struct rectangle *r, struct buf *out, akin_error *err)
{
	size_t stride = (3 * (size_t)r->width + 3) & ~(size_t)3, pixels = stride * r->height;
	uint8_t *to;

	if (pixels > UINT32_MAX - HEADER)
		return error_set(err, AKIN_ERR_LIMIT, "a part of %u x %u pixels is too large", r->width, r->height);
	if (!(to = buf_reserve(out, HEADER + pixels))) return error_nomem(err);
	memset(to, 0, HEADER + pixels);
	memcpy(to, "BM", 2);
	put_u32(to + 2, (uint32_t)(HEADER + pixels));
	put_u32(to + 10, HEADER);
	put_u32(to + 14, 40);
	put_u32(to + 18, r->width);
	put_u32(to + 22, r->height);
	to[26] = 1;
	to[28] = 24;
	put_u32(to + 34, (uint32_t)pixels);
	for (unsigned y = 0; y < r->height; y++) {
		const uint8_t *from = picture->rgb + 3 * ((size_t)(r->y + y) * picture->width + r->x);
		uint8_t *row = to + HEADER + (r->height - 1 - y) * stride;

		for (unsigned x = 0; x < r->width; x++)
			for (unsigned c = 0; c < 3; c++) row[3 * x + c] = from[3 * x + 2 - c];
	}
	out->len += HEADER + pixels;
	return AKIN_OK;
}

akin_status image_crop(const void *bytes, size_t n, const struct image_crop *crop, const struct image_limits *limits,
                       struct buf *out, akin_error *err)
{
	struct picture_info info;
	struct picture picture;
	struct rectangle r;
	/* The header first: a part that lies outside needs no decoding to be refused. */
	akin_status st = image_probe(bytes, n, limits, &info, err);

	if (st == AKIN_OK) st = place(crop, info.width, info.height, &r, err);
	if (st == AKIN_OK) st = image_decode(bytes, n, 0, limits, &picture, err);
	if (st != AKIN_OK) return st;
	st = place(crop, picture.width, picture.height, &r, err);
	if (st == AKIN_OK) st = put_bitmap(&picture, &r, out, err);
	picture_deinit(&picture);
	return st;
}
