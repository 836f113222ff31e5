/* feature/local_orb.c - ORB: corners by FAST on a pyramid, turned by their centre of mass, described by 256
 * comparisons.
 *
 * Rublee, Rabaud, Konolige, Bradski, ORB: an efficient alternative to SIFT or SURF, ICCV 2011. Which pixels are
 * compared was learned by that paper's greedy search (tools/learn_orb_pattern, local_orb_pattern.h); the pattern is
 * turned in steps of 6 degrees.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "feature/local_detect.h"
#include "feature/local_orb_pattern.h"

enum { LEVELS = 8, RADIUS = 15, BORDER = RADIUS + 1, SIDE_MIN = 2 * BORDER + 3, TURNS = 60, BITS = 256,
       BYTES = BITS / 8 };

static const float level_factor = 1.2f, patch_sigma = 2;

struct level {
	uint8_t *pixels;
	float *smooth;
	unsigned width, height;
	float pixel; /* in pixels of the picture */
};

struct orb {
	struct local_job *job;
	struct level levels[LEVELS];
	int32_t n_levels;
	uint8_t *pixels;
	float *smooth, *room;
	uint16_t *scores;            /* three rows */
	uint32_t *column, *share;    /* of resizing: the left pixel and the right one's part of 256 */
	int half_width[RADIUS + 1];  /* of the circle, by distance of the row */
	int8_t turned[TURNS][BITS][4];
};

/* ---- the pyramid ---- */

static akin_status reserve(struct orb *o)
{
	struct local_job *job = o->job;
	size_t total = 0, own = (size_t)job->width * job->height;
	float pixel = 1;

	for (; o->n_levels < LEVELS; pixel *= level_factor) {
		unsigned w = (unsigned)lroundf((float)job->width / pixel),
		        h = (unsigned)lroundf((float)job->height / pixel);

		if (w < SIDE_MIN || h < SIDE_MIN) break;
		o->levels[o->n_levels++] = (struct level){ .width = w, .height = h, .pixel = pixel };
		total += (size_t)w * h;
	}
	if (!o->n_levels) return AKIN_OK;
	o->pixels = mem_alloc(total);
	o->smooth = mem_aligned(2 * own * sizeof *o->smooth);
	o->room = mem_alloc(blur_room(job->width) * sizeof *o->room);
	o->scores = mem_alloc(3 * (size_t)job->width * sizeof *o->scores);
	o->column = mem_alloc((size_t)job->width * sizeof *o->column);
	o->share = mem_alloc((size_t)job->width * sizeof *o->share);
	if (!o->pixels || !o->smooth || !o->room || !o->scores || !o->column || !o->share) return error_nomem(job->err);
	total = 0;
	for (int32_t l = 0; l < o->n_levels; l++) {
		o->levels[l].pixels = o->pixels + total;
		total += (size_t)o->levels[l].width * o->levels[l].height;
	}
	return AKIN_OK;
}

/* Where sample i of `n` lies among `full` ones, corner on corner, as the left of two and the right one's part of 256. */
static uint32_t place(unsigned i, unsigned n, unsigned full, uint32_t *part)
{
	double at = ((double)i + 0.5) * full / n - 0.5;
	uint32_t left = at > 0 ? (uint32_t)at : 0;

	if (left > full - 2) left = full - 2;
	*part = (uint32_t)lround(fmin(fmax(at - left, 0), 1) * 256);
	return left;
}

static void shrink(struct orb *o, const struct level *from, struct level *to)
{
	for (unsigned x = 0; x < to->width; x++) o->column[x] = place(x, to->width, from->width, &o->share[x]);
	for (unsigned y = 0; y < to->height; y++) {
		uint32_t below, above_y = place(y, to->height, from->height, &below);
		const uint8_t *a = from->pixels + (size_t)above_y * from->width, *b = a + from->width;
		uint8_t *row = to->pixels + (size_t)y * to->width;

		for (unsigned x = 0; x < to->width; x++) {
			uint32_t c = o->column[x], s = o->share[x];
			uint32_t left = a[c] * (256 - below) + b[c] * below;
			uint32_t right = a[c + 1] * (256 - below) + b[c + 1] * below;

			row[x] = (uint8_t)((left * (256 - s) + right * s + 32768) >> 16);
		}
	}
}

static void build(struct orb *o)
{
	memcpy(o->levels[0].pixels, o->job->grey, (size_t)o->job->width * o->job->height);
	for (int32_t l = 1; l < o->n_levels; l++) shrink(o, &o->levels[l - 1], &o->levels[l]);
}

/* ---- corners ---- */

