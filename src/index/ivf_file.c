/* index/ivf_file.c - inverted lists in the index file.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "index/ivf.h"

/* Numbers of 8 bytes. */
enum {
	META_LEARNT,
	META_GIVEN,
	META_LISTS,
	META_WIDTH,
	META_PARAM_LISTS,
	META_PARAM_WIDTH,
	META_PARAM_RERANK,
	META_PROBES,
	META_N
};

/* ---- saving ---- */

static akin_status put(struct file_out *file, enum section_tag tag, const void *bytes, size_t n, akin_error *err)
{
	akin_status st = file_out_section(file, tag, err);

	return st == AKIN_OK ? file_out_put(file, bytes, n, err) : st;
}

static akin_status put_rows(const struct index *index, const uint32_t *order, struct file_out *file, akin_error *err)
{
	const struct ivf *ivf = index->kind;
	uint32_t *place = mem_calloc(index->rows.count, sizeof *place);
	akin_status st = place ? file_out_section(file, SECTION_IVF_ROWS, err) : error_nomem(err);

	for (size_t i = 0; place && i < index->rows.count; i++) place[order[i]] = (uint32_t)i;
	for (size_t l = 0; st == AKIN_OK && l < ivf->n_lists; l++)
		for (size_t i = 0; st == AKIN_OK && i < ivf->lists[l].n; i++)
			st = file_out_put(file, &place[ivf->lists[l].rows[i]], sizeof *place, err);
	mem_free(place);
	return st;
}

akin_status ivf_save(const struct index *index, const uint32_t *order, struct file_out *file, akin_error *err)
{
	const struct ivf *ivf = index->kind;
	const struct ivf_params *p = &index->params.ivf;
	const uint64_t meta[META_N] = { ivf->learnt, ivf->given, ivf->n_lists, ivf->width,
					p->lists,    p->width,   p->rerank,    ivf->probes };
	akin_status st = put(file, SECTION_IVF_META, meta, sizeof meta, err);

	if (st != AKIN_OK || !ivf->learnt) return st;
	st = put(file, SECTION_IVF_MODEL, ivf->model,
		 ivf_model_floats(index->space.dim, ivf->n_lists, ivf->width) * sizeof *ivf->model, err);
	if (st == AKIN_OK) st = file_out_section(file, SECTION_IVF_SIZES, err);
	for (size_t l = 0; st == AKIN_OK && l < ivf->n_lists; l++)
		st = file_out_put(file, &(uint32_t){ (uint32_t)ivf->lists[l].n }, sizeof(uint32_t), err);
	if (st == AKIN_OK) st = put_rows(index, order, file, err);
	if (st == AKIN_OK && ivf->width) st = file_out_section(file, SECTION_IVF_BLOCKS, err);
	for (size_t l = 0; st == AKIN_OK && ivf->width && l < ivf->n_lists; l++)
		st = file_out_put(file, ivf->lists[l].blocks, ivf_blocks(ivf->lists[l].n) * ivf_block_bytes(ivf), err);
	return st;
}

/* ---- opening ---- */

/* Each row exactly once; reads 4 bytes a row, as the check of the ids reads 8. */
static akin_status check_rows(const uint32_t *rows, size_t n, akin_error *err)
{
	uint64_t *seen = mem_calloc(n / 64 + 1, sizeof *seen);
	akin_status st = seen ? AKIN_OK : error_nomem(err);

	for (size_t i = 0; st == AKIN_OK && i < n; i++) {
		const uint32_t row = rows[i];

		if (row >= n || seen[row / 64] >> row % 64 & 1)
			st = error_set(err, AKIN_ERR_FORMAT, "row %u of %zu is in a list twice or not there",
				       (unsigned)row, n);
		else
			seen[row / 64] |= UINT64_C(1) << row % 64;
	}
	mem_free(seen);
	return st;
}

