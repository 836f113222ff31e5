/* engine/eval.c - akin_eval_run: every labelled picture as a query against the others.
 *
 * Each query ranks all labelled pictures exactly (the index is asked for as many as there are, with a filter), the query
 * itself is taken out, and search/measure.c does the arithmetic. A content that several rows name counts once, with the
 * class of its first row.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "akin/eval.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/pool.h"
#include "engine/engine.h"
#include "search/measure.h"
#include "vecfile/csv.h"

/* ---- labels ---- */

struct akin_labels {
	char **path, **klass;
	size_t n;
};

void akin_labels_free(akin_labels *labels)
{
	if (!labels) return;
	for (size_t i = 0; i < labels->n; i++) {
		mem_free(labels->path[i]);
		mem_free(labels->klass[i]);
	}
	mem_free(labels->path);
	mem_free(labels->klass);
	mem_free(labels);
}

size_t akin_labels_count(const akin_labels *labels)
{
	return labels->n;
}

const char *const *akin_labels_paths(const akin_labels *labels)
{
	return (const char *const *)labels->path;
}

const char *const *akin_labels_classes(const akin_labels *labels)
{
	return (const char *const *)labels->klass;
}

static akin_status need_column(const struct csv *csv, const char *name, size_t *column, akin_error *err)
{
	struct buf there = BUF_EMPTY;

	if ((*column = csv_column(csv, name)) < csv->cols) return AKIN_OK;
	for (size_t i = 0; i < csv->cols; i++) buf_printf(&there, "%s%s", i ? ", " : "", csv_cell(csv, 0, i));
	error_set(err, AKIN_ERR_FORMAT, "it has no column \"%s\"; it has: %s", name, there.data ? there.data : "none");
	buf_deinit(&there);
	return AKIN_ERR_FORMAT;
}

static akin_status add_row(akin_labels *labels, const struct csv *csv, size_t row, size_t path_column,
                           const size_t *columns, size_t n_columns, const char *dir, akin_error *err)
{
	const char *path = csv_cell(csv, row, path_column);
	struct buf klass = BUF_EMPTY;

	for (size_t i = 0; i < n_columns; i++) {
		const char *part = csv_cell(csv, row, columns[i]);
		if (*part) buf_printf(&klass, "%s%s", klass.len ? " / " : "", part);
	}
	if (!klass.len && !klass.failed) return AKIN_OK; /* no class: not part of the test */
	labels->path[labels->n] = path[0] == '/' ? mem_strdup(path) : fs_join(dir, path);
	labels->klass[labels->n] = buf_take(&klass);
	labels->n++;
	return labels->path[labels->n - 1] && labels->klass[labels->n - 1] ? AKIN_OK : error_nomem(err);
}

akin_status akin_labels_read(akin_labels **out, const char *csv_path, const char *const *columns, size_t n_columns,
                             akin_error *err)
{
	static const char *const usual[] = { "label" };
	akin_labels *labels = mem_zalloc(sizeof *labels);
	size_t path_column, column[16], n = n_columns ? n_columns : 1;
	struct csv csv = { 0 };
	char *dir = fs_dirname(csv_path);
	akin_status st = AKIN_OK;

	*out = NULL;
	error_clear(err);
	if (!n_columns) columns = usual;
	if (!labels || !dir) st = error_nomem(err);
	else if (n > COUNT(column)) st = error_set(err, AKIN_ERR_INVALID, "at most %zu label columns", COUNT(column));
	if (st == AKIN_OK) st = csv_read(&csv, csv_path, err);
	if (st == AKIN_OK) st = error_note(err, need_column(&csv, "path", &path_column, err), "%s", csv_path);
	for (size_t i = 0; i < n && st == AKIN_OK; i++)
		st = error_note(err, need_column(&csv, columns[i], &column[i], err), "%s", csv_path);
	if (st == AKIN_OK) {
		labels->path = mem_calloc(csv.rows, sizeof *labels->path);
		labels->klass = mem_calloc(csv.rows, sizeof *labels->klass);
		if (!labels->path || !labels->klass) st = error_nomem(err);
	}
	for (size_t row = 1; row < csv.rows && st == AKIN_OK; row++)
		st = add_row(labels, &csv, row, path_column, column, n, dir, err);
	if (st == AKIN_OK && !labels->n)
		st = error_set(err, AKIN_ERR_FORMAT, "%s holds no labelled picture", csv_path);
	if (st == AKIN_OK) *out = labels;
	else akin_labels_free(labels);
	csv_deinit(&csv);
	mem_free(dir);
	return st;
}

/* ---- evaluating ---- */

struct klass {
	const char *name;
	size_t members;
	akin_measures measures;
};

/* A labelled picture. */
struct doc {
	akin_id id;
	size_t row;   /* of the caller's lists */
	size_t klass;
	double ap, r_precision, ndcg, precision[AKIN_EVAL_MAX_K], recall[AKIN_EVAL_MAX_K], ndcg_at[AKIN_EVAL_MAX_K];
	size_t n_top;
	akin_id top[10];
	int top_relevant[10];
	bool measured;
};

struct akin_eval {
	size_t k[AKIN_EVAL_MAX_K], n_k;
	struct doc *doc; /* ascending by id */
	size_t n;
	struct klass *klass;
	char **klass_name;
	size_t n_classes, klass_capacity, name_capacity;
	akin_eval_query *query; /* worst first */
	char **path;
	size_t n_queries;
	akin_measures overall;
	uint64_t unknown, skipped;
	double seconds;

