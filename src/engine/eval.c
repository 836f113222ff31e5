/* engine/eval.c - akin_eval_run: every labelled picture as a query against the others.
 *
 * Each query ranks all labelled pictures exactly (the index is asked for as many as there are, with a filter), the query
 * itself is taken out, and search/measure.c does the arithmetic. A content that several rows name counts once, with the
 * class of its first row.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/pool.h"
#include "search/measure.h"

/* ---- evaluating ---- */

static int by_doc_id(const void *a, const void *b)
{
	const struct doc *x = a, *y = b;

	if (x->id != y->id) return x->id < y->id ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static struct doc *find_doc(const akin_eval *e, akin_id id)
{
	const struct doc key = { .id = id };
	size_t low = 0, high = e->n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (e->doc[middle].id < key.id) low = middle + 1;
		else high = middle;
	}
	return low < e->n && e->doc[low].id == id ? &e->doc[low] : NULL;
}

static bool is_labelled(void *ctx, int64_t id)
{
	return find_doc(ctx, id) != NULL;
}

static akin_status find_klass(akin_eval *e, const char *name, size_t *klass, akin_error *err)
{
	struct klass *moved;
	char **names;

	for (*klass = 0; *klass < e->n_classes; ++*klass)
		if (!strcmp(e->klass[*klass].name, name)) return AKIN_OK;
	if (!(moved = mem_grow(e->klass, &e->klass_capacity, e->n_classes, sizeof *moved))) return error_nomem(err);
	e->klass = moved;
	if (!(names = mem_grow(e->klass_name, &e->name_capacity, e->n_classes, sizeof *names))) return error_nomem(err);
	e->klass_name = names;
	if (!(e->klass_name[e->n_classes] = mem_strdup(name))) return error_nomem(err);
	e->klass[e->n_classes] = (struct klass){ .name = e->klass_name[e->n_classes] };
	e->n_classes++;
	return AKIN_OK;
}

/* The labelled pictures that the library has a vector of, each content once. */
static akin_status collect_docs(akin_eval *e, const char *const *paths, const char *const *classes, size_t n,
                                akin_error *err)
{
	akin_status st = AKIN_OK;
	size_t kept = 0;

	if (!(e->doc = mem_calloc(n, sizeof *e->doc))) return error_nomem(err);
	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		akin_id id;

		st = akin_picture_find(e->lib, paths[i], &id, err);
		if (st == AKIN_OK && index_has(e->lib->vectors.index, id)) e->doc[e->n++] = (struct doc){ .id = id, .row = i };
		else if (st == AKIN_OK || st == AKIN_ERR_NOT_FOUND) st = AKIN_OK, e->unknown++;
	}
	if (e->n) qsort(e->doc, e->n, sizeof *e->doc, by_doc_id);
	for (size_t i = 0; i < e->n; i++)
		if (!i || e->doc[i].id != e->doc[kept - 1].id) e->doc[kept++] = e->doc[i];
	e->n = kept;
	for (size_t i = 0; i < e->n && st == AKIN_OK; i++) {
		st = find_klass(e, classes[e->doc[i].row], &e->doc[i].klass, err);
		if (st == AKIN_OK) e->klass[e->doc[i].klass].members++;
	}
	return st;
}

void eval_measure(const akin_eval *e, struct doc *doc, const bool *relevant, size_t n, size_t n_relevant)
{
	doc->ap = measure_average_precision(relevant, n, n_relevant);
	doc->r_precision = measure_r_precision(relevant, n, n_relevant);
	doc->ndcg = measure_ndcg(relevant, n, n_relevant, 0);
	for (size_t i = 0; i < e->n_k; i++) {
		doc->precision[i] = measure_precision(relevant, n, e->k[i]);
		doc->recall[i] = measure_recall(relevant, n, n_relevant, e->k[i]);
		doc->ndcg_at[i] = measure_ndcg(relevant, n, n_relevant, e->k[i]);
	}
	doc->first = 1;
	for (size_t i = 0; i < n && !relevant[i]; i++) doc->first++;
	doc->measured = true;
}

