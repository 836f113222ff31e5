/* index/pq.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/pq.h"

#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/rng.h"

enum { ITERATIONS = 10 };

void pq_view(struct pq *pq, size_t dim, size_t width, const float *floats)
{
	*pq = (struct pq){ .width = width, .subspaces = pq_subspaces(dim, width), .codebook = floats };
	pq->padded = pq->subspaces * width;
	pq->half_norms = floats + pq->padded * LIST_CODES;
}

struct job {
	const struct list_kernels *kernels;
	const float *vectors;
	size_t n, padded, width, subspaces;
	float *codebook, *half_norms;
	uint8_t *codes; /* n x subspaces */
	uint64_t seed;
};

static void set_norms(const struct job *job, size_t m)
{
	const float *entries = job->codebook + m * job->width * LIST_CODES;

	for (size_t j = 0; j < LIST_CODES; j++) {
		float norm = 0;

		for (size_t d = 0; d < job->width; d++)
			norm += entries[d * LIST_CODES + j] * entries[d * LIST_CODES + j];
		job->half_norms[m * LIST_CODES + j] = norm / 2;
	}
}

static void set_entry(const struct job *job, size_t m, size_t j, const float *vector)
{
	for (size_t d = 0; d < job->width; d++)
		job->codebook[(m * job->width + d) * LIST_CODES + j] = vector[m * job->width + d];
}

static void move_entries(const struct job *job, size_t m, struct rng *rng)
{
	size_t counts[LIST_CODES] = { 0 };
	float *entries = job->codebook + m * job->width * LIST_CODES;

	memset(entries, 0, job->width * LIST_CODES * sizeof *entries);
	for (size_t i = 0; i < job->n; i++) {
		const float *vector = job->vectors + i * job->padded + m * job->width;
		size_t j = job->codes[i * job->subspaces + m];

		counts[j]++;
		for (size_t d = 0; d < job->width; d++) entries[d * LIST_CODES + j] += vector[d];
	}
	for (size_t j = 0; j < LIST_CODES; j++) {
		if (!counts[j])
			set_entry(job, m, j, job->vectors + rng_below(rng, job->n) * job->padded);
		else
			for (size_t d = 0; d < job->width; d++) entries[d * LIST_CODES + j] /= (float)counts[j];
	}
}

/* k-means of a group of subspaces, each started from random vectors: in few dimensions little depends on the start. */
static void train_group(void *ctx, size_t group)
{
	const struct job *job = ctx;
	const size_t first = group * LIST_GROUP;
	struct rng rng = { job->seed + group };

	for (size_t m = first; m < first + LIST_GROUP; m++) {
		for (size_t j = 0; j < LIST_CODES; j++)
			set_entry(job, m, j, job->vectors + rng_below(&rng, job->n) * job->padded);
		set_norms(job, m);
	}
	for (size_t round = 0; round < ITERATIONS; round++) {
		for (size_t i = 0; i < job->n; i++)
			job->kernels->encode(job->codebook + first * job->width * LIST_CODES,
					     job->half_norms + first * LIST_CODES,
					     job->vectors + i * job->padded + first * job->width, LIST_GROUP,
					     job->width, job->codes + i * job->subspaces + first);
		for (size_t m = first; m < first + LIST_GROUP; m++) {
			move_entries(job, m, &rng);
			set_norms(job, m);
		}
	}
}

akin_status pq_train(const struct list_kernels *kernels, size_t dim, size_t width, const float *vectors, size_t n,
		     unsigned threads, uint64_t seed, float *floats, akin_error *err)
{
	struct job job = { .kernels = kernels,
			   .vectors = vectors,
			   .n = n,
			   .width = width,
			   .subspaces = pq_subspaces(dim, width),
			   .codebook = floats,
			   .seed = seed };

	job.padded = job.subspaces * width;
	job.half_norms = floats + job.padded * LIST_CODES;
	if (!(job.codes = mem_calloc(n, job.subspaces))) return error_nomem(err);
	pool_for(job.subspaces / LIST_GROUP, threads, train_group, &job);
	mem_free(job.codes);
	return AKIN_OK;
}

void pq_put(const struct pq *pq, const uint8_t *codes, uint8_t *block, size_t i)
{
	const unsigned shift = i < 16 ? 0 : 4, keep = 0xf0u >> shift;

	for (size_t m = 0; m < pq->subspaces; m++) {
		uint8_t *at = block + 16 * m + i % 16;

		*at = (uint8_t)((*at & keep) | (unsigned)codes[m] << shift);
	}
}

uint8_t pq_get(const uint8_t *block, size_t subspace, size_t i)
{
	return (uint8_t)(block[16 * subspace + i % 16] >> (i < 16 ? 0 : 4) & 15);
}

void pq_decode(const struct pq *pq, const uint8_t *codes, float *vector)
{
	for (size_t m = 0; m < pq->subspaces; m++)
		for (size_t d = 0; d < pq->width; d++)
			vector[m * pq->width + d] = pq->codebook[(m * pq->width + d) * LIST_CODES + codes[m]];
}
