/* search/rank.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/rank.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

double scale_evidence(const struct scale *scale, double distance)
{
	return (scale->mean - distance) / scale->deviation;
}

double scale_score(const struct scale *scale, double evidence)
{
	if (!(scale->slope > 0)) return fmin(fmax(evidence, 0), 1);
	return 1 / (1 + exp(-(scale->offset + scale->slope * evidence)));
}

static double wanted_weight(const struct rank_term *terms, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) sum += terms[i].weight > 0 ? terms[i].weight : 0;
	return sum;
}

double rank_value(const struct rank_term *terms, size_t n, const double *evidence, double *shares)
{
	double wanted = wanted_weight(terms, n), value = 0;

	for (size_t i = 0; i < n; i++) {
		double share = terms[i].weight > 0 || evidence[i] > 0 ? terms[i].weight * evidence[i] / wanted : 0;

		if (shares) shares[i] = share;
		value += share;
	}
	return value;
}

struct scale rank_scale(const struct rank_term *terms, size_t n)
{
	double wanted = wanted_weight(terms, n);
	struct scale mean = { .deviation = 1 };

	for (size_t i = 0; i < n; i++) {
		if (terms[i].weight <= 0) continue;
		mean.offset += terms[i].weight / wanted * terms[i].scale->offset;
		mean.slope += terms[i].weight / wanted * terms[i].scale->slope;
	}
	return mean;
}

static int best_first(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->value != y->value) return x->value > y->value ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

void rank_sort(struct ranked *items, size_t n)
{
	if (n) qsort(items, n, sizeof *items, best_first);
}

akin_status rank_diverse(const double *score, size_t n, size_t k, double lambda,
                         double (*like)(void *ctx, size_t a, size_t b), void *ctx, size_t *order, akin_error *err)
{
	double *nearest = mem_calloc(n, sizeof *nearest); /* likeness to the chosen; -1: chosen itself */

	if (!nearest) return error_nomem(err);
	for (size_t chosen = 0; chosen < k; chosen++) {
		size_t best = n;
		double best_value = 0;

		for (size_t i = 0; i < n; i++) {
			double value = (1 - lambda) * score[i] - lambda * nearest[i];

			if (nearest[i] < 0 || (best < n && value <= best_value)) continue;
			best = i;
			best_value = value;
		}
		order[chosen] = best;
		nearest[best] = -1;
		for (size_t i = 0; i < n && chosen + 1 < k; i++)
			if (nearest[i] >= 0) nearest[i] = fmax(nearest[i], like(ctx, best, i));
	}
	mem_free(nearest);
	return AKIN_OK;
}
