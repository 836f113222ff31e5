/* bench/local.c - local features on pairs of pictures whose homography is known: how many are found again, how many
 * are matched rightly, and what they cost; other programs' features beside ours.
 *
 *   bench_local [-n BUDGET] [-u] [-s SPREAD] [-k METHOD] [-p NAME=FOLDER]... PAIRS.csv
 *
 * PAIRS.csv has lines image1,image2,homography, paths relative to it. FOLDER holds what tools/opencv_features wrote.
 * Definitions of Mikolajczyk et al., A comparison of affine region detectors, IJCV 65(1/2), 2005, section 4: two
 * regions correspond when, the first mapped by the homography and both scaled so that the first has a radius of 30
 * pixels, they overlap by more than 60 % of their union. Repeatability: correspondences, one to one, by the smaller
 * number of regions in the part that both pictures show. Matching score: of the nearest neighbours by description
 * those that correspond, by the same number.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "feature/local.h"
#include "image/image.h"
#include "simd/kernels.h"

static const double pi = 3.14159265358979;

enum { ROUNDS = 5, PEERS_MAX = 8, PAIRS_MAX = 64 };

struct method {
	char name[40];
	const char *folder; /* of a peer, NULL: ours */
	struct local_params params;
};

struct score {
	double repeatability, matching, ms;
	size_t n_found, n_right, n_features;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_local: %s: %s\n", what, why);
	exit(3);
}

/* ---- features ---- */

static double extract(struct local_set *set, const char *path, const struct local_params *params)
{
	struct buf file = BUF_EMPTY;
	struct picture picture;
	akin_error err;
	uint8_t *grey;
	double best = 1e9;

	if (fs_read(path, UINT64_C(1) << 30, &file, &err) != AKIN_OK ||
	    image_decode(file.data, file.len, 0, NULL, &picture, &err) != AKIN_OK)
		die(path, err.text);
	grey = mem_alloc((size_t)picture.width * picture.height);
	local_grey(picture.rgb, (size_t)picture.width * picture.height, grey);
	for (int i = 0; i < ROUNDS; i++) {
		double t = clock_seconds();

		if (i) local_set_deinit(set);
		if (local_extract(set, grey, picture.width, picture.height, params, &err) != AKIN_OK)
			die(path, err.text);
		best = fmin(best, clock_seconds() - t);
	}
	mem_free(grey);
	picture_deinit(&picture);
	buf_deinit(&file);
	return best;
}

/* "ms WIDTH HEIGHT N BYTES hamming|l2", then N lines "x y scale angle response HEX". */
static double read_peer(struct local_set *set, const char *folder, const char *image)
{
	char name[512], metric[16], hex[2 * LOCAL_MAX_BYTES + 1];
	FILE *f;
	double ms;

	snprintf(name, sizeof name, "%s/%s.txt", folder, image);
	for (char *c = name + strlen(folder) + 1; *c; c++)
		if (*c == '/') *c = '_';
	if (!(f = fopen(name, "r"))) die(name, "cannot be read");
	*set = LOCAL_SET_EMPTY;
	if (fscanf(f, "%lf %u %u %zu %zu %15s", &ms, &set->width, &set->height, &set->n, &set->bytes, metric) != 6 ||
	    set->bytes > LOCAL_MAX_BYTES)
		die(name, "is not from tools/opencv_features");
	set->kind = strcmp(metric, "hamming") ? LOCAL_SIFT : LOCAL_ORB;
	set->at = mem_calloc(set->n, sizeof *set->at);
	set->descriptors = mem_aligned(set->n * set->bytes);
	for (size_t i = 0; i < set->n; i++) {
		struct local_feature *at = &set->at[i];

		if (fscanf(f, "%f %f %f %f %f %256s", &at->x, &at->y, &at->scale, &at->angle, &at->response, hex) != 6)
			die(name, "ends early");
		for (size_t b = 0; b < set->bytes; b++) {
			unsigned byte = 0;
			if (sscanf(hex + 2 * b, "%2x", &byte) != 1) die(name, "has a broken description");
			set->descriptors[i * set->bytes + b] = (uint8_t)byte;
		}
	}
	fclose(f);
	return ms / 1000;
}

/* ---- homographies ---- */

