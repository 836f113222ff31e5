/* bench/decode.c - what pictures cost, and what becomes of odd ones.
 *
 *   bench_decode [-vt] [-s SIDE] [-r ROUNDS] [-o FILE] FOLDER_OR_FILE...
 *
 * Prints milliseconds a picture: header, decoding at full size, the whole way to the tensor. -v prints one line a file: ok,
 * size and format, or the reason. -t leaves out the full decoding, so that the memory is the tensor's alone. -o appends every tensor (SIDE x SIDE x 3 bytes), zeros for failures, for comparison with
 * another implementation.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "image/image.h"

struct bench {
	bool verbose, tensor_only;
	unsigned side, rounds;
	FILE *tensors;
	double probe, decode, tensor;
	size_t done, failed;
	uint8_t *pixels;
};

static void one_file(struct bench *b, const char *path)
{
	struct image_recipe recipe = { .width = b->side, .height = b->side };
	struct buf file = BUF_EMPTY;
	struct picture_info info = { 0 };
	struct picture picture;
	akin_error err = { 0 };
	akin_status st = fs_read(path, UINT64_C(1) << 30, &file, &err);
	double t0 = clock_seconds(), took = 0;

	for (unsigned i = 0; st == AKIN_OK && i < b->rounds; i++) {
		double t;

		t0 = clock_seconds();
		st = image_tensor(file.data, file.len, &recipe, NULL, b->pixels, &info, &err);
		took = (t = clock_seconds()) - t0;
		if (st != AKIN_OK) break;
		b->tensor += took;
		if (b->tensor_only) continue;
		image_probe(file.data, file.len, NULL, &info, NULL);
		b->probe += clock_seconds() - t;
		t = clock_seconds();
		if (image_decode(file.data, file.len, 0, NULL, &picture, NULL) == AKIN_OK) b->decode += clock_seconds() - t;
		picture_deinit(&picture);
	}
	if (st != AKIN_OK) memset(b->pixels, 0, (size_t)b->side * b->side * 3);
	if (b->tensors) fwrite(b->pixels, 3, (size_t)b->side * b->side, b->tensors);
	if (st == AKIN_OK) b->done++;
	else b->failed++;
	if (b->verbose && st == AKIN_OK) printf("ok %ux%u %s %.1f ms\t%s\n", info.width, info.height, info.format, took * 1e3, path);
	if (b->verbose && st != AKIN_OK) printf("%s: %s (%.1f ms)\t%s\n", akin_status_name(st), err.text, took * 1e3, path);
	fflush(stdout);
	buf_deinit(&file);
}

static void walk(struct bench *b, const char *path)
{
	struct dirent **names = NULL;
	int n;

	if (!fs_is_dir(path)) {
		one_file(b, path);
		return;
	}
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			char *child = fs_join(path, names[i]->d_name);

			if (child) walk(b, child);
			mem_free(child);
		}
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	struct bench b = { .side = 224, .rounds = 1 };
	struct rusage usage;
	int option;

	while ((option = getopt(argc, argv, "vts:r:o:")) != -1) {
		if (option == 'v') b.verbose = true;
		else if (option == 't') b.tensor_only = true;
		else if (option == 's') b.side = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'r') b.rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'o') b.tensors = fopen(optarg, "wb");
		else return 2;
	}
	if (optind == argc || !b.side || !(b.pixels = mem_alloc((size_t)b.side * b.side * 3))) return 2;
	for (int i = optind; i < argc; i++) walk(&b, argv[i]);
	if (b.done) {
		double n = (double)b.done * b.rounds / 1e3;

		printf("%zu pictures: header %.3f ms, decode %.3f ms, tensor %.3f ms each; %zu failed\n", b.done, b.probe / n,
		       b.decode / n, b.tensor / n, b.failed);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("at most %ld MB of memory\n", usage.ru_maxrss / 1024);
	if (b.tensors) fclose(b.tensors);
	mem_free(b.pixels);
	return 0;
}
