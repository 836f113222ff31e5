/* index/ivf_search.c - the lists nearest to a query, estimates from codes, exact distances of the best.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "index/ivf.h"

enum {
	AHEAD = 4,    /* rows asked from memory before they are compared */
	ENOUGH = 16,  /* comparisons before their errors say something */
	GROUP = 256,  /* queries of a batch that walk through the lists together */
	TOGETHER = 4, /* of those, looked up together */
};

/* ---- candidates: the best of a stream of estimates, in a buffer of twice their number ---- */

struct candidates {
	uint64_t *keys; /* estimate, as an integer of the same order, above the row */
	size_t n, wanted;
	float bound;
};

static uint64_t key_of(float estimate, uint32_t row)
{
	uint32_t bits;

	memcpy(&bits, &estimate, sizeof bits);
	bits = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
	return (uint64_t)bits << 32 | row;
}

static float estimate_of(uint64_t key)
{
	uint32_t bits = (uint32_t)(key >> 32);
	float estimate;

	bits = bits & 0x80000000u ? bits & 0x7fffffffu : ~bits;
	memcpy(&estimate, &bits, sizeof estimate);
	return estimate;
}

static void swap(uint64_t *a, uint64_t *b)
{
	uint64_t t = *a;

	*a = *b;
	*b = t;
}

/* The `wanted` least come first, in no order (Hoare's selection, median of three). */
static void select_least(uint64_t *keys, size_t n, size_t wanted)
{
	while (n > 1 && wanted && wanted < n) {
		uint64_t a = keys[0], b = keys[n / 2], c = keys[n - 1], pivot;
		size_t i = 0, j = n - 1;

		pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
		for (;;) {
			while (keys[i] < pivot) i++;
			while (keys[j] > pivot) j--;
			if (i >= j) break;
			swap(&keys[i++], &keys[j--]);
		}
		/* Keys differ in their rows: the pivot is met once, and both sides are shorter than the whole. */
		if (keys[i] < pivot) i++;
		if (wanted <= i) {
			n = i;
		} else {
			keys += i;
			n -= i;
			wanted -= i;
		}
	}
}

static void sort_keys(uint64_t *keys, size_t n)
{
	while (n > 16) {
		size_t half = n / 2;

		select_least(keys, n, half);
		sort_keys(keys, half);
		keys += half;
		n -= half;
	}
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j && keys[j - 1] > keys[j]; j--) swap(&keys[j - 1], &keys[j]);
}

static void keep_best(struct candidates *c)
{
	if (c->n < c->wanted) return;
	select_least(c->keys, c->n, c->wanted);
	c->n = c->wanted;
	c->bound = -INFINITY;
	for (size_t i = 0; i < c->n; i++) {
		float estimate = estimate_of(c->keys[i]);

		if (!(estimate <= c->bound)) c->bound = estimate;
	}
	if (isnan(c->bound)) c->bound = INFINITY;
}

static size_t candidate_room(size_t wanted)
{
	return 2 * wanted + LIST_BLOCK;
}

/* ---- a query's work ---- */

struct work {
	const struct index *index;
	const struct ivf *ivf;
	const struct query *query;
	const struct allow *allow;
	struct list_tables tables;
	struct candidates found;
	struct hit *probes; /* lists as ids, nearest first */
	float sure;         /* standard deviations before a row is not compared */
};

static bool allows(const struct work *w, uint32_t row)
{
	return allow_row(w->allow, &w->index->rows, row);
}

static void take(struct work *w, const uint32_t *rows, const float *estimates, uint32_t near)
{
	struct candidates *c = &w->found;

	for (; near; near &= near - 1) {
		const size_t i = (size_t)__builtin_ctz(near);

		if (!allows(w, rows[i])) continue;
		c->keys[c->n++] = key_of(estimates[i], rows[i]);
	}
	if (c->n >= candidate_room(c->wanted) - LIST_BLOCK) keep_best(c);
}

