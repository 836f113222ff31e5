/* index/index.h - vectors to nearest neighbours, whatever the kind.
 *
 * Knows ids and vectors; knows nothing of pictures or of SQLite. One interface for every kind; `flat` compares with every
 * vector and is the oracle for the others.
 * Threads: searches run side by side; functions that change the index need it to themselves.
 * Queries and added rows have the index's element type, except that an f16 index takes and is asked by f32.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_INDEX_H
#define AKIN_INDEX_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "types/hit.h"
#include "types/vector.h"

/* Written to files: never renumber. */
enum index_kind { INDEX_FLAT = 1, INDEX_GRAPH = 2, INDEX_IVF = 3, INDEX_BINARY = 4, INDEX_LSH = 5 };

/* Inverted lists; zeros are defaults. */
struct ivf_params {
	uint32_t lists;  /* 0: by the number of rows */
	uint32_t width;  /* components that share a 4-bit code, 0: 4; 255: no codes, rows of the lists are compared exactly */
	uint32_t rerank; /* times k rows are compared exactly, 0: chosen */
};

/* Locality-sensitive hashing; zeros are defaults. */
struct lsh_params {
	uint32_t tables; /* 0: 8 */
	uint32_t bits;   /* hash functions of a table, 0: by the number of rows */
	float width;     /* of a function's cells, 0: from a sample; of hyperplanes none */
};

struct index_params {
	enum index_kind kind;
	enum metric metric;
	enum element element;
	size_t dim; /* 1 .. INDEX_MAX_DIM */
	uint64_t seed;
	size_t links;        /* graph: most neighbours of a node, 4 .. 256; 0: 32 */
	size_t build_effort; /* graph: candidates for them; 0: 100 */
	struct ivf_params ivf;
	struct lsh_params lsh;
};
enum { INDEX_MAX_DIM = 65536 };

/* What a file is a cache of: all three must match, or the file is stale. */
struct index_stamp {
	uint8_t source[16];  /* identity of the store */
	uint8_t model[32];   /* identity of what made the vectors */
	uint64_t generation; /* of the store when the file was made */
};

/* Which ids may be found: those that pass every part that is given. Ids and bits cost far less than a call a row. */
struct index_filter {
	bool (*allows)(void *ctx, int64_t id); /* called by the thread that asked */
	void *ctx;
	const int64_t *ids; /* ascending */
	size_t n_ids;
	const uint8_t *bits; /* bit i % 8 of byte i / 8 for id i; ids beyond are not allowed */
	size_t n_bits;
};

struct index_ask {
	size_t k;                          /* >= 1 */
	const struct index_filter *filter;
	float max_distance;                /* only with `bounded` */
	bool bounded;
	unsigned threads;                  /* for batches; 0: one a core */
	size_t effort;                     /* of approximate kinds: how wide to look; more is slower and nearer exact; 0: default */
	bool exact;                        /* compare with every vector, whatever the kind */
};

struct index_stats {
	enum index_kind kind;
	enum metric metric;
	enum element element;
	size_t dim, count;
	uint64_t bytes; /* memory and mapped file */
	bool mapped;
};

struct index; /* opaque */

akin_status index_create(struct index **out, const struct index_params *params, akin_error *err);
void index_destroy(struct index *index);

/* Add n rows. AKIN_ERR_EXISTS when an id is present or given twice, AKIN_ERR_INVALID for a NaN or infinite component: then
 * nothing was added. Cosine: rows are normalised on the way in. A mapped index first copies itself into memory. */
akin_status index_add(struct index *index, const int64_t *ids, const void *rows, size_t n, akin_error *err);
/* The same over threads, 0: one a core. The result of several threads may differ from run to run; that of one does not. */
akin_status index_add_many(struct index *index, const int64_t *ids, const void *rows, size_t n, unsigned threads,
                           akin_error *err);
/* Learn from a sample what adding needs (centroids, scales). Optional: else the first rows added are the sample. */
akin_status index_train(struct index *index, const void *rows, size_t n, unsigned threads, akin_error *err);
/* Unknown ids are passed over; *n_removed may be NULL. */
akin_status index_remove(struct index *index, const int64_t *ids, size_t n, size_t *n_removed, akin_error *err);
bool index_has(const struct index *index, int64_t id);

/* The nearest *n_hits <= ask->k of one query, in the order of hit_before. */
akin_status index_search(const struct index *index, const void *query, const struct index_ask *ask, struct hit *hits,
                         size_t *n_hits, akin_error *err);
/* n_queries rows; the hits of query i start at hits + i * ask->k, their number is n_hits[i]. */
akin_status index_search_many(const struct index *index, const void *queries, size_t n_queries,
                              const struct index_ask *ask, struct hit *hits, size_t *n_hits, akin_error *err);
/* Every row at most max_distance away, ordered; *hits is the caller's (mem_free). */
akin_status index_range(const struct index *index, const void *query, float max_distance,
                        const struct index_filter *filter, struct hit **hits, size_t *n_hits, akin_error *err);

/* The stored row of an id (after normalisation), as f32 where the element is f32 or f16, else as it is. */
akin_status index_get(const struct index *index, int64_t id, void *row, akin_error *err);
/* Every id in ascending order; *ids is the caller's (mem_free). */
akin_status index_ids(const struct index *index, int64_t **ids, size_t *n, akin_error *err);
void index_get_stats(const struct index *index, struct index_stats *stats);
/* Invariants of the structure; `deep` also verifies checksums of a mapped file. */
akin_status index_check(const struct index *index, bool deep, akin_error *err);

/* Atomic: the old file or the new one. */
akin_status index_save(const struct index *index, const char *path, const struct index_stamp *stamp, akin_error *err);
/* Map a file: ready in milliseconds whatever its size (the rows' checksum is index_check's deep part). AKIN_ERR_FORMAT when
 * it is damaged, truncated or lying about its sizes; *stamp says what it was made of. */
akin_status index_open(struct index **out, const char *path, struct index_stamp *stamp, akin_error *err);

#endif
