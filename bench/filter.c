/* bench/filter.c - what a filter costs: recall and speed of one kind of index, by the share of ids that it allows.
 *
 * bench_filter BASE.npy QUERY.npy [NAME=VALUE ...]
 *   kind=flat|graph|ivf|binary|lsh  metric=l2|ip|cosine|hamming  element=f32|f16|i8|u8|bits  effort=N  by=bits|ids|calls
 *   corner=1: the lowest ids are allowed, not ids at random.   file=PATH: measured from a mapping of it
 * Each ask is made anew for every query: what the filter takes to be understood is in the time. Truth by the flat kind.
 * CPU time of this thread, the best of some rounds in turns, so that neighbours on the machine count less.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "akin/index.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "base/str.h"
#include "vecfile/npy.h"

enum { K = 10, ROUNDS = 3, SHARES = 7 };

static const unsigned shares[SHARES] = { 1, 2, 4, 10, 30, 100, 1000 };

struct bench {
	const char *files[2], *by, *save;
	size_t n_files, effort, n_base, n_queries, bytes;
	akin_index_spec spec;
	bool corner;
	uint8_t *base, *queries;
	akin_index *index, *flat;
	unsigned char *bits;
	int64_t *ids;
	size_t n_ids;
	float *bounds;
};

static void stop(const char *text)
{
	fprintf(stderr, "bench_filter: %s\n", text);
	exit(1);
}

static void need(akin_status st, const akin_error *err)
{
	if (st != AKIN_OK) stop(err->text);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint8_t *read_rows(const struct bench *b, const char *path, size_t *n, size_t *dim)
{
	const akin_element element = b->spec.element;
	struct npy npy;
	akin_error err;
	uint8_t *rows;
	float *row;

	need(npy_open(&npy, path, &err), &err);
	*n = npy.rows;
	*dim = element == AKIN_ELEMENT_BITS ? 8 * npy.cols : npy.cols;
	rows = mem_aligned(npy.rows * npy.cols * sizeof *row);
	row = mem_alloc(npy.cols * sizeof *row);
	if (!rows || !row) stop("out of memory");
	for (size_t i = 0; i < npy.rows; i++) {
		npy_row_f32(&npy, i, row);
		if (element == AKIN_ELEMENT_F32 || element == AKIN_ELEMENT_F16)
			memcpy(rows + i * npy.cols * sizeof *row, row, npy.cols * sizeof *row);
		else
			for (size_t d = 0; d < npy.cols; d++) rows[i * npy.cols + d] = (uint8_t)(int)row[d];
	}
	mem_free(row);
	npy_close(&npy);
	return rows;
}

static akin_index *build(const struct bench *b, akin_index_kind kind)
{
	akin_index_spec spec = b->spec;
	akin_index *index;
	akin_error err;

	spec.kind = kind;
	need(akin_index_create(&index, &spec, &err), &err);
	need(akin_index_add(index, NULL, b->base, b->n_base, 0, &err), &err);
	return index;
}

/* One id in `share`. */
static void choose_ids(struct bench *b, unsigned share)
{
	struct rng rng = { share };

	memset(b->bits, 0, b->n_base / 8 + 1);
	b->n_ids = 0;
	for (size_t i = 0; i < b->n_base; i++) {
		if (b->corner ? i * share >= b->n_base : rng_below(&rng, share) != 0) continue;
		b->bits[i / 8] |= (unsigned char)(1u << i % 8);
		b->ids[b->n_ids++] = (int64_t)i;
	}
}

static int bit_is_set(void *user, int64_t id)
{
	const unsigned char *bits = user;

	return bits[id / 8] >> id % 8 & 1;
}

static akin_index_filter filter_of(const struct bench *b)
{
	if (*b->by == 'c') return (akin_index_filter){ .allows = bit_is_set, .user = b->bits };
	if (*b->by == 'i') return (akin_index_filter){ .ids = b->ids, .n_ids = b->n_ids };
	return (akin_index_filter){ .bits = b->bits, .n_bits = b->n_base };
}

static void find_truth(struct bench *b)
{
	const akin_index_filter filter = filter_of(b);
	const akin_index_ask ask = { .k = K, .filter = &filter };
	akin_neighbour *hits = mem_calloc(b->n_queries * K, sizeof *hits);
	size_t *n_hits = mem_calloc(b->n_queries, sizeof *n_hits);
	akin_error err;

	if (!hits || !n_hits) stop("out of memory");
	need(akin_index_search_many(b->flat, b->queries, b->n_queries, &ask, hits, n_hits, &err), &err);
	for (size_t q = 0; q < b->n_queries; q++) b->bounds[q] = n_hits[q] ? hits[q * K + n_hits[q] - 1].distance : 0;
	mem_free(n_hits);
	mem_free(hits);
}

