/* feature/local.c - which points of a picture stay, and the way to the three kinds.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/local.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "feature/local_detect.h"

enum { GRID = 8, BUDGET = 2000 };

const char *local_kind_name(enum local_kind kind)
{
	static const char *const names[LOCAL_KINDS] = { "sift", "surf", "orb" };

	return names[kind];
}

void local_grey(const uint8_t *rgb, size_t n_pixels, uint8_t *grey)
{
	for (size_t i = 0; i < n_pixels; i++)
		grey[i] = (uint8_t)((19595u * rgb[3 * i] + 38470u * rgb[3 * i + 1] + 7471u * rgb[3 * i + 2] +
		                     32768u) >> 16);
}

/* ---- points ---- */

akin_status local_point_add(struct local_job *job, const struct local_point *point)
{
	struct local_points *points = &job->points;
	struct local_point *moved = mem_grow(points->at, &points->capacity, points->n, sizeof *points->at);

	if (!moved) return error_nomem(job->err);
	points->at = moved;
	points->at[points->n++] = *point;
	return AKIN_OK;
}

static int compare(float a, float b)
{
	return (a > b) - (a < b);
}

static int by_response(const void *pa, const void *pb)
{
	const struct local_feature *a = &((const struct local_point *)pa)->at,
	        *b = &((const struct local_point *)pb)->at;
	int order = compare(b->response, a->response);

	if (!order) order = compare(a->y, b->y);
	if (!order) order = compare(a->x, b->x);
	return order ? order : compare(a->scale, b->scale);
}

/* Two pixels of the grid can lead to the same point of the scale space; then they are neighbours in the order too. */
static bool same_place(const struct local_feature *a, const struct local_feature *b)
{
	return fabsf(a->x - b->x) < 0.1f && fabsf(a->y - b->y) < 0.1f && fabsf(a->scale - b->scale) < 0.01f * a->scale;
}

static size_t drop_doublets(struct local_point *p, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!kept || !same_place(&p[kept - 1].at, &p[i].at)) p[kept++] = p[i];
	return kept;
}

static unsigned cell_of(const struct local_job *job, const struct local_feature *at, unsigned side)
{
	float x = at->x * (float)side / (float)job->width, y = at->y * (float)side / (float)job->height;
	unsigned column = x > 0 ? (unsigned)x : 0, row = y > 0 ? (unsigned)y : 0;

	return (row < side ? row : side - 1) * side + (column < side ? column : side - 1);
}

/* First each cell its share, then the best of what is left. A small budget is dealt over fewer cells, two points or
 * more to each. */
static void mark(const struct local_job *job, struct local_point *p, size_t n, size_t budget)
{
	size_t share = (size_t)((float)budget * job->params.spread), in_cell[GRID * GRID] = { 0 }, quota, taken = 0;
	unsigned side = GRID;

	while (side > 1 && share / (side * side) < 2) side--;
	quota = share / (side * side);

	for (size_t i = 0; i < n; i++) {
		size_t *count = &in_cell[cell_of(job, &p[i].at, side)];

		p[i].kept = *count < quota;
		*count += p[i].kept;
		taken += p[i].kept;
	}
	for (size_t i = 0; i < n && taken < budget; i++) {
		taken += !p[i].kept;
		p[i].kept = true;
	}
}

void local_points_select(struct local_job *job, size_t from, size_t budget)
{
	struct local_point *p = job->points.at + from;
	size_t n = job->points.n - from, kept = 0;

	if (!n) return;
	qsort(p, n, sizeof *p, by_response);
	n = drop_doublets(p, n);
	mark(job, p, n, budget);
	for (size_t i = 0; i < n; i++)
		if (p[i].kept) p[kept++] = p[i];
	job->points.n = from + kept;
}

/* ---- the result ---- */

