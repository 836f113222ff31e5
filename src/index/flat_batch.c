/* index/flat_batch.c - many queries against every row, with the answers of one by one.
 *
 * Floats: a matrix product gives all distances of a block of rows and a panel of queries at several times the speed of
 * scans, but rounded otherwise: |q|^2 + |x|^2 - 2<q, x> loses digits where |q - x|^2 does not. So the product only rules
 * out: whatever may, within the proven error of both, be near enough is compared again by the scan's own kernel. That is
 * some hundreds of rows for each query of 100,000, and the results are equal bit for bit.
 *
 * Error (Higham, Accuracy and Stability of Numerical Algorithms, 3.1): a sum of dim products in any order is off by at most
 * g * |q| |x|, g = dim * u / (1 - dim * u), u = 2^-24; |q| |x| <= (|q|^2 + |x|^2) / 2 splits it in a part of the row and one
 * of the query. The two norms, the product and the exact kernel's own error together stay below 4g (|q|^2 + |x|^2).
 *
 * Bytes and bits: a block of rows stays in the cache while every query scans it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "index/ops.h"

enum {
	BLOCK_ROWS = 128,
	BLOCK_BYTES = 256 * 1024, /* a quarter of a usual second-level cache; a panel of queries takes another part */
	GROUP_QUERIES = 1024,     /* a thread's share at a time */
	SCATTERED = 32,           /* one row of so many or fewer allowed: those are compared one by one */
};

/* Beyond this a square may overflow on the way: such rows and queries are always compared exactly. */
static const float huge_norm = 1e37f;
/* Below this products lose digits to underflow. */
static const float tiny = 1e-36f;

static bool allows(const struct batch *batch, size_t row)
{
	return !batch->allow->bits || (batch->allow->bits[row / 64] >> row % 64 & 1);
}

static void offer(const struct index *index, const struct batch *batch, size_t row, float distance, struct topk *top)
{
	if (distance <= top->bound && allows(batch, row)) topk_push(top, (struct hit){ index->rows.ids[row], distance });
}

static size_t block_rows(size_t row_bytes)
{
	size_t n = BLOCK_BYTES / row_bytes;

	return n > BLOCK_ROWS ? BLOCK_ROWS : n < 8 ? 8 : n;
}

/* ---- by scans ---- */

static void scan_queries(const struct index *index, const struct batch *batch, size_t from, size_t to)
{
	const struct rows *rows = &index->rows;
	const size_t step = block_rows(index->space.row_bytes);
	float distances[BLOCK_ROWS];
	uint32_t near[BLOCK_ROWS];

	for (size_t first = 0; first < rows->count; first += step) {
		size_t n = rows->count - first < step ? rows->count - first : step;

		for (size_t q = from; q < to; q++) {
			size_t n_near;

			space_distances(&index->space, &batch->queries[q], rows_at(rows, &index->space, first),
			                rows_scales(rows, first), n, distances);
			n_near = index->space.kernels->select(distances, n, batch->tops[q].bound, near);
			for (size_t i = 0; i < n_near; i++)
				offer(index, batch, first + near[i], distances[near[i]], &batch->tops[q]);
		}
	}
}

/* ---- by products ---- */

struct product {
	const struct index *index;
	const struct batch *batch;
	size_t from, to;  /* queries */
	size_t n_panels;
	float *panels;    /* n_panels x dim x panel */
	float *norms;     /* of the queries, squared */
	float *converted; /* a block of f16 rows as f32 */
	float slack;      /* 4g */
};

static float squared_norm(const struct index *index, const float *v)
{
	float norm = index->space.kernels->ip_f32(v, v, index->space.dim);

	return norm <= huge_norm ? norm : NAN;
}

static void product_free(struct product *p)
{
	mem_free(p->panels);
	mem_free(p->norms);
	mem_free(p->converted);
}

static bool product_init(struct product *p, const struct index *index, const struct batch *batch, size_t from, size_t to)
{
	const size_t dim = index->space.dim, panel = index->space.kernels->panel, n = to - from;

	*p = (struct product){ .index = index, .batch = batch, .from = from, .to = to, .n_panels = (n + panel - 1) / panel };
	p->slack = 4 * (float)(dim + 8) * 0x1p-24f;
	p->panels = mem_aligned(p->n_panels * panel * dim * sizeof *p->panels);
	p->norms = mem_alloc(n * sizeof *p->norms);
	if (index->space.element == ELEMENT_F16) p->converted = mem_aligned(BLOCK_ROWS * dim * sizeof *p->converted);
	if (!p->panels || !p->norms || (index->space.element == ELEMENT_F16 && !p->converted)) {
		product_free(p);
		return false;
	}
	memset(p->panels, 0, p->n_panels * panel * dim * sizeof *p->panels);
	for (size_t i = 0; i < n; i++) {
		const float *query = batch->queries[from + i].vector;
		float *to_panel = p->panels + i / panel * panel * dim + i % panel;

		for (size_t d = 0; d < dim; d++) to_panel[d * panel] = query[d];
		p->norms[i] = squared_norm(index, query);
	}
	return true;
}

