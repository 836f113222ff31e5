/* index/graph.c - the kind: what happens to the graph when rows come and go.
 * SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE
#include "index/graph.h"

#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"

enum {
	RETRAIN = 4,     /* learn anew when there are so many times the rows that were learned from */
	DEAD_SHARE = 10, /* consolidate when one of so many nodes is removed */
};

static akin_status create(struct index *index, akin_error *err)
{
	struct graph *g = mem_zalloc(sizeof *g);

	if (!g) return error_nomem(err);
	index->kind = g;
	pthread_mutex_init(&g->lock, NULL);
	g->links = index->params.links ? index->params.links : GRAPH_LINKS;
	g->build_effort = index->params.build_effort ? index->params.build_effort : GRAPH_BUILD_EFFORT;
	if (g->links < 4 || g->links > GRAPH_MAX_LINKS)
		return error_set(err, AKIN_ERR_INVALID, "%zu links a node are outside 4 to %d", g->links,
				 GRAPH_MAX_LINKS);
	if (g->build_effort > GRAPH_MAX_BUILD_EFFORT)
		return error_set(err, AKIN_ERR_INVALID, "a build effort of %zu is beyond %d", g->build_effort,
				 GRAPH_MAX_BUILD_EFFORT);
	return AKIN_OK;
}

static void destroy(struct index *index)
{
	struct graph *g = index->kind;

	if (!g) return;
	if (!g->mapped) {
		coder_deinit(&g->coder);
		mem_free(g->codes);
		mem_free(g->out);
		mem_free(g->row_of);
	}
	mem_free(g->node_of);
	scratch_free_all(g);
	pthread_mutex_destroy(&g->lock);
	mem_free(g);
	index->kind = NULL;
}

/* Large pages save most of the misses that random reads of a large array cost in the table of pages. */
void *graph_large(size_t n, size_t item_bytes)
{
	const uintptr_t page = 4096;
	uint8_t *array = n <= SIZE_MAX / 2 / item_bytes ? mem_aligned(n * item_bytes) : NULL;
	uintptr_t from = ((uintptr_t)array + page - 1) & ~(page - 1),
		  to = ((uintptr_t)array + n * item_bytes) & ~(page - 1);

	if (array && from < to) madvise((void *)from, to - from, MADV_HUGEPAGE);
	return array;
}

static size_t grown(size_t have, size_t wanted)
{
	return wanted > have + have / 2 ? wanted : have + have / 2;
}

akin_status graph_reserve(struct graph *g, size_t nodes, size_t rows, akin_error *err)
{
	const size_t to_nodes = grown(g->capacity, nodes), to_rows = grown(g->row_capacity, rows);
	void *codes, *out, *row_of, *node_of;

	if (nodes > GRAPH_MAX_NODES)
		return error_set(err, AKIN_ERR_LIMIT, "%zu nodes are more than %d", nodes, GRAPH_MAX_NODES);
	if (rows > g->row_capacity) {
		if (!(node_of = mem_realloc(g->node_of, to_rows * sizeof *g->node_of))) return error_nomem(err);
		g->node_of = node_of;
		g->row_capacity = to_rows;
	}
	if (nodes <= g->capacity) return AKIN_OK;
	codes = graph_large(to_nodes, g->coder.bytes);
	out = graph_large(to_nodes, g->links * sizeof *g->out);
	row_of = graph_large(to_nodes, sizeof *g->row_of);
	if (!codes || !out || !row_of) {
		mem_free(codes);
		mem_free(out);
		mem_free(row_of);
		return error_nomem(err);
	}
	if (g->n_nodes) {
		memcpy(codes, g->codes, g->n_nodes * g->coder.bytes);
		memcpy(out, g->out, g->n_nodes * g->links * sizeof *g->out);
		memcpy(row_of, g->row_of, g->n_nodes * sizeof *g->row_of);
	}
	mem_free(g->codes);
	mem_free(g->out);
	mem_free(g->row_of);
	g->codes = codes;
	g->out = out;
	g->row_of = row_of;
	g->capacity = to_nodes;
	return AKIN_OK;
}

