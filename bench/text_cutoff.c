/* bench/text_cutoff.c - whether texts that fit nothing find nothing, and captions keep their pictures.
 *
 *   text_cutoff LIBRARY ABSENT.txt CAPTIONS.csv     LIBRARY has the pictures of CAPTIONS.csv; ABSENT has a text a line
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akin/akin.h"

static akin_library *lib;
static akin_error err;

static _Noreturn void die(void)
{
	fprintf(stderr, "text_cutoff: %s\n", err.text);
	exit(1);
}

/* Whether `id` (0: anything) is among the first ten. */
static int finds(const char *text, int all, akin_id id)
{
	const akin_search_params params = { .all = all };
	akin_result *result;
	int found = 0;

	if (akin_search_text(lib, text, &params, &result, &err) != AKIN_OK) die();
	for (size_t i = 0; i < akin_result_count(result); i++) found = found || !id || akin_result_hit(result, i)->id == id;
	akin_result_free(result);
	return found;
}

static void ask_absent(const char *path)
{
	FILE *in = fopen(path, "r");
	char line[4096];
	unsigned texts = 0, nothing = 0;

	if (!in) {
		perror(path);
		exit(1);
	}
	while (fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = '\0';
		texts++;
		if (!finds(line, 0, 0)) nothing++;
		else printf("  found something: %s\n", line);
	}
	fclose(in);
	printf("of %u texts that fit nothing, %u found nothing: %.1f %%\n", texts, nothing, 100.0 * nothing / texts);
}

static void ask_captions(const char *path)
{
	akin_labels *labels;
	unsigned near = 0, kept = 0;

	if (akin_labels_read(&labels, path, NULL, 0, &err) != AKIN_OK) die();
	for (size_t i = 0; i < akin_labels_count(labels); i++) {
		const char *caption = akin_labels_classes(labels)[i];
		akin_id id;

		if (akin_picture_find(lib, akin_labels_paths(labels)[i], &id, &err) != AKIN_OK || !finds(caption, 1, id)) continue;
		near++;
		kept += (unsigned)finds(caption, 0, id);
	}
	printf("of %u captions whose picture is among the first ten, %u keep it: %.1f %%\n", near, kept, 100.0 * kept / near);
	akin_labels_free(labels);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: text_cutoff LIBRARY ABSENT.txt CAPTIONS.csv\n", stderr);
		return 2;
	}
	if (akin_library_open(&lib, argv[1], &(akin_open_params){ .flags = AKIN_OPEN_READONLY }, &err) != AKIN_OK) die();
	ask_absent(argv[2]);
	ask_captions(argv[3]);
	akin_library_close(lib);
	return 0;
}
