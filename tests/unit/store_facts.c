/* store/: facts and tags are kept as they were put, and go with their picture.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "store/internal.h"

static akin_error err;
static const struct file_stamp stamp = { 1, 2, 3, 4 };

static struct store *fresh(const char *name)
{
	struct store *s;

	CHECK_OK(store_open(&s, test_path(name), STORE_CREATE, &err), &err);
	CHECK_OK(store_begin(s, &err), &err);
	return s;
}

static int64_t put_picture(struct store *s, uint8_t tag)
{
	struct store_picture picture = { .hash = { tag }, .info = { 4, 3, "png" } };
	char path[] = "/x/0";
	int64_t id;

	path[3] = (char)('0' + tag);
	CHECK_OK(store_picture_put(s, &picture, &id, &err), &err);
	CHECK_OK(store_file_put(s, path, id, &stamp, &err), &err);
	return id;
}

static void commit(struct store *s)
{
	CHECK_OK(store_commit(s, &err), &err);
}

TEST(facts_come_back_as_they_were_put)
{
	struct store *s = fresh("back");
	const int64_t id = put_picture(s, 1);
	const struct facts put = { .has_taken = true, .taken = -1234567, .has_zone = true, .zone_minutes = -210, .has_place = true,
		                   .latitude = -33.85, .longitude = 151.2, .has_altitude = true, .altitude = -3.5,
		                   .has_rating = true, .rating = -1, .has_palette = true, .grey = true, .n_palette = 2,
		                   .palette = { { COLOUR_GREY, 80, { 1, 2, 3 } }, { COLOUR_WHITE, 20, { 250, 251, 252 } } },
		                   .text = { [FACT_TITLE] = (char *)(uintptr_t) "猫", [FACT_KEYWORDS] = (char *)(uintptr_t) "a\nb" } };
	const struct facts header = { .has_rating = true, .rating = 3 };
	struct facts got;

	CHECK_OK(store_facts_put(s, id, &put, &err), &err);
	commit(s);
	CHECK_OK(store_facts_get(s, id, &got, &err), &err);
	CHECK(got.has_taken && got.taken == put.taken && got.has_zone && got.zone_minutes == -210);
	CHECK(got.has_place && !(got.latitude > put.latitude || got.latitude < put.latitude) && got.longitude > 151.1);
	CHECK(got.has_altitude && got.altitude < -3.4 && got.has_rating && got.rating == -1);
	CHECK(got.has_palette && got.grey && got.n_palette == 2 && !memcmp(got.palette, put.palette, sizeof put.palette));
	CHECK(!strcmp(got.text[FACT_TITLE], "猫") && !strcmp(got.text[FACT_KEYWORDS], "a\nb") && !got.text[FACT_LENS]);
	facts_deinit(&got);
	/* A header that is read again says nothing about pixels. */
	CHECK_OK(store_begin(s, &err), &err);
	CHECK_OK(store_facts_put(s, id, &header, &err), &err);
	commit(s);
	CHECK_OK(store_facts_get(s, id, &got, &err), &err);
	CHECK(!got.has_taken && !got.has_zone && !got.has_place && got.rating == 3 && got.n_palette == 2 && !got.text[FACT_TITLE]);
	facts_deinit(&got);
	store_close(s);
}

TEST(pictures_without_facts_are_named)
{
	struct store *s = fresh("lacking");
	const int64_t first = put_picture(s, 1), second = put_picture(s, 2);
	const struct facts none = { 0 };
	int64_t *ids;
	size_t n;

	CHECK_OK(store_facts_put(s, first, &none, &err), &err);
	CHECK_STATUS(store_facts_put(s, 999, &none, &err), AKIN_ERR_NOT_FOUND);
	commit(s);
	CHECK_OK(store_without_facts(s, &ids, &n, &err), &err);
	CHECK(n == 1 && ids[0] == second);
	mem_free(ids);
	store_close(s);
}

static int join(void *ctx, const char *name)
{
	struct buf *all = ctx;

	buf_printf(all, "%s;", name);
	return 0;
}

static int join_counts(void *ctx, const char *name, uint64_t pictures)
{
	struct buf *all = ctx;

	buf_printf(all, "%s=%d;", name, (int)pictures);
	return 0;
}

TEST(tags_have_one_spelling_and_go_with_their_picture)
{
	struct store *s = fresh("tags");
	const int64_t a = put_picture(s, 1), b = put_picture(s, 2);
	struct buf all = BUF_EMPTY;
	bool changed;

	CHECK_OK(store_tag_set(s, a, "Café", true, &changed, &err), &err);
	CHECK(changed);
	CHECK_OK(store_tag_set(s, a, "CAFE", true, &changed, &err), &err);
	CHECK(!changed);
	CHECK_OK(store_tag_set(s, b, "cafe", true, &changed, &err), &err);
	CHECK_OK(store_tag_set(s, b, "假期", true, &changed, &err), &err);
	CHECK_OK(store_tag_set(s, b, "gone", false, &changed, &err), &err);
	CHECK(!changed);
	CHECK_STATUS(store_tag_set(s, 999, "x", true, &changed, &err), AKIN_ERR_NOT_FOUND);
	CHECK_STATUS(store_tag_set(s, a, "", true, &changed, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(store_tag_set(s, a, " x", true, &changed, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(store_tag_set(s, a, "a\nb", true, &changed, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(store_tag_set(s, a, "\xff", true, &changed, &err), AKIN_ERR_INVALID);
	commit(s);
	CHECK_OK(store_tags_of(s, b, join, &all, &err), &err);
	CHECK(!strcmp(all.data, "Café;假期;"), "%s\n", all.data);
	buf_clear(&all);
	CHECK_OK(store_begin(s, &err), &err);
	CHECK_OK(store_tag_set(s, b, "CAFÉ", false, &changed, &err), &err);
	CHECK(changed);
	CHECK_OK(store_picture_remove(s, a, &err), &err);
	commit(s);
	CHECK_OK(store_tags(s, join_counts, &all, &err), &err);
	CHECK(!strcmp(all.data, "假期=1;"), "%s\n", all.data);
	buf_deinit(&all);
	store_close(s);
}

TEST_MAIN(cmocka_unit_test(facts_come_back_as_they_were_put), cmocka_unit_test(pictures_without_facts_are_named),
          cmocka_unit_test(tags_have_one_spelling_and_go_with_their_picture))
