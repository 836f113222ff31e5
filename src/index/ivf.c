/* index/ivf.c - the life of inverted lists: made, changed, checked.
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/ivf.h"

#include <string.h>

#include "base/alloc.h"

enum {
	FEWEST = 1000, /* rows below which a scan of all is faster than lists are */
	GROWTH = 4,    /* the set is learnt anew when it has grown this much */
};

/* What we own we may write. */
static void *writable(const void *p)
{
	return (void *)(uintptr_t)p;
}

void ivf_view(struct ivf *ivf, size_t dim)
{
	ivf->mean = ivf->model;
	ivf->centroids = ivf->model + dim;
	ivf->pq = (struct pq){ 0 };
	if (ivf->width) pq_view(&ivf->pq, dim, ivf->width, ivf->centroids + ivf->n_lists * dim);
}

void ivf_clear(struct ivf *ivf)
{
	for (size_t i = 0; !ivf->mapped && ivf->lists && i < ivf->n_lists; i++) {
		mem_free(writable(ivf->lists[i].rows));
		mem_free(writable(ivf->lists[i].blocks));
	}
	if (!ivf->mapped) mem_free(writable(ivf->model));
	mem_free(ivf->lists);
	mem_free(ivf->places);
	*ivf = (struct ivf){ .kernels = ivf->kernels, .width = ivf->width };
}

void ivf_floats(const struct space *space, const void *row, float scale, float *to)
{
	const size_t dim = space->dim;
	const float factor = space->scaled ? scale : 1;

	switch (space->element) {
	case ELEMENT_F32: memcpy(to, row, dim * sizeof *to); break;
	case ELEMENT_F16: space->kernels->f16_to_f32(row, to, dim); break;
	case ELEMENT_I8:
		for (size_t i = 0; i < dim; i++) to[i] = factor * (float)((const int8_t *)row)[i];
		break;
	case ELEMENT_U8:
		for (size_t i = 0; i < dim; i++) to[i] = factor * (float)((const uint8_t *)row)[i];
		break;
	default:
		for (size_t i = 0; i < dim; i++) to[i] = (float)(((const uint8_t *)row)[i / 8] >> i % 8 & 1);
	}
}

void ivf_query_floats(const struct space *space, const struct query *query, float *to)
{
	if (space->element == ELEMENT_F16)
		memcpy(to, query->vector, space->dim * sizeof *to);
	else
		ivf_floats(space, query->vector, query->scale, to);
}

static akin_status create(struct index *index, akin_error *err)
{
	const struct ivf_params *p = &index->params.ivf;
	struct ivf *ivf;

	if (p->width > IVF_NO_CODES)
		return error_set(err, AKIN_ERR_INVALID, "%u components a code are more than %d", (unsigned)p->width,
				 IVF_NO_CODES - 1);
	if (!(ivf = mem_zalloc(sizeof *ivf))) return error_nomem(err);
	ivf->kernels = list_kernels_for(index->space.kernels);
	/* Bits are their own codes. */
	if (index->space.element != ELEMENT_BITS && p->width != IVF_NO_CODES) ivf->width = p->width ? p->width : 4;
	index->kind = ivf;
	return AKIN_OK;
}

static void destroy(struct index *index)
{
	if (index->kind) ivf_clear(index->kind);
	mem_free(index->kind);
	index->kind = NULL;
}

/* ---- changing ---- */

/* Learn from `source` and place every row anew. */
static akin_status rebuild(struct index *index, const struct ivf_source *source, unsigned threads, akin_error *err)
{
	struct ivf *ivf = index->kind, fresh;
	akin_status st = ivf_learn(index, source, threads, &fresh, err);

	if (st == AKIN_OK) st = ivf_place(index, &fresh, 0, index->rows.count, threads, err);
	if (st == AKIN_OK) st = ivf_choose_probes(index, &fresh, threads, err);
	if (st != AKIN_OK) {
		ivf_clear(&fresh);
		return st;
	}
	ivf_clear(ivf);
	*ivf = fresh;
	return AKIN_OK;
}

static akin_status train(struct index *index, const void *rows, size_t n, unsigned threads, akin_error *err)
{
	const struct ivf_source source = { rows, n };
	akin_status st;

	if (!n) return AKIN_OK;
	if ((st = rebuild(index, &source, threads, err)) != AKIN_OK) return st;
	((struct ivf *)index->kind)->given = true;
	return AKIN_OK;
}

static akin_status added(struct index *index, size_t first, size_t n, unsigned threads, akin_error *err)
{
	const struct ivf_source source = { NULL, index->rows.count };
	struct ivf *ivf = index->kind;

	if (!ivf->learnt && source.n < FEWEST) return AKIN_OK;
	if (!ivf->learnt || (!ivf->given && source.n / GROWTH >= ivf->learnt))
		return rebuild(index, &source, threads, err);
	return ivf_place(index, ivf, first, n, threads, err);
}

