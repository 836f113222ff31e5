/* search/verify.c - one map that matched points agree on; verify.h says by what measure.
 *
 * While searching, errors are counted in steps of a quarter octave: p is rounded up to the next step, so that the NFA
 * that is compared is never below the true one and no sorting is needed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "search/verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

enum { STEPS = 64, STEPS_AN_OCTAVE = 4, REFINEMENTS = 6, SINGLES = 300, ROUNDS = 2000, ZOOM_BINS = 20, TURN_BINS = 18,
       SAMPLE_MAX = 8 };

static const double pi = 3.14159265358979, floor_px = 0.5;

struct kind {
	size_t sample;   /* pairs that determine it */
	double maps;     /* at most, through a sample */
	bool (*fit)(const struct point_pair *p, const double *weights, size_t n, double map[9]);
};

static const struct kind kinds[VERIFY_MODELS] = {
	[VERIFY_HOMOGRAPHY] = { 4, 1, fit_homography },
	[VERIFY_AFFINE] = { 3, 1, fit_affine },
	[VERIFY_SIMILARITY] = { 2, 1, fit_similarity },
	[VERIFY_FUNDAMENTAL] = { 7, 3, fit_fundamental },
};

struct candidate {
	enum verify_model model;
	double map[9], log10_nfa, error; /* error: of the worst inlier, as its probability */
	size_t n_inliers;
};

struct search {
	const struct verify_params *params;
	size_t n;
	struct point_pair *at;      /* the pairs that count, surest first */
	uint32_t *from;             /* which of the caller's they are */
	double *turn, *zoom, *reach_a, *reach_b;
	double *weights, *error;    /* of each pair, under the map at hand */
	double *log_factorial;      /* base 10, 0..n */
	uint32_t *order;            /* pairs by votes */
	struct candidate best;
	double most_error[2];       /* probabilities that go with the precision: points, lines */
};

/* ---- errors as probabilities ---- */

/* How likely a random point of b is as near to the image of a's point as its partner is, or the other way round. */
static double point_error(const struct search *s, const double map[9], const double back[9], const struct point_pair *p)
{
	const struct verify_params *v = s->params;
	double to[2], e, f;

	if (!map_point(map, p->ax, p->ay, to)) return 1;
	e = fmax(hypot(to[0] - p->bx, to[1] - p->by), floor_px);
	if (!map_point(back, p->bx, p->by, to)) return 1;
	f = fmax(hypot(to[0] - p->ax, to[1] - p->ay), floor_px);
	return fmin(1, pi * fmax(e * e / (v->width_b * v->height_b), f * f / (v->width_a * v->height_a)));
}

/* From (to_x, to_y) to the line of (x, y): in b by the matrix, in a by its transpose. */
static double line_distance(const double map[9], bool transposed, double x, double y, double to_x, double to_y)
{
	size_t row = transposed ? 1 : 3, column = transposed ? 3 : 1;
	double l[3];

	for (size_t i = 0; i < 3; i++) l[i] = map[i * row] * x + map[i * row + column] * y + map[i * row + 2 * column];
	return fabs(l[0] * to_x + l[1] * to_y + l[2]) / fmax(hypot(l[0], l[1]), 1e-30);
}

/* A strip along a line covers at most its width times the diagonal. */
static double line_error(const struct search *s, const double map[9], const struct point_pair *p)
{
	const struct verify_params *v = s->params;
	double e = fmax(line_distance(map, false, p->ax, p->ay, p->bx, p->by), floor_px);
	double f = fmax(line_distance(map, true, p->bx, p->by, p->ax, p->ay), floor_px);

	return fmin(1, fmax(2 * e * hypot(v->width_b, v->height_b) / (v->width_b * v->height_b),
	                    2 * f * hypot(v->width_a, v->height_a) / (v->width_a * v->height_a)));
}

static bool errors(const struct search *s, enum verify_model model, const double map[9], double *error)
{
	double back[9];

	if (model != VERIFY_FUNDAMENTAL) {
		/* A mirrored map cannot be: descriptions of mirrored things do not match. */
		if (!map_invert(map, back) || !(map[0] * map[4] - map[1] * map[3] > 0 || model == VERIFY_HOMOGRAPHY))
			return false;
		for (size_t i = 0; i < s->n; i++) error[i] = point_error(s, map, back, &s->at[i]);
	} else {
		for (size_t i = 0; i < s->n; i++) error[i] = line_error(s, map, &s->at[i]);
	}
	return true;
}

