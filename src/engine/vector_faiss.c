/* engine/vector_faiss.c - an index as Faiss' IndexIVFFlat or IndexHNSWFlat.
 *
 * Lists come from k-means. The graph is not built by inserting, as HNSW does, but from what is there: every row's
 * candidates are its neighbours by a search of this index, pruned as Malkov and Yashunin 2018 do (algorithm 4), then
 * joined with the links that point to it and pruned again. Levels are drawn with the chances of that paper; the rows of
 * an upper level get an index of their own to find neighbours in. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "akin/vectors.h"
#include "base/alloc.h"
#include "base/pool.h"
#include "base/rng.h"
#include "engine/vector_index.h"
#include "index/kmeans.h"
#include "vecfile/faiss.h"

enum { LINKS = 16, TRAIN_A_LIST = 64, ITERATIONS = 10, FLAT_LEVEL = 5000, SEARCH_ROWS = 1024 };

/* All rows of an index as floats, by ascending id. */
struct table {
	int64_t *ids;
	float *rows;
	size_t n, dim;
	enum metric metric;
};

static void table_deinit(struct table *t)
{
	mem_free(t->ids);
	mem_free(t->rows);
}

static akin_status table_load(struct table *t, const struct akin_index *index, akin_error *err)
{
	const struct index_params *p = &index->params;
	akin_status st;

	*t = (struct table){ .dim = p->dim, .metric = p->metric == METRIC_L2 ? METRIC_L2 : METRIC_IP };
	if (p->element != ELEMENT_F32 && p->element != ELEMENT_F16)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "Faiss has floats in such an index, not %s",
		                 akin_element_name((akin_element)p->element));
	if ((st = index_ids(index->index, &t->ids, &t->n, err)) != AKIN_OK) return st;
	if (!t->n) return error_set(err, AKIN_ERR_INVALID, "an empty index has no structure");
	if (t->n > INT32_MAX)
		return error_set(err, AKIN_ERR_UNSUPPORTED, "%zu rows are more than Faiss' links can name", t->n);
	if (!(t->rows = mem_calloc(t->n, t->dim * sizeof *t->rows))) return error_nomem(err);
	for (size_t i = 0; i < t->n && st == AKIN_OK; i++)
		st = index_get(index->index, t->ids[i], t->rows + i * t->dim, err);
	return st;
}

/* ---- lists ---- */

static akin_status learn_centroids(const struct table *t, const akin_index_spec *spec, size_t n_lists, unsigned threads,
                                   float *centroids, akin_error *err)
{
	const struct kmeans_params params = { .kernels = kernels_best(),
					      .dim = t->dim,
					      .k = n_lists,
					      .iterations = ITERATIONS,
					      .threads = threads,
					      .seed = spec->seed };
	const size_t step = t->n / (n_lists * TRAIN_A_LIST) + 1, n = t->n / step;
	float *sample = mem_calloc(n, t->dim * sizeof *sample);
	akin_status st;

	if (!sample) return error_nomem(err);
	for (size_t i = 0; i < n; i++)
		memcpy(sample + i * t->dim, t->rows + i * step * t->dim, t->dim * sizeof *sample);
	st = kmeans(&params, sample, n, centroids, err);
	mem_free(sample);
	return st;
}

static akin_status write_lists(const struct table *t, const char *path, const akin_index_spec *spec, unsigned threads,
                               akin_error *err)
{
	const size_t usual = (size_t)(4 * sqrt((double)t->n)), most = t->n / 40 + 1;
	const size_t n_lists = spec->lists ? spec->lists : usual < most ? usual : most;
	float *centroids = mem_calloc(n_lists, t->dim * sizeof *centroids);
	uint32_t *list_of = mem_calloc(t->n, sizeof *list_of);
	struct panels panels = { .n = 0 };
	akin_status st;

	if (!centroids || !list_of) {
		st = error_nomem(err);
		goto out;
	}
	if ((st = learn_centroids(t, spec, n_lists, threads, centroids, err)) != AKIN_OK) goto out;
	if ((st = panels_init(&panels, list_kernels_for(kernels_best()), t->dim, centroids, n_lists, err)) != AKIN_OK)
		goto out;
	panels_nearest(&panels, t->rows, t->n, list_of);
	panels_deinit(&panels);
	st = faiss_write_lists(
	    path, &(struct faiss_lists){ t->metric, t->dim, t->n, n_lists, centroids, t->rows, t->ids, list_of }, err);
out:
	mem_free(centroids);
	mem_free(list_of);
	return st;
}

/* ---- graph ---- */

/* One level: its rows, and for each at most `room` links, -1 after the last. */
struct level {
	const struct table *table;
	const struct index *index;  /* of the level's rows, by their number in the table */
	const int32_t *members;     /* rows of the table, ascending; NULL: all */
	size_t n, room, wide;
	struct hit *near;           /* n x wide candidates */
	size_t *n_near;
	int32_t *links;             /* n x room, rows of the table */
	unsigned threads;
};

