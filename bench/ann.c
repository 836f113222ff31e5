/* bench/ann.c - recall against speed of one kind of index, one thread, queries one at a time.
 *
 * bench_ann BASE.npy QUERY.npy [NAME=VALUE ...]
 *   kind=graph|flat  metric=l2|ip|cosine  element=f32|f16|i8|u8  links=N  build_effort=N  threads=N (of the build)
 *   k=10  efforts=10,16,24,...  rounds=3  save=FILE (then measured from a mapping of it)
 *   one_of=N (only ids that N divides may be found)
 * The truth is computed by the flat kind. A hit counts when it is no farther than the k-th of the truth, so that ties
 * are not punished. Times are CPU times of this thread; each effort takes the best round.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "index/index.h"
#include "vecfile/npy.h"

enum { MOST_EFFORTS = 32 };

struct options {
	const char *files[3];
	size_t n_files;
	struct index_params params;
	unsigned threads;
	size_t k, rounds, efforts[MOST_EFFORTS], n_efforts;
	const char *save;
	int64_t one_of; /* 0: all may be found */
};

struct set {
	uint8_t *rows;
	size_t n, dim, bytes; /* of a row */
};

static void stop(const char *text)
{
	fprintf(stderr, "bench_ann: %s\n", text);
	exit(1);
}

static void stop_on(akin_status st, const akin_error *err)
{
	if (st != AKIN_OK) stop(err->text);
}

static double cpu_seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- options ---- */

static int choice(const char *value, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(value, names[i])) return (int)i + 1;
	stop("an option has an unknown value");
	return 0;
}

static size_t number(const char *value)
{
	int64_t n;

	if (!str_to_i64(value, 0, INT32_MAX, &n)) stop("an option is no number");
	return (size_t)n;
}

static void read_efforts(struct options *o, const char *list)
{
	char *end;

	for (o->n_efforts = 0; *list && o->n_efforts < MOST_EFFORTS; list = *end ? end + 1 : end)
		o->efforts[o->n_efforts++] = strtoul(list, &end, 10);
}

static void set_option(struct options *o, const char *name, const char *value)
{
	static const char *const kinds[] = { "flat", "graph" }, *const metrics[] = { "l2", "ip", "cosine", "hamming" },
				 *const elements[] = { "f32", "f16", "i8", "u8", "bits" };

	if (str_starts(name, "kind="))
		o->params.kind = (enum index_kind)choice(value, kinds, COUNT(kinds));
	else if (str_starts(name, "metric="))
		o->params.metric = (enum metric)choice(value, metrics, COUNT(metrics));
	else if (str_starts(name, "element="))
		o->params.element = (enum element)choice(value, elements, COUNT(elements));
	else if (str_starts(name, "links="))
		o->params.links = number(value);
	else if (str_starts(name, "build_effort="))
		o->params.build_effort = number(value);
	else if (str_starts(name, "threads="))
		o->threads = (unsigned)number(value);
	else if (str_starts(name, "k="))
		o->k = number(value);
	else if (str_starts(name, "rounds="))
		o->rounds = number(value);
	else if (str_starts(name, "efforts="))
		read_efforts(o, value);
	else if (str_starts(name, "one_of=")) o->one_of = (int64_t)number(value);
	else if (str_starts(name, "save="))
		o->save = value;
	else
		stop("unknown option");
}

/* ---- data ---- */

static void load_set(const char *path, enum element element, struct set *set)
{
	struct npy npy;
	akin_error err;
	float *row;

	stop_on(npy_open(&npy, path, &err), &err);
	*set = (struct set){ .n = npy.rows, .dim = npy.cols };
	if (element == ELEMENT_BITS) set->dim *= 8;
	set->bytes = element == ELEMENT_F16 ? 4 * set->dim : element_row_bytes(element, set->dim);
	set->rows = mem_aligned(set->n * set->bytes);
	row = mem_alloc(npy.cols * sizeof *row);
	if (!set->rows || !row) stop("out of memory");
	for (size_t i = 0; i < npy.rows; i++) {
		uint8_t *to = set->rows + i * set->bytes;

		npy_row_f32(&npy, i, row);
		if (element == ELEMENT_F32 || element == ELEMENT_F16)
			memcpy(to, row, set->bytes);
		else
			for (size_t d = 0; d < npy.cols; d++) to[d] = (uint8_t)(int)row[d];
	}
	mem_free(row);
	npy_close(&npy);
}

static struct index *build(const struct options *o, enum index_kind kind, const struct set *base)
{
	struct index_params params = o->params;
	int64_t *ids = mem_calloc(base->n, sizeof *ids);
	struct index *index;
	akin_error err;

	for (size_t i = 0; ids && i < base->n; i++) ids[i] = (int64_t)i;
	params.dim = base->dim;
	params.kind = kind;
	if (!ids) stop("out of memory");
	stop_on(index_create(&index, &params, &err), &err);
	stop_on(index_add_many(index, ids, base->rows, base->n, o->threads, &err), &err);
	mem_free(ids);
	return index;
}