/* ---- the number of false alarms ---- */

static double log_choose(const struct search *s, size_t n, size_t k)
{
	return s->log_factorial[n] - s->log_factorial[k] - s->log_factorial[n - k];
}

/* k of n pairs. */
static double log_nfa(const struct search *s, enum verify_model model, size_t n, size_t k, double p)
{
	const struct kind *kind = &kinds[model];

	if (k <= kind->sample || !(p < 1)) return 0;
	return log10(VERIFY_MODELS * kind->maps * (double)(n - kind->sample)) + log_choose(s, n, k) +
	       log_choose(s, k, kind->sample) + (double)(k - kind->sample) * log10(p);
}

/* The least NFA over all errors, which are at most 1. */
static void judge(const struct search *s, struct candidate *c, const double *error)
{
	uint32_t counts[STEPS + 1] = { 0 };
	double most = s->most_error[c->model == VERIFY_FUNDAMENTAL];
	size_t k = 0;

	c->log10_nfa = 0;
	c->n_inliers = 0;
	c->error = 0;
	/* Step i holds errors in most * (2^-((i + 1) / 4), 2^-(i / 4)]; its upper end stands for it. What lies at an
	 * end by all but rounding belongs to the step below it. */
	for (size_t i = 0; i < s->n; i++)
		if (error[i] <= most) {
			double step = -log2(error[i] / most) * STEPS_AN_OCTAVE - 1e-9;
			counts[step < STEPS ? (size_t)fmax(step, 0) : STEPS]++;
		}
	for (size_t i = STEPS + 1; i-- > 0;) {
		double p = most * exp2(-(double)i / STEPS_AN_OCTAVE), nfa;

		if (!counts[i]) continue;
		k += counts[i];
		nfa = log_nfa(s, c->model, s->n, k, p);
		if (nfa < c->log10_nfa) {
			c->log10_nfa = nfa;
			c->n_inliers = k;
			c->error = p;
		}
	}
}

/* ---- refinement ---- */

/* Points on a line, or all in one spot, determine no map, however well they agree. */
static bool spread_out(const struct search *s, const double *error, double most)
{
	double m[2][5] = { { 0 } }, n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const double at[2][2] = { { s->at[i].ax, s->at[i].ay }, { s->at[i].bx, s->at[i].by } };

		if (error[i] > most) continue;
		n++;
		for (int k = 0; k < 2; k++) {
			double x = at[k][0], y = at[k][1];
			m[k][0] += x;
			m[k][1] += y;
			m[k][2] += x * x;
			m[k][3] += x * y;
			m[k][4] += y * y;
		}
	}
	for (int k = 0; k < 2 && n > 0; k++) {
		double xx = m[k][2] / n - m[k][0] * m[k][0] / n / n, xy = m[k][3] / n - m[k][0] * m[k][1] / n / n,
		       yy = m[k][4] / n - m[k][1] * m[k][1] / n / n, half = (xx + yy) / 2;
		double least = half - sqrt(fmax((xx - yy) * (xx - yy) / 4 + xy * xy, 0));

		if (!(least > 4 && least > 1e-3 * half)) return false;
	}
	return n > 0;
}

/* Weights fall smoothly to 0 at an error of twice what the candidate admits. */
static bool refit(struct search *s, const struct candidate *from, enum verify_model model, struct candidate *to)
{
	double scale = 2 * from->error;

	for (size_t i = 0; i < s->n; i++) {
		double r = s->error[i] / scale;
		s->weights[i] = r < 1 ? (1 - r) * (1 - r) : 0;
	}
	*to = (struct candidate){ .model = model };
	return kinds[model].fit(s->at, s->weights, s->n, to->map);
}

