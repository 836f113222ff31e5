/* feature/tokenizer.h: the ids of the package `tokenizers`, kept in tests/data/tokenizers/golden.json by
 * tools/models/make_tiny_tokenizers.py; and what a file may not ask.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <jansson.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "feature/tokenizer.h"

#define TOKENIZERS TESTS_DIR "/data/tokenizers/"

/* "1 2 3", so that a difference reads well. */
static char *ids_of(const struct tokenizer *t, const char *text, size_t n)
{
	struct token_ids ids;
	struct buf out = BUF_EMPTY;
	akin_error err;

	CHECK_OK(tokenizer_encode(t, text, n, &ids, &err), &err);
	buf_puts(&out, "");
	for (size_t i = 0; i < ids.n; i++) buf_printf(&out, "%s%lld", i ? " " : "", (long long)ids.id[i]);
	token_ids_deinit(&ids);
	return buf_take(&out);
}

static void check_ids(const struct tokenizer *t, const char *name, const char *text, size_t n, const char *wanted)
{
	char *got = ids_of(t, text, n);

	CHECK(!strcmp(got, wanted), "%s of \"%s\":\n  %s, not\n  %s\n", name, text, got, wanted);
	mem_free(got);
}

static void check_golden(const char *name, const json_t *texts, const json_t *wanted)
{
	char *path = str_printf(TOKENIZERS "%s.json", name);
	struct tokenizer *t;
	akin_error err;

	CHECK_OK(tokenizer_open(&t, path, NULL, &err), &err);
	CHECK(json_array_size(texts) > 100 && json_array_size(texts) == json_array_size(wanted));
	for (size_t i = 0; i < json_array_size(texts); i++) {
		const json_t *text = json_array_get(texts, i), *ids = json_array_get(wanted, i);
		struct buf line = BUF_EMPTY;

		buf_puts(&line, "");
		for (size_t j = 0; j < json_array_size(ids); j++)
			buf_printf(&line, "%s%lld", j ? " " : "",
				   (long long)json_integer_value(json_array_get(ids, j)));
		check_ids(t, name, json_string_value(text), json_string_length(text), line.data);
		buf_deinit(&line);
	}
	tokenizer_close(t);
	mem_free(path);
}

TEST(every_kind_gives_the_ids_of_the_reference)
{
	json_t *golden = json_load_file(TOKENIZERS "golden.json", JSON_ALLOW_NUL, NULL), *ids;
	const char *name;

	CHECK(golden && json_object_size(json_object_get(golden, "ids")) == 8);
	json_object_foreach(json_object_get(golden, "ids"), name, ids)
	    check_golden(name, json_object_get(golden, "texts"), ids);
	json_decref(golden);
}

