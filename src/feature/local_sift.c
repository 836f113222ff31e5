/* feature/local_sift.c - SIFT: extrema of differences of Gaussians, described by histograms of gradients.
 *
 * Sections are those of Lowe, Distinctive image features from scale-invariant keypoints, IJCV 60(2), 2004. An octave
 * has LAYERS + 3 Gaussians, each 2^(1/LAYERS) wider than the one before; differences of neighbours approximate the
 * Laplacian, and a point is an extremum of them among its 26 neighbours in place and scale.
 *
 * All levels are kept until the points are chosen, because only the chosen ones get the dear part, a description.
 * docs/decisions/0007 says why this is not VLFeat.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "feature/local_detect.h"

enum { LAYERS = 3, LEVELS = LAYERS + 3, DOGS = LEVELS - 1, OCTAVES_MAX = 12, SIDE_MIN = 16, BORDER = 5 };
enum { ANGLES = 36, ANGLES_A_POINT = 4, CELLS = 4, TURNS = 8, BYTES = CELLS * CELLS * TURNS, STEPS = 5 };
enum { PATCH_RADIUS = 44, PATCH_ROW = 2 * PATCH_RADIUS + 1 };

static const double first_sigma = 1.6, camera_sigma = 0.5;

struct octave {
	float *level[LEVELS];
	unsigned width, height;
	float pixel, origin; /* width of a sample and place of the first one, in pixels of the picture */
};

struct sift {
	struct local_job *job;
	struct octave octaves[OCTAVES_MAX];
	int32_t n_octaves;
	float *levels;     /* one block for all of them */
	float *room;       /* of blurring: a row; of detecting: 3 rows of each difference, 2 rows to work in */
	uint8_t *near;
	float *first;      /* the picture before blurring; becomes level 1 of the first octave */
};

/* ---- the scale space, section 3 ---- */

static akin_status reserve(struct sift *s)
{
	const struct local_job *job = s->job;
	enum local_octave first = job->params.first_octave;
	unsigned w = local_first_side(job->width, first), h = local_first_side(job->height, first);
	float pixel = first == LOCAL_OCTAVE_DOUBLED ? 0.5f : first == LOCAL_OCTAVE_HALF ? 2 : 1;
	float origin = first == LOCAL_OCTAVE_DOUBLED ? -0.25f : 0;
	size_t total = 0, widest = w;

	for (; s->n_octaves < OCTAVES_MAX && w >= SIDE_MIN && h >= SIDE_MIN; w /= 2, h /= 2, pixel *= 2) {
		s->octaves[s->n_octaves++] = (struct octave){ .width = w, .height = h, .pixel = pixel,
		                                              .origin = origin };
		total += (size_t)w * h * LEVELS;
	}
	if (!s->n_octaves) return AKIN_OK;
	s->levels = mem_aligned(total * sizeof(float));
	s->room = mem_alloc((3 * DOGS * widest + 2 * widest + blur_room((unsigned)widest)) * sizeof(float));
	s->near = mem_alloc(widest);
	if (!s->levels || !s->room || !s->near) return error_nomem(job->err);
	total = 0;
	for (int32_t o = 0; o < s->n_octaves; o++)
		for (int l = 0; l < LEVELS; l++) {
			s->octaves[o].level[l] = s->levels + total;
			total += (size_t)s->octaves[o].width * s->octaves[o].height;
		}
	s->first = s->octaves[0].level[1];
	return AKIN_OK;
}

/* Every sample of a doubled row lies a quarter of a pixel beside one of the picture's and is a mean of two, by 3 to
 * 1: samples right on the old ones would be sharper than those between them. */
static void double_row(const uint8_t *near, const uint8_t *far, float *to, unsigned width)
{
	float before = 3 * (float)near[0] + (float)far[0], here = before, after;

	for (unsigned x = 0; x < width; x++, before = here, here = after) {
		unsigned right = x + 1 < width ? x + 1 : x;

		after = 3 * (float)near[right] + (float)far[right];
		to[2 * x] = (3 * here + before) / 16;
		to[2 * x + 1] = (3 * here + after) / 16;
	}
}

