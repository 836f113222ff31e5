/* index/graph_file.c - the graph in a file, used as it lies there.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "index/graph.h"

/* The section SECTION_GRAPH. */
struct head {
	uint64_t links, build_effort, n_nodes, n_entries, entries_of;
	uint64_t view_dim, code_dim, code_bytes, trained;
	float scale, most_squared;
	uint64_t projected;
	uint32_t entries[GRAPH_MAX_ENTRIES];
};
_Static_assert(sizeof(struct head) == 88 + 4 * GRAPH_MAX_ENTRIES, "the head has no gaps");

/* ---- saving ---- */

static akin_status put(struct file_out *file, enum section_tag tag, const void *bytes, size_t n, akin_error *err)
{
	akin_status st = file_out_section(file, tag, err);

	return st == AKIN_OK ? file_out_put(file, bytes, n, err) : st;
}

static akin_status put_head(const struct graph *g, struct file_out *file, akin_error *err)
{
	const struct coder *c = &g->coder;
	struct head head = { .links = g->links,
			     .build_effort = g->build_effort,
			     .n_nodes = g->n_nodes,
			     .n_entries = g->n_entries,
			     .entries_of = g->entries_of,
			     .view_dim = c->view_dim,
			     .code_dim = c->code_dim,
			     .code_bytes = c->bytes,
			     .trained = c->trained,
			     .scale = c->scale,
			     .most_squared = c->most_squared,
			     .projected = c->matrix != NULL };

	memcpy(head.entries, g->entries, g->n_entries * sizeof *g->entries);
	return put(file, SECTION_GRAPH, &head, sizeof head, err);
}

static akin_status put_node_rows(const struct graph *g, const uint32_t *order, size_t count, struct file_out *file,
				 akin_error *err)
{
	uint32_t *place_of = mem_alloc(count * sizeof *place_of);
	akin_status st = place_of ? file_out_section(file, SECTION_NODE_ROWS, err) : error_nomem(err);

	for (size_t i = 0; st == AKIN_OK && i < count; i++) place_of[order[i]] = (uint32_t)i;
	for (size_t node = 0; st == AKIN_OK && node < g->n_nodes; node++) {
		const uint32_t row = g->row_of[node], place = row == NODE_NONE ? NODE_NONE : place_of[row];

		st = file_out_put(file, &place, sizeof place, err);
	}
	mem_free(place_of);
	return st;
}

akin_status graph_save(const struct index *index, const uint32_t *order, struct file_out *file, akin_error *err)
{
	const struct graph *g = index->kind;
	const struct coder *c = &g->coder;
	akin_status st = put_head(g, file, err);

	if (st != AKIN_OK || !g->n_nodes) return st;
	st = put(file, SECTION_CODES, g->codes, g->n_nodes * c->bytes, err);
	if (st == AKIN_OK) st = put(file, SECTION_LINKS, g->out, g->n_nodes * g->links * sizeof *g->out, err);
	if (st == AKIN_OK) st = put_node_rows(g, order, index->rows.count, file, err);
	if (st == AKIN_OK && c->code_dim)
		st = put(file, SECTION_CODE_BIAS, c->bias, c->code_dim * sizeof *c->bias, err);
	if (st == AKIN_OK && c->matrix)
		st = put(file, SECTION_CODE_MATRIX, c->matrix, c->code_dim * c->view_dim * sizeof *c->matrix, err);
	return st;
}

/* ---- loading ---- */

static bool code_dim_fits(const struct head *h, bool bits)
{
	if (bits) return !h->code_dim && !h->projected;
	return h->projected ? h->code_dim && h->code_dim <= h->view_dim : h->code_dim == coder_plain_components(h->view_dim);
}

/* Every size that a later access relies on. */
static akin_status check_head(const struct index *index, const struct head *h, akin_error *err)
{
	const struct space *space = &index->space;
	const bool bits = space->element == ELEMENT_BITS;
	const uint64_t view_dim = bits ? 0 : space->dim + (space->metric == METRIC_IP);
	const uint64_t bytes = (bits ? space->row_bytes : h->code_dim) + CODE_ALIGN - 1;

	if (h->links < 4 || h->links > GRAPH_MAX_LINKS || !h->build_effort || h->build_effort > GRAPH_MAX_BUILD_EFFORT)
		return error_set(err, AKIN_ERR_FORMAT, "a graph of %llu links a node", (unsigned long long)h->links);
	if (!h->n_nodes) return AKIN_OK;
	if (h->n_nodes > GRAPH_MAX_NODES || h->n_nodes < index->rows.count)
		return error_set(err, AKIN_ERR_FORMAT, "%llu nodes for %zu rows", (unsigned long long)h->n_nodes,
				 index->rows.count);
	if (!h->n_entries || h->n_entries > GRAPH_MAX_ENTRIES)
		return error_set(err, AKIN_ERR_FORMAT, "%llu entries", (unsigned long long)h->n_entries);
	for (size_t i = 0; i < h->n_entries; i++)
		if (h->entries[i] >= h->n_nodes)
			return error_set(err, AKIN_ERR_FORMAT, "entry %u is no node", h->entries[i]);
	if (h->view_dim != view_dim || h->code_bytes != bytes / CODE_ALIGN * CODE_ALIGN || !code_dim_fits(h, bits))
		return error_set(err, AKIN_ERR_FORMAT, "codes of %llu bytes with %llu components for %llu dimensions",
				 (unsigned long long)h->code_bytes, (unsigned long long)h->code_dim,
				 (unsigned long long)h->view_dim);
	return AKIN_OK;
}

