/* index/pq.h - product quantisation with 16 entries a subspace (Jegou, Douze, Schmid, Product quantization for nearest
 * neighbor search, 2011), in the layout that simd/lists.h looks up in registers.
 * Vectors are padded with zeros to `padded` components.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_PQ_H
#define AKIN_INDEX_PQ_H

#include "base/status.h"
#include "simd/lists.h"

struct pq {
	size_t width;            /* components of a subspace */
	size_t subspaces;        /* a multiple of LIST_GROUP; 0: there is no quantiser */
	size_t padded;           /* width * subspaces */
	const float *codebook;   /* as list_kernels.make_tables wants it */
	const float *half_norms; /* of the entries, squared and halved; follow the codebook */
};

static inline size_t pq_subspaces(size_t dim, size_t width)
{
	return ((dim + width - 1) / width + LIST_GROUP - 1) / LIST_GROUP * LIST_GROUP;
}

/* Floats of a codebook and its norms. */
static inline size_t pq_floats(size_t subspaces, size_t width)
{
	return subspaces * (width + 1) * LIST_CODES;
}

static inline size_t pq_block_codes(const struct pq *pq)
{
	return pq->subspaces * 16;
}

/* A view of pq_floats() numbers. */
void pq_view(struct pq *pq, size_t dim, size_t width, const float *floats);
/* Learn pq_floats() numbers from n >= 1 padded vectors; the same for any number of threads. */
akin_status pq_train(const struct list_kernels *kernels, size_t dim, size_t width, const float *vectors, size_t n,
		     unsigned threads, uint64_t seed, float *floats, akin_error *err);
/* Put codes at place i of a block. */
void pq_put(const struct pq *pq, const uint8_t *codes, uint8_t *block, size_t i);
uint8_t pq_get(const uint8_t *block, size_t subspace, size_t i);
void pq_decode(const struct pq *pq, const uint8_t *codes, float *vector);

#endif
