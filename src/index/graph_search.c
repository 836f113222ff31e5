/* index/graph_search.c - answers: a walk by codes, then the exact distances of the nearest it met.
 *
 * Filters: nodes that may not be found are walked through like others. The pool is widened by how rare the allowed are,
 * and where comparing with all of the allowed costs less than that, that is done instead, exactly.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/pool.h"
#include "index/graph.h"

enum {
	DEFAULT_EFFORT = 64,
	FILTER_SAMPLE = 256,
	EXACT_COST = 16, /* a place in the pool costs a walk about as much as this many exact distances cost a scan */
};

/* Nodes are compared exactly up to this multiple of the k-th smallest distance between codes. */
static const float rerank_reach = 1.6f;

struct allow {
	const struct index_filter *filter;
	const uint64_t *bits; /* by row; either or both may be NULL */
};

static bool allows(const struct index *index, const struct allow *allow, size_t row)
{
	if (allow->bits && !(allow->bits[row / 64] >> row % 64 & 1)) return false;
	return filter_allows(allow->filter, index->rows.ids[row]);
}

/* How many rows may be found: counted where there are bits, else estimated from some. */
static size_t count_allowed(const struct index *index, const struct allow *allow)
{
	const size_t count = index->rows.count;
	size_t n = 0;

	if (allow->bits) {
		for (size_t i = 0; i <= count / 64; i++) n += (size_t)__builtin_popcountll(allow->bits[i]);
		return n;
	}
	for (size_t i = 0; i < FILTER_SAMPLE; i++) n += allows(index, allow, i * count / FILTER_SAMPLE);
	return n * count / FILTER_SAMPLE;
}

static void take_row(const struct index *index, const struct query *query, size_t row, struct topk *top)
{
	struct hit hit = { .id = index->rows.ids[row] };

	space_distances(&index->space, query, rows_at(&index->rows, &index->space, row), rows_scales(&index->rows, row),
			1, &hit.distance);
	topk_push(top, hit);
}

static void scan_allowed(const struct index *index, const struct query *query, const struct allow *allow,
			 struct topk *top)
{
	for (size_t row = 0; row < index->rows.count; row++)
		if (allows(index, allow, row)) take_row(index, query, row, top);
}

static void prefetch_row(const struct index *index, size_t row)
{
	const uint8_t *at = rows_at(&index->rows, &index->space, row);

	/* The processor follows by itself after some lines. */
	for (size_t b = 0; b < index->space.row_bytes && b < 512; b += 64) __builtin_prefetch(at + b);
}

/* Exact distances of the allowed that the walk met, nearest codes first; returns of how many. */
static size_t rerank(const struct index *index, const struct query *query, const struct allow *allow, struct scratch *s,
		     struct topk *top)
{
	const struct graph *g = index->kind;
	float reach = 0;
	size_t n = 0;

	/* Rows of the allowed take the places of the candidates. */
	for (size_t i = 0; i < s->n_pool; i++) {
		const uint32_t row = g->row_of[candidate_node(s->pool[i])];
		const float distance = (float)candidate_distance(s->pool[i]);

		if (n >= top->k && distance > reach) break;
		if (row == NODE_NONE || ((allow->filter || allow->bits) && !allows(index, allow, row))) continue;
		s->pool[n++] = row;
		if (n <= top->k) reach = distance * rerank_reach;
	}
	for (size_t i = 0; i < n && i < 4; i++) prefetch_row(index, s->pool[i]);
	for (size_t i = 0; i < n; i++) {
		if (i + 4 < n) prefetch_row(index, s->pool[i + 4]);
		take_row(index, query, s->pool[i], top);
	}
	return n;
}

static akin_status answer(const struct index *index, const struct query *query, const struct allow *allow,
			  size_t effort, struct topk *top, akin_error *err)
{
	struct graph *g = index->kind;
	const bool filtered = allow->filter || allow->bits;
	const size_t count = index->rows.count, allowed = filtered ? count_allowed(index, allow) : count;
	/* Of what a walk meets only so many may be found. */
	const double share = (double)allowed / (double)g->n_nodes;
	size_t width = effort ? effort : DEFAULT_EFFORT < 2 * top->k ? 2 * top->k : DEFAULT_EFFORT;
	struct scratch *s;
	size_t found;

	if (width < top->k) width = top->k;
	if (allowed) width = (size_t)ceil((double)width / share);
	if (!allowed || allowed / EXACT_COST < width || width > count) {
		scan_allowed(index, query, allow, top);
		return AKIN_OK;
	}
	if (!(s = scratch_take(g, width))) return error_nomem(err);
	coder_encode_query(&g->coder, &index->space, query, s->room, s->code);
	graph_walk(g, s->code, width, s);
	found = rerank(index, query, allow, s, top);
	scratch_give(g, s);
	/* The allowed lie away from the query. */
	if (filtered && found < top->k) {
		top->n = 0;
		scan_allowed(index, query, allow, top);
	}
	return AKIN_OK;
}

akin_status graph_search(const struct index *index, const struct query *query, const struct index_ask *ask,
			 struct topk *top, akin_error *err)
{
	const struct graph *g = index->kind;
	const struct allow allow = { .filter = ask->filter };

	if (!g->n_nodes) return flat_search(index, query, ask, top, err);
	return answer(index, query, &allow, ask->effort, top, err);
}

struct many {
	const struct index *index;
	const struct batch *batch;
	akin_status *first;
};

static void answer_one(void *ctx, size_t i)
{
	const struct many *many = ctx;
	const struct allow allow = { .bits = many->batch->allowed };
	akin_status st =
	    answer(many->index, &many->batch->queries[i], &allow, many->batch->effort, &many->batch->tops[i], NULL);

	if (st != AKIN_OK) __atomic_store_n(many->first, st, __ATOMIC_RELAXED);
}

akin_status graph_search_many(const struct index *index, const struct batch *batch, akin_error *err)
{
	const struct graph *g = index->kind;
	akin_status st = AKIN_OK;
	struct many many = { index, batch, &st };

	if (!g->n_nodes) return flat_search_many(index, batch, err);
	pool_for(batch->n, batch->threads, answer_one, &many);
	return st == AKIN_OK ? st : error_nomem(err);
}
