/* feature/charsmap: invalid UTF-8, rules and spaces; the rules are those of tests/data/text/tiny.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "feature/charsmap.h"
#include "feature/text_model.h"

static void check_repaired(const char *text, size_t n, const char *wanted)
{
	struct buf out = BUF_EMPTY;

	utf8_repair(text, n, &out);
	CHECK(out.len == strlen(wanted) && !memcmp(out.data, wanted, out.len), "\"%s\" instead of \"%s\"\n", out.data,
	      wanted);
	buf_deinit(&out);
}

#define REPAIRED(text, wanted) check_repaired(text, sizeof(text) - 1, wanted)
#define BAD                    "\xef\xbf\xbd"

/* Unicode 15, table 3-8 and its neighbours. */
TEST(each_maximal_beginning_of_a_character_is_replaced_once)
{
	REPAIRED("", "");
	REPAIRED("plain \xc3\xa9 \xe7\x8b\x97 \xf0\x9f\x90\xb6", "plain \xc3\xa9 \xe7\x8b\x97 \xf0\x9f\x90\xb6");
	REPAIRED("a\x80"
		 "b",
		 "a" BAD "b");
	REPAIRED("\xff\xfe", BAD BAD);
	REPAIRED("\xe2\x82", BAD);
	REPAIRED("\xe2\x82"
		 "a",
		 BAD "a");
	REPAIRED("\xf0\x9f\x98", BAD);
	REPAIRED("\xf0\x9f\x98\xf0\x9f\x98\x80", BAD "\xf0\x9f\x98\x80");
	REPAIRED("\xc0\xaf", BAD BAD);
	REPAIRED("\xe0\x9f\x80", BAD BAD BAD);
	REPAIRED("\xed\xa0\x80", BAD BAD BAD);
	REPAIRED("\xf4\x90\x80\x80", BAD BAD BAD BAD);
	REPAIRED("\xf1\x80\x80\xe1\x80\xc2", BAD BAD BAD);
}

static struct text_model tiny;

static void check_normal(const char *text, const char *wanted)
{
	struct buf out = BUF_EMPTY;
	akin_error err;

	CHECK_OK(charsmap_normalise(&tiny.rules, text, strlen(text), 1000, &out, &err), &err);
	CHECK(out.len == strlen(wanted) && (!out.len || !memcmp(out.data, wanted, out.len)),
	      "\"%s\" instead of \"%s\"\n", out.data, wanted);
	buf_deinit(&out);
}

#define S SPACE_SYMBOL

TEST(spaces_are_one_symbol_before_each_word)
{
	check_normal("", "");
	check_normal("   ", "");
	check_normal("a", S "a");
	check_normal("  a \t\n b  ", S "a" S "b");
	check_normal("a\xe3\x80\x80"
		     "b",
		     S "a" S "b"); /* U+3000 */
	check_normal(S, "");
	check_normal("a" S, S "a");
}

TEST(the_longest_rule_wins)
{
	check_normal("\xef\xbc\xa1\xef\xac\x81", S "Afi"); /* full-width A, ligature fi */
	check_normal("e\xcc\x81"
		     "e",
		     S "\xc3\xa9"
		       "e");              /* e and an accent */
	check_normal("\xe2\x80\x8b", ""); /* zero-width space becomes nothing */
	check_normal("\xc2\xbd", S "1/2");
	check_normal("\xe7\x8b\x97", S "\xe7\x8b\x97");
}

TEST(a_text_that_grows_too_much_is_refused)
{
	struct buf out = BUF_EMPTY;
	akin_error err;

	CHECK_STATUS(charsmap_normalise(&tiny.rules, "\xc2\xbd\xc2\xbd", 4, 8, &out, &err), AKIN_ERR_LIMIT);
	CHECK_OK(charsmap_normalise(&tiny.rules, "\xc2\xbd\xc2\xbd", 4, 9, &out, &err), &err);
	buf_deinit(&out);
}

TEST(no_rules_change_nothing)
{
	const struct charsmap none = { 0 };
	const char *becomes;
	size_t n;

	CHECK(charsmap_prefix(&none, "\xc3\xa9x", 3, &becomes, &n) == 2 && n == 2);
	CHECK(charsmap_prefix(&none, "", 0, &becomes, &n) == 0 && n == 0);
}

static int open_tiny(void **state)
{
	akin_error err;

	(void)state;
	CHECK_OK(text_model_open(&tiny, TESTS_DIR "/data/text/tiny/encoder.bin", &err), &err);
	return 0;
}

static int close_tiny(void **state)
{
	(void)state;
	text_model_close(&tiny);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_maximal_beginning_of_a_character_is_replaced_once),
		cmocka_unit_test(spaces_are_one_symbol_before_each_word),
		cmocka_unit_test(the_longest_rule_wins),
		cmocka_unit_test(a_text_that_grows_too_much_is_refused),
		cmocka_unit_test(no_rules_change_nothing),
	};
	return cmocka_run_group_tests(tests, open_tiny, close_tiny);
}