static uint32_t real_rows(size_t n)
{
	return n >= LIST_BLOCK ? UINT32_MAX : (UINT32_C(1) << n) - 1;
}

static void estimate_block(struct work *w, const struct ivf_list *list, size_t at, float base, const uint16_t *sums)
{
	const float *biases = ivf_biases(w->ivf, ivf_block(w->ivf, list, at));
	const struct list_estimate e = { biases + LIST_BLOCK, biases, w->tables.offset, w->tables.step, base };
	float estimates[LIST_BLOCK];
	uint32_t near = w->ivf->kernels->estimate(&e, sums, w->found.bound, estimates);

	near &= real_rows(list->n - at);
	if (near) take(w, list->rows + at, estimates, near);
}

static void scan_list(struct work *w, size_t number, float base)
{
	const struct ivf_list *list = &w->ivf->lists[number];
	const uint8_t *tables = w->tables.at;
	uint16_t sums[LIST_BLOCK];

	for (size_t at = 0; at < list->n; at += LIST_BLOCK) {
		w->ivf->kernels->sum_codes(ivf_block(w->ivf, list, at), w->ivf->pq.subspaces / LIST_GROUP, &tables, 1,
					   sums);
		estimate_block(w, list, at, base, sums);
	}
}

static void prefetch_row(const struct index *index, uint32_t row)
{
	const uint8_t *at = rows_at(&index->rows, &index->space, row);
	const size_t bytes = index->space.row_bytes < 1024 ? index->space.row_bytes : 1024;

	for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(at + i);
}

static float compare(const struct work *w, uint32_t row, struct topk *top)
{
	const struct space *space = &w->index->space;
	float distance;

	space_distances(space, w->query, rows_at(&w->index->rows, space, row), rows_scales(&w->index->rows, row), 1,
			&distance);
	if (distance <= top->bound) topk_push(top, (struct hit){ w->index->rows.ids[row], distance });
	return distance;
}

/* By estimate, until it is improbable that a later row is near enough: rows that are not in the cache take most of a
 * query's time, and easy queries need a third of those that hard ones do. How estimates of this query err is what the
 * rows compared so far show: mean and variance of the errors, times their number, without divisions. */
static void compare_found(struct work *w, struct topk *top)
{
	const float unit = w->index->space.metric == METRIC_COSINE ? 0.5f : 1; /* |q - x|^2 = 2 (1 - cos) */
	struct candidates *c = &w->found;
	float sum = 0, squares = 0, first = 0;

	keep_best(c);
	sort_keys(c->keys, c->n);
	for (size_t i = 0; i < c->n && i < AHEAD; i++) prefetch_row(w->index, (uint32_t)c->keys[i]);
	for (size_t i = 0; i < c->n; i++) {
		const float estimate = unit * estimate_of(c->keys[i]), n = (float)i,
			    short_of = n * (estimate + first - top->bound) + sum;
		float error;

		if (i >= ENOUGH && i >= top->k && short_of > 0 &&
		    short_of * short_of > w->sure * w->sure * (n * squares - sum * sum))
			break;
		if (i + AHEAD < c->n) prefetch_row(w->index, (uint32_t)c->keys[i + AHEAD]);
		error = compare(w, (uint32_t)c->keys[i], top) - estimate;
		if (!i) first = error;
		sum += error - first;
		squares += (error - first) * (error - first);
	}
}

/* Without codes every row of the list is compared. */
static void compare_list(const struct work *w, size_t number, struct topk *top)
{
	const struct ivf_list *list = &w->ivf->lists[number];

	for (size_t at = 0; at < list->n; at++) {
		if (at + AHEAD < list->n) prefetch_row(w->index, list->rows[at + AHEAD]);
		if (!allows(w, list->rows[at])) continue;
		compare(w, list->rows[at], top);
	}
}

/* ---- which lists ---- */

