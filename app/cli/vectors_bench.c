/* cli/vectors_bench.c - akin vectors bench: what recall costs, one query at a time on one thread and as a batch.
 *
 * Times are the thread's own CPU time, so that a busy machine does not change them much; speeds of several threads
 * would need the wall clock, and are not measured here. SPDX-License-Identifier: Apache-2.0 */
#include "cli/vectors.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/json.h"
#include "common/text.h"

enum { BENCH_QUERIES = 10000, EXACT_QUERIES = 100, MOST_POINTS = 64 };
static const double enough = 0.9995; /* the sweep ends here */

/* Everything that a sweep needs. */
struct bench {
	struct cli *cli;
	const struct vectors_values *values;
	akin_index *index;
	akin_index_stats stats;
	struct row_block queries;
	size_t k;
	akin_neighbour *wanted, *found;
	size_t *n_wanted, *n_found;
	int64_t *truth;     /* n x truth_k ids that a file gave; NULL: `wanted` was computed */
	size_t truth_k;
	double build_seconds;
	double *latency;
	struct bench_point points[MOST_POINTS];
	size_t n_points;
};

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- truth ---- */

static akin_status take_truth(struct bench *b, akin_error *err)
{
	const char *path = b->values->truth;
	akin_vectors_info info;
	akin_vectors *file;
	akin_status st;

	if ((st = akin_vectors_open(&file, path, AKIN_VECTORS_TRUTH, err)) != AKIN_OK) return st;
	akin_vectors_get_info(file, &info);
	if (info.count < b->queries.n || info.dim < b->k) {
		err->status = st = AKIN_ERR_INVALID;
		snprintf(err->text, sizeof err->text, "%s: %zu rows of %zu neighbours, wanted are %zu of %zu", path,
			 info.count, info.dim, b->queries.n, b->k);
	} else {
		b->truth_k = info.dim;
		b->truth = must_zalloc(b->queries.n * info.dim * sizeof *b->truth);
		st = akin_vectors_read_integers(file, 0, b->queries.n, b->truth, err);
	}
	akin_vectors_close(file);
	return st;
}

static akin_status find_truth(struct bench *b, akin_error *err)
{
	const akin_index_ask ask = { .k = b->k, .exact = 1, .threads = (unsigned)b->cli->globals.threads };

	if (b->values->truth) return take_truth(b, err);
	return akin_index_search_many(b->index, b->queries.rows, b->queries.n, &ask, b->wanted, b->n_wanted, err);
}

/* By ids where a file has given them: of equally distant ones it names some. */
static double recall_of(const struct bench *b)
{
	size_t right = 0;

	if (!b->truth) return akin_index_recall(b->found, b->n_found, b->wanted, b->n_wanted, b->queries.n, b->k);
	for (size_t q = 0; q < b->queries.n; q++) {
		const int64_t *truth = b->truth + q * b->truth_k;

		for (size_t i = 0; i < b->n_found[q]; i++) {
			size_t t = 0;

			while (t < b->k && truth[t] != b->found[q * b->k + i].id) t++;
			right += t < b->k;
		}
	}
	return (double)right / (double)(b->queries.n * b->k);
}

/* ---- one effort ---- */

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static akin_status measure(struct bench *b, const akin_index_ask *ask, size_t n, struct bench_point *point,
			   akin_error *err)
{
	double total = 0, start;
	akin_status st = AKIN_OK;

	for (size_t q = 0; q < n && st == AKIN_OK; q++) {
		const char *query = (const char *)b->queries.rows + q * b->stats.vector_bytes;

		start = cpu_seconds();
		st = akin_index_search(b->index, query, ask, b->found + q * b->k, &b->n_found[q], err);
		total += b->latency[q] = cpu_seconds() - start;
	}
	if (st != AKIN_OK) return st;
	qsort(b->latency, n, sizeof *b->latency, by_size);
	*point = (struct bench_point){ .effort = ask->effort,
				       .qps = (double)n / total,
				       .mean_us = 1e6 * total / (double)n,
				       .p50_us = 1e6 * b->latency[n / 2],
				       .p99_us = 1e6 * b->latency[n * 99 / 100] };
	start = cpu_seconds();
	st = akin_index_search_many(b->index, b->queries.rows, b->queries.n, ask, b->found, b->n_found, err);
	point->batch_qps = (double)b->queries.n / (cpu_seconds() - start);
	point->recall = recall_of(b);
	return st;
}

/* ---- output ---- */

static void put_head(const struct bench *b)
{
	char count[TEXT_NUMBER], n[TEXT_NUMBER];
	const akin_index_stats *s = &b->stats;
	char k[32];

	printf("%s vectors of %zu dimensions, %s, %s, %s; %.0f bytes a vector; %s %.3f s; %s queries, one thread\n\n",
	       text_number(s->count, count), s->dim, akin_index_kind_name(s->kind), akin_metric_name(s->metric),
	       akin_element_name(s->element), s->count ? (double)s->bytes / (double)s->count : 0.0,
	       s->mapped ? "opened in" : "built in", b->build_seconds, text_number(b->queries.n, n));
	snprintf(k, sizeof k, "recall@%zu", b->k);
	printf("%8s  %10s  %9s  %9s  %9s  %9s  %9s\n", "effort", k, "QPS", "batch QPS", "mean us", "p50 us", "p99 us");
}