static void map(const double h[9], double x, double y, double to[2])
{
	double w = h[6] * x + h[7] * y + h[8];

	to[0] = (h[0] * x + h[1] * y + h[2]) / w;
	to[1] = (h[3] * x + h[4] * y + h[5]) / w;
}

static void invert(const double h[9], double to[9])
{
	double det = h[0] * (h[4] * h[8] - h[5] * h[7]) - h[1] * (h[3] * h[8] - h[5] * h[6]) +
	        h[2] * (h[3] * h[7] - h[4] * h[6]);
	const double adjugate[9] = {
		h[4] * h[8] - h[5] * h[7], h[2] * h[7] - h[1] * h[8], h[1] * h[5] - h[2] * h[4],
		h[5] * h[6] - h[3] * h[8], h[0] * h[8] - h[2] * h[6], h[2] * h[3] - h[0] * h[5],
		h[3] * h[7] - h[4] * h[6], h[1] * h[6] - h[0] * h[7], h[0] * h[4] - h[1] * h[3],
	};

	for (int i = 0; i < 9; i++) to[i] = adjugate[i] / det;
}

/* Those that lie in the part both pictures show; *kept receives their numbers. */
static size_t common(const struct local_set *set, const double h[9], const struct local_set *other, size_t *kept)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		double to[2];

		map(h, (double)set->at[i].x, (double)set->at[i].y, to);
		if (to[0] >= 0 && to[1] >= 0 && to[0] < other->width && to[1] < other->height) kept[n++] = i;
	}
	return n;
}

/* ---- overlap ---- */

/* An ellipse around a point: (p - c)^T m (p - c) <= 1. */
struct ellipse {
	double x, y, a, b, c, reach;
};

/* The circle of feature f mapped by h; `grow` scales it. */
static struct ellipse ellipse_of(const struct local_feature *f, const double *h, double grow)
{
	double r = (double)f->scale * grow, to[2] = { (double)f->x, (double)f->y }, j[4] = { 1, 0, 0, 1 };
	struct ellipse e;
	double det;

	if (h) {
		double w = h[6] * to[0] + h[7] * to[1] + h[8];

		map(h, (double)f->x, (double)f->y, to);
		j[0] = (h[0] - to[0] * h[6]) / w;
		j[1] = (h[1] - to[0] * h[7]) / w;
		j[2] = (h[3] - to[1] * h[6]) / w;
		j[3] = (h[4] - to[1] * h[7]) / w;
	}
	for (int i = 0; i < 4; i++) j[i] *= r;
	e = (struct ellipse){ .x = to[0], .y = to[1] };
	det = j[0] * j[3] - j[1] * j[2];
	e.a = (j[2] * j[2] + j[3] * j[3]) / (det * det);
	e.b = -(j[0] * j[2] + j[1] * j[3]) / (det * det);
	e.c = (j[0] * j[0] + j[1] * j[1]) / (det * det);
	e.reach = sqrt(j[0] * j[0] + j[1] * j[1] + j[2] * j[2] + j[3] * j[3]);
	return e;
}

static bool inside(const struct ellipse *e, double x, double y)
{
	x -= e->x;
	y -= e->y;
	return e->a * x * x + 2 * e->b * x * y + e->c * y * y <= 1;
}

/* 1 - intersection / union, on a grid of pixels. */
static double overlap_error(const struct ellipse *p, const struct ellipse *q)
{
	double area_p = pi / sqrt(p->a * p->c - p->b * p->b), area_q = pi / sqrt(q->a * q->c - q->b * q->b), both = 0;

	if (fmin(area_p, area_q) < 0.6 * fmax(area_p, area_q)) return 1;
	if (hypot(p->x - q->x, p->y - q->y) > p->reach + q->reach) return 1;
	for (double y = floor(p->y - p->reach); y <= p->y + p->reach; y++)
		for (double x = floor(p->x - p->reach); x <= p->x + p->reach; x++)
			both += inside(p, x, y) && inside(q, x, y);
	return 1 - both / (area_p + area_q - both);
}

struct couple {
	double error;
	size_t a, b;
};

static int by_error(const void *a, const void *b)
{
	double x = ((const struct couple *)a)->error, y = ((const struct couple *)b)->error;

	return (x > y) - (x < y);
}

