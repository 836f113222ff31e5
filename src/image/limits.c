/* image/limits.c - what one picture may cost.
 *
 * Checked on the header, before any pixel is decoded. Memory is an estimate a format: a 200-megapixel JPEG is decoded row
 * by row with the DCT's own shrinking and needs a few MB, a GIF or HEIC of that size would stand in memory as a whole.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/decode.h"

#include <inttypes.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static const struct image_limits defaults = {
	.max_bytes = 256 * MIB,
	.max_pixels = 500 * UINT64_C(1000000), /* stitched panoramas and 400-megapixel cameras */
	.max_side = 100000,
	.max_memory = 1024 * MIB,
	.max_seconds = 20,
};

struct image_limits image_limits_or_default(const struct image_limits *limits)
{
	struct image_limits l = limits ? *limits : defaults;

	if (!l.max_bytes) l.max_bytes = defaults.max_bytes;
	if (!l.max_pixels) l.max_pixels = defaults.max_pixels;
	if (!l.max_side) l.max_side = defaults.max_side;
	if (!l.max_memory) l.max_memory = defaults.max_memory;
	if (!(l.max_seconds > 0)) l.max_seconds = defaults.max_seconds;
	return l;
}

akin_status limits_check_file(const struct image_limits *limits, uint64_t bytes, akin_error *err)
{
	if (!bytes) return error_set(err, AKIN_ERR_FORMAT, "the file is empty");
	if (bytes <= limits->max_bytes) return AKIN_OK;
	return error_set(err, AKIN_ERR_LIMIT, "the file has %" PRIu64 " MB, the limit is %" PRIu64 " MB", bytes / 1000000,
	                 limits->max_bytes / 1000000);
}

akin_status limits_check_size(const struct image_limits *limits, unsigned width, unsigned height, akin_error *err)
{
	uint64_t pixels = (uint64_t)width * height;

	if (width > limits->max_side || height > limits->max_side)
		return error_set(err, AKIN_ERR_LIMIT, "%u x %u pixels: the limit is %u on a side", width, height,
		                 limits->max_side);
	if (pixels > limits->max_pixels)
		return error_set(err, AKIN_ERR_LIMIT, "%u x %u is %.1f megapixels, the limit is %.1f", width, height,
		                 (double)pixels / 1e6, (double)limits->max_pixels / 1e6);
	return AKIN_OK;
}

/* Bytes per pixel of the file's size that stand in memory because of how the file was written. */
static unsigned bytes_by_header(const struct decoder *d)
{
	const char *subsampling = NULL;
	int flag = 0;

	if (!d->image) return d->turbo_bytes;
	/* All scans of a progressive JPEG add to the same coefficients: 2 bytes each, before any shrinking. */
	if (vips_image_get_typeof(d->image, "jpeg-multiscan") &&
	    !vips_image_get_int(d->image, "jpeg-multiscan", &flag) && flag) {
		if (!vips_image_get_typeof(d->image, "jpeg-chroma-subsample") ||
		    vips_image_get_string(d->image, "jpeg-chroma-subsample", &subsampling))
			return 6;
		return !strcmp(subsampling, "4:2:0") ? 3 : 6;
	}
	if (!strcmp(d->format->name, "png") && vips_image_get_typeof(d->image, "interlaced"))
		return (unsigned)(vips_format_sizeof(d->image->BandFmt) * (uint64_t)d->image->Bands);
	return 0;
}

akin_status limits_check_memory(const struct decoder *d, uint64_t out_bytes, akin_error *err)
{
	uint64_t pixels = (uint64_t)d->info.width * d->info.height, kept = (uint64_t)d->width * d->height;
	uint64_t whole = d->format->whole_bytes + bytes_by_header(d);
	uint64_t need = pixels * whole + kept * d->format->kept_bytes + out_bytes;

	if (need <= d->limits.max_memory) return AKIN_OK;
	return error_set(err, AKIN_ERR_LIMIT, "%u x %u pixels of %s need about %" PRIu64 " MB to decode, the limit is %" PRIu64
	                 " MB", d->info.width, d->info.height, d->format->title, need / 1000000,
	                 d->limits.max_memory / 1000000);
}
