/* feature/local_surf.c - SURF: blobs by box filters on an integral image, described by sums of Haar wavelets.
 *
 * Sections are those of Bay, Ess, Tuytelaars, Van Gool, Speeded-up robust features (SURF), CVIU 110(3), 2008. A box
 * filter with lobes of `lobe` pixels is 3 * lobe wide and stands for Gaussian derivatives of sigma = 0.4 * lobe.
 * Octaves have four filters and overlap; octave o is sampled every 2^o pixels.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "feature/local_detect.h"

enum { OCTAVES = 4, FILTERS = 4, WINDOW_BINS = 72, WINDOW = 12, CELLS = 4, SAMPLES = 5 };

static const float sigma_a_lobe = 0.4f;

static const int lobes[OCTAVES][FILTERS] = { { 3, 5, 7, 9 }, { 5, 9, 13, 17 }, { 9, 17, 25, 33 }, { 17, 33, 49, 65 } };

struct surf {
	struct local_job *job;
	unsigned width, height;  /* of the picture that is searched */
	float pixel, origin;     /* the width of its pixels and the place of the first, in pixels of the picture */
	size_t stride;           /* of the integral image: width + 1 */
	uint32_t *sums;          /* [y * stride + x]: of all pixels above y and left of x */
	float *response[FILTERS];
	float *room;
	uint8_t *near;
	size_t grid_width, grid_height; /* of an octave's responses */
	float circle[7], square[CELLS * SAMPLES]; /* weights of wavelets by their distance along one axis */
};

/* ---- the integral image, section 3.1 ---- */

static void sum_row(struct surf *s, const uint8_t *levels, unsigned step, unsigned y)
{
	const uint32_t *above = s->sums + (size_t)y * s->stride;
	uint32_t *row = s->sums + (size_t)(y + 1) * s->stride, sum = 0;

	row[0] = 0;
	for (unsigned x = 0; x < s->width; x++) {
		sum += levels[x * step];
		row[x + 1] = above[x + 1] + sum;
	}
}

/* As in local_sift.c, samples of a doubled picture lie a quarter of a pixel beside the old ones. */
static void double_row(const uint8_t *near, const uint8_t *far, uint8_t *to, unsigned width)
{
	int before = 3 * near[0] + far[0], here = before, after;

	for (unsigned x = 0; x < width; x++, before = here, here = after) {
		unsigned right = x + 1 < width ? x + 1 : x;

		after = 3 * near[right] + far[right];
		to[2 * x] = (uint8_t)((3 * here + before + 8) / 16);
		to[2 * x + 1] = (uint8_t)((3 * here + after + 8) / 16);
	}
}

static void integrate(struct surf *s)
{
	const struct local_job *job = s->job;
	unsigned w = job->width, step = job->params.first_octave == LOCAL_OCTAVE_HALF ? 2 : 1;

	memset(s->sums, 0, s->stride * sizeof *s->sums);
	for (unsigned y = 0; y < s->height; y++) {
		unsigned near = y / 2, far = y % 2 ? near + 1 : near - (near > 0);

		if (job->params.first_octave != LOCAL_OCTAVE_DOUBLED) {
			sum_row(s, job->grey + (size_t)y * step * w, step, y);
			continue;
		}
		if (far == job->height) far = near;
		double_row(job->grey + (size_t)near * w, job->grey + (size_t)far * w, s->near, w);
		sum_row(s, s->near, 1, y);
	}
}

/* ---- points, sections 3.2 to 3.4 ---- */