static void measure_doc(const akin_eval *e, struct doc *doc, const struct hit *hits, size_t n, bool *relevant)
{
	size_t ranked = 0;

	for (size_t i = 0; i < n; i++) {
		const struct doc *other = hits[i].id == doc->id ? NULL : find_doc(e, hits[i].id);

		if (!other) continue;
		if (ranked < EVAL_TOP) {
			doc->top[ranked] = other->id;
			doc->top_relevant[ranked] = other->klass == doc->klass;
			doc->top_score[ranked] = scale_score(&e->lib->vectors.scale, (double)hits[i].distance);
			doc->n_top = ranked + 1;
		}
		relevant[ranked++] = other->klass == doc->klass;
	}
	eval_measure(e, doc, relevant, ranked, e->klass[doc->klass].members - 1);
}

static akin_status rank_doc(akin_eval *e, struct doc *doc, akin_error *err)
{
	const struct index_filter filter = { .allows = is_labelled, .ctx = e };
	const struct index_ask ask = { .k = e->n, .filter = &filter, .threads = 1, .exact = true };
	float *row = mem_alloc(e->lib->dim * sizeof *row);
	struct hit *hits = mem_calloc(e->n, sizeof *hits);
	bool *relevant = mem_calloc(e->n, sizeof *relevant);
	size_t n = 0;
	akin_status st = AKIN_OK;

	if (!row || !hits || !relevant) st = error_nomem(err);
	if (st == AKIN_OK) st = index_get(e->lib->vectors.index, doc->id, row, err);
	if (st == AKIN_OK) st = index_search(e->lib->vectors.index, row, &ask, hits, &n, err);
	if (st == AKIN_OK) measure_doc(e, doc, hits, n, relevant);
	mem_free(row);
	mem_free(hits);
	mem_free(relevant);
	return st;
}

void eval_step(akin_eval *e, size_t total, akin_status st, const akin_error *err)
{
	pthread_mutex_lock(&e->lock);
	atomic_fetch_add(&e->done, 1);
	if (st != AKIN_OK && e->st == AKIN_OK) {
		e->st = st;
		e->err = *err;
		atomic_store(&e->stop, true);
	} else if (e->params->on_progress && !atomic_load(&e->stop) &&
	           e->params->on_progress(e->params->user, atomic_load(&e->done), total)) {
		e->st = error_set(&e->err, AKIN_ERR_CANCELLED, "stopped");
		atomic_store(&e->stop, true);
	}
	pthread_mutex_unlock(&e->lock);
}

static void evaluate_one(void *ctx, size_t i)
{
	akin_eval *e = ctx;
	akin_error err;
	akin_status st;

	if (atomic_load(&e->stop) || e->klass[e->doc[i].klass].members < 2) return;
	st = rank_doc(e, &e->doc[i], &err);
	eval_step(e, e->n, st, &err);
}

static void add_to(akin_measures *m, const struct doc *doc, size_t n_k)
{
	m->queries++;
	m->map += doc->ap;
	m->r_precision += doc->r_precision;
	m->ndcg += doc->ndcg;
	m->mrr += 1 / doc->first;
	for (size_t i = 0; i < n_k; i++) {
		m->precision[i] += doc->precision[i];
		m->recall[i] += doc->recall[i];
		m->ndcg_at[i] += doc->ndcg_at[i];
	}
}

static void divide(akin_measures *m, size_t n_k)
{
	double q = m->queries ? (double)m->queries : 1;

	m->map /= q;
	m->r_precision /= q;
	m->ndcg /= q;
	m->mrr /= q;
	for (size_t i = 0; i < n_k; i++) {
		m->precision[i] /= q;
		m->recall[i] /= q;
		m->ndcg_at[i] /= q;
	}
}

