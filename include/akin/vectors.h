/* akin/vectors.h - files of vectors: NumPy .npy, .fvecs .bvecs .ivecs, ann-benchmarks' HDF5, Faiss indexes. Told by
 * content, never by name; mapped, so that opening is quick and memory is what is read.
 *
 * Threads: an opened file may be read by several threads at once; a writer belongs to one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_VECTORS_H
#define AKIN_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "akin/index.h"
#include "akin/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which array of a file that has several (HDF5: train, test, neighbors). Files with one array have it as every part. */
typedef enum akin_vectors_part {
	AKIN_VECTORS_BASE = 0,
	AKIN_VECTORS_QUERIES = 1,
	AKIN_VECTORS_TRUTH = 2
} akin_vectors_part;

typedef struct akin_vectors akin_vectors;

typedef struct akin_vectors_info {
	const char *format;   /* "npy", "fvecs", "bvecs", "ivecs", "hdf5", "faiss IndexFlatL2" ...; static storage */
	akin_element element; /* what the items are most naturally kept as */
	size_t dim, count;    /* of vectors as that element */
	akin_metric metric;   /* AKIN_METRIC_DEFAULT: the file does not say */
	int has_ids;          /* nonzero: the format gave each vector an id; else it is the row's number */
} akin_vectors_info;

/* AKIN_ERR_FORMAT when it is no such file, or damaged; AKIN_ERR_NOT_FOUND when it is not there or lacks the part. */
AKIN_API akin_status akin_vectors_open(akin_vectors **out, const char *path, akin_vectors_part part, akin_error *err);
AKIN_API void akin_vectors_close(akin_vectors *vectors);
AKIN_API void akin_vectors_get_info(const akin_vectors *vectors, akin_vectors_info *info);
/* Dimensions of a vector read as that element: unsigned bytes hold eight bits each. */
AKIN_API size_t akin_vectors_dim(const akin_vectors *vectors, akin_element element);

/* Rows first .. first + n - 1 as an index of that element takes them. f64 is rounded to float; nothing else is:
 * AKIN_ERR_INVALID names a value that does not fit. */
AKIN_API akin_status akin_vectors_read(const akin_vectors *vectors, size_t first, size_t n, akin_element element,
				       void *rows, akin_error *err);
AKIN_API void akin_vectors_read_ids(const akin_vectors *vectors, size_t first, size_t n, int64_t *ids);
/* Rows of whole numbers (ids of true neighbours): n * dim of them. */
AKIN_API akin_status akin_vectors_read_integers(const akin_vectors *vectors, size_t first, size_t n, int64_t *to,
                                                akin_error *err);

/* Write `count` vectors of dim items: format "npy", "fvecs", "bvecs", "ivecs" or "faiss" (a flat index of the metric).
 * Atomic: the file appears with commit. AKIN_ERR_UNSUPPORTED when the format cannot hold such vectors. */
typedef struct akin_vectors_writer akin_vectors_writer;
AKIN_API akin_status akin_vectors_writer_create(akin_vectors_writer **out, const char *path, const char *format,
                                                const akin_index_spec *spec, size_t count, akin_error *err);
/* The next n rows, as akin_vectors_read gives them. */
AKIN_API akin_status akin_vectors_writer_put(akin_vectors_writer *writer, const void *rows, size_t n, akin_error *err);
/* AKIN_ERR_INVALID when rows are missing; then, as after any failure, there is no new file. */
AKIN_API akin_status akin_vectors_writer_commit(akin_vectors_writer *writer, akin_error *err);
AKIN_API void akin_vectors_writer_destroy(akin_vectors_writer *writer);

/* Write an index as one that Faiss searches: AKIN_FAISS_IVF is an IndexIVFFlat, whose lists (spec->lists, 0: by the
 * number of rows) are learned here; AKIN_FAISS_HNSW an IndexHNSWFlat, whose links (spec->links, 0: 32) are found with
 * searches of this index; its ids become 0, 1, 2 ... in their order. Floats with L2, inner product, or cosine (written
 * as the inner product of its unit vectors); AKIN_ERR_UNSUPPORTED otherwise. Of `spec` lists, links and seed are read;
 * NULL: defaults. */
typedef enum akin_faiss_kind { AKIN_FAISS_IVF = 1, AKIN_FAISS_HNSW = 2 } akin_faiss_kind;
AKIN_API akin_status akin_index_write_faiss(const akin_index *index, const char *path, akin_faiss_kind kind,
                                            const akin_index_spec *spec, unsigned threads, akin_error *err);

/* One array of k columns a query as .npy: ids as int64 (-1 where fewer were found), distances as float32 (infinity).
 * Either path may be NULL. */
AKIN_API akin_status akin_neighbours_write(const akin_neighbour *hits, const size_t *n_hits, size_t n_queries, size_t k,
                                           const char *ids_path, const char *distances_path, akin_error *err);

#ifdef __cplusplus
}
#endif
#endif
