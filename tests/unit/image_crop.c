/* image/crop: the part is the pixels that the rectangle touches, and a model sees them as if they had been saved.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "image/image.h"
#include "pictures.h"

static akin_error err;

static void check_part(const struct buf *png, struct image_crop crop, unsigned x, unsigned y, unsigned w, unsigned h)
{
	struct buf cut = BUF_EMPTY;
	struct picture whole, part;

	CHECK_OK(image_crop(png->data, png->len, &crop, NULL, &cut, &err), &err);
	CHECK_OK(image_decode(png->data, png->len, 0, NULL, &whole, &err), &err);
	CHECK_OK(image_decode(cut.data, cut.len, 0, NULL, &part, &err), &err);
	CHECK(part.width == w && part.height == h, "%u x %u, not %u x %u\n", part.width, part.height, w, h);
	for (unsigned row = 0; row < h; row++)
		CHECK(!memcmp(part.rgb + 3 * (size_t)row * w, whole.rgb + 3 * ((size_t)(y + row) * whole.width + x), 3 * w),
		      "row %u\n", row);
	picture_deinit(&whole);
	picture_deinit(&part);
	buf_deinit(&cut);
}

TEST(a_part_is_the_pixels_it_touches)
{
	struct buf png = BUF_EMPTY;

	picture_make(1, &png); /* 48 x 32 */
	check_part(&png, (struct image_crop){ 0, 0, 48, 32, false }, 0, 0, 48, 32);
	check_part(&png, (struct image_crop){ 7, 5, 13, 9, false }, 7, 5, 13, 9);
	check_part(&png, (struct image_crop){ 47, 31, 1, 1, false }, 47, 31, 1, 1);
	check_part(&png, (struct image_crop){ 7.5, 5.2, 1, 1, false }, 7, 5, 2, 2);
	check_part(&png, (struct image_crop){ 0, 0, 100, 100, true }, 0, 0, 48, 32);
	check_part(&png, (struct image_crop){ 50, 25, 50, 50, true }, 24, 8, 24, 16);
	check_part(&png, (struct image_crop){ 99.9, 99.9, 0.1, 0.1, true }, 47, 31, 1, 1);
	buf_deinit(&png);
}

TEST(a_part_that_lies_outside_is_refused)
{
	static const struct image_crop outside[] = { { 0, 0, 49, 1, false }, { 0, 32, 1, 1, false }, { -1, 0, 2, 2, false },
		                                     { 60, 0, 50, 1, true }, { 1, 1, 0, 1, false }, { 0, 0, 1e300, 1e300, false },
		                                     { 0.0 / 1, 0, 1, -1, true } };
	struct buf png = BUF_EMPTY, cut = BUF_EMPTY;

	picture_make(1, &png);
	for (size_t i = 0; i < COUNT(outside); i++) {
		CHECK_STATUS(image_crop(png.data, png.len, &outside[i], NULL, &cut, &err), AKIN_ERR_INVALID);
		CHECK(strstr(err.text, "48 x 32"), "%s\n", err.text);
	}
	CHECK_STATUS(image_crop("nothing", 7, &outside[0], NULL, &cut, &err), AKIN_ERR_FORMAT);
	CHECK(cut.len == 0);
	buf_deinit(&png);
}

static akin_status crop_once(void *ctx)
{
	const struct image_crop crop = { 10, 10, 80, 80, true };
	const struct buf *png = ctx;
	struct buf cut = BUF_EMPTY;
	akin_status st = image_crop(png->data, png->len, &crop, NULL, &cut, &err);

	CHECK((st == AKIN_OK) == (cut.len > 0));
	buf_deinit(&cut);
	return st;
}

TEST(without_memory_there_is_no_part)
{
	struct buf png = BUF_EMPTY;

	picture_make(2, &png);
	fault_loop(FAULT_ALLOC, 100, crop_once, &png);
	buf_deinit(&png);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_part_is_the_pixels_it_touches),
		                            cmocka_unit_test(a_part_that_lies_outside_is_refused),
		                            cmocka_unit_test(without_memory_there_is_no_part) };

	return image_init(NULL) == AKIN_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
