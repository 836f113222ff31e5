/* image/image.h - picture files to pixels and to the tensor a model wants. The only place that knows libvips
 * and libjpeg-turbo.
 *
 * Bytes are hostile: the format is told by the bytes, not by the name; limits are checked on the header before any pixel
 * is decoded; only listed loaders may run. Every outcome is pixels or one sentence that names the cause.
 * Threads: all functions may run side by side; image_init once, first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_IMAGE_IMAGE_H
#define AKIN_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "types/facts.h"
#include "types/picture.h"

/* Zero fields mean the default (image/limits.c has the table). */
struct image_limits {
	uint64_t max_bytes;   /* of a file */
	uint64_t max_pixels;  /* width x height in the file's header */
	unsigned max_side;    /* either of them */
	uint64_t max_memory;  /* estimated for decoding one picture */
	double max_seconds;   /* for decoding one picture */
};
struct image_limits image_limits_or_default(const struct image_limits *limits);

/* Start libvips with its own threading off (pictures are decoded side by side instead) and its cache off. Idempotent and
 * thread safe. */
akin_status image_init(akin_error *err);

/* "jpeg", "png", ... as told by the first bytes; NULL when they are no picture that akin knows. Reads nothing else. */
const char *image_sniff(const void *bytes, size_t n);
/* 1 for names whose extension pictures have. */
bool image_name_fits(const char *name);

/* Header only. */
akin_status image_probe(const void *bytes, size_t n, const struct image_limits *limits, struct picture_info *info,
                        akin_error *err);

enum resize_rule {
	RESIZE_SHORTER = 0, /* shorter side to `resize_to`, then crop the middle (or not) */
	RESIZE_STRETCH = 1, /* to width x height, aspect ratio ignored */
	RESIZE_PAD = 2      /* longer side fits, the rest is grey (mean of the card is the caller's matter: 127) */
};
enum resize_filter { FILTER_BICUBIC = 0, FILTER_BILINEAR = 1, FILTER_LANCZOS = 2 };
enum denoise_filter { DENOISE_NONE = 0, DENOISE_MEDIAN = 1, DENOISE_BILATERAL = 2 };

/* The preprocessing of a model card, up to 8-bit RGB; mean and std are folded into the model. */
struct image_recipe {
	unsigned width, height;   /* of the tensor */
	enum resize_rule resize;
	unsigned resize_to;       /* RESIZE_SHORTER: side before the crop; 0: the smaller of width, height */
	enum resize_filter filter;
	enum denoise_filter denoise;
	bool autocontrast;
};

/* Decode and write height * width * 3 bytes to `tensor`. Agrees with Pillow (exif_transpose, convert RGB over white,
 * resize with antialiasing, centre crop) closely enough that embeddings have a cosine >= 0.995. `info` may be NULL. */
akin_status image_tensor(const void *bytes, size_t n, const struct image_recipe *recipe, const struct image_limits *limits,
                         uint8_t *tensor, struct picture_info *info, akin_error *err);

/* The same, and the facts of the header and of the pixels that were decoded for the tensor. facts_deinit them when AKIN_OK. */
akin_status image_describe(const void *bytes, size_t n, const struct image_recipe *recipe, const struct image_limits *limits,
                           uint8_t *tensor, struct picture_info *info, struct facts *facts, akin_error *err);
/* The facts of the header only: no pixel is decoded, so there is no palette. */
akin_status image_facts(const void *bytes, size_t n, const struct image_limits *limits, struct picture_info *info,
                        struct facts *facts, akin_error *err);
/* Add what a .txt or .xmp file beside the picture says. An .xmp file has the last word. */
akin_status image_sidecar_text(const void *bytes, size_t n, struct facts *facts, akin_error *err);
akin_status image_sidecar_xmp(const void *bytes, size_t n, struct facts *facts, akin_error *err);

/* Decode so that neither side exceeds max_side (0: as it is, within the limits), aspect ratio kept. */
akin_status image_decode(const void *bytes, size_t n, unsigned max_side, const struct image_limits *limits,
                         struct picture *out, akin_error *err);
void picture_deinit(struct picture *picture);

/* A rectangle of a picture as shown, from its upper left corner; in pixels, or in percent of its sides. */
struct image_crop {
	double x, y, width, height;
	bool percent;
};
/* Append a file that holds the pixels that the rectangle touches, at full size and without loss. AKIN_ERR_INVALID when it
 * does not lie within the picture. */
akin_status image_crop(const void *bytes, size_t n, const struct image_crop *crop, const struct image_limits *limits,
                       struct buf *out, akin_error *err);

enum image_codec { CODEC_PNG, CODEC_JPEG };
akin_status image_encode(const struct picture *picture, enum image_codec codec, struct buf *out, akin_error *err);

#endif
