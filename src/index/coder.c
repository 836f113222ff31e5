/* index/coder.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/coder.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

enum {
	COMPONENTS_STEP = CODE_ALIGN, /* codes fill whole lines of the cache */
	MOST_COMPONENTS = 256,
	ROUNDS = 6, /* of subspace iteration; the span needs no more to hold the variance */
};

/* The part of the variance that a projection keeps at least, or it is not made. */
static const double kept_least = 0.90;

void coder_deinit(struct coder *coder)
{
	mem_free(coder->matrix);
	mem_free(coder->bias);
	*coder = (struct coder){ 0 };
}

size_t coder_plain_components(size_t view_dim)
{
	return view_dim <= CODE_ALIGN / 2 ? CODE_ALIGN / view_dim * view_dim : view_dim;
}

size_t coder_room(const struct coder *coder)
{
	return coder->view_dim + 16;
}

/* ---- views ---- */

static void bytes_to_floats(const struct space *space, const void *from, float scale, float *to)
{
	for (size_t i = 0; i < space->dim; i++)
		to[i] = scale * (space->element == ELEMENT_I8 ? (float)((const int8_t *)from)[i]
							      : (float)((const uint8_t *)from)[i]);
}

static void view_row(const struct coder *coder, const struct space *space, const struct rows *rows, size_t row,
		     float *view)
{
	const void *from = rows_at(rows, space, row);

	if (space->element == ELEMENT_F32 || space->element == ELEMENT_F16)
		space_load(space, from, view);
	else
		bytes_to_floats(space, from, space->scaled ? rows->scales[row] : 1, view);
	if (space->metric == METRIC_IP) {
		float beyond = coder->most_squared - space->kernels->ip_f32(view, view, space->dim);
		view[space->dim] = beyond > 0 ? sqrtf(beyond) : 0;
	}
}

static void view_query(const struct space *space, const struct query *query, float *view)
{
	if (space->element == ELEMENT_F32 || space->element == ELEMENT_F16)
		memcpy(view, query->vector, 4 * space->dim);
	else
		bytes_to_floats(space, query->vector, space->scaled ? query->scale : 1, view);
	if (space->metric == METRIC_IP) view[space->dim] = 0;
}

/* ---- codes ---- */

static void encode(const struct coder *coder, const struct space *space, const float *view, uint8_t *code)
{
	for (size_t j = 0; j < coder->code_dim; j++) {
		float value = coder->matrix
				  ? space->kernels->ip_f32(view, coder->matrix + j * coder->view_dim, coder->view_dim)
				  : view[j % coder->view_dim];

		/* The comparisons send what is no number to 0. */
		value = value * coder->scale + coder->bias[j] + 0.5f;
		code[j] = (uint8_t)(value >= (float)CODE_TOP ? (float)CODE_TOP : value > 0 ? value : 0);
	}
	memset(code + coder->code_dim, 0, coder->bytes - coder->code_dim);
}

static void copy_bits(const struct coder *coder, const struct space *space, const void *from, uint8_t *code)
{
	memcpy(code, from, space->row_bytes);
	memset(code + space->row_bytes, 0, coder->bytes - space->row_bytes);
}

void coder_encode_row(const struct coder *coder, const struct space *space, const struct rows *rows, size_t row,
		      float *room, uint8_t *code)
{
	if (space->element == ELEMENT_BITS) {
		copy_bits(coder, space, rows_at(rows, space, row), code);
		return;
	}
	view_row(coder, space, rows, row, room);
	encode(coder, space, room, code);
}

void coder_encode_query(const struct coder *coder, const struct space *space, const struct query *query, float *room,
			uint8_t *code)
{
	if (space->element == ELEMENT_BITS) {
		copy_bits(coder, space, query->vector, code);
		return;
	}
	view_query(space, query, room);
	encode(coder, space, room, code);
}

/* ---- learning ---- */

struct training {
	struct coder *coder;
	const struct space *space;
	size_t n;      /* of the sample */
	float *sample; /* n x view_dim, the mean taken out */
	float *mean;
	float *covariance;   /* view_dim x view_dim */
	float *basis, *next; /* MOST_COMPONENTS x view_dim */
	struct rng rng;
};

static void training_deinit(struct training *t)
{
	mem_free(t->sample);
	mem_free(t->mean);
	mem_free(t->covariance);
	mem_free(t->basis);
	mem_free(t->next);
}