/* Who looks into more lists wants less to be missed in each. */
static float sure_for(const struct ivf *ivf, size_t probes)
{
	float sure = 2.3f + 0.7f * log2f(40 * (float)probes / (float)ivf->n_lists);

	return sure < 2 ? 2 : sure > 5 ? 5 : sure;
}

static size_t rerank_for(const struct index *index, size_t k)
{
	const size_t factor = index->params.ivf.rerank, wanted = factor ? factor * k : 10 * k + 20;

	return wanted < index->rows.count ? wanted : index->rows.count;
}

/* At least `least` rows should be in the lists that are looked at. */
static size_t choose_probes(const struct ivf *ivf, struct hit *order, float *distances, size_t probes, size_t least)
{
	struct topk top = { order, 0, 0, INFINITY };
	size_t held = 0;

	top.k = probes < ivf->n_lists ? probes : ivf->n_lists;
	for (size_t i = 0; i < ivf->n_lists; i++)
		if (distances[i] <= top.bound) topk_push(&top, (struct hit){ (int64_t)i, distances[i] });
	topk_sort(order, top.n);
	for (size_t i = 0; i < top.n; i++) held += ivf->lists[order[i].id].n;
	if (held >= least || top.k == ivf->n_lists) return top.n;
	return choose_probes(ivf, order, distances, 2 * top.k, least);
}

static void no_nans(float *distances, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isnan(distances[i])) distances[i] = INFINITY;
}

/* Distances to the centroids in the terms of estimates. */
static void centroid_distances(const struct index *index, const struct ivf *ivf, const float *query, float *distances)
{
	const struct kernels *k = index->space.kernels;
	const bool ip = index->space.metric == METRIC_IP;

	(ip ? k->scan_ip_f32 : k->scan_l2_f32)(query, ivf->centroids, ivf->n_lists, index->space.dim, distances);
	for (size_t i = 0; ip && i < ivf->n_lists; i++) distances[i] = -distances[i];
	no_nans(distances, ivf->n_lists);
}

static void centre_query(const struct ivf *ivf, size_t dim, const float *query, float *centred)
{
	for (size_t d = 0; d < dim; d++) centred[d] = query[d] - ivf->mean[d];
	for (size_t d = dim; d < ivf->pq.padded; d++) centred[d] = 0;
}

/* ---- filters ---- */

enum { RARE = 32 }; /* one in so many allowed: comparing all those is faster */

/* The nearest allowed rows are farther away than the nearest: more lists. */
static size_t probes_for(const struct ivf *ivf, size_t probes, double rarity)
{
	const double more = (double)probes * sqrt(rarity);

	return more < (double)ivf->n_lists ? (size_t)more : ivf->n_lists;
}

static void compare_allowed(const struct work *w, struct topk *top)
{
	allow_scan(w->allow, &w->index->rows, &w->index->space, w->query, top);
}

/* Too few hits, though there may be more: no list or estimate excuses that. */
static bool is_short(const struct work *w, const struct topk *top, const struct topk *before)
{
	return w->allow->filter && top->n < top->k && before->bound == INFINITY;
}

/* ---- one query ---- */

struct room {
	float *query, *centred, *distances;
	struct hit *probes;
	uint64_t *keys;
	uint8_t *tables;
	float *working;
	void *base;
};

