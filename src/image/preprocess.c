/* image/preprocess.c - a recipe applied: size, crop, orientation, filters, in this order.
 *
 * Orientation comes after resampling, where it is cheap; so the wanted window is planned as it will be shown and turned
 * back into the file's orientation first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "image/decode.h"
#include "image/filters.h"
#include "image/metadata.h"
#include "image/resample.h"

/* Pixels that stay before resampling for each pixel after it. 12-megapixel JPEGs to 224 pixels, mean (largest) difference in
 * levels from Pillow's full decoding, and time: keep 1: 1.0 (14), 35 ms; 2: 0.28 (6), 39 ms; 3: 0.20 (6), 43 ms; 4: 0.09 (7),
 * 55 ms; all: 0.06 (6), 86 ms. */
static const double KEEP = 2;

/* The whole picture at its new size, and the window of it that is wanted; as shown. */
struct plan {
	unsigned full_w, full_h;
	unsigned x, y, w, h;
	enum resize_filter filter;
};

static unsigned at_least_1(double v)
{
	return v < 1 ? 1 : v > UINT32_MAX / 2 ? UINT32_MAX / 2 : (unsigned)v;
}

/* ---- decoding into a window ---- */

static bool turned(unsigned orientation)
{
	return orientation >= 5;
}

static bool mirrored_x(unsigned orientation) /* of the file: its left is the shown right, or bottom */
{
	return orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
}

static bool mirrored_y(unsigned orientation)
{
	return orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
}

/* The plan as the file lies. */
static struct plan as_in_file(const struct plan *shown, unsigned orientation)
{
	struct plan p = *shown;

	if (turned(orientation))
		p = (struct plan){ shown->full_h, shown->full_w, shown->y, shown->x, shown->h, shown->w, shown->filter };
	if (mirrored_x(orientation)) p.x = p.full_w - p.x - p.w;
	if (mirrored_y(orientation)) p.y = p.full_h - p.y - p.h;
	return p;
}

/* w x h pixels of the file's orientation -> the same as shown. */
static void orient(const uint8_t *from, unsigned w, unsigned h, unsigned orientation, uint8_t *to)
{
	for (unsigned y = 0; y < h; y++)
		for (unsigned x = 0; x < w; x++, from += 3) {
			size_t fx = mirrored_x(orientation) ? w - 1 - x : x, fy = mirrored_y(orientation) ? h - 1 - y : y;

			memcpy(to + 3 * (turned(orientation) ? fx * h + fy : fy * w + fx), from, 3);
		}
}

/* Pull all rows through the resampler. Rows below the window are decoded too: whether a file is truncated must not depend
 * on how it is cropped. */
static akin_status pull(struct decoder *d, struct resampler *rs, akin_error *err)
{
	size_t row_bytes = 3 * ((size_t)d->width + 1), readable = resampler_row_bytes(rs);
	uint8_t *room = mem_zalloc(1 + (row_bytes > readable ? row_bytes : readable));
	/* Off any alignment: libjpeg-turbo writes aligned rows past the caches (movntdq), and to fetch them back from memory would
	 * take longer than all the rest (0.58 ms a picture of 224 pixels instead of 0.34 ms). */
	uint8_t *row = room ? room + 1 : NULL;
	akin_status st = row ? AKIN_OK : error_nomem(err);

	for (unsigned y = 0; st == AKIN_OK && y < d->height; y++) {
		st = decoder_row(d, y, row, err);
		if (st == AKIN_OK && y >= resampler_first_row(rs) && y < resampler_end_row(rs)) resampler_push(rs, row);
	}
	mem_free(room);
	return st;
}

