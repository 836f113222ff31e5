/* index/graph.h - approximate neighbours by walking a graph of nearby rows; docs/engine.md describes and measures it.
 *
 * A node is a row's place in the graph. Nodes and rows are numbered apart, so that removing a row renumbers no links:
 *   G1  row_of[node] is a row or NODE_NONE (removed, still walked through); node_of[row] is its inverse;
 *   G2  a node has at most `links` links to other nodes, none to itself, none twice; NODE_NONE ends a shorter list;
 *   G3  a node's code is that of its row.
 * Below GRAPH_LEAST rows there are no nodes, and search is exact.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_GRAPH_H
#define AKIN_INDEX_GRAPH_H

#include <pthread.h>

#include "index/coder.h"
#include "index/ops.h"

#define NODE_NONE UINT32_MAX

enum {
	GRAPH_LEAST = 1000,
	GRAPH_LINKS = 32,
	GRAPH_MAX_LINKS = 256,
	GRAPH_BUILD_EFFORT = 100,
	GRAPH_MAX_BUILD_EFFORT = 65536,
	GRAPH_MAX_ENTRIES = 1024,
	GRAPH_LIST =
	    1024, /* candidates for pruning, beside a walk's: links of a node and a batch, or of its neighbours */
};

/* A node that a walk met: distance in the high half, then node, then whether its links were followed. Ascending is
 * nearest first. */
typedef uint64_t candidate;

static inline uint32_t candidate_distance(candidate c)
{
	return (uint32_t)(c >> 32);
}

static inline uint32_t candidate_node(candidate c)
{
	return (uint32_t)c >> 1;
}

static inline candidate candidate_make(uint32_t distance, uint32_t node)
{
	return (uint64_t)distance << 32 | (uint64_t)node << 1;
}

enum { GRAPH_MAX_NODES = INT32_MAX };

/* What one walk needs; kept for the next. */
struct scratch {
	struct scratch *next;
	uint64_t *visited; /* a bit a node, all zero between walks */
	size_t visited_bytes;
	uint32_t *met; /* nodes whose bit is set */
	size_t n_met, met_capacity;
	candidate *pool; /* ascending */
	size_t n_pool, pool_capacity;
	candidate *list; /* for pruning */
	size_t list_capacity;
	uint8_t *code;
	float *room;
	size_t code_bytes, room_floats;
};

/* False when it was marked before. */
static inline bool scratch_visit(struct scratch *s, uint32_t node)
{
	const uint64_t bit = UINT64_C(1) << node % 64;

	if (s->visited[node / 64] & bit) return false;
	s->visited[node / 64] |= bit;
	s->met[s->n_met++] = node;
	return true;
}

struct graph {
	struct coder coder;
	size_t links, build_effort;
	uint8_t *codes;
	uint32_t *out; /* `links` a node */
	uint32_t *row_of, *node_of;
	size_t n_nodes, capacity, row_capacity, n_dead;
	size_t unmended; /* nodes that came since lost ones were last looked for */
	bool mapped;     /* codes, out, row_of and the coder's arrays belong to the file; node_of is NULL where every row
			  * has the number of its node */
	uint32_t entries[GRAPH_MAX_ENTRIES]; /* where walks begin */
	size_t n_entries, entries_of;        /* and the number of nodes when they were chosen */
	pthread_mutex_t lock;                /* of the list of idle scratches */
	struct scratch *idle;
};

static inline uint32_t *graph_links(const struct graph *g, uint32_t node)
{
	return g->out + (size_t)node * g->links;
}

static inline size_t graph_degree(const struct graph *g, uint32_t node)
{
	const uint32_t *links = graph_links(g, node);
	size_t n = 0;

	while (n < g->links && links[n] != NODE_NONE) n++;
	return n;
}

static inline uint8_t *graph_code(const struct graph *g, uint32_t node)
{
	return g->codes + (size_t)node * g->coder.bytes;
}

/* ---- graph_walk.c ---- */

/* Fit for walks of this width over all nodes that there is room for; NULL when there is no memory. */
struct scratch *scratch_take(struct graph *g, size_t width);
void scratch_give(struct graph *g, struct scratch *s);
void scratch_free_all(struct graph *g);
static inline uint32_t graph_node(const struct graph *g, size_t row)
{
	return g->node_of ? g->node_of[row] : (uint32_t)row;
}

/* The nearest nodes to a code into s->pool, at most `width`. */
void graph_walk(const struct graph *g, const uint8_t *code, size_t width, struct scratch *s);
/* The same among all nodes of allowed rows, compared one after another. */
void graph_scan(const struct graph *g, const uint8_t *code, size_t width, const struct allow *allow,
		const struct rows *rows, struct scratch *s);
void graph_choose_entries(struct graph *g);

/* ---- graph_build.c ---- */

/* Make nodes for the rows, codes and links included. On error nothing was added. */
akin_status graph_insert(struct index *index, size_t first_row, size_t n, unsigned threads, akin_error *err);
/* Of the n candidates of s->list, in any order, keep at most `links` that lie in different directions; write them as
 * the node's links. */
void graph_prune(const struct graph *g, uint32_t node, candidate *list, size_t n);
/* How many nodes no walk can reach from the entries; `mend` links them to the nearest that can be. Each of the
 * scratches fits a walk, `walk` one of the build's width; it may be NULL without mending. */
size_t graph_lost(struct graph *g, struct scratch *s, bool mend, struct scratch *walk);
void graph_mend(struct graph *g);
akin_status graph_reserve(struct graph *g, size_t nodes, size_t rows, akin_error *err);

/* n items in large pages where the system has them, aligned for codes; mem_free. */
void *graph_large(size_t n, size_t item_bytes);

/* ---- graph_remove.c ---- */

void graph_unlink_row(struct graph *g, size_t row, size_t last);
/* Take out removed nodes: their neighbours are joined with one another. Left undone when there is no memory. */
void graph_consolidate(struct graph *g);

/* ---- graph_search.c, graph_file.c ---- */

akin_status graph_search(const struct index *index, const struct query *query, const struct allow *allow, size_t effort,
			 struct topk *top, akin_error *err);
akin_status graph_search_many(const struct index *index, const struct batch *batch, akin_error *err);
akin_status graph_save(const struct index *index, const uint32_t *order, struct file_out *file, akin_error *err);
akin_status graph_load(struct index *index, akin_error *err);
akin_status graph_own(struct index *index, akin_error *err);
akin_status graph_check(const struct index *index, bool deep, akin_error *err);

#endif
