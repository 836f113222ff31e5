/* index/index.c - the interface: arguments, rows, ids and files; finding is the kind's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "index/ops.h"

static const struct index_ops *ops_of(enum index_kind kind)
{
	switch (kind) {
	case INDEX_FLAT: return &flat_ops;
	case INDEX_GRAPH: return &graph_ops;
	case INDEX_IVF: return &ivf_ops;
	case INDEX_BINARY: return &binary_ops;
	case INDEX_LSH: return &lsh_ops;
	default: return NULL;
	}
}

akin_status index_create(struct index **out, const struct index_params *params, akin_error *err)
{
	struct space space;
	struct index *index;
	akin_status st;

	*out = NULL;
	if (!ops_of(params->kind)) return error_set(err, AKIN_ERR_INVALID, "there is no index kind %d", (int)params->kind);
	if ((st = space_init(&space, params->metric, params->element, params->dim, err)) != AKIN_OK) return st;
	if (!(index = mem_zalloc(sizeof *index))) return error_nomem(err);
	index->ops = ops_of(params->kind);
	index->params = *params;
	index->space = space;
	if (index->ops->create && (st = index->ops->create(index, err)) != AKIN_OK) {
		index_destroy(index);
		return st;
	}
	*out = index;
	return AKIN_OK;
}

void index_destroy(struct index *index)
{
	if (!index) return;
	if (index->ops->destroy) index->ops->destroy(index);
	rows_deinit(&index->rows);
	file_in_close(&index->file);
	mem_free(index);
}

/* ---- changing ---- */

static akin_status own(struct index *index, akin_error *err)
{
	akin_status st = AKIN_OK;

	if (!index->rows.mapped) return st;
	if (index->ops->own) st = index->ops->own(index, err);
	if (st == AKIN_OK) st = rows_own(&index->rows, &index->space, err);
	if (st == AKIN_OK) file_in_close(&index->file);
	return st;
}

akin_status index_train(struct index *index, const void *rows, size_t n, unsigned threads, akin_error *err)
{
	return index->ops->train ? index->ops->train(index, rows, n, threads, err) : AKIN_OK;
}

akin_status index_add(struct index *index, const int64_t *ids, const void *rows, size_t n, akin_error *err)
{
	return index_add_many(index, ids, rows, n, 1, err);
}

akin_status index_add_many(struct index *index, const int64_t *ids, const void *rows, size_t n, unsigned threads,
                           akin_error *err)
{
	const size_t first = index->rows.count;
	akin_status st;

	if (!n) return AKIN_OK;
	if ((st = own(index, err)) != AKIN_OK) return st;
	if ((st = rows_add(&index->rows, &index->space, ids, rows, n, err)) != AKIN_OK || !index->ops->added) return st;
	if ((st = index->ops->added(index, first, n, threads, err)) == AKIN_OK) return st;
	while (index->rows.count > first) rows_remove(&index->rows, &index->space, index->rows.count - 1);
	return st;
}

akin_status index_remove(struct index *index, const int64_t *ids, size_t n, size_t *n_removed, akin_error *err)
{
	akin_status st;
	size_t row, removed = 0;

	if (n_removed) *n_removed = 0;
	if ((st = own(index, err)) != AKIN_OK) return st;
	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		if (!rows_find(&index->rows, ids[i], &row)) continue;
		if (index->ops->removing) st = index->ops->removing(index, row, index->rows.count - 1, err);
		if (st != AKIN_OK) break;
		rows_remove(&index->rows, &index->space, row);
		removed++;
	}
	if (n_removed) *n_removed = removed;
	return st;
}

bool index_has(const struct index *index, int64_t id)
{
	size_t row;

	return rows_find(&index->rows, id, &row);
}

/* ---- finding ---- */

static akin_status check_ask(const struct index_ask *ask, akin_error *err)
{
	if (!ask->k) return error_set(err, AKIN_ERR_INVALID, "k is 0; at least 1 must be asked for");
	if (ask->bounded && isnan(ask->max_distance)) return error_set(err, AKIN_ERR_INVALID, "the greatest distance is NaN");
	return AKIN_OK;
}