static void take_sample(struct training *t, const struct rows *rows)
{
	const size_t dim = t->coder->view_dim;

	t->coder->most_squared = 0;
	for (size_t i = 0; t->space->metric == METRIC_IP && i < t->n; i++) {
		float square;

		view_row(t->coder, t->space, rows, i * rows->count / t->n, t->sample);
		square = t->space->kernels->ip_f32(t->sample, t->sample, t->space->dim);
		if (square > t->coder->most_squared && isfinite(square)) t->coder->most_squared = square;
	}
	for (size_t i = 0; i < t->n; i++)
		view_row(t->coder, t->space, rows, i * rows->count / t->n, t->sample + i * dim);
	for (size_t d = 0; d < dim; d++) {
		double sum = 0;

		for (size_t i = 0; i < t->n; i++) sum += (double)t->sample[i * dim + d];
		t->mean[d] = (float)(sum / (double)t->n);
		for (size_t i = 0; i < t->n; i++) t->sample[i * dim + d] -= t->mean[d];
	}
}

/* Columns of a piece of the sample are laid out one after another, so that each entry is a product of two of them. */
static akin_status learn_covariance(struct training *t, akin_error *err)
{
	enum { PIECE = 1024 };
	const size_t dim = t->coder->view_dim;
	float *columns = mem_aligned(PIECE * dim * sizeof *columns);

	if (!columns) return error_nomem(err);
	memset(t->covariance, 0, dim * dim * sizeof *t->covariance);
	for (size_t from = 0; from < t->n; from += PIECE) {
		size_t n = t->n - from < PIECE ? t->n - from : PIECE;

		for (size_t i = 0; i < n; i++)
			for (size_t d = 0; d < dim; d++) columns[d * n + i] = t->sample[(from + i) * dim + d];
		for (size_t a = 0; a < dim; a++)
			for (size_t b = 0; b <= a; b++)
				t->covariance[a * dim + b] +=
				    t->space->kernels->ip_f32(columns + a * n, columns + b * n, n);
	}
	for (size_t a = 0; a < dim; a++)
		for (size_t b = 0; b < a; b++) t->covariance[b * dim + a] = t->covariance[a * dim + b];
	mem_free(columns);
	return AKIN_OK;
}

/* Gram and Schmidt, twice each: once leaves too much of the earlier rows in floats. A row without a direction of its
 * own becomes zero. */
static void orthonormalise(struct training *t, float *rows, size_t n)
{
	const size_t dim = t->coder->view_dim;
	float (*ip)(const float *, const float *, size_t) = t->space->kernels->ip_f32;

	for (size_t i = 0; i < n; i++) {
		float *row = rows + i * dim;
		float before = sqrtf(ip(row, row, dim)), length;

		for (int twice = 0; twice < 2; twice++)
			for (size_t j = 0; j < i; j++) {
				float part = ip(row, rows + j * dim, dim);
				for (size_t d = 0; d < dim; d++) row[d] -= part * rows[j * dim + d];
			}
		length = sqrtf(ip(row, row, dim));
		for (size_t d = 0; d < dim; d++) row[d] = length > 1e-5f * before ? row[d] / length : 0;
	}
}

static void multiply(const struct training *t, const float *rows, size_t n, float *out)
{
	const size_t dim = t->coder->view_dim;

	for (size_t i = 0; i < n; i++)
		for (size_t d = 0; d < dim; d++)
			out[i * dim + d] = t->space->kernels->ip_f32(rows + i * dim, t->covariance + d * dim, dim);
}

/* The variance along each direction of the span of the leading ones, descending. */
static void find_subspace(struct training *t, size_t most)
{
	const size_t dim = t->coder->view_dim;

	for (size_t i = 0; i < most * dim; i++) t->basis[i] = (float)rng_normal(&t->rng);
	orthonormalise(t, t->basis, most);
	for (int round = 0; round < ROUNDS; round++) {
		float *swap = t->basis;

		multiply(t, t->basis, most, t->next);
		t->basis = t->next;
		t->next = swap;
		orthonormalise(t, t->basis, most);
	}
}

/* The fewest components, in steps, that keep the wanted part of the variance; 0 when `most` do not. */
static size_t choose_components(struct training *t, size_t most)
{
	const size_t dim = t->coder->view_dim;
	double total = 0, kept = 0;

	for (size_t d = 0; d < dim; d++) total += (double)t->covariance[d * dim + d];
	multiply(t, t->basis, most, t->next);
	for (size_t i = 0; i < most; i++) {
		kept += (double)t->space->kernels->ip_f32(t->basis + i * dim, t->next + i * dim, dim);
		if ((i + 1) % COMPONENTS_STEP == 0 && kept >= kept_least * total) return i + 1;
	}
	return 0;
}

/* An equally spread mix of the first n directions. */
static void turn(struct training *t, size_t n)
{
	const size_t dim = t->coder->view_dim;

	for (size_t i = 0; i < n; i++) {
		float *row = t->next + i * dim;

		memset(row, 0, dim * sizeof *row);
		for (size_t j = 0; j < n; j++) {
			float part = (float)rng_normal(&t->rng);
			for (size_t d = 0; d < dim; d++) row[d] += part * t->basis[j * dim + d];
		}
	}
	orthonormalise(t, t->next, n);
}

