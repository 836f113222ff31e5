/* image/turbo: the short way for JPEGs gives what libvips gives, bit for bit, and leaves to libvips what is not ordinary.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdlib.h>
#include <vips/vips.h>

#include "image/image.h"
#include "image/turbo.h"

enum { NEVER = 1 << 30 };

static akin_error err;

/* Blocks of colour with noise upon them, so that chroma and all coefficients count. */
static VipsImage *make(struct rng *rng, unsigned width, unsigned height, unsigned bands)
{
	uint8_t *pixels = malloc((size_t)width * height * bands);
	VipsImage *image;

	for (size_t i = 0; i < (size_t)width * height * bands; i++)
		pixels[i] = (uint8_t)((i / bands % width / 9 * 70 + i / bands / width / 7 * 90 + i % bands * 50) % 200 +
		                      rng_below(rng, 40));
	image = vips_image_new_from_memory_copy(pixels, (size_t)width * height * bands, (int)width, (int)height, (int)bands,
	                                        VIPS_FORMAT_UCHAR);
	image->Type = bands == 1 ? VIPS_INTERPRETATION_B_W : bands == 4 ? VIPS_INTERPRETATION_CMYK : VIPS_INTERPRETATION_sRGB;
	free(pixels);
	return image;
}

struct jpeg {
	void *bytes;
	size_t n;
};

static struct jpeg save(VipsImage *image, int quality, bool progressive, VipsForeignSubsample subsample)
{
	struct jpeg jpeg = { 0 };

	CHECK(!vips_jpegsave_buffer(image, &jpeg.bytes, &jpeg.n, "Q", quality, "interlace", (gboolean)progressive,
	                            "subsample_mode", subsample, "strip", FALSE, NULL), "%s", vips_error_buffer());
	return jpeg;
}

static void check_equal(const struct jpeg *jpeg, int shrink)
{
	struct turbo_header header;
	struct turbo *t;
	unsigned width, height;
	VipsImage *want;
	uint8_t *pixels, *row;
	size_t n;

	CHECK(!vips_jpegload_buffer(jpeg->bytes, jpeg->n, &want, "shrink", shrink, NULL));
	pixels = vips_image_write_to_memory(want, &n);
	CHECK_OK(turbo_open(&t, jpeg->bytes, jpeg->n, NEVER, &header, &err), &err);
	CHECK(t);
	turbo_scale(t, (unsigned)shrink, &width, &height);
	CHECK((int)width == want->Xsize && (int)height == want->Ysize, "%u x %u, not %d x %d\n", width, height, want->Xsize,
	      want->Ysize);
	CHECK(turbo_start(t) == TURBO_OK);
	row = malloc(((size_t)width + 1) * 3);
	for (unsigned y = 0; y < height; y++) {
		CHECK(turbo_row(t, row) == TURBO_OK, "row %u\n", y);
		for (unsigned i = 0; i < width * 3; i++) {
			unsigned bands = (unsigned)want->Bands;
			uint8_t level = pixels[((size_t)y * width + i / 3) * bands + (bands == 3 ? i % 3 : 0)];

			CHECK(row[i] == level, "1/%d, row %u at %u: %d, not %d\n", shrink, y, i, row[i], level);
		}
	}
	turbo_close(t);
	free(row);
	g_free(pixels);
	g_object_unref(want);
}

TEST(pixels_are_those_of_libvips)
{
	static const unsigned sizes[][2] = { { 1, 1 }, { 17, 9 }, { 64, 48 }, { 101, 77 } };
	struct rng rng = { 1 };

	CHECK_OK(image_init(&err), &err);
	for (size_t s = 0; s < COUNT(sizes); s++)
		for (unsigned kind = 0; kind < 8; kind++) {
			VipsImage *image = make(&rng, sizes[s][0], sizes[s][1], kind & 1 ? 1 : 3);
			struct jpeg jpeg = save(image, kind & 2 ? 95 : 40, kind & 4,
			                        kind & 2 ? VIPS_FOREIGN_SUBSAMPLE_OFF : VIPS_FOREIGN_SUBSAMPLE_ON);

			for (int shrink = 1; shrink <= 8 && (unsigned)shrink <= sizes[s][1]; shrink *= 2)
				check_equal(&jpeg, shrink);
			g_free(jpeg.bytes);
			g_object_unref(image);
		}
}