/* Four words, each part empty. */
static const char *const plain =
    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[{\"id\":4,\"content\":\"<e>\","
    "\"single_word\":false,\"lstrip\":false,\"rstrip\":true,\"normalized\":false,\"special\":true}],"
    "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"x+\"},\"content\":\"c\"},"
    "\"pre_tokenizer\":{\"type\":\"WhitespaceSplit\"},\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"s\",8]"
    ","
    "\"cls\":[\"c\",7]},\"decoder\":null,"
    "\"model\":{\"type\":\"BPE\",\"unk_token\":\"?\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"?\":3},\"merges\":[\"a "
    "b\"]}}";

static char *with(const char *from, const char *to)
{
	const char *at = strstr(plain, from);

	assert_non_null(at);
	return str_printf("%.*s%s%s", (int)(at - plain), plain, to, at + strlen(from));
}

static struct tokenizer *parse(const char *json, const struct tokenizer_fit *fit)
{
	struct tokenizer *t;
	akin_error err;

	CHECK_OK(tokenizer_parse(&t, json, strlen(json), fit, &err), &err);
	return t;
}

TEST(a_text_goes_through_all_parts)
{
	struct tokenizer *t = parse(plain, NULL);

	check_ids(t, "plain", "ab ba <e>  aab", 14, "7 2 1 0 4 0 2 8");
	check_ids(t, "plain", "xxa", 3, "7 3 0 8");
	check_ids(t, "plain", "", 0, "7 8");
	tokenizer_close(t);
}

TEST(merges_may_be_pairs)
{
	char *json = with("\"a b\"", "[\"a\",\"b\"]");
	struct tokenizer *t = parse(json, NULL);

	check_ids(t, "pairs", "ab", 2, "7 2 8");
	tokenizer_close(t);
	mem_free(json);
}

TEST(what_is_too_long_keeps_its_frame_and_what_is_short_is_padded)
{
	const struct tokenizer_fit fit = { .length = 5, .pad = true, .pad_id = 9 },
				   tight = { .length = 2, .pad_id = -1 };
	struct tokenizer *t = parse(plain, &fit);
	struct token_ids ids;
	akin_error err;

	check_ids(t, "fit", "a b a b a b", 11, "7 0 1 0 8");
	check_ids(t, "fit", "a", 1, "7 0 8 9 9");
	CHECK_OK(tokenizer_encode(t, "a", 1, &ids, &err), &err);
	CHECK(ids.n == 5 && ids.mask[0] == 1 && ids.mask[2] == 1 && ids.mask[3] == 0 && ids.mask[4] == 0);
	token_ids_deinit(&ids);
	tokenizer_close(t);
	CHECK_STATUS(tokenizer_parse(&t, plain, strlen(plain), &tight, &err), AKIN_ERR_FORMAT);
}

TEST(the_file_cuts_and_pads_as_well)
{
	char *json = with(
	    "\"truncation\":null,\"padding\":null",
	    "\"truncation\":{\"direction\":\"Left\",\"max_length\":4,\"strategy\":\"LongestFirst\",\"stride\":0},"
	    "\"padding\":{\"strategy\":\"BatchLongest\",\"direction\":\"Left\",\"pad_to_multiple_of\":6,\"pad_id\":5,"
	    "\"pad_type_id\":0,\"pad_token\":\"p\"}");
	struct tokenizer *t = parse(json, NULL);

	check_ids(t, "left", "a a b", 5, "5 5 7 0 1 8");
	tokenizer_close(t);
	mem_free(json);
}

/* Unicode 3.9: one U+FFFD for each maximal part of a sequence; the golden text has the same characters. */
TEST(bytes_that_are_no_text_are_replaced)
{
	static const char broken[] = "a\xff\xe4\xbd"
				     "b\xf0\x9f\x98 \xc3\x28\xed\xa0\x80\xe4";
	static const char mended[] = "a\xEF\xBF\xBD\xEF\xBF\xBD"
				     "b\xEF\xBF\xBD \xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD";
	struct tokenizer *t;
	akin_error err;
	char *wanted;

	CHECK_OK(tokenizer_open(&t, TOKENIZERS "clip.json", NULL, &err), &err);
	wanted = ids_of(t, mended, sizeof mended - 1);
	check_ids(t, "broken", broken, sizeof broken - 1, wanted);
	mem_free(wanted);
	tokenizer_close(t);
}

TEST(a_text_has_a_limit)
{
	struct tokenizer *t = parse(plain, NULL);
	struct token_ids ids;
	char *text = mem_alloc(TOKENIZER_TEXT_MAX + 1);
	akin_error err;

	memset(text, 'a', TOKENIZER_TEXT_MAX + 1);
	CHECK_OK(tokenizer_encode(t, text, TOKENIZER_TEXT_MAX, &ids, &err), &err);
	CHECK(ids.n == TOKENIZER_TEXT_MAX + 2);
	token_ids_deinit(&ids);
	CHECK_STATUS(tokenizer_encode(t, text, TOKENIZER_TEXT_MAX + 1, &ids, &err), AKIN_ERR_LIMIT);
	mem_free(text);
	tokenizer_close(t);
}

/* Expressions that never end, replacements that grow without end. */
TEST(a_hostile_file_costs_a_bounded_time)
{
	static const char *const cases[][2] = {
		{ "\"x+\"", "\"(a+)+[bc]\"" },
		{ "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"x+\"},\"content\":\"c\"}",
		  "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},"
		  "\"content\":\"aaaaaaaa\"},"
		  "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aaaaaaaaaaaaaaaa\"},"
		  "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aaaaaaaaaaaaaaaa\"}]}" },
	};
	char text[4000];

	memset(text, 'a', sizeof text);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *json = with(cases[i][0], cases[i][1]);
		struct tokenizer *t = parse(json, NULL);
		struct token_ids ids;
		akin_error err;

		CHECK_STATUS(tokenizer_encode(t, text, sizeof text, &ids, &err), AKIN_ERR_LIMIT);
		tokenizer_close(t);
		mem_free(json);
	}
}

TEST(what_akin_does_not_know_is_named)
{
	static const char *const cases[][3] = {
		{ "\"type\":\"WhitespaceSplit\"", "\"type\":\"UnicodeScripts\"", "pre_tokenizer.type" },
		{ "\"type\":\"WhitespaceSplit\"", "\"type\":\"WhitespaceSplit\",\"new\":1", "pre_tokenizer.new" },
		{ "\"type\":\"WhitespaceSplit\"", "\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\"}]",
		  "pre_tokenizer.pretokenizers[0].individual_digits" },
		{ "\"version\":\"1.0\"", "\"version\":\"2.0\"", "version" },
		{ "\"decoder\":null", "\"decoder\":null,\"extra\":null", "extra" },
		{ "\"Regex\":\"x+\"", "\"Regex\":\"x+(\"", "normalizer.pattern.Regex" },
		{ "\"Regex\":\"x+\"", "\"Regex\":\"\\\\h+\"", "normalizer.pattern.Regex" },
		{ "\"Regex\":\"x+\"", "\"Regex\":\"[a[b]]\"", "normalizer.pattern.Regex" },
		{ "\"Regex\":\"x+\"", "\"Regex\":\"\\\\p{Han}\"", "normalizer.pattern.Regex" },
		{ "\"Regex\":\"x+\"", "\"Regex\":\"(?m:.)\"", "normalizer.pattern.Regex" },
		{ "\"content\":\"c\"", "\"content\":1", "normalizer.content" },
		{ "\"type\":\"BPE\"", "\"type\":\"BPE\",\"dropout\":0.1", "model.dropout" },
		{ "\"type\":\"BPE\"", "\"type\":\"Markov\"", "model.type" },
		{ "\"merges\":[\"a b\"]", "\"merges\":[\"a b\",\"b a\"]", "model.merges[1]" },
		{ "\"merges\":[\"a b\"]", "\"merges\":[\"ab\"]", "model.merges[0]" },
		{ "\"unk_token\":\"?\"", "\"unk_token\":\"!\"", "model.unk_token" },
		{ "\"a\":0", "\"a\":-1", "model.vocab" },
		{ "\"id\":4", "\"id\":5", "added_tokens[0].id" },
		{ "\"lstrip\":false,", "", "added_tokens[0].lstrip" },
		{ "\"sep\":[\"s\",8]", "\"sep\":[\"s\"]", "post_processor.sep" },
		{ "\"truncation\":null", "\"truncation\":{\"max_length\":9,\"strategy\":\"OnlySecond\",\"stride\":0}",
		  "truncation.strategy" },
		{ "\"padding\":null", "\"padding\":{\"strategy\":\"Widest\"}", "padding.strategy" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *json = with(cases[i][0], cases[i][1]);
		struct tokenizer *t;
		akin_error err = { 0 };
		akin_status st = tokenizer_parse(&t, json, strlen(json), NULL, &err);

		CHECK(st == AKIN_ERR_FORMAT || st == AKIN_ERR_UNSUPPORTED, "case %zu: %s\n", i, json);
		CHECK(strstr(err.text, cases[i][2]), "case %zu says: %s\n", i, err.text);
		mem_free(json);
	}
}

TEST(a_missing_file_is_named)
{
	struct tokenizer *t;
	akin_error err;

	CHECK_STATUS(tokenizer_open(&t, "/nonesuch/tokenizer.json", NULL, &err), AKIN_ERR_NOT_FOUND);
	CHECK(strstr(err.text, "/nonesuch/tokenizer.json"), "%s\n", err.text);
}

TEST_MAIN(cmocka_unit_test(every_kind_gives_the_ids_of_the_reference), cmocka_unit_test(a_text_goes_through_all_parts),
	  cmocka_unit_test(merges_may_be_pairs),
	  cmocka_unit_test(what_is_too_long_keeps_its_frame_and_what_is_short_is_padded),
	  cmocka_unit_test(the_file_cuts_and_pads_as_well), cmocka_unit_test(bytes_that_are_no_text_are_replaced),
	  cmocka_unit_test(a_text_has_a_limit), cmocka_unit_test(a_hostile_file_costs_a_bounded_time),
	  cmocka_unit_test(what_akin_does_not_know_is_named), cmocka_unit_test(a_missing_file_is_named))