/* Let the candidate improve as long as it does, as the model wanted; keep it if it is the best so far. */
static void improve(struct search *s, const struct candidate *start, enum verify_model model)
{
	struct candidate now = *start;

	for (int i = 0; i < REFINEMENTS; i++) {
		struct candidate next;

		if (!errors(s, now.model, now.map, s->error) || !refit(s, &now, model, &next)) break;
		if (!errors(s, model, next.map, s->error)) break;
		judge(s, &next, s->error);
		if (next.log10_nfa < s->best.log10_nfa && spread_out(s, s->error, next.error)) s->best = next;
		if (!(next.n_inliers > kinds[model].sample) || (i > 1 && !(next.log10_nfa < now.log10_nfa - 0.01)))
			break;
		now = next;
	}
}

static bool allowed(const struct search *s, enum verify_model model)
{
	/* From the general to the simple: homography 0, affine 1, similarity 2. */
	return s->params->model == VERIFY_FUNDAMENTAL || model >= s->params->model;
}

/* A candidate that beats half of the best so far is worth looking at closely, in every model that is allowed. */
static void consider(struct search *s, struct candidate *c)
{
	static const enum verify_model ladder[] = { VERIFY_SIMILARITY, VERIFY_AFFINE, VERIFY_HOMOGRAPHY };

	if (!errors(s, c->model, c->map, s->error)) return;
	judge(s, c, s->error);
	if (!(c->log10_nfa < 0 && c->log10_nfa < 0.5 * s->best.log10_nfa)) return;
	if (c->log10_nfa < s->best.log10_nfa && spread_out(s, s->error, c->error)) s->best = *c;
	if (c->model == VERIFY_FUNDAMENTAL) {
		improve(s, c, VERIFY_FUNDAMENTAL);
		return;
	}
	for (size_t i = 0; i < COUNT(ladder); i++)
		if (allowed(s, ladder[i])) improve(s, c, ladder[i]);
}

/* ---- single pairs ---- */

static size_t bin_of(const struct search *s, size_t i)
{
	double turn = s->turn[i] / (2 * pi), zoom = log2(s->zoom[i]) * 2 + ZOOM_BINS / 2.0;
	size_t t = (size_t)((turn - floor(turn)) * TURN_BINS) % TURN_BINS;

	return (size_t)fmin(fmax(zoom, 0), ZOOM_BINS - 1) * TURN_BINS + t;
}

/* Each pair votes for its zoom and turn; pairs are ordered by the votes of their bin and its neighbours. */
static void count_votes(struct search *s)
{
	size_t votes[ZOOM_BINS * TURN_BINS] = { 0 }, smooth[ZOOM_BINS * TURN_BINS] = { 0 };
	uint32_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->zoom[i] > 0) votes[bin_of(s, i)]++;
	for (size_t z = 0; z < ZOOM_BINS; z++)
		for (size_t t = 0; t < TURN_BINS; t++)
			for (size_t d = 0; d < 9; d++) {
				size_t y = z + d / 3, x = (t + d % 3 + TURN_BINS - 1) % TURN_BINS;
				if (y >= 1 && y <= ZOOM_BINS)
					smooth[z * TURN_BINS + t] += votes[(y - 1) * TURN_BINS + x];
			}
	/* A stable selection by votes: bins hold few pairs, and n * bins stays small. */
	for (size_t level = s->n + 1; level-- > 0 && n < s->n;) {
		bool any = false;

		for (size_t b = 0; b < ZOOM_BINS * TURN_BINS; b++) any |= smooth[b] == level;
		if (!any && level) continue;
		for (size_t i = 0; i < s->n; i++)
			if (s->zoom[i] > 0 ? smooth[bin_of(s, i)] == level : level == 0) s->order[n++] = (uint32_t)i;
	}
}

static void try_singles(struct search *s)
{
	for (size_t k = 0; k < s->n && k < SINGLES; k++) {
		uint32_t i = s->order[k];
		const struct point_pair *p = &s->at[i];
		double c = s->zoom[i] * cos(s->turn[i]), d = s->zoom[i] * sin(s->turn[i]);
		struct candidate one = { .model = VERIFY_SIMILARITY };

		if (!(s->zoom[i] > 0)) return;
		memcpy(one.map, (const double[9]){ c, -d, p->bx - c * p->ax + d * p->ay, d, c,
		                                   p->by - d * p->ax - c * p->ay, 0, 0, 1 },
		       sizeof one.map);
		consider(s, &one);
	}
}

