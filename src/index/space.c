/* index/space.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/space.h"

#include <math.h>
#include <string.h>

#include "index/index.h"

static kernel_scan scan_for(const struct kernels *k, enum metric metric, enum element element)
{
	const bool l2 = metric == METRIC_L2;

	switch (element) {
	case ELEMENT_F32: return l2 ? k->scan_l2_f32 : k->scan_ip_f32;
	case ELEMENT_F16: return l2 ? k->scan_l2_f16 : k->scan_ip_f16;
	case ELEMENT_I8: return l2 ? k->scan_l2_i8 : k->scan_ip_i8;
	case ELEMENT_U8: return l2 ? k->scan_l2_u8 : k->scan_ip_u8;
	default: return k->scan_hamming;
	}
}

akin_status space_init(struct space *space, enum metric metric, enum element element, size_t dim, akin_error *err)
{
	*space = (struct space){ .metric = metric, .element = element, .dim = dim };
	if (metric < METRIC_L2 || metric > METRIC_HAMMING)
		return error_set(err, AKIN_ERR_INVALID, "there is no metric %d", (int)metric);
	if (element < ELEMENT_F32 || element > ELEMENT_BITS)
		return error_set(err, AKIN_ERR_INVALID, "there is no element type %d", (int)element);
	if ((metric == METRIC_HAMMING) != (element == ELEMENT_BITS))
		return error_set(err, AKIN_ERR_INVALID, "the Hamming distance is for bits, and bits have no other");
	if (dim < 1 || dim > INDEX_MAX_DIM)
		return error_set(err, AKIN_ERR_INVALID, "%zu dimensions are outside 1 to %d", dim, INDEX_MAX_DIM);
	space->row_bytes = element_row_bytes(element, dim);
	space->query_bytes = element == ELEMENT_F16 ? 4 * dim : space->row_bytes;
	space->scaled = metric == METRIC_COSINE && (element == ELEMENT_I8 || element == ELEMENT_U8);
	space->kernels = kernels_best();
	space->scan = scan_for(space->kernels, metric, element);
	space->scan_dim = element == ELEMENT_BITS ? space->row_bytes : dim;
	return AKIN_OK;
}

static akin_status check_finite(const float *v, size_t dim, akin_error *err)
{
	for (size_t i = 0; i < dim; i++)
		if (!isfinite(v[i])) return error_set(err, AKIN_ERR_INVALID, "component %zu is %f", i, (double)v[i]);
	return AKIN_OK;
}

/* In double, where the squares of floats neither overflow nor vanish; four sums so that it takes no longer than a copy. */
static double length_of(const float *v, size_t dim)
{
	double s[4] = { 0 };
	size_t i = 0;

	for (; i + 4 <= dim; i += 4)
		for (size_t j = 0; j < 4; j++) s[j] += (double)v[i + j] * (double)v[i + j];
	for (; i < dim; i++) s[0] += (double)v[i] * (double)v[i];
	return sqrt(s[0] + s[1] + s[2] + s[3]);
}

static void copy_floats(const struct space *space, const float *from, float *to)
{
	double length = space->metric == METRIC_COSINE ? length_of(from, space->dim) : 1;

	if (length == 1 || length == 0) memcpy(to, from, 4 * space->dim);
	else
		for (size_t i = 0; i < space->dim; i++) to[i] = (float)((double)from[i] / length);
}

static float scale_of(const struct space *space, const void *row)
{
	const struct kernels *k = space->kernels;
	double square = space->element == ELEMENT_I8 ? (double)k->ip_i8(row, row, space->dim)
	                                             : (double)k->ip_u8(row, row, space->dim);

	return square > 0 ? (float)(1 / sqrt(square)) : 0;
}

/* The bits beyond dim in the last byte that count. */
static uint8_t last_byte_mask(const struct space *space)
{
	return (uint8_t)(space->dim % 8 ? (1u << space->dim % 8) - 1 : 0xff);
}

static void copy_bytes(const struct space *space, const void *from, uint8_t *to, float *scale)
{
	memcpy(to, from, space->row_bytes);
	if (space->element == ELEMENT_BITS) to[space->row_bytes - 1] &= last_byte_mask(space);
	if (space->scaled) *scale = scale_of(space, to);
}