	/* while it runs */
	akin_library *lib;
	const akin_eval_params *params;
	atomic_size_t done;
	atomic_bool stop;
	pthread_mutex_t lock; /* of the progress callback and the error */
	akin_status st;
	akin_error err;
};

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

static void measure_doc(const akin_eval *e, struct doc *doc, const struct hit *hits, size_t n, bool *relevant)
{
	size_t n_relevant = e->klass[doc->klass].members - 1, ranked = 0;

	for (size_t i = 0; i < n; i++) {
		const struct doc *other = hits[i].id == doc->id ? NULL : find_doc(e, hits[i].id);

		if (!other) continue;
		if (ranked < COUNT(doc->top)) {
			doc->top[ranked] = other->id;
			doc->top_relevant[ranked] = other->klass == doc->klass;
			doc->n_top = ranked + 1;
		}
		relevant[ranked++] = other->klass == doc->klass;
	}
	doc->ap = measure_average_precision(relevant, ranked, n_relevant);
	doc->r_precision = measure_r_precision(relevant, ranked, n_relevant);
	doc->ndcg = measure_ndcg(relevant, ranked, n_relevant, 0);
	for (size_t i = 0; i < e->n_k; i++) {
		doc->precision[i] = measure_precision(relevant, ranked, e->k[i]);
		doc->recall[i] = measure_recall(relevant, ranked, n_relevant, e->k[i]);
		doc->ndcg_at[i] = measure_ndcg(relevant, ranked, n_relevant, e->k[i]);
	}
	doc->measured = true;
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

static void evaluate_one(void *ctx, size_t i)
{
	akin_eval *e = ctx;
	akin_error err;
	akin_status st;

	if (atomic_load(&e->stop) || e->klass[e->doc[i].klass].members < 2) return;
	st = rank_doc(e, &e->doc[i], &err);
	pthread_mutex_lock(&e->lock);
	atomic_fetch_add(&e->done, 1);
	if (st != AKIN_OK && e->st == AKIN_OK) {
		e->st = st;
		e->err = err;
		atomic_store(&e->stop, true);
	} else if (e->params->on_progress && !atomic_load(&e->stop) &&
	           e->params->on_progress(e->params->user, atomic_load(&e->done), e->n)) {
		e->st = error_set(&e->err, AKIN_ERR_CANCELLED, "stopped");
		atomic_store(&e->stop, true);
	}
	pthread_mutex_unlock(&e->lock);
}

static void add_to(akin_measures *m, const struct doc *doc, size_t n_k)
{
	m->queries++;
	m->map += doc->ap;
	m->r_precision += doc->r_precision;
	m->ndcg += doc->ndcg;
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
	for (size_t i = 0; i < n_k; i++) {
		m->precision[i] /= q;
		m->recall[i] /= q;
		m->ndcg_at[i] /= q;
	}
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

static akin_status summarise(akin_eval *e, const char *const *paths, akin_error *err)
{
	e->query = mem_calloc(e->n, sizeof *e->query);
	e->path = mem_calloc(e->n, sizeof *e->path);
	if (!e->query || !e->path) return error_nomem(err);
	for (size_t i = 0; i < e->n; i++) {
		const struct doc *doc = &e->doc[i];
		akin_eval_query *query = &e->query[e->n_queries];

		if (!doc->measured) {
			e->skipped++;
			continue;
		}
		add_to(&e->overall, doc, e->n_k);
		add_to(&e->klass[doc->klass].measures, doc, e->n_k);
		if (!(e->path[e->n_queries] = mem_strdup(paths[doc->row]))) return error_nomem(err);
		*query = (akin_eval_query){ .path = e->path[e->n_queries], .klass = e->klass[doc->klass].name, .id = doc->id,
			                    .average_precision = doc->ap, .n_top = doc->n_top };
		memcpy(query->top, doc->top, sizeof query->top);
		memcpy(query->top_relevant, doc->top_relevant, sizeof query->top_relevant);
		e->n_queries++;
	}
	divide(&e->overall, e->n_k);
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

akin_status akin_eval_run(akin_eval **out, akin_library *lib, const char *const *paths, const char *const *classes,
                          size_t n, const akin_eval_params *params, akin_error *err)
{
	static const akin_eval_params defaults;
	akin_eval *e = mem_zalloc(sizeof *e);
	double start = clock_seconds();
	akin_status st;

	*out = NULL;
	error_clear(err);
	if (!e) return error_nomem(err);
	e->lib = lib;
	e->params = params ? params : &defaults;
	pthread_mutex_init(&e->lock, NULL);
	if ((st = take_cutoffs(e, e->params, err)) != AKIN_OK) goto out;
	if ((st = vectors_refresh(lib, err)) != AKIN_OK) goto out;
	pthread_rwlock_rdlock(&lib->lock);
	st = collect_docs(e, paths, classes, n, err);
	if (st == AKIN_OK) pool_for(e->n, lib->threads, evaluate_one, e);
	pthread_rwlock_unlock(&lib->lock);
	if (st == AKIN_OK && (st = e->st) != AKIN_OK && err) *err = e->err;
	if (st == AKIN_OK) st = summarise(e, paths, err);
	e->seconds = clock_seconds() - start;
out:
	pthread_mutex_destroy(&e->lock);
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
	for (size_t i = 0; i < eval->n_queries; i++) mem_free(eval->path[i]);
	for (size_t i = 0; i < eval->n_classes; i++) mem_free(eval->klass_name[i]);
	mem_free(eval->path);
	mem_free(eval->query);
	mem_free(eval->klass);
	mem_free(eval->klass_name);
	mem_free(eval->doc);
	mem_free(eval);
}
