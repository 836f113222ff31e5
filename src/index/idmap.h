/* index/idmap.h - id to row, as a hash table that holds rows only: the ids stay in the caller's array.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_IDMAP_H
#define AKIN_INDEX_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IDMAP_NONE = 0 };

struct idmap {
	uint32_t *slots; /* row + 1, IDMAP_NONE is free; linear probing */
	size_t mask, count;
};

#define IDMAP_EMPTY ((struct idmap){ 0 })

/* Rows are below this. */
#define IDMAP_MAX_ROWS ((size_t)UINT32_MAX - 1)

void idmap_deinit(struct idmap *map);
/* Room for n entries altogether. False when there is no memory; then nothing changed. */
bool idmap_reserve(struct idmap *map, const int64_t *ids, size_t n);
bool idmap_find(const struct idmap *map, const int64_t *ids, int64_t id, size_t *row);
/* ids[row] is not in the map and there is room. */
void idmap_add(struct idmap *map, const int64_t *ids, size_t row);
/* ids[row] is in the map. */
void idmap_remove(struct idmap *map, const int64_t *ids, size_t row);

#endif
