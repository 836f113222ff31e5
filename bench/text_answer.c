/* bench/text_answer.c - from a text to ranked answers in a warm process, on a large library of made-up pictures.
 *
 *   text_answer FOLDER [N]     makes FOLDER/N.akin when it is not there; N: 100000
 *
 * Prints the median and the 95th percentile in milliseconds of each step: tokenise and encode, the search of the index with the
 * words and the fusion, paths of the hits, and the same under filters that allow a half, a tenth and a hundredth of the pictures.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akin/akin.h"
#include "base/clock.h"
#include "base/rng.h"
#include "vecfile/npy.h"

enum { DIM = 1280, CLUSTERS = 500, ROUNDS = 8, MOST = 256 };

static const char *const texts[] = { "a dog running on the beach", "two children playing football in a park", "red car at night",
	                             "一只猫躺在沙发上", "snowy mountains", "eine Frau mit Hut", "sunset", "a man climbing a rock wall",
	                             "des oiseaux dans le ciel", "雪地里的两只狗", "bicycle", "a group of people at a wedding" };
static akin_error err;

static _Noreturn void die(void)
{
	fprintf(stderr, "text_answer: %s\n", err.text);
	exit(1);
}

/* Not negative, in clusters, as embeddings are; paths under folders that filters can name. */
static void make(akin_library *lib, const char *folder, long n)
{
	static float centre[CLUSTERS][DIM], row[DIM];
	char npy[1024], list[1024];
	struct rng rng = { 1 };
	struct npy_writer w;
	uint64_t got;
	FILE *out;

	snprintf(npy, sizeof npy, "%s/rows.npy", folder);
	snprintf(list, sizeof list, "%s/rows.txt", folder);
	for (int c = 0; c < CLUSTERS; c++)
		for (int j = 0; j < DIM; j++) centre[c][j] = (float)fmax(rng_normal(&rng), 0);
	if (!(out = fopen(list, "w")) || npy_writer_begin(&w, npy, NPY_F32, (size_t)n, DIM, &err) != AKIN_OK) die();
	for (long i = 0; i < n; i++) {
		for (int j = 0; j < DIM; j++) row[j] = (float)fmax((double)centre[i % CLUSTERS][j] + 0.5 * rng_normal(&rng), 0);
		if (npy_writer_row(&w, row, &err) != AKIN_OK) die();
		fprintf(out, "/half%ld/tenth%ld/hundredth%ld/%s%ld.jpg\n", i % 2, i % 10, i % 100, i % 97 ? "img" : "dog", i);
	}
	if (npy_writer_commit(&w, &err) != AKIN_OK || fclose(out)) die();
	if (akin_library_import(lib, npy, list, "efficientnet-lite1-int8", &got, &err) != AKIN_OK) die();
	remove(npy);
	remove(list);
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void put(const char *name, double *ms, size_t n)
{
	qsort(ms, n, sizeof *ms, ascending);
	printf("  %-24s %8.2f %8.2f\n", name, ms[n / 2], ms[n * 95 / 100]);
}

static void measure(akin_library *lib, const char *filter)
{
	static double embed[MOST], search[MOST], gather[MOST], open[MOST], all[MOST];
	const akin_search_params params = { .all = 1, .filter = filter };
	size_t n = 0;

	for (int round = -1; round < ROUNDS; round++)
		for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
			double start = clock_seconds();
			const akin_timings *ms;
			akin_result *result;

			if (akin_search_text(lib, texts[t], &params, &result, &err) != AKIN_OK) die();
			ms = akin_result_timings(result);
			if (round >= 0) {
				all[n] = 1e3 * (clock_seconds() - start);
				open[n] = ms->open_ms;
				embed[n] = ms->embed_ms;
				search[n] = ms->search_ms;
				gather[n++] = ms->gather_ms;
			}
			akin_result_free(result);
		}
	printf("%s\n", filter ? filter : "no filter");
	put("tokenise and encode", embed, n);
	put("search and fuse", search, n);
	put("paths", gather, n);
	put("is the index current", open, n);
	put("together, with filter", all, n);
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[2], NULL, 10) : 100000;
	akin_library_info info;
	akin_library *lib;
	char dir[1024];

	if (argc < 2 || n < 1000) {
		fputs("usage: text_answer FOLDER [N >= 1000]\n", stderr);
		return 2;
	}
	snprintf(dir, sizeof dir, "%s/%ld.akin", argv[1], n);
	if (akin_library_open(&lib, dir, &(akin_open_params){ .flags = AKIN_OPEN_CREATE }, &err) != AKIN_OK) die();
	if (akin_library_get_info(lib, &info, &err) != AKIN_OK) die();
	if (info.features < (uint64_t)n) make(lib, argv[1], n);
	akin_library_info_deinit(&info);
	printf("%ld pictures; milliseconds     median      95 %%\n", n);
	measure(lib, NULL);
	measure(lib, "folder:*half0*");
	measure(lib, "folder:*tenth0*");
	measure(lib, "folder:*hundredth0*");
	akin_library_close(lib);
	return 0;
}