/* The last of the list takes the place. */
static void fill_place(struct ivf *ivf, struct ivf_place place)
{
	struct ivf_list *list = &ivf->lists[place.list];
	const size_t last = --list->n;
	uint8_t *to, codes[1];

	if (place.at == last) return;
	((uint32_t *)writable(list->rows))[place.at] = list->rows[last];
	ivf->places[list->rows[last]].at = place.at;
	if (!ivf->width) return;
	to = writable(ivf_block(ivf, list, place.at));
	for (size_t m = 0; m < ivf->pq.subspaces; m++) {
		const struct pq one = { .subspaces = 1 };

		codes[0] = pq_get(ivf_block(ivf, list, last), m, last % LIST_BLOCK);
		pq_put(&one, codes, to + 16 * m, place.at % LIST_BLOCK);
	}
	for (size_t part = 0; part < 2; part++)
		((float *)writable(ivf_biases(ivf, to)))[part * LIST_BLOCK + place.at % LIST_BLOCK] =
		    ivf_biases(ivf, ivf_block(ivf, list, last))[part * LIST_BLOCK + last % LIST_BLOCK];
}

static akin_status removing(struct index *index, size_t row, size_t last, akin_error *err)
{
	struct ivf *ivf = index->kind;
	struct ivf_place moved;

	(void)err;
	if (!ivf->learnt) return AKIN_OK;
	fill_place(ivf, ivf->places[row]);
	if (row == last) return AKIN_OK;
	moved = ivf->places[row] = ivf->places[last];
	((uint32_t *)writable(ivf->lists[moved.list].rows))[moved.at] = (uint32_t)row;
	return AKIN_OK;
}

static akin_status own_list(const struct ivf *ivf, uint32_t list, struct ivf *owned, akin_error *err)
{
	const struct ivf_list *from = &ivf->lists[list];
	const size_t blocks = ivf_blocks(from->n);
	struct ivf_list *to = &owned->lists[list];

	if (!blocks) return AKIN_OK;
	to->rows = mem_alloc(blocks * LIST_BLOCK * sizeof *to->rows);
	to->blocks = ivf->width ? mem_aligned(blocks * ivf_block_bytes(ivf)) : NULL;
	if (!to->rows || (ivf->width && !to->blocks)) return error_nomem(err);
	memcpy(writable(to->rows), from->rows, from->n * sizeof *to->rows);
	if (ivf->width) memcpy(writable(to->blocks), from->blocks, blocks * ivf_block_bytes(ivf));
	to->n = from->n;
	to->capacity = blocks * LIST_BLOCK;
	for (uint32_t i = 0; i < to->n; i++) owned->places[to->rows[i]] = (struct ivf_place){ list, i };
	return AKIN_OK;
}

static akin_status own(struct index *index, akin_error *err)
{
	struct ivf *ivf = index->kind, owned;
	size_t floats;
	akin_status st;

	if (!ivf->mapped) return AKIN_OK;
	owned = *ivf;
	owned.mapped = false;
	floats = ivf_model_floats(index->space.dim, ivf->n_lists, ivf->width);
	owned.model = mem_dup(ivf->model, floats * sizeof *ivf->model);
	owned.lists = mem_calloc(ivf->n_lists, sizeof *owned.lists);
	owned.places = mem_calloc(index->rows.count, sizeof *owned.places);
	owned.capacity = index->rows.count;
	st = owned.model && owned.lists && owned.places ? AKIN_OK : error_nomem(err);
	for (uint32_t i = 0; st == AKIN_OK && i < ivf->n_lists; i++) st = own_list(ivf, i, &owned, err);
	if (st != AKIN_OK) {
		ivf_clear(&owned);
		return st;
	}
	ivf_view(&owned, index->space.dim);
	ivf_clear(ivf);
	*ivf = owned;
	return AKIN_OK;
}

/* ---- looking ---- */

static akin_status check(const struct index *index, bool deep, akin_error *err)
{
	const struct ivf *ivf = index->kind;
	size_t placed = 0;

	(void)deep;
	for (size_t i = 0; i < ivf->n_lists; i++) {
		const struct ivf_list *list = &ivf->lists[i];

		placed += list->n;
		for (size_t at = 0; at < list->n; at++) {
			const uint32_t row = list->rows[at];

			if (row >= index->rows.count)
				return error_set(err, AKIN_ERR_CORRUPT, "list %zu names row %u of %zu", i,
						 (unsigned)row, index->rows.count);
			if (!ivf->mapped && (ivf->places[row].list != i || ivf->places[row].at != at))
				return error_set(err, AKIN_ERR_CORRUPT, "row %u is not where list %zu has it",
						 (unsigned)row, i);
		}
	}
	if (ivf->learnt && placed != index->rows.count)
		return error_set(err, AKIN_ERR_CORRUPT, "%zu of %zu rows are in lists", placed, index->rows.count);
	return AKIN_OK;
}

static uint64_t bytes(const struct index *index)
{
	const struct ivf *ivf = index->kind;
	uint64_t sum = sizeof *ivf + ivf->n_lists * sizeof *ivf->lists + ivf->capacity * sizeof *ivf->places;

	if (ivf->mapped || !ivf->learnt) return sum;
	sum += ivf_model_floats(index->space.dim, ivf->n_lists, ivf->width) * sizeof(float);
	for (size_t i = 0; i < ivf->n_lists; i++)
		sum += ivf->lists[i].capacity * sizeof(uint32_t) +
		       ivf->lists[i].capacity / LIST_BLOCK * ivf_block_bytes(ivf);
	return sum;
}

const struct index_ops ivf_ops = { .create = create,
				   .destroy = destroy,
				   .train = train,
				   .added = added,
				   .removing = removing,
				   .search = ivf_search,
				   .search_many = ivf_search_many,
				   .save = ivf_save,
				   .load = ivf_load,
				   .own = own,
				   .check = check,
				   .bytes = bytes };
