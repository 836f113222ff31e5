/* index/graph_build.c - nodes for new rows, in batches: each node of a batch looks for neighbours among the nodes
 * before the batch, then every neighbour takes links back (ParlayANN: Manohar et al., PPoPP 2024). Nothing depends on
 * the number of threads or their order.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "index/graph.h"

enum {
	MOST_BATCH = 512,
	MEND_SHARE = 10,  /* look for nodes that no walk reaches when one of so many is new */
	BATCH_SHARE = 32, /* a batch is at most this part of the nodes before it: its nodes do not see one another */
};

/* A neighbour is dropped when a kept one is nearer to it than the node by this factor (DiskANN: Subramanya et al. 2019,
 * here of squared distances). 1 as in HNSW leaves too few long links, see docs/engine.md. */
static const float alpha = 1.2f;

static int compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Candidates are few and nearly sorted more often than not. */
static void sort_candidates(candidate *list, size_t n)
{
	if (n > 64) {
		qsort(list, n, sizeof *list, compare_u64);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		const candidate c = list[i];
		size_t at = i;

		for (; at && list[at - 1] > c; at--) list[at] = list[at - 1];
		list[at] = c;
	}
}

static bool is_covered(const struct graph *g, candidate c, const uint32_t *kept, size_t n_kept)
{
	enum { PIECE = 8 };
	const float limit = (float)candidate_distance(c);
	uint32_t distances[PIECE];

	for (size_t from = 0; from < n_kept; from += PIECE) {
		size_t n = n_kept - from < PIECE ? n_kept - from : PIECE;

		g->coder.distances(graph_code(g, candidate_node(c)), g->codes, g->coder.bytes, kept + from, n,
				   distances);
		for (size_t i = 0; i < n; i++)
			if (alpha * (float)distances[i] <= limit) return true;
	}
	return false;
}

void graph_prune(const struct graph *g, uint32_t node, candidate *list, size_t n)
{
	uint32_t *kept = graph_links(g, node);
	size_t n_kept = 0;

	sort_candidates(list, n);
	for (size_t i = 0; i < n && n_kept < g->links; i++)
		if (!is_covered(g, list[i], kept, n_kept)) kept[n_kept++] = candidate_node(list[i]);
	for (size_t i = n_kept; i < g->links; i++) kept[i] = NODE_NONE;
}

/* ---- one batch ---- */

struct batch_job {
	struct index *index;
	struct graph *g;
	size_t first_row;
	uint32_t first_node;
	size_t n;
	uint64_t *back; /* target in the high half, source in the low one */
	size_t *starts; /* of the runs of one target */
	size_t n_targets;
};

static void encode_row(void *ctx, size_t i)
{
	enum { PIECE = 64 };
	const struct batch_job *job = ctx;
	struct graph *g = job->g;
	struct scratch *s = scratch_take(g, 1);

	for (size_t at = i * PIECE; at < job->n && at < (i + 1) * PIECE; at++)
		coder_encode_row(&g->coder, &job->index->space, &job->index->rows, job->first_row + at, s->room,
				 graph_code(g, job->first_node + (uint32_t)at));
	scratch_give(g, s);
}

static void link_forward(void *ctx, size_t i)
{
	const struct batch_job *job = ctx;
	struct graph *g = job->g;
	const uint32_t node = job->first_node + (uint32_t)i;
	struct scratch *s = scratch_take(g, g->build_effort);
	size_t n = 0;

	graph_walk(g, graph_code(g, node), g->build_effort, s);
	for (size_t c = 0; c < s->n_pool; c++) s->list[n++] = s->pool[c] & ~(candidate)1;
	graph_prune(g, node, s->list, n);
	scratch_give(g, s);
}

static void link_back(void *ctx, size_t i)
{
	const struct batch_job *job = ctx;
	struct graph *g = job->g;
	const uint64_t *back = job->back + job->starts[i], *end = job->back + job->starts[i + 1];
	const uint32_t target = (uint32_t)(*back >> 32);
	uint32_t *links = graph_links(g, target), met[GRAPH_MAX_LINKS + MOST_BATCH],
		 distances[GRAPH_MAX_LINKS + MOST_BATCH];
	size_t degree = graph_degree(g, target), n = degree;
	struct scratch *s;

	for (; back < end && degree < g->links; back++) links[degree++] = (uint32_t)*back;
	if (back == end) return;
	n = degree;
	memcpy(met, links, degree * sizeof *met);
	while (back < end) met[n++] = (uint32_t)*back++;
	s = scratch_take(g, 1);
	g->coder.distances(graph_code(g, target), g->codes, g->coder.bytes, met, n, distances);
	for (size_t c = 0; c < n; c++) s->list[c] = candidate_make(distances[c], met[c]);
	graph_prune(g, target, s->list, n);
	scratch_give(g, s);
}

static void sort_back_links(struct batch_job *job)
{
	size_t n = 0;

	for (uint32_t node = job->first_node; node < job->first_node + job->n; node++) {
		const uint32_t *links = graph_links(job->g, node);

		for (size_t i = 0; i < job->g->links && links[i] != NODE_NONE; i++)
			job->back[n++] = (uint64_t)links[i] << 32 | node;
	}
	qsort(job->back, n, sizeof *job->back, compare_u64);
	job->n_targets = 0;
	for (size_t i = 0; i < n; i++)
		if (!i || job->back[i] >> 32 != job->back[i - 1] >> 32) job->starts[job->n_targets++] = i;
	job->starts[job->n_targets] = n;
}

