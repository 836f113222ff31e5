/* search/rank.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/rank.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

/* Odds beyond e^16 say nothing more, and a distance of 0 would make the other parts of a query weightless. */
static const double MOST_LOG_ODDS = 16;

static double log_odds(const struct scale *scale, double distance)
{
	double odds;

	if (scale->linear) odds = scale->slope * (scale->half - distance);
	else odds = distance > 0 ? scale->slope * log(scale->half / distance) : MOST_LOG_ODDS;
	return fmin(fmax(odds, -MOST_LOG_ODDS), MOST_LOG_ODDS);
}

static double probability(double odds)
{
	return 1 / (1 + exp(-odds));
}

double scale_evidence(const struct scale *scale, double distance)
{
	return log_odds(scale, distance) - log_odds(scale, scale->random);
}

double scale_score(const struct scale *scale, double distance)
{
	return probability(log_odds(scale, distance));
}

static double wanted_weight(const struct rank_term *terms, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) sum += terms[i].weight > 0 && !terms[i].more ? terms[i].weight : 0;
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

double rank_score(const struct rank_term *terms, size_t n, double value)
{
	double wanted = wanted_weight(terms, n), odds = value;

	for (size_t i = 0; i < n; i++)
		if (terms[i].weight > 0 && !terms[i].more) odds += terms[i].weight / wanted * log_odds(terms[i].scale, terms[i].scale->random);
	return probability(odds);
}

static int best_first(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->value != y->value) return x->value > y->value ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
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