static struct topk topk_for(const struct index *index, const struct index_ask *ask, struct hit *hits)
{
	const size_t count = index->rows.count;

	return (struct topk){ hits, 0, ask->k < count ? ask->k : count, ask->bounded ? ask->max_distance : INFINITY };
}

akin_status index_search(const struct index *index, const void *query, const struct index_ask *ask, struct hit *hits,
                         size_t *n_hits, akin_error *err)
{
	void *room = NULL;
	struct allow allow = { 0 };
	struct query ready;
	struct topk top;
	akin_status st;

	*n_hits = 0;
	if ((st = check_ask(ask, err)) != AKIN_OK) return st;
	if (!(room = mem_aligned(index->space.query_bytes))) return error_nomem(err);
	if ((st = space_query(&index->space, query, room, &ready, err)) != AKIN_OK) goto out;
	if ((st = allow_init(&allow, &index->rows, ask->filter, ALLOW_ONCE, err)) != AKIN_OK) goto out;
	top = topk_for(index, ask, hits);
	st = (ask->exact ? flat_search : index->ops->search)(index, &ready, &allow, ask->effort, &top, err);
	if (st != AKIN_OK) goto out;
	topk_sort(hits, top.n);
	*n_hits = top.n;
out:
	allow_deinit(&allow);
	mem_free(room);
	return st;
}

akin_status index_search_many(const struct index *index, const void *queries, size_t n_queries,
                              const struct index_ask *ask, struct hit *hits, size_t *n_hits, akin_error *err)
{
	const size_t bytes = index->space.query_bytes, stride = (bytes + 63) & ~(size_t)63;
	struct allow allow = { 0 };
	struct batch batch = { .n = n_queries, .allow = &allow, .threads = ask->threads, .effort = ask->effort };
	struct query *ready = NULL;
	uint8_t *room = NULL;
	akin_status st;

	for (size_t i = 0; i < n_queries; i++) n_hits[i] = 0;
	if ((st = check_ask(ask, err)) != AKIN_OK || !n_queries) return st;
	room = n_queries <= SIZE_MAX / 2 / stride ? mem_aligned(n_queries * stride) : NULL;
	ready = mem_calloc(n_queries, sizeof *ready);
	batch.tops = mem_calloc(n_queries, sizeof *batch.tops);
	if (!room || !ready || !batch.tops) {
		st = error_nomem(err);
		goto out;
	}
	if ((st = allow_init(&allow, &index->rows, ask->filter, ALLOW_OFTEN, err)) != AKIN_OK) goto out;
	for (size_t i = 0; i < n_queries; i++) {
		const uint8_t *query = (const uint8_t *)queries + i * bytes;

		if ((st = space_query(&index->space, query, room + i * stride, &ready[i], err)) != AKIN_OK) {
			st = error_note(err, st, "number %zu of %zu", i, n_queries);
			goto out;
		}
		batch.tops[i] = topk_for(index, ask, hits + i * ask->k);
	}
	batch.queries = ready;
	if ((st = (ask->exact ? flat_search_many : index->ops->search_many)(index, &batch, err)) != AKIN_OK) goto out;
	for (size_t i = 0; i < n_queries; i++) {
		topk_sort(batch.tops[i].heap, batch.tops[i].n);
		n_hits[i] = batch.tops[i].n;
	}
out:
	allow_deinit(&allow);
	mem_free(batch.tops);
	mem_free(ready);
	mem_free(room);
	return st;
}

akin_status index_range(const struct index *index, const void *query, float max_distance,
                        const struct index_filter *filter, struct hit **hits, size_t *n_hits, akin_error *err)
{
	struct query ready;
	akin_status st;
	void *room;

	*hits = NULL;
	*n_hits = 0;
	if (isnan(max_distance)) return error_set(err, AKIN_ERR_INVALID, "the greatest distance is NaN");
	if (!(room = mem_aligned(index->space.query_bytes))) return error_nomem(err);
	st = space_query(&index->space, query, room, &ready, err);
	if (st == AKIN_OK) st = flat_range(index, &ready, max_distance, filter, hits, n_hits, err);
	mem_free(room);
	return st;
}

