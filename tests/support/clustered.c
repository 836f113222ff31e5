/* support/clustered.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "clustered.h"

#include <math.h>

#include "base/alloc.h"
#include "test.h"

enum { CLUSTERS = 30, QUERIES_FROM = 1 << 30 };

size_t clustered_bytes(const struct index_params *params)
{
	return params->element == ELEMENT_F16 ? 4 * params->dim : element_row_bytes(params->element, params->dim);
}

static double middle_of(uint64_t cluster, size_t d)
{
	struct rng rng = { cluster * 7919 + d };

	return 2 * rng_normal(&rng);
}

void clustered_row(const struct index_params *params, uint64_t seed, int64_t i, void *row)
{
	struct rng rng = { seed * 1000003 + (uint64_t)i };
	const uint64_t cluster = rng_below(&rng, CLUSTERS);
	uint8_t *bytes = row;

	memset(row, 0, clustered_bytes(params));
	for (size_t d = 0; d < params->dim; d++) {
		const double value = middle_of(cluster, d) + rng_normal(&rng);

		switch (params->element) {
		case ELEMENT_BITS: bytes[d / 8] |= (uint8_t)((value > 0) << d % 8); break;
		case ELEMENT_I8: bytes[d] = (uint8_t)(int8_t)fmax(-128, fmin(127, 16 * value)); break;
		case ELEMENT_U8: bytes[d] = (uint8_t)fmax(0, fmin(255, 128 + 16 * value)); break;
		default: ((float *)row)[d] = (float)value;
		}
	}
}

akin_status clustered_add(struct index *index, const struct index_params *params, uint64_t seed, int64_t first,
			  size_t n, unsigned threads, akin_error *err)
{
	const size_t bytes = clustered_bytes(params);
	int64_t *ids = mem_calloc(n, sizeof *ids);
	uint8_t *rows = mem_alloc(n * bytes);
	akin_status st;

	for (size_t i = 0; ids && rows && i < n; i++) {
		ids[i] = first + (int64_t)i;
		clustered_row(params, seed, ids[i], rows + i * bytes);
	}
	st = ids && rows ? index_add_many(index, ids, rows, n, threads, err) : error_nomem(err);
	mem_free(ids);
	mem_free(rows);
	return st;
}

static bool is_one(void *ctx, int64_t id)
{
	return id == *(const int64_t *)ctx;
}

static void check_hit(const struct index *exact, const void *query, const struct hit *hit,
		      const struct index_filter *filter)
{
	int64_t id = hit->id;
	const struct index_filter only = { .allows = is_one, .ctx = &id };
	const struct index_ask ask = { .k = 1, .filter = &only };
	struct hit wanted;
	akin_error err;
	size_t n;

	CHECK(!filter || filter->allows(filter->ctx, hit->id));
	CHECK_OK(index_search(exact, query, &ask, &wanted, &n, &err), &err);
	CHECK(n == 1 && wanted.distance == hit->distance, "id %lld is at %g, not at %g\n", (long long)hit->id,
	      n ? (double)wanted.distance : NAN, (double)hit->distance);
}

double clustered_recall(const struct index *index, const struct index *exact, const struct index_params *params,
			uint64_t seed, size_t n, const struct index_ask *ask)
{
	struct hit *got = mem_calloc(ask->k, sizeof *got), *wanted = mem_calloc(ask->k, sizeof *wanted);
	void *query = mem_alloc(clustered_bytes(params));
	size_t found = 0, all = 0, n_got, n_wanted;
	akin_error err;

	for (size_t i = 0; i < n; i++) {
		clustered_row(params, seed, QUERIES_FROM + (int64_t)i, query);
		CHECK_OK(index_search(index, query, ask, got, &n_got, &err), &err);
		CHECK_OK(index_search(exact, query, ask, wanted, &n_wanted, &err), &err);
		CHECK(n_got <= n_wanted);
		for (size_t j = 0; j < n_got; j++) {
			CHECK(!j || hit_before(&got[j - 1], &got[j]));
			if (i < 10) check_hit(exact, query, &got[j], ask->filter);
			found += got[j].distance <= wanted[n_wanted - 1].distance;
		}
		all += n_wanted;
	}
	mem_free(query);
	mem_free(wanted);
	mem_free(got);
	return all ? (double)found / (double)all : 1;
}
