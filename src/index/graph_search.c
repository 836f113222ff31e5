/* index/graph_search.c - answers: a walk by codes, then the exact distances of the nearest it met.
 *
 * Filters: nodes that may not be found are walked through like others, and the pool is widened by how rare the allowed
 * are. Where comparing with the codes of all the allowed costs less than that, that is done instead; with their rows, where
 * those are few.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/pool.h"
#include "index/graph.h"

enum {
	DEFAULT_EFFORT = 64,
	CODES_COST = 64,       /* a place in the pool costs a walk about as much as so many codes cost a scan */
	ROWS_BYTES = 1 << 18,  /* of rows are compared in the time that a query's code takes to be made */
};

/* The k-th allowed is met later than at k times their rarity in half of the cases; so much later in few. */
static const double chance = 1.75;
/* Nodes are compared exactly up to this multiple of the k-th smallest distance between codes. */
static const float rerank_reach = 1.6f;

static void take_row(const struct index *index, const struct query *query, size_t row, struct topk *top)
{
	struct hit hit = { .id = index->rows.ids[row] };

	space_distances(&index->space, query, rows_at(&index->rows, &index->space, row), rows_scales(&index->rows, row),
			1, &hit.distance);
	topk_push(top, hit);
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
		if (row == NODE_NONE || !allow_row(allow, &index->rows, row)) continue;
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

/* How an answer is found. */
enum way { WAY_ROWS, WAY_CODES, WAY_WALK };

/* *width is the effort, and becomes what the pool must hold. */
static enum way choose_way(const struct index *index, const struct allow *allow, size_t k, size_t *width)
{
	const struct graph *g = index->kind;
	/* Of what a walk meets one in so many may be found. Among the first k times that the nearest allowed lie, but for
	 * chance; what the effort asks beyond k is there for the errors of codes and walk, and need not be multiplied. */
	const double rarity = (double)g->n_nodes / (double)(allow->n ? allow->n : 1),
		     wide = (double)*width + chance * (double)k * (rarity - 1), most = (double)*width * rarity;
	const size_t walked = (size_t)ceil(wide < most ? wide : most);

	if (!allow->n || allow->n * index->space.row_bytes < ROWS_BYTES) return WAY_ROWS;
	if (allow->bits && allow->n / CODES_COST < walked) return WAY_CODES;
	if (walked > index->rows.count) return WAY_ROWS;
	*width = walked;
	return WAY_WALK;
}

/* *found is how many were compared. */
static akin_status by_codes(const struct index *index, const struct query *query, const struct allow *allow, enum way way,
			    size_t width, struct topk *top, size_t *found, akin_error *err)
{
	struct graph *g = index->kind;
	struct scratch *s = scratch_take(g, width);

	if (!s) return error_nomem(err);
	coder_encode_query(&g->coder, &index->space, query, s->room, s->code);
	if (way == WAY_CODES) graph_scan(g, s->code, width, allow, &index->rows, s);
	else graph_walk(g, s->code, width, s);
	*found = rerank(index, query, allow, s, top);
	scratch_give(g, s);
	return AKIN_OK;
}

static akin_status answer(const struct index *index, const struct query *query, const struct allow *allow,
			  size_t effort, struct topk *top, akin_error *err)
{
	const struct topk before = *top;
	size_t width = effort ? effort : DEFAULT_EFFORT < 2 * top->k ? 2 * top->k : DEFAULT_EFFORT, found = 0;
	enum way way;
	akin_status st;

	if (width < top->k) width = top->k;
	way = choose_way(index, allow, top->k, &width);
	if (way != WAY_ROWS) {
		if ((st = by_codes(index, query, allow, way, width, top, &found, err)) != AKIN_OK) return st;
		if (found >= top->k || !allow->filter) return AKIN_OK;
		*top = before; /* the allowed lie away from the query */
	}
	allow_scan(allow, &index->rows, &index->space, query, top);
	return AKIN_OK;
}

akin_status graph_search(const struct index *index, const struct query *query, const struct allow *allow, size_t effort,
			 struct topk *top, akin_error *err)
{
	const struct graph *g = index->kind;

	if (!g->n_nodes) return flat_search(index, query, allow, effort, top, err);
	return answer(index, query, allow, effort, top, err);
}

struct many {
	const struct index *index;
	const struct batch *batch;
	akin_status *first;
};

static void answer_one(void *ctx, size_t i)
{
	const struct many *many = ctx;
	const struct batch *batch = many->batch;
	akin_status st =
	    answer(many->index, &batch->queries[i], batch->allow, batch->effort, &batch->tops[i], NULL);

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
