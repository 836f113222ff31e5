/* image/resample.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/resample.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "simd/kernels.h"

/* For each output position, which inputs it is made of and how much of each. */
struct taps {
	uint32_t *first;
	unsigned *count;
	int32_t *weights; /* `stride` for each output, 0 beyond its count */
	unsigned n, stride;
};

struct resampler {
	const struct kernels *kernels;
	struct taps x, y;
	uint8_t *ring;        /* y.stride rows, resampled along x */
	const uint8_t **rows; /* those of them that the next output is made of */
	bool copies_x, copies; /* nothing is resized along x; nothing at all */
	unsigned x_from, y_from, y_end; /* the inputs that have an influence */
	unsigned next_row, next_out;
	uint8_t *out;
};

static double bicubic(double x)
{
	const double a = -0.5;

	x = fabs(x);
	if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
	if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
	return 0;
}

static double bilinear(double x)
{
	x = fabs(x);
	return x < 1 ? 1 - x : 0;
}

static double sinc(double x)
{
	const double pi = 3.14159265358979323846;

	return x == 0 ? 1 : sin(x * pi) / (x * pi);
}

static double lanczos(double x)
{
	return x > -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static const struct shape {
	double (*at)(double);
	double support;
} shapes[] = { [FILTER_BICUBIC] = { bicubic, 2 }, [FILTER_BILINEAR] = { bilinear, 1 }, [FILTER_LANCZOS] = { lanczos, 3 } };

static void taps_deinit(struct taps *taps)
{
	mem_free(taps->first);
	mem_free(taps->count);
	mem_free(taps->weights);
}

/* Pillow's rounding: halves go away from zero. */
static int32_t fixed(double weight)
{
	return (int32_t)(weight * (1 << KERNEL_WEIGHT_BITS) + (weight < 0 ? -0.5 : 0.5));
}

/* The weights of output `i`, through the scratch `w` to `w`; zeros at the ends are left out, so that a picture of the right size costs one
 * tap a pixel. */
static void taps_at(struct taps *taps, unsigned i, const struct axis *axis, const struct shape *shape, double *w)
{
	double scale = axis->span / axis->full, stretch = scale > 1 ? scale : 1, support = shape->support * stretch;
	double centre = ((double)axis->from + i + 0.5) * scale, per_pixel = 1 / stretch, sum = 0;
	double low = floor(centre - support + 0.5), high = floor(centre + support + 0.5);
	unsigned begin = low < 0 ? 0 : (unsigned)low, end = high > axis->have ? axis->have : (unsigned)high;

	if (begin >= axis->have) begin = axis->have - 1; /* a span that ends within the last pixel */
	if (end <= begin) end = begin + 1;
	for (unsigned k = begin; k < end; k++) sum += w[k - begin] = shape->at((k - centre + 0.5) * per_pixel);
	if (sum == 0) w[0] = sum = 1;
	taps->first[i] = begin;
	taps->count[i] = end - begin;
	while (taps->count[i] > 1 && w[taps->count[i] - 1] == 0) taps->count[i]--;
	while (taps->count[i] > 1 && *w == 0) w++, taps->first[i]++, taps->count[i]--;
	for (unsigned k = 0; k < taps->count[i]; k++) taps->weights[(size_t)i * taps->stride + k] = fixed(w[k] / sum);
}

static akin_status taps_init(struct taps *taps, const struct axis *axis, enum resize_filter filter, akin_error *err)
{
	const struct shape *shape = &shapes[filter];
	double scale = axis->span / axis->full;
	double most = ceil(shape->support * (scale > 1 ? scale : 1)) * 2 + 1;
	double *w = NULL;

	taps->n = axis->n;
	taps->stride = most < axis->have ? (unsigned)most : axis->have;
	w = mem_calloc((size_t)most, sizeof *w);
	taps->first = mem_calloc(axis->n, sizeof *taps->first);
	taps->count = mem_calloc(axis->n, sizeof *taps->count);
	taps->weights = mem_calloc((size_t)axis->n, taps->stride * sizeof *taps->weights);
	if (w && taps->first && taps->count && taps->weights)
		for (unsigned i = 0; i < axis->n; i++) taps_at(taps, i, axis, shape, w);
	else
		error_nomem(err);
	mem_free(w);
	return taps->weights && taps->first && taps->count && w ? AKIN_OK : AKIN_ERR_NOMEM;
}

/* Bring the weights into the groups that kernels read. Outputs at the right edge begin earlier, with zeros, so that a group
 * ends within the row. */
static akin_status taps_group(struct taps *taps, unsigned have, akin_error *err)
{
	unsigned most = 0, stride;
	int32_t *weights;

	for (unsigned i = 0; i < taps->n; i++)
		if (taps->count[i] > most) most = taps->count[i];
	stride = (most + KERNEL_TAPS - 1) / KERNEL_TAPS * KERNEL_TAPS;
	if (!(weights = mem_calloc((size_t)taps->n, stride * sizeof *weights))) return error_nomem(err);
	for (unsigned i = 0; i < taps->n; i++) {
		unsigned last = have > stride ? have - stride : 0, shift = taps->first[i] > last ? taps->first[i] - last : 0;

		memcpy(weights + (size_t)i * stride + shift, taps->weights + (size_t)i * taps->stride,
		       taps->count[i] * sizeof *weights);
		taps->first[i] -= shift;
		taps->count[i] += shift;
	}
	mem_free(taps->weights);
	taps->weights = weights;
	taps->stride = stride;
	return AKIN_OK;
}

/* Not simply the first and the last output's: an output that falls on a pixel has lost its zero weights. */
static void taps_range(const struct taps *taps, unsigned *from, unsigned *end)
{
	*from = taps->first[0];
	*end = 0;
	for (unsigned i = 0; i < taps->n; i++) {
		if (taps->first[i] < *from) *from = taps->first[i];
		if (taps->first[i] + taps->count[i] > *end) *end = taps->first[i] + taps->count[i];
	}
}

akin_status resampler_create(struct resampler **out_rs, const struct axis *x, const struct axis *y,
                             enum resize_filter filter, uint8_t *out, akin_error *err)
{
	struct resampler *rs = mem_zalloc(sizeof *rs);
	akin_status st = rs ? AKIN_OK : error_nomem(err);
	unsigned x_end;

	*out_rs = NULL;
	if (st != AKIN_OK) return st;
	rs->kernels = kernels_best();
	rs->out = out;
	rs->copies_x = x->full == x->have && x->span == x->full;
	rs->copies = rs->copies_x && y->full == y->have && y->span == y->full;
	if ((st = taps_init(&rs->x, x, filter, err)) != AKIN_OK) goto out;
	if ((st = taps_init(&rs->y, y, filter, err)) != AKIN_OK) goto out;
	taps_range(&rs->x, &rs->x_from, &x_end);
	taps_range(&rs->y, &rs->y_from, &rs->y_end);
	if ((st = taps_group(&rs->x, x->have, err)) != AKIN_OK) goto out;
	rs->ring = mem_aligned((size_t)rs->y.stride * x->n * 3);
	rs->rows = mem_calloc(rs->y.stride, sizeof *rs->rows);
	if (!rs->ring || !rs->rows) {
		st = error_nomem(err);
		goto out;
	}
	rs->next_row = rs->y_from;
	*out_rs = rs;
	rs = NULL;
out:
	resampler_destroy(rs);
	return st;
}

void resampler_destroy(struct resampler *rs)
{
	if (!rs) return;
	taps_deinit(&rs->x);
	taps_deinit(&rs->y);
	mem_free(rs->ring);
	mem_free(rs->rows);
	mem_free(rs);
}

unsigned resampler_first_row(const struct resampler *rs)
{
	return rs->y_from;
}

unsigned resampler_end_row(const struct resampler *rs)
{
	return rs->y_end;
}

size_t resampler_row_bytes(const struct resampler *rs)
{
	unsigned reach = rs->x.stride;

	for (unsigned i = 0; i < rs->x.n; i++)
		if (rs->x.first[i] + rs->x.stride > reach) reach = rs->x.first[i] + rs->x.stride;
	return 3 * (size_t)reach + KERNEL_OVERREAD;
}

static void along_y(const struct resampler *rs, unsigned row, uint8_t *to)
{
	size_t row_bytes = 3 * (size_t)rs->x.n;

	for (unsigned k = 0; k < rs->y.count[row]; k++)
		rs->rows[k] = rs->ring + (rs->y.first[row] + k) % rs->y.stride * row_bytes;
	rs->kernels->mix_rows(rs->rows, rs->y.weights + (size_t)row * rs->y.stride, rs->y.count[row], to, row_bytes);
}

void resampler_push(struct resampler *rs, const uint8_t *row)
{
	size_t row_bytes = 3 * (size_t)rs->x.n;
	unsigned n = rs->next_row++;
	uint8_t *to = rs->copies ? rs->out + rs->next_out++ * row_bytes : rs->ring + n % rs->y.stride * row_bytes;

	if (rs->copies_x) memcpy(to, row + 3 * (size_t)rs->x_from, row_bytes);
	else rs->kernels->mix_pixels(row, rs->x.first, rs->x.weights, rs->x.stride, to, rs->x.n);
	if (rs->copies) return;
	for (; rs->next_out < rs->y.n && rs->y.first[rs->next_out] + rs->y.count[rs->next_out] <= n + 1; rs->next_out++)
		along_y(rs, rs->next_out, rs->out + rs->next_out * row_bytes);
}