static bool is_taken(const struct jpeg *jpeg)
{
	struct turbo_header header;
	struct turbo *t;
	bool taken;

	CHECK_OK(turbo_open(&t, jpeg->bytes, jpeg->n, NEVER, &header, &err), &err);
	taken = t != NULL;
	turbo_close(t);
	return taken;
}

/* The same with a marker and its contents after the first two bytes. */
static struct jpeg with_marker(const struct jpeg *jpeg, const void *marker, size_t n)
{
	struct jpeg out = { g_malloc(jpeg->n + n), jpeg->n + n };

	memcpy(out.bytes, jpeg->bytes, 2);
	memcpy((char *)out.bytes + 2, marker, n);
	memcpy((char *)out.bytes + 2 + n, (char *)jpeg->bytes + 2, jpeg->n - 2);
	return out;
}

TEST(the_unusual_is_left_to_libvips)
{
	static const char profile[] = "\xff\xe2\0\x17ICC_PROFILE\0\1\1scanner", srgb[] = "\xff\xe2\0\x18ICC_PROFILE\0\1\1sRGB 2.1";
	static const char exif[] = "\xff\xe1\0\x0c" "Exif\0\0MM??";
	struct rng rng = { 2 };
	VipsImage *colour = make(&rng, 40, 30, 3), *cmyk = make(&rng, 40, 30, 4);
	struct jpeg plain = save(colour, 80, false, VIPS_FOREIGN_SUBSAMPLE_AUTO);
	struct jpeg files[] = { save(cmyk, 80, false, VIPS_FOREIGN_SUBSAMPLE_AUTO),
		                with_marker(&plain, profile, sizeof profile - 1), with_marker(&plain, exif, sizeof exif - 1),
		                with_marker(&plain, srgb, sizeof srgb - 1) };

	CHECK(is_taken(&plain));
	for (size_t i = 0; i < COUNT(files); i++) {
		CHECK(is_taken(&files[i]) == (i == 3), "file %zu\n", i);
		g_free(files[i].bytes);
	}
	plain.n = 20;
	CHECK(!is_taken(&plain));
	g_object_unref(colour);
	g_object_unref(cmyk);
	g_free(plain.bytes);
}

/* What a file that ends early is, must not depend on where: the tensor's way refuses what the loader refuses. */
TEST(cut_files_are_judged_as_libvips_judges_them)
{
	struct rng rng = { 3 };
	VipsImage *image = make(&rng, 70, 50, 3);
	struct image_recipe recipe = { .width = 16, .height = 16 };
	uint8_t tensor[16 * 16 * 3];

	for (int progressive = 0; progressive < 2; progressive++) {
		struct jpeg jpeg = save(image, 60, progressive, VIPS_FOREIGN_SUBSAMPLE_AUTO);

		for (size_t n = jpeg.n; n > 4; n -= 1 + n / 40) {
			VipsImage *loaded = NULL;
			bool refused = vips_jpegload_buffer(jpeg.bytes, n, &loaded, "fail_on", VIPS_FAIL_ON_TRUNCATED, NULL);
			size_t bytes;
			void *pixels = refused ? NULL : vips_image_write_to_memory(loaded, &bytes);
			akin_status st = image_tensor(jpeg.bytes, n, &recipe, NULL, tensor, NULL, &err);

			CHECK((st == AKIN_OK) == (pixels != NULL), "%zu of %zu bytes: %s\n", n, jpeg.n, err.text);
			CHECK(st == AKIN_OK || !strncmp(err.text, "truncated JPEG", 14) || !strncmp(err.text, "damaged JPEG", 12),
			      "%s\n", err.text);
			g_free(pixels);
			if (loaded) g_object_unref(loaded);
			vips_error_clear();
		}
		g_free(jpeg.bytes);
	}
	g_object_unref(image);
}

