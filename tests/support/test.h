/* support/test.h - cmocka with the few checks that akin's tests share.
 *
 *   TEST(flat_finds_the_nearest) { ... CHECK_OK(index_create(&idx, &params, &err), &err); ... }
 *   TEST_MAIN(cmocka_unit_test(flat_finds_the_nearest))
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_TEST_H
#define AKIN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/rng.h"
#include "base/status.h"

#define TEST(name) static void name(void **state __attribute__((unused)))
#define TEST_MAIN(...)                                                                                                 \
	int main(void)                                                                                                 \
	{                                                                                                              \
		const struct CMUnitTest tests[] = { __VA_ARGS__ };                                                     \
		return cmocka_run_group_tests(tests, NULL, NULL);                                                      \
	}

#define CHECK(cond, ...)                                                                                               \
	do {                                                                                                           \
		if (!(cond)) {                                                                                         \
			print_error("%s:%d: %s: ", __FILE__, __LINE__, #cond);                                         \
			print_error(" " __VA_ARGS__);                                                                  \
			fail();                                                                                        \
		}                                                                                                      \
	} while (0)
#define CHECK_OK(call, err) CHECK((call) == AKIN_OK, "%s\n", (err)->text)
#define CHECK_STATUS(call, wanted)                                                                                     \
	do {                                                                                                           \
		akin_status got_ = (call);                                                                             \
		CHECK(got_ == (wanted), "got \"%s\"\n", akin_status_name(got_));                                       \
	} while (0)

/* A fresh folder, removed at exit; the string is the caller's for the whole run. */
const char *test_dir(void);
/* test_dir()/name; valid for the whole run. */
const char *test_path(const char *name);

/* Run body with the 1st, 2nd, 3rd ... call of `kinds` failing, until a run meets no injected failure. `limit` runs at most
 * (then the test fails: a loop that never ends). body returns what happened; it must free everything. */
void fault_loop(unsigned kinds, long limit, akin_status (*body)(void *ctx), void *ctx);
/* The same for a body of thousands of calls: the first 150, then every 23rd. */
void fault_loop_sampled(unsigned kinds, long limit, akin_status (*body)(void *ctx), void *ctx);

#endif
