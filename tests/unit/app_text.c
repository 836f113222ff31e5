/* app/common/text: names made safe to show, widths, numbers, line breaks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdlib.h>

#include "common/text.h"

static char shown[4096];

static const char *show(void (*put)(FILE *out, const char *s), const char *s)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	put(out, s);
	fclose(out);
	snprintf(shown, sizeof shown, "%s", text);
	free(text);
	return shown;
}

TEST(nothing_in_a_name_reaches_the_terminal)
{
	assert_string_equal(show(text_put_visible, "a\nb\t\x1b[31m\x7f"), "a\\nb\\t\\x1b[31m\\x7f");
	assert_string_equal(show(text_put_visible, "x\xff\xc3(\xe2\x82"), "x\\xff\\xc3(\\xe2\\x82");
	assert_string_equal(show(text_put_visible, "gpj.\xe2\x80\xaexe"), "gpj.\\u202exe");
	assert_string_equal(show(text_put_visible, "\xc2\x9b[31m"), "\\u009b[31m");
	assert_string_equal(show(text_put_visible, "照片/é ok\\"), "照片/é ok\\");
	assert_string_equal(show(text_put_escaped, "a\\n\n"), "a\\\\n\\n");
}

TEST(width_is_that_of_what_is_shown)
{
	CHECK(text_width("abc") == 3 && text_width("照片") == 4 && text_width("e\xcc\x81") == 1 && text_width("") == 0);
	CHECK(text_width("\n\xff") == 6);
}

TEST(bytes_become_utf8)
{
	char *s = text_to_utf8("a\xff\xe7\x85\xa7\xc3");

	assert_string_equal(s, "a\xef\xbf\xbd\xe7\x85\xa7\xef\xbf\xbd");
	CHECK(text_is_utf8(s) && !text_is_utf8("\xed\xa0\x80") && !text_is_utf8("\xc0\x80") && text_is_utf8(""));
	free(s);
}

TEST(base64_is_the_standard_one)
{
	static const char *const cases[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		                                { "foob", "Zm9vYg==" }, { "\xff\xfe\xfd", "//79" } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *s = text_base64(cases[i][0], strlen(cases[i][0]));
		assert_string_equal(s, cases[i][1]);
		free(s);
	}
}

TEST(numbers_are_grouped_and_bytes_have_units)
{
	char out[TEXT_NUMBER];

	assert_string_equal(text_number(0, out), "0");
	assert_string_equal(text_number(999, out), "999");
	assert_string_equal(text_number(1203, out), "1,203");
	assert_string_equal(text_number(UINT64_MAX, out), "18,446,744,073,709,551,615");
	assert_string_equal(text_bytes(999, out), "999 bytes");
	assert_string_equal(text_bytes(999999, out), "1.0 MB");
	assert_string_equal(text_bytes(1234567, out), "1.2 MB");
}

static void wrap(FILE *out, const char *s)
{
	text_put_wrapped(out, s, 0, 2, 10);
}

TEST(words_are_broken_between_lines_only)
{
	assert_string_equal(show(wrap, "aa bb cc dd"), "  aa bb cc\n  dd\n");
	assert_string_equal(show(wrap, "averyveryverylongword b"), "  averyveryverylongword\n  b\n");
	assert_string_equal(show(wrap, "a\n\nb"), "  a\n\n  b\n");
	assert_string_equal(show(wrap, ""), "\n");
}

TEST(html_is_quoted)
{
	assert_string_equal(show(text_put_html, "<a href=\"x\">&\xff"),
	                    "&lt;a href=&quot;x&quot;&gt;&amp;\xef\xbf\xbd");
}

TEST_MAIN(cmocka_unit_test(nothing_in_a_name_reaches_the_terminal), cmocka_unit_test(width_is_that_of_what_is_shown),
          cmocka_unit_test(bytes_become_utf8), cmocka_unit_test(base64_is_the_standard_one),
          cmocka_unit_test(numbers_are_grouped_and_bytes_have_units),
          cmocka_unit_test(words_are_broken_between_lines_only),
          cmocka_unit_test(html_is_quoted))