TEST(a_deadline_ends_the_short_way)
{
	struct rng rng = { 4 };
	VipsImage *image = make(&rng, 64, 64, 3);
	struct jpeg jpeg = save(image, 60, true, VIPS_FOREIGN_SUBSAMPLE_AUTO);
	struct turbo_header header;
	struct turbo *t;

	CHECK_OK(turbo_open(&t, jpeg.bytes, jpeg.n, 0, &header, &err), &err);
	CHECK(t && turbo_start(t) == TURBO_LATE);
	turbo_close(t);
	g_free(jpeg.bytes);
	g_object_unref(image);
}

TEST(orientation_is_read_from_plain_exif_only)
{
	uint8_t exif[] = "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
	const size_t n = sizeof exif - 1;

	CHECK(exif_orientation(exif, n) == 6);
	for (size_t cut = 0; cut < 6 + 8 + 2 + 12; cut++) CHECK(exif_orientation(exif, cut) == 0, "%zu bytes\n", cut);
	exif[24] = 9; /* no such orientation */
	CHECK(exif_orientation(exif, n) == 0);
	exif[16] = 0x13; /* another tag */
	CHECK(exif_orientation(exif, n) == 1);
	exif[14] = 200; /* more tags than there are bytes */
	CHECK(exif_orientation(exif, n) == 0);
}

TEST(scans_are_counted_up_to_the_end)
{
	static const uint8_t file[] = "\xff\xd8\xff\xe1\0\x04\xff\xda\xff\xda\0\x02 \xff\0 \xff\xd3 \xff\xff\xda\0\x02 \xff\xd9\xff\xda\0\x02";

	CHECK(jpeg_scans(file, sizeof file - 1) == 2);
	CHECK(jpeg_scans(file, 0) == 0 && jpeg_scans(file, 3) == 0);
}

TEST(absurd_numbers_of_scans_are_refused)
{
	struct rng rng = { 5 };
	VipsImage *image = make(&rng, 32, 32, 1);
	struct jpeg jpeg = save(image, 60, true, VIPS_FOREIGN_SUBSAMPLE_AUTO);
	struct image_recipe recipe = { .width = 16, .height = 16 };
	uint8_t tensor[16 * 16 * 3], *bytes = jpeg.bytes, *many, *last = NULL;
	size_t tail, head;

	for (size_t i = 0; i + 1 < jpeg.n; i++)
		if (bytes[i] == 0xff && bytes[i + 1] == 0xda) last = bytes + i;
	CHECK(last);
	head = (size_t)(last - bytes);
	tail = jpeg.n - head - 2; /* the last scan, without the end */
	many = malloc(head + (JPEG_MAX_SCANS + 1) * tail + 2);
	memcpy(many, bytes, head);
	for (size_t i = 0; i <= JPEG_MAX_SCANS; i++) memcpy(many + head + i * tail, last, tail);
	memcpy(many + head + (JPEG_MAX_SCANS + 1) * tail, "\xff\xd9", 2);
	CHECK_STATUS(image_tensor(many, head + (JPEG_MAX_SCANS + 1) * tail + 2, &recipe, NULL, tensor, NULL, &err),
	             AKIN_ERR_LIMIT);
	CHECK(strstr(err.text, "scans"), "%s\n", err.text);
	free(many);
	g_free(jpeg.bytes);
	g_object_unref(image);
}

TEST_MAIN(cmocka_unit_test(pixels_are_those_of_libvips), cmocka_unit_test(the_unusual_is_left_to_libvips),
          cmocka_unit_test(cut_files_are_judged_as_libvips_judges_them), cmocka_unit_test(a_deadline_ends_the_short_way),
          cmocka_unit_test(orientation_is_read_from_plain_exif_only),
          cmocka_unit_test(scans_are_counted_up_to_the_end), cmocka_unit_test(absurd_numbers_of_scans_are_refused))