akin_status space_query(const struct space *space, const void *from, void *room, struct query *query, akin_error *err)
{
	akin_status st = AKIN_OK;

	*query = (struct query){ .vector = room };
	if (space->element == ELEMENT_F32 || space->element == ELEMENT_F16) {
		if ((st = check_finite(from, space->dim, err)) == AKIN_OK) copy_floats(space, from, room);
	} else {
		copy_bytes(space, from, room, &query->scale);
	}
	return error_note(err, st, "query");
}

/* In pieces, so that no memory is asked for. */
static akin_status store_halves(const struct space *space, const float *from, uint16_t *to, akin_error *err)
{
	double length = space->metric == METRIC_COSINE ? length_of(from, space->dim) : 1;
	float piece[256];

	for (size_t start = 0; start < space->dim; start += COUNT(piece)) {
		size_t n = space->dim - start < COUNT(piece) ? space->dim - start : COUNT(piece);

		for (size_t i = 0; i < n; i++)
			piece[i] = length == 0 ? from[start + i] : (float)((double)from[start + i] / length);
		space->kernels->f32_to_f16(piece, to + start, n);
		for (size_t i = 0; i < n; i++)
			if ((to[start + i] & 0x7c00) == 0x7c00)
				return error_set(err, AKIN_ERR_INVALID, "component %zu is %g, beyond the 65504 of 16 bits",
				                 start + i, (double)piece[i]);
	}
	return AKIN_OK;
}

akin_status space_store(const struct space *space, const void *from, void *row, float *scale, akin_error *err)
{
	akin_status st;

	if (space->element != ELEMENT_F32 && space->element != ELEMENT_F16) {
		copy_bytes(space, from, row, scale);
		return AKIN_OK;
	}
	if ((st = check_finite(from, space->dim, err)) != AKIN_OK) return st;
	if (space->element == ELEMENT_F16) return store_halves(space, from, row, err);
	copy_floats(space, from, row);
	return AKIN_OK;
}

void space_load(const struct space *space, const void *row, void *to)
{
	if (space->element == ELEMENT_F16) space->kernels->f16_to_f32(row, to, space->dim);
	else memcpy(to, row, space->row_bytes);
}

static bool floats_are_valid(const struct space *space, const void *row)
{
	double sum = 0;

	for (size_t i = 0; i < space->dim; i++) {
		float value;

		if (space->element == ELEMENT_F32) value = ((const float *)row)[i];
		else space->kernels->f16_to_f32((const uint16_t *)row + i, &value, 1);
		if (!isfinite(value)) return false;
		sum += (double)value * (double)value;
	}
	/* 16 bits leave 11 to a component's mantissa, and none to one below 2^-24. */
	return space->metric != METRIC_COSINE || sum == 0 || fabs(sum - 1) < 0.01;
}

bool space_row_is_valid(const struct space *space, const void *row, float scale)
{
	if (space->element == ELEMENT_F32 || space->element == ELEMENT_F16) return floats_are_valid(space, row);
	if (space->element == ELEMENT_BITS)
		return !(((const uint8_t *)row)[space->row_bytes - 1] & ~last_byte_mask(space));
	return !space->scaled || scale == scale_of(space, row);
}

void space_distances(const struct space *space, const struct query *query, const void *rows, const float *scales, size_t n,
                     float *out)
{
	space->scan(query->vector, rows, n, space->scan_dim, out);
	if (space->metric == METRIC_IP)
		for (size_t i = 0; i < n; i++) out[i] = 0 - out[i]; /* not -out: no -0 */
	if (space->metric != METRIC_COSINE) return;
	if (space->scaled)
		for (size_t i = 0; i < n; i++) out[i] = out[i] * query->scale * scales[i];
	/* Rounding takes the cosine of equal vectors a little above 1. The comparisons keep a NaN. */
	for (size_t i = 0; i < n; i++) {
		float distance = 1 - out[i];

		distance = distance < 0 ? 0 : distance;
		out[i] = distance > 2 ? 2 : distance;
	}
}
