/* fuzz/fuzz_paths.c - paths are any bytes: making them absolute, taking them apart, judging names.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "engine/engine.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_absolute(const char *path)
{
	char *again;

	if (path[0] != '/' || strstr(path, "//") || strstr(path, "/./") || strstr(path, "/../")) abort();
	if (!(again = fs_absolute(path)) || strcmp(again, path) != 0) abort();
	mem_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *path = mem_alloc(n + 1), *whole, *dir, *joined;

	memcpy(path, data, n);
	path[n] = '\0';
	whole = fs_absolute(path);
	check_absolute(whole);
	dir = fs_dirname(whole);
	joined = fs_join(dir, fs_basename(whole));
	if (strcmp(whole, "/") != 0 && strcmp(joined, whole) != 0) abort();
	if (walk_skips(fs_basename(path)) && image_name_fits("a.jpg") != 1) abort();
	(void)image_name_fits(path);
	mem_free(joined);
	mem_free(dir);
	mem_free(whole);
	mem_free(path);
	return 0;
}