/* ---- random samples ---- */

/* `size` different pairs among the first `among`, every other time from those with the most votes. */
static void draw(const struct search *s, struct rng *rng, size_t size, size_t among, bool voted,
                 struct point_pair *sample)
{
	size_t chosen[SAMPLE_MAX];

	for (size_t k = 0; k < size; k++) {
		bool again = true;

		while (again) {
			chosen[k] = (size_t)rng_below(rng, among);
			again = false;
			for (size_t j = 0; j < k; j++) again |= chosen[j] == chosen[k];
		}
		sample[k] = s->at[voted ? s->order[chosen[k]] : chosen[k]];
	}
}

/* How many samples hold only inliers with 99.9 %, going by the best so far. */
static double samples_needed(const struct search *s, size_t size)
{
	double clean = pow((double)s->best.n_inliers / (double)s->n, (double)size);

	return s->best.log10_nfa < -VERIFY_CERTAINTY ? log(1e-3) / log1p(-fmin(clean, 0.999999)) : INFINITY;
}

static void try_sample(struct search *s, enum verify_model model, const struct point_pair *sample)
{
	double maps[3][9];
	size_t n = 1;

	if (model == VERIFY_FUNDAMENTAL) n = fit_fundamental_seven(sample, maps);
	else if (!kinds[model].fit(sample, NULL, kinds[model].sample, maps[0])) return;
	for (size_t i = 0; i < n; i++) {
		struct candidate c = { .model = model };

		memcpy(c.map, maps[i], sizeof c.map);
		consider(s, &c);
	}
}

static void try_samples(struct search *s, enum verify_model model)
{
	size_t size = kinds[model].sample, rounds = s->params->rounds ? s->params->rounds : ROUNDS;
	struct rng rng = { s->params->seed + (uint64_t)model };
	struct point_pair sample[SAMPLE_MAX];

	if (s->n <= size) return;
	for (size_t i = 0; i < rounds && (double)i < samples_needed(s, size); i++) {
		/* The surest pairs first: all of them from half of the rounds on. */
		size_t among = size + 1 + (s->n - size - 1) * (2 * i < rounds ? 2 * i : rounds) / rounds;

		draw(s, &rng, size, among, i % 2, sample);
		try_sample(s, model, sample);
	}
}

/* A fundamental matrix from a plane's homography H and two pairs off the plane: the lines through H a and b meet in the
 * epipole e, and F = [e]x H. */
static bool plane_and_two(const double h[9], const struct point_pair pair[2], double map[9])
{
	double line[2][3], e[3], norm = 0;

	for (int k = 0; k < 2; k++) {
		double to[2], x, y;

		if (!map_point(h, pair[k].ax, pair[k].ay, to)) return false;
		x = pair[k].bx;
		y = pair[k].by;
		line[k][0] = to[1] - y;
		line[k][1] = x - to[0];
		line[k][2] = to[0] * y - to[1] * x;
	}
	for (int i = 0; i < 3; i++)
		e[i] = line[0][(i + 1) % 3] * line[1][(i + 2) % 3] - line[0][(i + 2) % 3] * line[1][(i + 1) % 3];
	for (size_t c = 0; c < 3; c++) {
		map[c] = e[1] * h[6 + c] - e[2] * h[3 + c];
		map[3 + c] = e[2] * h[c] - e[0] * h[6 + c];
		map[6 + c] = e[0] * h[3 + c] - e[1] * h[c];
	}
	for (int i = 0; i < 9; i++) norm += map[i] * map[i];
	for (int i = 0; i < 9; i++) map[i] /= sqrt(norm);
	return norm > 0 && isfinite(norm);
}

static void try_plane(struct search *s, const struct candidate *plane)
{
	size_t rounds = s->params->rounds ? s->params->rounds : ROUNDS;
	struct rng rng = { s->params->seed + VERIFY_MODELS };

	for (size_t i = 0; i < rounds && s->n > 2; i++) {
		struct candidate c = { .model = VERIFY_FUNDAMENTAL };
		struct point_pair two[2];

		draw(s, &rng, 2, s->n, false, two);
		if (plane_and_two(plane->map, two, c.map)) consider(s, &c);
	}
}