static double error_of(const struct local_set *a, size_t i, const struct local_set *b, size_t j, const double h[9])
{
	struct ellipse e = ellipse_of(&a->at[i], h, 1), f;
	double grow = 30 / sqrt(1 / sqrt(e.a * e.c - e.b * e.b));

	if (hypot(e.x - (double)b->at[j].x, e.y - (double)b->at[j].y) > 30) return 1;
	e = ellipse_of(&a->at[i], h, grow);
	f = ellipse_of(&b->at[j], NULL, grow);
	return overlap_error(&e, &f);
}

static size_t correspondences(const struct local_set *a, const size_t *in_a, size_t n_a, const struct local_set *b,
                              const size_t *in_b, size_t n_b, const double h[9])
{
	struct couple *couples = NULL;
	size_t n = 0, capacity = 0, found = 0;
	bool *used = mem_calloc(a->n + b->n + 1, sizeof *used);

	for (size_t i = 0; i < n_a; i++)
		for (size_t j = 0; j < n_b; j++) {
			double error = error_of(a, in_a[i], b, in_b[j], h);

			if (error >= 0.4) continue;
			couples = mem_grow(couples, &capacity, n, sizeof *couples);
			couples[n++] = (struct couple){ error, in_a[i], in_b[j] };
		}
	if (n) qsort(couples, n, sizeof *couples, by_error);
	for (size_t i = 0; i < n; i++) {
		if (used[couples[i].a] || used[a->n + couples[i].b]) continue;
		used[couples[i].a] = used[a->n + couples[i].b] = true;
		found++;
	}
	mem_free(used);
	mem_free(couples);
	return found;
}

static size_t right_matches(const struct local_set *a, const size_t *in_a, size_t n_a, const struct local_set *b,
                            const size_t *in_b, size_t n_b, const double h[9])
{
	const struct kernels *kernels = kernels_best();
	size_t right = 0;

	for (size_t i = 0; i < n_a; i++) {
		uint32_t best = UINT32_MAX;
		size_t at = 0;

		for (size_t j = 0; j < n_b; j++) {
			const uint8_t *x = a->descriptors + in_a[i] * a->bytes,
			        *y = b->descriptors + in_b[j] * b->bytes;
			uint32_t d = a->kind == LOCAL_ORB ? kernels->hamming(x, y, a->bytes)
			                                  : kernels->l2_u8(x, y, a->bytes);

			if (d < best) best = d, at = in_b[j];
		}
		right += n_b && error_of(a, in_a[i], b, at, h) < 0.4;
	}
	return right;
}

static struct score compare(const struct local_set *a, const struct local_set *b, const double h[9])
{
	size_t *in_a = mem_calloc(a->n + 1, sizeof *in_a), *in_b = mem_calloc(b->n + 1, sizeof *in_b), n_a, n_b;
	struct score s = { 0 };
	double back[9];

	invert(h, back);
	n_a = common(a, h, b, in_a);
	n_b = common(b, back, a, in_b);
	s.n_found = correspondences(a, in_a, n_a, b, in_b, n_b, h);
	s.n_right = right_matches(a, in_a, n_a, b, in_b, n_b, h);
	s.repeatability = n_a && n_b ? (double)s.n_found / (double)(n_a < n_b ? n_a : n_b) : 0;
	s.matching = n_a && n_b ? (double)s.n_right / (double)(n_a < n_b ? n_a : n_b) : 0;
	s.n_features = a->n;
	mem_free(in_a);
	mem_free(in_b);
	return s;
}

/* ---- the table ---- */

struct pair {
	char a[256], b[256];
	double h[9];
};

static size_t read_pairs(const char *path, const char *folder, struct pair *pairs)
{
	char line[1024], matrix[256], full[1024];
	FILE *f = fopen(path, "r"), *m;
	size_t n = 0;

	if (!f || !fgets(line, sizeof line, f)) die(path, "cannot be read");
	while (n < PAIRS_MAX && fgets(line, sizeof line, f)) {
		struct pair *p = &pairs[n++];

		if (sscanf(line, "%255[^,],%255[^,],%255[^,\r\n]", p->a, p->b, matrix) != 3)
			die(path, "lines are image1,image2,homography");
		snprintf(full, sizeof full, "%s/%s", folder, matrix);
		if (!(m = fopen(full, "r"))) die(full, "cannot be read");
		for (int i = 0; i < 9; i++)
			if (fscanf(m, "%lf", &p->h[i]) != 1) die(full, "is not nine numbers");
		fclose(m);
	}
	fclose(f);
	return n;
}

