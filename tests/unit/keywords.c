/* store/: which words find which pictures, and that they follow every change.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/words.h"
#include "store/internal.h"

static akin_error err;
static const struct file_stamp stamp = { 1, 2, 3, 4 };
static struct store *store;
static int64_t model;

static void begin(void)
{
	CHECK_OK(store_begin(store, &err), &err);
}

static void commit(void)
{
	CHECK_OK(store_commit(store, &err), &err);
}

static void open_store(const char *name)
{
	static const uint8_t hash[HASH_BYTES] = { 9 };
	static const char *const classes[] = { "tabby cat|tabby\t虎斑猫|花猫\tcat|animal\t猫|动物", "snow leopard\t雪豹", "dog\t狗" };

	CHECK_OK(store_open(&store, test_path(name), STORE_CREATE, &err), &err);
	begin();
	CHECK_OK(store_model_ensure(store, "m", hash, 3, METRIC_L2, &model, &err), &err);
	CHECK_OK(store_classes_put(store, model, classes, COUNT(classes), &err), &err);
	commit();
}

/* A picture with one file. Inside a transaction. */
static int64_t add(const char *path, const char *caption)
{
	static uint8_t tag;
	struct store_picture picture = { .hash = { ++tag }, .info = { 4, 3, "png" } };
	const struct facts facts = { .text = { [FACT_CAPTION] = (char *)(uintptr_t)caption } };
	int64_t id;

	CHECK_OK(store_picture_put(store, &picture, &id, &err), &err);
	CHECK_OK(store_file_put(store, path, id, &stamp, &err), &err);
	CHECK_OK(store_facts_put(store, id, &facts, &err), &err);
	return id;
}

static void set_tag(int64_t id, const char *tag, bool present)
{
	bool changed;

	CHECK_OK(store_tag_set(store, id, tag, present, &changed, &err), &err);
}

static int join(void *ctx, const struct store_keyword_hit *hit)
{
	struct buf *all = ctx;

	buf_printf(all, "%d:", (int)hit->picture_id);
	for (size_t i = 0; i < hit->n_terms; i++) buf_printf(all, "%s%s", i ? "," : "", hit->terms[i]);
	buf_puts(all, " ");
	CHECK(hit->score > 0, "a score of %g\n", hit->score);
	return 0;
}

static void find(const char *query, enum keyword_mode mode, const char *wanted)
{
	struct buf all = BUF_EMPTY;

	buf_add(&all, "", 0);
	CHECK_OK(store_keywords_search(store, query, mode, 0, join, &all, &err), &err);
	CHECK(!strcmp(all.data, wanted), "\"%s\" finds \"%s\", not \"%s\"\n", query, all.data, wanted);
	buf_deinit(&all);
}

/* Each finds picture 1 and no other. */
static void finds_one(const char *const *queries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf all = BUF_EMPTY;

		buf_add(&all, "", 0);
		CHECK_OK(store_keywords_search(store, queries[i], KEYWORDS_ALL, 0, join, &all, &err), &err);
		CHECK(!strncmp(all.data, "1:", 2) && !strchr(all.data + 2, ':'), "\"%s\" finds \"%s\"\n", queries[i], all.data);
		buf_deinit(&all);
	}
}

static void finds_none(const char *const *queries, size_t n)
{
	for (size_t i = 0; i < n; i++) find(queries[i], KEYWORDS_ALL, "");
}

TEST(words_are_found_by_stem_accent_case_and_beginning)
{
	static const char *const one[] = { "running", "run", "RUNS", "dogs", "Café", "cafe", "CAFE\xcc\x81", "strasse", "Straße", "unive*",
		                           "universi*", "\"dogs running\"", "\"the caf\"*", "beach-party", "party", "20230504", "2023*",
		                           "img", "jpg", "ｒｕｎ", "l'été", "ete", "Ёлка", "елка", "holidays", "🐱" };
	static const char *const none[] = { "\"running dogs\"", "iversity", "caf", "uni", "cat", "notes", "\"party beach\"", "un*g" };

	open_store("words");
	begin();
	add("/p/Holidays/IMG_20230504_beach-party.jpg", "Dogs running past the Café, Straße der University, l'été, Ёлка 🐱");
	add("/q/other.png", "nothing of that");
	commit();
	finds_one(one, COUNT(one));
	finds_none(none, COUNT(none));
	store_close(store);
}

