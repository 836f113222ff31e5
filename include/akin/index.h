/* akin/index.h - the vector engine by itself: vectors with ids to nearest neighbours, without pictures or a library.
 *
 *   akin_index *index; akin_error err; akin_neighbour hits[10]; size_t n_hits;
 *   akin_index_create(&index, &(akin_index_spec){ .metric = AKIN_METRIC_L2, .dim = 784 }, &err);
 *   akin_index_add(index, NULL, rows, n_rows, 0, &err);
 *   akin_index_search(index, query, &(akin_index_ask){ .k = 10 }, hits, &n_hits, &err);
 *
 * Shapes: `rows` and `queries` are C arrays of n vectors without gaps between them. A vector is dim items of the
 * index's element type; an AKIN_ELEMENT_F16 index takes, is asked by and gives back float. Bits are packed, least
 * significant bit first, dim is a number of bits and every vector starts on a byte. Distances: smaller is nearer, for
 * every metric; ids are any int64_t. Answers come nearest first, equal distances by smaller id. Threads: searches and
 * getters run side by side; create, train, add, update, remove and tune need the index to themselves. `threads` is how
 * many a call may use; 0 is one a core. One thread and one seed give the same index every time. Errors: on failure
 * outputs are zero and the index is as it was, unless a function says otherwise.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_PUBLIC_H
#define AKIN_INDEX_PUBLIC_H

#include <stddef.h>
#include <stdint.h>

#include "akin/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Values are written to files: they never change. */
typedef enum akin_metric {
	AKIN_METRIC_DEFAULT = 0, /* L2, or Hamming for bits */
	AKIN_METRIC_L2 = 1,      /* squared Euclidean distance, as Faiss reports it */
	AKIN_METRIC_IP = 2,      /* minus the inner product */
	AKIN_METRIC_COSINE = 3,  /* 1 - cosine, 0..2; a zero vector is at distance 1 from everything */
	AKIN_METRIC_HAMMING = 4  /* differing bits; for bits and only for them */
} akin_metric;

typedef enum akin_element {
	AKIN_ELEMENT_DEFAULT = 0, /* F32 */
	AKIN_ELEMENT_F32 = 1,
	AKIN_ELEMENT_F16 = 2,     /* kept in 16 bits; float outside */
	AKIN_ELEMENT_I8 = 3,
	AKIN_ELEMENT_U8 = 4,
	AKIN_ELEMENT_BITS = 5
} akin_element;

typedef enum akin_index_kind {
	AKIN_INDEX_AUTO = 0,   /* flat while small; then what is fastest on a sample of the rows (akin_index_train) */
	AKIN_INDEX_FLAT = 1,   /* compares with every vector: exact */
	AKIN_INDEX_GRAPH = 2,  /* approximate: walks from neighbour to neighbour */
	AKIN_INDEX_IVF = 3,    /* approximate: the nearest of many short lists */
	AKIN_INDEX_BINARY = 4, /* exact, bits only: tables of substrings */
	AKIN_INDEX_LSH = 5     /* approximate: hash tables */
} akin_index_kind;

enum { AKIN_INDEX_MAX_DIM = 65536, AKIN_INDEX_AUTO_ROWS = 5000 /* up to so many rows AUTO stays flat */ };

typedef struct akin_index akin_index;

typedef struct akin_index_spec {
	akin_index_kind kind;
	akin_metric metric;
	akin_element element;
	size_t dim;    /* 1 .. AKIN_INDEX_MAX_DIM */
	uint64_t seed; /* of everything random in the kind */
	/* Of the kinds; 0 is the default, and other kinds pass them over. */
	size_t links;        /* graph: most neighbours of a node, 4 .. 256; 32 */
	size_t build_effort; /* graph: candidates that are looked at for them; 100 */
	uint32_t lists;      /* ivf: how many; by the number of rows when it is trained */
	uint32_t code_width; /* ivf: components that share a 4-bit code; 4; 255: no codes, lists are compared exactly */
	uint32_t rerank;     /* ivf: so many times k rows are compared exactly; chosen by measurement */
	uint32_t tables;     /* lsh: how many hash tables; 8 */
	uint32_t hash_bits;  /* lsh: hash functions of a table; by the number of rows */
	float hash_width;    /* lsh: of a function's cells, when the metric is not cosine; from a sample */
} akin_index_spec;

/* AKIN_ERR_INVALID when kind, metric, element and dim do not go together. */
AKIN_API akin_status akin_index_create(akin_index **out, const akin_index_spec *spec, akin_error *err);
AKIN_API void akin_index_destroy(akin_index *index);

/* ---- filling ---- */

/* Learn from a sample what the kind must know before it is filled (centroids, scales); AUTO chooses its kind. Optional:
 * without it the first rows that are added are the sample. */
AKIN_API akin_status akin_index_train(akin_index *index, const void *rows, size_t n, unsigned threads, akin_error *err);
/* Add n rows. `ids` NULL: 0, 1, 2 ... in an empty index, else following the greatest id. AKIN_ERR_EXISTS when an id is
 * present or given twice; AKIN_ERR_INVALID for a NaN, an infinite value, or one too large for 16 bits: then nothing was
 * added. */
AKIN_API akin_status akin_index_add(akin_index *index, const int64_t *ids, const void *rows, size_t n, unsigned threads,
                                    akin_error *err);