static size_t aligned(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

static bool room_init(struct room *room, const struct index *index, size_t wanted)
{
	const struct ivf *ivf = index->kind;
	const size_t sizes[] = { index->space.dim * sizeof(float),
				 ivf->pq.padded * sizeof(float),
				 ivf->n_lists * sizeof(float),
				 ivf->n_lists * sizeof(struct hit),
				 candidate_room(wanted) * sizeof(uint64_t),
				 ivf->pq.subspaces * LIST_CODES,
				 ivf->pq.subspaces * (LIST_CODES + 1) * sizeof(float) };
	uint8_t *at[COUNT(sizes)];
	size_t bytes = 0;

	for (size_t i = 0; i < COUNT(sizes); i++) bytes += aligned(sizes[i]);
	if (!(room->base = mem_aligned(bytes))) return false;
	at[0] = room->base;
	for (size_t i = 1; i < COUNT(sizes); i++) at[i] = at[i - 1] + aligned(sizes[i - 1]);
	room->query = (void *)at[0];
	room->centred = (void *)at[1];
	room->distances = (void *)at[2];
	room->probes = (void *)at[3];
	room->keys = (void *)at[4];
	room->tables = at[5];
	room->working = (void *)at[6];
	return true;
}

static void look_into_lists(struct work *w, const struct room *room, size_t n_probes, struct topk *top)
{
	const struct ivf *ivf = w->ivf;

	if (ivf->width) {
		w->tables.at = room->tables;
		w->tables.room = room->working;
		centre_query(ivf, w->index->space.dim, room->query, room->centred);
		ivf->kernels->make_tables(ivf->pq.codebook, room->centred, ivf->pq.subspaces, ivf->width, &w->tables);
	}
	for (size_t i = 0; i < n_probes; i++) {
		const size_t list = (size_t)room->probes[i].id;

		if (ivf->width)
			scan_list(w, list, room->probes[i].distance);
		else
			compare_list(w, list, top);
	}
	if (ivf->width) compare_found(w, top);
}

akin_status ivf_search(const struct index *index, const struct query *query, const struct allow *allow, size_t effort,
		       struct topk *top, akin_error *err)
{
	const struct ivf *ivf = index->kind;
	const struct topk before = *top;
	const double rarity = allow_rarity(allow, &index->rows);
	const size_t wanted = rerank_for(index, top->k);
	size_t probes = effort ? effort : ivf->probes;
	struct work w = { .index = index, .ivf = ivf, .query = query, .allow = allow };
	struct room room;

	if (!ivf->learnt) return flat_search(index, query, allow, effort, top, err);
	if (rarity > (double)RARE) {
		compare_allowed(&w, top);
		return AKIN_OK;
	}
	if (!room_init(&room, index, wanted)) return error_nomem(err);
	w.sure = sure_for(ivf, probes);
	w.found = (struct candidates){ room.keys, 0, wanted, INFINITY };
	ivf_query_floats(&index->space, query, room.query);
	centroid_distances(index, ivf, room.query, room.distances);
	probes = choose_probes(ivf, room.probes, room.distances, probes_for(ivf, probes, rarity), wanted);
	look_into_lists(&w, &room, probes, top);
	mem_free(room.base);
	if (!is_short(&w, top, &before)) return AKIN_OK;
	*top = before;
	compare_allowed(&w, top);
	return AKIN_OK;
}

/* ---- many ---- */

/* A group of queries walks through the lists together: a list is read once, its blocks looked up for several queries
 * while they are in registers, and the distances to centroids are a matrix product. */
struct group {
	const struct index *index;
	const struct ivf *ivf;
	const struct batch *batch;
	const struct panels *panels;
	size_t size, wanted, probes;
	float sure;
	bool exact; /* few rows are allowed: compare with those */
	struct topk before;
	akin_status *states; /* of each group */
};

struct visit {
	uint32_t list, query;
	float base;
};

struct group_room {
	struct work *works;
	float *queries, *distances, *centred;
	struct hit *order;
	uint64_t *keys;
	uint8_t *tables;
	float *working;
	struct visit *visits;
	size_t n_visits, capacity;
};

static void group_room_free(struct group_room *room)
{
	mem_free(room->works);
	mem_free(room->queries);
	mem_free(room->distances);
	mem_free(room->centred);
	mem_free(room->order);
	mem_free(room->keys);
	mem_free(room->tables);
	mem_free(room->working);
	mem_free(room->visits);
}

static bool group_room_init(struct group_room *room, const struct group *g, size_t n)
{
	const struct ivf *ivf = g->ivf;

	*room = (struct group_room){ 0 };
	room->works = mem_calloc(n, sizeof *room->works);
	room->queries = mem_aligned(n * g->index->space.dim * sizeof(float));
	room->distances = mem_aligned(n * ivf->n_lists * sizeof(float));
	room->centred = mem_aligned((ivf->pq.padded + 1) * sizeof(float));
	room->order = mem_alloc(ivf->n_lists * sizeof *room->order);
	room->keys = mem_alloc(n * candidate_room(g->wanted) * sizeof *room->keys);
	room->tables = mem_aligned(n * ivf->pq.subspaces * LIST_CODES + 1);
	room->working = mem_aligned((ivf->pq.subspaces * (LIST_CODES + 1) + 1) * sizeof(float));
	return room->works && room->queries && room->distances && room->centred && room->order && room->keys &&
	       room->tables && room->working;
}

static bool add_visits(struct group_room *room, uint32_t query, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct visit *moved = mem_grow(room->visits, &room->capacity, room->n_visits, sizeof *moved);

		if (!moved) return false;
		room->visits = moved;
		moved[room->n_visits++] = (struct visit){ (uint32_t)room->order[i].id, query, room->order[i].distance };
	}
	return true;
}