static size_t member(const struct level *l, size_t i)
{
	return l->members ? (size_t)l->members[i] : i;
}

static float distance(const struct table *t, size_t a, size_t b)
{
	const float *x = t->rows + a * t->dim, *y = t->rows + b * t->dim;
	float sum = 0;

	if (t->metric == METRIC_IP)
		for (size_t i = 0; i < t->dim; i++) sum -= x[i] * y[i];
	else
		for (size_t i = 0; i < t->dim; i++) sum += (x[i] - y[i]) * (x[i] - y[i]);
	return sum;
}

/* Keep a candidate unless one that is kept is nearer to it than the row itself is. Candidates come nearest first. */
static size_t prune(const struct table *t, size_t row, const struct hit *near, size_t n_near, size_t room,
		    int32_t *links)
{
	size_t n = 0;

	for (size_t i = 0; i < n_near && n < room; i++) {
		const size_t to = (size_t)near[i].id;
		bool keep = to != row;

		for (size_t j = 0; keep && j < n; j++)
			keep = links[j] != (int32_t)to && distance(t, to, (size_t)links[j]) >= near[i].distance;
		if (keep) links[n++] = (int32_t)to;
	}
	for (size_t i = n; i < room; i++) links[i] = -1;
	return n;
}

static void prune_member(void *ctx, size_t i)
{
	struct level *l = ctx;

	prune(l->table, member(l, i), l->near + i * l->wide, l->n_near[i], l->room, l->links + i * l->room);
}

static int by_distance(const void *a, const void *b)
{
	return hit_before(a, b) ? -1 : hit_before(b, a);
}

/* Place of a row among the members; they ascend. */
static size_t place_of(const struct level *l, int32_t row)
{
	size_t low = 0, high = l->n;

	if (!l->members) return (size_t)row;
	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;

		if (l->members[middle] <= row) low = middle;
		else high = middle;
	}
	return low;
}

/* The links so far and those that point back become the candidates, as many as there is room for. */
static void join_back_links(struct level *l)
{
	for (size_t i = 0; i < l->n; i++) {
		l->n_near[i] = 0;
		for (size_t j = 0; j < l->room && l->links[i * l->room + j] >= 0; j++) {
			const int32_t to = l->links[i * l->room + j];

			l->near[i * l->wide + l->n_near[i]++] =
			    (struct hit){ to, distance(l->table, member(l, i), (size_t)to) };
		}
	}
	for (size_t i = 0; i < l->n; i++) {
		for (size_t j = 0; j < l->room && l->links[i * l->room + j] >= 0; j++) {
			const size_t to = place_of(l, l->links[i * l->room + j]);

			if (l->n_near[to] == l->wide) continue;
			l->near[to * l->wide + l->n_near[to]++] =
				(struct hit){ (int64_t)member(l, i), distance(l->table, member(l, i), member(l, to)) };
		}
	}
}

static void prune_joined(void *ctx, size_t i)
{
	struct level *l = ctx;

	qsort(l->near + i * l->wide, l->n_near[i], sizeof *l->near, by_distance);
	prune_member(l, i);
}

/* Neighbours of every member in the level's index, some rows at a time. */
static akin_status find_near(struct level *l, akin_error *err)
{
	const struct index_ask ask = { .k = l->wide, .threads = l->threads };
	float *queries = mem_calloc(SEARCH_ROWS, l->table->dim * sizeof *queries);
	akin_status st = AKIN_OK;

	if (!queries) return error_nomem(err);
	for (size_t first = 0; first < l->n && st == AKIN_OK; first += SEARCH_ROWS) {
		const size_t n = l->n - first < SEARCH_ROWS ? l->n - first : SEARCH_ROWS;

		for (size_t i = 0; i < n; i++)
			memcpy(queries + i * l->table->dim, l->table->rows + member(l, first + i) * l->table->dim,
			       l->table->dim * sizeof *queries);
		st = index_search_many(l->index, queries, n, &ask, l->near + first * l->wide, l->n_near + first, err);
	}
	mem_free(queries);
	return st;
}

/* An index of the members whose ids are rows of the table. */
static akin_status index_members(const struct level *l, uint64_t seed, struct index **out, akin_error *err)
{
	const struct index_params params = { .kind = l->n > FLAT_LEVEL ? INDEX_GRAPH : INDEX_FLAT,
					     .metric = l->table->metric,
					     .element = ELEMENT_F32,
					     .dim = l->table->dim,
					     .seed = seed };
	const size_t row_bytes = l->table->dim * sizeof *l->table->rows;
	float *rows = mem_calloc(l->n, row_bytes);
	int64_t *ids = mem_calloc(l->n, sizeof *ids);
	akin_status st;

	*out = NULL;
	if (!rows || !ids) {
		st = error_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < l->n; i++) {
		ids[i] = (int64_t)member(l, i);
		memcpy(rows + i * l->table->dim, l->table->rows + member(l, i) * l->table->dim, row_bytes);
	}
	if ((st = index_create(out, &params, err)) == AKIN_OK)
		st = index_add_many(*out, ids, rows, l->n, l->threads, err);
out:
	mem_free(rows);
	mem_free(ids);
	return st;
}

