/* search/rank.h - several opinions on each candidate to one order.
 *
 * A term of a query (a picture, a text) says of a candidate how far it is. Distances of different terms are of different
 * spaces, so each is first turned into evidence: how much the odds that the candidate is what is meant rise over those of a
 * picture taken at random, as a natural logarithm. The evidence of wanted terms is averaged by their weights; an unwanted
 * term takes away what evidence it has and never adds, since being unlike what is not wanted is no merit.
 * Knows nothing of pictures.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SEARCH_RANK_H
#define AKIN_SEARCH_RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* What the distances of a space mean: log-odds of slope * ln(half / distance), which makes an equal vector certain; or of
 * slope * (half - distance) where distances have no natural zero. Fitted by search/calibrate.h. */
struct scale {
	double half;   /* the distance at which yes is as likely as no */
	double slope;  /* > 0 */
	double random; /* the distance of a picture taken at random */
	bool linear;
};

double scale_evidence(const struct scale *scale, double distance);
/* 0..1 of one term alone. */
double scale_score(const struct scale *scale, double distance);

struct rank_term {
	const struct scale *scale;
	double weight; /* negative: unwanted; at least one term is wanted */
	bool more;     /* a further opinion on the same part of the query: its evidence is added, its weight does not count again */
};

/* The value of a candidate, higher is better, of its evidence[n] by n terms; shares[n] receives each term's part of it. */
double rank_value(const struct rank_term *terms, size_t n, const double *evidence, double *shares);
/* The score of a value, 0..1; with one term that term's scale_score. */
double rank_score(const struct rank_term *terms, size_t n, double value);

struct ranked {
	int64_t id;
	double value;
	size_t row; /* of the caller's, each once */
};
/* Best first, equal values in the order of the rows. */
void rank_sort(struct ranked *items, size_t n);

/* Maximal marginal relevance (Carbonell, Goldstein 1998): of n items choose k one after another, each the one with the
 * largest (1 - lambda) * score - lambda * its largest likeness to one chosen before. `like` gives the likeness, 0..1, of two
 * items by their positions. order[k] receives positions; the first is 0. At most k <= n. */
akin_status rank_diverse(const double *score, size_t n, size_t k, double lambda,
                         double (*like)(void *ctx, size_t a, size_t b), void *ctx, size_t *order, akin_error *err);

#endif
