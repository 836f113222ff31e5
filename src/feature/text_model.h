/* feature/text_model.h - the file of a text encoder (docs/text-model.md), mapped: a vocabulary, a table of embeddings
 * with one row a piece, and the layers that make one vector of a sentence's rows.
 *
 * Opening checks all of it: checksums, sizes, order, codes. So reading needs no checks, except where a row is decoded.
 * Immutable: threads share it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_TEXT_MODEL_H
#define AKIN_FEATURE_TEXT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/status.h"
#include "feature/charsmap.h"
#include "feature/unigram.h"
#include "simd/dense.h"

enum { TEXT_ORDERS = 3, TEXT_LEVELS = 64, TEXT_CODE_BITS = 10 };

/* Convolutions over `n` tokens, `left` of them before the token itself; the second one's input is the first one's
 * output. */
struct text_order {
	size_t n, left;
	struct dense_layer project, first, second;
};

/* Rows i, i + n_groups, ... of the table: how their levels are coded, and the number of each level. */
struct text_group {
	float value[TEXT_LEVELS];
	uint8_t length[1 << TEXT_CODE_BITS], level[1 << TEXT_CODE_BITS]; /* by the next bits */
};

struct text_model {
	struct fs_map map;
	struct unigram *unigram;
	struct charsmap rules;
	uint32_t n_pieces, unknown, start, end, n_groups;
	size_t embedding, conv, hidden, dim, features; /* widths; features = embedding + TEXT_ORDERS * conv */
	float eps;

	struct text_group *groups;
	const uint32_t *row_at; /* n_pieces + 1 */
	const uint8_t *rows;

	struct text_order order[TEXT_ORDERS];
	const float *project_gain, *project_bias; /* of the normalisation of all three projections together */
	const float *gain, *bias;                 /* of that of features */
	const float *pool_bias;
	struct dense_layer pool, dense0, dense1, skip1, dense2, dense3, skip3;
};

akin_status text_model_open(struct text_model *model, const char *path, akin_error *err);
/* The same of bytes that stay where they are, aligned to 8; for tests. */
akin_status text_model_open_bytes(struct text_model *model, const uint8_t *bytes, size_t n, akin_error *err);
void text_model_close(struct text_model *model);

/* The embedding of a piece. False when its bits are no row: the file was made wrong. */
bool text_model_row(const struct text_model *model, uint32_t id, float *out);

#endif
