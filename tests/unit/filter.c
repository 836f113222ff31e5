/* search/filter.c: what the words mean, and where errors point.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/spell.h"
#include "search/filter.h"
#include "types/facts.h"

static akin_error err;
static const int64_t now = 1700000000; /* 2023-11-14 22:13:20 UTC */

/* The tree as text: kinds as letters, children in parentheses. */
static void show(const struct filter *f, int at, struct buf *out)
{
	static const char *const names[] = { "and", "or", "not", "range", "text", "label", "landscape", "portrait", "square", "colour",
		                             "grey", "missing", "near", "box", "has" };
	const struct filter_node *node = &f->node[at];

	buf_puts(out, names[node->kind]);
	if (node->child == FILTER_NONE) return;
	buf_puts(out, "(");
	for (int child = node->child; child != FILTER_NONE; child = f->node[child].next) {
		if (child != node->child) buf_puts(out, " ");
		show(f, child, out);
	}
	buf_puts(out, ")");
}

static struct filter *parsed(const char *text)
{
	struct filter *f;

	CHECK(filter_parse(&f, text, now, NULL, &err) == AKIN_OK, "%s: %s\n", text, err.text);
	return f;
}

static void is_tree(const char *text, const char *wanted)
{
	struct filter *f = parsed(text);
	struct buf out = BUF_EMPTY;

	show(f, f->root, &out);
	CHECK(!strcmp(out.data, wanted), "%s is %s, not %s\n", text, out.data, wanted);
	buf_deinit(&out);
	mem_free(f);
}

TEST(words_bind_as_the_grammar_says)
{
	is_tree("missing", "missing");
	is_tree("missing grey", "and(missing grey)");
	is_tree("missing AND grey and has:gps", "and(missing grey has)");
	is_tree("missing OR grey has:gps", "or(missing and(grey has))");
	is_tree("(missing OR grey) has:gps", "and(or(missing grey) has)");
	is_tree("NOT missing grey", "and(not(missing) grey)");
	is_tree("NOT NOT missing", "not(not(missing))");
	is_tree("!missing&&grey||has:tag", "or(and(not(missing) grey) has)");
	is_tree("id IN (1, 2..3,4)", "or(range range range)");
	is_tree("rating != 3", "not(range)");
	is_tree("near(48.85,2.35,10km) box(-10, 170, 10, -170)", "and(near box)");
	is_tree("label:cat>0.5 label:dog", "and(label label)");
}

struct bounds {
	double low, high;
	bool above, below;
};

static struct bounds bounds_of(const char *text)
{
	struct filter *f = parsed(text);
	const struct filter_node *node = &f->node[f->root];
	struct bounds b = { node->low, node->high, node->above, node->below };

	mem_free(f);
	return b;
}

static void is_range(const char *text, double low, bool above, double high, bool below)
{
	struct bounds b = bounds_of(text);
	const bool same_low = isinf(low) ? isinf(b.low) && b.low < 0 : fabs(b.low - low) < 1e-6;
	const bool same_high = isinf(high) ? isinf(b.high) && b.high > 0 : fabs(b.high - high) < 1e-6;

	CHECK(same_low && same_high && b.above == above && b.below == below, "%s: %.9g (%d) to %.9g (%d)\n", text, b.low, b.above,
	      b.high, b.below);
}

static double day(int y, int m, int d)
{
	return (double)date_seconds(&(struct date){ .year = y, .month = m, .day = d });
}

TEST(dates_are_as_long_as_they_are_written)
{
	setenv("TZ", "UTC", 1);
	is_range("taken:2023", day(2023, 1, 1), false, day(2024, 1, 1), true);
	is_range("taken=2023-12", day(2023, 12, 1), false, day(2024, 1, 1), true);
	is_range("taken:2024-02-28", day(2024, 2, 28), false, day(2024, 2, 29), true);
	is_range("taken:\"2023-05-04 10:30\"", day(2023, 5, 4) + 37800, false, day(2023, 5, 4) + 37860, true);
	is_range("taken:2023-05-04T10:30:05", day(2023, 5, 4) + 37805, false, day(2023, 5, 4) + 37806, true);
	is_range("taken>=2023-05", day(2023, 5, 1), false, INFINITY, false);
	is_range("taken>2023-05", day(2023, 6, 1), false, INFINITY, false);
	is_range("taken<2023-05", -INFINITY, false, day(2023, 5, 1), true);
	is_range("taken<=2023-05", -INFINITY, false, day(2023, 6, 1), true);
	is_range("taken:2020..2021-03", day(2020, 1, 1), false, day(2021, 4, 1), true);
	is_range("taken:..2021", -INFINITY, false, day(2022, 1, 1), true);
	is_range("added:today", day(2023, 11, 14), false, day(2023, 11, 15), true);
	is_range("modified:Yesterday", day(2023, 11, 13), false, day(2023, 11, 14), true);
}

