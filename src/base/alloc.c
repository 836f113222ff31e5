/* base/alloc.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

void *mem_alloc(size_t bytes)
{
	return fault_hit(FAULT_ALLOC) ? NULL : malloc(bytes ? bytes : 1);
}

void *mem_zalloc(size_t bytes)
{
	return mem_calloc(1, bytes);
}

void *mem_calloc(size_t n, size_t size)
{
	return fault_hit(FAULT_ALLOC) ? NULL : calloc(n ? n : 1, size ? size : 1);
}

void *mem_realloc(void *old, size_t bytes)
{
	return fault_hit(FAULT_ALLOC) ? NULL : realloc(old, bytes ? bytes : 1);
}

void *mem_grow(void *array, size_t *capacity, size_t n, size_t item_bytes)
{
	size_t wanted;
	void *moved;

	if (n < *capacity) return array;
	wanted = *capacity ? *capacity * 2 : 16;
	if (wanted > SIZE_MAX / 2 / item_bytes) return NULL;
	moved = mem_realloc(array, wanted * item_bytes);
	if (moved) *capacity = wanted;
	return moved;
}

void *mem_aligned(size_t bytes)
{
	size_t rounded = (bytes + 63) & ~(size_t)63;

	if (rounded < bytes || fault_hit(FAULT_ALLOC)) return NULL;
	return aligned_alloc(64, rounded ? rounded : 64);
}

char *mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s) + 1);
}

void *mem_dup(const void *bytes, size_t n)
{
	void *copy = mem_alloc(n);

	if (copy && n) memcpy(copy, bytes, n);
	return copy;
}

void mem_free(void *p)
{
	free(p);
}
