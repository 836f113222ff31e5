/* index/ivf_learn.c - centroids and codebook from a sample; rows into lists.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/rng.h"
#include "index/ivf.h"

enum {
	SAMPLE_PER_LIST = 64,
	ITERATIONS = 10,
	CODE_SAMPLE = 8192, /* residuals that the codebook is learnt from */
	MOST_LISTS = 1 << 16,
	TRIALS = 128,
	NEIGHBOURS = 11, /* the row itself and ten */
	FEW = 16,        /* rows for which laying out centroids for products does not pay */
};

static void *writable(const void *p)
{
	return (void *)(uintptr_t)p;
}

/* ---- learning ---- */

static size_t lists_for(const struct index *index, size_t n)
{
	size_t lists = index->params.ivf.lists;

	if (!lists) lists = (size_t)sqrt((double)n);
	if (lists > MOST_LISTS) lists = MOST_LISTS;
	return lists < n ? lists : n;
}

struct sample {
	float *rows; /* n x dim, in no order */
	size_t n;
};

static akin_status take_row(const struct index *index, const struct ivf_source *source, size_t row, void *stored,
			    float *to, akin_error *err)
{
	const struct space *space = &index->space;
	float scale = 1;
	akin_status st;

	if (!source->given) {
		const float *scales = rows_scales(&index->rows, row);

		ivf_floats(space, rows_at(&index->rows, space, row), scales ? *scales : 1, to);
		return AKIN_OK;
	}
	st = space_store(space, (const uint8_t *)source->given + row * space->query_bytes, stored, &scale, err);
	if (st == AKIN_OK) ivf_floats(space, stored, scale, to);
	return error_note(err, st, "row %zu to learn from", row);
}

static akin_status take_sample(const struct index *index, const struct ivf_source *source, size_t n,
			       struct sample *sample, akin_error *err)
{
	uint32_t *order = mem_alloc(source->n * sizeof *order);
	void *stored = mem_aligned(index->space.row_bytes);
	struct rng rng = { index->params.seed };
	akin_status st = AKIN_OK;

	*sample = (struct sample){ mem_aligned(n * index->space.dim * sizeof(float)), n };
	if (!order || !stored || !sample->rows) st = error_nomem(err);
	for (size_t i = 0; st == AKIN_OK && i < source->n; i++) order[i] = (uint32_t)i;
	for (size_t i = 0; st == AKIN_OK && i < n; i++) {
		const size_t other = i + rng_below(&rng, source->n - i);
		const uint32_t row = order[other];

		order[other] = order[i];
		st = take_row(index, source, row, stored, sample->rows + i * index->space.dim, err);
	}
	mem_free(stored);
	mem_free(order);
	return st;
}

static void set_mean(const struct sample *sample, size_t dim, float *mean)
{
	memset(mean, 0, dim * sizeof *mean);
	for (size_t i = 0; i < sample->n; i++)
		for (size_t d = 0; d < dim; d++) mean[d] += sample->rows[i * dim + d] / (float)sample->n;
}

static akin_status learn_codes(const struct index *index, const struct sample *sample, unsigned threads,
			       struct ivf *ivf, akin_error *err)
{
	const size_t dim = index->space.dim, n = sample->n < CODE_SAMPLE ? sample->n : CODE_SAMPLE,
		     padded = ivf->pq.padded;
	float *residuals = mem_calloc(n * padded, sizeof *residuals);
	uint32_t *nearest = mem_alloc(n * sizeof *nearest);
	struct panels panels = { 0 };
	akin_status st = residuals && nearest ? AKIN_OK : error_nomem(err);

	if (st == AKIN_OK) st = panels_init(&panels, ivf->kernels, dim, ivf->centroids, ivf->n_lists, err);
	if (st != AKIN_OK) goto out;
	panels_nearest(&panels, sample->rows, n, nearest);
	for (size_t i = 0; i < n; i++)
		for (size_t d = 0; d < dim; d++)
			residuals[i * padded + d] = sample->rows[i * dim + d] - ivf->centroids[nearest[i] * dim + d];
	st = pq_train(ivf->kernels, dim, ivf->width, residuals, n, threads, index->params.seed,
		      writable(ivf->pq.codebook), err);
out:
	panels_deinit(&panels);
	mem_free(nearest);
	mem_free(residuals);
	return st;
}

