/* search/match.c - one pass over all pairs: every row of a is compared with all of b, and what b thinks is noted on
 * the way.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/match.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "simd/kernels.h"

static const float ratio_l2 = 0.8f, ratio_bits = 0.85f;

struct nearest {
	float distance, second;
	uint32_t at;
};

static bool same_place(const struct match_rows *r, uint32_t i, uint32_t j)
{
	return r->place && r->place[i] == r->place[j];
}

static void look(struct nearest *nearest, const struct match_rows *rows, float distance, uint32_t i)
{
	if (distance >= nearest->second) return;
	if (distance < nearest->distance) {
		if (nearest->at == UINT32_MAX || !same_place(rows, i, nearest->at)) nearest->second = nearest->distance;
		nearest->distance = distance;
		nearest->at = i;
	} else if (!same_place(rows, i, nearest->at)) {
		nearest->second = distance;
	}
}

/* What was second may have been at the place of a later first. Rare, and it only makes the test stricter. */
static struct nearest nearest_of(const float *distances, const struct match_rows *rows)
{
	struct nearest nearest = { INFINITY, INFINITY, UINT32_MAX };

	for (uint32_t i = 0; i < rows->n; i++) look(&nearest, rows, distances[i], i);
	return nearest;
}

static float ratio_of(const struct nearest *nearest, bool bits)
{
	if (!(nearest->second > 0)) return 1;
	if (isinf(nearest->second)) return 0; /* nothing else to take it for */
	return bits ? nearest->distance / nearest->second : sqrtf(nearest->distance / nearest->second);
}

static int by_ratio(const void *pa, const void *pb)
{
	const struct match *a = pa, *b = pb;

	if (a->ratio != b->ratio) return a->ratio < b->ratio ? -1 : 1;
	return (a->a > b->a) - (a->a < b->a);
}

/* Every row of a against all of b: of[i] is what a's row i finds, back[j] the row of a that is nearest to b's row j. */
static void compare_all(const struct match_rows *a, const struct match_rows *b, float *distances, float *best,
                        struct nearest *of, uint32_t *back)
{
	const struct kernels *kernels = kernels_best();
	kernel_scan scan = a->bits ? kernels->scan_hamming : kernels->scan_l2_u8;

	for (size_t j = 0; j < b->n; j++) best[j] = INFINITY;
	for (uint32_t i = 0; i < a->n; i++) {
		scan(a->rows + i * a->bytes, b->rows, b->n, b->bytes, distances);
		of[i] = nearest_of(distances, b);
		for (size_t j = 0; j < b->n; j++) {
			back[j] = distances[j] < best[j] ? i : back[j];
			best[j] = distances[j] < best[j] ? distances[j] : best[j];
		}
	}
}

akin_status match_rows(const struct match_rows *a, const struct match_rows *b, float ratio, struct match **matches,
                       size_t *n,
                       akin_error *err)
{
	struct nearest *of = NULL;
	float *distances = NULL;
	uint32_t *back = NULL;
	akin_status st = AKIN_OK;

	*matches = NULL;
	*n = 0;
	if (a->bytes != b->bytes || a->bits != b->bits)
		return error_set(err, AKIN_ERR_INVALID, "local features of different kinds cannot be compared");
	if (!a->n || !b->n) return AKIN_OK;
	if (!(ratio > 0)) ratio = a->bits ? ratio_bits : ratio_l2;
	distances = mem_alloc(2 * b->n * sizeof *distances);
	back = mem_calloc(b->n, sizeof *back);
	of = mem_alloc(a->n * sizeof *of);
	*matches = mem_alloc(a->n * sizeof **matches);
	if (!distances || !back || !of || !*matches) {
		st = error_nomem(err);
		goto out;
	}
	compare_all(a, b, distances, distances + b->n, of, back);
	for (uint32_t i = 0; i < a->n; i++) {
		float r = ratio_of(&of[i], a->bits);
		if (of[i].at != UINT32_MAX && back[of[i].at] == i && r < ratio)
			(*matches)[(*n)++] = (struct match){ i, of[i].at, r };
	}
	qsort(*matches, *n, sizeof **matches, by_ratio);
out:
	mem_free(distances);
	mem_free(back);
	mem_free(of);
	if (!*n) {
		mem_free(*matches);
		*matches = NULL;
	}
	return st;
}
