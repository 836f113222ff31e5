/* index/: random programs beside a plain array, for every metric and element, equal to the last bit.
 *
 * Vectors are 0 or have 4 or 16 components of 1 or -1 (1 only for unsigned bytes): their lengths are powers of 2, so every
 * distance is exact whatever the order of additions, also after normalising and in 16 bits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "index/index.h"

enum { MOST_DIM = 90, MOST_ROWS = 700, IDS = 900, STEPS = 120, MOST_BATCH = 70, MOST_ADDED = 300 };

struct vec {
	int8_t at[MOST_DIM];
};

struct entry {
	int64_t id;
	struct vec v;
};

struct model {
	struct entry rows[MOST_ROWS];
	size_t n;
};

struct world {
	struct rng rng;
	struct index_params params;
	struct index *index;
	struct model model;
	const char *path;
};

/* ---- vectors ---- */

static struct vec random_vec(struct world *w)
{
	const size_t ones = (size_t[]){ 0, 4, 4, 16 }[rng_below(&w->rng, 4)];
	struct vec v = { { 0 } };

	for (size_t n = 0; n < ones;) {
		size_t at = rng_below(&w->rng, w->params.dim);

		if (v.at[at]) continue;
		v.at[at] = w->params.element < ELEMENT_U8 && rng_below(&w->rng, 2) ? -1 : 1;
		n++;
	}
	return v;
}

static size_t given_bytes(const struct world *w)
{
	return w->params.element == ELEMENT_F16 ? 4 * w->params.dim : element_row_bytes(w->params.element, w->params.dim);
}

static void give(const struct world *w, const struct vec *v, uint8_t *to)
{
	memset(to, 0, given_bytes(w));
	for (size_t i = 0; i < w->params.dim; i++) {
		if (w->params.element <= ELEMENT_F16) ((float *)(void *)to)[i] = v->at[i];
		else if (w->params.element == ELEMENT_BITS) to[i / 8] |= (uint8_t)(v->at[i] << i % 8);
		else to[i] = (uint8_t)v->at[i];
	}
}

static uint8_t *give_all(const struct world *w, const struct vec *v, size_t n)
{
	uint8_t *rows = mem_alloc(n * given_bytes(w));

	for (size_t i = 0; i < n; i++) give(w, &v[i], rows + i * given_bytes(w));
	return rows;
}

static float slow_distance(const struct world *w, const struct vec *a, const struct vec *b)
{
	int dot = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < w->params.dim; i++) {
		dot += a->at[i] * b->at[i];
		aa += a->at[i] * a->at[i];
		bb += b->at[i] * b->at[i];
	}
	switch (w->params.metric) {
	case METRIC_IP: return (float)-dot;
	case METRIC_COSINE: return aa && bb ? (float)(1 - dot / sqrt((double)aa * bb)) : 1;
	default: return (float)(aa + bb - 2 * dot); /* of bits that is Hamming */
	}
}

/* ---- the model ---- */

static size_t model_find(const struct model *m, int64_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->rows[i].id == id) return i;
	return m->n;
}

static int compare_hits(const void *a, const void *b)
{
	return hit_before(b, a) - hit_before(a, b);
}

static bool divisible(void *ctx, int64_t id)
{
	return id % *(const int64_t *)ctx == 0;
}

static size_t model_range(const struct world *w, const struct vec *query, float most, const struct index_filter *filter,
                          struct hit *hits)
{
	size_t n = 0;

	for (size_t i = 0; i < w->model.n; i++) {
		const struct entry *e = &w->model.rows[i];
		struct hit hit = { e->id, slow_distance(w, query, &e->v) };

		if (hit.distance <= most && (!filter || filter->allows(filter->ctx, hit.id))) hits[n++] = hit;
	}
	qsort(hits, n, sizeof *hits, compare_hits);
	return n;
}

static bool same_hits(const struct hit *a, size_t n_a, const struct hit *b, size_t n_b)
{
	if (n_a != n_b) return false;
	for (size_t i = 0; i < n_a; i++)
		if (a[i].id != b[i].id || a[i].distance != b[i].distance) return false;
	return true;
}

/* ---- steps ---- */

