/* image/: every format and every odd kind of it gives the right pixels or the right reason.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdlib.h>

#include "base/fs.h"
#include "image/image.h"

#define PICTURES TESTS_DIR "/data/pictures/"

static akin_error err;

static struct buf file(const char *name)
{
	struct buf bytes = BUF_EMPTY;
	char path[512];

	snprintf(path, sizeof path, PICTURES "%s", name);
	CHECK_OK(fs_read(path, 1 << 20, &bytes, &err), &err);
	return bytes;
}

static bool near(const uint8_t *p, int r, int g, int b, int slack)
{
	return abs(p[0] - r) <= slack && abs(p[1] - g) <= slack && abs(p[2] - b) <= slack;
}

static const uint8_t *at(const struct picture *p, unsigned x, unsigned y)
{
	return p->rgb + ((size_t)y * p->width + x) * 3;
}

static struct picture decoded(const char *name)
{
	struct buf bytes = file(name);
	struct picture p;
	akin_status st = image_decode(bytes.data, bytes.len, 0, NULL, &p, &err);

	CHECK(st == AKIN_OK, "%s: %s\n", name, err.text);
	buf_deinit(&bytes);
	return p;
}

static void check_quarters(const char *name, const char *format)
{
	struct picture p = decoded(name);
	unsigned right = p.width * 3 / 4, bottom = p.height * 3 / 4, left = p.width / 4, top = p.height / 4;

	CHECK(!strcmp(p.info.format, format), "%s is said to be %s\n", name, p.info.format);
	CHECK(p.height == 32 && p.info.height == 32 && p.info.width == p.width, "%s: %u x %u\n", name, p.width, p.height);
	CHECK(near(at(&p, left, top), 255, 0, 0, 6), "%s: red\n", name);
	CHECK(near(at(&p, right, top), 0, 255, 0, 6), "%s: green\n", name);
	CHECK(near(at(&p, left, bottom), 0, 0, 255, 6), "%s: blue\n", name);
	CHECK(near(at(&p, right, bottom), 255, 255, 0, 6), "%s: yellow\n", name);
	picture_deinit(&p);
}

TEST(every_format_gives_the_same_picture)
{
	static const char *const cases[][2] = {
		{ "quarters.png", "png" },   { "palette.png", "png" },	   { "progressive.jpg", "jpeg" }, { "cmyk.jpg", "jpeg" },
		{ "quarters.gif", "gif" },   { "quarters.webp", "webp" },  { "quarters.tif", "tiff" },	  { "quarters.ppm", "ppm" },
		{ "preview.nef", "raw" },    { "broken_profile.jpg", "jpeg" }, { "quarters.bmp", "bmp" }, { "palette.bmp", "bmp" },
		{ "quarters.ico", "ico" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) check_quarters(cases[i][0], cases[i][1]);
}

/* What a libvips may be built without: absent is said, present must be right. */
TEST(formats_of_optional_loaders_are_right_or_named)
{
	static const char *const cases[][2] = {
		{ "quarters.svg", "svg" },   { "quarters.pdf", "pdf" },   { "quarters.avif", "avif" }, { "quarters.heic", "heif" },
		{ "quarters.jp2", "jp2" },   { "quarters.jxl", "jxl" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf bytes = file(cases[i][0]);
		struct picture p;
		akin_status st = image_decode(bytes.data, bytes.len, 0, NULL, &p, &err);

		picture_deinit(&p);
		buf_deinit(&bytes);
		if (st == AKIN_OK) check_quarters(cases[i][0], cases[i][1]);
		else CHECK(st == AKIN_ERR_UNSUPPORTED && strchr(err.text, ';'), "%s: %s\n", cases[i][0], err.text);
	}
}

TEST(all_eight_orientations_are_turned_back)
{
	for (int n = 1; n <= 8; n++) {
		char name[32];

		snprintf(name, sizeof name, "orient%d.jpg", n);
		check_quarters(name, "jpeg");
	}
}

TEST(a_tensor_crops_an_oriented_picture_as_it_is_shown)
{
	struct image_recipe recipe = { .width = 16, .height = 16 };

	for (int n = 1; n <= 8; n++) {
		uint8_t tensor[16 * 16 * 3];
		struct picture_info info;
		struct buf bytes;
		char name[32];

		snprintf(name, sizeof name, "orient%d.jpg", n);
		bytes = file(name);
		CHECK_OK(image_tensor(bytes.data, bytes.len, &recipe, NULL, tensor, &info, &err), &err);
		CHECK(info.width == 48 && info.height == 32, "%s\n", name);
		CHECK(near(tensor + (3 * 16 + 3) * 3, 255, 0, 0, 9), "%s: red\n", name);
		CHECK(near(tensor + (3 * 16 + 12) * 3, 0, 255, 0, 9), "%s: green\n", name);
		CHECK(near(tensor + (12 * 16 + 3) * 3, 0, 0, 255, 9), "%s: blue\n", name);
		CHECK(near(tensor + (12 * 16 + 12) * 3, 255, 255, 0, 9), "%s: yellow\n", name);
		buf_deinit(&bytes);
	}
}

TEST(transparency_lies_over_white)
{
	static const char *const names[] = { "alpha.png", "alpha.webp" };
	struct picture p;

	for (size_t i = 0; i < COUNT(names); i++) {
		p = decoded(names[i]);
		CHECK(near(at(&p, 10, 10), 255, 255, 255, 0), "%s\n", names[i]);
		CHECK(near(at(&p, 40, 10), 127, 127, 255, 1), "%s\n", names[i]);
		picture_deinit(&p);
	}
	p = decoded("grey_alpha.png");
	CHECK(near(at(&p, 10, 10), 255, 255, 255, 0), "\n");
	CHECK(near(at(&p, 40, 10), 141, 141, 141, 2), "%d\n", *at(&p, 40, 10));
	picture_deinit(&p);
}

TEST(grey_and_deep_pictures_become_rgb)
{
	struct picture p = decoded("grey.png");

	CHECK(near(at(&p, 5, 5), 76, 76, 76, 1), "\n");
	picture_deinit(&p);
	p = decoded("grey16.png"); /* 0xc0ff */
	CHECK(near(at(&p, 5, 5), 0xc0, 0xc0, 0xc0, 1), "%d\n", *at(&p, 5, 5));
	picture_deinit(&p);
	p = decoded("float.tif"); /* -1.5 and 2.5 */
	CHECK(near(at(&p, 5, 5), 0, 0, 0, 0) && near(at(&p, 40, 5), 255, 255, 255, 0), "\n");
	picture_deinit(&p);
}

TEST(a_colour_profile_is_applied)
{
	struct picture p = decoded("swapped_profile.jpg"); /* red and green are exchanged by its profile */

	CHECK(near(at(&p, 10, 8), 0, 255, 0, 12), "red\n");
	CHECK(near(at(&p, 38, 8), 255, 0, 0, 12), "green\n");
	CHECK(near(at(&p, 10, 24), 0, 0, 255, 12), "blue\n");
	picture_deinit(&p);
}

TEST(a_drawing_cannot_reach_outside)
{
	struct buf bytes = file("outside.svg");
	struct picture p;

	if (image_decode(bytes.data, bytes.len, 0, NULL, &p, &err) == AKIN_OK)
		for (unsigned i = 0; i < 48 * 32 * 3; i++) CHECK(p.rgb[i] == 255, "something was drawn\n");
	picture_deinit(&p);
	buf_deinit(&bytes);
}

TEST(a_drawing_of_any_claimed_size_is_bounded)
{
	static const char *const sizes[] = { "width='1' height='30000'", "width='30000' height='30000'", "width='0.01' height='9'",
		                             "width='1e9' height='1e9'", "viewBox='0 0 1e30 1'" };
	struct image_recipe recipe = { .width = 224, .height = 224 };
	uint8_t *tensor = calloc(224 * 224, 3);

	for (size_t i = 0; i < COUNT(sizes); i++) {
		char svg[256];
		akin_status st;

		snprintf(svg, sizeof svg, "<svg xmlns='http://www.w3.org/2000/svg' %s></svg>", sizes[i]);
		st = image_tensor(svg, strlen(svg), &recipe, NULL, tensor, NULL, &err);
		CHECK(st == AKIN_OK || err.text[0], "%s\n", sizes[i]);
	}
	free(tensor);
}

TEST(a_drawing_is_drawn_at_the_wanted_size)
{
	struct image_recipe recipe = { .width = 256, .height = 256, .resize = RESIZE_STRETCH };
	uint8_t *tensor = calloc(256 * 256, 3);
	struct buf bytes = file("quarters.svg");

	if (image_tensor(bytes.data, bytes.len, &recipe, NULL, tensor, NULL, &err) == AKIN_OK) /* the edge is sharp */
		CHECK(near(tensor + (60 * 256 + 124) * 3, 255, 0, 0, 1) && near(tensor + (60 * 256 + 131) * 3, 0, 255, 0, 1),
		      "blurred\n");
	free(tensor);
	buf_deinit(&bytes);
}

static void check_reason(const char *name, akin_status status, const char *word)
{
	struct image_recipe recipe = { .width = 32, .height = 32 };
	uint8_t tensor[32 * 32 * 3];
	struct buf bytes = file(name);

	CHECK_STATUS(image_tensor(bytes.data, bytes.len, &recipe, NULL, tensor, NULL, &err), status);
	CHECK(strstr(err.text, word) && !strchr(err.text, '\n'), "%s: %s\n", name, err.text);
	buf_deinit(&bytes);
}

TEST(broken_files_have_a_reason)
{
	check_reason("truncated.jpg", AKIN_ERR_FORMAT, "truncated JPEG");
	check_reason("truncated.png", AKIN_ERR_FORMAT, "truncated PNG");
	check_reason("wide.ico", AKIN_ERR_FORMAT, "truncated"); /* found by fuzzing: its bitmap claims 65535 x 32767 */
	check_reason("bomb.png", AKIN_ERR_LIMIT, "900.0 megapixels");
}

TEST(bytes_that_are_no_picture_have_a_reason)
{
	struct picture_info info;

	CHECK_STATUS(image_probe("", 0, NULL, &info, &err), AKIN_ERR_FORMAT);
	CHECK(strstr(err.text, "empty"), "%s\n", err.text);
	CHECK_STATUS(image_probe("hello, world", 12, NULL, &info, &err), AKIN_ERR_FORMAT);
	CHECK(strstr(err.text, "not a picture"), "%s\n", err.text);
	CHECK_STATUS(image_probe("DDS |||||||||", 12, NULL, &info, &err), AKIN_ERR_UNSUPPORTED);
	CHECK_STATUS(image_probe("II*\0\xff\xff\xff\xff", 8, NULL, &info, &err), AKIN_ERR_FORMAT);
	/* Every start of a picture, down to one byte. */
	static const char *const names[] = { "preview.nef", "quarters.heic", "quarters.gif", "quarters.tif", "orient6.jpg" };
	for (size_t i = 0; i < COUNT(names); i++) {
		struct buf bytes = file(names[i]);

		for (size_t n = 0; n < bytes.len; n += 1 + bytes.len / 64) {
			akin_status st = image_probe(bytes.data, n, NULL, &info, &err);
			CHECK(st == AKIN_OK || (err.text[0] && !strchr(err.text, '\n')), "%s\n", names[i]);
		}
		buf_deinit(&bytes);
	}
}

TEST(the_bytes_tell_the_format)
{
	struct buf bytes = file("quarters.avif");

	CHECK(!strcmp(image_sniff(bytes.data, bytes.len), "avif"), "\n");
	CHECK(!strcmp(image_sniff("\xff\xd8\xff\xe0", 4), "jpeg"), "\n");
	CHECK(!strcmp(image_sniff("<!-- a --><svg>", 15), "svg"), "\n");
	CHECK(!image_sniff("plain text", 10) && !image_sniff("", 0) && !image_sniff(NULL, 0), "\n");
	CHECK(image_name_fits("a/b.JPEG") && image_name_fits("x.y.heic") && image_name_fits("x.nef"), "\n");
	CHECK(!image_name_fits("jpg") && !image_name_fits("a/.jpg") && !image_name_fits("x.txt") && !image_name_fits("x."), "\n");
	buf_deinit(&bytes);
}

TEST(limits_stop_before_decoding)
{
	struct buf bytes = file("quarters.png");
	struct image_limits few_bytes = { .max_bytes = 10 }, few_pixels = { .max_pixels = 1000 }, short_sides = { .max_side = 40 };
	struct image_limits little_memory = { .max_memory = 100 }, all = image_limits_or_default(NULL);
	struct picture p;

	CHECK_STATUS(image_decode(bytes.data, bytes.len, 0, &few_bytes, &p, &err), AKIN_ERR_LIMIT);
	CHECK_STATUS(image_decode(bytes.data, bytes.len, 0, &few_pixels, &p, &err), AKIN_ERR_LIMIT);
	CHECK_STATUS(image_decode(bytes.data, bytes.len, 0, &short_sides, &p, &err), AKIN_ERR_LIMIT);
	CHECK_STATUS(image_decode(bytes.data, bytes.len, 0, &little_memory, &p, &err), AKIN_ERR_LIMIT);
	all.max_seconds = 1e-9;
	CHECK_STATUS(image_decode(bytes.data, bytes.len, 0, &all, &p, &err), AKIN_ERR_LIMIT);
	CHECK(strstr(err.text, "seconds"), "%s\n", err.text);
	all = image_limits_or_default(NULL);
	CHECK(!p.rgb && all.max_bytes && all.max_pixels && all.max_side && all.max_memory && all.max_seconds > 0, "\n");
	buf_deinit(&bytes);
}

TEST_MAIN(cmocka_unit_test(every_format_gives_the_same_picture), cmocka_unit_test(formats_of_optional_loaders_are_right_or_named),
          cmocka_unit_test(all_eight_orientations_are_turned_back),
          cmocka_unit_test(a_tensor_crops_an_oriented_picture_as_it_is_shown), cmocka_unit_test(transparency_lies_over_white),
          cmocka_unit_test(grey_and_deep_pictures_become_rgb), cmocka_unit_test(a_colour_profile_is_applied),
          cmocka_unit_test(a_drawing_cannot_reach_outside), cmocka_unit_test(a_drawing_of_any_claimed_size_is_bounded), cmocka_unit_test(a_drawing_is_drawn_at_the_wanted_size),
          cmocka_unit_test(broken_files_have_a_reason), cmocka_unit_test(bytes_that_are_no_picture_have_a_reason),
          cmocka_unit_test(the_bytes_tell_the_format), cmocka_unit_test(limits_stop_before_decoding))
