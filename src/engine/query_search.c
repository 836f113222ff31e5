/* engine/query_search.c - from terms to candidates, best first.
 *
 * The index is asked for what is near the weighted sum of the wanted terms and, when something is not wanted, near that sum
 * less the unwanted: distances under the three metrics are linear in the query up to a constant, so that is the order of the
 * weighted distances. All that either brought is then compared with every term exactly.
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

static akin_status nearest(const struct asking *a, const float *vector, size_t k, struct hit *hits, size_t *n, akin_error *err)
{
	const struct index_filter filter = { .allows = a->n_self ? is_other : NULL, .ctx = (void *)(uintptr_t)a,
		                             .ids = a->allowed, .n_ids = a->n_allowed };
	const struct index_ask ask = { .k = k, .filter = a->n_self || a->allowed ? &filter : NULL,
		                       .effort = k > EFFORT ? k : EFFORT, .exact = a->params->exact != 0 };

	return index_search(a->lib->vectors.index, vector, &ask, hits, n, err);
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

static void add_up(const struct asking *a, bool with_unwanted, float *sum)
{
	memset(sum, 0, a->lib->dim * sizeof *sum);
	for (size_t t = 0; t < a->n_terms; t++) {
		if (!with_unwanted && !term_is_wanted(&a->term[t])) continue;
		for (size_t i = 0; i < a->lib->dim; i++) sum[i] += (float)a->term[t].weight * a->term[t].vector[i];
	}
}

/* The mean of the terms, where the squared distance needs one. False: the weights cancel out. */
static bool centre(const struct asking *a, bool with_unwanted, float *sum)
{
	double weight = 0;

	if (a->lib->metric != METRIC_L2) return true;
	for (size_t t = 0; t < a->n_terms; t++)
		if (with_unwanted || term_is_wanted(&a->term[t])) weight += a->term[t].weight;
	if (!(weight > 1e-6)) return false;
	for (size_t i = 0; i < a->lib->dim; i++) sum[i] = (float)(sum[i] / weight);
	return true;
}

static akin_status score_candidates(struct pool *pool, const struct asking *a, const int64_t *ids, size_t n, akin_error *err)
{
	const struct akin_library *lib = a->lib;
	float *row = mem_alloc(lib->dim * sizeof *row);
	akin_status st = pool_init(pool, n, a->n_terms, err);

	if (st == AKIN_OK && !row) st = error_nomem(err);
	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		double *evidence = pool->evidence + i * a->n_terms;

		if ((st = index_get(lib->vectors.index, ids[i], row, err)) != AKIN_OK) break;
		for (size_t t = 0; t < a->n_terms; t++) {
			float d = vectors_distance(lib->metric, a->term[t].vector, row, lib->dim);

			pool->distance[i * a->n_terms + t] = d;
			evidence[t] = scale_evidence(a->weigher[t].scale, (double)d);
		}
		pool->item[i] = (struct ranked){ ids[i], rank_value(a->weigher, a->n_terms, evidence, NULL), i };
	}
	mem_free(row);
	return st;
}

static size_t unique(int64_t *ids, size_t n)
{
	size_t kept = 0;

	if (n) qsort(ids, n, sizeof *ids, id_order);
	for (size_t i = 0; i < n; i++)
		if (!i || ids[i] != ids[kept - 1]) ids[kept++] = ids[i];
	return kept;
}

static akin_status fill_from_sums(struct pool *pool, const struct asking *a, struct hit *hits, size_t k, akin_error *err)
{
	float *sum = mem_alloc(a->lib->dim * sizeof *sum);
	int64_t *ids = mem_calloc(2 * k, sizeof *ids);
	size_t n = 0;
	akin_status st = sum && ids ? AKIN_OK : error_nomem(err);

	for (int with_unwanted = 0; with_unwanted < 2 && st == AKIN_OK; with_unwanted++) {
		bool any = !with_unwanted;
		size_t found;

		for (size_t t = 0; t < a->n_terms; t++) any = any || !term_is_wanted(&a->term[t]);
		if (!any) break;
		add_up(a, with_unwanted, sum);
		if (!centre(a, with_unwanted, sum)) continue;
		st = nearest(a, sum, k, hits, &found, err);
		for (size_t i = 0; i < found && st == AKIN_OK; i++) ids[n++] = hits[i].id;
	}
	if (st == AKIN_OK) st = score_candidates(pool, a, ids, unique(ids, n), err);
	mem_free(sum);
	mem_free(ids);
	return st;
}

akin_status pool_fill(struct pool *pool, struct asking *a, size_t wanted, akin_error *err)
{
	size_t k = a->n_terms > 1 ? MIXTURE * wanted : wanted, n = 0;
	struct index_stats stats;
	struct hit *hits;
	akin_status st = AKIN_OK;

	for (size_t t = 0; t < a->n_terms; t++)
		a->weigher[t] = (struct rank_term){ &a->lib->vectors.scale, a->term[t].weight };
	index_get_stats(a->lib->vectors.index, &stats);
	/* A sum in which terms cancel out may hide what is good: what is asked exactly is compared with everything. */
	if (k > stats.count || (a->params->exact && a->n_terms > 1)) k = stats.count;
	if (!(hits = mem_calloc(k, sizeof *hits))) return error_nomem(err);
	if (k && a->n_terms == 1) {
		st = nearest(a, a->term[0].vector, k, hits, &n, err);
		if (st == AKIN_OK) st = fill_from_hits(pool, a, hits, n, err);
	} else if (k) {
		st = fill_from_sums(pool, a, hits, k, err);
	}
	pool->complete = pool->n < k || k == stats.count;
	if (st == AKIN_OK) rank_sort(pool->item, pool->n);
	mem_free(hits);
	return st;
}