/* What a file maps is only read. */
static void *mapped(const void *p)
{
	return (void *)(uintptr_t)p;
}

static akin_status map_coder(struct index *index, const struct head *h, akin_error *err)
{
	struct graph *g = index->kind;
	const bool bits = index->space.element == ELEMENT_BITS;
	const void *bias = NULL, *matrix = NULL;
	akin_status st = AKIN_OK;

	if (!bits) st = file_in_section(&index->file, SECTION_CODE_BIAS, h->code_dim * sizeof(float), &bias, err);
	if (st == AKIN_OK && h->projected)
		st = file_in_section(&index->file, SECTION_CODE_MATRIX, h->code_dim * h->view_dim * sizeof(float),
				     &matrix, err);
	g->coder = (struct coder){ .view_dim = h->view_dim,
				   .code_dim = h->code_dim,
				   .bytes = h->code_bytes,
				   .matrix = mapped(matrix),
				   .bias = mapped(bias),
				   .scale = h->scale,
				   .most_squared = h->most_squared,
				   .trained = h->trained };
	g->coder.distances = bits ? code_kernels_best()->hamming : code_kernels_best()->l2;
	return st;
}

/* No link and no node leads outside. Looking at 128 bytes a node takes some 10 ms for a million of them. */
static akin_status check_targets(const struct index *index, akin_error *err)
{
	const struct graph *g = index->kind;
	const size_t n = g->n_nodes * g->links;
	uint32_t beyond = 0;
	size_t live = 0;

	for (size_t i = 0; i < n; i++) beyond |= g->out[i] >= g->n_nodes && g->out[i] != NODE_NONE;
	if (beyond) return error_set(err, AKIN_ERR_FORMAT, "a link leads to no node");
	for (size_t node = 0; node < g->n_nodes; node++) {
		live += g->row_of[node] != NODE_NONE;
		beyond |= g->row_of[node] >= index->rows.count && g->row_of[node] != NODE_NONE;
	}
	if (beyond || live != index->rows.count)
		return error_set(err, AKIN_ERR_FORMAT, "%zu nodes have a row, of %zu rows", live, index->rows.count);
	return AKIN_OK;
}

static akin_status fill_node_of(const struct graph *g, size_t count, uint32_t *node_of, akin_error *err)
{
	for (size_t row = 0; row < count; row++) node_of[row] = NODE_NONE;
	for (uint32_t node = 0; node < g->n_nodes; node++) {
		const uint32_t row = g->row_of[node];

		if (row == NODE_NONE) continue;
		if (node_of[row] != NODE_NONE) return error_set(err, AKIN_ERR_CORRUPT, "row %u has two nodes", row);
		node_of[row] = node;
	}
	return AKIN_OK;
}

/* A graph that lost no row has them in the order of its nodes, and needs no table. */
static akin_status load_node_of(struct graph *g, size_t count, akin_error *err)
{
	akin_status st;
	size_t node = 0;

	while (node < g->n_nodes && g->row_of[node] == node) node++;
	if (node == g->n_nodes) return AKIN_OK;
	if (!(g->node_of = mem_alloc(count * sizeof *g->node_of))) return error_nomem(err);
	g->row_capacity = count;
	st = fill_node_of(g, count, g->node_of, err);
	return st == AKIN_ERR_CORRUPT ? AKIN_ERR_FORMAT : st;
}

akin_status graph_load(struct index *index, akin_error *err)
{
	const struct file_in *file = &index->file;
	struct graph *g = index->kind;
	const void *at, *codes, *out, *row_of;
	const struct head *h;
	akin_status st;

	g->mapped = true;
	if ((st = file_in_section(file, SECTION_GRAPH, sizeof *h, &at, err)) != AKIN_OK) return st;
	h = at;
	if ((st = check_head(index, h, err)) != AKIN_OK) return st;
	g->links = h->links;
	g->build_effort = h->build_effort;
	if (!h->n_nodes) return AKIN_OK;
	st = file_in_section(file, SECTION_CODES, h->n_nodes * h->code_bytes, &codes, err);
	if (st == AKIN_OK)
		st = file_in_section(file, SECTION_LINKS, h->n_nodes * h->links * sizeof(uint32_t), &out, err);
	if (st == AKIN_OK) st = file_in_section(file, SECTION_NODE_ROWS, h->n_nodes * sizeof(uint32_t), &row_of, err);
	if (st == AKIN_OK) st = map_coder(index, h, err);
	if (st != AKIN_OK) return st;
	g->codes = mapped(codes);
	g->out = mapped(out);
	g->row_of = mapped(row_of);
	g->n_nodes = h->n_nodes;
	g->n_dead = h->n_nodes - index->rows.count;
	g->n_entries = h->n_entries;
	g->entries_of = h->entries_of;
	memcpy(g->entries, h->entries, h->n_entries * sizeof *g->entries);
	if ((st = check_targets(index, err)) != AKIN_OK) return st;
	return load_node_of(g, index->rows.count, err);
}