/* Row y of the responses of a filter; samples where it does not fit are 0. */
static void response_row(const struct surf *s, int lobe, size_t step, size_t row, float *to)
{
	int reach = 3 * lobe / 2 + 1, y = (int)(row * step), x0 = (reach + (int)step - 1) / (int)step * (int)step;
	int x1 = (int)s->width - reach;
	size_t first = (size_t)x0 / step, n = x1 > x0 ? ((size_t)(x1 - x0) + step - 1) / step : 0;
	const uint32_t *at = s->sums + x0;
	struct hessian_rows rows = { .lobe = lobe, .step = step, .factor = 1 / (255 * 9 * (float)(lobe * lobe)) };
	int xx[2] = { y - lobe + 1, y + lobe }, yy[4] = { y - lobe - lobe / 2, y - lobe / 2, y + lobe / 2 + 1,
	                                                  y + lobe + lobe / 2 + 1 };
	int xy[4] = { y - lobe, y, y + 1, y + lobe + 1 };

	memset(to, 0, s->grid_width * sizeof *to);
	if (y < reach || y + reach >= (int)s->height || !n) return;
	for (int k = 0; k < 4; k++) {
		if (k < 2) rows.xx[k] = at + (size_t)xx[k] * s->stride;
		rows.yy[k] = at + (size_t)yy[k] * s->stride;
		rows.xy[k] = at + (size_t)xy[k] * s->stride;
	}
	s->job->kernels->hessian(&rows, to + first, n);
}

static struct local_fit fit_at(const struct surf *s, int filter, size_t x, size_t y)
{
	double v[3][3][3];

	for (size_t l = 0; l < 3; l++)
		for (size_t dy = 0; dy < 3; dy++)
			for (size_t dx = 0; dx < 3; dx++)
				v[l][dy][dx] = (double)s->response[(size_t)filter + l - 1][(y + dy - 1) * s->grid_width + x + dx - 1];
	return local_fit_of(v);
}

static akin_status add_point(struct surf *s, int32_t octave, int filter, size_t x, size_t y)
{
	struct local_fit f = fit_at(s, filter, x, y);
	struct local_point p = { .octave = octave, .layer = filter };
	float step = (float)(1 << octave), apart = (float)(lobes[octave][1] - lobes[octave][0]);
	double at[3];

	if (!local_fit_solve(&f, at) || fabs(at[0]) > 1 || fabs(at[1]) > 1 || fabs(at[2]) > 1) return AKIN_OK;
	p.u = ((float)x + (float)at[0]) * step;
	p.v = ((float)y + (float)at[1]) * step;
	p.sigma = sigma_a_lobe * ((float)lobes[octave][filter] + (float)at[2] * apart);
	p.at = (struct local_feature){ p.u * s->pixel + s->origin, p.v * s->pixel + s->origin, p.sigma * s->pixel, 0,
		                       (float)f.value };
	return local_point_add(s->job, &p);
}

static akin_status detect_octave(struct surf *s, int32_t octave)
{
	size_t step = (size_t)1 << octave;
	const float *rows[9];

	s->grid_width = (s->width + step - 1) / step;
	s->grid_height = (s->height + step - 1) / step;
	if (s->grid_width < 3 || s->grid_height < 3) return AKIN_OK;
	for (size_t y = 0; y < s->grid_height; y++)
		for (int f = 0; f < FILTERS; f++)
			response_row(s, lobes[octave][f], step, y, s->response[f] + y * s->grid_width);
	for (size_t y = 1; y + 1 < s->grid_height; y++)
		for (int f = 1; f + 1 < FILTERS; f++) {
			const float *here = s->response[f] + y * s->grid_width;

			for (size_t k = 0; k < 9; k++)
				rows[k] = s->response[(size_t)f + k / 3 - 1] + (y + k % 3 - 1) * s->grid_width + 1;
			s->job->kernels->extrema(rows, s->job->params.contrast, s->near, s->room, s->grid_width - 2);
			for (size_t x = 1; x + 1 < s->grid_width; x++) {
				akin_status st = s->near[x - 1] && here[x] > 0 ? add_point(s, octave, f, x, y) :
				        AKIN_OK;
				if (st != AKIN_OK) return st;
			}
		}
	return AKIN_OK;
}

/* ---- wavelets, section 4 ---- */

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