TEST(moments_are_in_the_zone_of_the_machine_but_the_cameras_clock_is_not)
{
	setenv("TZ", "UTC-8", 1); /* as in China */
	is_range("added:2023-05-04", day(2023, 5, 4) - 8 * 3600, false, day(2023, 5, 5) - 8 * 3600, true);
	is_range("taken:2023-05-04", day(2023, 5, 4), false, day(2023, 5, 5), true);
	is_range("added:today", day(2023, 11, 15) - 8 * 3600, false, day(2023, 11, 16) - 8 * 3600, true);
	setenv("TZ", "UTC", 1);
}

TEST(numbers_have_units_and_ends)
{
	is_range("width>1920px", 1920, true, INFINITY, false);
	is_range("width <= 1920", -INFINITY, false, 1920, false);
	is_range("height:100..200", 100, false, 200, false);
	is_range("bytes:1.5MB..", 1.5e6, false, INFINITY, false);
	is_range("bytes>=2MiB", 2097152, false, INFINITY, false);
	is_range("size=100", 100, false, 100, false);
	is_range("bytes:2MB", 1.5e6, false, 2.5e6, true);
	is_range("megapixels=12", 11.5e6, false, 12.5e6, true);
	is_range("megapixels:0.3", 0.25e6, false, 0.35e6, true);
	is_range("megapixels>=12MP", 12e6, false, INFINITY, false);
	is_range("rating:4", 4, false, 4, false);
	is_range("rating=-1", -1, false, -1, false);
	is_range("label:cat>=50%", 0.5, false, INFINITY, false);
	is_range("label:\"hot dog\"<0.25", -INFINITY, false, 0.25, true);
}

static void is_text(const char *text, enum filter_field field, enum filter_match match, const char *wanted)
{
	struct filter *f = parsed(text);
	const struct filter_node *node = &f->node[f->root];

	CHECK(node->field == field && node->match == match && !strcmp(f->texts + node->text, wanted), "%s: field %d match %d \"%s\"\n",
	      text, node->field, node->match, f->texts + node->text);
	mem_free(f);
}

TEST(texts_are_words_patterns_or_the_whole)
{
	is_text("path:beach", FIELD_PATH, MATCH_CONTAINS, "beach");
	is_text("PATH:*.png", FIELD_PATH, MATCH_PATTERN, "\1.png");
	is_text("name:\"a ?(1)*\"", FIELD_NAME, MATCH_PATTERN, "a \2(1)\1");
	is_text("name:\"100\\*\"", FIELD_NAME, MATCH_CONTAINS, "100*");
	is_text("name='x\\'y'", FIELD_NAME, MATCH_EQUAL, "x'y");
	is_text("name=a*b", FIELD_NAME, MATCH_EQUAL, "a*b");
	is_text("name LIKE IMG\\_%", FIELD_NAME, MATCH_PATTERN, "IMG\\\2\1");
	is_text("name like 'IMG\\_%'", FIELD_NAME, MATCH_PATTERN, "IMG_\1");
	is_text("tag:holiday", FIELD_TAG, MATCH_EQUAL, "holiday");
	is_text("folder:/a/b", FIELD_FOLDER, MATCH_BELOW, "/a/b");
	is_text("folder:2024", FIELD_FOLDER, MATCH_EQUAL, "2024");
	is_text("format:JPG", FIELD_FORMAT, MATCH_EQUAL, "jpeg");
	is_text("path:a..b", FIELD_PATH, MATCH_CONTAINS, "a..b");
	is_text("caption:两只狗", FIELD_CAPTION, MATCH_CONTAINS, "两只狗");
}

static void is_wrong(const char *text, size_t at, const char *words)
{
	struct filter *f;
	size_t where = 999;
	akin_status st = filter_parse(&f, text, now, &where, &err);

	CHECK(st == AKIN_ERR_INVALID && !f, "\"%s\" is understood\n", text);
	CHECK(where == at && strstr(err.text, words), "\"%s\": byte %zu, not %zu: %s\n", text, where, at, err.text);
}