/* Products gave |c|^2 - 2 <q, c>; the missing |q|^2 changes no order. */
static void finish_distances(const struct group *g, float *distances)
{
	const bool ip = g->index->space.metric == METRIC_IP;

	for (size_t i = 0; ip && i < g->ivf->n_lists; i++) distances[i] = distances[i] / 2 - g->panels->half_norms[i];
	no_nans(distances, g->ivf->n_lists);
}

static bool prepare(const struct group *g, struct group_room *room, size_t first, size_t n)
{
	const struct ivf *ivf = g->ivf;
	const size_t dim = g->index->space.dim, tables = ivf->pq.subspaces * LIST_CODES;

	for (size_t i = 0; i < n; i++)
		ivf_query_floats(&g->index->space, &g->batch->queries[first + i], room->queries + i * dim);
	for (size_t i = 0; i < n; i += PANELS_ROWS)
		panels_distances(g->panels, room->queries + i * dim, n - i < PANELS_ROWS ? n - i : PANELS_ROWS,
				 room->distances + i * ivf->n_lists);
	for (size_t i = 0; i < n; i++) {
		float *distances = room->distances + i * ivf->n_lists;
		struct work *w = &room->works[i];

		*w = (struct work){ .index = g->index,
				    .ivf = ivf,
				    .query = &g->batch->queries[first + i],
				    .allow = g->batch->allow,
				    .sure = g->sure };
		w->found = (struct candidates){ room->keys + i * candidate_room(g->wanted), 0, g->wanted, INFINITY };
		finish_distances(g, distances);
		if (!add_visits(room, (uint32_t)i, choose_probes(ivf, room->order, distances, g->probes, g->wanted)))
			return false;
		if (!ivf->width) continue;
		w->tables.at = room->tables + i * tables;
		w->tables.room = room->working;
		centre_query(ivf, dim, room->queries + i * dim, room->centred);
		ivf->kernels->make_tables(ivf->pq.codebook, room->centred, ivf->pq.subspaces, ivf->width, &w->tables);
	}
	return true;
}

static int by_list(const void *a, const void *b)
{
	const struct visit *x = a, *y = b;

	if (x->list != y->list) return x->list < y->list ? -1 : 1;
	return (x->query > y->query) - (x->query < y->query);
}

/* Up to TOGETHER queries in one list. */
static void scan_together(struct group_room *room, const struct visit *visits, size_t n)
{
	struct work *works[TOGETHER];
	const uint8_t *tables[TOGETHER];
	uint16_t sums[TOGETHER * LIST_BLOCK];
	const struct ivf *ivf = room->works->ivf;
	const struct ivf_list *list = &ivf->lists[visits->list];

	for (size_t i = 0; i < n; i++) {
		works[i] = &room->works[visits[i].query];
		tables[i] = works[i]->tables.at;
	}
	for (size_t at = 0; at < list->n; at += LIST_BLOCK) {
		ivf->kernels->sum_codes(ivf_block(ivf, list, at), ivf->pq.subspaces / LIST_GROUP, tables, n, sums);
		for (size_t i = 0; i < n; i++)
			estimate_block(works[i], list, at, visits[i].base, sums + i * LIST_BLOCK);
	}
}

