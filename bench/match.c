/* bench/match.c - how often pictures that have nothing in common are said to match, and what a comparison costs.
 *
 *   bench_match [-k sift|surf|orb] [-g MODEL] [-n PAIRS] FOLDER
 *
 * Compares picture i of the folder, in the order of names, with picture i + 1, i + 2, ... in turn until PAIRS (300)
 * comparisons are made, and prints each that is found, then the least log10 NFA and milliseconds. The folder must
 * hold no two pictures of the same thing. MODEL is 0 homography, 1 affine, 2 similarity, 3 fundamental.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "akin/akin.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/status.h"

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_match: %s: %s\n", what, why);
	exit(3);
}

static int is_picture(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && (!strcmp(dot, ".jpg") || !strcmp(dot, ".png"));
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "sift", "surf", "orb" };
	akin_local_params features = { .kind = AKIN_LOCAL_SIFT };
	akin_match_params match = { .model = AKIN_MATCH_HOMOGRAPHY };
	size_t wanted = 300, done = 0, found = 0, n, matches = 0;
	double least = 0, extracting = 0, matching = 0, t;
	struct dirent **names;
	akin_local **locals;
	akin_error err;
	int option, n_names;

	while ((option = getopt(argc, argv, "k:g:n:")) != -1) {
		if (option == 'n') wanted = strtoul(optarg, NULL, 10);
		else if (option == 'g') match.model = (akin_match_model)strtoul(optarg, NULL, 10);
		for (unsigned k = 0; option == 'k' && k < COUNT(kinds); k++)
			if (!strcmp(optarg, kinds[k])) features.kind = (akin_local_kind)k;
	}
	if (optind + 1 != argc) die(argv[0], "[-k sift|surf|orb] [-g MODEL] [-n PAIRS] FOLDER");
	if ((n_names = scandir(argv[optind], &names, is_picture, alphasort)) < 2)
		die(argv[optind], "holds no two pictures");
	n = (size_t)n_names < wanted + 1 ? (size_t)n_names : wanted + 1;
	locals = mem_calloc(n, sizeof(akin_local *));
	for (size_t i = 0; i < n; i++) {
		char *path = fs_join(argv[optind], names[i]->d_name);

		t = clock_seconds();
		if (akin_local_read(&locals[i], path, &features, &err) != AKIN_OK) die(path, err.text);
		extracting += clock_seconds() - t;
		mem_free(path);
	}
	for (size_t apart = 1; apart < n && done < wanted; apart++)
		for (size_t i = 0; i + apart < n && done < wanted; i++, done++) {
			const akin_match_info *info;
			akin_match *m;

			t = clock_seconds();
			if (akin_match_create(&m, locals[i], locals[i + apart], &match, &err) != AKIN_OK)
				die(names[i]->d_name, err.text);
			matching += clock_seconds() - t;
			info = akin_match_get(m);
			least = fmin(least, info->log10_nfa);
			matches += info->n_matches;
			found += info->found != 0;
			if (info->found)
				printf("%s %s: %zu of %zu, log10 NFA %.1f\n", names[i]->d_name,
				       names[i + apart]->d_name,
				       info->n_inliers, info->n_matches, info->log10_nfa);
			akin_match_free(m);
		}
	printf("%s: %zu pairs of %zu pictures, %zu found, least log10 NFA %.1f, %.1f matches a pair; %.1f ms a picture, %.1f ms a pair\n",
	       kinds[features.kind], done, n, found, least, (double)matches / (double)done,
	       1e3 * extracting / (double)n,
	       1e3 * matching / (double)done);
	for (size_t i = 0; i < n; i++) akin_local_free(locals[i]);
	mem_free(locals);
	return found > 0;
}
