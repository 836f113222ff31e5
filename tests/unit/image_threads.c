/* image/: pictures read side by side give what they give alone, reasons included.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/fs.h"
#include "base/pool.h"
#include "image/image.h"

enum { SIDE = 24, ROUNDS = 40 };

static const struct sample {
	const char *name, *reason;
} samples[] = {
	{ "orient6.jpg", NULL },  { "quarters.png", NULL },  { "truncated.jpg", "JPEG" }, { "truncated.png", "PNG" },
	{ "quarters.tif", NULL }, { "quarters.webp", NULL }, { "quarters.gif", NULL },	  { "bomb.png", "megapixels" },
};

static struct buf files[COUNT(samples)];
static uint8_t alone[COUNT(samples)][SIDE * SIDE * 3];
static bool wrong[COUNT(samples) * ROUNDS];

static akin_status read_one(size_t i, uint8_t *tensor, akin_error *err)
{
	static const struct image_recipe recipe = { .width = SIDE, .height = SIDE };

	return image_tensor(files[i].data, files[i].len, &recipe, NULL, tensor, NULL, err);
}

static void read_again(void *ctx, size_t n)
{
	size_t i = n % COUNT(samples);
	uint8_t tensor[SIDE * SIDE * 3];
	akin_error err = { 0 };
	akin_status st = read_one(i, tensor, &err);

	(void)ctx;
	if (samples[i].reason) wrong[n] = st == AKIN_OK || !strstr(err.text, samples[i].reason);
	else wrong[n] = st != AKIN_OK || memcmp(tensor, alone[i], sizeof tensor) != 0;
}

TEST(pictures_are_read_side_by_side)
{
	akin_error err;

	for (size_t i = 0; i < COUNT(samples); i++) {
		char path[512];

		snprintf(path, sizeof path, TESTS_DIR "/data/pictures/%s", samples[i].name);
		CHECK_OK(fs_read(path, 1 << 20, &files[i], &err), &err);
		CHECK((read_one(i, alone[i], &err) == AKIN_OK) == !samples[i].reason, "%s: %s\n", path, err.text);
	}
	pool_for(COUNT(wrong), 4, read_again, NULL);
	for (size_t n = 0; n < COUNT(wrong); n++) CHECK(!wrong[n], "%s\n", samples[n % COUNT(samples)].name);
	for (size_t i = 0; i < COUNT(samples); i++) buf_deinit(&files[i]);
}

TEST_MAIN(cmocka_unit_test(pictures_are_read_side_by_side))
