/* index/coder.h - vectors to short codes whose squared distance orders as the metric does.
 *
 * The *view* of a vector is floats under squared L2: itself; of unit length for cosine; for the inner product with one
 * more component sqrt(M^2 - |x|^2), 0 in queries, so that |q - x|^2 = |q|^2 + M^2 - 2<q, x> (Bachrach et al. 2014). The
 * code is the view, projected on its principal subspace where that keeps most of the variance, turned at random inside
 * it so that every component has about the same spread, and rounded to 7 bits with one step for all. Where the code has
 * room for more, components repeat, each time shifted by a part of the step, which makes it finer. Bits are their own
 * code.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_CODER_H
#define AKIN_INDEX_CODER_H

#include "index/rows.h"
#include "simd/codes.h"

struct coder {
	code_distances distances;
	size_t view_dim, code_dim;
	size_t bytes;       /* of a code: code_dim, or the bytes of bits, rounded up to CODE_ALIGN */
	float *matrix;      /* code_dim x view_dim, NULL: the view itself, repeated */
	float *bias;        /* code_dim, after scaling */
	float scale;        /* code = matrix * view * scale + bias */
	float most_squared; /* M^2 */
	size_t trained;     /* rows it was learned from */
};

/* Rows that training looks at; more are passed over. */
enum { CODER_SAMPLE = 8192, CODER_MAX_VIEW = 4096 };

/* How many a code without a matrix has. */
size_t coder_plain_components(size_t view_dim);
void coder_deinit(struct coder *coder);
/* Learn from rows of the index: `n` of them, evenly spread. */
akin_status coder_train(struct coder *coder, const struct space *space, const struct rows *rows, uint64_t seed,
			akin_error *err);
/* Floats of room that the two functions below need. */
size_t coder_room(const struct coder *coder);
void coder_encode_row(const struct coder *coder, const struct space *space, const struct rows *rows, size_t row,
		      float *room, uint8_t *code);
void coder_encode_query(const struct coder *coder, const struct space *space, const struct query *query, float *room,
			uint8_t *code);

#endif
