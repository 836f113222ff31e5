/* base/alloc.h - memory for objects that outlive a query. NULL means there is none left; tests can make that happen.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_BASE_ALLOC_H
#define AKIN_BASE_ALLOC_H

#include <stddef.h>

void *mem_alloc(size_t bytes);
void *mem_zalloc(size_t bytes);
/* n * size zeroed bytes, NULL also when the product overflows. */
void *mem_calloc(size_t n, size_t size);
void *mem_realloc(void *old, size_t bytes);
/* Room for one more item: doubles *capacity when n == *capacity. Returns the array (moved), NULL leaves the old alone. */
void *mem_grow(void *array, size_t *capacity, size_t n, size_t item_bytes);
/* Aligned to 64 bytes, for vectors; freed by mem_free like the rest. */
void *mem_aligned(size_t bytes);
char *mem_strdup(const char *s);
void *mem_dup(const void *bytes, size_t n);
void mem_free(void *p);

#endif
