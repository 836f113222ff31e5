/* bench/ivf.c - inverted lists on real vectors: recall against queries a second, one by one and in batches.
 *
 * bench_ivf BASE.npy QUERIES.npy [--metric l2|ip|cosine] [--type f32|f16|u8] [--lists N] [--width N] [--rerank N]
 *           [--only EFFORT] [--threads N]
 *
 * The truth is the exact index's. One thread unless said otherwise; times are of the processor, so that other work on
 * the machine is left out; each effort is measured several times, in turns with the others, and the median counts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "index/index.h"
#include "vecfile/npy.h"

enum { K = 10, RUNS = 3, EFFORTS = 10 };

struct set {
	size_t n, dim;
	float *rows;
};

struct bench {
	struct set base, queries;
	struct index_params params;
	struct index *index;
	struct hit *truth, *got;
	size_t *n_hits;
	size_t only;
	unsigned threads;
};

static void fail(const akin_error *err)
{
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct set read_set(const char *path)
{
	struct npy npy;
	struct set set;
	akin_error err;

	if (npy_open(&npy, path, &err) != AKIN_OK) fail(&err);
	set = (struct set){ npy.rows, npy.cols, mem_aligned(npy.rows * npy.cols * sizeof(float)) };
	if (!set.rows) abort();
	for (size_t i = 0; i < set.n; i++) npy_row_f32(&npy, i, set.rows + i * set.dim);
	npy_close(&npy);
	return set;
}

/* As the index's element wants to be given it. */
static void *given(const struct bench *b, const struct set *set)
{
	uint8_t *bytes = (void *)set->rows;

	if (b->params.element != ELEMENT_U8) return set->rows;
	for (size_t i = 0; i < set->n * set->dim; i++) bytes[i] = (uint8_t)set->rows[i];
	return bytes;
}

static struct index *build(const struct bench *b, enum index_kind kind)
{
	struct index_params params = b->params;
	struct index *index;
	int64_t *ids = mem_calloc(b->base.n, sizeof *ids);
	akin_error err;

	params.kind = kind;
	for (size_t i = 0; i < b->base.n; i++) ids[i] = (int64_t)i;
	if (index_create(&index, &params, &err) != AKIN_OK) fail(&err);
	if (index_add_many(index, ids, b->base.rows, b->base.n, b->threads, &err) != AKIN_OK) fail(&err);
	mem_free(ids);
	return index;
}

static double recall(const struct bench *b)
{
	size_t met = 0;

	for (size_t q = 0; q < b->queries.n; q++)
		for (size_t i = 0; i < b->n_hits[q]; i++)
			for (size_t j = 0; j < K; j++) met += b->got[q * K + i].id == b->truth[q * K + j].id;
	return (double)met / (double)(K * b->queries.n);
}

static double one_by_one(const struct bench *b, size_t effort)
{
	const size_t bytes = b->params.element == ELEMENT_U8 ? b->queries.dim : 4 * b->queries.dim;
	const struct index_ask ask = { .k = K, .effort = effort, .threads = 1 };
	double start = cpu_seconds();

	for (size_t q = 0; q < b->queries.n; q++)
		if (index_search(b->index, (uint8_t *)b->queries.rows + q * bytes, &ask, b->got + q * K, &b->n_hits[q],
				 NULL) != AKIN_OK)
			abort();
	return cpu_seconds() - start;
}

static double in_batch(const struct bench *b, size_t effort)
{
	const struct index_ask ask = { .k = K, .effort = effort, .threads = b->threads };
	double start = cpu_seconds();

	if (index_search_many(b->index, b->queries.rows, b->queries.n, &ask, b->got, b->n_hits, NULL) != AKIN_OK)
		abort();
	return cpu_seconds() - start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void sweep(struct bench *b)
{
	static const size_t efforts[EFFORTS] = { 0, 2, 4, 6, 8, 12, 16, 24, 32, 64 };
	double single[EFFORTS][RUNS], batch[EFFORTS][RUNS], found[EFFORTS][2];
	const size_t n = b->only ? 1 : EFFORTS;

	for (size_t run = 0; run < RUNS; run++)
		for (size_t e = 0; e < n; e++) {
			size_t effort = b->only ? b->only : efforts[e];

			single[e][run] = one_by_one(b, effort);
			found[e][0] = recall(b);
			batch[e][run] = in_batch(b, effort);
			found[e][1] = recall(b);
		}
	printf("%8s %9s %9s %9s %9s\n", "effort", "recall@10", "one QPS", "recall@10", "many QPS");
	for (size_t e = 0; e < n; e++) {
		qsort(single[e], RUNS, sizeof **single, compare);
		qsort(batch[e], RUNS, sizeof **batch, compare);
		printf("%8zu %9.4f %9.0f %9.4f %9.0f\n", b->only ? b->only : efforts[e], found[e][0],
		       (double)b->queries.n / single[e][RUNS / 2], found[e][1],
		       (double)b->queries.n / batch[e][RUNS / 2]);
	}
}

static void read_options(struct bench *b, int argc, char **argv)
{
	for (int i = 3; i + 1 < argc; i += 2) {
		const char *name = argv[i], *value = argv[i + 1];
		const unsigned number = (unsigned)strtoul(value, NULL, 10);

		if (!strcmp(name, "--metric"))
			b->params.metric = *value == 'l' ? METRIC_L2 : *value == 'i' ? METRIC_IP : METRIC_COSINE;
		if (!strcmp(name, "--type"))
			b->params.element = *value == 'u' ? ELEMENT_U8 : value[1] == '1' ? ELEMENT_F16 : ELEMENT_F32;
		if (!strcmp(name, "--lists")) b->params.ivf.lists = number;
		if (!strcmp(name, "--width")) b->params.ivf.width = number;
		if (!strcmp(name, "--rerank")) b->params.ivf.rerank = number;
		if (!strcmp(name, "--only")) b->only = number;
		if (!strcmp(name, "--threads")) b->threads = number;
	}
}

int main(int argc, char **argv)
{
	struct bench b = { .params = { .metric = METRIC_L2, .element = ELEMENT_F32, .seed = 1 }, .threads = 1 };
	struct index_stats stats;
	double start;

	if (argc < 3) return fprintf(stderr, "usage: bench_ivf BASE.npy QUERIES.npy [OPTION VALUE]...\n"), 2;
	read_options(&b, argc, argv);
	b.base = read_set(argv[1]);
	b.queries = read_set(argv[2]);
	b.params.dim = b.base.dim;
	given(&b, &b.base);
	given(&b, &b.queries);
	b.truth = mem_calloc(b.queries.n * K, sizeof *b.truth);
	b.got = mem_calloc(b.queries.n * K, sizeof *b.got);
	b.n_hits = mem_calloc(b.queries.n, sizeof *b.n_hits);
	b.index = build(&b, INDEX_FLAT);
	in_batch(&b, 0);
	memcpy(b.truth, b.got, b.queries.n * K * sizeof *b.truth);
	index_destroy(b.index);
	start = cpu_seconds();
	b.index = build(&b, INDEX_IVF);
	start = cpu_seconds() - start;
	index_get_stats(b.index, &stats);
	printf("%zu x %zu, built in %.1f s of processor, %.0f bytes a vector\n", b.base.n, b.base.dim, start,
	       (double)stats.bytes / (double)stats.count);
	sweep(&b);
	index_destroy(b.index);
	mem_free(b.n_hits);
	mem_free(b.got);
	mem_free(b.truth);
	mem_free(b.queries.rows);
	mem_free(b.base.rows);
	return 0;
}
