#!/bin/sh
# tests/compat/arm.sh - the kernels for 64-bit Arm against scalar, on a machine that is none: built by a cross compiler, run
# under qemu. Needs gcc-aarch64-linux-gnu and qemu-user. cmocka is not needed: the kernels' tests use four words of it.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/../.."
cc=aarch64-linux-gnu-gcc
for tool in $cc qemu-aarch64; do
	command -v $tool >/dev/null || { echo "skipped: there is no $tool"; exit 0; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/cmocka.h" <<'END'
#include <stdlib.h>
struct CMUnitTest {
	const char *name;
	void (*run)(void **state);
};
#define cmocka_unit_test(f) { #f, f }
#define print_error(...) fprintf(stderr, __VA_ARGS__)
#define print_message(...) fprintf(stderr, __VA_ARGS__)
#define fail() exit(1)
#define cmocka_run_group_tests(tests, setup, teardown) run_all(tests, sizeof(tests) / sizeof *(tests))
static int run_all(const struct CMUnitTest *tests, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		tests[i].run(NULL);
		printf("ok %s\n", tests[i].name);
	}
	return 0;
}
END
for test in codes lists simd; do
	$cc -std=gnu11 -O2 -static -I"$work" -Isrc -Iinclude -Itests/support -o "$work/$test" \
		tests/kernel/$test.c src/simd/scalar.c src/simd/neon*.c src/simd/codes.c src/simd/lists.c src/simd/dispatch.c \
		src/base/alloc.c src/base/fault.c src/base/log.c src/base/status.c src/base/clock.c -lm -lpthread
	qemu-aarch64 "$work/$test"
done