static bool divisible(void *ctx, int64_t id)
{
	return id % *(const int64_t *)ctx == 0;
}

/* The distance of the k-th nearest of each query. */
static float *find_bounds(const struct options *o, const struct set *base, const struct set *query)
{
	struct index *flat = build(o, INDEX_FLAT, base);
	struct hit *hits = mem_calloc(query->n * o->k, sizeof *hits);
	size_t *n_hits = mem_calloc(query->n, sizeof *n_hits);
	float *bounds = mem_calloc(query->n, sizeof *bounds);
	int64_t divisor = o->one_of;
	const struct index_filter filter = { .allows = divisible, .ctx = &divisor };
	const struct index_ask ask = { .k = o->k, .filter = divisor ? &filter : NULL };
	akin_error err;

	if (!hits || !n_hits || !bounds) stop("out of memory");
	stop_on(index_search_many(flat, query->rows, query->n, &ask, hits, n_hits, &err), &err);
	for (size_t i = 0; i < query->n; i++) bounds[i] = hits[i * o->k + n_hits[i] - 1].distance;
	mem_free(n_hits);
	mem_free(hits);
	index_destroy(flat);
	return bounds;
}

/* ---- measuring ---- */

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static size_t count_good(const struct hit *hits, size_t n, float bound)
{
	size_t good = 0;

	for (size_t i = 0; i < n; i++) good += hits[i].distance <= bound * (bound > 0 ? 1.000001f : 0.999999f) + 1e-6f;
	return good;
}

static void measure(const struct options *o, const struct index *index, const struct set *query, const float *bounds,
		    size_t effort)
{
	int64_t divisor = o->one_of;
	const struct index_filter filter = { .allows = divisible, .ctx = &divisor };
	const struct index_ask ask = { .k = o->k, .effort = effort, .filter = divisor ? &filter : NULL };
	double *seconds = mem_calloc(query->n, sizeof *seconds), best = 1e30;
	struct hit *hits = mem_calloc(o->k, sizeof *hits);
	size_t good = 0, n_hits;
	akin_error err;

	if (!hits || !seconds) stop("out of memory");
	for (size_t round = 0; round < o->rounds; round++) {
		const double start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
		double took;

		for (size_t i = 0; i < query->n; i++) {
			const double before = clock_seconds();

			stop_on(index_search(index, query->rows + i * query->bytes, &ask, hits, &n_hits, &err), &err);
			seconds[i] = clock_seconds() - before;
			if (!round) good += count_good(hits, n_hits, bounds[i]);
		}
		took = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
		if (took < best) best = took;
	}
	qsort(seconds, query->n, sizeof *seconds, compare);
	printf("%6zu  %.4f  %8.0f  %7.1f  %7.1f  %7.1f\n", effort, (double)good / (double)(query->n * o->k),
	       (double)query->n / best, 1e6 * best / (double)query->n, 1e6 * seconds[query->n / 2],
	       1e6 * seconds[query->n * 99 / 100]);
	fflush(stdout);
	mem_free(hits);
	mem_free(seconds);
}

static struct index *through_file(struct index *index, const char *path)
{
	const struct index_stamp stamp = { .generation = 1 };
	struct index_stamp got;
	akin_error err;
	double start;

	stop_on(index_save(index, path, &stamp, &err), &err);
	index_destroy(index);
	start = clock_seconds();
	stop_on(index_open(&index, path, &got, &err), &err);
	printf("opened in %.1f ms\n", 1e3 * (clock_seconds() - start));
	return index;
}

int main(int argc, char **argv)
{
	struct options o = { .threads = 1, .k = 10, .rounds = 3 };
	struct index_stats stats;
	struct set base, query;
	struct index *index;
	float *bounds;
	double start;

	o.params = (struct index_params){ .kind = INDEX_GRAPH, .metric = METRIC_L2, .element = ELEMENT_F32, .seed = 1 };
	read_efforts(&o, "10,16,24,32,48,64,96,128,192,256,400,800");
	for (int i = 1; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');

		if (equals)
			set_option(&o, argv[i], equals + 1);
		else if (o.n_files < COUNT(o.files))
			o.files[o.n_files++] = argv[i];
	}
	if (o.n_files < 2) stop("BASE.npy QUERY.npy [NAME=VALUE ...]");
	load_set(o.files[0], o.params.element, &base);
	load_set(o.files[1], o.params.element, &query);
	bounds = find_bounds(&o, &base, &query);
	start = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
	index = build(&o, o.params.kind, &base);
	printf("built in %.2f s of CPU", cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - start);
	index_get_stats(index, &stats);
	printf(", %.0f bytes a vector\n", (double)stats.bytes / (double)stats.count);
	if (o.save) index = through_file(index, o.save);
	printf("effort  recall       QPS  mean us   p50 us   p99 us\n");
	for (size_t i = 0; i < o.n_efforts; i++) measure(&o, index, &query, bounds, o.efforts[i]);
	mem_free(bounds);
	mem_free(base.rows);
	mem_free(query.rows);
	index_destroy(index);
	return 0;
}
