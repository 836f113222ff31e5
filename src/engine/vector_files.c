/* engine/vector_files.c - akin/vectors.h over vecfile/.
 * SPDX-License-Identifier: Apache-2.0 */
#include "akin/vectors.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "vecfile/npy.h"
#include "vecfile/vectors.h"

struct akin_vectors {
	struct vectors file;
};

_Static_assert(AKIN_VECTORS_BASE == (int)VECTORS_BASE && AKIN_VECTORS_TRUTH == (int)VECTORS_TRUTH,
	       "parts are passed through");

akin_status akin_vectors_open(akin_vectors **out, const char *path, akin_vectors_part part, akin_error *err)
{
	struct akin_vectors *vectors;
	akin_status st;

	*out = NULL;
	error_clear(err);
	if (!(vectors = mem_zalloc(sizeof *vectors))) return error_nomem(err);
	if ((st = vectors_open(&vectors->file, path, (enum vectors_part)part, err)) == AKIN_OK) *out = vectors;
	else mem_free(vectors);
	return st;
}

void akin_vectors_close(akin_vectors *vectors)
{
	if (!vectors) return;
	vectors_close(&vectors->file);
	mem_free(vectors);
}

void akin_vectors_get_info(const akin_vectors *vectors, akin_vectors_info *info)
{
	const struct vectors *v = &vectors->file;

	*info = (akin_vectors_info){ .format = v->format_name,
				     .element = (akin_element)vectors_element(v),
				     .count = v->rows,
				     .dim = vectors_dim(v, vectors_element(v)),
				     .metric = (akin_metric)v->metric,
				     .has_ids = v->ids != NULL };
}

size_t akin_vectors_dim(const akin_vectors *vectors, akin_element element)
{
	return vectors_dim(&vectors->file, (enum element)element);
}

akin_status akin_vectors_read(const akin_vectors *vectors, size_t first, size_t n, akin_element element, void *rows,
                              akin_error *err)
{
	error_clear(err);
	return vectors_read(&vectors->file, first, n, (enum element)element, rows, err);
}

void akin_vectors_read_ids(const akin_vectors *vectors, size_t first, size_t n, int64_t *ids)
{
	for (size_t i = 0; i < n; i++) ids[i] = vectors_id(&vectors->file, first + i);
}

akin_status akin_vectors_read_integers(const akin_vectors *vectors, size_t first, size_t n, int64_t *to,
				       akin_error *err)
{
	error_clear(err);
	return vectors_read_i64(&vectors->file, first, n, to, err);
}

/* ---- writing ---- */

struct akin_vectors_writer {
	struct vectors_writer file;
	bool done;
};

static akin_status format_by_name(const char *name, enum vectors_format *format, akin_error *err)
{
	static const struct {
		const char *name;
		enum vectors_format format;
	} formats[] = { { "npy", VECTORS_NPY }, { "fvecs", VECTORS_FVECS }, { "bvecs", VECTORS_BVECS },
		        { "ivecs", VECTORS_IVECS }, { "faiss", VECTORS_FAISS } };

	for (size_t i = 0; i < COUNT(formats); i++) {
		*format = formats[i].format;
		if (!strcmp(name, formats[i].name)) return AKIN_OK;
	}
	return error_set(err, AKIN_ERR_INVALID, "'%s' is no format that is written (npy, fvecs, bvecs, ivecs, faiss)",
			 name);
}

akin_status akin_vectors_writer_create(akin_vectors_writer **out, const char *path, const char *format_name,
                                       const akin_index_spec *spec, size_t count, akin_error *err)
{
	const enum element element = spec->element ? (enum element)spec->element : ELEMENT_F32;
	const enum metric metric = spec->metric              ? (enum metric)spec->metric
				   : element == ELEMENT_BITS ? METRIC_HAMMING
							     : METRIC_L2;
	struct akin_vectors_writer *writer = NULL;
	enum vectors_format format;
	akin_status st;

	*out = NULL;
	error_clear(err);
	if (element > ELEMENT_BITS || !spec->dim || spec->dim > VECTORS_MAX_COLS)
		st = error_set(err, AKIN_ERR_INVALID, "vectors of element type %d and %zu dimensions cannot be written",
			       (int)element, spec->dim);
	else if ((st = format_by_name(format_name, &format, err)) != AKIN_OK) goto out;
	else if (!(writer = mem_zalloc(sizeof *writer))) st = error_nomem(err);
	else st = vectors_writer_begin(&writer->file, path, format, metric, element, spec->dim, count, err);
	if (st == AKIN_OK) *out = writer;
	else mem_free(writer);
out:
	return error_note(err, st, "writing %s", path);
}

akin_status akin_vectors_writer_put(akin_vectors_writer *writer, const void *rows, size_t n, akin_error *err)
{
	error_clear(err);
	return vectors_writer_put(&writer->file, rows, n, err);
}

akin_status akin_vectors_writer_commit(akin_vectors_writer *writer, akin_error *err)
{
	error_clear(err);
	writer->done = true;
	return vectors_writer_commit(&writer->file, err);
}

void akin_vectors_writer_destroy(akin_vectors_writer *writer)
{
	if (!writer) return;
	if (!writer->done) vectors_writer_abort(&writer->file);
	mem_free(writer);
}

/* ---- answers ---- */

/* One column after another for each query: ids or distances. */
static akin_status write_answers(const char *path, enum npy_type type, const akin_neighbour *hits, const size_t *n_hits,
                                 size_t n_queries, size_t k, akin_error *err)
{
	uint8_t *row = mem_calloc(k, sizeof(int64_t));
	struct npy_writer w;
	akin_status st;

	if (!row) return error_nomem(err);
	if ((st = npy_writer_begin(&w, path, type, n_queries, k, err)) != AKIN_OK) goto out;
	for (size_t q = 0; q < n_queries && st == AKIN_OK; q++) {
		for (size_t i = 0; i < k; i++) {
			const bool there = i < n_hits[q];
			const int64_t id = there ? hits[q * k + i].id : -1;
			const float distance = there ? hits[q * k + i].distance : INFINITY;

			if (type == NPY_I64) memcpy(row + i * sizeof id, &id, sizeof id);
			else memcpy(row + i * sizeof distance, &distance, sizeof distance);
		}
		st = npy_writer_row(&w, row, err);
	}
	if (st == AKIN_OK) st = npy_writer_commit(&w, err);
	else npy_writer_abort(&w);
out:
	mem_free(row);
	return error_note(err, st, "writing %s", path);
}

akin_status akin_neighbours_write(const akin_neighbour *hits, const size_t *n_hits, size_t n_queries, size_t k,
                                  const char *ids_path, const char *distances_path, akin_error *err)
{
	akin_status st = AKIN_OK;

	error_clear(err);
	if (ids_path) st = write_answers(ids_path, NPY_I64, hits, n_hits, n_queries, k, err);
	if (st == AKIN_OK && distances_path)
		st = write_answers(distances_path, NPY_F32, hits, n_hits, n_queries, k, err);
	return st;
}