static void visit_lists(const struct group *g, struct group_room *room, size_t first)
{
	size_t n;

	qsort(room->visits, room->n_visits, sizeof *room->visits, by_list);
	for (size_t i = 0; i < room->n_visits; i += n) {
		const struct visit *at = &room->visits[i];

		n = 1;
		if (!g->ivf->width) {
			compare_list(&room->works[at->query], at->list, &g->batch->tops[first + at->query]);
			continue;
		}
		while (n < TOGETHER && i + n < room->n_visits && at[n].list == at->list) n++;
		scan_together(room, at, n);
	}
}

static void compare_alone(const struct group *g, size_t query)
{
	const struct work w = {
		.index = g->index, .ivf = g->ivf, .query = &g->batch->queries[query], .allow = g->batch->allow
	};

	compare_allowed(&w, &g->batch->tops[query]);
}

static void run_group(void *ctx, size_t number)
{
	const struct group *g = ctx;
	const struct topk before = g->before; /* all ask for the same */
	const size_t first = number * g->size, n = g->batch->n - first < g->size ? g->batch->n - first : g->size;
	struct group_room room;

	g->states[number] = AKIN_ERR_NOMEM;
	if (g->exact) {
		for (size_t i = first; i < first + n; i++) compare_alone(g, i);
		g->states[number] = AKIN_OK;
		return;
	}
	if (group_room_init(&room, g, n) && prepare(g, &room, first, n)) {
		visit_lists(g, &room, first);
		for (size_t i = 0; i < n && g->ivf->width; i++)
			compare_found(&room.works[i], &g->batch->tops[first + i]);
		for (size_t i = 0; i < n; i++)
			if (is_short(&room.works[i], &g->batch->tops[first + i], &before)) {
				g->batch->tops[first + i] =
				    (struct topk){ g->batch->tops[first + i].heap, 0, before.k, before.bound };
				compare_alone(g, first + i);
			}
		g->states[number] = AKIN_OK;
	}
	group_room_free(&room);
}

akin_status ivf_search_many(const struct index *index, const struct batch *batch, akin_error *err)
{
	const struct ivf *ivf = index->kind;
	const unsigned threads = batch->threads ? batch->threads : pool_cores();
	struct panels panels = { 0 };
	struct group g = { .index = index, .ivf = ivf, .batch = batch, .panels = &panels };
	size_t n_groups;
	double rarity;
	akin_status st;

	if (!ivf->learnt) return flat_search_many(index, batch, err);
	if (!batch->n) return AKIN_OK;
	g.size = (batch->n + threads - 1) / threads < GROUP ? (batch->n + threads - 1) / threads : GROUP;
	g.wanted = rerank_for(index, batch->tops->k);
	rarity = allow_rarity(batch->allow, &index->rows);
	g.before = batch->tops[0];
	g.exact = rarity > (double)RARE;
	g.probes = batch->effort ? batch->effort : ivf->probes;
	g.sure = sure_for(ivf, g.probes);
	g.probes = probes_for(ivf, g.probes, rarity);
	n_groups = (batch->n + g.size - 1) / g.size;
	if (!(g.states = mem_calloc(n_groups, sizeof *g.states))) return error_nomem(err);
	st = panels_init(&panels, ivf->kernels, index->space.dim, ivf->centroids, ivf->n_lists, err);
	if (st == AKIN_OK) pool_for(n_groups, threads, run_group, &g);
	for (size_t i = 0; i < n_groups && st == AKIN_OK; i++)
		if (g.states[i] != AKIN_OK) st = error_nomem(err);
	panels_deinit(&panels);
	mem_free(g.states);
	return st;
}
