/* feature/model_card.h, feature/labels.h: cards are read strictly and say what is wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"
#include "feature/labels.h"
#include "feature/model_card.h"

static const char *const good =
	"{\"akin_model\":1,\"name\":\"m\",\"source\":\"s\",\"licence\":\"l\",\"file\":\"m.onnx\",\"sha256\":{\"m.onnx\":"
	"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"},"
	"\"input\":{\"width\":224,\"height\":224,\"layout\":\"NHWC\",\"channels\":\"BGR\",\"resize\":\"shorter\","
	"\"resize_to\":256,\"mean\":[1,2,3],\"std\":[4,5,6]},\"output\":{\"dim\":16,\"pooling\":\"gem\"},\"metric\":\"l2\"}";

/* The good card with one text replaced. */
static char *with(const char *from, const char *to)
{
	const char *at = strstr(good, from);

	assert_non_null(at);
	return str_printf("%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
}

static akin_status parse(const char *json, akin_error *err)
{
	struct model_card card;
	akin_status st = model_card_parse(&card, json, strlen(json), err);

	model_card_deinit(&card);
	return st;
}

TEST(a_card_says_what_its_model_wants)
{
	struct model_card card;
	akin_error err;

	CHECK_OK(model_card_parse(&card, good, strlen(good), &err), &err);
	CHECK(!card.nchw && card.bgr && card.dim == 16 && card.metric == METRIC_L2 && card.pooling == POOLING_GEM);
	CHECK(card.recipe.width == 224 && card.recipe.resize == RESIZE_SHORTER && card.recipe.resize_to == 256);
	CHECK(card.mean[2] == 3 && card.std[0] == 4 && card.normalise && card.n_files == 1);
	model_card_deinit(&card);
}

TEST(a_wrong_member_is_named)
{
	static const char *const cases[][3] = {
		{ "\"akin_model\":1", "\"akin_model\":2", "akin_model" },
		{ "\"name\":\"m\"", "\"name\":\"../m\"", "name" },
		{ "\"file\":\"m.onnx\"", "\"file\":\"../m.onnx\"", "file" },
		{ "\"file\":\"m.onnx\"", "\"file\":\"/etc/passwd\"", "file" },
		{ "\"file\":\"m.onnx\"", "\"file\":\"a/../../m\"", "file" },
		{ "\"licence\":\"l\",", "", "licence" },
		{ "\"m.onnx\":\"0123", "\"m.onnx\":\"X123", "m.onnx" },
		{ "\"width\":224", "\"width\":1e9", "width" },
		{ "\"width\":224,", "", "width" },
		{ "\"layout\":\"NHWC\"", "\"layout\":\"CHWN\"", "layout" },
		{ "\"resize_to\":256", "\"resize_to\":200", "resize_to" },
		{ "\"mean\":[1,2,3]", "\"mean\":[1,2]", "mean" },
		{ "\"std\":[4,5,6]", "\"std\":[4,0,6]", "std" },
		{ "\"dim\":16", "\"dim\":0", "dim" },
		{ "\"pooling\":\"gem\"", "\"pooling\":3", "pooling" },
		{ "\"metric\":\"l2\"", "\"metric\":\"l3\"", "metric" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *json = with(cases[i][0], cases[i][1]);
		akin_error err = { 0 };
		akin_status st = parse(json, &err);

		CHECK(st == AKIN_ERR_FORMAT, "case %zu: %s\n", i, json);
		CHECK(strstr(err.text, cases[i][2]), "case %zu says: %s\n", i, err.text);
		mem_free(json);
	}
}

/* What a text part may have, and what is wrong with one. */
static const char *const sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static char *with_text(const char *text)
{
	char *tail = str_printf("\"t.onnx\":\"%s\",\"t.json\":\"%s\",\"m.onnx\":", sum, sum);
	char *json = with("\"m.onnx\":\"0", "@\"0"), *at = strchr(json, '@'), *whole;

	whole = str_printf("%.*s%s%.*s,\"text\":%s}", (int)(at - json), json, tail, (int)strlen(at + 1) - 1, at + 1, text);
	mem_free(json);
	mem_free(tail);
	return whole;
}

TEST(a_card_may_have_a_text_tower)
{
	char *json = with_text("{\"file\":\"t.onnx\",\"tokenizer\":\"t.json\",\"ids\":\"input_ids\",\"mask\":null,"
			       "\"output\":\"text_embeds\",\"length\":77,\"pad_id\":49407,\"logit_scale\":100}");
	struct model_card card, bare;
	akin_error err;

	CHECK_OK(model_card_parse(&card, json, strlen(json), &err), &err);
	CHECK_OK(model_card_parse(&bare, good, strlen(good), &err), &err);
	CHECK(card.text.length == 77 && card.text.pad_id == 49407 && card.text.normalise && !card.text.mask);
	CHECK(card.n_files == 3 && !strcmp(card.text.tokenizer, "t.json") && !bare.text.file && bare.text.pad_id == 0);
	/* Pictures keep their vectors when a text tower comes. */
	CHECK(!memcmp(card.hash, bare.hash, HASH_BYTES));
	model_card_deinit(&card);
	model_card_deinit(&bare);
	mem_free(json);
}

TEST(a_wrong_text_tower_is_named)
{
	static const char *const cases[][2] = {
		{ "7", "text" },
		{ "{\"tokenizer\":\"t.json\",\"ids\":\"i\",\"length\":77}", "text.file" },
		{ "{\"file\":\"t.onnx\",\"ids\":\"i\",\"length\":77}", "text.tokenizer" },
		{ "{\"file\":\"t.onnx\",\"tokenizer\":\"t.json\",\"length\":77}", "text.ids" },
		{ "{\"file\":\"t.onnx\",\"tokenizer\":\"t.json\",\"ids\":\"i\"}", "text.length" },
		{ "{\"file\":\"t.onnx\",\"tokenizer\":\"t.json\",\"ids\":\"i\",\"length\":1}", "text.length" },
		{ "{\"file\":\"t.onnx\",\"tokenizer\":\"u.json\",\"ids\":\"i\",\"length\":77}", "has no sum for u.json" },
		{ "{\"file\":\"/t\",\"tokenizer\":\"t.json\",\"ids\":\"i\",\"length\":77}", "text.file" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *json = with_text(cases[i][0]);
		akin_error err = { 0 };

		CHECK(parse(json, &err) == AKIN_ERR_FORMAT, "case %zu: %s\n", i, json);
		CHECK(strstr(err.text, cases[i][1]), "case %zu says: %s\n", i, err.text);
		mem_free(json);
	}
}

static void note_mistake(void *user, const char *member, const char *what, const char *example)
{
	struct buf *told = user;

	buf_printf(told, "%s|%s|%s\n", member, what, example);
}

TEST(every_mistake_is_told_at_once_with_an_example)
{
	static const char *const wanted[] = {
		"name|is missing|\"name\": \"clip-vit-b32\"\n", "licence|is missing|", "file|must name a file in the card's folder|",
		"input.width|is missing|\"width\": 224\n", "input.mean|must be an array of three numbers|", "output.dim|must be a number",
		"output.pooling|must be one of", "text.tokenizer|is missing|", "text.length|is missing|\"length\": 77\n",
		"sha256|has no sum for t.onnx|",
	};
	static const char bad[] = "{\"akin_model\":1,\"source\":\"s\",\"file\":\"../m\",\"sha256\":{},\"input\":{\"height\":32,\"mean\":[1]},"
				  "\"output\":{\"dim\":0,\"pooling\":\"max\"},\"text\":{\"file\":\"t.onnx\",\"ids\":\"i\"}}";
	const char *path = test_path("bad.card.json");
	struct buf told = BUF_EMPTY;
	size_t lines = 0;
	akin_error err;

	CHECK_OK(fs_write(path, bad, sizeof bad - 1, &err), &err);
	CHECK_STATUS(model_card_review(path, note_mistake, &told, &err), AKIN_ERR_FORMAT);
	for (size_t i = 0; i < COUNT(wanted); i++) CHECK(strstr(told.data, wanted[i]), "%s is not told:\n%s", wanted[i], told.data);
	for (const char *p = told.data; *p; p++) lines += *p == '\n';
	CHECK(lines == COUNT(wanted) + 1, "%zu mistakes:\n%s", lines, told.data); /* and no sum for ../m */
	CHECK(strstr(err.text, "\"name\" is missing; for example"), "%s\n", err.text);
	buf_deinit(&told);
}

TEST(a_sound_card_has_no_mistakes_but_a_missing_file_is_one)
{
	struct buf told = BUF_EMPTY;
	akin_error err;

	CHECK_OK(model_card_review(TESTS_DIR "/data/models/tiny_clip.card.json", note_mistake, &told, &err), &err);
	CHECK(!told.len);
	CHECK_OK(fs_write(test_path("lost.card.json"), good, strlen(good), &err), &err);
	CHECK_STATUS(model_card_review(test_path("lost.card.json"), note_mistake, &told, &err), AKIN_ERR_FORMAT);
	CHECK(told.data && strstr(told.data, "m.onnx"), "%s\n", err.text);
	buf_deinit(&told);
}

TEST(words_do_not_change_a_models_identity_but_its_recipe_does)
{
	struct model_card a, b, c;
	char *title = with("\"source\":\"s\"", "\"source\":\"t\",\"title\":\"x\",\"unknown\":[1]");
	char *resized = with("\"resize_to\":256", "\"resize_to\":257");
	akin_error err;

	CHECK_OK(model_card_parse(&a, good, strlen(good), &err), &err);
	CHECK_OK(model_card_parse(&b, title, strlen(title), &err), &err);
	CHECK_OK(model_card_parse(&c, resized, strlen(resized), &err), &err);
	CHECK(!memcmp(a.hash, b.hash, HASH_BYTES) && memcmp(a.hash, c.hash, HASH_BYTES) != 0);
	model_card_deinit(&a);
	model_card_deinit(&b);
	model_card_deinit(&c);
	mem_free(title);
	mem_free(resized);
}

static akin_status parse_good(void *ctx)
{
	akin_error err;

	(void)ctx;
	return parse(good, &err);
}

TEST(a_card_survives_every_failing_allocation)
{
	fault_loop(FAULT_ALLOC, 200, parse_good, NULL);
}

TEST(a_changed_file_is_noticed)
{
	struct model_card card;
	akin_error err;

	CHECK_OK(model_card_read(&card, TESTS_DIR "/data/models/tiny_onnx.card.json", &err), &err);
	CHECK_OK(model_card_verify_files(&card, &err), &err);
	card.files[0].sha256[0] = card.files[0].sha256[0] == '0' ? '1' : '0';
	CHECK_STATUS(model_card_verify_files(&card, &err), AKIN_ERR_FORMAT);
	model_card_deinit(&card);
}

TEST(labels_are_rows_in_class_order)
{
	static const char *const rows = "index\twnid\ten\tzh\n0\tn1\tcat|kitty\t猫\n1\tn2\tdog\t狗\tanimal\t动物\r\n";
	struct labels labels;
	akin_error err;

	CHECK_OK(labels_parse(&labels, rows, strlen(rows), &err), &err);
	CHECK(labels.n == 2);
	assert_string_equal(labels.row[0], "cat|kitty\t猫");
	assert_string_equal(labels.row[1], "dog\t狗\tanimal\t动物");
	labels_deinit(&labels);
	CHECK_STATUS(labels_parse(&labels, "1\tn\ta\tb\n", 8, &err), AKIN_ERR_FORMAT);
	CHECK_STATUS(labels_parse(&labels, "0\tn\ta\n", 6, &err), AKIN_ERR_FORMAT);
}

TEST_MAIN(cmocka_unit_test(a_card_says_what_its_model_wants), cmocka_unit_test(a_wrong_member_is_named),
          cmocka_unit_test(a_card_may_have_a_text_tower), cmocka_unit_test(a_wrong_text_tower_is_named),
          cmocka_unit_test(every_mistake_is_told_at_once_with_an_example),
          cmocka_unit_test(a_sound_card_has_no_mistakes_but_a_missing_file_is_one),
          cmocka_unit_test(words_do_not_change_a_models_identity_but_its_recipe_does),
          cmocka_unit_test(a_card_survives_every_failing_allocation), cmocka_unit_test(a_changed_file_is_noticed),
          cmocka_unit_test(labels_are_rows_in_class_order))
