/* index/graph: random programs beside the exact kind: the same rows, exact distances, and nearly all of the neighbours.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "clustered.h"

enum { STEPS = 60, IDS = 6000, QUERIES = 15, K = 10 };

struct world {
	struct rng rng;
	struct index_params params;
	struct index *graph, *flat;
	double recall; /* summed over searches */
	size_t searches;
	const char *path;
};

static size_t count(const struct index *index)
{
	struct index_stats stats;

	index_get_stats(index, &stats);
	return stats.count;
}

/* A run of ids that neither has; from time to time more than there are. */
static void step_add(struct world *w)
{
	const int64_t first = (int64_t)rng_below(&w->rng, IDS);
	const size_t most = rng_below(&w->rng, 4) ? 60 : 2000;
	akin_error err;
	size_t n = 0;

	while (n < most && !index_has(w->flat, first + (int64_t)n)) n++;
	if (!n) return;
	CHECK_OK(clustered_add(w->graph, &w->params, 1, first, n, 1 + (unsigned)rng_below(&w->rng, 3), &err), &err);
	CHECK_OK(clustered_add(w->flat, &w->params, 1, first, n, 1, &err), &err);
}

static void step_add_what_is_there(struct world *w)
{
	const size_t before = count(w->graph);
	akin_error err;

	for (int64_t id = 0; id < IDS; id++) {
		if (!index_has(w->flat, id)) continue;
		CHECK_STATUS(clustered_add(w->graph, &w->params, 1, id, 3, 1, &err), AKIN_ERR_EXISTS);
		CHECK(count(w->graph) == before);
		return;
	}
}

static void step_remove(struct world *w)
{
	const size_t most = rng_below(&w->rng, 3) ? 1 + rng_below(&w->rng, 100) : IDS / 3;
	size_t n, n_flat;
	akin_error err;

	for (size_t i = 0; i < most; i++) {
		const int64_t id = (int64_t)rng_below(&w->rng, IDS);

		CHECK_OK(index_remove(w->graph, &id, 1, &n, &err), &err);
		CHECK_OK(index_remove(w->flat, &id, 1, &n_flat, &err), &err);
		CHECK(n == n_flat);
	}
}

static bool divisible(void *ctx, int64_t id)
{
	return id % *(const int64_t *)ctx == 0;
}

static void step_search(struct world *w)
{
	int64_t divisor = 1 + (int64_t)rng_below(&w->rng, 12);
	const struct index_filter filter = { .allows = divisible, .ctx = &divisor };
	const struct index_ask ask = { .k = K, .effort = 24, .filter = rng_below(&w->rng, 2) ? &filter : NULL };

	w->recall += clustered_recall(w->graph, w->flat, &w->params, 1, QUERIES, &ask);
	w->searches++;
}

static void step_look(struct world *w)
{
	akin_error err;

	CHECK(count(w->graph) == count(w->flat));
	for (int64_t id = 0; id < IDS; id += 17) CHECK(index_has(w->graph, id) == index_has(w->flat, id));
	CHECK_OK(index_check(w->graph, true, &err), &err);
}

static void step_save_and_open(struct world *w)
{
	const struct index_stamp stamp = { .generation = rng_u64(&w->rng) };
	struct index_stamp got;
	akin_error err;

	CHECK_OK(index_save(w->graph, w->path, &stamp, &err), &err);
	index_destroy(w->graph);
	CHECK_OK(index_open(&w->graph, w->path, &got, &err), &err);
	CHECK(got.generation == stamp.generation);
}

static struct world run_program(enum metric metric, enum element element, uint64_t seed)
{
	static void (*const steps[])(
	    struct world *) = { step_add,    step_add,  step_add,           step_remove, step_search,
				step_search, step_look, step_save_and_open, step_add,    step_add_what_is_there };
	struct world w = { .rng = { seed }, .path = test_path("graph.index") };
	akin_error err;

	w.params = (struct index_params){ .kind = INDEX_FLAT, .metric = metric, .element = element, .seed = seed };
	w.params.dim = 16 + rng_below(&w.rng, 60);
	CHECK_OK(index_create(&w.flat, &w.params, &err), &err);
	w.params.kind = INDEX_GRAPH;
	w.params.links = 16;
	w.params.build_effort = 60;
	CHECK_OK(index_create(&w.graph, &w.params, &err), &err);
	for (size_t i = 0; i < STEPS; i++) steps[rng_below(&w.rng, COUNT(steps))](&w);
	step_look(&w);
	return w;
}

static void end(struct world *w)
{
	index_destroy(w->graph);
	index_destroy(w->flat);
}

TEST(random_programs_stay_near_the_exact_kind)
{
	static const struct {
		enum metric metric;
		enum element element;
	} spaces[] = {
		{ METRIC_L2, ELEMENT_F32 },    { METRIC_COSINE, ELEMENT_F16 }, { METRIC_IP, ELEMENT_F32 },
		{ METRIC_COSINE, ELEMENT_I8 }, { METRIC_L2, ELEMENT_U8 },      { METRIC_HAMMING, ELEMENT_BITS }
	};

	for (size_t s = 0; s < COUNT(spaces); s++)
		for (uint64_t seed = 1; seed <= 2; seed++) {
			struct world w = run_program(spaces[s].metric, spaces[s].element, seed);
			const double recall = w.searches ? w.recall / (double)w.searches : 1;

			print_message("metric %d, element %d, seed %d: %zu rows, recall %.4f\n", (int)spaces[s].metric,
				      (int)spaces[s].element, (int)seed, count(w.graph), recall);
			CHECK(recall >= 0.95);
			end(&w);
		}
}

/* The comparison must be able to fail: rows that only one of both lost show as lost recall. */
TEST(the_comparison_notices_sabotage)
{
	struct world w = run_program(METRIC_L2, ELEMENT_F32, 3);
	const struct index_ask ask = { .k = K, .effort = 50 };
	akin_error err;

	CHECK_OK(clustered_add(w.graph, &w.params, 1, 2 * IDS, 2000, 1, &err), &err);
	CHECK_OK(clustered_add(w.flat, &w.params, 1, 2 * IDS, 2000, 1, &err), &err);
	CHECK(clustered_recall(w.graph, w.flat, &w.params, 1, 100, &ask) >= 0.95);
	for (int64_t id = 2 * IDS; id < 2 * IDS + 500; id++) CHECK_OK(index_remove(w.graph, &id, 1, NULL, &err), &err);
	CHECK(clustered_recall(w.graph, w.flat, &w.params, 1, 100, &ask) < 0.95);
	end(&w);
}

TEST_MAIN(cmocka_unit_test(random_programs_stay_near_the_exact_kind), cmocka_unit_test(the_comparison_notices_sabotage))
