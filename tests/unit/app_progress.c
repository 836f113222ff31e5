/* app/common/progress: the line that says how far indexing is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "common/progress.h"
#include "common/text.h"

static char line[512];

/* The line after `seconds` of reading `rate` files a second, told ten times a second. */
static const char *after(double seconds, double rate, uint64_t to_read, bool walk_finished, unsigned width)
{
	struct progress p = { .shown = false };

	for (double t = 0; t <= seconds + 1e-9; t += 0.1) {
		akin_progress now = { .found = to_read + 7,
			              .to_read = to_read,
			              .read = (uint64_t)(t * rate + 1e-6),
			              .walk_finished = walk_finished,
			              .seconds = t };
		progress_line(&p, &now, width, true, line, sizeof line);
	}
	return line;
}

TEST(time_left_is_promised_only_when_the_walk_is_over)
{
	assert_string_equal(after(10, 30, 3000, false, 79), "reading 300 of at least 3,000  30.0/s  at least 1:30 left");
	CHECK(strstr(after(10, 30, 3000, true, 79), "10%  30.0/s  1:30 left"), "%s\n", line);
	CHECK(!strstr(line, "at least"), "%s\n", line);
	assert_string_equal(after(10, 30, 0, false, 79), "looking at 7 files");
	CHECK(!strstr(after(0.5, 30, 3000, true, 79), "left"), "too early to know: %s\n", line);
}

TEST(the_rate_is_that_of_the_last_seconds)
{
	struct progress p = { .shown = false };
	akin_progress now = { .to_read = 10000, .walk_finished = 1 };

	for (int i = 0; i < 1000; i++) {
		now.seconds = i / 10.0;
		now.read += i < 500 ? 10 : 1; /* 100 a second, then 10 */
		progress_line(&p, &now, 79, true, line, sizeof line);
	}
	CHECK(strstr(line, " 10.0/s"), "%s\n", line);
}

TEST(the_line_fits_every_width)
{
	for (unsigned width = 1; width < 200; width++) {
		CHECK(text_width(after(3, 100, 123456, true, width)) <= width, "%u: %s\n", width, line);
		CHECK(text_width(after(3, 100, 123456, false, width)) <= width, "%u: %s\n", width, line);
		CHECK(text_width(after(3, 100, 0, false, width)) <= width, "%u: %s\n", width, line);
	}
}

TEST_MAIN(cmocka_unit_test(time_left_is_promised_only_when_the_walk_is_over),
          cmocka_unit_test(the_rate_is_that_of_the_last_seconds), cmocka_unit_test(the_line_fits_every_width))