/* Haar wavelets of side 2 * half around the corner (x, y) of pixels. Beyond the edge there is nothing. */
static void wavelets(const struct surf *s, int x, int y, int half, float *dx, float *dy)
{
	size_t x0 = (size_t)clamp(x - half, 0, (int)s->width), x1 = (size_t)clamp(x, 0, (int)s->width),
	       x2 = (size_t)clamp(x + half, 0, (int)s->width);
	const uint32_t *top = s->sums + (size_t)clamp(y - half, 0, (int)s->height) * s->stride,
		       *middle = s->sums + (size_t)clamp(y, 0, (int)s->height) * s->stride,
		       *bottom = s->sums + (size_t)clamp(y + half, 0, (int)s->height) * s->stride;
	uint32_t all_left = bottom[x1] - bottom[x0] - top[x1] + top[x0];
	uint32_t all_right = bottom[x2] - bottom[x1] - top[x2] + top[x1];
	uint32_t all_top = middle[x2] - middle[x0] - top[x2] + top[x0];
	uint32_t all_bottom = bottom[x2] - bottom[x0] - middle[x2] + middle[x0];

	*dx = (float)(int32_t)(all_right - all_left);
	*dy = (float)(int32_t)(all_bottom - all_top);
}

/* Section 4.1: wavelets in a circle of 6 sigma, summed by their direction in windows of 60 degrees; the longest sum
 * wins. */
static float angle_of(const struct surf *s, const struct local_point *p)
{
	float sum_x[WINDOW_BINS] = { 0 }, sum_y[WINDOW_BINS] = { 0 }, most = 0, angle = 0;
	int half = clamp((int)lroundf(2 * p->sigma), 1, (int)s->width);

	for (int j = -6; j <= 6; j++)
		for (int i = -6; i <= 6; i++) {
			float dx, dy, weight = s->circle[i < 0 ? -i : i] * s->circle[j < 0 ? -j : j];
			int bin;

			if (i * i + j * j >= 36) continue;
			wavelets(s, (int)lroundf(p->u + (float)i * p->sigma + 0.5f),
			         (int)lroundf(p->v + (float)j * p->sigma + 0.5f),
			         half, &dx, &dy);
			bin = clamp((int)((atan2f(dy, dx) + LOCAL_PI) * (WINDOW_BINS / (2 * LOCAL_PI))), 0,
			            WINDOW_BINS - 1);
			sum_x[bin] += weight * dx;
			sum_y[bin] += weight * dy;
		}
	for (int i = 0; i < WINDOW_BINS; i++) {
		float x = 0, y = 0;

		for (int k = 0; k < WINDOW; k++) {
			x += sum_x[(i + k) % WINDOW_BINS];
			y += sum_y[(i + k) % WINDOW_BINS];
		}
		if (x * x + y * y > most) {
			most = x * x + y * y;
			angle = atan2f(y, x);
		}
	}
	return angle < 0 ? angle + 2 * LOCAL_PI : angle;
}

/* Section 4.2: sums of dx, |dx|, dy, |dy|; the long form keeps those of either sign of the other apart. */
static void add_wavelet(float *cell, float dx, float dy, bool long_surf)
{
	size_t sx = long_surf && dy < 0 ? 2 : 0, sy = long_surf && dx < 0 ? 2 : 0, y = long_surf ? 4 : 2;

	cell[sx] += dx;
	cell[sx + 1] += fabsf(dx);
	cell[y + sy] += dy;
	cell[y + sy + 1] += fabsf(dy);
}

static void add_cell(const struct surf *s, const struct local_point *p, int row, int column, float *cell)
{
	float cosine = cosf(p->at.angle), sine = sinf(p->at.angle), sigma = p->sigma;
	int half = clamp((int)lroundf(sigma), 1, (int)s->width);

	for (int j = 0; j < SAMPLES; j++)
		for (int i = 0; i < SAMPLES; i++) {
			int c = column * SAMPLES + i, r = row * SAMPLES + j;
			float x = (float)c - 9.5f, y = (float)r - 9.5f, weight = s->square[c] * s->square[r], dx, dy;

			wavelets(s, (int)lroundf(p->u + sigma * (cosine * x - sine * y) + 0.5f),
			         (int)lroundf(p->v + sigma * (sine * x + cosine * y) + 0.5f), half, &dx, &dy);
			add_wavelet(cell, weight * (cosine * dx + sine * dy), weight * (cosine * dy - sine * dx),
			            s->job->params.long_surf);
		}
}

