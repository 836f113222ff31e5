/* index/ops.h - what a kind of index implements. index.c owns the rows, their ids, arguments and files; a kind finds
 * neighbours in them. Arguments were checked and queries made ready before a function here is called.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_OPS_H
#define AKIN_INDEX_OPS_H

#include "index/allow.h"
#include "index/file.h"
#include "index/index.h"
#include "index/rows.h"
#include "index/space.h"
#include "index/topk.h"

/* A batch of ready queries; the hits of query i go to tops[i], whose heaps the caller sorts. */
struct batch {
	const struct query *queries;
	struct topk *tops;
	size_t n;
	const struct allow *allow; /* all, or with bits */
	size_t effort;
	unsigned threads;
};

/* Every function but the two searches may be NULL. "The structure" is what the kind keeps beside the rows, in index->kind. */
struct index_ops {
	akin_status (*create)(struct index *index, akin_error *err);
	void (*destroy)(struct index *index); /* also after a failed create or load */
	/* Learn from rows of the index's query type what adding needs (centroids, scales). Without it, or before it was called, the
	 * kind learns from the first rows that are added. */
	akin_status (*train)(struct index *index, const void *rows, size_t n, unsigned threads, akin_error *err);
	/* Rows first .. first + n - 1 were appended to index->rows. On error the structure is as before; they are taken back. */
	akin_status (*added)(struct index *index, size_t first, size_t n, unsigned threads, akin_error *err);
	/* `row` is about to leave, and row `last` (the last one) to take its place; row == last: nothing moves. */
	akin_status (*removing)(struct index *index, size_t row, size_t last, akin_error *err);
	akin_status (*search)(const struct index *index, const struct query *query, const struct allow *allow, size_t effort,
	                      struct topk *top, akin_error *err);
	akin_status (*search_many)(const struct index *index, const struct batch *batch, akin_error *err);
	/* Write the structure's sections; the row at place i of the file is order[i] here. */
	akin_status (*save)(const struct index *index, const uint32_t *order, struct file_out *file, akin_error *err);
	/* Use the sections of index->file, mapped; all that could lead outside is checked here. */
	akin_status (*load)(struct index *index, akin_error *err);
	/* Before the first change of a mapped index: copy the structure into memory; the file is closed afterwards. */
	akin_status (*own)(struct index *index, akin_error *err);
	akin_status (*check)(const struct index *index, bool deep, akin_error *err);
	uint64_t (*bytes)(const struct index *index);
};

struct index {
	const struct index_ops *ops;
	struct index_params params;
	struct space space;
	struct rows rows;
	struct file_in file; /* of mapped rows */
	void *kind;
};

extern const struct index_ops flat_ops, graph_ops, ivf_ops, binary_ops, lsh_ops;

/* Exact answers, whatever the kind. */
akin_status flat_search(const struct index *index, const struct query *query, const struct allow *allow, size_t effort,
                        struct topk *top, akin_error *err);
akin_status flat_search_many(const struct index *index, const struct batch *batch, akin_error *err);
akin_status flat_range(const struct index *index, const struct query *query, float max_distance,
                       const struct index_filter *filter, struct hit **hits, size_t *n_hits, akin_error *err);

#endif
