/* search.c - index a folder and find what is like a picture, with akin's C API.
 *
 *   cc examples/search.c $(pkg-config --cflags --libs akin) -o search
 *   ./search photos.akin ~/Pictures beach.jpg
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <akin/akin.h>

static akin_status search(const char *dir, const char *folder, const char *picture, akin_error *err)
{
	akin_open_params open = { .flags = AKIN_OPEN_CREATE };
	akin_search_params params = { .k = 5 };
	akin_library *lib = NULL;
	akin_result *result = NULL;
	akin_status st;

	if ((st = akin_library_open(&lib, dir, &open, err)) != AKIN_OK) goto out;
	/* Cheap when repeated: only what is new or changed is read. */
	if ((st = akin_library_index(lib, &folder, 1, NULL, NULL, err)) != AKIN_OK) goto out;
	if ((st = akin_search_file(lib, picture, &params, &result, err)) != AKIN_OK) goto out;
	for (size_t i = 0; i < akin_result_count(result); i++) {
		const akin_hit *hit = akin_result_hit(result, i);

		printf("%zu  %.3f  %s\n", hit->rank, hit->score, hit->path);
	}
out:
	akin_result_free(result);
	akin_library_close(lib);
	return st;
}

int main(int argc, char **argv)
{
	akin_error err;

	if (argc != 4) {
		fprintf(stderr, "usage: search LIBRARY FOLDER PICTURE\n");
		return 2;
	}
	if (search(argv[1], argv[2], argv[3], &err) == AKIN_OK) return 0;
	fprintf(stderr, "search: %s\n", err.text);
	return 3;
}