static void fill_first(struct sift *s)
{
	const struct local_job *job = s->job;
	const struct octave *o = &s->octaves[0];
	unsigned w = job->width, step = job->params.first_octave == LOCAL_OCTAVE_HALF ? 2 : 1;

	for (unsigned y = 0; y < o->height; y++) {
		float *to = s->first + (size_t)y * o->width;

		if (job->params.first_octave == LOCAL_OCTAVE_DOUBLED) {
			unsigned near = y / 2, far = y % 2 ? near + 1 : near - (near > 0);
			if (far == job->height) far = near;
			double_row(job->grey + (size_t)near * w, job->grey + (size_t)far * w, to, w);
		} else {
			const uint8_t *from = job->grey + (size_t)y * step * w;
			for (unsigned x = 0; x < o->width; x++) to[x] = from[x * step];
		}
	}
}

static void halve(const struct octave *from, struct octave *to)
{
	for (unsigned y = 0; y < to->height; y++)
		for (unsigned x = 0; x < to->width; x++)
			to->level[0][(size_t)y * to->width + x] = from->level[LAYERS][(size_t)(2 * y) * from->width + 2 * x];
}

static void build(struct sift *s)
{
	const struct pixel_kernels *kernels = s->job->kernels;
	double start = camera_sigma / (double)s->octaves[0].pixel;
	struct blur up[LEVELS] = { blur_of(sqrt(fmax(first_sigma * first_sigma - start * start, 0.01))) };

	for (int l = 1; l < LEVELS; l++) {
		double before = first_sigma * exp2((l - 1.0) / LAYERS), after = first_sigma * exp2((double)l / LAYERS);
		up[l] = blur_of(sqrt(after * after - before * before));
	}
	fill_first(s);
	for (int32_t o = 0; o < s->n_octaves; o++) {
		struct octave *here = &s->octaves[o];

		if (o) halve(here - 1, here);
		else blur_picture(kernels, &up[0], s->first, here->level[0], here->width, here->height, s->room);
		for (int l = 1; l < LEVELS; l++)
			blur_picture(kernels, &up[l], here->level[l - 1], here->level[l], here->width, here->height,
			             s->room);
	}
}

/* ---- points, section 4 ---- */

static double dog_at(const struct octave *o, int layer, size_t i)
{
	return (double)o->level[layer + 1][i] - (double)o->level[layer][i];
}

static struct local_fit fit_at(const struct octave *o, int layer, int x, int y)
{
	size_t w = o->width, i = (size_t)y * w + (size_t)x;
	double v[3][3][3];

	for (int l = 0; l < 3; l++)
		for (size_t dy = 0; dy < 3; dy++)
			for (size_t dx = 0; dx < 3; dx++)
				v[l][dy][dx] = dog_at(o, layer + l - 1, i + dy * w + dx - w - 1);
	return local_fit_of(v);
}

/* Section 4.1: along an edge the curvature across is large and that along small. */
static bool on_edge(const struct local_fit *f, double edge)
{
	double trace = f->h[0][0] + f->h[1][1], det = f->h[0][0] * f->h[1][1] - f->h[0][1] * f->h[1][0];

	return !(det > 0) || trace * trace * edge >= (edge + 1) * (edge + 1) * det;
}

/* Follow the parabola to the sample nearest to its extremum, and add the point if it is one. */
static akin_status refine(struct sift *s, int32_t octave, int layer, int x, int y)
{
	const struct octave *o = &s->octaves[octave];
	const struct local_params *p = &s->job->params;
	double at[3], value;
	struct local_point point;
	struct local_fit f;
	int step = 0;

	for (;; step++) {
		f = fit_at(o, layer, x, y);
		if (step == STEPS || !local_fit_solve(&f, at)) return AKIN_OK;
		if (fabs(at[0]) <= 0.5 && fabs(at[1]) <= 0.5 && fabs(at[2]) <= 0.5) break;
		x += (int)lround(at[0]);
		y += (int)lround(at[1]);
		layer += (int)lround(at[2]);
		if (layer < 1 || layer > LAYERS || x < BORDER || y < BORDER || x >= (int)o->width - BORDER ||
		    y >= (int)o->height - BORDER)
			return AKIN_OK;
	}
	value = f.value + (f.d[0] * at[0] + f.d[1] * at[1] + f.d[2] * at[2]) / 2;
	if (fabs(value) * LAYERS < (double)p->contrast * 255 || on_edge(&f, (double)p->edge)) return AKIN_OK;
	point = (struct local_point){ .octave = octave, .layer = layer };
	point.u = (float)(x + at[0]);
	point.v = (float)(y + at[1]);
	point.sigma = (float)(first_sigma * exp2((layer + at[2]) / LAYERS));
	point.at = (struct local_feature){ point.u * o->pixel + o->origin, point.v * o->pixel + o->origin,
	                                   point.sigma * o->pixel, 0,
		                           (float)(fabs(value) / 255) };
	return local_point_add(s->job, &point);
}