static akin_status link_level(struct level *l, uint64_t seed, akin_error *err)
{
	struct index *index = NULL;
	akin_status st;

	l->wide = 2 * l->room;
	l->near = mem_calloc(l->n, l->wide * sizeof *l->near);
	l->n_near = mem_calloc(l->n, sizeof *l->n_near);
	l->links = mem_calloc(l->n, l->room * sizeof *l->links);
	if (!l->near || !l->n_near || !l->links) {
		st = error_nomem(err);
		goto out;
	}
	if ((st = index_members(l, seed, &index, err)) != AKIN_OK) goto out;
	l->index = index;
	if ((st = find_near(l, err)) != AKIN_OK) goto out;
	pool_for(l->n, l->threads, prune_member, l);
	join_back_links(l);
	pool_for(l->n, l->threads, prune_joined, l);
out:
	index_destroy(index);
	mem_free(l->near);
	mem_free(l->n_near);
	return st;
}

static void draw_levels(const struct table *t, size_t links, uint64_t seed, int32_t *levels)
{
	struct rng rng = { seed };

	for (size_t i = 0; i < t->n; i++) {
		double left = rng_unit(&rng), chance;
		int32_t level = 0;

		while ((chance = faiss_level_chance(links, (size_t)level)) > 0 && left >= chance) {
			left -= chance;
			level++;
		}
		levels[i] = 1 + (chance > 0 ? level : 0);
	}
}

/* Link the rows that are on a level, and copy their links to where the file has them. */
static akin_status make_level(struct faiss_graph *g, const struct table *t, size_t level, uint64_t seed,
			      unsigned threads, int32_t *members, int32_t *neighbours, akin_error *err)
{
	struct level l = {
		.table = t, .members = level ? members : NULL, .room = faiss_links_on(g, level), .threads = threads
	};
	akin_status st;

	for (size_t i = 0; i < t->n; i++)
		if (g->levels[i] > (int32_t)level) members[l.n++] = (int32_t)i;
	if (l.n) g->entry = members[0];
	if (!l.n) return AKIN_OK;
	if ((st = link_level(&l, seed, err)) == AKIN_OK)
		for (size_t i = 0; i < l.n; i++)
			memcpy(neighbours + g->offsets[member(&l, i)] + faiss_links_before(g, level),
			       l.links + i * l.room, l.room * sizeof *l.links);
	mem_free(l.links);
	return st;
}

static akin_status write_graph(const struct table *t, const char *path, const akin_index_spec *spec, unsigned threads,
                               akin_error *err)
{
	struct faiss_graph g = { .metric = t->metric, .dim = t->dim, .n = t->n, .rows = t->rows, .build_effort = 40 };
	int32_t *levels = mem_calloc(t->n, sizeof *levels), *members = mem_calloc(t->n, sizeof *members),
		*neighbours = NULL;
	uint64_t *offsets = mem_calloc(t->n + 1, sizeof *offsets);
	akin_status st = AKIN_OK;
	int32_t top = 0;

	g.links = spec->links >= 4 ? spec->links / 2 : LINKS;
	if (!levels || !members || !offsets) {
		st = error_nomem(err);
		goto out;
	}
	draw_levels(t, g.links, spec->seed, levels);
	for (size_t i = 0; i < t->n; i++) {
		offsets[i + 1] = offsets[i] + faiss_links_before(&g, (size_t)levels[i]);
		if (levels[i] > top) top = levels[i];
	}
	if (!(neighbours = mem_alloc((size_t)offsets[t->n] * sizeof *neighbours))) {
		st = error_nomem(err);
		goto out;
	}
	g.levels = levels;
	g.offsets = offsets;
	g.neighbours = neighbours;
	for (size_t level = 0; level < (size_t)top && st == AKIN_OK; level++)
		st = make_level(&g, t, level, spec->seed, threads, members, neighbours, err);
	if (st == AKIN_OK) st = faiss_write_graph(path, &g, err);
out:
	mem_free(levels);
	mem_free(members);
	mem_free(neighbours);
	mem_free(offsets);
	return st;
}

akin_status akin_index_write_faiss(const akin_index *index, const char *path, akin_faiss_kind kind,
				   const akin_index_spec *spec, unsigned threads, akin_error *err)
{
	static const akin_index_spec defaults;
	struct table table;
	akin_status st;

	error_clear(err);
	if (!spec) spec = &defaults;
	if ((st = table_load(&table, index, err)) == AKIN_OK)
		st = kind == AKIN_FAISS_HNSW ? write_graph(&table, path, spec, threads, err)
		                             : write_lists(&table, path, spec, threads, err);
	table_deinit(&table);
	return st;
}
