/* index/graph_remove.c - rows leave at once, their nodes later: a removed node is walked through but never found, until
 * one of ten is removed; then all are taken out together, and who was linked to one of them may link to its neighbours
 * instead (FreshDiskANN: Singh et al. 2021).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "index/graph.h"

void graph_unlink_row(struct graph *g, size_t row, size_t last)
{
	g->row_of[g->node_of[row]] = NODE_NONE;
	g->n_dead++;
	if (row == last) return;
	g->node_of[row] = g->node_of[last];
	g->row_of[g->node_of[row]] = (uint32_t)row;
}

static bool is_dead(const struct graph *g, uint32_t node)
{
	return g->row_of[node] == NODE_NONE;
}

static bool contains(const uint32_t *nodes, size_t n, uint32_t node)
{
	for (size_t i = 0; i < n; i++)
		if (nodes[i] == node) return true;
	return false;
}

/* Living neighbours, and the living neighbours of the dead ones; through the dead of the dead when that leaves none. */
static void bridge(const struct graph *g, uint32_t node, struct scratch *s)
{
	uint32_t nodes[GRAPH_LIST], distances[GRAPH_LIST], *links = graph_links(g, node);
	const size_t degree = graph_degree(g, node);
	size_t n = 0, n_dead = 0;

	for (size_t i = 0; i < degree; i++)
		if (is_dead(g, links[i]))
			n_dead++;
		else
			nodes[n++] = links[i];
	if (!n_dead) return;
	for (size_t i = 0; i < degree; i++) {
		const uint32_t *beyond = graph_links(g, links[i]);

		for (size_t j = 0; is_dead(g, links[i]) && j < g->links && beyond[j] != NODE_NONE && n < GRAPH_LIST;
		     j++)
			if (beyond[j] != node && !is_dead(g, beyond[j]) && !contains(nodes, n, beyond[j]))
				nodes[n++] = beyond[j];
	}
	g->coder.distances(graph_code(g, node), g->codes, g->coder.bytes, nodes, n, distances);
	for (size_t i = 0; i < n; i++) s->list[i] = candidate_make(distances[i], nodes[i]);
	graph_prune(g, node, s->list, n);
}

/* The living move together; new_of says where. */
static void close_ranks(struct graph *g, uint32_t *new_of)
{
	uint32_t n = 0;

	for (uint32_t node = 0; node < g->n_nodes; node++) new_of[node] = is_dead(g, node) ? NODE_NONE : n++;
	for (uint32_t node = 0; node < g->n_nodes; node++) {
		const uint32_t to = new_of[node], *links = graph_links(g, node);

		if (to == NODE_NONE) continue;
		memmove(graph_code(g, to), graph_code(g, node), g->coder.bytes);
		for (size_t i = 0; i < g->links; i++)
			graph_links(g, to)[i] = links[i] == NODE_NONE ? NODE_NONE : new_of[links[i]];
		g->row_of[to] = g->row_of[node];
		g->node_of[g->row_of[to]] = to;
	}
	g->n_nodes = n;
	g->n_dead = 0;
}

void graph_consolidate(struct graph *g)
{
	struct scratch *s = g->n_dead ? scratch_take(g, 1) : NULL;
	uint32_t *new_of = s ? mem_alloc(g->n_nodes * sizeof *new_of) : NULL;

	if (new_of) {
		for (uint32_t node = 0; node < g->n_nodes; node++)
			if (!is_dead(g, node)) bridge(g, node, s);
		close_ranks(g, new_of);
		graph_choose_entries(g);
		graph_mend(g);
	}
	mem_free(new_of);
	scratch_give(g, s);
}
