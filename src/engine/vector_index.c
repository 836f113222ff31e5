/* engine/vector_index.c - akin/index.h over index/: the same indexes that serve a library, for vectors without
 * pictures. SPDX-License-Identifier: Apache-2.0 */
#include "engine/vector_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

_Static_assert(AKIN_METRIC_L2 == (int)METRIC_L2 && AKIN_METRIC_IP == (int)METRIC_IP &&
                       AKIN_METRIC_COSINE == (int)METRIC_COSINE && AKIN_METRIC_HAMMING == (int)METRIC_HAMMING,
               "metrics are passed through");
_Static_assert(AKIN_ELEMENT_F32 == (int)ELEMENT_F32 && AKIN_ELEMENT_F16 == (int)ELEMENT_F16 &&
                       AKIN_ELEMENT_I8 == (int)ELEMENT_I8 && AKIN_ELEMENT_U8 == (int)ELEMENT_U8 &&
                       AKIN_ELEMENT_BITS == (int)ELEMENT_BITS,
               "element types are passed through");
_Static_assert(AKIN_INDEX_FLAT == (int)INDEX_FLAT && AKIN_INDEX_GRAPH == (int)INDEX_GRAPH &&
                       AKIN_INDEX_IVF == (int)INDEX_IVF &&
                       AKIN_INDEX_BINARY == (int)INDEX_BINARY && AKIN_INDEX_LSH == (int)INDEX_LSH &&
                       AKIN_INDEX_MAX_DIM == (int)INDEX_MAX_DIM,
               "kinds are passed through");

static size_t vector_bytes(const struct index_params *params)
{
	return element_row_bytes(params->element == ELEMENT_F16 ? ELEMENT_F32 : params->element, params->dim);
}

/* ---- making ---- */

akin_status akin_index_create(akin_index **out, const akin_index_spec *spec, akin_error *err)
{
	const enum element element = spec->element ? (enum element)spec->element : ELEMENT_F32;
	struct akin_index *index;
	akin_status st;

	*out = NULL;
	error_clear(err);
	if (!(index = mem_zalloc(sizeof *index))) return error_nomem(err);
	index->undecided = spec->kind == AKIN_INDEX_AUTO;
	index->next_known = true;
	index->params.kind = index->undecided ? INDEX_FLAT : (enum index_kind)spec->kind;
	index->params.metric = spec->metric               ? (enum metric)spec->metric
	                       : element == ELEMENT_BITS ? METRIC_HAMMING
	                                                 : METRIC_L2;
	index->params.element = element;
	index->params.dim = spec->dim;
	index->params.seed = spec->seed;
	index->params.links = spec->links;
	index->params.build_effort = spec->build_effort;
	index->params.ivf = (struct ivf_params){ spec->lists, spec->code_width, spec->rerank };
	index->params.lsh = (struct lsh_params){ spec->tables, spec->hash_bits, spec->hash_width };
	if ((st = index_create(&index->index, &index->params, err)) != AKIN_OK) {
		mem_free(index);
		return error_note(err, st, "creating an index of kind %s", akin_index_kind_name(spec->kind));
	}
	*out = index;
	return AKIN_OK;
}

void akin_index_destroy(akin_index *index)
{
	if (!index) return;
	index_destroy(index->index);
	mem_free(index);
}

/* ---- AUTO ---- */

/* Move every row of the flat index to one of the chosen kind. */
static akin_status move_rows(struct index *from, struct index *to, size_t row_bytes, unsigned threads, akin_error *err)
{
	int64_t *ids = NULL;
	uint8_t *rows = NULL;
	akin_status st;
	size_t n;

	if ((st = index_ids(from, &ids, &n, err)) != AKIN_OK) goto out;
	if (!(rows = mem_calloc(n, row_bytes))) {
		st = error_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < n && st == AKIN_OK; i++) st = index_get(from, ids[i], rows + i * row_bytes, err);
	if (st == AKIN_OK) st = index_add_many(to, ids, rows, n, threads, err);
out:
	mem_free(rows);
	mem_free(ids);
	return st;
}

/* Leave flat for what suits these rows better. They are the sample, since they outnumber what is there or came for
 * that. */