/* ---- the whole ---- */

static int by_quality(const void *pa, const void *pb, const struct verify_pair *pairs)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	if (pairs[a].quality < pairs[b].quality) return -1;
	if (pairs[a].quality > pairs[b].quality) return 1;
	return (a > b) - (a < b);
}

static void merge_sort(uint32_t *items, uint32_t *room, size_t n, const struct verify_pair *pairs)
{
	for (size_t run = 1; run < n; run *= 2)
		for (size_t i = 0; i < n; i += 2 * run) {
			size_t a = i, middle = i + run < n ? i + run : n, b = middle;
			size_t end = i + 2 * run < n ? i + 2 * run : n;

			for (size_t k = i; k < end; k++)
				room[k] = a < middle && (b == end || by_quality(&items[a], &items[b], pairs) <= 0) ?
				        items[a++] : items[b++];
			memcpy(items + i, room + i, (end - i) * sizeof *items);
		}
}

/* The same two places told twice are one witness. */
static bool told_before(const struct search *s, const struct point_pair *p)
{
	for (size_t i = 0; i < s->n; i++)
		if (fabs(s->at[i].ax - p->ax) < 1 && fabs(s->at[i].ay - p->ay) < 1 && fabs(s->at[i].bx - p->bx) < 1 &&
		    fabs(s->at[i].by - p->by) < 1)
			return true;
	return false;
}

static bool usable(const struct verify_pair *p)
{
	return isfinite(p->at.ax) && isfinite(p->at.ay) && isfinite(p->at.bx) && isfinite(p->at.by) &&
	        isfinite(p->turn) &&
	       isfinite(p->zoom) && isfinite(p->quality) && isfinite(p->reach_a) && isfinite(p->reach_b);
}

static akin_status prepare(struct search *s, const struct verify_pair *pairs, size_t n, akin_error *err)
{
	const struct verify_params *v = s->params;
	double precision = v->precision > 0 ? v->precision : hypot(v->width_b, v->height_b) / 50,
	        area = v->width_b * v->height_b;
	uint32_t *order = mem_alloc(2 * (n + 1) * sizeof *order);
	size_t most = n < VERIFY_MAX_PAIRS ? n : VERIFY_MAX_PAIRS, kept = 0;

	s->at = mem_alloc((most + 1) * sizeof *s->at);
	s->from = mem_alloc(2 * (most + 1) * sizeof *s->from);
	s->turn = mem_alloc(7 * (most + 1) * sizeof *s->turn);
	if (!order || !s->at || !s->from || !s->turn) {
		mem_free(order);
		return error_nomem(err);
	}
	s->order = s->from + most + 1;
	s->zoom = s->turn + most + 1;
	s->reach_a = s->zoom + most + 1;
	s->reach_b = s->reach_a + most + 1;
	s->weights = s->reach_b + most + 1;
	s->error = s->weights + most + 1;
	s->log_factorial = s->error + most + 1;
	for (uint32_t i = 0; i < n; i++)
		if (usable(&pairs[i])) order[kept++] = i;
	merge_sort(order, order + n, kept, pairs);
	for (size_t k = 0; k < kept && s->n < most; k++) {
		const struct verify_pair *p = &pairs[order[k]];

		if (told_before(s, &p->at)) continue;
		s->at[s->n] = p->at;
		s->turn[s->n] = p->turn;
		s->zoom[s->n] = p->zoom;
		s->reach_a[s->n] = p->reach_a;
		s->reach_b[s->n] = p->reach_b;
		s->from[s->n++] = order[k];
	}
	mem_free(order);
	s->log_factorial[0] = 0;
	for (size_t i = 1; i <= s->n; i++) s->log_factorial[i] = s->log_factorial[i - 1] + log10((double)i);
	s->most_error[0] = fmin(pi * precision * precision / area, 0.25);
	s->most_error[1] = fmin(2 * precision * hypot(v->width_b, v->height_b) / area, 0.25);
	return AKIN_OK;
}