/* Harris and Stephens 1988, k = 0.04, of Sobel gradients scaled to 0..1. */
static float harris(const struct orb *o, const struct level *l, unsigned x, unsigned y)
{
	const float scale = 1 / (4 * 7 * 255.0f);
	int32_t sums[3];
	float xx, yy, xy;

	o->job->kernels->structure(l->pixels + (size_t)y * l->width + x, (ptrdiff_t)l->width, sums);
	xx = (float)sums[0] * scale * scale;
	yy = (float)sums[1] * scale * scale;
	xy = (float)sums[2] * scale * scale;
	return xx * yy - xy * xy - 0.04f * (xx + yy) * (xx + yy);
}

static void score_row(const struct orb *o, const struct level *l, unsigned y, unsigned threshold)
{
	uint16_t *to = o->scores + (size_t)(y % 3) * l->width;

	o->job->kernels->fast(l->pixels + (size_t)y * l->width + 3, (ptrdiff_t)l->width, threshold, to + 3,
	                      l->width - 6);
}

/* Ties go to the first of a plateau. */
static bool is_peak(const uint16_t *above, const uint16_t *row, const uint16_t *below, unsigned x)
{
	uint16_t v = row[x];

	return v > above[x - 1] && v > above[x] && v > above[x + 1] && v > row[x - 1] && v >= row[x + 1] &&
	        v >= below[x - 1] &&
	       v >= below[x] && v >= below[x + 1];
}

static akin_status detect(struct orb *o, int32_t level, unsigned threshold)
{
	const struct level *l = &o->levels[level];

	for (unsigned y = BORDER - 1; y < l->height - BORDER + 1; y++) {
		const uint16_t *above = o->scores + (size_t)((y + 1) % 3) * l->width,
		        *row = o->scores + (size_t)((y + 2) % 3) * l->width;

		score_row(o, l, y, threshold);
		if (y < BORDER + 1) continue;
		for (unsigned x = BORDER; x < l->width - BORDER; x++) {
			struct local_point p = { .octave = level, .u = (float)x, .v = (float)(y - 1) };
			akin_status st;

			if (!row[x] || !is_peak(above, row, o->scores + (size_t)(y % 3) * l->width, x)) continue;
			p.at.x = (p.u + 0.5f) * (float)o->job->width / (float)l->width - 0.5f;
			p.at.y = (p.v + 0.5f) * (float)o->job->height / (float)l->height - 0.5f;
			p.at.scale = l->pixel;
			p.at.response = harris(o, l, x, y - 1);
			if ((st = local_point_add(o->job, &p)) != AKIN_OK) return st;
		}
	}
	return AKIN_OK;
}

/* A share of the budget that falls with the level's width; what one level does not use goes to the next. A picture
 * without contrast is looked at again with a third of the threshold. */
static akin_status detect_all(struct orb *o)
{
	struct local_job *job = o->job;
	unsigned threshold = (unsigned)fmaxf(job->params.contrast, 1);
	double left = job->params.budget, shares = 0;
	akin_status st = AKIN_OK;

	for (int32_t l = 0; l < o->n_levels; l++) shares += 1 / (double)o->levels[l].pixel;
	for (int32_t l = 0; st == AKIN_OK && l < o->n_levels; l++) {
		size_t from = job->points.n, budget = (size_t)lround(left / (double)o->levels[l].pixel / shares);

		st = detect(o, l, threshold);
		if (st == AKIN_OK && job->points.n - from < budget && threshold > 3) {
			job->points.n = from;
			st = detect(o, l, threshold / 3);
		}
		local_points_select(job, from, budget);
		left -= (double)(job->points.n - from);
		shares -= 1 / (double)o->levels[l].pixel;
	}
	return st;
}

/* ---- orientation and description ---- */

static void prepare(struct orb *o)
{
	for (int y = 0; y <= RADIUS; y++) o->half_width[y] = (int)sqrtf((float)(RADIUS * RADIUS - y * y));
	for (int t = 0; t < TURNS; t++) {
		float cosine = cosf((float)t * (2 * LOCAL_PI / TURNS)), sine = sinf((float)t * (2 * LOCAL_PI / TURNS));

		for (size_t b = 0; b < BITS; b++)
			for (size_t k = 0; k < 4; k += 2) {
				float x = orb_pattern[b][k], y = orb_pattern[b][k + 1];

				o->turned[t][b][k] = (int8_t)lroundf(cosine * x - sine * y);
				o->turned[t][b][k + 1] = (int8_t)lroundf(sine * x + cosine * y);
			}
	}
}