static akin_status decide(struct akin_index *index, const void *rows, size_t n, unsigned threads, akin_error *err)
{
	struct index_params params = index->params;
	struct index *chosen = NULL;
	akin_status st;

	if ((st = vector_choose(&params, rows, n, threads, &params.kind, err)) != AKIN_OK) return st;
	if (params.kind != INDEX_FLAT) {
		if ((st = index_create(&chosen, &params, err)) != AKIN_OK) return st;
		st = index_train(chosen, rows, n, threads, err);
		if (st == AKIN_OK) st = move_rows(index->index, chosen, vector_bytes(&params), threads, err);
		if (st != AKIN_OK) {
			index_destroy(chosen);
			return st;
		}
		index_destroy(index->index);
		index->index = chosen;
		index->params = params;
	}
	index->undecided = false;
	return AKIN_OK;
}

static size_t count_of(const struct index *index)
{
	struct index_stats stats;

	index_get_stats(index, &stats);
	return stats.count;
}

/* ---- filling ---- */

akin_status akin_index_train(akin_index *index, const void *rows, size_t n, unsigned threads, akin_error *err)
{
	akin_status st;

	error_clear(err);
	if (index->undecided) st = decide(index, rows, n, threads, err);
	else st = index_train(index->index, rows, n, threads, err);
	return error_note(err, st, "training an index");
}

static akin_status find_next_id(struct akin_index *index, akin_error *err)
{
	akin_status st;
	int64_t *ids;
	size_t n;

	if (index->next_known) return AKIN_OK;
	if ((st = index_ids(index->index, &ids, &n, err)) != AKIN_OK) return st;
	index->next_id = n && ids[n - 1] >= 0 ? ids[n - 1] : -1;
	mem_free(ids);
	if (index->next_id == INT64_MAX)
		return error_set(err, AKIN_ERR_INVALID, "the greatest id is taken: new rows need ids of their own");
	index->next_id++;
	index->next_known = true;
	return AKIN_OK;
}

static akin_status number_rows(struct akin_index *index, size_t n, int64_t **ids, akin_error *err)
{
	akin_status st;

	if ((st = find_next_id(index, err)) != AKIN_OK) return st;
	if (n > (uint64_t)(INT64_MAX - index->next_id))
		return error_set(err, AKIN_ERR_INVALID, "there are no ids after %lld: new rows need their own",
		                 (long long)index->next_id);
	if (!(*ids = mem_calloc(n, sizeof **ids))) return error_nomem(err);
	for (size_t i = 0; i < n; i++) (*ids)[i] = index->next_id + (int64_t)i;
	return AKIN_OK;
}

/* The greatest id is kept while it is cheap: the ids that were just added. */
static void note_ids(struct akin_index *index, const int64_t *ids, size_t n)
{
	for (size_t i = 0; index->next_known && i < n; i++) {
		if (ids[i] == INT64_MAX) index->next_known = false;
		else if (ids[i] >= index->next_id) index->next_id = ids[i] + 1;
	}
}

static akin_status add(struct akin_index *index, const int64_t *ids, const void *rows, size_t n, unsigned threads,
                       akin_error *err)
{
	const bool decides = index->undecided && n + count_of(index->index) > AKIN_INDEX_AUTO_ROWS;
	akin_status st;

	if (decides && (st = decide(index, rows, n, threads, err)) != AKIN_OK) return st;
	if ((st = index_add_many(index->index, ids, rows, n, threads, err)) == AKIN_OK) note_ids(index, ids, n);
	/* Rows that are refused say nothing about those that come. */
	else if (decides && index->params.kind == INDEX_FLAT) index->undecided = true;
	return st;
}

akin_status akin_index_add(akin_index *index, const int64_t *ids, const void *rows, size_t n, unsigned threads,
                           akin_error *err)
{
	int64_t *numbered = NULL;
	akin_status st = AKIN_OK;

	error_clear(err);
	if (!n) return AKIN_OK;
	if (!ids) st = number_rows(index, n, &numbered, err);
	if (st == AKIN_OK) st = add(index, ids ? ids : numbered, rows, n, threads, err);
	mem_free(numbered);
	return error_note(err, st, "adding %zu vectors", n);
}

/* The rows of those ids that are there: *n_old of them, with their ids. */
static akin_status keep_old(const struct akin_index *index, const int64_t *ids, size_t n, int64_t **old_ids,
                            uint8_t **old_rows, size_t *n_old, akin_error *err)
{
	const size_t bytes = vector_bytes(&index->params);
	akin_status st = AKIN_OK;

	*n_old = 0;
	*old_ids = mem_calloc(n, sizeof **old_ids);
	*old_rows = mem_calloc(n, bytes);
	if (!*old_ids || !*old_rows) return error_nomem(err);
	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		if (!index_has(index->index, ids[i])) continue;
		(*old_ids)[*n_old] = ids[i];
		st = index_get(index->index, ids[i], *old_rows + (*n_old)++ * bytes, err);
	}
	return st;
}

