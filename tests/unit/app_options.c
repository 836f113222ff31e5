/* app/common/options: the command line as the settings table says.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "common/help.h"
#include "common/options.h"

struct globals {
	const char *library;
	int quiet, help;
};

struct values {
	int64_t k;
	double threshold;
	const char *in;
	int exact, zero;
	struct option_list labels;
};

static const struct option globals[] = {
	{ .name = "library", .letter = 'l', .type = OPTION_FOLDER, .metavar = "DIR", .env = "AKIN_TEST_LIBRARY",
	  .at = offsetof(struct globals, library), .help = "the library" },
	{ .name = "quiet", .letter = 'q', .type = OPTION_FLAG, .at = offsetof(struct globals, quiet),
	  .help = "quiet" },
	{ .name = "help", .letter = 'h', .type = OPTION_STOP, .at = offsetof(struct globals, help), .help = "help" },
};

static const struct option options[] = {
	{ .name = "k", .letter = 'k', .type = OPTION_INT, .metavar = "N", .min = 1, .max = 100, .preset = "10",
	  .at = offsetof(struct values, k), .help = "hits" },
	{ .name = "threshold", .letter = 't', .type = OPTION_REAL, .metavar = "SCORE", .min = 0, .max = 1,
	  .at = offsetof(struct values, threshold), .help = "least score" },
	{ .name = "in", .type = OPTION_FOLDER, .metavar = "FOLDER", .at = offsetof(struct values, in),
	  .help = "where" },
	{ .name = "exact", .letter = 'e', .type = OPTION_FLAG, .at = offsetof(struct values, exact), .help = "exact" },
	{ .name = "null", .letter = '0', .type = OPTION_FLAG, .at = offsetof(struct values, zero), .help = "NUL" },
	{ .name = "label", .type = OPTION_LIST, .metavar = "COLUMN", .at = offsetof(struct values, labels),
	  .help = "column" },
};

static const struct command search = { .name = "search", .summary = "find", .arguments = "PICTURE", .min_args = 1,
                                       .max_args = 2,
	                               .about = "About.", .options = options, .n_options = COUNT(options),
	                               .values_bytes = sizeof(struct values) };
static const struct command list = { .name = "list", .summary = "list", .arguments = "", .about = "About." };
static const struct command *const commands[] = { &search, &list };
static const struct program program = { .name = "akin", .summary = "s", .about = "a", .options = globals,
	                                .n_options = COUNT(globals), .commands = commands,
	                                .n_commands = COUNT(commands) };

static struct globals given;
static struct parsed parsed;

/* Parse "akin WORD WORD..."; words are divided by single spaces. Frees what the last call left. */
static bool parse(const char *line)
{
	static char text[1000];
	char *argv[32] = { NULL };
	int argc = 0;

	options_free(&program, &given, &parsed);
	given = (struct globals){ 0 };
	snprintf(text, sizeof text, "akin %s", line);
	for (char *p = strtok(text, " "); p && argc < 31; p = strtok(NULL, " ")) argv[argc++] = p;
	return options_parse(&program, argc, argv, &given, &parsed);
}

static const struct values *values(void)
{
	return parsed.values;
}

TEST(a_value_comes_in_every_gnu_form)
{
	static const char *const lines[] = { "search x --k=5", "search x --k 5", "search x -k5", "search x -k 5",
	                                     "search -k 5 x",
		                             "search -ek5 x" };

	for (size_t i = 0; i < COUNT(lines); i++) {
		CHECK(parse(lines[i]), "%s: %s\n", lines[i], parsed.complaint);
		CHECK(values()->k == 5 && parsed.n_args == 1, "%s: %lld\n", lines[i], (long long)values()->k);
	}
	CHECK(parse("search x") && values()->k == 10, "the default\n");
	CHECK(parse("search x -k 3 -k 4") && values()->k == 4, "the last one counts\n");
}

TEST(flags_bundle_and_options_stand_anywhere)
{
	CHECK(parse("-q search -e0 x --in=a=b --library lib y"), "%s\n", parsed.complaint);
	CHECK(given.quiet && values()->exact && values()->zero && parsed.n_args == 2);
	assert_string_equal(values()->in, "a=b");
	assert_string_equal(given.library, "lib");
}

TEST(two_dashes_end_the_options_and_one_is_an_argument)
{
	CHECK(parse("search - -- -k") && parsed.n_args == 2);
	assert_string_equal(parsed.args[0], "-");
	assert_string_equal(parsed.args[1], "-k");
}

TEST(a_repeatable_option_collects)
{
	CHECK(parse("search x --label a --label=b --label c") && values()->labels.n == 3);
	assert_string_equal(values()->labels.items[2], "c");
}