/* From the corner to the centre of mass of a circle around it (Rosin 1999). */
static float angle_of(const struct orb *o, const struct level *l, const struct local_point *p)
{
	const uint8_t *centre = l->pixels + (size_t)p->v * l->width + (size_t)p->u;
	int32_t mx = 0, my = 0;
	float angle;

	for (int y = -RADIUS; y <= RADIUS; y++) {
		const uint8_t *row = centre + (ptrdiff_t)y * (ptrdiff_t)l->width;
		int half = o->half_width[y < 0 ? -y : y];
		int32_t sum = 0, sum_x = 0;

		for (int x = -half; x <= half; x++) {
			sum += row[x];
			sum_x += x * row[x];
		}
		mx += sum_x;
		my += y * sum;
	}
	angle = atan2f((float)my, (float)mx);
	return angle < 0 ? angle + 2 * LOCAL_PI : angle;
}

static void describe(const struct orb *o, const struct level *l, const struct local_point *p, uint8_t *to)
{
	size_t turn = (size_t)lroundf(p->at.angle * (TURNS / (2 * LOCAL_PI))) % TURNS;
	const float *centre = l->smooth + (size_t)p->v * l->width + (size_t)p->u;
	ptrdiff_t stride = (ptrdiff_t)l->width;

	for (size_t byte = 0; byte < BYTES; byte++) {
		unsigned bits = 0;

		for (size_t bit = 0; bit < 8; bit++) {
			const int8_t *q = o->turned[turn][8 * byte + bit];
			bits |= (unsigned)(centre[q[0] + q[1] * stride] < centre[q[2] + q[3] * stride]) << bit;
		}
		to[byte] = (uint8_t)bits;
	}
}

/* The level as floats, blurred so that a comparison of two pixels is not one of their noise. */
static void smooth(struct orb *o, struct level *l)
{
	struct blur blur = blur_of((double)patch_sigma);
	size_t n = (size_t)l->width * l->height;
	float *raw = o->smooth + (size_t)o->job->width * o->job->height;

	for (size_t i = 0; i < n; i++) raw[i] = l->pixels[i];
	l->smooth = o->smooth;
	blur_picture(o->job->kernels, &blur, raw, l->smooth, l->width, l->height, o->room);
}

static int by_strength(const struct local_point *a, const struct local_point *b)
{
	return (a->at.response < b->at.response) - (a->at.response > b->at.response);
}

/* Points lie in the order of the levels, each level's strongest first; merged, they are all in that order. */
static void merge(const struct local_job *job, uint32_t *order)
{
	size_t at[LEVELS], end[LEVELS], n = job->points.n, i = 0;

	for (int32_t l = 0; l < LEVELS; l++) {
		at[l] = i;
		while (i < n && job->points.at[i].octave == l) i++;
		end[l] = i;
	}
	for (size_t k = 0; k < n; k++) {
		size_t best = LEVELS;

		for (size_t l = 0; l < LEVELS; l++)
			if (at[l] < end[l] &&
			    (best == LEVELS || by_strength(&job->points.at[at[l]], &job->points.at[at[best]]) < 0))
				best = l;
		order[at[best]++] = (uint32_t)k;
	}
}

static akin_status describe_all(struct orb *o)
{
	struct local_job *job = o->job;
	size_t n = job->points.n;
	uint32_t *place_of = mem_calloc(n + 1, sizeof *place_of);
	akin_status st = place_of ? local_set_reserve(job->out, n, BYTES, job->err) : error_nomem(job->err);

	if (st != AKIN_OK) goto out;
	merge(job, place_of);
	prepare(o);
	for (size_t i = 0; i < n; i++) {
		struct local_point p = job->points.at[i];
		struct level *l = &o->levels[p.octave];

		if (!l->smooth) smooth(o, l); /* in the room of the level before, which is done */
		if (!job->params.upright) p.at.angle = angle_of(o, l, &p);
		describe(o, l, &p, job->out->descriptors + place_of[i] * BYTES);
		job->out->at[place_of[i]] = p.at;
	}
	job->out->n = n;
out:
	mem_free(place_of);
	return st;
}

akin_status local_orb(struct local_job *job)
{
	struct orb *o = mem_zalloc(sizeof *o);
	akin_status st = o ? AKIN_OK : error_nomem(job->err);

	job->out->bytes = BYTES;
	if (!o) return st;
	o->job = job;
	st = reserve(o);
	if (st == AKIN_OK && o->n_levels) {
		build(o);
		st = detect_all(o);
		if (st == AKIN_OK) st = describe_all(o);
	}
	mem_free(o->pixels);
	mem_free(o->smooth);
	mem_free(o->room);
	mem_free(o->scores);
	mem_free(o->column);
	mem_free(o->share);
	mem_free(o);
	return st;
}