/* The test of panel_f32, base + factor * <q, x> > bound, says that even the least possible distance is too far. */
static float base_of(const struct product *p, float norm)
{
	return p->index->space.metric == METRIC_L2 ? norm * (1 - p->slack) : -p->slack * norm;
}

static float bound_of(const struct product *p, size_t query)
{
	const float norm = p->norms[query - p->from], bound = p->batch->tops[query].bound + tiny;

	switch (p->index->space.metric) {
	case METRIC_L2: return bound - norm * (1 - p->slack);
	case METRIC_COSINE: return bound - 1 + p->slack * norm + p->slack;
	default: return bound + p->slack * norm;
	}
}

/* False when the filter allows none of the rows. */
static bool fill_bases(const struct product *p, const float *rows, size_t first, size_t n, float *base)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		bool allowed = allows(p->batch, first + i);

		base[i] = allowed ? base_of(p, squared_norm(p->index, rows + i * p->index->space.dim)) : INFINITY;
		any |= allowed;
	}
	return any;
}

static void take_near(const struct product *p, size_t first, size_t n, size_t query, size_t n_queries,
                      const uint64_t *near)
{
	const uint64_t real = n_queries < 64 ? (UINT64_C(1) << n_queries) - 1 : ~UINT64_C(0);
	const struct space *space = &p->index->space;

	for (size_t i = 0; i < n; i++)
		for (uint64_t left = near[i] & real; left; left &= left - 1) {
			size_t q = query + (size_t)__builtin_ctzll(left);
			float distance;

			if (!allows(p->batch, first + i)) break;
			space_distances(space, &p->batch->queries[q], rows_at(&p->index->rows, space, first + i), NULL, 1, &distance);
			offer(p->index, p->batch, first + i, distance, &p->batch->tops[q]);
		}
}

static void product_block(const struct product *p, size_t first, size_t n)
{
	const struct space *space = &p->index->space;
	const size_t panel = space->kernels->panel;
	const void *stored = rows_at(&p->index->rows, space, first);
	float base[BLOCK_ROWS], bound[KERNEL_PANEL_MAX];
	uint64_t near[BLOCK_ROWS];
	struct panel_job job = { .rows = stored, .n = n, .dim = space->dim, .base = base, .bound = bound, .near = near };

	job.factor = space->metric == METRIC_L2 ? -2 : -1;
	if (p->converted) {
		space->kernels->f16_to_f32(stored, p->converted, n * space->dim);
		job.rows = p->converted;
	}
	if (!fill_bases(p, job.rows, first, n, base)) return;
	for (size_t i = 0; i < p->n_panels; i++) {
		const size_t query = p->from + i * panel, left = p->to - query, n_queries = left < panel ? left : panel;

		for (size_t j = 0; j < panel; j++) bound[j] = j < n_queries ? bound_of(p, query + j) : -INFINITY;
		job.queries = p->panels + i * panel * space->dim;
		space->kernels->panel_f32(&job);
		take_near(p, first, n, query, n_queries, near);
	}
}

static bool product_queries(const struct index *index, const struct batch *batch, size_t from, size_t to)
{
	const size_t count = index->rows.count, step = block_rows(4 * index->space.dim);
	struct product p;

	if (!product_init(&p, index, batch, from, to)) return false;
	for (size_t first = 0; first < count; first += step)
		product_block(&p, first, count - first < step ? count - first : step);
	product_free(&p);
	return true;
}

/* ---- over threads ---- */

struct groups {
	const struct index *index;
	const struct batch *batch;
	size_t size;
};

static void run_group(void *ctx, size_t i)
{
	const struct groups *g = ctx;
	const size_t panel = g->index->space.kernels->panel, from = i * g->size;
	size_t to = from + g->size < g->batch->n ? from + g->size : g->batch->n, rest = (to - from) % panel, middle = to;
	bool floats = g->index->space.element == ELEMENT_F32 || g->index->space.element == ELEMENT_F16;

	/* A panel less than half full costs more than as many scans. */
	if (rest < panel / 2) middle = to - rest;
	/* When there is no memory for the product, scans need none. */
	if (!floats || middle == from || !product_queries(g->index, g->batch, from, middle)) middle = from;
	if (middle < to) scan_queries(g->index, g->batch, middle, to);
}

static void scan_allowed(void *ctx, size_t i)
{
	const struct groups *g = ctx;

	allow_scan(g->batch->allow, &g->index->rows, &g->index->space, &g->batch->queries[i], &g->batch->tops[i]);
}

akin_status flat_search_many(const struct index *index, const struct batch *batch, akin_error *err)
{
	const unsigned threads = batch->threads ? batch->threads : pool_cores();
	struct groups g = { index, batch, (batch->n + threads - 1) / threads };

	(void)err;
	if (batch->allow->bits && batch->allow->n < index->rows.count / SCATTERED) {
		pool_for(batch->n, threads, scan_allowed, &g);
		return AKIN_OK;
	}
	if (g.size > GROUP_QUERIES) g.size = GROUP_QUERIES;
	if (batch->n) pool_for((batch->n + g.size - 1) / g.size, threads, run_group, &g);
	return AKIN_OK;
}