/* ---- copying into memory ---- */

akin_status graph_own(struct index *index, akin_error *err)
{
	struct graph *g = index->kind, own = *g;
	akin_status st = AKIN_OK;

	own.mapped = false;
	if (!g->n_nodes) {
		g->mapped = false;
		return st;
	}
	own.coder.matrix =
	    g->coder.matrix ? mem_dup(g->coder.matrix, g->coder.code_dim * g->coder.view_dim * sizeof *g->coder.matrix)
			    : NULL;
	own.coder.bias = g->coder.bias ? mem_dup(g->coder.bias, g->coder.code_dim * sizeof *g->coder.bias) : NULL;
	own.codes = graph_large(g->n_nodes, g->coder.bytes);
	own.out = graph_large(g->n_nodes, g->links * sizeof *g->out);
	own.row_of = graph_large(g->n_nodes, sizeof *g->row_of);
	own.node_of = mem_alloc(index->rows.count * sizeof *own.node_of);
	if (!own.codes || !own.out || !own.row_of || !own.node_of || (g->coder.matrix && !own.coder.matrix) ||
	    (g->coder.bias && !own.coder.bias))
		st = error_nomem(err);
	else
		st = fill_node_of(g, index->rows.count, own.node_of, err);
	if (st != AKIN_OK) {
		mem_free(own.coder.matrix);
		mem_free(own.coder.bias);
		mem_free(own.codes);
		mem_free(own.out);
		mem_free(own.row_of);
		mem_free(own.node_of);
		return st;
	}
	memcpy(own.codes, g->codes, g->n_nodes * g->coder.bytes);
	memcpy(own.out, g->out, g->n_nodes * g->links * sizeof *g->out);
	memcpy(own.row_of, g->row_of, g->n_nodes * sizeof *g->row_of);
	g->coder = own.coder;
	g->codes = own.codes;
	g->out = own.out;
	g->row_of = own.row_of;
	mem_free(g->node_of);
	g->node_of = own.node_of;
	g->capacity = g->n_nodes;
	g->row_capacity = index->rows.count;
	g->mapped = false;
	return AKIN_OK;
}

/* ---- checking ---- */

static akin_status check_node(const struct graph *g, uint32_t node, akin_error *err)
{
	const uint32_t *links = graph_links(g, node);
	const size_t degree = graph_degree(g, node);

	for (size_t i = 0; i < degree; i++) {
		if (links[i] == node || links[i] >= g->n_nodes)
			return error_set(err, AKIN_ERR_CORRUPT, "node %u is linked to %u", node, links[i]);
		for (size_t j = 0; j < i; j++)
			if (links[i] == links[j])
				return error_set(err, AKIN_ERR_CORRUPT, "node %u is linked to %u twice", node,
						 links[i]);
	}
	return AKIN_OK;
}

static akin_status check_code(const struct index *index, uint32_t node, struct scratch *s, akin_error *err)
{
	const struct graph *g = index->kind;

	if (g->row_of[node] == NODE_NONE) return AKIN_OK;
	coder_encode_row(&g->coder, &index->space, &index->rows, g->row_of[node], s->room, s->code);
	if (!memcmp(s->code, graph_code(g, node), g->coder.bytes)) return AKIN_OK;
	return error_set(err, AKIN_ERR_CORRUPT, "the code of node %u is not that of row %u", node, g->row_of[node]);
}

akin_status graph_check(const struct index *index, bool deep, akin_error *err)
{
	struct graph *g = index->kind;
	const size_t count = index->rows.count;
	uint32_t *node_of;
	struct scratch *s;
	akin_status st;

	if (!g->n_nodes) return AKIN_OK;
	if (g->n_nodes - g->n_dead != count)
		return error_set(err, AKIN_ERR_CORRUPT, "%zu nodes, %zu of them removed, for %zu rows", g->n_nodes,
				 g->n_dead, count);
	node_of = mem_alloc(count * sizeof *node_of);
	s = scratch_take(g, 1);
	st = node_of && s ? fill_node_of(g, count, node_of, err) : error_nomem(err);
	if (st == AKIN_OK && g->node_of && memcmp(g->node_of, node_of, count * sizeof *node_of) != 0)
		st = error_set(err, AKIN_ERR_CORRUPT, "rows and nodes do not lead to one another");
	for (uint32_t node = 0; st == AKIN_OK && node < g->n_nodes; node++) st = check_node(g, node, err);
	/* Another processor's order of additions may round a component the other way: only what was made here is
	 * compared. */
	for (uint32_t node = 0; st == AKIN_OK && deep && !g->mapped && node < g->n_nodes; node++)
		st = check_code(index, node, s, err);
	scratch_give(g, s);
	mem_free(node_of);
	return st;
}