static void step_add(struct world *w)
{
	const size_t n = 1 + rng_below(&w->rng, rng_below(&w->rng, 2) ? 4 : MOST_ADDED);
	akin_status wanted = AKIN_OK, got;
	struct entry added[MOST_ADDED];
	struct vec v[MOST_ADDED];
	int64_t ids[MOST_ADDED];
	uint8_t *rows;
	akin_error err;

	if (w->model.n + n > MOST_ROWS) return;
	for (size_t i = 0; i < n; i++) {
		do ids[i] = (int64_t)rng_below(&w->rng, IDS) - IDS / 3;
		while (rng_below(&w->rng, 500) && model_find(&w->model, ids[i]) < w->model.n);
		v[i] = random_vec(w);
		added[i] = (struct entry){ ids[i], v[i] };
		if (model_find(&w->model, ids[i]) < w->model.n) wanted = AKIN_ERR_EXISTS;
		for (size_t j = 0; j < i; j++)
			if (ids[j] == ids[i]) wanted = AKIN_ERR_EXISTS;
	}
	rows = give_all(w, v, n);
	if (n && wanted == AKIN_OK && w->params.element <= ELEMENT_F16 && !rng_below(&w->rng, 4)) {
		((float *)(void *)rows)[rng_below(&w->rng, n * w->params.dim)] = NAN;
		wanted = AKIN_ERR_INVALID;
	}
	got = index_add(w->index, ids, rows, n, &err);
	CHECK(got == wanted, "%s instead of %s\n", akin_status_name(got), akin_status_name(wanted));
	if (got == AKIN_OK) memcpy(w->model.rows + w->model.n, added, n * sizeof *added), w->model.n += n;
	mem_free(rows);
}

static void step_remove(struct world *w)
{
	const size_t n = rng_below(&w->rng, rng_below(&w->rng, 3) ? 5 : 200);
	size_t removed = 0, got;
	int64_t ids[200];
	akin_error err;

	for (size_t i = 0; i < n; i++) {
		size_t at;

		ids[i] = (int64_t)rng_below(&w->rng, IDS) - IDS / 3;
		if ((at = model_find(&w->model, ids[i])) == w->model.n) continue;
		w->model.rows[at] = w->model.rows[--w->model.n];
		removed++;
	}
	CHECK_OK(index_remove(w->index, ids, n, &got, &err), &err);
	CHECK(got == removed, "%zu instead of %zu\n", got, removed);
}

/* An update is a removal and an addition. */
static void step_update(struct world *w)
{
	struct entry *e;
	uint8_t *row;
	akin_error err;

	if (!w->model.n) return;
	e = &w->model.rows[rng_below(&w->rng, w->model.n)];
	e->v = random_vec(w);
	row = give_all(w, &e->v, 1);
	CHECK_OK(index_remove(w->index, &e->id, 1, NULL, &err), &err);
	CHECK_OK(index_add(w->index, &e->id, row, 1, &err), &err);
	mem_free(row);
}

static void step_search(struct world *w)
{
	int64_t divisor = 1 + (int64_t)rng_below(&w->rng, 4);
	const struct index_filter filter = { .allows = divisible, .ctx = &divisor };
	struct index_ask ask = { .k = 1 + rng_below(&w->rng, rng_below(&w->rng, 2) ? 12 : 2 * MOST_ROWS) };
	const size_t n = 1 + rng_below(&w->rng, MOST_BATCH);
	struct hit *many = mem_calloc(n * ask.k, sizeof *many), *one = mem_calloc(ask.k, sizeof *one), wanted[MOST_ROWS];
	struct vec queries[MOST_BATCH];
	size_t n_many[MOST_BATCH], n_one, n_wanted;
	uint8_t *rows;
	akin_error err;

	if (rng_below(&w->rng, 2)) ask.filter = &filter;
	ask.bounded = rng_below(&w->rng, 2);
	ask.max_distance = (float)rng_below(&w->rng, 12) / (w->params.metric == METRIC_COSINE ? 8 : 1);
	ask.threads = (unsigned)rng_below(&w->rng, 4);
	for (size_t i = 0; i < n; i++) queries[i] = random_vec(w);
	rows = give_all(w, queries, n);
	CHECK_OK(index_search_many(w->index, rows, n, &ask, many, n_many, &err), &err);
	for (size_t i = 0; i < n; i++) {
		n_wanted = model_range(w, &queries[i], ask.bounded ? ask.max_distance : INFINITY, ask.filter, wanted);
		if (n_wanted > ask.k) n_wanted = ask.k;
		CHECK(same_hits(many + i * ask.k, n_many[i], wanted, n_wanted), "batch of %zu, query %zu\n", n, i);
		if (i >= 4) continue;
		CHECK_OK(index_search(w->index, rows + i * given_bytes(w), &ask, one, &n_one, &err), &err);
		CHECK(same_hits(one, n_one, wanted, n_wanted));
	}
	mem_free(rows);
	mem_free(one);
	mem_free(many);
}

static bool range_is_the_models(struct world *w, float most, const struct index_filter *filter)
{
	struct vec query = random_vec(w);
	uint8_t *row = give_all(w, &query, 1);
	struct hit *got, wanted[MOST_ROWS];
	size_t n_got, n_wanted = model_range(w, &query, most, filter, wanted);
	akin_error err;
	bool same;

	CHECK_OK(index_range(w->index, row, most, filter, &got, &n_got, &err), &err);
	same = same_hits(got, n_got, wanted, n_wanted);
	mem_free(got);
	mem_free(row);
	return same;
}