/* ---- looking ---- */

akin_status index_get(const struct index *index, int64_t id, void *row, akin_error *err)
{
	size_t at;

	if (!rows_find(&index->rows, id, &at)) return error_set(err, AKIN_ERR_NOT_FOUND, "there is no id %lld", (long long)id);
	space_load(&index->space, rows_at(&index->rows, &index->space, at), row);
	return AKIN_OK;
}

akin_status index_ids(const struct index *index, int64_t **ids, size_t *n, akin_error *err)
{
	const size_t count = index->rows.count;

	*n = 0;
	if (!(*ids = mem_calloc(count, sizeof **ids))) return error_nomem(err);
	if (count) memcpy(*ids, index->rows.ids, count * sizeof **ids);
	qsort(*ids, count, sizeof **ids, id_order);
	*n = count;
	return AKIN_OK;
}

void index_get_stats(const struct index *index, struct index_stats *stats)
{
	*stats = (struct index_stats){ .kind = index->params.kind, .metric = index->params.metric,
		                       .element = index->params.element, .dim = index->params.dim,
		                       .count = index->rows.count, .mapped = index->rows.mapped };
	stats->bytes = sizeof *index + rows_bytes(&index->rows, &index->space) + index->file.map.n;
	if (index->ops->bytes) stats->bytes += index->ops->bytes(index);
}

akin_status index_check(const struct index *index, bool deep, akin_error *err)
{
	akin_status st = AKIN_OK;

	if (deep && index->rows.mapped) st = file_in_verify_all(&index->file, err);
	if (st == AKIN_OK) st = rows_check(&index->rows, &index->space, deep, err);
	if (st == AKIN_OK && index->ops->check) st = index->ops->check(index, deep, err);
	return st;
}

/* ---- files ---- */

/* Rows are written by ascending id, so that equal contents make equal files, and a mapped file needs no table of ids. */
static akin_status rows_by_id(const struct index *index, int64_t **ids, uint32_t **order, akin_error *err)
{
	akin_status st = index_ids(index, ids, &(size_t){ 0 }, err);

	if (st != AKIN_OK) return st;
	if (!(*order = mem_calloc(index->rows.count, sizeof **order))) return error_nomem(err);
	for (size_t i = 0; i < index->rows.count; i++) {
		size_t row;

		if (!rows_find(&index->rows, (*ids)[i], &row))
			return error_set(err, AKIN_ERR_CORRUPT, "id %lld has no row", (long long)(*ids)[i]);
		(*order)[i] = (uint32_t)row;
	}
	return AKIN_OK;
}

static akin_status put_sections(const struct index *index, const int64_t *ids, const uint32_t *order,
                                struct file_out *file, akin_error *err)
{
	const struct rows *rows = &index->rows;
	akin_status st;

	if ((st = file_out_section(file, SECTION_IDS, err)) != AKIN_OK) return st;
	if ((st = file_out_put(file, ids, rows->count * sizeof *ids, err)) != AKIN_OK) return st;
	if ((st = file_out_section(file, SECTION_ROWS, err)) != AKIN_OK) return st;
	for (size_t i = 0; i < rows->count; i++) {
		st = file_out_put(file, rows_at(rows, &index->space, order[i]), index->space.row_bytes, err);
		if (st != AKIN_OK) return st;
	}
	if (index->space.scaled && (st = file_out_section(file, SECTION_SCALES, err)) != AKIN_OK) return st;
	for (size_t i = 0; index->space.scaled && st == AKIN_OK && i < rows->count; i++)
		st = file_out_put(file, rows->scales + order[i], sizeof *rows->scales, err);
	return st == AKIN_OK && index->ops->save ? index->ops->save(index, order, file, err) : st;
}