static void look_for(struct search *s)
{
	enum verify_model model = s->params->model;

	count_votes(s);
	try_singles(s);
	if (model != VERIFY_FUNDAMENTAL) {
		try_samples(s, model);
		return;
	}
	/* What a plane explains is not enough: the map must be a fundamental matrix. */
	try_samples(s, VERIFY_HOMOGRAPHY);
	struct candidate plane = s->best;
	s->best = (struct candidate){ .model = model };
	if (plane.n_inliers) try_plane(s, &plane);
	try_samples(s, model);
}

/* a's corners in b, if they are a convex quadrangle turned the right way. */
static bool box_of(const struct verify_params *v, const double map[9], double box[8])
{
	const double x[4] = { 0, v->width_a - 1, v->width_a - 1, 0 }, y[4] = { 0, 0, v->height_a - 1, v->height_a - 1 };

	for (int i = 0; i < 4; i++)
		if (!map_point(map, x[i], y[i], box + 2 * i)) return false;
	for (int i = 0; i < 4; i++) {
		const double *p = box + 2 * i, *q = box + 2 * ((i + 1) % 4), *r = box + 2 * ((i + 2) % 4);
		if (!((q[0] - p[0]) * (r[1] - q[1]) - (q[1] - p[1]) * (r[0] - q[0]) > 0)) return false;
	}
	return true;
}

static bool within_reach(const struct search *s, size_t i, size_t of)
{
	const struct point_pair *p = &s->at[i], *q = &s->at[of];

	return hypot(p->ax - q->ax, p->ay - q->ay) < s->reach_a[of] &&
	        hypot(p->bx - q->bx, p->by - q->by) < s->reach_b[of];
}

/* The NFA of the best map by independent witnesses alone: s->order receives who they are. */
static double verdict(struct search *s, size_t *n_witnesses)
{
	size_t n = 0;

	*n_witnesses = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		bool told = false;

		for (size_t k = 0; k < n && !told; k++) told = within_reach(s, i, s->order[k]);
		if (told) continue;
		s->order[n++] = i;
		*n_witnesses += s->error[i] <= s->best.error;
	}
	return fmin(log_nfa(s, s->best.model, n, *n_witnesses, s->best.error), 0);
}

/* The exact error of the worst inlier in pixels, and who they are. */
static void report(struct search *s, struct verify_result *result, bool *inlier)
{
	const struct candidate *c = &s->best;
	const struct verify_params *v = s->params;
	double worst = 0, area = v->width_b * v->height_b;

	result->model = c->model;
	memcpy(result->map, c->map, sizeof result->map);
	if (!c->n_inliers || !errors(s, c->model, c->map, s->error)) return;
	for (size_t i = 0; i < s->n; i++)
		if (s->error[i] <= c->error) {
			inlier[s->from[i]] = true;
			worst = fmax(worst, s->error[i]);
			result->n_inliers++;
		}
	result->precision = c->model == VERIFY_FUNDAMENTAL ? worst * area / (2 * hypot(v->width_b, v->height_b)) :
	        sqrt(worst * area / pi);
	result->log10_nfa = verdict(s, &result->n_witnesses);
	result->found = result->log10_nfa <= -VERIFY_CERTAINTY;
	result->has_box = result->found && c->model != VERIFY_FUNDAMENTAL && box_of(v, c->map, result->box);
}

akin_status verify(const struct verify_pair *pairs, size_t n, const struct verify_params *params,
                   struct verify_result *result,
                   bool *inlier, akin_error *err)
{
	struct search s = { .params = params, .best = { .model = params->model } };
	akin_status st;

	*result = (struct verify_result){ .model = params->model };
	if (n) memset(inlier, 0, n * sizeof *inlier);
	if (!(params->width_a >= 1 && params->height_a >= 1 && params->width_b >= 1 && params->height_b >= 1))
		return error_set(err, AKIN_ERR_INVALID, "pictures without a size cannot be compared");
	if ((unsigned)params->model >= VERIFY_MODELS)
		return error_set(err, AKIN_ERR_INVALID, "no such geometric model");
	if ((st = prepare(&s, pairs, n, err)) == AKIN_OK) {
		look_for(&s);
		report(&s, result, inlier);
	}
	mem_free(s.at);
	mem_free(s.from);
	mem_free(s.turn);
	return st;
}
