/* image/resample.h - make a picture smaller or larger, row by row as it is decoded.
 *
 * Pillow's antialiased resize, bit for bit: a separable filter whose support grows with the shrink factor, weights
 * normalised for each output pixel and rounded to 22 bits, first along x, then along y, with levels rounded to 8 bits after
 * each. Only the wanted window of the result is computed, and only as many rows are held as the filter spans.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_IMAGE_RESAMPLE_H
#define AKIN_IMAGE_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "image/image.h"

/* One axis: `full` output pixels stand for `span` input pixels (a fraction after shrink-on-load), of which `have` exist.
 * Computed are `n` of them from `from`. */
struct axis {
	double span;
	unsigned have, full, from, n;
};

struct resampler;

/* `out` receives y->n rows of x->n RGB pixels without padding. */
akin_status resampler_create(struct resampler **rs, const struct axis *x, const struct axis *y, enum resize_filter filter,
                             uint8_t *out, akin_error *err);
void resampler_destroy(struct resampler *rs);
/* Rows [first, end) of the input have an influence; the others need not be pushed. */
unsigned resampler_first_row(const struct resampler *rs);
unsigned resampler_end_row(const struct resampler *rs);
/* The next row, x->have RGB pixels, beginning with resampler_first_row; resampler_row_bytes of memory behind it are readable,
 * which may be more, and whose values do not matter. */
size_t resampler_row_bytes(const struct resampler *rs);
void resampler_push(struct resampler *rs, const uint8_t *row);

#endif