akin_status index_save(const struct index *index, const char *path, const struct index_stamp *stamp, akin_error *err)
{
	uint32_t *order = NULL;
	int64_t *ids = NULL;
	struct file_out file;
	akin_status st;

	if ((st = rows_by_id(index, &ids, &order, err)) != AKIN_OK) goto out;
	if ((st = file_out_begin(&file, path, err)) != AKIN_OK) goto out;
	file.header.params = index->params;
	file.header.count = index->rows.count;
	file.header.stamp = *stamp;
	st = put_sections(index, ids, order, &file, err);
	if (st == AKIN_OK) st = file_out_finish(&file, err);
	else file_out_abort(&file);
out:
	mem_free(order);
	mem_free(ids);
	return error_note(err, st, "saving index %s", path);
}

static akin_status check_ids(const struct file_in *file, const int64_t *ids, size_t n, akin_error *err)
{
	for (size_t i = 1; i < n; i++)
		if (ids[i - 1] >= ids[i]) return error_set(err, AKIN_ERR_FORMAT, "ids do not ascend at %zu", i);
	return file_in_verify(file, SECTION_IDS, err);
}

static akin_status map_rows(struct index *index, akin_error *err)
{
	const struct file_in *file = &index->file;
	const uint64_t count = file->header.count;
	const void *ids, *data, *scales = NULL;
	akin_status st;

	/* With this many rows of at most 4 * INDEX_MAX_DIM bytes no product below overflows. */
	if (count > IDMAP_MAX_ROWS)
		return error_set(err, AKIN_ERR_FORMAT, "%llu rows are more than %zu", (unsigned long long)count, IDMAP_MAX_ROWS);
	if ((st = file_in_section(file, SECTION_IDS, count * sizeof(int64_t), &ids, err)) != AKIN_OK) return st;
	if ((st = file_in_section(file, SECTION_ROWS, count * index->space.row_bytes, &data, err)) != AKIN_OK) return st;
	if (index->space.scaled) {
		st = file_in_section(file, SECTION_SCALES, count * sizeof(float), &scales, err);
		if (st != AKIN_OK) return st;
	}
	if ((st = check_ids(file, ids, count, err)) != AKIN_OK) return st;
	index->rows = (struct rows){ .ids = ids, .data = data, .scales = scales, .count = count, .mapped = true };
	/* They ascend: between the first and the last there is room for no others. */
	index->rows.dense = count && (uint64_t)index->rows.ids[count - 1] - (uint64_t)index->rows.ids[0] == count - 1;
	return AKIN_OK;
}

static akin_status open_file(struct file_in *file, struct index **out, akin_error *err)
{
	const struct index_params *params = &file->header.params;
	akin_status st;

	if (!ops_of(params->kind))
		return error_set(err, AKIN_ERR_UNSUPPORTED, "index kind %u is not known", (unsigned)params->kind);
	st = index_create(out, params, err);
	/* What would be a wrong argument from a caller is a wrong file here. */
	if (st == AKIN_ERR_INVALID) st = AKIN_ERR_FORMAT;
	if (st != AKIN_OK) return st;
	(*out)->file = *file;
	*file = (struct file_in){ 0 };
	st = map_rows(*out, err);
	if (st == AKIN_OK && (*out)->ops->load) st = (*out)->ops->load(*out, err);
	if (st != AKIN_OK) {
		index_destroy(*out);
		*out = NULL;
	}
	return st;
}

akin_status index_open(struct index **out, const char *path, struct index_stamp *stamp, akin_error *err)
{
	struct file_in file;
	akin_status st;

	*out = NULL;
	memset(stamp, 0, sizeof *stamp);
	if ((st = file_in_open(&file, path, err)) == AKIN_OK) {
		*stamp = file.header.stamp;
		st = open_file(&file, out, err);
		file_in_close(&file);
	}
	return error_note(err, st, "opening index %s", path);
}
