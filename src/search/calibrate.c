/* search/calibrate.c - logistic regression with two unknowns, by Newton's method.
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/calibrate.h"

#include <math.h>

/* ENOUGH pairs of either kind: with 20 the half lies within some 10 % of where 2,000 put it (corel1000). */
enum { ENOUGH = 20, ROUNDS = 50 };
static const double RANDOM_ODDS = 99, TINY = 1e-6;

static double feature(const struct scale *scale, double distance)
{
	return scale->linear ? distance : log(fmax(distance, TINY));
}

/* Fit log-odds of a - b * x, x standardised so that Newton's first steps are tame and the ridge is weak. */
static bool fit(const struct scale *scale, const struct pair *pairs, size_t n, double *a, double *b)
{
	double mean = 0, deviation = 0, w0 = 0, w1 = 0;

	for (size_t i = 0; i < n; i++) mean += feature(scale, (double)pairs[i].distance) / (double)n;
	for (size_t i = 0; i < n; i++) deviation += pow(feature(scale, (double)pairs[i].distance) - mean, 2) / (double)n;
	if (!((deviation = sqrt(deviation)) > 0)) return false;
	for (int round = 0; round < ROUNDS; round++) {
		double g0 = 0, g1 = -1e-3 * w1, h00 = 1e-9, h01 = 0, h11 = 1e-3, step0, step1, det;

		for (size_t i = 0; i < n; i++) {
			double x = (feature(scale, (double)pairs[i].distance) - mean) / deviation;
			double p = 1 / (1 + exp(-(w0 + w1 * x))), d = (pairs[i].alike ? 1 : 0) - p, q = p * (1 - p);

			g0 += d;
			g1 += d * x;
			h00 += q;
			h01 += q * x;
			h11 += q * x * x;
		}
		det = h00 * h11 - h01 * h01;
		if (!(det > 0)) return false;
		step0 = (h11 * g0 - h01 * g1) / det;
		step1 = (h00 * g1 - h01 * g0) / det;
		/* Damped: far from the optimum the curvature is small and a full step would jump over it. */
		w0 += fmax(fmin(step0, 2), -2);
		w1 += fmax(fmin(step1, 2), -2);
		if (fabs(step0) + fabs(step1) < 1e-9) break;
	}
	*b = -w1 / deviation;
	*a = w0 + *b * mean;
	return isfinite(*a) && isfinite(*b);
}

bool calibrate_by_pairs(struct scale *scale, const struct pair *pairs, size_t n)
{
	size_t alike = 0;
	double a, b, half;

	for (size_t i = 0; i < n; i++) alike += pairs[i].alike;
	if (alike < ENOUGH || n - alike < ENOUGH || !fit(scale, pairs, n, &a, &b) || !(b > 0)) return false;
	half = scale->linear ? a / b : exp(a / b);
	if (!isfinite(half) || (!scale->linear && !(half > TINY))) return false;
	scale->half = half;
	scale->slope = b;
	return true;
}

void calibrate_by_neighbours(struct scale *scale, double neighbour_distance)
{
	double least = scale->linear ? neighbour_distance + TINY : neighbour_distance * 1.1;

	if (!scale->linear && !(neighbour_distance > TINY)) {
		neighbour_distance = TINY;
		least = 2 * TINY;
	}
	scale->half = neighbour_distance;
	scale->random = fmax(scale->random, least);
	scale->slope = log(RANDOM_ODDS) / (scale->linear ? scale->random - scale->half : log(scale->random / scale->half));
}
