/* vecfile/faiss.h - index files as Faiss' write_index and write_index_binary make them: the vectors and ids of
 * IndexFlatL2, IndexFlatIP, IndexIVFFlat, IndexHNSWFlat and IndexBinaryFlat. Centroids and links are checked for their
 * sizes and passed over: akin builds its own. docs/vectors.md has the layout. SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_VECFILE_FAISS_H
#define AKIN_VECFILE_FAISS_H

#include "vecfile/vectors.h"

bool faiss_is(const uint8_t *bytes, size_t n);
akin_status faiss_parse(struct vectors *v, const uint8_t *bytes, size_t n, akin_error *err);
/* All that comes before the rows of a flat index. */
akin_status faiss_put_head(struct fs_writer *file, enum metric metric, enum element element, size_t dim, size_t rows,
                           akin_error *err);

/* The parts of an IndexIVFFlat: row i of the `rows` belongs to list list_of[i] and has id ids[i]. */
struct faiss_lists {
	enum metric metric; /* l2 or ip; the centroids are found by l2 */
	size_t dim, n, n_lists;
	const float *centroids, *rows;
	const int64_t *ids;
	const uint32_t *list_of;
};
akin_status faiss_write_lists(const char *path, const struct faiss_lists *lists, akin_error *err);

/* The parts of an IndexHNSWFlat: row i is on levels 0 .. levels[i] - 1; its links on level l are the links_on(l) places
 * from offsets[i] + links_before(l) on, -1 where there is none. */
struct faiss_graph {
	enum metric metric;
	size_t dim, n, links; /* links: on levels above 0; twice as many there */
	const float *rows;
	const int32_t *levels, *neighbours;
	const uint64_t *offsets; /* n + 1 */
	int32_t entry;
	unsigned build_effort;
};
static inline size_t faiss_links_on(const struct faiss_graph *graph, size_t level)
{
	return level ? graph->links : 2 * graph->links;
}
static inline size_t faiss_links_before(const struct faiss_graph *graph, size_t level)
{
	return level ? graph->links * (level + 1) : 0;
}
/* The chance of level l, and the last level that has one worth naming (Malkov and Yashunin 2018, 4.1: the scale is 1 /
 * ln links). */
double faiss_level_chance(size_t links, size_t level);
enum { FAISS_LEVELS_MAX = 32 };
akin_status faiss_write_graph(const char *path, const struct faiss_graph *graph, akin_error *err);

#endif
