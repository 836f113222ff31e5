/* engine/vector_tune.c - how much effort a recall takes, and which kind reaches it fastest: measured, never guessed.
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <float.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "engine/vector_index.h"

enum { CHOOSE_ROWS = 10000, CHOOSE_QUERIES = 200, CHOOSE_K = 10 };
static const double choose_recall = 0.95;

/* ---- recall ---- */

/* A found neighbour counts when it is no farther than the last wanted one: which of several equally distant rows is
 * returned is chance. */
static size_t count_found(const struct hit *found, size_t n_found, const struct hit *wanted, size_t n_wanted)
{
	size_t n = 0;

	if (!n_wanted) return 0;
	while (n < n_found && n < n_wanted && found[n].distance <= wanted[n_wanted - 1].distance) n++;
	return n;
}

double akin_index_recall(const akin_neighbour *found, const size_t *n_found, const akin_neighbour *wanted,
                         const size_t *n_wanted, size_t n_queries, size_t k)
{
	size_t right = 0, all = 0;

	for (size_t q = 0; q < n_queries; q++) {
		const akin_neighbour *f = found + q * k, *w = wanted + q * k;
		size_t n = 0;

		all += n_wanted[q];
		while (n_wanted[q] && n < n_found[q] && n < n_wanted[q] && f[n].distance <= w[n_wanted[q] - 1].distance)
			n++;
		right += n;
	}
	return all ? (double)right / (double)all : 1;
}

akin_status tune_begin(struct tune *t, akin_error *err)
{
	const struct index_ask ask = { .k = t->k, .threads = t->threads, .exact = true };
	size_t room;

	t->wanted = t->found = NULL;
	t->n_wanted = t->n_found = NULL;
	if (__builtin_mul_overflow(t->n, t->k, &room)) return error_nomem(err);
	t->wanted = mem_calloc(room, sizeof *t->wanted);
	t->found = mem_calloc(room, sizeof *t->found);
	t->n_wanted = mem_calloc(t->n, sizeof *t->n_wanted);
	t->n_found = mem_calloc(t->n, sizeof *t->n_found);
	if (!t->wanted || !t->found || !t->n_wanted || !t->n_found) return error_nomem(err);
	return index_search_many(t->index, t->queries, t->n, &ask, t->wanted, t->n_wanted, err);
}

void tune_end(struct tune *t)
{
	mem_free(t->wanted);
	mem_free(t->found);
	mem_free(t->n_wanted);
	mem_free(t->n_found);
}

akin_status tune_recall(struct tune *t, size_t effort, double *recall, akin_error *err)
{
	const struct index_ask ask = { .k = t->k, .threads = t->threads, .effort = effort };
	akin_status st = index_search_many(t->index, t->queries, t->n, &ask, t->found, t->n_found, err);
	size_t right = 0, all = 0;

	*recall = 0;
	if (st != AKIN_OK) return st;
	for (size_t q = 0; q < t->n; q++) {
		right += count_found(t->found + q * t->k, t->n_found[q], t->wanted + q * t->k, t->n_wanted[q]);
		all += t->n_wanted[q];
	}
	*recall = all ? (double)right / (double)all : 1;
	return AKIN_OK;
}

/* Doubling until it is enough, then halving the gap; recall grows with effort, or nearly so. */
akin_status tune_search(struct tune *t, double wanted, size_t *effort, double *reached, akin_error *err)
{
	struct index_stats stats;
	size_t low = 0, high = 1;
	double recall = 0;
	akin_status st;

	index_get_stats(t->index, &stats);
	for (;; high *= 2) {
		if ((st = tune_recall(t, high, &recall, err)) != AKIN_OK) return st;
		*effort = high;
		*reached = recall;
		if (recall >= wanted || high >= stats.count) break;
		low = high;
	}
	if (recall < wanted) return AKIN_OK;
	while (high - low > 1 + low / 32) {
		const size_t middle = low + (high - low) / 2;

		if ((st = tune_recall(t, middle, &recall, err)) != AKIN_OK) return st;
		if (recall < wanted) {
			low = middle;
			continue;
		}
		high = *effort = middle;
		*reached = recall;
	}
	return AKIN_OK;
}

static bool is_exact(enum index_kind kind)
{
	return kind == INDEX_FLAT || kind == INDEX_BINARY;
}

akin_status akin_index_tune(akin_index *index, const void *queries, size_t n_queries, size_t k, double recall,
                            unsigned threads, size_t *effort, double *reached, akin_error *err)
{
	struct tune tune = { .index = index->index, .queries = queries, .n = n_queries, .k = k, .threads = threads };
	size_t found = 0;
	double got = 1;
	akin_status st = AKIN_OK;

	if (effort) *effort = 0;
	if (reached) *reached = 0;
	error_clear(err);
	if (!(recall >= 0 && recall <= 1))
		return error_set(err, AKIN_ERR_INVALID, "a recall of %g is outside 0 to 1", recall);
	if (!n_queries) return error_set(err, AKIN_ERR_INVALID, "tuning needs queries");
	if (!is_exact(index->params.kind)) {
		if ((st = tune_begin(&tune, err)) == AKIN_OK) st = tune_search(&tune, recall, &found, &got, err);
		tune_end(&tune);
	}
	if (st != AKIN_OK) return error_note(err, st, "tuning an index");
	index->effort = found;
	if (effort) *effort = found;
	if (reached) *reached = got;
	if (got >= recall) return AKIN_OK;
	return error_set(err, AKIN_ERR_LIMIT, "the recall is %.4f at the greatest effort, %zu, not %g", got, found,
			 recall);
}

