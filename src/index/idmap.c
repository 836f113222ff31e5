/* index/idmap.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/idmap.h"

#include "base/alloc.h"

/* The finaliser of SplitMix64: consecutive ids spread over the table. */
static size_t slot_of(const struct idmap *map, int64_t id)
{
	uint64_t z = (uint64_t)id;

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (size_t)(z ^ (z >> 31)) & map->mask;
}

/* The slot of the id, or the free one where it would go. */
static size_t probe(const struct idmap *map, const int64_t *ids, int64_t id)
{
	size_t at = slot_of(map, id);

	while (map->slots[at] != IDMAP_NONE && ids[map->slots[at] - 1] != id) at = (at + 1) & map->mask;
	return at;
}

void idmap_deinit(struct idmap *map)
{
	mem_free(map->slots);
	*map = IDMAP_EMPTY;
}

bool idmap_reserve(struct idmap *map, const int64_t *ids, size_t n)
{
	struct idmap larger = { .count = map->count };
	size_t capacity = map->slots ? map->mask + 1 : 16;

	while (capacity / 3 * 2 < n) capacity *= 2;
	if (map->slots && capacity == map->mask + 1) return true;
	if (!(larger.slots = mem_calloc(capacity, sizeof *larger.slots))) return false;
	larger.mask = capacity - 1;
	for (size_t i = 0; map->slots && i <= map->mask; i++)
		if (map->slots[i] != IDMAP_NONE) larger.slots[probe(&larger, ids, ids[map->slots[i] - 1])] = map->slots[i];
	mem_free(map->slots);
	*map = larger;
	return true;
}

bool idmap_find(const struct idmap *map, const int64_t *ids, int64_t id, size_t *row)
{
	uint32_t found = map->slots ? map->slots[probe(map, ids, id)] : IDMAP_NONE;

	*row = found == IDMAP_NONE ? 0 : found - 1;
	return found != IDMAP_NONE;
}

void idmap_add(struct idmap *map, const int64_t *ids, size_t row)
{
	map->slots[probe(map, ids, ids[row])] = (uint32_t)(row + 1);
	map->count++;
}

/* No tombstones: entries after the hole move back into it unless that would put them before their own slot. */
void idmap_remove(struct idmap *map, const int64_t *ids, size_t row)
{
	size_t hole = probe(map, ids, ids[row]);

	for (size_t at = (hole + 1) & map->mask; map->slots[at] != IDMAP_NONE; at = (at + 1) & map->mask) {
		size_t home = slot_of(map, ids[map->slots[at] - 1]);

		if (((at - home) & map->mask) < ((at - hole) & map->mask)) continue;
		map->slots[hole] = map->slots[at];
		hole = at;
	}
	map->slots[hole] = IDMAP_NONE;
	map->count--;
}