/* Differences of three rows stand in a ring; a step computes the next one and looks at the middle one. */
static akin_status detect_octave(struct sift *s, int32_t octave)
{
	const struct pixel_kernels *kernels = s->job->kernels;
	const struct octave *o = &s->octaves[octave];
	float threshold = 0.5f * s->job->params.contrast * 255 / LAYERS, *room = s->room + 3 * DOGS * (size_t)o->width;
	const float *rows[9];

	for (unsigned y = 0; y < o->height; y++) {
		for (size_t d = 0; d < DOGS; d++)
			kernels->subtract(o->level[d + 1] + (size_t)y * o->width, o->level[d] + (size_t)y * o->width,
			                  s->room + (3 * d + y % 3) * o->width, o->width);
		if (y < BORDER + 1 || y >= o->height - BORDER + 1) continue;
		for (size_t layer = 1; layer <= LAYERS; layer++) {
			for (size_t k = 0; k < 9; k++)
				rows[k] = s->room + (3 * (layer + k / 3 - 1) + (y + 1 + k % 3) % 3) * o->width + BORDER;
			kernels->extrema(rows, threshold, s->near, room, o->width - 2 * BORDER);
			for (unsigned x = 0; x < o->width - 2 * BORDER; x++) {
				akin_status st;
				if (!s->near[x]) continue;
				st = refine(s, octave, (int)layer, (int)x + BORDER, (int)y - 1);
				if (st != AKIN_OK) return st;
			}
		}
	}
	return AKIN_OK;
}

/* ---- orientation, section 5 ---- */

/* Gradients of columns [x0, x1) of row y, all with neighbours. */
static void gradient_row(const struct sift *s, const struct octave *o, int layer, int x0, int x1, int y, float *length,
                         float *turn)
{
	const float *row = o->level[layer] + (size_t)y * o->width + x0;

	s->job->kernels->gradient(row - o->width, row, row + o->width, length, turn, (size_t)(x1 - x0));
}

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

static void fill_angles(const struct sift *s, const struct local_point *p, float bins[ANGLES])
{
	const struct octave *o = &s->octaves[p->octave];
	float sigma = 1.5f * p->sigma, length[PATCH_ROW], turn[PATCH_ROW], weight[PATCH_RADIUS + 1];
	int radius = clamp((int)lroundf(3 * sigma), 1, PATCH_RADIUS), cx = (int)lroundf(p->u), cy = (int)lroundf(p->v);
	int x0 = clamp(cx - radius, 1, (int)o->width - 1), x1 = clamp(cx + radius + 1, 1, (int)o->width - 1);
	int y0 = clamp(cy - radius, 1, (int)o->height - 1), y1 = clamp(cy + radius + 1, 1, (int)o->height - 1);

	for (int k = 0; k <= radius; k++) weight[k] = expf((float)(-k * k) / (2 * sigma * sigma));
	for (int y = y0; y < y1; y++) {
		float row_weight = weight[y < cy ? cy - y : y - cy];

		gradient_row(s, o, p->layer, x0, x1, y, length, turn);
		for (int x = x0; x < x1; x++) {
			int bin = (int)(turn[x - x0] * ANGLES + 0.5f);
			bins[bin < ANGLES ? bin : 0] += row_weight * weight[x < cx ? cx - x : x - cx] * length[x - x0];
		}
	}
}

static void smooth_angles(float bins[ANGLES])
{
	float raw[ANGLES];

	memcpy(raw, bins, sizeof raw);
	for (int i = 0; i < ANGLES; i++)
		bins[i] = (raw[(i + ANGLES - 2) % ANGLES] + raw[(i + 2) % ANGLES]) / 16 +
		          (raw[(i + ANGLES - 1) % ANGLES] + raw[(i + 1) % ANGLES]) / 4 + raw[i] * 6 / 16;
}

