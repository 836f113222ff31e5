/* engine/query_search.c - from terms to candidates, best first.
 *
 * The index is asked for what is near the weighted sum of the wanted terms and, when something is not wanted, near that sum
 * less the unwanted: distances under the three metrics are linear in the query up to a constant, so that is the order of the
 * weighted distances. Each space of vectors is asked so, and words bring what they are found with. All that any of them
 * brought is then compared with every term exactly.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/asking.h"

/* EFFORT: where the graph's recall on real embeddings is above 0.99 (docs/engine.md); an answer costs a fraction of a
 * millisecond there, and people notice what is missing sooner than what is late.
 * MIXTURE: of several terms the best may be second-rate for each sum of them: look this much further. */
enum { EFFORT = 128, MIXTURE = 4 };

static bool is_other(void *ctx, int64_t id)
{
	const struct asking *a = ctx;

	return !bsearch(&id, a->self, a->n_self, sizeof id, id_order);
}

static bool allows(const struct asking *a, int64_t id)
{
	if (a->n_self && !is_other((void *)(uintptr_t)a, id)) return false;
	return !a->allowed || bsearch(&id, a->allowed, a->n_allowed, sizeof id, id_order);
}

static akin_status nearest(const struct asking *a, const struct vectors *space, const float *vector, size_t k,
                           struct hit *hits, size_t *n, akin_error *err)
{
	const struct index_filter filter = { .allows = a->n_self ? is_other : NULL, .ctx = (void *)(uintptr_t)a,
		                             .ids = a->allowed, .n_ids = a->n_allowed };
	const struct index_ask ask = { .k = k, .filter = a->n_self || a->allowed ? &filter : NULL,
		                       .effort = k > EFFORT ? k : EFFORT, .exact = a->params->exact != 0 };

	return index_search(space->index, vector, &ask, hits, n, err);
}

void pool_deinit(struct pool *pool)
{
	mem_free(pool->item);
	mem_free(pool->evidence);
	mem_free(pool->distance);
	*pool = (struct pool){ 0 };
}

double pool_score(const struct pool *pool, const struct asking *a, size_t i)
{
	return rank_score(a->weigher, a->n_terms, pool->item[i].value);
}

static akin_status pool_init(struct pool *pool, size_t n, size_t n_terms, akin_error *err)
{
	*pool = (struct pool){ .n = n, .n_terms = n_terms, .item = mem_calloc(n, sizeof *pool->item),
		               .evidence = mem_calloc(n, n_terms * sizeof *pool->evidence),
		               .distance = mem_calloc(n, n_terms * sizeof *pool->distance) };
	return pool->item && pool->evidence && pool->distance ? AKIN_OK : error_nomem(err);
}

/* ---- one term: the index has said it all ---- */

static akin_status fill_from_hits(struct pool *pool, const struct asking *a, const struct hit *hits, size_t n, akin_error *err)
{
	akin_status st = pool_init(pool, n, 1, err);

	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		pool->distance[i] = hits[i].distance;
		pool->evidence[i] = scale_evidence(a->weigher->scale, (double)hits[i].distance);
		pool->item[i] = (struct ranked){ hits[i].id, rank_value(a->weigher, 1, &pool->evidence[i], NULL), i };
	}
	return st;
}

/* ---- several ---- */

/* Candidates so far, from every source; some more than once. */
struct candidates {
	int64_t *id;
	size_t n, capacity;
	bool complete; /* no source had more */
};

static akin_status add_candidate(struct candidates *c, int64_t id, akin_error *err)
{
	int64_t *moved = mem_grow(c->id, &c->capacity, c->n, sizeof *moved);

	if (!moved) return error_nomem(err);
	c->id = moved;
	c->id[c->n++] = id;
	return AKIN_OK;
}

static bool counts(const struct term *term, const struct vectors *space, bool with_unwanted)
{
	return term->space == space && (with_unwanted || term_is_wanted(term));
}

/* The sum of the terms of a space; where the squared distance needs one, their mean. False: there is nothing to ask. */
static bool add_up(const struct asking *a, const struct vectors *space, bool with_unwanted, float *sum)
{
	size_t dim = vectors_row_dim(a->lib, space);
	double weight = 0;
	bool wanted = false, unwanted = false;

	memset(sum, 0, dim * sizeof *sum);
	for (size_t t = 0; t < a->n_terms; t++) {
		const struct term *term = &a->term[t];

		if (!counts(term, space, with_unwanted)) continue;
		for (size_t i = 0; i < dim; i++) sum[i] += (float)term->weight * term->vector[i];
		weight += term->weight;
		wanted = wanted || term_is_wanted(term);
		unwanted = unwanted || !term_is_wanted(term);
	}
	if (!wanted || (with_unwanted && !unwanted)) return false;
	if (vectors_metric(a->lib, space) != METRIC_L2) return true;
	for (size_t i = 0; weight > 1e-6 && i < dim; i++) sum[i] = (float)(sum[i] / weight);
	return weight > 1e-6;
}

static akin_status collect_near(struct candidates *c, const struct asking *a, const struct vectors *space, size_t k,
                                akin_error *err)
{
	float *sum = mem_alloc(vectors_row_dim(a->lib, space) * sizeof *sum);
	struct hit *hits = mem_calloc(k, sizeof *hits);
	akin_status st = sum && hits ? AKIN_OK : error_nomem(err);

	for (int with_unwanted = 0; with_unwanted < 2 && st == AKIN_OK; with_unwanted++) {
		size_t found = 0;

		if (!add_up(a, space, with_unwanted, sum)) continue;
		st = nearest(a, space, sum, k, hits, &found, err);
		c->complete = c->complete && found < k;
		for (size_t i = 0; i < found && st == AKIN_OK; i++) st = add_candidate(c, hits[i].id, err);
	}
	mem_free(sum);
	mem_free(hits);
	return st;
}

