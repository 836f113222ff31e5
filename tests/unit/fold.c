/* base/fold.c: what is the same for a reader is the same when folded, and what is not, is not.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/fold.h"

static void folds_to(const char *text, const char *wanted)
{
	char *once = fold_string(text), *twice = once ? fold_string(once) : NULL;

	CHECK(once && !strcmp(once, wanted), "\"%s\" became \"%s\", not \"%s\"\n", text, once, wanted);
	CHECK(twice && !strcmp(once, twice), "\"%s\" changed again, to \"%s\"\n", once, twice);
	mem_free(once);
	mem_free(twice);
}

TEST(case_accents_and_widths_go)
{
	folds_to("", "");
	folds_to("Hello, World 42", "hello, world 42");
	folds_to("Café CAFÉ cafe\xcc\x81", "cafe cafe cafe");
	folds_to("ＡＢＣ１２", "abc12");
	folds_to("Straße STRASSE", "strasse strasse");
	folds_to("Ærøskøbing Łódź", "aeroskobing lodz");
	folds_to("İstanbul ISPARTA ılık", "istanbul isparta ilik");
	folds_to("ﬁne ½", "fine 1⁄2");
	folds_to("Việt Nam", "viet nam");
	folds_to("ΆΣΟΣ άσος", "ασοσ ασοσ");
	folds_to("Ёлка", "елка");
}

TEST(marks_that_make_other_letters_stay)
{
	folds_to("がぎ", "がぎ");
	folds_to("ｶﾞｷﾞ", "ガギ");
	folds_to("か\xe3\x82\x99", "が");
	folds_to("한국어", "한국어");
	folds_to("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "한"); /* written as three letters */
	folds_to("น้ำ", "น้ํา");
	folds_to("हिन्दी", "हिन्दी");
	folds_to("两只狗", "两只狗");
}

TEST(points_that_readers_leave_out_go)
{
	folds_to("כֶּלֶב", "כלב");
	folds_to("كَلْب", "كلب");
	folds_to("a\xe2\x80\x8b" "b\xc2\xad" "c", "abc"); /* a blank of no width, a soft hyphen */
}

TEST(bytes_that_are_no_text_are_marked)
{
	folds_to("a\xff" "b\xc3", "a\xef\xbf\xbd" "b\xef\xbf\xbd");
}

TEST_MAIN(cmocka_unit_test(case_accents_and_widths_go), cmocka_unit_test(marks_that_make_other_letters_stay),
          cmocka_unit_test(points_that_readers_leave_out_go), cmocka_unit_test(bytes_that_are_no_text_are_marked))