/* Write the plan's window, w * h * 3 bytes as shown, to `out`. */
static akin_status render(struct decoder *d, const struct plan *shown, uint8_t *out, akin_error *err)
{
	struct plan p = as_in_file(shown, d->orientation);
	struct resampler *rs = NULL;
	uint64_t out_bytes = (uint64_t)p.w * p.h * 3 * (d->orientation == 1 ? 1 : 2);
	double shrink = fmin(d->span_x / p.full_w, d->span_y / p.full_h);
	uint8_t *unturned = NULL;
	akin_status st;

	if ((st = decoder_shrink(d, d->format->shrink == SHRINK_VECTOR ? shrink : shrink / KEEP, err)) != AKIN_OK) goto out;
	if ((st = decoder_start(d, out_bytes, err)) != AKIN_OK) goto out;
	if (d->orientation != 1 && !(unturned = mem_alloc((size_t)p.w * p.h * 3))) {
		st = error_nomem(err);
		goto out;
	}
	st = resampler_create(&rs, &(struct axis){ d->span_x, d->width, p.full_w, p.x, p.w },
	                      &(struct axis){ d->span_y, d->height, p.full_h, p.y, p.h }, p.filter,
	                      unturned ? unturned : out, err);
	if (st != AKIN_OK) goto out;
	if ((st = pull(d, rs, err)) != AKIN_OK) goto out;
	if (unturned) orient(unturned, p.w, p.h, d->orientation, out);
out:
	resampler_destroy(rs);
	mem_free(unturned);
	return st;
}

/* ---- a model's tensor ---- */

/* The picture's new size. Rounding follows torchvision.transforms.Resize and Pillow's ImageOps.contain. */
static void fit(const struct image_recipe *r, const struct picture_info *info, unsigned *w, unsigned *h)
{
	double iw = info->width, ih = info->height, side = r->resize_to;

	*w = r->width;
	*h = r->height;
	if (r->resize == RESIZE_SHORTER) {
		if (!r->resize_to) side = r->width < r->height ? r->width : r->height;
		*w = at_least_1(iw <= ih ? side : floor(side * iw / ih));
		*h = at_least_1(ih <= iw ? side : floor(side * ih / iw));
	} else if (r->resize == RESIZE_PAD) {
		if (iw * r->height > ih * r->width)
			*h = at_least_1(rint(ih / iw * r->width));
		else
			*w = at_least_1(rint(iw / ih * r->height));
	}
}

/* Centre `have` pixels on `want`: from which of them on, how many, and where they go. Halves go to the even side, as
 * Python's round() does in torchvision's CenterCrop. */
static void centre(unsigned have, unsigned want, unsigned *from, unsigned *n, unsigned *to)
{
	*from = have > want ? (unsigned)rint((have - want) / 2.0) : 0;
	*to = want > have ? (unsigned)rint((want - have) / 2.0) : 0;
	*n = have < want ? have : want;
}

static akin_status check_recipe(const struct image_recipe *r, akin_error *err)
{
	const unsigned most = 8192;

	if (!r->width || !r->height || r->width > most || r->height > most)
		return error_set(err, AKIN_ERR_INVALID, "a tensor of %u x %u: sides must be 1 to %u", r->width, r->height, most);
	if (r->resize_to > most)
		return error_set(err, AKIN_ERR_INVALID, "resize to %u: must be 0 to %u", r->resize_to, most);
	return AKIN_OK;
}

/* Render and filter the window, then lay it into the tensor; grey around it when it is smaller. `facts` may be NULL. */
static akin_status fill(struct decoder *d, const struct image_recipe *r, uint8_t *tensor, struct facts *facts,
                        akin_error *err)
{
	struct plan p = { .filter = r->filter };
	unsigned to_x, to_y;
	uint8_t *window = tensor;
	akin_status st;

	fit(r, &d->info, &p.full_w, &p.full_h);
	centre(p.full_w, r->width, &p.x, &p.w, &to_x);
	centre(p.full_h, r->height, &p.y, &p.h, &to_y);
	if (p.w < r->width || p.h < r->height) {
		if (!(window = mem_alloc((size_t)p.w * p.h * 3))) return error_nomem(err);
		memset(tensor, 127, (size_t)r->width * r->height * 3);
	}
	if ((st = render(d, &p, window, err)) != AKIN_OK) goto out;
	if (facts) palette_of(window, p.w, p.h, facts);
	if ((st = filter_denoise(window, p.w, p.h, r->denoise, err)) != AKIN_OK) goto out;
	if (r->autocontrast) filter_autocontrast(window, p.w, p.h);
	if (window != tensor)
		for (unsigned y = 0; y < p.h; y++)
			memcpy(tensor + ((size_t)(to_y + y) * r->width + to_x) * 3, window + (size_t)y * p.w * 3,
			       (size_t)p.w * 3);
out:
	if (window != tensor) mem_free(window);
	return st;
}