akin_status ivf_learn(const struct index *index, const struct ivf_source *source, unsigned threads, struct ivf *to,
		      akin_error *err)
{
	const struct ivf *before = index->kind;
	const size_t dim = index->space.dim, n_lists = lists_for(index, source->n);
	const size_t wanted = n_lists * SAMPLE_PER_LIST, n = wanted < source->n ? wanted : source->n;
	const struct kmeans_params params = { index->space.kernels, dim,     n_lists,
					      ITERATIONS,           threads, index->params.seed };
	struct sample sample = { 0 };
	akin_status st;

	*to =
	    (struct ivf){ .kernels = before->kernels, .width = before->width, .learnt = source->n, .n_lists = n_lists };
	to->model = mem_aligned(ivf_model_floats(dim, n_lists, to->width) * sizeof *to->model);
	to->lists = mem_calloc(n_lists, sizeof *to->lists);
	if (!to->model || !to->lists) return error_nomem(err);
	ivf_view(to, dim);
	if ((st = take_sample(index, source, n, &sample, err)) != AKIN_OK) goto out;
	set_mean(&sample, dim, writable(to->mean));
	if ((st = kmeans(&params, sample.rows, sample.n, writable(to->centroids), err)) != AKIN_OK) goto out;
	if (to->width) st = learn_codes(index, &sample, threads, to, err);
out:
	mem_free(sample.rows);
	return st;
}

/* ---- placing ---- */

struct placing {
	const struct index *index;
	struct ivf *ivf;
	size_t first, n;
	uint32_t *nearest; /* of each new row */
	struct panels panels;
	size_t tasks, share;
	uint8_t *rooms; /* of each task */
	size_t room;    /* bytes */
};

static void row_floats(const struct placing *p, size_t row, float *to)
{
	const float *scales = rows_scales(&p->index->rows, row);

	ivf_floats(&p->index->space, rows_at(&p->index->rows, &p->index->space, row), scales ? *scales : 1, to);
}

static void find_nearest(void *ctx, size_t task)
{
	const struct placing *p = ctx;
	const size_t dim = p->index->space.dim, end = (task + 1) * p->share < p->n ? (task + 1) * p->share : p->n;
	float *rows = (void *)(p->rooms + task * p->room);

	for (size_t i = task * p->share; i < end; i += PANELS_ROWS) {
		const size_t n = end - i < PANELS_ROWS ? end - i : PANELS_ROWS;

		for (size_t j = 0; j < n; j++) row_floats(p, p->first + i + j, rows + j * dim);
		panels_nearest(&p->panels, rows, n, p->nearest + i);
	}
}

static void find_nearest_of_few(const struct placing *p)
{
	const size_t dim = p->index->space.dim;
	float *row = (void *)p->rooms;

	for (size_t i = 0; i < p->n; i++) {
		float least = INFINITY;

		row_floats(p, p->first + i, row);
		p->nearest[i] = 0;
		for (size_t c = 0; c < p->ivf->n_lists; c++) {
			float distance = p->index->space.kernels->l2_f32(row, p->ivf->centroids + c * dim, dim);

			if (!(distance < least)) continue;
			least = distance;
			p->nearest[i] = (uint32_t)c;
		}
	}
}

static akin_status grow_list(const struct ivf *ivf, struct ivf_list *list, size_t n, akin_error *err)
{
	const size_t half_more = list->capacity + list->capacity / 2, wanted = n > half_more ? n : half_more;
	const size_t blocks = ivf_blocks(wanted), block_bytes = ivf_block_bytes(ivf),
		     used = ivf_blocks(list->n) * block_bytes;
	uint8_t *larger = NULL;
	uint32_t *rows;

	if (n <= list->capacity) return AKIN_OK;
	if (ivf->width && !(larger = mem_aligned(blocks * block_bytes))) return error_nomem(err);
	if (!(rows = mem_realloc(writable(list->rows), blocks * LIST_BLOCK * sizeof *rows))) {
		mem_free(larger);
		return error_nomem(err);
	}
	list->rows = rows;
	list->capacity = blocks * LIST_BLOCK;
	if (!ivf->width) return AKIN_OK;
	if (used) memcpy(larger, list->blocks, used);
	memset(larger + used, 0, blocks * block_bytes - used);
	mem_free(writable(list->blocks));
	list->blocks = larger;
	return AKIN_OK;
}

