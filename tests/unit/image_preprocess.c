/* image/: resizing against its definition computed slowly, placement, filters, encoding.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "image/filters.h"
#include "image/image.h"
#include "image/resample.h"

static akin_error err;

/* A PNG of random blocks, drawn from a seed; the pixels too. */
static struct buf noise(struct rng *rng, unsigned w, unsigned h, struct picture *p)
{
	struct buf png = BUF_EMPTY;

	*p = (struct picture){ .rgb = malloc((size_t)w * h * 3), .width = w, .height = h };
	for (size_t i = 0; i < (size_t)w * h * 3; i++) p->rgb[i] = (uint8_t)rng_below(rng, 256);
	CHECK_OK(image_encode(p, CODEC_PNG, &png, &err), &err);
	return png;
}

static double cubic(double x)
{
	x = fabs(x);
	return x < 1 ? 1.5 * x * x * x - 2.5 * x * x + 1 : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0;
}

/* Output `at` of `n` along an axis of `have` levels that lie `step` bytes apart, straight from Pillow's definition. */
static uint8_t resampled(const uint8_t *from, unsigned have, size_t step, unsigned n, unsigned at)
{
	double scale = (double)have / n, stretch = fmax(scale, 1), weight = 0;
	int64_t sum = 1 << 21;

	for (unsigned i = 0; i < have; i++) weight += cubic((i + 0.5 - (at + 0.5) * scale) / stretch);
	for (unsigned i = 0; i < have; i++)
		sum += from[i * step] * (int64_t)round(cubic((i + 0.5 - (at + 0.5) * scale) / stretch) / weight * (1 << 22));
	sum >>= 22;
	return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* p resized to w x h: along x, rounded, then along y, rounded. */
static uint8_t *resized(const struct picture *p, unsigned w, unsigned h)
{
	uint8_t *wide = malloc((size_t)w * p->height * 3), *out = malloc((size_t)w * h * 3);

	for (unsigned i = 0; i < w * p->height * 3; i++)
		wide[i] = resampled(p->rgb + i / (w * 3) * p->width * 3 + i % 3, p->width, 3, w, i / 3 % w);
	for (unsigned i = 0; i < w * h * 3; i++)
		out[i] = resampled(wide + i % (w * 3), p->height, (size_t)w * 3, h, i / (w * 3));
	free(wide);
	return out;
}

TEST(resizing_follows_the_definition)
{
	static const unsigned sizes[][4] = { { 40, 30, 17, 11 }, { 9, 7, 20, 16 }, { 64, 3, 8, 8 }, { 12, 12, 12, 12 }, { 1, 1, 5, 5 }, { 2, 90, 41, 7 } };
	struct rng rng = { 1 };

	for (size_t s = 0; s < COUNT(sizes); s++) {
		unsigned w = sizes[s][2], h = sizes[s][3];
		struct image_recipe recipe = { .width = w, .height = h, .resize = RESIZE_STRETCH };
		struct picture p;
		struct buf png = noise(&rng, sizes[s][0], sizes[s][1], &p);
		uint8_t *tensor = calloc((size_t)w * h, 3), *want = resized(&p, w, h);

		CHECK_OK(image_tensor(png.data, png.len, &recipe, NULL, tensor, NULL, &err), &err);
		for (unsigned i = 0; i < w * h * 3; i++)
			CHECK(tensor[i] == want[i], "case %zu at %u: %d, not %d\n", s, i, tensor[i], want[i]);
		free(tensor);
		free(want);
		buf_deinit(&png);
		picture_deinit(&p);
	}
}

TEST(a_window_is_a_part_of_the_whole)
{
	struct rng rng = { 2 };
	struct picture p;
	struct buf png = noise(&rng, 50, 30, &p);
	struct image_recipe whole = { .width = 33, .height = 20, .resize = RESIZE_STRETCH };
	struct image_recipe middle = { .width = 16, .height = 16, .resize_to = 20 };
	uint8_t all[33 * 20 * 3], part[16 * 16 * 3];

	CHECK_OK(image_tensor(png.data, png.len, &whole, NULL, all, NULL, &err), &err);
	CHECK_OK(image_tensor(png.data, png.len, &middle, NULL, part, NULL, &err), &err);
	for (unsigned y = 0; y < 16; y++) /* 8.5 from the left goes to the even side: 8 */
		CHECK(!memcmp(part + y * 48, all + ((y + 2) * 33 + 8) * 3, 48), "row %u\n", y);
	buf_deinit(&png);
	picture_deinit(&p);
}

TEST(padding_is_grey_and_centred)
{
	uint8_t black[40 * 10 * 3] = { 0 }, tensor[20 * 20 * 3];
	struct picture p = { .rgb = black, .width = 40, .height = 10 };
	struct image_recipe recipe = { .width = 20, .height = 20, .resize = RESIZE_PAD };
	struct buf png = BUF_EMPTY;

	CHECK_OK(image_encode(&p, CODEC_PNG, &png, &err), &err);
	CHECK_OK(image_tensor(png.data, png.len, &recipe, NULL, tensor, NULL, &err), &err);
	for (unsigned y = 0; y < 20; y++) { /* 5 rows of picture, from row 7.5, which is 8 */
		int want = y >= 8 && y < 13 ? 0 : 127;
		CHECK(tensor[y * 60] == want && tensor[y * 60 + 59] == want, "row %u: %d\n", y, tensor[y * 60]);
	}
	buf_deinit(&png);
}

TEST(very_long_pictures_are_cropped_cheaply)
{
	struct rng rng = { 3 };
	struct picture p;
	struct buf png = noise(&rng, 20000, 1, &p);
	struct image_recipe recipe = { .width = 224, .height = 224 };
	uint8_t *tensor = calloc(224 * 224, 3);

	CHECK_OK(image_tensor(png.data, png.len, &recipe, NULL, tensor, NULL, &err), &err);
	CHECK(!memcmp(tensor, tensor + 223 * 224 * 3, 224 * 3), "one row, repeated\n");
	free(tensor);
	buf_deinit(&png);
	picture_deinit(&p);
}

TEST(recipes_out_of_range_are_refused)
{
	uint8_t tensor[3];

	CHECK_STATUS(image_tensor("x", 1, &(struct image_recipe){ 0 }, NULL, tensor, NULL, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(image_tensor("x", 1, &(struct image_recipe){ .width = 9999, .height = 1 }, NULL, tensor, NULL, &err),
	             AKIN_ERR_INVALID);
}

static int by_value(const void *a, const void *b)
{
	return *(const uint8_t *)a - *(const uint8_t *)b;
}

TEST(median_is_the_middle_of_nine)
{
	enum { W = 9, H = 7 };
	uint8_t rgb[W * H * 3], before[W * H * 3];
	struct rng rng = { 4 };

	for (size_t i = 0; i < sizeof rgb; i++) before[i] = rgb[i] = (uint8_t)rng_below(&rng, 256);
	CHECK_OK(filter_denoise(rgb, W, H, DENOISE_MEDIAN, &err), &err);
	for (int i = 0; i < W * H * 3; i++) {
		uint8_t v[9];
		int x = i / 3 % W, y = i / 3 / W;

		for (int k = 0; k < 9; k++) {
			int qx = x + k % 3 - 1, qy = y + k / 3 - 1;

			qx = qx < 0 ? 0 : qx >= W ? W - 1 : qx;
			qy = qy < 0 ? 0 : qy >= H ? H - 1 : qy;
			v[k] = before[(qy * W + qx) * 3 + i % 3];
		}
		qsort(v, 9, 1, by_value);
		CHECK(rgb[i] == v[4], "at %d\n", i);
	}
}

TEST(bilateral_keeps_edges_and_calms_noise)
{
	enum { N = 20 };
	uint8_t rgb[N * N * 3];
	struct rng rng = { 5 };
	int least = 255, most = 0;

	for (int i = 0; i < N * N * 3; i++) rgb[i] = (uint8_t)((i / 3 % N < N / 2 ? 50 : 200) + (int)rng_below(&rng, 21) - 10);
	CHECK_OK(filter_denoise(rgb, N, N, DENOISE_BILATERAL, &err), &err);
	for (int i = 0; i < N * N * 3; i++) {
		int v = rgb[i] - (i / 3 % N < N / 2 ? 50 : 200);

		least = v < least ? v : least;
		most = v > most ? v : most;
	}
	CHECK(least > -8 && most < 8, "%d..%d remains of -10..10\n", least, most);
}

TEST(autocontrast_spans_the_whole_range)
{
	uint8_t rgb[] = { 50, 10, 7, 100, 20, 7, 150, 30, 7 };

	filter_autocontrast(rgb, 3, 1);
	CHECK(rgb[0] == 0 && rgb[3] == 127 && rgb[6] == 255, "%d %d %d\n", rgb[0], rgb[3], rgb[6]);
	CHECK(rgb[1] == 0 && rgb[7] == 255 && rgb[2] == 7 && rgb[8] == 7, "a flat channel stays\n");
}

TEST(encoded_pictures_come_back)
{
	struct rng rng = { 6 };
	struct picture p, back;
	struct buf png = noise(&rng, 37, 21, &p), jpeg = BUF_EMPTY;

	CHECK_OK(image_decode(png.data, png.len, 0, NULL, &back, &err), &err);
	CHECK(back.width == 37 && back.height == 21 && !memcmp(p.rgb, back.rgb, 37 * 21 * 3), "PNG keeps every pixel\n");
	picture_deinit(&back);
	CHECK_OK(image_encode(&p, CODEC_JPEG, &jpeg, &err), &err);
	CHECK_OK(image_decode(jpeg.data, jpeg.len, 10, NULL, &back, &err), &err);
	CHECK(back.width == 10 && back.height == 6 && back.info.width == 37, "%u x %u\n", back.width, back.height);
	picture_deinit(&back);
	picture_deinit(&p);
	buf_deinit(&png);
	buf_deinit(&jpeg);
}

TEST_MAIN(cmocka_unit_test(resizing_follows_the_definition), cmocka_unit_test(a_window_is_a_part_of_the_whole),
          cmocka_unit_test(padding_is_grey_and_centred), cmocka_unit_test(very_long_pictures_are_cropped_cheaply),
          cmocka_unit_test(recipes_out_of_range_are_refused), cmocka_unit_test(median_is_the_middle_of_nine),
          cmocka_unit_test(bilateral_keeps_edges_and_calms_noise), cmocka_unit_test(autocontrast_spans_the_whole_range),
          cmocka_unit_test(encoded_pictures_come_back))