static akin_status collect(struct candidates *c, const struct asking *a, size_t k, akin_error *err)
{
	struct vectors *const spaces[] = { &a->lib->vectors, &a->lib->texts };
	akin_status st = AKIN_OK;

	for (size_t s = 0; s < COUNT(spaces) && st == AKIN_OK; s++) {
		bool wanted = false;

		for (size_t t = 0; t < a->n_terms; t++) wanted = wanted || counts(&a->term[t], spaces[s], false);
		if (wanted) st = collect_near(c, a, spaces[s], k, err);
	}
	for (size_t t = 0; t < a->n_terms && st == AKIN_OK; t++) {
		const struct term *term = &a->term[t];

		for (size_t i = 0; !term->space && term_is_wanted(term) && i < term->n_worded && st == AKIN_OK; i++)
			if (allows(a, term->worded[i].id)) st = add_candidate(c, term->worded[i].id, err);
	}
	return st;
}

static int by_worded_id(const void *a, const void *b)
{
	return id_order(&((const struct worded *)a)->id, &((const struct worded *)b)->id);
}

/* How far a candidate is by one term; `row` is its vector in the term's space, `has_row` whether it has one. */
static float distance_to(const struct asking *a, const struct term *term, int64_t id, const float *row, bool has_row)
{
	const struct worded key = { .id = id }, *found;

	if (term->space && !has_row) return (float)term->scale.random; /* nothing is known: as any picture */
	if (term->space)
		return vectors_distance(vectors_metric(a->lib, term->space), term->vector, row, vectors_row_dim(a->lib, term->space));
	found = term->n_worded ? bsearch(&key, term->worded, term->n_worded, sizeof key, by_worded_id) : NULL;
	return found ? found->distance : 1;
}

static akin_status score_candidate(struct pool *pool, const struct asking *a, int64_t id, size_t i, float *row, akin_error *err)
{
	double *evidence = pool->evidence + i * a->n_terms;
	const struct vectors *loaded = NULL;
	bool has_row = false;

	for (size_t t = 0; t < a->n_terms; t++) {
		const struct term *term = &a->term[t];
		float d;

		if (term->space && term->space != loaded) {
			akin_status st = index_get(term->space->index, id, row, err);

			if (st != AKIN_OK && st != AKIN_ERR_NOT_FOUND) return st;
			has_row = st == AKIN_OK;
			loaded = term->space;
		}
		d = distance_to(a, term, id, row, has_row);
		pool->distance[i * a->n_terms + t] = d;
		evidence[t] = scale_evidence(&term->scale, (double)d);
	}
	pool->item[i] = (struct ranked){ id, rank_value(a->weigher, a->n_terms, evidence, NULL), i };
	return AKIN_OK;
}

static size_t unique(int64_t *ids, size_t n)
{
	size_t kept = 0;

	if (n) qsort(ids, n, sizeof *ids, id_order);
	for (size_t i = 0; i < n; i++)
		if (!i || ids[i] != ids[kept - 1]) ids[kept++] = ids[i];
	return kept;
}

static akin_status fill_from_all(struct pool *pool, const struct asking *a, size_t k, akin_error *err)
{
	struct candidates c = { .complete = true };
	unsigned pictures = vectors_row_dim(a->lib, &a->lib->vectors), texts = a->lib->texts.joint ? a->lib->texts.joint->dim : 0;
	float *row = mem_alloc((pictures > texts ? pictures : texts) * sizeof *row);
	akin_status st = row ? collect(&c, a, k, err) : error_nomem(err);

	if (st == AKIN_OK) st = pool_init(pool, unique(c.id, c.n), a->n_terms, err);
	for (size_t i = 0; i < pool->n && st == AKIN_OK; i++) st = score_candidate(pool, a, c.id[i], i, row, err);
	pool->complete = c.complete;
	mem_free(c.id);
	mem_free(row);
	return st;
}

static akin_status fill_from_one(struct pool *pool, const struct asking *a, size_t k, akin_error *err)
{
	struct hit *hits = mem_calloc(k, sizeof *hits);
	size_t n = 0;
	akin_status st = hits ? nearest(a, a->term[0].space, a->term[0].vector, k, hits, &n, err) : error_nomem(err);

	if (st == AKIN_OK) st = fill_from_hits(pool, a, hits, n, err);
	pool->complete = n < k;
	mem_free(hits);
	return st;
}

akin_status pool_fill(struct pool *pool, struct asking *a, size_t wanted, akin_error *err)
{
	bool one = a->n_terms == 1 && a->term[0].space;
	size_t k = one ? wanted : MIXTURE * wanted;
	struct index_stats stats;
	akin_status st = AKIN_OK;

	for (size_t t = 0; t < a->n_terms; t++)
		a->weigher[t] = (struct rank_term){ &a->term[t].scale, a->term[t].weight, a->term[t].more };
	index_get_stats(a->lib->vectors.index, &stats);
	/* A sum in which terms cancel out may hide what is good: what is asked exactly is compared with everything. */
	if (k > stats.count || (a->params->exact && !one)) k = stats.count;
	if (!stats.count) pool->complete = true;
	else st = one ? fill_from_one(pool, a, k, err) : fill_from_all(pool, a, k, err);
	if (k == stats.count) pool->complete = true;
	if (st == AKIN_OK) rank_sort(pool->item, pool->n);
	return st;
}