akin_status akin_index_update(akin_index *index, const int64_t *ids, const void *rows, size_t n, unsigned threads,
                              akin_error *err)
{
	int64_t *old_ids = NULL;
	uint8_t *old_rows = NULL;
	akin_error again;
	akin_status st;
	size_t n_old;

	error_clear(err);
	if (!n) return AKIN_OK;
	if ((st = keep_old(index, ids, n, &old_ids, &old_rows, &n_old, err)) != AKIN_OK) goto out;
	if ((st = index_remove(index->index, old_ids, n_old, NULL, err)) == AKIN_OK)
		st = add(index, ids, rows, n, threads, err);
	if (st == AKIN_OK) goto out;
	for (size_t i = 0; i < n_old; i++) {
		if (index_has(index->index, old_ids[i])) continue;
		if (index_add(index->index, &old_ids[i], old_rows + i * vector_bytes(&index->params), 1, &again) !=
		    AKIN_OK)
			st = error_note(err, st, "id %lld is lost (%s)", (long long)old_ids[i], again.text);
	}
out:
	mem_free(old_rows);
	mem_free(old_ids);
	return error_note(err, st, "updating %zu vectors", n);
}

akin_status akin_index_remove(akin_index *index, const int64_t *ids, size_t n, size_t *n_removed, akin_error *err)
{
	error_clear(err);
	return error_note(err, index_remove(index->index, ids, n, n_removed, err), "removing vectors");
}

/* ---- asking ---- */

static bool calls_user(void *ctx, int64_t id)
{
	const akin_index_filter *f = ctx;

	return f->allows(f->user, id);
}

/* The index's own words for an ask; `filter` is where a filter may lie. */
static akin_status translate(const struct akin_index *index, const akin_index_ask *ask, struct index_filter *filter,
                             struct index_ask *out, akin_error *err)
{
	static const akin_index_filter nothing;
	const akin_index_filter *f = ask->filter ? ask->filter : &nothing;
	size_t unordered = 0;

	*filter = (struct index_filter){ .allows = f->allows ? calls_user : NULL, .ctx = (void *)(uintptr_t)f,
		                         .ids = f->ids, .n_ids = f->ids ? f->n_ids : 0,
		                         .bits = f->bits, .n_bits = f->bits ? f->n_bits : 0 };
	*out = (struct index_ask){ .k = ask->k, .filter = ask->filter ? filter : NULL, .bounded = ask->bounded != 0,
		                   .max_distance = ask->max_distance, .threads = ask->threads, .exact = ask->exact != 0,
		                   .effort = ask->effort ? ask->effort : index->effort };
	/* Without a branch: as fast as the ids are read. */
	for (size_t i = 1; i < filter->n_ids; i++) unordered += f->ids[i - 1] >= f->ids[i];
	for (size_t i = 1; unordered && i < filter->n_ids; i++)
		if (f->ids[i - 1] >= f->ids[i])
			return error_set(err, AKIN_ERR_INVALID,
					 "the filter's ids do not ascend at place %zu: %lld, %lld", i,
					 (long long)f->ids[i - 1], (long long)f->ids[i]);
	return AKIN_OK;
}

static void give(const struct hit *from, size_t n, akin_neighbour *to)
{
	for (size_t i = 0; i < n; i++) to[i] = (akin_neighbour){ from[i].id, from[i].distance };
}

akin_status akin_index_search(const akin_index *index, const void *query, const akin_index_ask *ask,
			      akin_neighbour *hits, size_t *n_hits, akin_error *err)
{
	struct hit few[64], *found = ask->k <= COUNT(few) ? few : mem_calloc(ask->k, sizeof *found);
	struct index_filter filter;
	struct index_ask inner;
	akin_status st;

	*n_hits = 0;
	error_clear(err);
	if (!found) return error_nomem(err);
	if ((st = translate(index, ask, &filter, &inner, err)) == AKIN_OK)
		st = index_search(index->index, query, &inner, found, n_hits, err);
	give(found, *n_hits, hits);
	if (found != few) mem_free(found);
	return error_note(err, st, "searching");
}