TEST(chinese_and_its_like_are_found_anywhere)
{
	static const char *const one[] = { "雪", "雪地", "雪地里", "两只狗在雪地里奔跑", "奔跑", "ガラス", "ｶﾞﾗｽ", "한국", "국어", "ภาพ", "东京塔",
		                           "雪地里 ガラス", "iPhone手机", "手机" };
	static const char *const none[] = { "狗雪", "地雪", "京都", "カラス", "手iPhone", "雪里" };

	open_store("chinese");
	begin();
	add("/p/东京塔.jpg", "两只狗在雪地里奔跑。ガラスの窓 한국어 ภาพถ่าย iPhone手机");
	add("/q/b.jpg", "一只猫");
	commit();
	finds_one(one, COUNT(one));
	finds_none(none, COUNT(none));
	store_close(store);
}

TEST(a_sentence_finds_what_one_of_its_words_says)
{
	const struct store_label dog = { 2, 0.8f }, leopard = { 1, 0.9f };
	int64_t a, b;

	open_store("sentence");
	begin();
	a = add("/p/a.jpg", NULL);
	b = add("/p/b.jpg", NULL);
	add("/p/c.jpg", "热狗"); /* a hot dog is no dog */
	CHECK_OK(store_labels_put(store, a, model, &dog, 1, &err), &err);
	CHECK_OK(store_labels_put(store, b, model, &leopard, 1, &err), &err);
	commit();
	find("狗在跑", KEYWORDS_ANY, "1:狗 ");
	find("一只雪豹", KEYWORDS_ANY, "2:雪豹 ");
	find("a dog and the leopard", KEYWORDS_ANY, "1:dog 2:leopard ");
	find("and the", KEYWORDS_ANY, "");
	find("a dog and the leopard", KEYWORDS_ALL, "");
	find("", KEYWORDS_ANY, "");
	find("!?\"\"* -", KEYWORDS_ALL, "");
	store_close(store);
}

TEST(labels_of_little_probability_are_no_keywords)
{
	const struct store_label labels[] = { { 0, 0.5f }, { 2, 0.05f } };
	static const char *const other_names[] = { "ginger\t橘猫", "b\tb", "c\tc" };
	int64_t id;

	open_store("labels");
	begin();
	id = add("/p/x.jpg", NULL);
	CHECK_OK(store_labels_put(store, id, model, labels, 2, &err), &err);
	commit();
	find("tabby", KEYWORDS_ALL, "1:tabby ");
	find("花猫", KEYWORDS_ALL, "1:花猫 ");
	find("动物", KEYWORDS_ALL, "1:动物 ");
	find("dog", KEYWORDS_ALL, "");
	begin();
	CHECK_OK(store_classes_put(store, model, other_names, COUNT(other_names), &err), &err);
	commit();
	find("tabby", KEYWORDS_ALL, "");
	find("ginger", KEYWORDS_ALL, "1:ginger ");
	store_close(store);
}

TEST(keywords_follow_moves_tags_and_removals)
{
	int64_t a;

	open_store("follow");
	begin();
	a = add("/p/old.jpg", NULL);
	find("old", KEYWORDS_ALL, ""); /* not committed */
	commit();
	find("old", KEYWORDS_ALL, "1:old ");
	begin();
	CHECK_OK(store_file_move(store, "/p/old.jpg", "/Sommer/new.jpg", &stamp, &err), &err);
	set_tag(a, "Opa & Oma", true);
	commit();
	find("old", KEYWORDS_ALL, "");
	find("sommer oma", KEYWORDS_ALL, "1:sommer,oma ");
	begin();
	CHECK_OK(store_file_put(store, "/copy/twin.jpg", a, &stamp, &err), &err);
	set_tag(a, "opa & oma", false);
	commit();
	find("twin new", KEYWORDS_ALL, "1:twin,new ");
	find("oma", KEYWORDS_ALL, "");
	begin();
	CHECK_OK(store_file_remove(store, "/copy/twin.jpg", &err), &err);
	store_rollback(store);
	find("twin", KEYWORDS_ALL, "1:twin ");
	begin();
	CHECK_OK(store_file_remove(store, "/copy/twin.jpg", &err), &err);
	commit();
	find("twin", KEYWORDS_ALL, "");
	begin();
	CHECK_OK(store_picture_remove(store, a, &err), &err);
	commit();
	find("new", KEYWORDS_ALL, "");
	store_close(store);
}