static int by_rank(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of the first relevant ranks, of all queries or of one class. */
static double median_first(const akin_eval *e, const size_t *klass, double *room)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++)
		if (e->doc[i].measured && (!klass || e->doc[i].klass == *klass)) room[n++] = e->doc[i].first;
	if (!n) return 0;
	qsort(room, n, sizeof *room, by_rank);
	return n % 2 ? room[n / 2] : (room[n / 2 - 1] + room[n / 2]) / 2;
}

/* Scores of the first answers against the truth. */
static void add_reliability(akin_measures *m, const struct doc *doc)
{
	for (size_t i = 0; i < doc->n_top; i++) {
		double score = doc->top_score[i];
		akin_reliability *bin = &m->reliability[score >= 1 ? AKIN_EVAL_BINS - 1 : (size_t)(score * AKIN_EVAL_BINS)];

		bin->answers++;
		bin->score += score;
		bin->relevant += doc->top_relevant[i];
	}
}

static void divide_reliability(akin_measures *m)
{
	double all = 0;

	for (size_t i = 0; i < AKIN_EVAL_BINS; i++) {
		akin_reliability *bin = &m->reliability[i];
		double n = bin->answers ? (double)bin->answers : 1;

		all += (double)bin->answers;
		m->calibration_error += fabs(bin->score - bin->relevant);
		bin->score /= n;
		bin->relevant /= n;
	}
	if (all > 0) m->calibration_error /= all;
}

