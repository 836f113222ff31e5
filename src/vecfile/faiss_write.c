/* vecfile/faiss_write.c - Faiss indexes with a structure, from its parts. docs/vectors.md has the layout.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "vecfile/faiss.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays are written as they lie in memory");

/* The first failure ends the writing; what follows does nothing. */
struct out {
	struct fs_writer file;
	akin_status st;
	akin_error *err;
};

static void put(struct out *out, const void *bytes, size_t n)
{
	if (out->st == AKIN_OK && n) out->st = fs_writer_put(&out->file, bytes, n, out->err);
}

static void put_u64(struct out *out, uint64_t value)
{
	put(out, &value, sizeof value);
}

static void put_i32(struct out *out, int32_t value)
{
	put(out, &value, sizeof value);
}

static void put_vector(struct out *out, const void *items, size_t n, size_t item_bytes)
{
	put_u64(out, n);
	put(out, items, n * item_bytes);
}

/* A flat index inside another one. */
static void put_flat(struct out *out, enum metric metric, const float *rows, size_t n, size_t dim)
{
	if (out->st == AKIN_OK) out->st = faiss_put_head(&out->file, metric, ELEMENT_F32, dim, n, out->err);
	put(out, rows, n * dim * sizeof *rows);
}

/* The head of any index that is not binary, after its mark. */
static void put_head(struct out *out, const char *mark, enum metric metric, size_t dim, size_t n)
{
	put(out, mark, 4);
	put_i32(out, (int32_t)dim);
	put_u64(out, n);
	put_u64(out, 1 << 20);
	put_u64(out, 1 << 20);
	put(out, "\x01", 1);
	put_i32(out, metric == METRIC_L2 ? 1 : 0);
}

static akin_status finish(struct out *out, const char *path)
{
	if (out->st == AKIN_OK) out->st = fs_writer_commit(&out->file, out->err);
	else fs_writer_abort(&out->file);
	return error_note(out->err, out->st, "writing %s", path);
}

/* ---- lists ---- */

/* Rows of list l are order[start[l]] .. order[start[l + 1] - 1]: a counting sort. */
static void sort_by_list(const struct faiss_lists *l, size_t *start, size_t *order)
{
	for (size_t i = 0; i < l->n; i++) start[l->list_of[i] + 1]++;
	for (size_t i = 0; i < l->n_lists; i++) start[i + 1] += start[i];
	for (size_t i = 0; i < l->n; i++) order[start[l->list_of[i]]++] = i;
	/* Each start has moved to its end. */
	for (size_t i = l->n_lists; i > 0; i--) start[i] = start[i - 1];
	start[0] = 0;
}

/* As Faiss does: all sizes, or only those of lists that are not empty when they are few. */
static void put_sizes(struct out *out, const struct faiss_lists *l, const size_t *start)
{
	size_t used = 0;

	for (size_t i = 0; i < l->n_lists; i++) used += start[i + 1] > start[i];
	if (used > l->n_lists / 2) {
		put(out, "full", 4);
		put_u64(out, l->n_lists);
		for (size_t i = 0; i < l->n_lists; i++) put_u64(out, start[i + 1] - start[i]);
		return;
	}
	put(out, "sprs", 4);
	put_u64(out, 2 * used);
	for (size_t i = 0; i < l->n_lists; i++) {
		if (start[i + 1] == start[i]) continue;
		put_u64(out, i);
		put_u64(out, start[i + 1] - start[i]);
	}
}

static void put_lists(struct out *out, const struct faiss_lists *l, const size_t *start, const size_t *order)
{
	put_head(out, "IwFl", l->metric, l->dim, l->n);
	put_u64(out, l->n_lists);
	put_u64(out, 1); /* lists that a search visits unless told otherwise */
	put_flat(out, METRIC_L2, l->centroids, l->n_lists, l->dim);
	put(out, "\0", 1); /* no map from ids */
	put_u64(out, 0);
	put(out, "ilar", 4);
	put_u64(out, l->n_lists);
	put_u64(out, l->dim * sizeof *l->rows);
	put_sizes(out, l, start);
	for (size_t list = 0; list < l->n_lists; list++) {
		for (size_t i = start[list]; i < start[list + 1]; i++)
			put(out, l->rows + order[i] * l->dim, l->dim * sizeof *l->rows);
		for (size_t i = start[list]; i < start[list + 1]; i++) put(out, &l->ids[order[i]], sizeof *l->ids);
	}
}

akin_status faiss_write_lists(const char *path, const struct faiss_lists *lists, akin_error *err)
{
	size_t *start = mem_calloc(lists->n_lists + 1, sizeof *start), *order = mem_calloc(lists->n, sizeof *order);
	struct out out = { .err = err };
	akin_status st;

	if (!start || !order) {
		st = error_nomem(err);
		goto end;
	}
	sort_by_list(lists, start, order);
	if ((st = fs_writer_begin(&out.file, path, err)) != AKIN_OK) goto end;
	put_lists(&out, lists, start, order);
	st = finish(&out, path);
end:
	mem_free(start);
	mem_free(order);
	return st;
}

/* ---- graphs ---- */

double faiss_level_chance(size_t links, size_t level)
{
	const double scale = 1 / log((double)links);
	const double chance = exp(-(double)level / scale) * (1 - exp(-1 / scale));

	return chance < 1e-9 || level >= FAISS_LEVELS_MAX ? 0 : chance;
}

akin_status faiss_write_graph(const char *path, const struct faiss_graph *g, akin_error *err)
{
	struct out out = { .err = err };
	double chances[FAISS_LEVELS_MAX + 1];
	int32_t before[FAISS_LEVELS_MAX + 2] = { 0 }, greatest = 0;
	akin_status st;
	size_t n = 0;

	for (; (chances[n] = faiss_level_chance(g->links, n)) > 0; n++)
		before[n + 1] = (int32_t)faiss_links_before(g, n + 1);
	for (size_t i = 0; i < g->n; i++)
		if (g->levels[i] > greatest) greatest = g->levels[i];
	if ((st = fs_writer_begin(&out.file, path, err)) != AKIN_OK) return st;
	put_head(&out, "IHNf", g->metric, g->dim, g->n);
	put_vector(&out, chances, n, sizeof *chances);
	put_vector(&out, before, n + 1, sizeof *before);
	put_vector(&out, g->levels, g->n, sizeof *g->levels);
	put_vector(&out, g->offsets, g->n + 1, sizeof *g->offsets);
	put_vector(&out, g->neighbours, (size_t)g->offsets[g->n], sizeof *g->neighbours);
	put_i32(&out, g->entry);
	put_i32(&out, greatest - 1);
	put_i32(&out, (int32_t)g->build_effort);
	put_i32(&out, 16); /* Faiss' own width of a search */
	put_i32(&out, 1);  /* no longer read */
	put_flat(&out, g->metric, g->rows, g->n, g->dim);
	return finish(&out, path);
}
