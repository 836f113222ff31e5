/* index/graph_walk.c - the walk: from some entries always on to the nearest node whose links were not followed yet.
 *
 * The pool is one ascending array (as in NSG): insertion moves some hundred bytes, which is faster than two heaps up to
 * thousands of places. Codes of all unseen neighbours of a node are asked for from memory before the first is compared.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "index/graph.h"

/* ---- scratches ---- */

static void scratch_free(struct scratch *s)
{
	if (!s) return;
	mem_free(s->visited);
	mem_free(s->met);
	mem_free(s->pool);
	mem_free(s->list);
	mem_free(s->code);
	mem_free(s->room);
	mem_free(s);
}

static bool fit(void **array, size_t *have, size_t wanted, size_t item_bytes)
{
	void *larger;

	if (*have >= wanted) return true;
	if (!(larger = mem_aligned(wanted * item_bytes))) return false;
	mem_free(*array);
	*array = larger;
	*have = wanted;
	return true;
}

static bool scratch_fit(struct scratch *s, const struct graph *g, size_t width)
{
	const size_t nodes = g->capacity > g->n_nodes ? g->capacity : g->n_nodes;
	void *visited = s->visited, *pool = s->pool, *list = s->list, *code = s->code, *room = s->room, *met = s->met;
	const size_t visited_before = s->visited_bytes;
	bool ok;

	ok = fit(&visited, &s->visited_bytes, (nodes / 64 + 1) * sizeof *s->visited, 1) &&
	     fit(&met, &s->met_capacity, nodes + 1, sizeof *s->met) &&
	     fit(&pool, &s->pool_capacity, width + 1, sizeof *s->pool) &&
	     fit(&list, &s->list_capacity, width + GRAPH_LIST, sizeof *s->list) &&
	     fit(&code, &s->code_bytes, g->coder.bytes, 1) &&
	     fit(&room, &s->room_floats, coder_room(&g->coder), sizeof *s->room);
	s->visited = visited;
	s->met = met;
	s->pool = pool;
	s->list = list;
	s->code = code;
	s->room = room;
	if (s->visited_bytes != visited_before) memset(s->visited, 0, s->visited_bytes);
	return ok;
}

struct scratch *scratch_take(struct graph *g, size_t width)
{
	struct scratch *s;

	pthread_mutex_lock(&g->lock);
	if ((s = g->idle)) g->idle = s->next;
	pthread_mutex_unlock(&g->lock);
	if (!s && !(s = mem_zalloc(sizeof *s))) return NULL;
	if (scratch_fit(s, g, width)) return s;
	scratch_free(s);
	return NULL;
}

void scratch_give(struct graph *g, struct scratch *s)
{
	if (!s) return;
	pthread_mutex_lock(&g->lock);
	s->next = g->idle;
	g->idle = s;
	pthread_mutex_unlock(&g->lock);
}

void scratch_free_all(struct graph *g)
{
	while (g->idle) {
		struct scratch *s = g->idle;

		g->idle = s->next;
		scratch_free(s);
	}
}

/* ---- walking ---- */

/* Where it went; `width` when it is too far. The pool has room for one more than width. */
static inline size_t pool_insert(struct scratch *s, size_t width, candidate c)
{
	size_t low = 0, high = s->n_pool;

	if (s->n_pool == width && c >= s->pool[width - 1]) return width;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->pool[middle] < c)
			low = middle + 1;
		else
			high = middle;
	}
	memmove(s->pool + low + 1, s->pool + low, (s->n_pool - low) * sizeof c);
	s->pool[low] = c;
	if (s->n_pool < width) s->n_pool++;
	return low;
}

static inline void prefetch_code(const struct graph *g, uint32_t node)
{
	const uint8_t *code = graph_code(g, node);

	for (size_t b = 0; b < g->coder.bytes; b += 64) __builtin_prefetch(code + b);
}

static inline void prefetch_links(const struct graph *g, uint32_t node)
{
	const uint8_t *links = (const void *)graph_links(g, node);

	for (size_t b = 0; b < g->links * sizeof(uint32_t); b += 64) __builtin_prefetch(links + b);
}

