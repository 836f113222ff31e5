/* feature/model_card.h, feature/labels.h: cards are read strictly and say what is wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
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
          cmocka_unit_test(words_do_not_change_a_models_identity_but_its_recipe_does),
          cmocka_unit_test(a_card_survives_every_failing_allocation), cmocka_unit_test(a_changed_file_is_noticed),
          cmocka_unit_test(labels_are_rows_in_class_order))