static double features(struct local_set *set, const struct method *method, const char *folder, const char *image)
{
	char path[1024];

	if (method->folder) return read_peer(set, method->folder, image);
	snprintf(path, sizeof path, "%s/%s", folder, image);
	return extract(set, path, &method->params);
}

static void measure(const struct method *method, const char *folder, const struct pair *pairs, size_t n)
{
	struct score sum = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct local_set a, b;
		double ms = 1e3 * features(&a, method, folder, pairs[i].a);
		struct score s;

		ms = (ms + 1e3 * features(&b, method, folder, pairs[i].b)) / 2;
		s = compare(&a, &b, pairs[i].h);
		printf("| %s | %s %s | %zu | %.1f | %zu | %.1f | %zu | %.1f |\n", method->name, pairs[i].a, pairs[i].b,
		       s.n_features,
		       100 * s.repeatability, s.n_found, 100 * s.matching, s.n_right, ms);
		fflush(stdout);
		sum.repeatability += s.repeatability / (double)n;
		sum.matching += s.matching / (double)n;
		sum.ms += ms / (double)n;
		sum.n_found += s.n_found;
		sum.n_right += s.n_right;
		local_set_deinit(&a);
		local_set_deinit(&b);
	}
	printf("| **%s** | **mean** | | **%.1f** | %.0f | **%.1f** | %.0f | **%.1f** |\n", method->name,
	       100 * sum.repeatability,
	       (double)sum.n_found / (double)n, 100 * sum.matching, (double)sum.n_right / (double)n, sum.ms);
}

static size_t own_methods(struct method *methods, const struct local_params *common)
{
	static const struct {
		const char *name;
		struct local_params params;
	} own[] = {
		{ "SIFT", { .kind = LOCAL_SIFT } },
		{ "SIFT, plain", { .kind = LOCAL_SIFT, .plain_sift = true } },
		{ "SURF-64", { .kind = LOCAL_SURF } },
		{ "SURF-128", { .kind = LOCAL_SURF, .long_surf = true } },
		{ "ORB", { .kind = LOCAL_ORB } },
	};

	for (size_t i = 0; i < COUNT(own); i++) {
		snprintf(methods[i].name, sizeof methods[i].name, "%s", own[i].name);
		methods[i].params = own[i].params;
		methods[i].params.budget = common->budget;
		methods[i].params.upright = common->upright;
		methods[i].params.spread = common->spread;
		methods[i].folder = NULL;
	}
	return COUNT(own);
}

int main(int argc, char **argv)
{
	struct method methods[PEERS_MAX + 8];
	struct pair pairs[PAIRS_MAX];
	struct local_params own = { .budget = 2000 };
	const char *only = "";
	size_t n_methods, n_peers = 0, n;
	char *folder;
	int option;

	while ((option = getopt(argc, argv, "n:us:k:p:")) != -1) {
		char *equals = option == 'p' ? strchr(optarg, '=') : NULL;

		if (option == 'n') own.budget = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'u') own.upright = true;
		else if (option == 's') own.spread = strtof(optarg, NULL);
		else if (option == 'k') only = optarg;
		else if (option == 'p' && equals && n_peers < PEERS_MAX) {
			methods[n_peers].folder = equals + 1;
			snprintf(methods[n_peers++].name, sizeof methods->name, "%.*s", (int)(equals - optarg), optarg);
		} else die(argv[0], "[-n BUDGET] [-u] [-s SPREAD] [-k METHOD] [-p NAME=FOLDER]... PAIRS.csv");
	}
	if (optind + 1 != argc) die(argv[0], "[-n BUDGET] [-u] [-s SPREAD] [-k METHOD] [-p NAME=FOLDER]... PAIRS.csv");
	n_methods = n_peers + own_methods(methods + n_peers, &own);
	folder = fs_dirname(argv[optind]);
	n = read_pairs(argv[optind], folder, pairs);
	printf("| method | pair | features | repeatability %% | correspondences | matching score %% | right matches | ms a picture |\n"
	       "|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < n_methods; i++)
		if (strstr(methods[i].name, only)) measure(&methods[i], folder, pairs, n);
	mem_free(folder);
	return 0;
}
