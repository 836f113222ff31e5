/* index/topk.h - the nearest k of a stream of hits: a heap with the farthest on top, in the caller's own array.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_TOPK_H
#define AKIN_INDEX_TOPK_H

#include <stddef.h>

#include "types/hit.h"

struct topk {
	struct hit *heap;
	size_t n, k;
	float bound; /* a hit farther than this is not wanted; once the heap is full, its farthest */
};

static inline void topk_sink(struct hit *heap, size_t n, size_t at, struct hit hit)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= n) break;
		if (child + 1 < n && hit_before(&heap[child], &heap[child + 1])) child++;
		if (!hit_before(&hit, &heap[child])) break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = hit;
}

/* k >= 1. The order in which hits come does not matter. */
static inline void topk_push(struct topk *top, struct hit hit)
{
	size_t at = top->n;

	if (!(hit.distance <= top->bound)) return;
	if (top->n == top->k) {
		if (hit_before(&hit, &top->heap[0])) topk_sink(top->heap, top->n, 0, hit);
	} else {
		for (top->n++; at && hit_before(&top->heap[(at - 1) / 2], &hit); at = (at - 1) / 2)
			top->heap[at] = top->heap[(at - 1) / 2];
		top->heap[at] = hit;
	}
	if (top->n == top->k) top->bound = top->heap[0].distance;
}

/* A heap becomes an array in the order of hit_before. */
static inline void topk_sort(struct hit *heap, size_t n)
{
	while (n > 1) {
		struct hit last = heap[--n];

		heap[n] = heap[0];
		topk_sink(heap, n, 0, last);
	}
}

/* The same for an array in no order. */
static inline void hits_sort(struct hit *hits, size_t n)
{
	for (size_t i = n / 2; i-- > 0;) topk_sink(hits, n, i, hits[i]);
	topk_sort(hits, n);
}

#endif
