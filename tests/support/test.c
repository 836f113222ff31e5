/* support/test.c
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"

static char dir[64];
static char *paths[256];
static size_t n_paths;

static void clean_up(void)
{
	fs_remove_tree(dir, NULL);
	for (size_t i = 0; i < n_paths; i++) mem_free(paths[i]);
}

const char *test_dir(void)
{
	if (!dir[0]) {
		snprintf(dir, sizeof dir, "/tmp/akin-test-XXXXXX");
		if (!mkdtemp(dir)) abort();
		atexit(clean_up);
	}
	return dir;
}

const char *test_path(const char *name)
{
	if (n_paths == COUNT(paths)) abort();
	paths[n_paths] = fs_join(test_dir(), name);
	return paths[n_paths++];
}

static void loop(unsigned kinds, long limit, long dense, akin_status (*body)(void *ctx), void *ctx)
{
	for (int persistent = 0; persistent < 2; persistent++) {
		bool met = true;

		for (long nth = 1; met; nth += nth < dense ? 1 : 23) {
			akin_status st;

			CHECK(nth <= limit, "still failing injected call %ld\n", nth);
			fault_arm(kinds, nth, persistent);
			st = body(ctx);
			met = fault_disarm();
			if (!met) CHECK(st == AKIN_OK, "no fault was injected, yet: %s\n", akin_status_name(st));
		}
	}
}

void fault_loop(unsigned kinds, long limit, akin_status (*body)(void *ctx), void *ctx)
{
	loop(kinds, limit, limit, body, ctx);
}

void fault_loop_sampled(unsigned kinds, long limit, akin_status (*body)(void *ctx), void *ctx)
{
	loop(kinds, limit, 150, body, ctx);
}