static akin_status describe_once(const void *bytes, size_t n, const struct image_recipe *recipe,
                                 const struct image_limits *limits, uint8_t *tensor, struct picture_info *info,
                                 struct facts *facts, akin_error *err)
{
	struct decoder d = { 0 };
	akin_status st;

	if (info) *info = (struct picture_info){ 0 };
	if (facts) *facts = (struct facts){ 0 };
	if ((st = check_recipe(recipe, err)) != AKIN_OK) return st;
	memset(tensor, 0, (size_t)recipe->width * recipe->height * 3);
	if ((st = decoder_open(&d, bytes, n, limits, err)) != AKIN_OK) goto out;
	if (info) *info = d.info;
	/* Before the pixels: libvips' image of the header goes when a smaller one is loaded. */
	if (facts && (st = facts_of_header(&d, bytes, n, facts, err)) != AKIN_OK) goto out;
	st = fill(&d, recipe, tensor, facts, err);
out:
	if (st != AKIN_OK && facts) facts_deinit(facts);
	decoder_close(&d);
	return st;
}

akin_status image_describe(const void *bytes, size_t n, const struct image_recipe *recipe, const struct image_limits *limits,
                           uint8_t *tensor, struct picture_info *info, struct facts *facts, akin_error *err)
{
	for (bool alone = false;; alone = true) {
		akin_status st;

		decoder_enter(alone);
		st = describe_once(bytes, n, recipe, limits, tensor, info, facts, err);
		if (!decoder_leave(st, alone)) return st;
	}
}

akin_status image_tensor(const void *bytes, size_t n, const struct image_recipe *recipe, const struct image_limits *limits,
                         uint8_t *tensor, struct picture_info *info, akin_error *err)
{
	return image_describe(bytes, n, recipe, limits, tensor, info, NULL, err);
}

/* ---- pictures ---- */

akin_status image_probe(const void *bytes, size_t n, const struct image_limits *limits, struct picture_info *info,
                        akin_error *err)
{
	for (bool alone = false;; alone = true) {
		struct decoder d = { 0 };
		akin_status st;

		decoder_enter(alone);
		st = decoder_open(&d, bytes, n, limits, err);
		*info = st == AKIN_OK ? d.info : (struct picture_info){ 0 };
		decoder_close(&d);
		if (!decoder_leave(st, alone)) return st;
	}
}

static akin_status decode_once(const void *bytes, size_t n, unsigned max_side, const struct image_limits *limits,
                               struct picture *out, akin_error *err)
{
	struct decoder d = { 0 };
	struct plan p = { 0 };
	double longer, scale;
	akin_status st;

	*out = PICTURE_EMPTY;
	if ((st = decoder_open(&d, bytes, n, limits, err)) != AKIN_OK) goto out;
	longer = d.info.width > d.info.height ? d.info.width : d.info.height;
	scale = max_side && longer > max_side ? max_side / longer : 1;
	p.full_w = p.w = at_least_1(rint(d.info.width * scale));
	p.full_h = p.h = at_least_1(rint(d.info.height * scale));
	if ((uint64_t)p.w * p.h > d.limits.max_memory / 3) {
		st = error_set(err, AKIN_ERR_LIMIT, "%u x %u pixels need more than %.0f MB", p.w, p.h,
		               (double)d.limits.max_memory / 1e6);
		goto out;
	}
	if (!(out->rgb = mem_alloc((size_t)p.w * p.h * 3))) {
		st = error_nomem(err);
		goto out;
	}
	if ((st = render(&d, &p, out->rgb, err)) != AKIN_OK) goto out;
	out->width = p.w;
	out->height = p.h;
	out->info = d.info;
out:
	if (st != AKIN_OK) picture_deinit(out);
	decoder_close(&d);
	return st;
}

akin_status image_decode(const void *bytes, size_t n, unsigned max_side, const struct image_limits *limits,
                         struct picture *out, akin_error *err)
{
	for (bool alone = false;; alone = true) {
		akin_status st;

		decoder_enter(alone);
		st = decode_once(bytes, n, max_side, limits, out, err);
		if (!decoder_leave(st, alone)) return st;
	}
}

void picture_deinit(struct picture *picture)
{
	mem_free(picture->rgb);
	*picture = PICTURE_EMPTY;
}