static int worst_first(const void *a, const void *b)
{
	const akin_eval_query *x = a, *y = b;

	if (x->average_precision != y->average_precision) return x->average_precision < y->average_precision ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static int by_class_name(const void *a, const void *b)
{
	return strcmp(((const struct klass *)a)->name, ((const struct klass *)b)->name);
}

akin_status eval_summarise(akin_eval *e, const char *const *paths, const char *const *words, akin_error *err)
{
	double *room = mem_calloc(e->n, sizeof *room);

	e->query = mem_calloc(e->n, sizeof *e->query);
	e->path = mem_calloc(2 * e->n, sizeof *e->path);
	if (!e->query || !e->path || !room) {
		mem_free(room);
		return error_nomem(err);
	}
	e->overall.median_rank = median_first(e, NULL, room);
	for (size_t c = 0; c < e->n_classes; c++) e->klass[c].measures.median_rank = median_first(e, &c, room);
	mem_free(room);
	for (size_t i = 0; i < e->n; i++) {
		const struct doc *doc = &e->doc[i];
		akin_eval_query *query = &e->query[e->n_queries];
		char **own = &e->path[2 * e->n_queries];

		if (!doc->measured) {
			e->skipped++;
			continue;
		}
		add_to(&e->overall, doc, e->n_k);
		add_reliability(&e->overall, doc);
		if (e->n_classes) add_to(&e->klass[doc->klass].measures, doc, e->n_k);
		e->n_queries++;
		if (!(own[0] = mem_strdup(paths[doc->row])) || !(own[1] = mem_strdup(words[doc->row]))) return error_nomem(err);
		*query = (akin_eval_query){ .path = own[0], .klass = own[1], .id = doc->id, .average_precision = doc->ap,
			                    .n_top = doc->n_top };
		memcpy(query->top, doc->top, sizeof query->top);
		memcpy(query->top_relevant, doc->top_relevant, sizeof query->top_relevant);
	}
	divide(&e->overall, e->n_k);
	divide_reliability(&e->overall);
	for (size_t c = 0; c < e->n_classes; c++) divide(&e->klass[c].measures, e->n_k);
	if (e->n_queries) qsort(e->query, e->n_queries, sizeof *e->query, worst_first);
	if (e->n_classes) qsort(e->klass, e->n_classes, sizeof *e->klass, by_class_name);
	return AKIN_OK;
}

static akin_status take_cutoffs(akin_eval *e, const akin_eval_params *params, akin_error *err)
{
	static const size_t usual[] = { 1, 5, 10, 100 };

	for (size_t i = 0; i < AKIN_EVAL_MAX_K && params->k[i]; i++) {
		if (i && params->k[i] <= params->k[i - 1])
			return error_set(err, AKIN_ERR_INVALID, "cut-offs must ascend: %zu after %zu", params->k[i], params->k[i - 1]);
		e->k[e->n_k++] = params->k[i];
	}
	for (size_t i = 0; !params->k[0] && i < COUNT(usual); i++) e->k[e->n_k++] = usual[i];
	return AKIN_OK;
}

akin_status eval_create(akin_eval **out, akin_library *lib, const akin_eval_params *params, akin_error *err)
{
	static const akin_eval_params defaults;
	akin_eval *e = mem_zalloc(sizeof *e);
	akin_status st;

	*out = NULL;
	if (!e) return error_nomem(err);
	e->lib = lib;
	e->params = params ? params : &defaults;
	pthread_mutex_init(&e->lock, NULL);
	st = take_cutoffs(e, e->params, err);
	if (st == AKIN_OK) *out = e;
	else akin_eval_free(e);
	return st;
}

akin_status akin_eval_run(akin_eval **out, akin_library *lib, const char *const *paths, const char *const *classes,
                          size_t n, const akin_eval_params *params, akin_error *err)
{
	double start = clock_seconds();
	akin_eval *e;
	akin_status st;

	*out = NULL;
	error_clear(err);
	if ((st = eval_create(&e, lib, params, err)) != AKIN_OK) return st;
	if ((st = vectors_refresh(lib, &lib->vectors, err)) != AKIN_OK) goto out;
	pthread_rwlock_rdlock(&lib->lock);
	st = collect_docs(e, paths, classes, n, err);
	if (st == AKIN_OK) pool_for(e->n, lib->threads, evaluate_one, e);
	pthread_rwlock_unlock(&lib->lock);
	if (st == AKIN_OK && (st = e->st) != AKIN_OK && err) *err = e->err;
	if (st == AKIN_OK) st = eval_summarise(e, paths, classes, err);
	e->seconds = clock_seconds() - start;
out:
	if (st == AKIN_OK) *out = e;
	else akin_eval_free(e);
	return st;
}

const akin_measures *akin_eval_overall(const akin_eval *eval)
{
	return &eval->overall;
}

size_t akin_eval_n_k(const akin_eval *eval)
{
	return eval->n_k;
}

const size_t *akin_eval_k(const akin_eval *eval)
{
	return eval->k;
}

size_t akin_eval_n_classes(const akin_eval *eval)
{
	return eval->n_classes;
}

const char *akin_eval_class(const akin_eval *eval, size_t c, const akin_measures **measures)
{
	if (c >= eval->n_classes) return NULL;
	if (measures) *measures = &eval->klass[c].measures;
	return eval->klass[c].name;
}

uint64_t akin_eval_unknown(const akin_eval *eval)
{
	return eval->unknown;
}

uint64_t akin_eval_skipped(const akin_eval *eval)
{
	return eval->skipped;
}

double akin_eval_seconds(const akin_eval *eval)
{
	return eval->seconds;
}

size_t akin_eval_n_queries(const akin_eval *eval)
{
	return eval->n_queries;
}

const akin_eval_query *akin_eval_query_at(const akin_eval *eval, size_t i)
{
	return i < eval->n_queries ? &eval->query[i] : NULL;
}

void akin_eval_free(akin_eval *eval)
{
	if (!eval) return;
	for (size_t i = 0; i < 2 * eval->n_queries; i++) mem_free(eval->path[i]);
	for (size_t i = 0; i < eval->n_classes; i++) mem_free(eval->klass_name[i]);
	mem_free(eval->path);
	mem_free(eval->query);
	mem_free(eval->klass);
	mem_free(eval->klass_name);
	mem_free(eval->doc);
	pthread_mutex_destroy(&eval->lock);
	mem_free(eval);
}
