/* index/ivf.h - inverted lists: the rows nearest to each of some centroids, with 4-bit codes of their residuals.
 *
 * The distance of a query q to a row x of the list of centroid c, with the residual r = x - c and its code's r':
 *   |q - x|^2 = |q - c|^2 + |r|^2 - 2 <q - c, r>,   <q - c, r> ~ s <q - c, r'>,   s = |r|^2 / <r, r'>
 * so that one set of tables of <q - mean, .> serves every list; the rest are two numbers a row (bias, scale) and one a
 * list.
 *
 *   I1  each row is at exactly one place of one list; places[row] says where, unless the index is mapped;
 *   I2  places of a list are filled from 0 without gaps; rows know their number, blocks of 32 their codes and factors;
 *   I3  before anything was learnt there are no lists, and searches compare with every row.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_IVF_H
#define AKIN_INDEX_IVF_H

#include "index/kmeans.h"
#include "index/ops.h"
#include "index/pq.h"

struct ivf_list {
	const uint32_t *rows;
	const uint8_t *blocks; /* codes of LIST_BLOCK rows, their biases, their scales; NULL without codes */
	size_t n, capacity;
};

struct ivf_place {
	uint32_t list, at;
};

struct ivf {
	const struct list_kernels *kernels;
	size_t learnt;         /* rows that were there when the centroids were chosen; 0: none yet */
	bool given;            /* chosen from rows given for it */
	bool mapped;           /* model and lists belong to a file */
	size_t n_lists, width; /* width 0: no codes */
	size_t probes;         /* lists to look into unless asked otherwise */
	const float *model;    /* mean, centroids, codebook; the next three are parts of it */
	const float *mean, *centroids;
	struct pq pq;
	struct ivf_list *lists;
	struct ivf_place *places;
	size_t capacity; /* of places */
};

enum { IVF_NO_CODES = UINT8_MAX };

static inline size_t ivf_model_floats(size_t dim, size_t n_lists, size_t width)
{
	return (n_lists + 1) * dim + (width ? pq_floats(pq_subspaces(dim, width), width) : 0);
}

static inline size_t ivf_block_bytes(const struct ivf *ivf)
{
	return ivf->width ? pq_block_codes(&ivf->pq) + 2 * LIST_BLOCK * sizeof(float) : 0;
}

static inline size_t ivf_blocks(size_t rows)
{
	return (rows + LIST_BLOCK - 1) / LIST_BLOCK;
}

static inline const uint8_t *ivf_block(const struct ivf *ivf, const struct ivf_list *list, size_t at)
{
	return list->blocks + at / LIST_BLOCK * ivf_block_bytes(ivf);
}

static inline const float *ivf_biases(const struct ivf *ivf, const uint8_t *block)
{
	return (const float *)(const void *)(block + pq_block_codes(&ivf->pq));
}

/* Point mean, centroids and pq into the model. */
void ivf_view(struct ivf *ivf, size_t dim);
void ivf_clear(struct ivf *ivf);
/* A stored row, or a ready query, as floats in whose squared distances the metric's order shows. */
void ivf_floats(const struct space *space, const void *row, float scale, float *to);
void ivf_query_floats(const struct space *space, const struct query *query, float *to);

/* ---- ivf_learn.c ---- */

/* Rows to learn from: those of the index, or as given to it. */
struct ivf_source {
	const void *given; /* NULL: index->rows */
	size_t n;
};
/* An empty structure that knows centroids and codebook. */
akin_status ivf_learn(const struct index *index, const struct ivf_source *source, unsigned threads, struct ivf *to,
		      akin_error *err);
/* How many lists hold 95 % of neighbours, by rows of the index as queries. Every row is placed. */
akin_status ivf_choose_probes(const struct index *index, struct ivf *ivf, unsigned threads, akin_error *err);
/* Put rows first .. first + n - 1 of the index into lists. On error nothing has changed. */
akin_status ivf_place(const struct index *index, struct ivf *ivf, size_t first, size_t n, unsigned threads,
		      akin_error *err);

/* ---- ivf_search.c ---- */

akin_status ivf_search(const struct index *index, const struct query *query, const struct allow *allow, size_t effort,
		       struct topk *top, akin_error *err);
akin_status ivf_search_many(const struct index *index, const struct batch *batch, akin_error *err);

/* ---- ivf_file.c ---- */

akin_status ivf_save(const struct index *index, const uint32_t *order, struct file_out *file, akin_error *err);
akin_status ivf_load(struct index *index, akin_error *err);

#endif