TEST(where_a_word_stands_and_how_many_match_decides_the_order)
{
	int64_t tagged;

	open_store("order");
	begin();
	add("/beach/one.jpg", NULL);
	add("/x/two.jpg", "some words about a beach, and others");
	tagged = add("/x/three.jpg", NULL);
	set_tag(tagged, "beach", true);
	add("/x/four.jpg", "sunset at the beach, which is large");
	commit();
	find("beach", KEYWORDS_ANY, "3:beach 2:beach 4:beach 1:beach ");
	find("sunset beach", KEYWORDS_ALL, "4:sunset,beach ");
	store_close(store);
}

static int stop_at_once(void *ctx, const struct store_keyword_hit *hit)
{
	(void)hit;
	return ++*(int *)ctx;
}

TEST(answers_end_when_asked_to)
{
	int n = 0;
	struct buf all = BUF_EMPTY, many = BUF_EMPTY;

	open_store("limit");
	begin();
	for (int i = 0; i < 5; i++) add((const char *[]){ "/a.png", "/b.png", "/c.png", "/d.png", "/e.png" }[i], NULL);
	commit();
	CHECK_OK(store_keywords_search(store, "png", KEYWORDS_ANY, 2, join, &all, &err), &err);
	CHECK(!strcmp(all.data, "1:png 2:png "), "%s\n", all.data);
	CHECK_OK(store_keywords_search(store, "png", KEYWORDS_ANY, 0, stop_at_once, &n, &err), &err);
	CHECK(n == 1);
	for (int i = 0; i < 3000; i++) buf_printf(&many, "w%d png \"", i);
	CHECK_OK(store_keywords_search(store, many.data, KEYWORDS_ANY, 1, stop_at_once, &n, &err), &err);
	CHECK(n == 2, "a long query finds nothing\n");
	buf_deinit(&all);
	buf_deinit(&many);
	store_close(store);
}

static void nearest(const char *word, const char *wanted)
{
	char *got;

	CHECK_OK(store_keywords_nearest(store, word, &got, &err), &err);
	CHECK(got ? wanted && !strcmp(got, wanted) : !wanted, "\"%s\": %s\n", word, got ? got : "nothing");
	mem_free(got);
}

TEST(a_word_without_match_has_a_nearest_one)
{
	open_store("spelling");
	begin();
	add("/p/beautiful.jpg", "a Mountain with mountains, a café");
	add("/p/b.jpg", "mountain, fountain");
	commit();
	nearest("beatiful", "beautiful");
	nearest("Mountian", "mountain"); /* in two pictures; fountain is as near to none */
	nearest("mountain", NULL);
	nearest("mountaining", NULL); /* its stem is known */
	nearest("cafex", "cafe");
	nearest("xyzzy", NULL);
	nearest("bb", NULL);
	nearest("", NULL);
	nearest("猫", NULL);
	store_close(store);
}

TEST(lost_keywords_can_be_made_again)
{
	open_store("lost");
	begin();
	add("/p/a.jpg", NULL);
	commit();
	CHECK(sqlite3_exec(store->write.db, "DELETE FROM keyword", NULL, NULL, NULL) == SQLITE_OK);
	find("a", KEYWORDS_ALL, "");
	begin();
	CHECK_OK(store_keywords_rebuild(store, &err), &err);
	commit();
	find("a", KEYWORDS_ALL, "1:a ");
	store_close(store);
}

TEST_MAIN(cmocka_unit_test(words_are_found_by_stem_accent_case_and_beginning),
	  cmocka_unit_test(chinese_and_its_like_are_found_anywhere), cmocka_unit_test(a_sentence_finds_what_one_of_its_words_says),
	  cmocka_unit_test(labels_of_little_probability_are_no_keywords), cmocka_unit_test(keywords_follow_moves_tags_and_removals),
	  cmocka_unit_test(where_a_word_stands_and_how_many_match_decides_the_order), cmocka_unit_test(answers_end_when_asked_to),
	  cmocka_unit_test(a_word_without_match_has_a_nearest_one), cmocka_unit_test(lost_keywords_can_be_made_again))