/* Room for all, so that nothing can fail later. Larger lists are no change that anybody sees. */
static akin_status make_room(const struct placing *p, akin_error *err)
{
	const size_t wanted = p->first + p->n, half_more = p->ivf->capacity + p->ivf->capacity / 2;
	const size_t capacity = wanted > half_more ? wanted : half_more;
	uint32_t *counts = mem_calloc(p->ivf->n_lists, sizeof *counts);
	akin_status st = counts ? AKIN_OK : error_nomem(err);

	for (size_t i = 0; counts && i < p->n; i++) counts[p->nearest[i]]++;
	for (size_t i = 0; st == AKIN_OK && i < p->ivf->n_lists; i++)
		st = grow_list(p->ivf, &p->ivf->lists[i], p->ivf->lists[i].n + counts[i], err);
	mem_free(counts);
	if (st == AKIN_OK && wanted > p->ivf->capacity) {
		struct ivf_place *larger = mem_realloc(p->ivf->places, capacity * sizeof *larger);

		if (!larger) return error_nomem(err);
		p->ivf->places = larger;
		p->ivf->capacity = capacity;
	}
	return st;
}

struct sums {
	float norm, product, aside, along; /* |r|^2, <r, r'>, <c - mean, r'>, <c, r> */
};

static struct sums sums_of(const struct placing *p, const float *residual, const float *decoded, const float *centroid)
{
	const float *mean = p->ivf->mean;
	struct sums s = { 0, 0, 0, 0 };

	for (size_t d = 0; d < p->index->space.dim; d++) {
		s.norm += residual[d] * residual[d];
		s.product += residual[d] * decoded[d];
		s.aside += (centroid[d] - mean[d]) * decoded[d];
		s.along += centroid[d] * residual[d];
	}
	return s;
}

static void encode_row(const struct placing *p, size_t row, uint8_t *room)
{
	const struct ivf *ivf = p->ivf;
	const struct pq *pq = &ivf->pq;
	const struct ivf_place place = ivf->places[row];
	const float *centroid = ivf->centroids + place.list * p->index->space.dim;
	uint8_t *block = writable(ivf_block(ivf, &ivf->lists[place.list], place.at));
	float *biases = writable(ivf_biases(ivf, block)), *residual = (void *)room, *decoded = residual + pq->padded;
	uint8_t *codes = (void *)(decoded + pq->padded);
	struct sums s;
	float scale;

	memset(residual, 0, pq->padded * sizeof *residual);
	row_floats(p, row, residual);
	for (size_t d = 0; d < p->index->space.dim; d++) residual[d] -= centroid[d];
	ivf->kernels->encode(pq->codebook, pq->half_norms, residual, pq->subspaces, pq->width, codes);
	pq_decode(pq, codes, decoded);
	pq_put(pq, codes, block, place.at % LIST_BLOCK);
	s = sums_of(p, residual, decoded, centroid);
	scale = s.product > 0 ? s.norm / s.product : 1;
	if (p->index->space.metric == METRIC_IP) {
		/* <q, x> = <q, c> + <c, r> + <q - c, r>: only the last is an estimate. */
		biases[place.at % LIST_BLOCK] = scale * s.aside - s.along;
		biases[LIST_BLOCK + place.at % LIST_BLOCK] = -scale;
		return;
	}
	biases[place.at % LIST_BLOCK] = s.norm + 2 * scale * s.aside;
	biases[LIST_BLOCK + place.at % LIST_BLOCK] = -2 * scale;
}

/* Rows of one list share bytes of codes: a list belongs to one task. */
static void encode_lists(void *ctx, size_t task)
{
	const struct placing *p = ctx;

	for (size_t l = task; l < p->ivf->n_lists; l += p->tasks) {
		const struct ivf_list *list = &p->ivf->lists[l];

		for (size_t at = list->n; at-- > 0 && list->rows[at] >= p->first;)
			encode_row(p, list->rows[at], p->rooms + task * p->room);
	}
}

static void append_rows(const struct placing *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct ivf_list *list = &p->ivf->lists[p->nearest[i]];

		p->ivf->places[p->first + i] = (struct ivf_place){ p->nearest[i], (uint32_t)list->n };
		((uint32_t *)writable(list->rows))[list->n++] = (uint32_t)(p->first + i);
	}
}