/* The directions of most gradient, all that reach 4/5 of the largest, the largest first. */
static size_t angles_of(const struct sift *s, const struct local_point *p, float angles[ANGLES_A_POINT])
{
	float bins[ANGLES] = { 0 }, heights[ANGLES_A_POINT], most = 0;
	size_t n = 0;

	fill_angles(s, p, bins);
	smooth_angles(bins);
	for (int i = 0; i < ANGLES; i++) most = fmaxf(most, bins[i]);
	for (int i = 0; i < ANGLES && most > 0; i++) {
		float left = bins[(i + ANGLES - 1) % ANGLES], here = bins[i], right = bins[(i + 1) % ANGLES], at;
		size_t k = n;

		if (!(here > left && here >= right && here >= 0.8f * most)) continue;
		at = (float)i + 0.5f * (left - right) / (left - 2 * here + right);
		for (; k > 0 && heights[k - 1] < here; k--)
			if (k < ANGLES_A_POINT) heights[k] = heights[k - 1], angles[k] = angles[k - 1];
		if (k == ANGLES_A_POINT) continue;
		heights[k] = here;
		angles[k] = (at < 0 ? at + ANGLES : at >= ANGLES ? at - ANGLES : at) * (2 * LOCAL_PI / ANGLES);
		if (n < ANGLES_A_POINT) n++;
	}
	if (!n) angles[n++] = 0;
	return n;
}

/* ---- description, section 6 ---- */

/* A patch of CELLS x CELLS cells, turned by the angle; what lies between cells and between directions is shared out. */
struct patch {
	float cos, sin;              /* of the angle, over the width of a cell */
	float turn;                  /* the angle */
	float bins[CELLS + 2][CELLS + 2][TURNS + 1];
	float weight[PATCH_RADIUS + 1];
	int radius;
};

static struct patch patch_of(const struct local_point *p)
{
	float cell = 3 * p->sigma, spread = 0.5f * CELLS * cell;
	struct patch patch = { .cos = cosf(p->at.angle) / cell, .sin = sinf(p->at.angle) / cell };

	patch.turn = p->at.angle / (2 * LOCAL_PI);
	patch.radius = clamp((int)lroundf(cell * LOCAL_SQRT2 * (CELLS + 1) * 0.5f), 1, PATCH_RADIUS);
	for (int k = 0; k <= patch.radius; k++) patch.weight[k] = expf((float)(-k * k) / (2 * spread * spread));
	return patch;
}

/* The part of a row that lies within |a + b * x| < limit. */
static void cut(float a, float b, float limit, float *from, float *to)
{
	float low, high;

	if (fabsf(b) < 1e-6f) {
		if (!(fabsf(a) < limit)) *to = *from - 1;
		return;
	}
	low = (-limit - a) / b;
	high = (limit - a) / b;
	*from = fmaxf(*from, fminf(low, high));
	*to = fminf(*to, fmaxf(low, high));
}

static inline void share(struct patch *patch, float row, float column, float turn, float weight)
{
	int r = (int)row, c = (int)column, t = (int)turn; /* all are at least 0 */
	float fr = row - (float)r, fc = column - (float)c, ft = turn - (float)t;
	float w1 = weight * fr, w0 = weight - w1, w01 = w0 * fc, w00 = w0 - w01, w11 = w1 * fc, w10 = w1 - w11;
	float *b00 = &patch->bins[r][c][t], *b01 = b00 + TURNS + 1, *b10 = b00 + (CELLS + 2) * (TURNS + 1),
	      *b11 = b10 + TURNS + 1;

	b00[1] += w00 * ft;
	b00[0] += w00 - w00 * ft;
	b01[1] += w01 * ft;
	b01[0] += w01 - w01 * ft;
	b10[1] += w10 * ft;
	b10[0] += w10 - w10 * ft;
	b11[1] += w11 * ft;
	b11[0] += w11 - w11 * ft;
}

