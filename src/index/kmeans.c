/* index/kmeans.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/kmeans.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/rng.h"

/* ---- products ---- */

akin_status panels_init(struct panels *panels, const struct list_kernels *kernels, size_t dim, const float *vectors,
			size_t n, akin_error *err)
{
	const size_t panel = kernels->panel, floats = (n + panel - 1) / panel * panel * dim;

	*panels = (struct panels){ .kernels = kernels, .dim = dim, .n = n };
	panels->at = mem_aligned(floats * sizeof *panels->at);
	panels->half_norms = mem_alloc(n * sizeof *panels->half_norms);
	if (!panels->at || !panels->half_norms) {
		panels_deinit(panels);
		return error_nomem(err);
	}
	memset(panels->at, 0, floats * sizeof *panels->at);
	for (size_t i = 0; i < n; i++) {
		float *to = panels->at + i / panel * panel * dim + i % panel, norm = 0;

		for (size_t d = 0; d < dim; d++) {
			to[d * panel] = vectors[i * dim + d];
			norm += vectors[i * dim + d] * vectors[i * dim + d];
		}
		panels->half_norms[i] = norm / 2;
	}
	return AKIN_OK;
}

void panels_deinit(struct panels *panels)
{
	mem_free(panels->at);
	mem_free(panels->half_norms);
	*panels = (struct panels){ 0 };
}

void panels_distances(const struct panels *panels, const float *rows, size_t n, float *distances)
{
	const size_t panel = panels->kernels->panel;
	float products[PANELS_ROWS * LIST_PANEL_MAX];

	for (size_t first = 0; first < panels->n; first += panel) {
		const size_t width = panels->n - first < panel ? panels->n - first : panel;

		panels->kernels->product(panels->at + first * panels->dim, rows, n, panels->dim, products);
		for (size_t r = 0; r < n; r++)
			for (size_t j = 0; j < width; j++)
				distances[r * panels->n + first + j] =
				    2 * (panels->half_norms[first + j] - products[r * panel + j]);
	}
}

static void nearest_of_block(const struct panels *panels, const float *rows, size_t n, uint32_t *nearest)
{
	const size_t panel = panels->kernels->panel;
	float products[PANELS_ROWS * LIST_PANEL_MAX], least[PANELS_ROWS];

	for (size_t r = 0; r < n; r++) {
		least[r] = INFINITY;
		nearest[r] = 0;
	}
	for (size_t first = 0; first < panels->n; first += panel) {
		const size_t width = panels->n - first < panel ? panels->n - first : panel;

		panels->kernels->product(panels->at + first * panels->dim, rows, n, panels->dim, products);
		for (size_t r = 0; r < n; r++)
			for (size_t j = 0; j < width; j++) {
				float distance = panels->half_norms[first + j] - products[r * panel + j];

				if (!(distance < least[r])) continue;
				least[r] = distance;
				nearest[r] = (uint32_t)(first + j);
			}
	}
}

void panels_nearest(const struct panels *panels, const float *rows, size_t n, uint32_t *nearest)
{
	for (size_t first = 0; first < n; first += PANELS_ROWS)
		nearest_of_block(panels, rows + first * panels->dim, n - first < PANELS_ROWS ? n - first : PANELS_ROWS,
				 nearest + first);
}

/* ---- k-means ---- */

struct job {
	const struct kmeans_params *p;
	const float *rows;
	size_t n;
	float *centroids;
	struct panels panels;
	uint32_t *nearest, *counts;
	struct rng rng;
};

static void copy_row(const struct job *job, size_t row, size_t centroid)
{
	memcpy(job->centroids + centroid * job->p->dim, job->rows + row * job->p->dim, job->p->dim * sizeof(float));
}

/* The index at which the running sum of weights passes a random part of the whole. */
static size_t draw(struct rng *rng, const float *weights, size_t n, double total)
{
	double at = rng_unit(rng) * total;
	size_t i = 0;

	while (i + 1 < n && !((at -= (double)weights[i]) < 0)) i++;
	return i;
}

/* k-means++ (Arthur, Vassilvitskii 2007) on a few rows for each centroid: on all of them it would take as long as an
 * iteration at the speed of memory, and rows are in no order here. */
static akin_status choose_first(struct job *job, akin_error *err)
{
	const size_t dim = job->p->dim, k = job->p->k, n = job->n < 4 * k ? job->n : 4 * k;
	float *weights = mem_alloc(n * sizeof *weights);

	if (!weights) return error_nomem(err);
	for (size_t i = 0; i < n; i++) weights[i] = INFINITY;
	for (size_t c = 0; c < k; c++) {
		double total = 0;

		for (size_t i = 0; i < n; i++) total += (double)weights[i];
		/* All alike, or not finite: any row is as good. */
		copy_row(job,
			 total > 0 && total < INFINITY ? draw(&job->rng, weights, n, total) : rng_below(&job->rng, n),
			 c);
		for (size_t i = 0; i < n; i++) {
			float d = job->p->kernels->l2_f32(job->rows + i * dim, job->centroids + c * dim, dim);

			if (d < weights[i]) weights[i] = d;
		}
	}
	mem_free(weights);
	return AKIN_OK;
}

static void assign_block(void *ctx, size_t i)
{
	struct job *job = ctx;
	const size_t first = i * PANELS_ROWS;

	panels_nearest(&job->panels, job->rows + first * job->p->dim,
		       job->n - first < PANELS_ROWS ? job->n - first : PANELS_ROWS, job->nearest + first);
}

/* In the order of the rows, so that sums do not depend on threads. */
static void move_centroids(struct job *job)
{
	const size_t dim = job->p->dim, k = job->p->k;

	memset(job->counts, 0, k * sizeof *job->counts);
	memset(job->centroids, 0, k * dim * sizeof(float));
	for (size_t i = 0; i < job->n; i++) {
		float *sum = job->centroids + job->nearest[i] * dim;

		for (size_t d = 0; d < dim; d++) sum[d] += job->rows[i * dim + d];
		job->counts[job->nearest[i]]++;
	}
	for (size_t c = 0; c < k; c++) {
		if (!job->counts[c])
			copy_row(job, rng_below(&job->rng, job->n), c);
		else
			for (size_t d = 0; d < dim; d++) job->centroids[c * dim + d] /= (float)job->counts[c];
	}
}

akin_status kmeans(const struct kmeans_params *params, const float *rows, size_t n, float *centroids, akin_error *err)
{
	struct job job = { .p = params, .rows = rows, .n = n, .centroids = centroids, .rng = { params->seed } };
	akin_status st;

	job.nearest = mem_alloc(n * sizeof *job.nearest);
	job.counts = mem_alloc(params->k * sizeof *job.counts);
	st = job.nearest && job.counts ? choose_first(&job, err) : error_nomem(err);
	for (unsigned i = 0; st == AKIN_OK && i < params->iterations; i++) {
		st =
		    panels_init(&job.panels, list_kernels_for(params->kernels), params->dim, centroids, params->k, err);
		if (st != AKIN_OK) break;
		pool_for((n + PANELS_ROWS - 1) / PANELS_ROWS, params->threads, assign_block, &job);
		panels_deinit(&job.panels);
		move_centroids(&job);
	}
	mem_free(job.nearest);
	mem_free(job.counts);
	return st;
}
