/* image/: memory that runs out anywhere gives an error and leaks nothing (the sanitizer looks on).
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/fs.h"
#include "image/image.h"

static akin_status tensor_and_picture(void *ctx)
{
	static uint8_t tensor[24 * 24 * 3];
	struct image_recipe recipe = { .width = 24, .height = 24, .resize = RESIZE_PAD, .denoise = DENOISE_MEDIAN };
	const struct buf *file = ctx;
	struct picture p = PICTURE_EMPTY;
	struct buf png = BUF_EMPTY;
	akin_status st;

	if ((st = image_tensor(file->data, file->len, &recipe, NULL, tensor, NULL, NULL)) != AKIN_OK) goto out;
	if ((st = image_decode(file->data, file->len, 20, NULL, &p, NULL)) != AKIN_OK) goto out;
	st = image_encode(&p, CODEC_PNG, &png, NULL);
out:
	buf_deinit(&png);
	picture_deinit(&p);
	return st;
}

TEST(no_memory_is_an_error_and_no_leak)
{
	struct buf file = BUF_EMPTY;
	akin_error err;

	CHECK_OK(fs_read(TESTS_DIR "/data/pictures/orient6.jpg", 1 << 20, &file, &err), &err);
	fault_loop(FAULT_ALLOC, 100, tensor_and_picture, &file);
	buf_deinit(&file);
}

TEST_MAIN(cmocka_unit_test(no_memory_is_an_error_and_no_leak))