/* ---- learning ---- */

/* Codes by what all rows look like now; the links stay, as near remains near. When there is no memory the old codes
 * serve. */
static void learn_again(struct index *index)
{
	struct graph *g = index->kind;
	struct coder coder;
	uint8_t *codes;
	float *room;

	if (coder_train(&coder, &index->space, &index->rows, index->params.seed, NULL) != AKIN_OK) return;
	codes = graph_large(g->capacity, coder.bytes);
	room = mem_aligned(coder_room(&coder) * sizeof *room);
	if (!codes || !room) {
		mem_free(codes);
		mem_free(room);
		coder_deinit(&coder);
		return;
	}
	for (size_t node = 0; node < g->n_nodes; node++)
		coder_encode_row(&coder, &index->space, &index->rows, g->row_of[node], room,
				 codes + node * coder.bytes);
	mem_free(room);
	mem_free(g->codes);
	coder_deinit(&g->coder);
	scratch_free_all(g);
	g->codes = codes;
	g->coder = coder;
}

static akin_status train(struct index *index, const void *rows, size_t n, unsigned threads, akin_error *err)
{
	struct graph *g = index->kind;
	int64_t *ids = mem_calloc(n, sizeof *ids);
	struct rows sample = { 0 };
	akin_status st = AKIN_OK;

	(void)threads;
	if (g->coder.bytes) goto out; /* there are codes already */
	for (size_t i = 0; ids && i < n; i++) ids[i] = (int64_t)i;
	st = ids ? rows_add(&sample, &index->space, ids, rows, n, err) : error_nomem(err);
	if (st == AKIN_OK && n) st = coder_train(&g->coder, &index->space, &sample, index->params.seed, err);
	rows_deinit(&sample);
out:
	mem_free(ids);
	return st;
}

/* ---- rows come and go ---- */

static akin_status added(struct index *index, size_t first, size_t n, unsigned threads, akin_error *err)
{
	struct graph *g = index->kind;
	const size_t count = index->rows.count;
	akin_status st = AKIN_OK;

	if (!g->n_nodes) {
		if (count < GRAPH_LEAST) return AKIN_OK;
		first = 0;
		n = count;
	}
	if (!g->coder.bytes)
		st = coder_train(&g->coder, &index->space, &index->rows, index->params.seed, err);
	else if (g->n_nodes && count >= RETRAIN * g->coder.trained) {
		graph_consolidate(g);
		if (!g->n_dead) learn_again(index);
	}
	return st == AKIN_OK ? graph_insert(index, first, n, threads, err) : st;
}

static akin_status removing(struct index *index, size_t row, size_t last, akin_error *err)
{
	struct graph *g = index->kind;

	(void)err;
	if (!g->n_nodes) return AKIN_OK;
	graph_unlink_row(g, row, last);
	if (g->n_dead * DEAD_SHARE > g->n_nodes) graph_consolidate(g);
	return AKIN_OK;
}

static uint64_t bytes(const struct index *index)
{
	const struct graph *g = index->kind;
	uint64_t node = g->coder.bytes + g->links * sizeof *g->out + sizeof *g->row_of;
	uint64_t matrix = (uint64_t)g->coder.code_dim * (g->coder.matrix ? g->coder.view_dim + 1 : 1) * sizeof(float);

	return sizeof *g + g->row_capacity * sizeof *g->node_of + (g->mapped ? 0 : g->capacity * node + matrix);
}

const struct index_ops graph_ops = {
	.create = create,
	.destroy = destroy,
	.train = train,
	.added = added,
	.removing = removing,
	.search = graph_search,
	.search_many = graph_search_many,
	.save = graph_save,
	.load = graph_load,
	.own = graph_own,
	.check = graph_check,
	.bytes = bytes,
};