TEST(out_of_range_names_the_range)
{
	static const char *const lines[][2] = {
		{ "search x -k 0", "-k must be a whole number from 1 to 100, not '0'" },
		{ "search x --k=101", "--k must be a whole number from 1 to 100, not '101'" },
		{ "search x -k 5x", "-k must be a whole number from 1 to 100, not '5x'" },
		{ "search x -k=5", "-k must be a whole number from 1 to 100, not '=5'" },
		{ "search x -k 99999999999999999999",
		  "-k must be a whole number from 1 to 100, not '99999999999999999999'" },
		{ "search x -t 1.5", "-t must be a number from 0 to 1, not '1.5'" },
		{ "search x -t nan", "-t must be a number from 0 to 1, not 'nan'" },
		{ "search x -t 0x1", "-t must be a number from 0 to 1, not '0x1'" },
		{ "search x -t inf", "-t must be a number from 0 to 1, not 'inf'" },
		{ "search x --in=", "--in must not be empty" },
	};

	for (size_t i = 0; i < COUNT(lines); i++) {
		CHECK(!parse(lines[i][0]), "%s\n", lines[i][0]);
		assert_string_equal(parsed.complaint, lines[i][1]);
	}
	CHECK(parse("search x -t .5") && fabs(values()->threshold - 0.5) < 1e-12);
}

TEST(what_is_unknown_gets_the_nearest_name)
{
	static const char *const lines[][2] = {
		{ "search x --thresold 1", "unknown option --thresold; did you mean --threshold?" },
		{ "search x --thr 1", "unknown option --thr; did you mean --threshold?" },
		{ "search x --quite", "unknown option --quite; did you mean --quiet?" },
		{ "search x --zzz", "unknown option --zzz; see akin search --help" },
		{ "search x -Z", "unknown option -Z; see akin search --help" },
		{ "-k 5 search x", "unknown option -k; options of a command follow its name" },
		{ "saerch x", "unknown command 'saerch'; did you mean 'search'?" },
		{ "xyzzy", "unknown command 'xyzzy'; see akin --help" },
	};

	for (size_t i = 0; i < COUNT(lines); i++) {
		CHECK(!parse(lines[i][0]), "%s\n", lines[i][0]);
		assert_string_equal(parsed.complaint, lines[i][1]);
	}
}

TEST(arguments_are_counted)
{
	CHECK(!parse("search"));
	assert_string_equal(parsed.complaint, "search needs an argument: akin search PICTURE");
	CHECK(!parse("search a b c"));
	assert_string_equal(parsed.complaint, "one argument too many: 'c'; usage: akin search PICTURE");
	CHECK(!parse("list a"));
	assert_string_equal(parsed.complaint, "list takes no arguments, but 'a' was given");
	CHECK(!parse("search x -k"));
	assert_string_equal(parsed.complaint, "-k needs a value: -k N");
	CHECK(!parse("search x --exact=1"));
	assert_string_equal(parsed.complaint, "--exact takes no value");
}

TEST(help_wins_over_what_follows)
{
	CHECK(parse("search --help --nonsense") && given.help && parsed.command == &search);
	CHECK(parse("-h") && given.help && !parsed.command);
	CHECK(parse("") && !parsed.command);
}

TEST(the_environment_is_a_default)
{
	setenv("AKIN_TEST_LIBRARY", "from-env", 1);
	CHECK(parse("list"));
	assert_string_equal(given.library, "from-env");
	CHECK(parse("list -l own"));
	assert_string_equal(given.library, "own");
	unsetenv("AKIN_TEST_LIBRARY");
	options_free(&program, &given, &parsed);
}

TEST(help_fits_80_columns)
{
	char *text = NULL, *line;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	help_command(&program, &search, out, false);
	help_program(&program, out, false);
	fclose(out);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) CHECK(strlen(line) <= 80, "%s\n", line);
	free(text);
}

TEST_MAIN(cmocka_unit_test(a_value_comes_in_every_gnu_form), cmocka_unit_test(flags_bundle_and_options_stand_anywhere),
          cmocka_unit_test(two_dashes_end_the_options_and_one_is_an_argument),
          cmocka_unit_test(a_repeatable_option_collects), cmocka_unit_test(out_of_range_names_the_range),
          cmocka_unit_test(what_is_unknown_gets_the_nearest_name), cmocka_unit_test(arguments_are_counted),
          cmocka_unit_test(help_wins_over_what_follows), cmocka_unit_test(the_environment_is_a_default),
          cmocka_unit_test(help_fits_80_columns))
