/* bench/flat.c - exact search against the memory it has to read, and batches of queries, for each table of kernels.
 *
 * bench_flat [ROWS [DIM]]. One thread. `read` adds up the same bytes in the same run, interleaved with the searches;
 * times are medians, the spread is between the quartiles.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/str.h"
#include "index/index.h"
#include "index/ops.h"
#include "simd/kernels.h"

enum { RUNS = 31, QUERIES = 1000, BATCHES = 5, K = 10 };

struct config {
	const char *name;
	enum metric metric;
	enum element element;
};

static const struct config configs[] = {
	{ "f32 l2", METRIC_L2, ELEMENT_F32 },     { "f32 ip", METRIC_IP, ELEMENT_F32 },
	{ "f32 cos", METRIC_COSINE, ELEMENT_F32 }, { "f16 l2", METRIC_L2, ELEMENT_F16 },
	{ "i8 l2", METRIC_L2, ELEMENT_I8 },       { "i8 cos", METRIC_COSINE, ELEMENT_I8 },
	{ "u8 l2", METRIC_L2, ELEMENT_U8 },       { "bits", METRIC_HAMMING, ELEMENT_BITS },
};

typedef uint64_t wide __attribute__((vector_size(32), aligned(1), may_alias));

#if defined(__x86_64__)
__attribute__((target("avx2")))
#endif
static uint64_t
read_all(const uint8_t *bytes, size_t n)
{
	wide s0 = { 0 }, s1 = s0, s2 = s0, s3 = s0;

	for (size_t i = 0; i + 128 <= n; i += 128) {
		const wide *at = (const void *)(bytes + i);
		s0 += at[0];
		s1 += at[1];
		s2 += at[2];
		s3 += at[3];
	}
	s0 += s1 + s2 + s3;
	return s0[0] + s0[1] + s0[2] + s0[3];
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct spread {
	double low, median, high;
};

static struct spread spread_of(double *times, size_t n)
{
	qsort(times, n, sizeof *times, compare);
	return (struct spread){ times[n / 4], times[n / 2], times[n - 1 - n / 4] };
}

static void fill(struct rng *rng, const struct config *config, size_t dim, void *row)
{
	if (config->element == ELEMENT_F32 || config->element == ELEMENT_F16)
		for (size_t i = 0; i < dim; i++) ((float *)row)[i] = (float)rng_unit(rng) - 0.5f;
	else
		for (size_t i = 0; i < element_row_bytes(config->element, dim); i++) ((uint8_t *)row)[i] = (uint8_t)rng_u64(rng);
}

static void stop_on(akin_status st, const akin_error *err)
{
	if (st == AKIN_OK) return;
	fprintf(stderr, "bench_flat: %s\n", err->text);
	exit(1);
}

static struct index *make_index(const struct config *config, size_t n, size_t dim, struct rng *rng, akin_error *err)
{
	const struct index_params params = { .kind = INDEX_FLAT, .metric = config->metric, .element = config->element,
		                                     .dim = dim, .seed = 1 };
	int64_t *ids = mem_calloc(n, sizeof *ids);
	struct index *index;
	uint8_t *rows;

	stop_on(index_create(&index, &params, err), err);
	rows = mem_aligned(n * index->space.query_bytes);
	if (!ids || !rows) abort();
	for (size_t i = 0; i < n; i++) {
		ids[i] = (int64_t)i;
		fill(rng, config, dim, rows + i * index->space.query_bytes);
	}
	stop_on(index_add(index, ids, rows, n, err), err);
	mem_free(rows);
	mem_free(ids);
	return index;
}

static void time_one(const struct config *config, const struct index *index, const uint8_t *query)
{
	const struct index_ask ask = { .k = K };
	const size_t bytes = index->rows.count * index->space.row_bytes;
	double read[RUNS], search[RUNS];
	volatile uint64_t sink;
	struct spread r, s;
	struct hit hits[K];
	akin_error err;
	size_t n_hits;

	for (size_t i = 0; i < RUNS; i++) {
		double start = clock_seconds();

		sink = read_all(index->rows.data, bytes);
		read[i] = clock_seconds() - start;
		start = clock_seconds();
		stop_on(index_search(index, query, &ask, hits, &n_hits, &err), &err);
		search[i] = clock_seconds() - start;
	}
	(void)sink;
	r = spread_of(read, RUNS);
	s = spread_of(search, RUNS);
	printf("%-7s %-8s one    read %7.3f ms (%.3f-%.3f, %5.1f GB/s)  search %7.3f ms (%.3f-%.3f)  ratio %.2f\n",
	       index->space.kernels->name, config->name, 1e3 * r.median, 1e3 * r.low, 1e3 * r.high,
	       (double)bytes / r.median / 1e9, 1e3 * s.median, 1e3 * s.low, 1e3 * s.high, s.median / r.median);
}

/* A batch computes and hardly waits for memory: its processor time is what a quiet machine's clock would say. */
static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void time_batch(const struct config *config, const struct index *index, const uint8_t *queries)
{
	const struct index_ask ask = { .k = K, .threads = 1 };
	const double operations = 2.0 * QUERIES * (double)index->rows.count * (double)index->space.dim;
	struct hit *hits = mem_calloc(QUERIES * K, sizeof *hits);
	size_t n_hits[QUERIES];
	double times[BATCHES];
	struct spread s;
	akin_error err;

	for (size_t i = 0; i < BATCHES; i++) {
		double start = cpu_seconds();

		stop_on(index_search_many(index, queries, QUERIES, &ask, hits, n_hits, &err), &err);
		times[i] = cpu_seconds() - start;
	}
	s = spread_of(times, BATCHES);
	printf("%-7s %-8s %d   %8.1f ms (%.1f-%.1f)  %7.0f queries/s  %6.1f Gop/s\n", index->space.kernels->name, config->name,
	       QUERIES, 1e3 * s.median, 1e3 * s.low, 1e3 * s.high, QUERIES / s.median, operations / s.median / 1e9);
	mem_free(hits);
}