/* ---- AUTO ---- */

struct sample {
	uint8_t *rows, *queries;
	int64_t *ids;
	size_t n, n_queries;
};

/* Rows at equal steps; the queries are rows that are not among them, where there are enough. */
static akin_status draw(struct sample *s, const uint8_t *rows, size_t n, size_t row_bytes, akin_error *err)
{
	const size_t step = n > CHOOSE_ROWS + CHOOSE_QUERIES ? n / (CHOOSE_ROWS + CHOOSE_QUERIES) : 1;
	const size_t drawn = n / step < CHOOSE_ROWS + CHOOSE_QUERIES ? n / step : CHOOSE_ROWS + CHOOSE_QUERIES;
	const size_t every = drawn / CHOOSE_QUERIES > 1 ? drawn / CHOOSE_QUERIES : 2;

	*s = (struct sample){ 0 };
	s->rows = mem_calloc(drawn, row_bytes);
	s->queries = mem_calloc(CHOOSE_QUERIES, row_bytes);
	s->ids = mem_calloc(drawn, sizeof *s->ids);
	if (!s->rows || !s->queries || !s->ids) return error_nomem(err);
	for (size_t i = 0; i < drawn; i++) {
		const bool asks = i % every == every - 1 && s->n_queries < CHOOSE_QUERIES;
		uint8_t *to = asks ? s->queries + s->n_queries++ * row_bytes : s->rows + s->n * row_bytes;

		memcpy(to, rows + i * step * row_bytes, row_bytes);
		if (!asks) s->ids[s->n] = (int64_t)s->n;
		s->n += !asks;
	}
	return AKIN_OK;
}

static void sample_deinit(struct sample *s)
{
	mem_free(s->rows);
	mem_free(s->queries);
	mem_free(s->ids);
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds of all queries one by one, at the effort that reaches the recall; infinite when none does. */
static akin_status time_index(struct index *index, const struct sample *s, size_t row_bytes, unsigned threads,
                              double *seconds, akin_error *err)
{
	struct tune tune = {
		.index = index, .queries = s->queries, .n = s->n_queries, .k = CHOOSE_K, .threads = threads
	};
	struct index_ask ask = { .k = CHOOSE_K };
	double recall = 0, start;
	akin_status st;
	size_t n_hits;

	*seconds = DBL_MAX;
	if ((st = tune_begin(&tune, err)) == AKIN_OK) st = tune_search(&tune, choose_recall, &ask.effort, &recall, err);
	start = cpu_seconds();
	for (size_t i = 0; st == AKIN_OK && i < s->n_queries; i++)
		st = index_search(index, s->queries + i * row_bytes, &ask, tune.found, &n_hits, err);
	if (st == AKIN_OK && recall >= choose_recall) *seconds = cpu_seconds() - start;
	tune_end(&tune);
	return st;
}

static akin_status time_kind(const struct index_params *params, const struct sample *s, size_t row_bytes,
			     unsigned threads, double *seconds, akin_error *err)
{
	struct index *index;
	akin_status st;

	*seconds = DBL_MAX;
	if ((st = index_create(&index, params, err)) != AKIN_OK) return st;
	st = index_train(index, s->rows, s->n, threads, err);
	if (st == AKIN_OK) st = index_add_many(index, s->ids, s->rows, s->n, threads, err);
	if (st == AKIN_OK) st = time_index(index, s, row_bytes, threads, seconds, err);
	index_destroy(index);
	return st;
}

akin_status vector_choose(const struct index_params *params, const void *rows, size_t n, unsigned threads,
                          enum index_kind *kind, akin_error *err)
{
	static const enum index_kind kinds[] = { INDEX_GRAPH, INDEX_IVF, INDEX_BINARY };
	const size_t row_bytes =
	    element_row_bytes(params->element == ELEMENT_F16 ? ELEMENT_F32 : params->element, params->dim);
	struct index_params tried = *params;
	double best = DBL_MAX, seconds;
	struct sample sample;
	akin_status st;

	*kind = INDEX_FLAT;
	if ((st = draw(&sample, rows, n, row_bytes, err)) != AKIN_OK) goto out;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		tried.kind = kinds[i];
		st = time_kind(&tried, &sample, row_bytes, threads, &seconds, err);
		/* A kind that this metric or element does not have. */
		if (st == AKIN_ERR_INVALID || st == AKIN_ERR_UNSUPPORTED) st = AKIN_OK;
		if (st != AKIN_OK) goto out;
		if (seconds < best) *kind = tried.kind;
		if (seconds < best) best = seconds;
	}
	error_clear(err);
out:
	sample_deinit(&sample);
	return st;
}
