/* index/kmeans.h - centroids of vectors (Lloyd 1982), and the nearest centroid of many vectors by matrix products.
 * The same seed gives the same centroids for any number of threads.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_KMEANS_H
#define AKIN_INDEX_KMEANS_H

#include "base/status.h"
#include "simd/lists.h"

/* Centroids laid out for products. */
struct panels {
	const struct list_kernels *kernels;
	size_t dim, n;
	float *at;         /* ceil(n / panel) panels */
	float *half_norms; /* squared lengths, halved */
};

enum { PANELS_ROWS = 64 }; /* rows at a time: with a panel they fit a usual second-level cache */

akin_status panels_init(struct panels *panels, const struct list_kernels *kernels, size_t dim, const float *vectors,
			size_t n, akin_error *err);
void panels_deinit(struct panels *panels);
/* n <= PANELS_ROWS; squared distances less the rows' own squared lengths go to distances[row * panels->n + i]. */
void panels_distances(const struct panels *panels, const float *rows, size_t n, float *distances);
/* Any n; which is nearest. */
void panels_nearest(const struct panels *panels, const float *rows, size_t n, uint32_t *nearest);

struct kmeans_params {
	const struct kernels *kernels;
	size_t dim, k;
	unsigned iterations, threads;
	uint64_t seed;
};

/* centroids: k x dim; fewer rows than k give centroids that are rows, some twice. n >= 1. */
akin_status kmeans(const struct kmeans_params *params, const float *rows, size_t n, float *centroids, akin_error *err);

#endif