static int run_table(size_t n, size_t dim)
{
	for (size_t c = 0; c < COUNT(configs); c++) {
		struct rng rng = { 1 };
		akin_error err;
		struct index *index = make_index(&configs[c], n, dim, &rng, &err);
		uint8_t *queries = mem_aligned(QUERIES * index->space.query_bytes);

		if (!queries) abort();
		for (size_t i = 0; i < QUERIES; i++) fill(&rng, &configs[c], dim, queries + i * index->space.query_bytes);
		time_one(&configs[c], index, queries);
		time_batch(&configs[c], index, queries);
		fflush(stdout);
		mem_free(queries);
		index_destroy(index);
	}
	return 0;
}

/* AKIN_SIMD is read once a process: each table gets its own. Scalar takes minutes: only when AKIN_SIMD names it. */
int main(int argc, char **argv)
{
	static const char *const tables[] = { "avx512", "avx2", "neon" };
	const char *only = getenv("AKIN_SIMD");
	int64_t n = 100000, dim = 512;

	if ((argc > 1 && !str_to_i64(argv[1], 1, 100000000, &n)) || (argc > 2 && !str_to_i64(argv[2], 1, INDEX_MAX_DIM, &dim))) {
		fprintf(stderr, "usage: bench_flat [ROWS [DIM]]\n");
		return 2;
	}
	if (only) return run_table((size_t)n, (size_t)dim);
	printf("%lld rows of %lld dimensions\n", (long long)n, (long long)dim);
	fflush(stdout);
	for (size_t i = 0; i < COUNT(tables); i++) {
		int status = 0;
		pid_t child;

		if (!kernels_by_name(tables[i])) continue;
		if ((child = fork()) == 0) return setenv("AKIN_SIMD", tables[i], 1) || run_table((size_t)n, (size_t)dim);
		if (child < 0 || waitpid(child, &status, 0) < 0 || status) return 1;
	}
	return 0;
}