static void step_range(struct world *w)
{
	int64_t divisor = 1 + (int64_t)rng_below(&w->rng, 4);
	const struct index_filter filter = { .allows = divisible, .ctx = &divisor };
	float most = (float)rng_below(&w->rng, 20) / (w->params.metric == METRIC_COSINE ? 8 : 1);

	CHECK(range_is_the_models(w, most, rng_below(&w->rng, 2) ? &filter : NULL));
}

static void step_look(struct world *w)
{
	struct index_stats stats;
	akin_error err;
	int64_t *ids;
	size_t n;

	index_get_stats(w->index, &stats);
	CHECK(stats.count == w->model.n);
	CHECK_OK(index_ids(w->index, &ids, &n, &err), &err);
	CHECK(n == w->model.n);
	for (size_t i = 0; i < n; i++)
		CHECK(model_find(&w->model, ids[i]) < n && index_has(w->index, ids[i]) && (!i || ids[i - 1] < ids[i]));
	CHECK(!index_has(w->index, IDS));
	mem_free(ids);
	CHECK_OK(index_check(w->index, true, &err), &err);
}

static void step_save_and_open(struct world *w)
{
	const struct index_stamp stamp = { .source = "store", .model = "model", .generation = rng_u64(&w->rng) };
	struct index_stamp got;
	akin_error err;

	CHECK_OK(index_save(w->index, w->path, &stamp, &err), &err);
	index_destroy(w->index);
	CHECK_OK(index_open(&w->index, w->path, &got, &err), &err);
	CHECK(!memcmp(&got, &stamp, sizeof stamp));
}

static void run_program(struct world *w)
{
	static void (*const steps[])(struct world *) = { step_add,   step_add,    step_add,  step_remove,       step_update,
		                                         step_search, step_search, step_range, step_save_and_open, step_look };
	akin_error err;

	w->params.kind = INDEX_FLAT;
	w->params.dim = 16 + rng_below(&w->rng, MOST_DIM - 15);
	w->model.n = 0;
	CHECK_OK(index_create(&w->index, &w->params, &err), &err);
	for (size_t i = 0; i < STEPS; i++) steps[rng_below(&w->rng, COUNT(steps))](w);
	step_look(w);
}

static const struct {
	enum metric metric;
	enum element element;
} spaces[] = {
	{ METRIC_L2, ELEMENT_F32 }, { METRIC_IP, ELEMENT_F32 }, { METRIC_COSINE, ELEMENT_F32 },
	{ METRIC_L2, ELEMENT_F16 }, { METRIC_IP, ELEMENT_F16 }, { METRIC_COSINE, ELEMENT_F16 },
	{ METRIC_L2, ELEMENT_I8 },  { METRIC_IP, ELEMENT_I8 },  { METRIC_COSINE, ELEMENT_I8 },
	{ METRIC_L2, ELEMENT_U8 },  { METRIC_IP, ELEMENT_U8 },  { METRIC_COSINE, ELEMENT_U8 },
	{ METRIC_HAMMING, ELEMENT_BITS },
};

TEST(random_programs_equal_a_plain_array)
{
	for (size_t s = 0; s < COUNT(spaces); s++)
		for (uint64_t seed = 1; seed <= 4; seed++) {
			struct world w = { .rng = { seed }, .params = { .metric = spaces[s].metric, .element = spaces[s].element } };

			print_message("metric %d, element %d, seed %d\n", (int)spaces[s].metric, (int)spaces[s].element, (int)seed);
			w.path = test_path("model.index");
			run_program(&w);
			index_destroy(w.index);
		}
}

/* The comparison above must be able to fail: one changed component, or one lost row, shows. */
TEST(the_comparison_notices_sabotage)
{
	for (size_t s = 0; s < COUNT(spaces); s++) {
		struct world w = { .rng = { 9 }, .params = { .metric = spaces[s].metric, .element = spaces[s].element } };
		struct entry *victim;
		bool noticed = false;

		w.path = test_path("sabotage.index");
		run_program(&w);
		while (!w.model.n) step_add(&w);
		CHECK(range_is_the_models(&w, INFINITY, NULL));
		victim = &w.model.rows[rng_below(&w.rng, w.model.n)];
		for (size_t i = 0; i < w.params.dim; i++) victim->v.at[i] = (int8_t)!victim->v.at[i];
		for (int i = 0; i < 20 && !noticed; i++) noticed = !range_is_the_models(&w, INFINITY, NULL);
		CHECK(noticed, "metric %d, element %d\n", (int)spaces[s].metric, (int)spaces[s].element);
		*victim = w.model.rows[--w.model.n];
		CHECK(!range_is_the_models(&w, INFINITY, NULL));
		index_destroy(w.index);
	}
}

TEST_MAIN(cmocka_unit_test(random_programs_equal_a_plain_array), cmocka_unit_test(the_comparison_notices_sabotage))