static void begin(const struct graph *g, const uint8_t *code, size_t width, struct scratch *s)
{
	enum { PIECE = 64, KEPT = 8 };
	uint32_t distances[PIECE];
	const size_t kept = width < KEPT ? width : KEPT;

	s->n_pool = 0;
	for (size_t from = 0; from < g->n_entries; from += PIECE) {
		size_t n = g->n_entries - from < PIECE ? g->n_entries - from : PIECE;

		g->coder.distances(code, g->codes, g->coder.bytes, g->entries + from, n, distances);
		for (size_t i = 0; i < n; i++) pool_insert(s, kept, candidate_make(distances[i], g->entries[from + i]));
	}
	for (size_t i = 0; i < s->n_pool; i++) scratch_visit(s, candidate_node(s->pool[i]));
}

/* Follow the links of one node; returns the place of the nearest one that is new to the pool. */
static size_t follow(const struct graph *g, const uint8_t *code, uint32_t node, size_t width, struct scratch *s)
{
	const uint32_t *links = graph_links(g, node), *fresh = s->met + s->n_met;
	uint32_t distances[GRAPH_MAX_LINKS];
	size_t nearest = width, n;

	for (size_t i = 0; i < g->links && links[i] != NODE_NONE; i++)
		if (scratch_visit(s, links[i])) prefetch_code(g, links[i]);
	n = (size_t)(s->met + s->n_met - fresh);
	g->coder.distances(code, g->codes, g->coder.bytes, fresh, n, distances);
	for (size_t i = 0; i < n; i++) {
		size_t at = pool_insert(s, width, candidate_make(distances[i], fresh[i]));

		if (at < nearest) nearest = at;
	}
	return nearest;
}

void graph_walk(const struct graph *g, const uint8_t *code, size_t width, struct scratch *s)
{
	size_t at = 0;

	s->n_met = 0;
	begin(g, code, width, s);
	while (at < s->n_pool) {
		size_t nearest;

		if (s->pool[at] & 1) {
			at++;
			continue;
		}
		s->pool[at] |= 1;
		nearest = follow(g, code, candidate_node(s->pool[at]), width, s);
		if (nearest <= at)
			at = nearest;
		else
			at++;
		if (at < s->n_pool) prefetch_links(g, candidate_node(s->pool[at]));
	}
	for (size_t i = 0; i < s->n_met; i++) s->visited[s->met[i] / 64] = 0;
}

void graph_scan(const struct graph *g, const uint8_t *code, size_t width, const struct allow *allow,
		const struct rows *rows, struct scratch *s)
{
	enum { PIECE = 64 };
	uint32_t nodes[2][PIECE], distances[PIECE];
	size_t n[2] = { 0 }, row = allow_next(allow, rows, 0);

	/* One piece is on its way from memory while the one before is compared. */
	s->n_pool = 0;
	for (size_t now = 0; n[now] || row < rows->count; now = !now) {
		const size_t next = !now;

		for (n[next] = 0; n[next] < PIECE && row < rows->count; row = allow_next(allow, rows, row + 1)) {
			nodes[next][n[next]] = graph_node(g, row);
			prefetch_code(g, nodes[next][n[next]++]);
		}
		g->coder.distances(code, g->codes, g->coder.bytes, nodes[now], n[now], distances);
		for (size_t i = 0; i < n[now]; i++)
			pool_insert(s, width, candidate_make(distances[i], nodes[now][i]));
	}
}

/* Some that are spread over the nodes, so that one of them is near whatever is asked: as many as cost little to compare
 * with all. */
void graph_choose_entries(struct graph *g)
{
	size_t n = 1;

	while (n * n < g->n_nodes && n < GRAPH_MAX_ENTRIES) n++;
	g->n_entries = g->n_nodes ? n : 0;
	g->entries_of = g->n_nodes;
	for (size_t i = 0; i < g->n_entries; i++) g->entries[i] = (uint32_t)(i * g->n_nodes / g->n_entries);
}
