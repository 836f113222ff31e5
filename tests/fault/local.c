/* Local features, matching, verifying, drawing: whatever allocation or write fails, nothing leaks and a sentence says
 * so.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdlib.h>

#include "akin/akin.h"
#include "base/fs.h"
#include "feature/local.h"
#include "image/image.h"
#include "texture.h"

struct case_of {
	enum local_kind kind;
	uint8_t *grey;
	struct buf png;
	const char *path;
};

static akin_status extract(void *ctx)
{
	const struct case_of *c = ctx;
	struct local_params p = { .kind = c->kind, .budget = 60 };
	struct local_set set;
	akin_error err = { 0 };
	akin_status st = local_extract(&set, c->grey, 96, 80, &p, &err);

	CHECK(st == AKIN_OK ? set.n > 10 : err.text[0] && !set.at && !set.descriptors && !set.n);
	local_set_deinit(&set);
	return st;
}

TEST(finding_features_survives_lack_of_memory)
{
	struct case_of c = { .grey = texture_make(2, 96, 80) };

	for (c.kind = LOCAL_SIFT; c.kind <= LOCAL_ORB; c.kind++) fault_loop(FAULT_ALLOC, 60, extract, &c);
	free(c.grey);
}

static akin_status match(void *ctx)
{
	const struct case_of *c = ctx;
	akin_local_params p = { .kind = AKIN_LOCAL_ORB, .budget = 200, .keep_picture = 1 };
	akin_local *a = NULL, *b = NULL;
	akin_match *m = NULL;
	akin_error err = { .status = AKIN_OK };
	akin_status st = akin_local_read_bytes(&a, c->png.data, c->png.len, &p, &err);

	if (st == AKIN_OK) st = akin_local_read_bytes(&b, c->png.data, c->png.len, &p, &err);
	if (st == AKIN_OK) st = akin_match_create(&m, a, b, NULL, &err);
	if (st == AKIN_OK) CHECK(akin_match_get(m)->found, "a picture is not in itself\n");
	if (st == AKIN_OK) st = akin_match_draw_file(m, c->path, &err);
	CHECK(st == AKIN_OK || err.text[0], "a failure without a sentence\n");
	CHECK(st != AKIN_OK || fs_exists(c->path));
	akin_match_free(m);
	akin_local_free(a);
	akin_local_free(b);
	return st;
}

TEST(matching_pictures_survives_lack_of_everything)
{
	struct case_of c = { .grey = texture_make(4, 96, 96), .path = test_path("match.png") };
	struct picture picture = { .rgb = malloc(96 * 96 * 3), .width = 96, .height = 96 };
	akin_error err;

	CHECK(picture.rgb != NULL);
	for (size_t i = 0; i < 96 * 96 * 3; i++) picture.rgb[i] = c.grey[i / 3];
	CHECK_OK(image_encode(&picture, CODEC_PNG, &c.png, &err), &err);
	fault_loop(FAULT_ALLOC | FAULT_WRITE | FAULT_RENAME, 300, match, &c);
	buf_deinit(&c.png);
	free(picture.rgb);
	free(c.grey);
}

TEST_MAIN(cmocka_unit_test(finding_features_survives_lack_of_memory),
          cmocka_unit_test(matching_pictures_survives_lack_of_everything))