TEST(errors_say_what_is_wrong_and_where)
{
	is_wrong("", 0, "missing at the end");
	is_wrong("   ", 3, "missing at the end");
	is_wrong("missing AND", 11, "missing at the end");
	is_wrong("missing AND OR grey", 12, "before this word");
	is_wrong("tkaen:2023", 0, "did you mean \"taken\"?");
	is_wrong("missing xyzzy:1", 8, "docs/filters.md");
	is_wrong("width", 5, "needs a comparison");
	is_wrong("width>", 6, "value is missing");
	is_wrong("width>wide", 6, "not a number");
	is_wrong("bytes>2XB", 6, "200kB");
	is_wrong("taken:2023-02-30", 6, "not a date");
	is_wrong("taken:2023..2022", 6, "ends before");
	is_wrong("taken:..", 6, "beginning or an end");
	is_wrong("(missing", 0, "not closed");
	is_wrong("(missing grey x:1", 14, "no field");
	is_wrong("missing)", 7, "does not belong");
	is_wrong("name:\"open", 5, "quote");
	is_wrong("name>a", 4, "no order");
	is_wrong("rating LIKE 3", 7, "LIKE");
	is_wrong("label:cat>2", 10, "probability");
	is_wrong("orientation:round", 12, "landscape");
	is_wrong("color:mauve", 6, "purple");
	is_wrong("near(91,0,1km)", 5, "degrees");
	is_wrong("near(1,0)", 8, "1 more");
	is_wrong("near(1,0,far)", 9, "10km");
	is_wrong("box(3,0,1,1)", 8, "north");
	is_wrong("has:width", 4, "has: goes with");
	is_wrong("gps:1", 0, "near(");
	is_wrong("id IN 3", 6, "list");
	is_wrong("id IN (3", 8, ")");
	is_wrong("a\1b", 1, "control");
	is_wrong("tag:猫 widht:3", 8, "column 7");
}

TEST(long_and_deep_filters_are_refused)
{
	struct buf text = BUF_EMPTY;
	struct filter *f;

	for (int i = 0; i < FILTER_MAX_DEPTH; i++) buf_puts(&text, "(");
	buf_puts(&text, "grey");
	CHECK_STATUS(filter_parse(&f, text.data, now, NULL, &err), AKIN_ERR_INVALID);
	CHECK(strstr(err.text, "within one another"), "%s\n", err.text);
	buf_clear(&text);
	for (int i = 0; i < 600; i++) buf_puts(&text, "grey ");
	CHECK_STATUS(filter_parse(&f, text.data, now, NULL, &err), AKIN_ERR_INVALID);
	CHECK(strstr(err.text, "more than 512 parts"), "%s\n", err.text);
	buf_clear(&text);
	buf_puts(&text, "name:");
	for (int i = 0; i < FILTER_MAX_BYTES; i++) buf_puts(&text, "a");
	CHECK_STATUS(filter_parse(&f, text.data, now, NULL, &err), AKIN_ERR_INVALID);
	CHECK(strstr(err.text, "longer than"), "%s\n", err.text);
	buf_deinit(&text);
}

TEST(words_are_as_far_apart_as_their_changes)
{
	CHECK(spell_distance("beach", "beach", 2) == 0 && spell_distance("", "ab", 2) == 2);
	CHECK(spell_distance("beach", "baech", 2) == 1, "an exchange is one change\n");
	CHECK(spell_distance("beach", "beech", 2) == 1 && spell_distance("beach", "beachs", 2) == 1);
	CHECK(spell_distance("kitten", "sitting", 3) == 3 && spell_distance("kitten", "sitting", 2) == 3);
	CHECK(spell_distance("猫猫", "猫狗", 2) == 1, "letters, not bytes\n");
}

TEST_MAIN(cmocka_unit_test(words_bind_as_the_grammar_says), cmocka_unit_test(dates_are_as_long_as_they_are_written),
	  cmocka_unit_test(moments_are_in_the_zone_of_the_machine_but_the_cameras_clock_is_not),
	  cmocka_unit_test(numbers_have_units_and_ends), cmocka_unit_test(texts_are_words_patterns_or_the_whole),
	  cmocka_unit_test(errors_say_what_is_wrong_and_where), cmocka_unit_test(long_and_deep_filters_are_refused),
	  cmocka_unit_test(words_are_as_far_apart_as_their_changes))