static bool links_to(const struct graph *g, uint32_t from, uint32_t to)
{
	const uint32_t *links = graph_links(g, from);

	for (size_t i = 0; i < g->links && links[i] != NODE_NONE; i++)
		if (links[i] == to) return true;
	return false;
}

/* A place is free, or the last link, the farthest when the list was pruned, gives way. */
static void force_link(struct graph *g, uint32_t from, uint32_t to)
{
	const size_t degree = graph_degree(g, from);

	graph_links(g, from)[degree < g->links ? degree : degree - 1] = to;
}

/* A new node that all its neighbours pruned away would never be found. */
static void keep_linked(struct graph *g, uint32_t node)
{
	const uint32_t *links = graph_links(g, node);
	size_t i = 0;

	if (links[0] == NODE_NONE) return;
	while (i < g->links && links[i] != NODE_NONE && !links_to(g, links[i], node)) i++;
	if (i == g->links || links[i] == NODE_NONE) force_link(g, links[0], node);
}

static void insert_batch(struct batch_job *job, unsigned threads)
{
	struct graph *g = job->g;

	pool_for((job->n + 63) / 64, threads, encode_row, job);
	pool_for(job->n, threads, link_forward, job);
	sort_back_links(job);
	pool_for(job->n_targets, threads, link_back, job);
	for (size_t i = 0; i < job->n; i++) keep_linked(g, job->first_node + (uint32_t)i);
	for (size_t i = 0; i < job->n; i++) {
		g->row_of[job->first_node + i] = (uint32_t)(job->first_row + i);
		g->node_of[job->first_row + i] = (uint32_t)(job->first_node + i);
	}
	g->n_nodes += job->n;
	if (g->n_nodes >= 2 * g->entries_of) graph_choose_entries(g);
}

/* As many scratches as threads will ask for at once, so that none of them fails. */
static bool reserve_scratches(struct graph *g, unsigned threads)
{
	struct scratch *taken = NULL;
	bool ok = true;

	for (unsigned i = 0; ok && i < threads; i++) {
		struct scratch *s = scratch_take(g, g->build_effort);

		if (!(ok = s)) break;
		s->next = taken;
		taken = s;
	}
	while (taken) {
		struct scratch *s = taken;

		taken = s->next;
		scratch_give(g, s);
	}
	return ok;
}

/* ---- mending ---- */

/* Mark what can be reached from the nodes of s->met from `from` on; they are marked already. */
static void spread(const struct graph *g, struct scratch *s, size_t from)
{
	for (; from < s->n_met; from++) {
		const uint32_t *links = graph_links(g, s->met[from]);

		for (size_t i = 0; i < g->links && links[i] != NODE_NONE; i++) scratch_visit(s, links[i]);
	}
}

/* From the nearest of those that a walk reaches and that has room, else from the nearest. */
static void link_to_lost(struct graph *g, uint32_t lost, struct scratch *walk)
{
	size_t i = 0;

	graph_walk(g, graph_code(g, lost), g->build_effort, walk);
	while (i < walk->n_pool && graph_degree(g, candidate_node(walk->pool[i])) == g->links) i++;
	if (walk->n_pool) force_link(g, candidate_node(walk->pool[i < walk->n_pool ? i : 0]), lost);
}

size_t graph_lost(struct graph *g, struct scratch *s, bool mend, struct scratch *walk)
{
	size_t lost = 0;

	s->n_met = 0;
	for (size_t i = 0; i < g->n_entries; i++) scratch_visit(s, g->entries[i]);
	spread(g, s, 0);
	for (uint32_t node = 0; node < g->n_nodes; node++) {
		const size_t from = s->n_met;

		if (!scratch_visit(s, node)) continue;
		lost++;
		if (mend) link_to_lost(g, node, walk);
		spread(g, s, from);
	}
	for (size_t i = 0; i < s->n_met; i++) s->visited[s->met[i] / 64] = 0;
	return lost;
}

void graph_mend(struct graph *g)
{
	/* A link that gives way may lose another node; that gets rarer each time. */
	enum { ROUNDS = 4 };
	struct scratch *s = scratch_take(g, 1), *walk = scratch_take(g, g->build_effort);

	for (int round = 0; s && walk && round < ROUNDS && graph_lost(g, s, true, walk); round++)
		;
	if (s && walk) g->unmended = 0;
	scratch_give(g, s);
	scratch_give(g, walk);
}

akin_status graph_insert(struct index *index, size_t first_row, size_t n, unsigned threads, akin_error *err)
{
	struct graph *g = index->kind;
	struct batch_job job = { .index = index, .g = g };
	const size_t pairs = MOST_BATCH * g->links;
	akin_status st;

	if ((st = graph_reserve(g, g->n_nodes + n, first_row + n, err)) != AKIN_OK) return st;
	if (!threads) threads = pool_cores();
	job.back = mem_alloc(pairs * sizeof *job.back);
	job.starts = mem_alloc((pairs + 1) * sizeof *job.starts);
	if (!job.back || !job.starts || !reserve_scratches(g, threads)) {
		st = error_nomem(err);
		goto out;
	}
	for (size_t done = 0; done < n; done += job.n) {
		job.first_row = first_row + done;
		job.first_node = (uint32_t)g->n_nodes;
		job.n = g->n_nodes / BATCH_SHARE;
		job.n = job.n < 1 ? 1 : job.n > MOST_BATCH ? MOST_BATCH : job.n;
		if (job.n > n - done) job.n = n - done;
		insert_batch(&job, threads);
	}
	g->unmended += n;
	if (g->unmended * MEND_SHARE >= g->n_nodes) graph_mend(g);
out:
	mem_free(job.back);
	mem_free(job.starts);
	return st;
}
