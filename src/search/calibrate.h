/* search/calibrate.h - what distances mean, learned from pairs of which it is known whether they are alike.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SEARCH_CALIBRATE_H
#define AKIN_SEARCH_CALIBRATE_H

#include "search/rank.h"

struct pair {
	float distance;
	bool alike;
};

/* Logistic regression of `alike` on the distance, or on its logarithm; sets half and slope. Pairs may be chosen by distance
 * (near ones and random ones), since the probability at a distance does not depend on how often that is drawn. False, and the
 * scale as it was: too few of either kind, or nearer pairs are not more alike. */
bool calibrate_by_pairs(struct scale *scale, const struct pair *pairs, size_t n);

/* Without such pairs: half at the distance of known neighbours, and odds of 1 to 99 at scale->random. */
void calibrate_by_neighbours(struct scale *scale, double neighbour_distance);

#endif