akin_status ivf_place(const struct index *index, struct ivf *ivf, size_t first, size_t n, unsigned threads,
		      akin_error *err)
{
	const size_t dim = index->space.dim, coding = ivf->width ? ivf->pq.padded * 8 + ivf->pq.subspaces : 0;
	struct placing p = {
		.index = index, .ivf = ivf, .first = first, .n = n, .tasks = threads ? threads : pool_cores()
	};
	akin_status st = AKIN_OK;

	if (!n) return AKIN_OK;
	if (n <= FEW) p.tasks = 1;
	p.share = (n + p.tasks - 1) / p.tasks;
	p.room = ((n <= FEW ? 1 : PANELS_ROWS) * dim * sizeof(float) + coding + 63) & ~(size_t)63;
	p.rooms = mem_aligned(p.tasks * p.room);
	p.nearest = mem_alloc(n * sizeof *p.nearest);
	if (!p.rooms || !p.nearest) st = error_nomem(err);
	if (st == AKIN_OK && n > FEW) st = panels_init(&p.panels, ivf->kernels, dim, ivf->centroids, ivf->n_lists, err);
	if (st != AKIN_OK) goto out;
	if (n > FEW)
		pool_for(p.tasks, (unsigned)p.tasks, find_nearest, &p);
	else
		find_nearest_of_few(&p);
	if ((st = make_room(&p, err)) != AKIN_OK) goto out;
	append_rows(&p);
	if (ivf->width) pool_for(p.tasks, (unsigned)p.tasks, encode_lists, &p);
out:
	panels_deinit(&p.panels);
	mem_free(p.nearest);
	mem_free(p.rooms);
	return st;
}

/* ---- how wide to look ---- */

/* Trials: rows as queries, their exact neighbours, and where the neighbours' lists stand in the order of distance. */
struct trials {
	struct hit hits[TRIALS * NEIGHBOURS];
	struct topk tops[TRIALS];
	struct query queries[TRIALS];
	size_t histogram[MOST_LISTS + 1]; /* neighbours by the rank of their list */
};

static void count_ranks(const struct index *index, const struct ivf *ivf, const struct query *query,
			const struct topk *top, float *room, size_t *histogram)
{
	const struct kernels *k = index->space.kernels;
	const bool ip = index->space.metric == METRIC_IP;
	const size_t dim = index->space.dim;
	float *distances = room + dim;

	ivf_query_floats(&index->space, query, room);
	(ip ? k->scan_ip_f32 : k->scan_l2_f32)(room, ivf->centroids, ivf->n_lists, dim, distances);
	for (size_t i = 0; i < top->n; i++) {
		size_t row, rank = 0;
		float own;

		if (!rows_find(&index->rows, top->heap[i].id, &row)) continue;
		own = distances[ivf->places[row].list];
		for (size_t l = 0; l < ivf->n_lists; l++) rank += ip ? distances[l] > own : distances[l] < own;
		histogram[rank]++;
	}
}

static size_t probes_by(const size_t *histogram, size_t n_lists)
{
	size_t all = 0, met = 0, probes = 0;

	for (size_t i = 0; i < n_lists; i++) all += histogram[i];
	while (probes < n_lists && met < all - all / 25) met += histogram[probes++];
	return probes ? probes : 1;
}

akin_status ivf_choose_probes(const struct index *index, struct ivf *ivf, unsigned threads, akin_error *err)
{
	const size_t bytes = (index->space.query_bytes + 63) & ~(size_t)63, count = index->rows.count;
	struct trials *t = mem_zalloc(sizeof *t);
	uint8_t *rooms = mem_aligned(TRIALS * bytes), *given = mem_aligned(bytes);
	float *room = mem_aligned((index->space.dim + ivf->n_lists) * sizeof *room);
	static const struct allow all;
	struct batch batch = { .n = count < TRIALS ? count : TRIALS, .allow = &all, .threads = threads };
	struct rng rng = { index->params.seed };
	akin_status st = t && rooms && given && room ? AKIN_OK : error_nomem(err);

	ivf->probes = 1;
	for (size_t i = 0; st == AKIN_OK && i < batch.n; i++) {
		space_load(&index->space, rows_at(&index->rows, &index->space, rng_below(&rng, count)), given);
		st = space_query(&index->space, given, rooms + i * bytes, &t->queries[i], err);
		t->tops[i] =
		    (struct topk){ t->hits + i * NEIGHBOURS, 0, NEIGHBOURS < count ? NEIGHBOURS : count, INFINITY };
	}
	if (st != AKIN_OK) goto out;
	batch.queries = t->queries;
	batch.tops = t->tops;
	if ((st = flat_search_many(index, &batch, err)) != AKIN_OK) goto out;
	for (size_t i = 0; i < batch.n; i++) count_ranks(index, ivf, &t->queries[i], &t->tops[i], room, t->histogram);
	ivf->probes = probes_by(t->histogram, ivf->n_lists);
out:
	mem_free(t);
	mem_free(rooms);
	mem_free(given);
	mem_free(room);
	return st;
}