static akin_status learn_matrix(struct training *t, akin_error *err)
{
	const size_t dim = t->coder->view_dim, most = dim < MOST_COMPONENTS ? dim : MOST_COMPONENTS;
	struct coder *coder = t->coder;
	akin_status st;

	coder->code_dim = coder_plain_components(dim);
	if (dim <= COMPONENTS_STEP / 2 || dim > CODER_MAX_VIEW) return AKIN_OK;
	t->covariance = mem_aligned(dim * dim * sizeof *t->covariance);
	t->basis = mem_aligned(most * dim * sizeof *t->basis);
	t->next = mem_aligned(most * dim * sizeof *t->next);
	if (!t->covariance || !t->basis || !t->next) return error_nomem(err);
	if ((st = learn_covariance(t, err)) != AKIN_OK) return st;
	find_subspace(t, most);
	coder->code_dim = choose_components(t, most);
	if (!coder->code_dim) coder->code_dim = dim;
	if (coder->code_dim == dim && dim > MOST_COMPONENTS) return AKIN_OK;
	turn(t, coder->code_dim);
	if (!(coder->matrix = mem_aligned(coder->code_dim * dim * sizeof *coder->matrix))) return error_nomem(err);
	memcpy(coder->matrix, t->next, coder->code_dim * dim * sizeof *coder->matrix);
	return AKIN_OK;
}

/* One step for all components, so that sums of squares stay comparable: wide enough for nearly all of the sample. */
static void learn_scale(struct training *t)
{
	const size_t dim = t->coder->view_dim;
	struct coder *coder = t->coder;
	double square = 0;
	float widest = 0, reach;

	for (size_t i = 0; i < t->n; i++)
		for (size_t j = 0; j < coder->code_dim; j++) {
			const float *x = t->sample + i * dim;
			float value =
			    coder->matrix ? t->space->kernels->ip_f32(x, coder->matrix + j * dim, dim) : x[j % dim];

			if (fabsf(value) > widest) widest = fabsf(value);
			square += (double)value * (double)value;
		}
	reach = 6 * (float)sqrt(square / (double)(t->n * coder->code_dim));
	if (!coder->matrix || widest < reach) reach = widest;
	coder->scale = reach > 0 && isfinite(reach) ? (float)CODE_TOP / 2 / reach : 0;
	for (size_t j = 0; j < coder->code_dim; j++) {
		float middle =
		    coder->matrix ? t->space->kernels->ip_f32(t->mean, coder->matrix + j * dim, dim) : t->mean[j % dim];
		const float finer =
		    coder->code_dim > dim ? (float)(j / dim) * (float)dim / (float)coder->code_dim - 0.5f : 0;

		coder->bias[j] = (float)CODE_TOP / 2 - middle * coder->scale + finer;
	}
}

static akin_status train_bits(struct coder *coder, const struct space *space, size_t n)
{
	coder->distances = code_kernels_best()->hamming;
	coder->bytes = (space->row_bytes + CODE_ALIGN - 1) / CODE_ALIGN * CODE_ALIGN;
	coder->trained = n;
	return AKIN_OK;
}

akin_status coder_train(struct coder *coder, const struct space *space, const struct rows *rows, uint64_t seed,
			akin_error *err)
{
	struct training t = { .coder = coder, .space = space, .rng = { seed } };
	akin_status st;

	*coder = (struct coder){ 0 };
	if (space->element == ELEMENT_BITS) return train_bits(coder, space, rows->count);
	coder->distances = code_kernels_best()->l2;
	coder->view_dim = space->dim + (space->metric == METRIC_IP);
	t.n = rows->count < CODER_SAMPLE ? rows->count : CODER_SAMPLE;
	t.sample = mem_aligned(t.n * coder->view_dim * sizeof *t.sample);
	t.mean = mem_aligned(coder->view_dim * sizeof *t.mean);
	st = t.sample && t.mean ? AKIN_OK : error_nomem(err);
	if (st == AKIN_OK) {
		take_sample(&t, rows);
		st = learn_matrix(&t, err);
	}
	if (st == AKIN_OK && !(coder->bias = mem_aligned(coder->code_dim * sizeof *coder->bias))) st = error_nomem(err);
	if (st == AKIN_OK) learn_scale(&t);
	coder->bytes = (coder->code_dim + CODE_ALIGN - 1) / CODE_ALIGN * CODE_ALIGN;
	coder->trained = rows->count;
	training_deinit(&t);
	if (st != AKIN_OK) coder_deinit(coder);
	return st;
}