static void put_point(const struct bench *b, const struct bench_point *p, bool exact)
{
	char effort[TEXT_NUMBER];

	if (b->values->json) {
		json_t *object = json_object();

		json_set_text(object, "kind", exact ? "exact" : akin_index_kind_name(b->stats.kind));
		json_set_count(object, "k", b->k);
		json_set_count(object, "effort", p->effort);
		json_set_real(object, "recall", p->recall);
		json_set_real(object, "qps", p->qps);
		json_set_real(object, "batch_qps", p->batch_qps);
		json_set_real(object, "mean_us", p->mean_us);
		json_set_real(object, "p50_us", p->p50_us);
		json_set_real(object, "p99_us", p->p99_us);
		json_set_real(object, b->stats.mapped ? "open_seconds" : "build_seconds", b->build_seconds);
		json_set_real(object, "bytes_per_vector",
			      b->stats.count ? (double)b->stats.bytes / (double)b->stats.count : 0.0);
		json_put_line(stdout, object);
		return;
	}
	printf("%8s  %10.4f  %9.0f  %9.0f  %9.1f  %9.1f  %9.1f\n", exact ? "exact" : text_number(p->effort, effort),
	       p->recall, p->qps, p->batch_qps, p->mean_us, p->p50_us, p->p99_us);
	fflush(stdout);
}

/* ---- the sweep ---- */

/* Efforts grow by a half until nothing is gained: the recall is there, or exact answers are as fast. */
static akin_status sweep(struct bench *b, double exact_qps, akin_error *err)
{
	for (size_t effort = 1; effort <= b->stats.count && b->n_points < MOST_POINTS;
	     effort += effort / 2 + (effort == 1)) {
		const akin_index_ask ask = { .k = b->k, .effort = effort, .threads = 1 };
		struct bench_point *point = &b->points[b->n_points];
		const struct bench_point *last = b->n_points ? point - 1 : NULL;
		akin_status st = measure(b, &ask, b->queries.n, point, err);

		if (st != AKIN_OK) return st;
		/* Efforts below what the kind uses anyway. */
		if (last && point->recall <= last->recall && point->qps > 0.95 * last->qps) continue;
		put_point(b, point, false);
		b->n_points++;
		if (point->recall >= enough || point->qps < exact_qps / 2) break;
	}
	return AKIN_OK;
}

static akin_status run_bench(struct bench *b, akin_error *err)
{
	const akin_index_ask exact = { .k = b->k, .exact = 1, .threads = 1 };
	const size_t n = b->queries.n < EXACT_QUERIES ? b->queries.n : EXACT_QUERIES;
	struct bench_point point;
	akin_status st;

	if ((st = find_truth(b, err)) != AKIN_OK) return st;
	if (!b->values->json) put_head(b);
	if ((st = measure(b, &exact, n, &point, err)) != AKIN_OK) return st;
	put_point(b, &point, true);
	if (b->stats.kind > AKIN_INDEX_FLAT) st = sweep(b, point.qps, err);
	else b->points[b->n_points++] = point;
	return st;
}

int vectors_bench(struct cli *cli, const struct parsed *parsed)
{
	const struct vectors_values *v = parsed->values;
	struct bench b = { .cli = cli, .values = v, .k = (size_t)v->k };
	const size_t limit = v->limit ? (size_t)v->limit : BENCH_QUERIES;
	akin_error err;
	char *title = NULL, count[TEXT_NUMBER];
	int code = EXIT_FAILED;
	size_t n;

	if (parsed->n_args != 3)
		return cli_misuse(parsed, "bench wants an index or a file of vectors, and a file of queries");
	if (vectors_open_any(cli, parsed, parsed->args[1], &b.index, &b.build_seconds, &err) != AKIN_OK) goto fail;
	if (vectors_load_queries(parsed->args[2], b.index, limit, &b.queries, &err) != AKIN_OK) goto fail;
	akin_index_get_stats(b.index, &b.stats);
	n = b.queries.n;
	b.wanted = must_zalloc(n * b.k * sizeof *b.wanted);
	b.found = must_zalloc(n * b.k * sizeof *b.found);
	b.n_wanted = must_zalloc(n * sizeof *b.n_wanted);
	b.n_found = must_zalloc(n * sizeof *b.n_found);
	b.latency = must_zalloc(n * sizeof *b.latency);
	if (run_bench(&b, &err) != AKIN_OK) goto fail;
	title = must_printf("%s vectors of %zu dimensions, %s, %s", text_number(b.stats.count, count), b.stats.dim,
	                    akin_metric_name(b.stats.metric), akin_index_kind_name(b.stats.kind));
	if (!v->svg || vectors_svg_write(v->svg, title, b.k, b.points, b.n_points)) code = EXIT_DONE;
	goto out;
fail:
	cli_fail(&err);
out:
	free(title);
	free(b.wanted);
	free(b.found);
	free(b.n_wanted);
	free(b.n_found);
	free(b.latency);
	free(b.truth);
	row_block_deinit(&b.queries);
	akin_index_destroy(b.index);
	return code;
}