akin_status akin_index_search_many(const akin_index *index, const void *queries, size_t n_queries,
				   const akin_index_ask *ask, akin_neighbour *hits, size_t *n_hits, akin_error *err)
{
	struct index_filter filter;
	struct index_ask inner;
	struct hit *found = NULL;
	akin_status st;
	size_t room;

	for (size_t i = 0; i < n_queries; i++) n_hits[i] = 0;
	error_clear(err);
	if (!n_queries) return AKIN_OK;
	if ((st = translate(index, ask, &filter, &inner, err)) != AKIN_OK) goto out;
	if (__builtin_mul_overflow(n_queries, ask->k, &room) || !(found = mem_calloc(room, sizeof *found))) {
		st = error_nomem(err);
		goto out;
	}
	st = index_search_many(index->index, queries, n_queries, &inner, found, n_hits, err);
	for (size_t i = 0; st == AKIN_OK && i < n_queries; i++) give(found + i * ask->k, n_hits[i], hits + i * ask->k);
out:
	mem_free(found);
	return error_note(err, st, "searching with %zu queries", n_queries);
}

akin_status akin_index_range(const akin_index *index, const void *query, float max_distance,
			     const akin_index_filter *wanted, akin_neighbour **hits, size_t *n_hits, akin_error *err)
{
	const akin_index_ask ask = { .k = 1, .filter = wanted };
	struct index_filter filter;
	struct index_ask inner;
	struct hit *found = NULL;
	akin_status st;
	size_t n = 0;

	*hits = NULL;
	*n_hits = 0;
	error_clear(err);
	if ((st = translate(index, &ask, &filter, &inner, err)) == AKIN_OK)
		st = index_range(index->index, query, max_distance, inner.filter, &found, &n, err);
	if (st == AKIN_OK && n && !(*hits = mem_calloc(n, sizeof **hits))) st = error_nomem(err);
	if (st == AKIN_OK) {
		give(found, n, *hits);
		*n_hits = n;
	}
	mem_free(found);
	return error_note(err, st, "searching a range");
}

/* ---- looking ---- */

void akin_index_get_stats(const akin_index *index, akin_index_stats *stats)
{
	struct index_stats inner;

	index_get_stats(index->index, &inner);
	*stats = (akin_index_stats){ .kind = index->undecided ? AKIN_INDEX_AUTO : (akin_index_kind)inner.kind,
				     .metric = (akin_metric)inner.metric,
				     .element = (akin_element)inner.element,
				     .dim = inner.dim,
				     .count = inner.count,
				     .bytes = inner.bytes,
				     .mapped = inner.mapped };
	stats->vector_bytes = vector_bytes(&index->params);
}

int akin_index_has(const akin_index *index, int64_t id)
{
	return index_has(index->index, id);
}

akin_status akin_index_get(const akin_index *index, int64_t id, void *row, akin_error *err)
{
	error_clear(err);
	memset(row, 0, vector_bytes(&index->params));
	return index_get(index->index, id, row, err);
}

akin_status akin_index_ids(const akin_index *index, int64_t **ids, size_t *n, akin_error *err)
{
	error_clear(err);
	return index_ids(index->index, ids, n, err);
}

akin_status akin_index_check(const akin_index *index, int deep, akin_error *err)
{
	error_clear(err);
	return error_note(err, index_check(index->index, deep != 0, err), "checking an index");
}

const char *akin_index_kind_name(akin_index_kind kind)
{
	static const char *const names[] = { "auto", "flat", "graph", "ivf", "binary", "lsh" };

	return (size_t)kind < COUNT(names) ? names[kind] : "?";
}

const char *akin_metric_name(akin_metric metric)
{
	static const char *const names[] = { "default", "l2", "ip", "cosine", "hamming" };

	return (size_t)metric < COUNT(names) ? names[metric] : "?";
}

const char *akin_element_name(akin_element element)
{
	static const char *const names[] = { "default", "f32", "f16", "i8", "u8", "bits" };

	return (size_t)element < COUNT(names) ? names[element] : "?";
}

/* ---- files ---- */

akin_status akin_index_save(const akin_index *index, const char *path, akin_error *err)
{
	static const struct index_stamp none;

	error_clear(err);
	return index_save(index->index, path, &none, err);
}

akin_status akin_index_open(akin_index **out, const char *path, akin_error *err)
{
	struct index_stamp stamp;
	struct akin_index *index;
	struct index_stats stats;
	akin_status st;

	*out = NULL;
	error_clear(err);
	if (!(index = mem_zalloc(sizeof *index))) return error_nomem(err);
	if ((st = index_open(&index->index, path, &stamp, err)) != AKIN_OK) {
		mem_free(index);
		return st;
	}
	index_get_stats(index->index, &stats);
	index->params = (struct index_params){ .kind = stats.kind, .metric = stats.metric, .element = stats.element,
		                               .dim = stats.dim };
	*out = index;
	return AKIN_OK;
}