static void patch_row(const struct sift *s, const struct local_point *p, struct patch *patch, int y)
{
	const struct octave *o = &s->octaves[p->octave];
	const float limit = 0.5f * (CELLS + 1), middle = 0.5f * CELLS + 0.5f;
	int cx = (int)lroundf(p->u), cy = (int)lroundf(p->v), x0, x1;
	float dy = (float)(y - cy), from = (float)-patch->radius, to = (float)patch->radius, length[PATCH_ROW],
	        turn[PATCH_ROW];
	float row_weight = patch->weight[y < cy ? cy - y : y - cy];

	cut(dy * patch->sin, patch->cos, limit, &from, &to);
	cut(dy * patch->cos, -patch->sin, limit, &from, &to);
	x0 = clamp(cx + (int)ceilf(from), 1, (int)o->width - 1);
	x1 = clamp(cx + (int)floorf(to) + 1, x0, (int)o->width - 1);
	if (x0 >= x1) return;
	gradient_row(s, o, p->layer, x0, x1, y, length, turn);
	for (int x = x0; x < x1; x++) {
		float dx = (float)(x - cx), t = turn[x - x0] - patch->turn;
		float column = patch->cos * dx + patch->sin * dy + middle;
		float row = patch->cos * dy - patch->sin * dx + middle;

		t = (t < 0 ? t + 1 : t) * TURNS;
		if (!(column > 0 && column < CELLS + 1 && row > 0 && row < CELLS + 1)) continue;
		share(patch, row, column, t < TURNS ? t : 0,
		      row_weight * patch->weight[x < cx ? cx - x : x - cx] * length[x - x0]);
	}
}

/* Section 6.1: unit length, no component above 0.2, unit length again. RootSIFT: components that sum up to 1, and their
 * roots, so that L2 compares as Hellinger's kernel does. */
static void normalise(const struct patch *patch, bool root, uint8_t *to)
{
	float v[BYTES], sum = 0, most;
	size_t n = 0;

	for (size_t r = 1; r <= CELLS; r++)
		for (size_t c = 1; c <= CELLS; c++)
			for (size_t t = 0; t < TURNS; t++)
				v[n++] = patch->bins[r][c][t] + (t ? 0 : patch->bins[r][c][TURNS]);
	for (size_t i = 0; i < BYTES; i++) sum += v[i] * v[i];
	if (!(sum > 0)) {
		memset(to, 0, BYTES);
		return;
	}
	most = 0.2f * sqrtf(sum);
	sum = 0;
	for (size_t i = 0; i < BYTES; i++) {
		v[i] = fminf(v[i], most);
		sum += root ? v[i] : v[i] * v[i];
	}
	sum = root ? 1 / sum : 1 / sqrtf(sum);
	for (size_t i = 0; i < BYTES; i++) {
		float value = 512 * (root ? sqrtf(v[i] * sum) : v[i] * sum);
		to[i] = (uint8_t)(value < 255 ? value + 0.5f : 255);
	}
}

static void describe(const struct sift *s, const struct local_point *p, uint8_t *to)
{
	const struct octave *o = &s->octaves[p->octave];
	struct patch patch = patch_of(p);
	int cy = (int)lroundf(p->v), end = clamp(cy + patch.radius + 1, 1, (int)o->height - 1);

	for (int y = clamp(cy - patch.radius, 1, (int)o->height - 1); y < end; y++)
		patch_row(s, p, &patch, y);
	normalise(&patch, !s->job->params.plain_sift, to);
}

/* One point becomes as many features as it has directions, within the budget. */
static akin_status describe_all(struct sift *s)
{
	struct local_job *job = s->job;
	struct local_set *out = job->out;
	size_t n = job->points.n, budget = job->params.budget;
	size_t room = n + n / 2 < budget ? n + n / 2 : budget;
	akin_status st = local_set_reserve(out, room, BYTES, job->err);

	for (size_t i = 0; st == AKIN_OK && i < n; i++) {
		struct local_point p = job->points.at[i];
		float angles[ANGLES_A_POINT] = { 0 };
		size_t n_angles = job->params.upright ? 1 : angles_of(s, &p, angles);

		for (size_t k = 0; k < n_angles && out->n < room; k++) {
			p.at.angle = angles[k];
			describe(s, &p, out->descriptors + out->n * BYTES);
			out->at[out->n++] = p.at;
		}
	}
	return st;
}

akin_status local_sift(struct local_job *job)
{
	struct sift s = { .job = job };
	akin_status st = reserve(&s);

	job->out->bytes = BYTES;
	if (st == AKIN_OK && s.n_octaves) build(&s);
	for (int32_t o = 0; st == AKIN_OK && o < s.n_octaves; o++) st = detect_octave(&s, o);
	if (st == AKIN_OK) {
		local_points_select(job, 0, job->params.budget);
		st = describe_all(&s);
	}
	mem_free(s.levels);
	mem_free(s.room);
	mem_free(s.near);
	return st;
}