/* Add the rows, replacing those whose id is there. On failure the old rows are back. */
AKIN_API akin_status akin_index_update(akin_index *index, const int64_t *ids, const void *rows, size_t n,
				       unsigned threads, akin_error *err);
/* Unknown ids are passed over. *n_removed (may be NULL) says how many went, on failure too. */
AKIN_API akin_status akin_index_remove(akin_index *index, const int64_t *ids, size_t n, size_t *n_removed,
				       akin_error *err);

/* ---- asking ---- */

typedef struct akin_neighbour {
	int64_t id;
	float distance;
} akin_neighbour;

/* Which ids may be found: those that pass every part that is given. Bits are the cheapest to say, then ids; a call a
 * vector is the dearest when few pass. */
typedef struct akin_index_filter {
	int (*allows)(void *user, int64_t id); /* nonzero: yes; called by the thread that asks */
	void *user;
	const int64_t *ids;                    /* ascending */
	size_t n_ids;                          /* with `ids` */
	const unsigned char *bits; /* id i is allowed when bit i % 8 of byte i / 8 is set and 0 <= i < n_bits */
	size_t n_bits;                         /* with `bits` */
} akin_index_filter;

typedef struct akin_index_ask {
	size_t k;                        /* how many; at least 1 */
	size_t effort; /* of approximate kinds: more is slower and nearer to exact; 0: the kind's default, or
			  what akin_index_tune found */
	int exact;                       /* nonzero: compare with every vector, whatever the kind */
	const akin_index_filter *filter; /* NULL: all */
	int bounded;                     /* nonzero: nothing farther than max_distance */
	float max_distance;
	unsigned threads;                /* of search_many */
} akin_index_ask;

/* The nearest *n_hits <= k of one query; `hits` has room for k. */
AKIN_API akin_status akin_index_search(const akin_index *index, const void *query, const akin_index_ask *ask,
                                       akin_neighbour *hits, size_t *n_hits, akin_error *err);
/* The same for many: hits of query i start at hits + i * k, their number is n_hits[i]. Faster than one by one. */
AKIN_API akin_status akin_index_search_many(const akin_index *index, const void *queries, size_t n_queries,
                                            const akin_index_ask *ask, akin_neighbour *hits, size_t *n_hits,
                                            akin_error *err);
/* Everything at most max_distance away. *hits is the caller's (akin_bytes_free), NULL when there are none. */
AKIN_API akin_status akin_index_range(const akin_index *index, const void *query, float max_distance,
                                      const akin_index_filter *filter, akin_neighbour **hits, size_t *n_hits,
                                      akin_error *err);

/* The smallest effort whose recall@k on these queries reaches `recall` (0..1), measured against exact answers; it
 * becomes the index's default until it is closed. *effort and *reached may be NULL. AKIN_ERR_LIMIT when even the
 * greatest effort stays below: outputs and default are then the best there is. Exact kinds: effort 0, recall 1. */
AKIN_API akin_status akin_index_tune(akin_index *index, const void *queries, size_t n_queries, size_t k, double recall,
                                     unsigned threads, size_t *effort, double *reached, akin_error *err);
/* The share of the wanted neighbours that were found, with ties of distance counted as found: both have n_queries * k
 * places and n_hits as search_many gives them. 1 when nothing was wanted. */
AKIN_API double akin_index_recall(const akin_neighbour *found, const size_t *n_found, const akin_neighbour *wanted,
                                  const size_t *n_wanted, size_t n_queries, size_t k);

/* ---- looking ---- */

typedef struct akin_index_stats {
	akin_index_kind kind; /* AUTO while it has not chosen: it answers as flat */
	akin_metric metric;
	akin_element element;
	size_t dim, count;
	size_t vector_bytes;  /* of one vector as rows and queries have them */
	uint64_t bytes;       /* memory and mapped file */
	int mapped;           /* nonzero: rows are read from the file */
} akin_index_stats;

AKIN_API void akin_index_get_stats(const akin_index *index, akin_index_stats *stats);
AKIN_API int akin_index_has(const akin_index *index, int64_t id);
/* The stored vector (of unit length when the metric is cosine over floats). AKIN_ERR_NOT_FOUND. */
AKIN_API akin_status akin_index_get(const akin_index *index, int64_t id, void *row, akin_error *err);
/* Every id, ascending. *ids is the caller's (akin_bytes_free). */
AKIN_API akin_status akin_index_ids(const akin_index *index, int64_t **ids, size_t *n, akin_error *err);
/* Whether the structure keeps its invariants; `deep` also verifies the checksums of a mapped file. AKIN_ERR_FORMAT or
 * AKIN_ERR_CORRUPT with what is wrong. */
AKIN_API akin_status akin_index_check(const akin_index *index, int deep, akin_error *err);

/* Static storage; "?" for what does not exist. */
AKIN_API const char *akin_index_kind_name(akin_index_kind kind);
AKIN_API const char *akin_metric_name(akin_metric metric);
AKIN_API const char *akin_element_name(akin_element element);

/* ---- files ---- */

/* Atomic: afterwards the file is the old one or the new one. */
AKIN_API akin_status akin_index_save(const akin_index *index, const char *path, akin_error *err);
/* Maps the file: ready in milliseconds whatever its size, and shared by every process that opens it. The first change
 * copies it into memory. AKIN_ERR_FORMAT when it is damaged, truncated or no index. */
AKIN_API akin_status akin_index_open(akin_index **out, const char *path, akin_error *err);

#ifdef __cplusplus
}
#endif
#endif