static akin_status read_meta(struct index *index, uint64_t meta[META_N], akin_error *err)
{
	struct ivf *ivf = index->kind;
	const void *at;
	akin_status st = file_in_section(&index->file, SECTION_IVF_META, META_N * sizeof *meta, &at, err);

	if (st != AKIN_OK) return st;
	memcpy(meta, at, META_N * sizeof *meta);
	/* What follows is multiplied: with these limits nothing overflows. */
	if (meta[META_LISTS] > UINT32_MAX / 16 || meta[META_WIDTH] >= IVF_NO_CODES ||
	    (meta[META_LEARNT] && !meta[META_LISTS]) || (index->space.element == ELEMENT_BITS && meta[META_WIDTH]) ||
	    meta[META_LEARNT] > IDMAP_MAX_ROWS ||
	    (meta[META_LEARNT] && (!meta[META_PROBES] || meta[META_PROBES] > meta[META_LISTS])))
		return error_set(err, AKIN_ERR_FORMAT, "%llu lists with codes of %llu components",
				 (unsigned long long)meta[META_LISTS], (unsigned long long)meta[META_WIDTH]);
	index->params.ivf = (struct ivf_params){ (uint32_t)meta[META_PARAM_LISTS], (uint32_t)meta[META_PARAM_WIDTH],
						 (uint32_t)meta[META_PARAM_RERANK] };
	ivf->width = meta[META_WIDTH];
	return AKIN_OK;
}

/* Pointers into the file; *blocks is how many there must be. */
static void map_lists(struct ivf *ivf, const uint32_t *sizes, const uint32_t *rows, const uint8_t *blocks)
{
	for (size_t l = 0; l < ivf->n_lists; l++) {
		ivf->lists[l] = (struct ivf_list){ rows, blocks, sizes[l], 0 };
		rows += sizes[l];
		if (blocks) blocks += ivf_blocks(sizes[l]) * ivf_block_bytes(ivf);
	}
}

static akin_status count_blocks(const struct index *index, const uint32_t *sizes, size_t n_lists, uint64_t *blocks,
				akin_error *err)
{
	uint64_t rows = 0;

	*blocks = 0;
	for (size_t l = 0; l < n_lists; l++) {
		rows += sizes[l];
		*blocks += ivf_blocks(sizes[l]);
	}
	if (rows == index->rows.count) return AKIN_OK;
	return error_set(err, AKIN_ERR_FORMAT, "lists have %llu rows, the index %zu", (unsigned long long)rows,
			 index->rows.count);
}

akin_status ivf_load(struct index *index, akin_error *err)
{
	const struct file_in *file = &index->file;
	struct ivf *ivf = index->kind;
	const void *model, *sizes, *rows, *blocks = NULL;
	uint64_t meta[META_N], n_blocks, floats;
	akin_status st;

	if ((st = read_meta(index, meta, err)) != AKIN_OK || !meta[META_LEARNT]) return st;
	floats = ivf_model_floats(index->space.dim, meta[META_LISTS], ivf->width);
	if ((st = file_in_section(file, SECTION_IVF_MODEL, floats * sizeof(float), &model, err)) != AKIN_OK) return st;
	if ((st = file_in_section(file, SECTION_IVF_SIZES, meta[META_LISTS] * sizeof(uint32_t), &sizes, err)) !=
	    AKIN_OK)
		return st;
	st = file_in_section(file, SECTION_IVF_ROWS, index->rows.count * sizeof(uint32_t), &rows, err);
	if (st == AKIN_OK) st = count_blocks(index, sizes, meta[META_LISTS], &n_blocks, err);
	if (st == AKIN_OK) st = check_rows(rows, index->rows.count, err);
	if (st != AKIN_OK) return st;
	ivf->model = model;
	ivf->n_lists = meta[META_LISTS];
	ivf->mapped = true;
	ivf_view(ivf, index->space.dim);
	if (ivf->width) st = file_in_section(file, SECTION_IVF_BLOCKS, n_blocks * ivf_block_bytes(ivf), &blocks, err);
	if (st != AKIN_OK) return st;
	if (!(ivf->lists = mem_calloc(ivf->n_lists, sizeof *ivf->lists))) return error_nomem(err);
	map_lists(ivf, sizes, rows, blocks);
	ivf->learnt = meta[META_LEARNT];
	ivf->given = meta[META_GIVEN];
	ivf->probes = meta[META_PROBES];
	return AKIN_OK;
}