/* Unit length, -1/2..1/2 as bytes around 128. */
static void describe(const struct surf *s, const struct local_point *p, uint8_t *to, size_t bytes)
{
	float v[LOCAL_MAX_BYTES] = { 0 }, sum = 0;
	size_t a_cell = bytes / (CELLS * CELLS);

	for (int row = 0; row < CELLS; row++)
		for (int column = 0; column < CELLS; column++)
			add_cell(s, p, row, column, v + (size_t)(row * CELLS + column) * a_cell);
	for (size_t i = 0; i < bytes; i++) sum += v[i] * v[i];
	sum = sum > 0 ? 1 / sqrtf(sum) : 0;
	for (size_t i = 0; i < bytes; i++) to[i] = (uint8_t)clamp((int)lroundf(v[i] * sum * 256) + 128, 0, 255);
}

static akin_status describe_all(struct surf *s)
{
	struct local_job *job = s->job;
	size_t bytes = job->params.long_surf ? 128 : 64;
	akin_status st = local_set_reserve(job->out, job->points.n, bytes, job->err);

	for (size_t i = 0; st == AKIN_OK && i < job->points.n; i++) {
		struct local_point p = job->points.at[i];

		if (!job->params.upright) p.at.angle = angle_of(s, &p);
		describe(s, &p, job->out->descriptors + i * bytes, bytes);
		job->out->at[job->out->n++] = p.at;
	}
	return st;
}

static akin_status reserve(struct surf *s)
{
	const struct local_job *job = s->job;
	enum local_octave first = job->params.first_octave;
	size_t pixels;

	s->width = local_first_side(job->width, first);
	s->height = local_first_side(job->height, first);
	s->pixel = first == LOCAL_OCTAVE_DOUBLED ? 0.5f : first == LOCAL_OCTAVE_HALF ? 2 : 1;
	s->origin = first == LOCAL_OCTAVE_DOUBLED ? -0.25f : 0;
	s->stride = (size_t)s->width + 1;
	for (int i = 0; i < 7; i++) s->circle[i] = expf((float)(-i * i) / (2 * 2.5f * 2.5f));
	for (int i = 0; i < CELLS * SAMPLES; i++)
		s->square[i] = expf(-((float)i - 9.5f) * ((float)i - 9.5f) / (2 * 3.3f * 3.3f));
	pixels = (size_t)s->width * s->height;
	s->sums = mem_aligned(s->stride * ((size_t)s->height + 1) * sizeof *s->sums);
	for (int f = 0; f < FILTERS; f++)
		if (!(s->response[f] = mem_aligned(pixels * sizeof(float)))) return error_nomem(job->err);
	s->room = mem_alloc(2 * (size_t)s->width * sizeof(float));
	s->near = mem_alloc(s->width);
	return s->sums && s->room && s->near ? AKIN_OK : error_nomem(job->err);
}

akin_status local_surf(struct local_job *job)
{
	struct surf s = { .job = job };
	akin_status st = reserve(&s);

	job->out->bytes = job->params.long_surf ? 128 : 64;
	if (st == AKIN_OK) integrate(&s);
	for (int32_t o = 0; st == AKIN_OK && o < OCTAVES; o++) st = detect_octave(&s, o);
	if (st == AKIN_OK) {
		local_points_select(job, 0, job->params.budget);
		st = describe_all(&s);
	}
	for (int f = 0; f < FILTERS; f++) mem_free(s.response[f]);
	mem_free(s.sums);
	mem_free(s.room);
	mem_free(s.near);
	return st;
}