akin_status local_set_reserve(struct local_set *set, size_t n, size_t bytes, akin_error *err)
{
	set->bytes = bytes;
	if (!n) return AKIN_OK;
	set->at = mem_calloc(n, sizeof *set->at);
	set->descriptors = mem_aligned(n * bytes);
	return set->at && set->descriptors ? AKIN_OK : error_nomem(err);
}

void local_set_deinit(struct local_set *set)
{
	mem_free(set->at);
	mem_free(set->descriptors);
	*set = LOCAL_SET_EMPTY;
}

/* ---- the way in ---- */

static akin_status check(const struct local_params *p, unsigned width, unsigned height, akin_error *err)
{
	if (!width || !height) return error_set(err, AKIN_ERR_INVALID, "a picture without pixels has no features");
	if (width > LOCAL_MAX_SIDE || height > LOCAL_MAX_SIDE)
		return error_set(err, AKIN_ERR_LIMIT,
		                 "%u x %u pixels are more than the %d a side that local features take",
		                 width, height, LOCAL_MAX_SIDE);
	if ((unsigned)p->kind >= LOCAL_KINDS) return error_set(err, AKIN_ERR_INVALID, "no such kind of local features");
	if (p->budget > LOCAL_MAX_BUDGET)
		return error_set(err, AKIN_ERR_INVALID, "%u features are more than %d", p->budget, LOCAL_MAX_BUDGET);
	if (!(p->spread <= 1))
		return error_set(err, AKIN_ERR_INVALID, "a spread of %g is not in 0..1", (double)p->spread);
	if (!(p->contrast >= 0 && p->contrast <= 255) || !(p->edge >= 0))
		return error_set(err, AKIN_ERR_INVALID, "thresholds must be numbers of 0 or more");
	if ((unsigned)p->first_octave >= LOCAL_OCTAVES) return error_set(err, AKIN_ERR_INVALID, "no such first octave");
	return AKIN_OK;
}

static struct local_params with_defaults(const struct local_params *given)
{
	static const float contrast[LOCAL_KINDS] = { 0.04f, 0.0004f, 20 };
	struct local_params p = *given;

	if (!p.budget) p.budget = BUDGET;
	if (!(p.spread != 0)) p.spread = 0.5f;
	if (p.spread < 0) p.spread = 0;
	if (!(p.contrast > 0)) p.contrast = contrast[p.kind];
	if (!(p.edge > 0)) p.edge = 10;
	if (!p.first_octave) p.first_octave = p.kind == LOCAL_SIFT ? LOCAL_OCTAVE_DOUBLED : LOCAL_OCTAVE_WHOLE;
	return p;
}

akin_status local_extract(struct local_set *out, const uint8_t *grey, unsigned width, unsigned height,
                          const struct local_params *params, akin_error *err)
{
	static akin_status (*const extract[LOCAL_KINDS])(struct local_job *) = { local_sift, local_surf, local_orb };
	struct local_params p = params ? *params : (struct local_params){ 0 };
	struct local_job job = { .grey = grey, .width = width, .height = height, .out = out, .err = err };
	akin_status st;
	size_t pixels;

	*out = LOCAL_SET_EMPTY;
	if ((st = check(&p, width, height, err)) != AKIN_OK) return st;
	job.params = with_defaults(&p);
	pixels = (size_t)width * height;
	if (job.params.first_octave == LOCAL_OCTAVE_DOUBLED && p.kind != LOCAL_ORB) pixels *= 4;
	if (pixels > LOCAL_MAX_PIXELS)
		return error_set(err, AKIN_ERR_LIMIT, "%zu pixels to search are more than %d: make the picture smaller",
		                 pixels,
		                 LOCAL_MAX_PIXELS);
	job.kernels = pixel_kernels_for(kernels_best());
	st = extract[p.kind](&job);
	mem_free(job.points.at);
	if (st != AKIN_OK) local_set_deinit(out);
	out->kind = p.kind;
	out->width = width;
	out->height = height;
	return st;
}