/* Microseconds a query. */
static double one_round(const struct bench *b, bool filtered, double *recall)
{
	const akin_index_filter filter = filter_of(b);
	const akin_index_ask ask = { .k = K, .effort = b->effort, .filter = filtered ? &filter : NULL };
	const size_t wanted = b->n_ids < K ? b->n_ids : K;
	const double start = cpu_seconds();
	akin_neighbour hits[K];
	size_t good = 0, n;
	akin_error err;

	for (size_t q = 0; q < b->n_queries; q++) {
		need(akin_index_search(b->index, b->queries + q * b->bytes, &ask, hits, &n, &err), &err);
		for (size_t i = 0; i < n; i++) good += hits[i].distance <= b->bounds[q];
	}
	*recall = (double)good / (double)(b->n_queries * wanted);
	return 1e6 * (cpu_seconds() - start) / (double)b->n_queries;
}

static void measure(struct bench *b, unsigned share)
{
	double best = 1e30, plain = 1e30, recall = 0, unused;

	choose_ids(b, share);
	find_truth(b);
	for (size_t round = 0; round < ROUNDS; round++) {
		const double p = one_round(b, false, &unused), f = one_round(b, share > 1, &recall);

		if (p < plain) plain = p;
		if (f < best) best = f;
	}
	printf("1 in %-5u  %.4f  %9.0f  %8.1f  %6.2f\n", share, recall, 1e6 / best, best, plain / best);
	fflush(stdout);
}

static int choice(const char *value, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(value, names[i])) return (int)i + 1;
	stop("an option has an unknown value");
	return 0;
}

static void set_option(struct bench *b, const char *name, const char *value)
{
	static const char *const kinds[] = { "flat", "graph", "ivf", "binary", "lsh" },
				 *const metrics[] = { "l2", "ip", "cosine", "hamming" },
				 *const elements[] = { "f32", "f16", "i8", "u8", "bits" };

	if (str_starts(name, "kind=")) b->spec.kind = (akin_index_kind)choice(value, kinds, COUNT(kinds));
	else if (str_starts(name, "metric=")) b->spec.metric = (akin_metric)choice(value, metrics, COUNT(metrics));
	else if (str_starts(name, "element=")) b->spec.element = (akin_element)choice(value, elements, COUNT(elements));
	else if (str_starts(name, "effort=")) b->effort = strtoul(value, NULL, 10);
	else if (str_starts(name, "corner=")) b->corner = *value == '1';
	else if (str_starts(name, "file=")) b->save = value;
	else if (str_starts(name, "by=")) b->by = value;
	else stop("unknown option");
}

int main(int argc, char **argv)
{
	struct bench b = { .by = "bits", .spec = { .kind = AKIN_INDEX_GRAPH, .metric = AKIN_METRIC_L2, .seed = 1,
						   .element = AKIN_ELEMENT_F32 } };
	akin_index_stats stats;
	akin_error err;

	for (int i = 1; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');

		if (equals) set_option(&b, argv[i], equals + 1);
		else if (b.n_files < COUNT(b.files)) b.files[b.n_files++] = argv[i];
	}
	if (b.n_files < 2) stop("BASE.npy QUERY.npy [NAME=VALUE ...]");
	b.base = read_rows(&b, b.files[0], &b.n_base, &b.spec.dim);
	b.queries = read_rows(&b, b.files[1], &b.n_queries, &b.spec.dim);
	b.flat = build(&b, AKIN_INDEX_FLAT);
	b.index = build(&b, b.spec.kind);
	akin_index_get_stats(b.index, &stats);
	b.bytes = stats.vector_bytes;
	if (b.save) {
		need(akin_index_save(b.index, b.save, &err), &err);
		akin_index_destroy(b.index);
		need(akin_index_open(&b.index, b.save, &err), &err);
	}
	b.bits = mem_zalloc(b.n_base / 8 + 1);
	b.ids = mem_calloc(b.n_base, sizeof *b.ids);
	b.bounds = mem_calloc(b.n_queries, sizeof *b.bounds);
	if (!b.bits || !b.ids || !b.bounds) stop("out of memory");
	printf("%s of %zu, filter by %s%s, effort %zu\n", akin_index_kind_name(b.spec.kind), b.n_base, b.by,
	       b.corner ? " of the lowest ids" : "", b.effort);
	printf("allowed     recall        QPS   mean us   ratio\n");
	for (size_t i = 0; i < SHARES; i++) measure(&b, shares[i]);
	akin_index_destroy(b.index);
	akin_index_destroy(b.flat);
	mem_free(b.bounds);
	mem_free(b.ids);
	mem_free(b.bits);
	mem_free(b.queries);
	mem_free(b.base);
	return 0;
}
